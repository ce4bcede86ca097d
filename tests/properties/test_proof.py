"""What is proved of conditions is true: held against worlds so small that everybody in them can be looked at.

`make trust` looks at as many worlds as the figures in the docs come from; `make test` at fewer.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.events.schema import Schema
from personalize.rules.conditions import Condition, InSegment, Leaf, Not, leaves
from personalize.rules.facts import Facts
from personalize.rules.proof.coverage import able_to_cover, reach_of
from personalize.rules.proof.covering import is_covered
from personalize.rules.proof.laws import laws
from personalize.rules.proof.proof import Cases, Proof, Relation, Verdict, Witness
from tests.properties.conditions import FACTS as ANY_FACTS
from tests.properties.conditions import NOW as SOON
from tests.properties.conditions import fitting_values, leaf
from tests.properties.plain_walk import holds
from tests.properties.small_worlds import COUNTERS, FACTS, ZONE, World, dimensions, make_world, questions_of
from tests.trust.trials import dice, trials

WORLDS = trials(30, 2_000)
#: How many of the true claims have to be found: in few worlds, one in which something is hard to see weighs much.
FOUND = 0.95 if WORLDS >= 2_000 else 0.9

Claim = tuple[Sequence[Condition], Sequence[Condition]]


def claims(world: World) -> Iterator[Claim]:
    """That nobody meets all of some conditions and none of others: what findings and tools ask."""
    for number, rule in enumerate(world.rules):
        yield (rule,), ()
        yield (), (rule,)
        yield (rule,), world.rules[:number]
    one, other = InSegment("s1"), InSegment("s2")
    yield (one,), (other,)
    yield (other,), (one,)
    yield (one, other), ()


def judged(world: World) -> Iterator[tuple[Claim, bool, Witness | Verdict]]:
    """Each claim about a world, whether it is true by looking at everybody, and what the proof says."""
    proof = Proof(world.segments, FACTS, COUNTERS, ZONE)
    cases = proof.among(*world.rules, *map(InSegment, world.segments))
    for holding, failing in claims(world):
        left = world.everybody()
        for condition in holding:
            left &= world.who(condition)
        for condition in failing:
            left &= ~world.who(condition)
        yield (holding, failing), left == 0, cases.witness(*holding, failing=failing)


@pytest.mark.trust(tries=WORLDS)
def test_never_is_only_said_of_what_nobody_meets_and_most_of_that_is_found() -> None:
    """No claim is false, at least 95 % of the true ones are proved (of many), and nearly all others get an example."""
    found: Counter[str] = Counter()
    for seed in dice(WORLDS):
        world = make_world(seed)
        for (holding, failing), is_never, said in judged(world):
            assert is_never or said is not Verdict.NEVER, f"world {seed}: {holding} without {failing}"
            found["true" if is_never else "met"] += 1
            if said is Verdict.NEVER:
                found["proved"] += 1
            elif isinstance(said, Witness):
                found["shown"] += not is_never
                assert_example(said, holding, failing, world)
    assert found["true"] >= WORLDS
    assert found["proved"] >= FOUND * found["true"], found
    assert found["shown"] >= 0.99 * found["met"], found
    print(dict(found))


def assert_example(example: Witness, holding: Sequence[Condition], failing: Sequence[Condition], world: World) -> None:
    """An example meets what it is an example of, by a plain walk that asks no predicate of the package."""
    now = example.now.astimezone(ZONE)
    for condition in holding:
        assert holds(condition, example.values, world.segments, now)
    for condition in failing:
        assert not holds(condition, example.values, world.segments, now)


@pytest.mark.trust
@pytest.mark.planted
def test_a_proof_that_forgets_a_condition_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the rules before a rule for all that stand there but the first."""
    witness = Cases.witness

    def forgetful(cases: Cases, *holding: Condition, failing: Sequence[Condition] = ()) -> Witness | Verdict:
        return witness(cases, *holding, failing=failing[1:])

    monkeypatch.setattr(Cases, "witness", forgetful)
    with pytest.raises((AssertionError, KeyError)):  # an example that says nothing of what it was not asked about
        test_never_is_only_said_of_what_nobody_meets_and_most_of_that_is_found()


