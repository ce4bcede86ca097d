"""Reads of a rule set's files those alone that have changed since an earlier one was loaded."""

from collections.abc import Mapping

from personalize.content.library import Library
from personalize.problems import Problems
from personalize.rules.definitions import Definitions
from personalize.rules.id_lists import is_list
from personalize.rules.own_facts import OwnFact
from personalize.rules.ruleset import RuleSet, check_together
from personalize.rules.taken_over import take_over, unchanged_files
from personalize.runtime.draft import Read, conventions_of
from personalize.settings import Settings


def read_changed(
    files: Mapping[str, str],
    settings: Settings,
    problems: Problems,
    own_facts: Mapping[str, OwnFact] | None,
    *,
    earlier: RuleSet,
    read: Read,
) -> tuple[Definitions, Library] | None:
    """What `read` makes of these files. Rule files that are as they were in the earlier rule set are not read again,
    nor are their warnings told again; content always is, since its templates may be others.

    Where anything is wrong, all files are read after all, so that every problem is told.
    """
    if own_facts is not None and earlier.conventions == conventions_of(settings):
        found = Problems()
        kept = unchanged_files(earlier, files)
        changed = {path: text for path, text in files.items() if path not in kept or is_list(path)}
        came = read(changed, settings, found, own_facts, earlier.schema) if kept else None
        definitions = None if came is None else take_over(came[0], earlier, kept)
        if came is not None and definitions is not None:
            check_together(definitions, came[1], earlier.conventions, found, own_facts)
            if not found.has_errors:
                problems.extend(found.list)
                return definitions, came[1]
    return read(files, settings, problems, own_facts)
