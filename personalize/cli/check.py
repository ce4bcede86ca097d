"""`personalize check`: everything that is wrong with the files, at once."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from personalize.cli.findings import Failed, Findings, sources_of
from personalize.cli.report import FORMATS, Report
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import terminal_width
from personalize.problems import Problem, Problems, did_you_mean, quoted
from personalize.rules.reading.load import read_definitions
from personalize.rules.ruleset import RuleSet
from personalize.runtime.draft import Draft, conventions_of, load_files, path_of
from personalize.runtime.examples import run_trials
from personalize.runtime.geoip import check_geoip
from personalize.runtime.mending import mend, save
from personalize.runtime.quiet_loading import no_collections
from personalize.settings import Settings

_RULES = "rules/"


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(FORMATS)),
    default="full",
    help="For people: full (as it is left out) or one line a problem; for programs: json, github or sarif.",
)
@click.option("--fix", is_flag=True, help="Mend what is beyond doubt, say what was mended, and check again.")
@click.option("--warn-as-error", is_flag=True, help="End with 1 where there is a warning, too.")
@click.option("--overlaps", is_flag=True, help="Tell of rules of a slot that overlap, too, each with an example.")
@click.option(
    "--at",
    metavar="MOMENT",
    help="Say what is over by then, and ask examples and personas that name no moment as of it.",
)
@click.option("--code", metavar="CODE", help="Say what a code means, with an example, and check nothing.")
@pass_site
def check(
    site: Site, form: str, fix: bool, warn_as_error: bool, overlaps: bool, at: str | None, code: str | None
) -> None:
    """Say everything that is wrong with the rule and content files.

    Each finding names its file and line, what stands there, and what may stand there. Nothing is published, and
    nothing is changed without --fix. Where the files can be read, it tries what personas must see, and the examples
    of segments and rules. Ends with 1 where there is an error; warnings alone are well.
    """
    if code is not None:
        _explain(code)
        return
    with no_collections():  # a fifth of the time of a large site would go into them, and the process ends soon
        report = _checked(site, fix=fix, overlaps=overlaps, at=at)
    for text in FORMATS[form](report):
        click.echo(text)
    if report.count("error") or (warn_as_error and report.problems):
        raise click.exceptions.Exit(Findings.exit_code)


def _explain(code: str) -> None:
    """Print what the page of messages says of a code."""
    from personalize.cli.message_book import as_text, message_book  # noqa: PLC0415  # read only when it is asked for

    entry = message_book().get(code.upper())
    if entry is None:
        hint = did_you_mean(code.upper(), message_book()) or "codes look like E211"
        raise Failed(f"there is no message {quoted(code)}; {hint}")
    click.echo("\n".join(as_text(entry, width=terminal_width())))


def _checked(site: Site, *, fix: bool, overlaps: bool, at: str | None) -> Report:
    started = time.perf_counter()
    now = site.moment(at)
    unreadable = Problems()
    draft, fixed = site.read_draft(unreadable), tuple[Problem, ...]()
    if fix:
        draft, fixed = _fixed(draft, site.settings)
    problems = Problems()
    problems.extend(unreadable.list)
    check_geoip(site.settings, problems)
    rule_set = load_files(draft.files, site.settings, problems, prove_as_of=now, overlaps=overlaps)
    tried = 0 if rule_set is None else run_trials(rule_set, site.settings, problems, now=now)
    return Report(
        problems=problems.list,
        fixed=fixed,
        counts=_counts(draft, rule_set, site, tried),
        seconds=time.perf_counter() - started,
        sources=sources_of(site.settings, draft.files),
        path_of=_paths(site.settings),
        width=terminal_width(),
    )


def _fixed(draft: Draft, settings: Settings) -> tuple[Draft, tuple[Problem, ...]]:
    """The draft with all that can be mended, which is written to the disk, too."""

    def problems_of(files: Mapping[str, str]) -> tuple[Problem, ...]:
        problems = Problems()
        load_files(files, settings, problems)
        return problems.list

    mended = mend(draft, problems_of)
    try:
        left = save(mended, draft, settings)
    except OSError as error:
        raise Failed(f"{error.filename} cannot be written: {error.strerror}") from error
    if left:
        raise Failed(f"{', '.join(left)}: somebody has changed this meanwhile, so it was left as it is; check again")
    return mended.draft, mended.fixed


def _paths(settings: Settings) -> Callable[[str], Path]:
    """Where the file of a problem lies: from the working directory, if it is below that."""
    here = Path.cwd()

    def path(name: str) -> Path:
        known = path_of(name, settings)
        beside = (known, settings.templates / name, settings.root / name)
        found = next((one for one in beside if one.exists()), known)
        return found.relative_to(here) if found.is_relative_to(here) else found

    return path


def _counts(draft: Draft, rule_set: RuleSet | None, site: Site, tried: int) -> Mapping[str, int]:
    """How much was checked; where some of it can't be loaded, how much of it can be told apart."""
    if rule_set is not None:
        slots, segments, personas = rule_set.slots, rule_set.segments, rule_set.personas
        items = len(rule_set.library.items)
    else:
        rules = {path: text for path, text in draft.files.items() if path.startswith(_RULES)}
        read = read_definitions(rules, conventions_of(site.settings), Problems())
        slots, segments, personas = read.slots, read.segments, read.personas
        items = sum(path.count("/") == 2 for path in draft.files if not path.startswith(_RULES))
    rule_count = sum(len(slot.rules) for slot in slots.values())
    return {
        "rule": rule_count,
        "segment": len(segments),
        "persona": len(personas),
        "example": tried,
        "item": items,
    }