def test_relations_are_those_of_the_visitors() -> None:
    told: Counter[Relation | None] = Counter()
    for seed in range(WORLDS, WORLDS + 60):
        world = make_world(seed)
        one, other = world.rules[:2]
        proof = Proof(world.segments, FACTS, COUNTERS, ZONE)
        first, second = (world.everybody() & world.who(each) for each in (one, other))
        said = proof.relation(one, other)
        told[said] += 1
        assert said not in (Relation.EQUAL, Relation.WITHIN) or not first & ~second
        assert said not in (Relation.EQUAL, Relation.CONTAINS) or not second & ~first
        assert said is not Relation.APART or not first & second
        assert proof.covers(one, other) <= (not second & ~first)
    assert {Relation.CONTAINS, Relation.WITHIN, Relation.OVERLAPS, Relation.APART} <= set(told)


def test_every_law_holds_for_whatever_visitors_did() -> None:
    """A proof takes the laws for granted, so they are asked of every history that profiles are projected from."""
    asked = questions_of("did")
    found = tuple(laws(asked, FACTS, COUNTERS))
    assert len(found) > 50
    assert {leaf.fact.name for law in found for leaf in leaves(law)} >= {leaf.fact.name for leaf in asked}
    for values, now in dimensions()["did"].cases:
        for law in found:
            assert holds(law, values, {}, now), (law, values)


def test_what_is_left_out_at_a_glance_would_have_proved_nothing() -> None:
    """Rules and conditions that are not looked at closely have nothing in them to find."""
    glances: Counter[str] = Counter()
    for seed in range(WORLDS):
        world = make_world(seed, wide=seed % 2 == 0)
        proof = Proof(world.segments, FACTS, COUNTERS, ZONE)
        cases = proof.among(*world.rules)
        reaches = [reach_of(rule, world.segments) for rule in world.rules]
        for number, rule in enumerate(world.rules):
            if proof.is_open(rule):
                glances["read once"] += 1
                assert not cases.is_never(rule) and not cases.is_never(failing=[rule])
            elif not cases.is_never(rule):
                earlier = list(zip(world.rules[:number], reaches[:number], strict=True))
                able = able_to_cover(reaches[number], earlier)
                glances["left out"] += len(earlier) - len(able)
                covered = cases.is_never(rule, failing=world.rules[:number])
                glances["covered"] += covered
                assert covers_together(rule, world.rules[:number], proof) is covered, f"world {seed}, rule {number}"
                assert cases.is_never(rule, failing=able) is covered, f"world {seed}, rule {number}"
    assert min(glances.values()) > WORLDS // 6, glances


def covers_together(narrow: Condition, wide: Sequence[Condition], proof: Proof) -> bool:
    """Whether examples find what a proof of all conditions at once finds; those that are named are enough."""
    found = is_covered(narrow, wide, proof)
    if found is not None:
        failing = [wide[place] for place in found]
        assert proof.among(narrow, *failing).is_never(narrow, failing=failing)
    return found is not None


_ASKED = {name: fact for name, fact in ANY_FACTS.items() if name != "c"}
_EVERYBODY = st.fixed_dictionaries({name: fitting_values(fact) for name, fact in _ASKED.items()})


@settings(max_examples=400, deadline=None)
@given(st.lists(leaf().filter(lambda one: one.fact.name in _ASKED), min_size=2, max_size=7), _EVERYBODY)
def test_of_whoever_there_is_never_is_not_said(asked: list[Leaf], somebody: Mapping[str, object]) -> None:
    """Whatever the operators: what is true of somebody, put together, is nothing that nobody meets."""
    met = [one if holds(one, somebody, {}, SOON) else Not(one) for one in asked]
    proof = Proof({}, Facts(Schema()), (), UTC)
    cases = proof.among(*met)
    assert not cases.is_never(*met)
    for number, one in enumerate(met):
        others = met[:number] + met[number + 1 :]
        assert not cases.is_never(*others, failing=[Not(one)])
