"""`personalize describe`: what the rules say, in sentences."""

import asyncio
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import click

from personalize.cli.findings import Failed
from personalize.cli.rules_asked import rule_set_for
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import paragraph, terminal_width
from personalize.problems import did_you_mean, quoted
from personalize.rules.definitions import Rule, Segment, Slot
from personalize.rules.ruleset import RuleSet
from personalize.rules.sentences import Sentences


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--live", is_flag=True, help="Read the rule set that is live instead of the files.")
@click.option(
    "--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@pass_site
def describe(site: Site, names: tuple[str, ...], live: bool, shape: str) -> None:
    """Say in sentences what segments, slots and rules do: who is in a segment, what is shown to whom, and when.

    A NAME is that of a segment, of a slot with its rules, or of a rule, which may be told from another of its name
    by its slot: home-hero/welcome. Without a name everything is described.
    """
    rule_set = asyncio.run(_rule_set(site, live=live))
    chosen = _chosen(names, rule_set)
    sentences = rule_set.sentences()
    if shape == "json":
        click.echo(json.dumps(_as_json(chosen, sentences), indent=2))
    else:
        click.echo("\n\n".join("\n".join(block) for block in _as_text(chosen, sentences, terminal_width())))


async def _rule_set(site: Site, *, live: bool) -> RuleSet:
    if not live:
        return site.checked_draft().rule_set
    async with site.store() as store:
        return await rule_set_for(site, store, live=True)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is described: segments, and slots with those of their rules that were asked for; `whole` ones were
    asked for themselves."""

    segments: Sequence[Segment]
    slots: Sequence[tuple[Slot, Sequence[Rule]]]
    whole: Collection[str]


def _chosen(names: Sequence[str], rule_set: RuleSet) -> _Chosen:
    if not names:
        slots = [(slot, slot.rules) for slot in rule_set.slots.values()]
        return _Chosen(tuple(rule_set.segments.values()), slots, tuple(rule_set.slots))
    known = set(_names(rule_set))
    for name in names:
        if name not in known:
            hint = did_you_mean(name, sorted(known)) or "personalize describe, without a name, describes everything"
            raise Failed(f"there is no segment, slot or rule {quoted(name)}; {hint}")
    rules = [
        (slot, [rule for rule in slot.rules if {slot.slot_id, rule.rule_id, _path(slot, rule)}.intersection(names)])
        for slot in rule_set.slots.values()
    ]
    segments = [segment for segment in rule_set.segments.values() if segment.segment_id in names]
    return _Chosen(segments, [(slot, asked) for slot, asked in rules if asked or slot.slot_id in names], names)


def _names(rule_set: RuleSet) -> Iterator[str]:
    yield from rule_set.segments
    for slot in rule_set.slots.values():
        yield slot.slot_id
        for rule in slot.rules:
            yield from (rule.rule_id, _path(slot, rule))


def _path(slot: Slot, rule: Rule) -> str:
    return f"{slot.slot_id}/{rule.rule_id}"


def _as_text(chosen: _Chosen, sentences: Sentences, width: int) -> Iterator[list[str]]:
    """A block of lines for the segments, and one for each slot."""
    if chosen.segments:
        yield [
            paragraph(f"{one.segment_id}: {sentences.segment(one)}", rest="  ", width=width) for one in chosen.segments
        ]
    for slot, rules in chosen.slots:
        lines = [paragraph(f"{slot.slot_id}: {sentences.slot(slot)}", rest="  ", width=width)]
        for number, rule in enumerate(slot.rules, start=1):
            if rule in rules:
                text = f"{rule.rule_id}: {sentences.rule(rule, slot)}"
                lines.append(paragraph(text, first=f"{number:>3}  ", rest=" " * 7, width=width))
        if slot.slot_id in chosen.whole:
            lines.append(f"     {sentences.otherwise(slot)}")
        yield lines


def _as_json(chosen: _Chosen, sentences: Sentences) -> dict[str, object]:
    return {
        "segments": [{"segment": one.segment_id, "sentence": sentences.segment(one)} for one in chosen.segments],
        "slots": [
            {
                "slot": slot.slot_id,
                "sentence": sentences.slot(slot),
                "rules": [{"rule": rule.rule_id, "sentence": sentences.rule(rule, slot)} for rule in rules],
                "otherwise": sentences.otherwise(slot),
            }
            for slot, rules in chosen.slots
        ],
    }
