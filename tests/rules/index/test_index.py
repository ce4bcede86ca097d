"""The index: what it covers, and what it makes of conditions that are wide, empty or contradict themselves."""

from datetime import UTC, datetime

from personalize.rules.conditions import EVERYONE, All, Any, InSegment, Leaf, Not
from personalize.rules.facts import Fact, FactType
from personalize.rules.index.index import Index
from personalize.rules.operators import OPERATORS
from personalize.rules.unanswerable import Unanswerable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def asks(name: str, argument: object, word: str = "is", type_: FactType = FactType.TEXT) -> Leaf:
    return Leaf(Fact(name, "profile", name, type_), OPERATORS[word], word, argument)


def names(index: Index, *rule_ids: str) -> set[str]:
    return set(index.reach(rule_ids).fact_names)


def test_a_reach_covers_the_facts_of_its_conditions_and_of_their_segments_and_no_others() -> None:
    index = Index(
        {"one": asks("a", "x"), "two": Not(InSegment("outer")), "everyone": EVERYONE},
        {"outer": Any((InSegment("inner"), asks("b", "x"))), "inner": asks("c", "x"), "beside": asks("d", "x")},
    )
    assert names(index, "one") == {"a"}
    assert names(index, "two") == {"b", "c"}
    assert names(index, "one", "two") == {"a", "b", "c"}
    assert names(index, "everyone") == set()
    assert set(index.reach((), ["beside"]).fact_names) == {"d"}


def test_only_facts_that_are_covered_are_asked_for() -> None:
    class Asked(dict[str, object]):
        def __missing__(self, name: str) -> object:
            self[name] = None
            return None

    index = Index({"one": asks("a", "x"), "two": InSegment("s")}, {"s": asks("b", "x"), "t": asks("c", "x")})
    values = Asked()
    index.answers(index.reach(["two"]), values, NOW)
    assert set(values) == {"b"}


def test_a_question_inside_a_contradiction_can_still_be_asked() -> None:
    question = asks("a", "x")
    index = Index({"never": All((question, Not(question)))}, {})
    answers = index.answers(index.reach(["never"]), {"a": "x"}, NOW)
    assert not answers.holds("never")
    assert answers.walk(question) and not answers.walk(Not(question))


def test_a_wide_condition_asks_its_questions_of_a_coarser_form() -> None:
    groups = tuple(Any(tuple(asks(f"{letter}{number}", "x") for number in range(3))) for letter in "abc")
    index = Index({"wide": All(groups)}, {})
    reach = index.reach(["wide"])
    missing = dict.fromkeys(reach.fact_names)
    assert not index.answers(reach, missing, NOW).holds("wide")
    assert index.answers(reach, {**missing, "a0": "x", "b1": "x", "c2": "x"}, NOW).holds("wide")
    assert not index.answers(reach, {**missing, "a0": "x", "b1": "x", "c2": "y"}, NOW).holds("wide")


def test_a_fact_that_nobody_can_tell_silences_every_rule_that_reads_it_through_segments_too() -> None:
    rules = {
        "not": Not(asks("a", "x")),
        "not in": Not(InSegment("outer")),
        "beside": Any((asks("a", "x"), asks("b", "x"))),
        "never": Not(InSegment("contradiction")),
        "other": Not(asks("b", "y")),
    }
    contradiction = All((asks("a", "x"), Not(asks("a", "x"))))
    segments = {"outer": Not(InSegment("inner")), "inner": asks("a", "x"), "contradiction": contradiction}
    index = Index(rules, segments)
    reach = index.reach(rules, segments)
    for known in ("x", None, "x"):
        answers = index.answers(reach, {"a": known, "b": "x"}, NOW)
        assert answers.holds("beside") and answers.holds("never")
        for why in Unanswerable:
            answers = index.answers(reach, {"a": why, "b": "x"}, NOW)
            assert list(answers.matching(index.row(rules))) == ["other"]
            assert not any(answers.in_segment(segment_id) for segment_id in segments)


def test_an_index_of_nothing_answers_nothing() -> None:
    index = Index({"everyone": EVERYONE, "nobody": Any(())}, {})
    answers = index.answers(index.reach(["everyone", "nobody"]), {}, NOW)
    assert answers.holds("everyone") and not answers.holds("nobody")


def test_one_and_true_and_a_text_of_one_are_never_taken_for_one_another() -> None:
    """A memory by value alone would, for 1 == True == Decimal(1)."""
    index = Index({"one": asks("n", 1, type_=FactType.NUMBER), "some": asks("n", 0, "at_least", FactType.NUMBER)}, {})
    reach = index.reach(["one", "some"])
    for _ in range(2):
        found = [index.answers(reach, {"n": value}, NOW) for value in (1, True, "1", 1.0, False, 0)]
        assert [answers.holds("one") for answers in found] == [True, False, False, True, False, False]
        assert [answers.holds("some") for answers in found] == [True, False, True, True, False, True]


def test_a_thousand_segments_in_a_row_are_no_deeper_than_one() -> None:
    segments = {f"s{number}": InSegment(f"s{number - 1}") for number in range(5000, 0, -1)}
    index = Index({"last": Not(InSegment("s5000"))}, {**segments, "s0": asks("a", "x")})
    reach = index.reach(["last"])
    assert not index.answers(reach, {"a": "x"}, NOW).holds("last")
    assert index.answers(reach, {"a": None}, NOW).holds("last")
