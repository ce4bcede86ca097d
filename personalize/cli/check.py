"""`personalize check`: everything that is wrong with the files, at once."""

import time

import click

from personalize.cli.findings import Findings, show, sources_of
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted
from personalize.problems import Problems, summary
from personalize.rules.load import read_definitions
from personalize.rules.ruleset import RuleSet
from personalize.runtime.draft import Draft, conventions_of, load_files

_RULES = "rules/"


@click.command(short_help="Say everything that is wrong with the rule and content files.")
@pass_site
def check(site: Site) -> None:
    """Say everything that is wrong with the rule and content files.

    Each finding names its file and line, what stands there, and what may stand there. Nothing is changed, and
    nothing is published. Ends with 1 where there is an error; warnings alone are well.
    """
    started = time.perf_counter()
    problems = Problems()
    draft = site.read_draft(problems)
    rule_set = load_files(draft.files, site.settings, problems)
    seconds = time.perf_counter() - started
    found = problems.list
    show(found, sources_of(site.settings, draft.files), err=False)
    click.echo(f"Checked {_counts(draft, rule_set, site)} in {seconds:.1f} s: {summary(found)}")
    if problems.has_errors:
        raise click.exceptions.Exit(Findings.exit_code)


def _counts(draft: Draft, rule_set: RuleSet | None, site: Site) -> str:
    """How much was checked; where some of it can't be loaded, how much of it can be told apart."""
    if rule_set is not None:
        slots, segments, items = rule_set.slots, rule_set.segments, len(rule_set.library.items)
    else:
        rules = {path: text for path, text in draft.files.items() if path.startswith(_RULES)}
        read = read_definitions(rules, conventions_of(site.settings), Problems())
        slots, segments = read.slots, read.segments
        items = sum(path.count("/") == 2 for path in draft.files if not path.startswith(_RULES))
    rules_count = sum(len(slot.rules) for slot in slots.values())
    return f"{counted(rules_count, 'rule')}, {counted(len(segments), 'segment')}, {counted(items, 'item')}"
