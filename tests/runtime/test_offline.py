"""Stored visitors and personas, away from any request."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from personalize.problems import Problems
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import read_draft
from personalize.runtime.offline import persona_context
from personalize.runtime.publish import checked
from tests.desk import RULES, desk_settings, write_desk

PERSONAS = """
personas:
  reader: {given: {visit.source: newsletter, page.language: nb}}
  buyer: {given: {purchase.count: 3}}
  forgotten: {given: {visitor.known: false, page.language: nb}}
"""


@pytest.mark.parametrize(("persona_id", "is_known"), [("reader", False), ("buyer", True), ("forgotten", False)])
def test_a_persona_is_known_where_a_profile_would_have_to_tell_what_is_given(
    persona_id: str, is_known: bool, tmp_path: Path
) -> None:
    write_desk(tmp_path, rules=RULES + PERSONAS)
    settings = desk_settings(tmp_path)
    rule_set = checked(read_draft(settings, Problems()), settings)
    context = persona_context(rule_set.personas[persona_id], rule_set, settings, now=SystemClock().now())
    assert (context.profile is not None) is is_known


ANY_VALUES = """
attributes: {family: {type: any}, app: {type: version}}
segments:
  old-father: {who: {profile.family.father.age: {more_than: 65}}}
  new-app: {who: {profile.app: {at_least: 2.10}}}
personas:
  whole: {given: {profile.family: {father: {age: 70}}, profile.app: 2.11}}
  part: {given: {profile.family.father.age: 66, profile.app: 2.9}}
  both: {given: {profile.family: {father: {age: 70}}, profile.family.father.age: 60}}
"""


@pytest.mark.parametrize(
    ("persona_id", "members"), [("whole", ["old-father", "new-app"]), ("part", ["old-father"]), ("both", [])]
)
def test_a_persona_is_given_values_of_any_type_whole_or_in_part(
    persona_id: str, members: list[str], tmp_path: Path
) -> None:
    write_desk(tmp_path, rules=RULES)
    (tmp_path / "rules" / "more.yaml").write_text(ANY_VALUES, encoding="utf-8")
    settings = desk_settings(tmp_path)
    rule_set = checked(read_draft(settings, Problems()), settings)
    context = persona_context(rule_set.personas[persona_id], rule_set, settings, now=SystemClock().now())
    answers = rule_set.index.answers(rule_set.index.reach((), ["old-father", "new-app"]), context, context.now)
    assert [one for one in ("old-father", "new-app") if answers.in_segment(one)] == members


def test_a_persona_is_given_a_time_zone_of_its_own(tmp_path: Path) -> None:
    rules = RULES.replace("attributes:\n", "attributes:\n  clock: {type: text, zone: true}\n")
    rules += "      - {id: late, to: {now.hour: 1}, show: things/season}\n"
    write_desk(
        tmp_path, rules=rules + "personas: {far: {given: {profile.clock: Pacific/Auckland}}, near: {given: {}}}\n"
    )
    settings = desk_settings(tmp_path)
    rule_set = checked(read_draft(settings, Problems()), settings)
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    hours = [persona_context(one, rule_set, settings, now=noon)["now.hour"] for one in rule_set.personas.values()]
    assert hours == [1, 12]
