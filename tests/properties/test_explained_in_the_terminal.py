"""What `explain` prints is what the page decides, and what it says would show something else does show it."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.cli.main import main
from personalize.decisions.context import RequestFacts
from personalize.decisions.decide import decide
from personalize.problems import Problems
from personalize.rules.ruleset import RuleSet
from personalize.runtime.draft import Draft, load_files, read_draft
from personalize.runtime.offline import persona_context
from personalize.settings import Settings, load_settings
from tests.desk import write_desk
from tests.properties.test_one_answer import PATHS, PERSONAS, SHOWN, rule_files
from tests.trust.trials import trials

EXAMPLES = trials(12, 2_000)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A site in the working directory; its rules are those of each example."""
    folder: Path = tmp_path_factory.mktemp("desk")
    write_desk(folder)
    (folder / "personalize.toml").write_text('zone = "Europe/Oslo"\n')
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def loaded(rules: str, own: Settings) -> RuleSet:
    files = {path: text for path, text in read_draft(own, Problems()).files.items() if not path.startswith("rules/")}
    problems = Problems()
    rule_set = load_files(Draft({**files, "rules/all.yaml": rules}).files, own, problems)
    assert rule_set is not None, problems.list
    return rule_set


def shown(rule_set: RuleSet, own: Settings, asked: dict[str, Any]) -> dict[str, Any]:
    """What the page shows in each slot, decided as it is when nobody asks why."""
    facts = RequestFacts(path=asked["path"], language=asked["language"])
    context = persona_context(rule_set.personas[asked["persona"]], rule_set, own, now=asked["at"], facts=facts)
    return {slot_id: decide(rule_set.pages[slot_id], context, rule_set)[slot_id] for slot_id in SHOWN}


def explained(slot_id: str, asked: dict[str, Any]) -> dict[str, Any]:
    options = ("--at", asked["at"].isoformat(), "--path", asked["path"], "--language", asked["language"])
    arguments = ["explain", "--slot", slot_id, "--visitor", asked["persona"], *options, "--format", "json"]
    result = CliRunner(catch_exceptions=False).invoke(main, arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


ASKED = st.fixed_dictionaries(
    {
        "persona": st.sampled_from(sorted(PERSONAS)),
        "path": st.sampled_from(PATHS),
        "language": st.sampled_from(["nb", "en"]),
        "at": st.integers(0, 24 * 45).map(lambda hours: NOON + timedelta(hours=hours)),
    }
)


@pytest.mark.trust(tries=EXAMPLES)
@settings(max_examples=EXAMPLES)
@given(rule_files(), ASKED, st.sampled_from(sorted(SHOWN)))
def test_the_terminal_says_what_the_page_decides(desk: Path, rules: str, asked: dict[str, Any], slot_id: str) -> None:
    for path in (desk / "rules").glob("*.yaml"):
        path.unlink()
    (desk / "rules" / "all.yaml").write_text(rules)
    own = load_settings(desk / "personalize.toml", {})
    rule_set = loaded(rules, own)
    decision = shown(rule_set, own, asked)[slot_id]
    found = explained(slot_id, asked)
    assert (found["items"], found["rule"], found["reason"]) == (
        list(decision.item_ids),
        decision.rule_id,
        decision.reason,
    )
    gave = [item_id for rule in found["rules"] if rule["result"] == "shows" for item_id in rule["item_ids"]]
    assert gave == (found["items"] if found["reason"] == "rule" else [])
    for way in found["instead"]:
        assert not set(way["item_ids"]) & set(found["items"])
        if way["move_before"] is not None:
            after = shown(loaded(moved(rules, slot_id, way["rule_id"], way["move_before"]), own), own, asked)
            assert set(way["item_ids"]) & set(after[slot_id].item_ids)


def moved(rules: str, slot_id: str, rule_id: str, before: str) -> str:
    """The rule file with one rule moved before another."""
    lines = rules.splitlines()
    number = next(at for at, line in enumerate(lines) if line.startswith("slots: "))
    slots = json.loads(lines[number].removeprefix("slots: "))
    ordered = slots[slot_id]["rules"]
    rule = next(one for one in ordered if one["id"] == rule_id)
    ordered.remove(rule)
    ordered.insert([one["id"] for one in ordered].index(before), rule)
    lines[number] = f"slots: {json.dumps(slots)}"
    return "\n".join(lines) + "\n"
