"""The draft: the rule and content files on disk, and what they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader

from personalize.content.files import read_content
from personalize.content.library import Library
from personalize.events.schema import Schema
from personalize.problems import Problems
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import Definitions
from personalize.rules.facts import Facts
from personalize.rules.id_lists import LARGEST_LIST, is_list
from personalize.rules.json_schema import rule_file_schema
from personalize.rules.own_facts import NO_OWN_FACTS, OwnFact
from personalize.rules.proof.endings import ENDED
from personalize.rules.proof.findings import PROVED, check_by_proof
from personalize.rules.proof.overlaps import OVERLAP
from personalize.rules.reading.allowances import apply_allowances
from personalize.rules.reading.inputs import Inputs
from personalize.rules.ruleset import RuleSet, compile_rule_set, read_all, read_checked, version_of
from personalize.rules.schema_parts import JSONSchema
from personalize.runtime.own_facts import load_own_facts
from personalize.settings import Settings
from personalize.yaml_tree import MAX_BYTES, read_text

_RULES = "rules/"
_RULE_FILES = (".yaml", ".yml")


class Read(Protocol):
    """Reads files as `read_files` does, here or elsewhere."""

    def __call__(
        self,
        files: Mapping[str, str],
        settings: Settings,
        problems: Problems,
        own_facts: Mapping[str, OwnFact] | None,
        declared: Schema | None = None,
        /,
    ) -> tuple[Definitions, Library] | None:
        """What the files say."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The texts of a site's files, by path: rule files under `rules/`, content under `content/`."""

    files: Mapping[str, str]

    @property
    def version(self) -> str:
        """The version that publishing them would make."""
        return version_of(self.files)


def read_draft(settings: Settings, problems: Problems) -> Draft:
    """The files as they are on disk; what can't be read is a problem."""
    files = read_content(settings.content, problems)
    if not settings.rules.is_dir():
        problems.error(
            "E101", "there is no folder with rule files", None, "run personalize init", file=str(settings.rules)
        )
    for path in sorted(settings.rules.rglob("*")):
        if (path.suffix in _RULE_FILES or is_list(path.name)) and path.is_file():
            name = _RULES + path.relative_to(settings.rules).as_posix()
            text = read_text(path, name, problems, LARGEST_LIST if is_list(path.name) else MAX_BYTES)
            if text is not None:
                files[name] = text
    return Draft(MappingProxyType(files))


def rule_files(folder: Path) -> list[Path]:
    """The rule files in a folder and in those below it, in order."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix in _RULE_FILES and path.is_file()]


def load_files(
    files: Mapping[str, str],
    settings: Settings,
    problems: Problems,
    *,
    prove_as_of: datetime | None = None,
    overlaps: bool = False,
    read: Read | None = None,
) -> RuleSet | None:
    """The rule set of these files, or None where `problems` holds an error afterwards.

    Templates of collections are the developer's: they come with the code, not with the files. `read` is what reads
    the files, `read_files` if it is not given. Where a moment is given and the rules can be read, what can be proved of
    them then is looked for, too, with rules that overlap where these are asked for. Warnings that the files allow are
    not among the problems.
    """
    defined = (read or read_files)(files, settings, problems, load_own_facts(settings, problems))
    rule_set = None if defined is None else compile_rule_set(version_of(files), *defined, conventions_of(settings))
    not_looked_for = PROVED
    if prove_as_of is not None and rule_set is not None:
        check_by_proof(rule_set, problems, now=prove_as_of, overlaps=overlaps)
        not_looked_for = ENDED if overlaps else ENDED | {OVERLAP}  # what will be over may be allowed in advance
    apply_allowances(files, problems, not_looked_for)
    return rule_set


def read_files(
    files: Mapping[str, str],
    settings: Settings,
    problems: Problems,
    own_facts: Mapping[str, OwnFact] | None,
    declared: Schema | None = None,
) -> tuple[Definitions, Library] | None:
    """What these files say, or None where `problems` holds an error afterwards. `own_facts` are the site's own, None
    where they can't be loaded. Where rule files are left out, `declared` is what these declare; see `read_checked`."""
    rules, content = _sorted_out(files)
    return read_checked(
        rules,
        content,
        templates=FileSystemLoader(settings.templates),
        conventions=conventions_of(settings),
        problems=problems,
        own_facts=own_facts,
        declared=declared,
    )


def _sorted_out(files: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Rule files and content."""
    rules = {path: text for path, text in files.items() if path.startswith(_RULES)}
    return rules, {path: text for path, text in files.items() if path not in rules}


def schema_of(files: Mapping[str, str], settings: Settings) -> JSONSchema:
    """The JSON Schema of the site's rule files, with the names that these files define, as far as they can be read."""
    own_facts = load_own_facts(settings, Problems())
    templates = FileSystemLoader(settings.templates)
    definitions, library = read_all(*_sorted_out(files), templates, conventions_of(settings), Problems(), own_facts)
    return rule_file_schema(definitions, Facts(definitions.schema, own_facts or NO_OWN_FACTS), library)


def path_of(name: str, settings: Settings) -> Path:
    """Where a file of the draft lies, by the name that problems carry; for any other file the name itself."""
    folder, _, rest = name.partition("/")
    if name.startswith(_RULES):
        return settings.rules / rest
    return settings.content / rest if folder == settings.content.resolve().name else Path(name)


def conventions_of(settings: Settings) -> Conventions:
    """What its files have in common: how the site writes moments and money, what shared pages may depend on, and for
    how long it keeps what happened."""
    cache = settings.cache
    texts = {one.fact: one.values for one in cache.inputs}
    inputs = Inputs(texts, cache.max_variants) if cache.mode == "variants" else None
    zone, ages = ZoneInfo(settings.zone), settings.privacy.ages
    return Conventions(zone, settings.currency, settings.currency_digits, inputs, ages)


def draft_folders(settings: Settings) -> tuple[Path, ...]:
    """The folders whose files make the draft."""
    return (settings.rules, settings.content, settings.templates)
