"""One fact in the index: what its values are asked, what is remembered of them, and how much of that at most."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from personalize.events.event import to_micros
from personalize.rules.conditions import Leaf
from personalize.rules.equality import Listed
from personalize.rules.facts import NOW_INSTANT, Fact, FactType
from personalize.rules.index import fact_index
from personalize.rules.index.fact_index import LONGEST_REMEMBERED, MOST_REMEMBERED, FactIndex, Reading
from personalize.rules.operators import HAPPENED, IN_WINDOW, OPERATORS, Operator
from personalize.rules.predicates import Predicate
from personalize.rules.times import Times
from personalize.rules.unanswerable import Dependents
from personalize.rules.window import Window

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIST_OF_ANY = Fact("f", "profile", "f", FactType.ANY, many=True)


def asks(word: str, argument: object, type_: FactType = FactType.NUMBER, fold: bool = False) -> Leaf:
    operator = HAPPENED if word == "did" else OPERATORS[word]
    return Leaf(Fact("f", "profile", "f", type_), operator, word, argument, fold)


def indexed(leaves: Sequence[Leaf]) -> FactIndex:
    """The index of these questions; the conjunction of bit i wants a yes to the i-th."""
    fact = FactIndex(leaves[0].fact, Dependents())
    for bit, leaf in enumerate(leaves):
        fact.note(fact.number(leaf), bit, wanted=True)
    fact.finish((1 << len(leaves)) - 1)
    return fact


def read(fact: FactIndex, value: object, now: datetime = NOW) -> Reading:
    return fact.read(value, now, to_micros(now))


def counting(leaf: Leaf, asked: list[object]) -> Leaf:
    """The same question, which notes each value that its predicate is asked of."""
    meant: Predicate = leaf.operator.holds

    def holds(element: object, argument: object, now: datetime) -> bool:
        asked.append(element)
        return meant(element, argument, now)

    operator = leaf.operator
    counted = Operator(
        operator.word,
        operator.types,
        operator.read,
        holds,
        operator.phrase,
        operator.denied,
        uses_now=operator.uses_now,
        cuts=operator.cuts,
    )
    return Leaf(leaf.fact, counted, leaf.word, leaf.argument, leaf.fold)


def denied(operator: Operator) -> Predicate:
    """The opposite of what it means."""
    return lambda element, argument, now: not operator.holds(element, argument, now)


def test_a_stretch_of_numbers_is_asked_about_once() -> None:
    asked: list[object] = []
    fact = indexed([counting(asks("at_least", 10), asked)])
    assert [read(fact, number).kept for number in (3, 9, -5, 10, 11, 10_000)] == [0, 0, 0, 1, 1, 1]
    assert asked == [3, 10]


def test_a_new_stretch_asks_only_what_can_change_on_the_way_there() -> None:
    asked: list[object] = []
    fact = indexed([asks("at_least", 10), counting(asks("at_least", 20), asked), asks("at_least", 30)])
    for number in (5, 15, 25, 35):
        read(fact, number)
    assert asked == [5, 25]


def test_ages_and_counters_are_asked_about_by_stretch_whatever_the_moment() -> None:
    asked: list[object] = []
    older = counting(asks("older_than", timedelta(days=30), FactType.TIME), asked)
    fact = indexed([older])
    for days in range(100):
        later = NOW + timedelta(days=days)
        assert read(fact, NOW, later).kept == (days > 30)
    assert len(asked) == 2
    asked.clear()
    did = counting(asks("did", Times(2, timedelta(days=30)), FactType.TIMES), asked)
    fact = indexed([did])
    for days in range(100):
        later = NOW + timedelta(days=days)
        times = (to_micros(NOW), to_micros(NOW + timedelta(days=1)))
        assert read(fact, times, later).kept == (days <= 30)
        assert not read(fact, times[:1], later).kept and not read(fact, (), later).kept
    assert asked == [(), times]


def test_a_time_window_is_asked_about_once_a_minute_of_each_clock() -> None:
    asked: list[object] = []
    oslo = ZoneInfo("Europe/Oslo")
    hours = Window(None, hours=(timedelta(hours=13), timedelta(hours=14)))
    window = Leaf(NOW_INSTANT, IN_WINDOW, IN_WINDOW.word, hours)
    fact = indexed([counting(window, asked)])
    for second in range(59):
        moment = NOW + timedelta(seconds=second, microseconds=7)
        assert not read(fact, moment, moment).kept
        assert read(fact, moment.astimezone(oslo), moment).kept
    assert len(asked) == 2
    later = NOW + timedelta(hours=1)
    assert read(fact, later, later).kept and not read(fact, later.astimezone(oslo), later).kept
    by_seconds = Window(UTC, from_at=NOW + timedelta(seconds=30))
    fact = indexed([Leaf(NOW_INSTANT, IN_WINDOW, IN_WINDOW.word, by_seconds)])
    for second in range(60):
        moment = NOW + timedelta(seconds=second)
        assert bool(read(fact, moment, moment).kept) is (second >= 30)


def test_what_declares_no_cuts_is_asked_of_each_value_once() -> None:
    asked: list[object] = []
    fact = indexed([counting(asks("contains", ("x",), FactType.TEXT), asked), asks("is", "ax", FactType.TEXT)])
    assert [read(fact, text).kept for text in ("ax", "bx", "ax", "b", ["b", "bx"])] == [0b11, 0b01, 0b11, 0, 0b01]
    assert asked == ["ax", "bx", "b"]


def test_what_declares_no_cuts_and_looks_at_the_clock_is_asked_each_time() -> None:
    asked: list[object] = []
    older = counting(asks("older_than", timedelta(days=30), FactType.TIME), asked)
    unplaced = Operator("old", older.operator.types, older.operator.read, older.operator.holds, "", "", uses_now=True)
    fact = indexed([Leaf(older.fact, unplaced, "old", older.argument)])
    assert [read(fact, NOW, NOW + timedelta(days=days)).kept for days in (0, 31, 0)] == [0, 1, 0]
    assert len(asked) == 3


def test_a_list_is_asked_as_a_whole_only_where_a_list_was_written() -> None:
    asked: list[object] = []
    plain = counting(asks("one_of", Listed(["x", "y"]), FactType.TEXT), asked)
    fact = indexed([plain])
    assert read(fact, ["a", "x"]).kept and not read(fact, ["a", "b"]).kept
    assert not any(isinstance(one, list) for one in asked)
    fact = indexed([asks("one_of", Listed([["a", "b"], "z"]), FactType.ANY)])
    assert read(fact, ["a", "b"]).kept and read(fact, ["z", "c"]).kept and not read(fact, ["b", "a"]).kept


def test_a_large_set_is_looked_up_and_not_cut_into_stretches() -> None:
    many = OPERATORS["one_of"].cuts
    assert many is not None
    assert many(range(1001)) is None and many(range(1000)) is not None


@pytest.mark.parametrize("beginning", ["a", "ab", "\U0010ffff", "a\U0010ffff", "\ud7ff"])
def test_what_begins_so_lies_between_two_cuts(beginning: str) -> None:
    fact = indexed([asks("starts_with", (beginning,), FactType.TEXT)])
    for text in ("", "a", "b", "ab", "ac", beginning, beginning + "x", beginning + "\U0010ffff" * 2, "\ue000", "b\0"):
        assert bool(read(fact, text).kept) is text.startswith(beginning)


def test_what_is_remembered_has_a_bound() -> None:
    fact = indexed([asks("is", "5", FactType.TEXT)])
    for number in range(MOST_REMEMBERED * 2 + 10):
        assert bool(read(fact, str(number)).kept) is (number == 5)
        assert len(fact.memories[str]) <= MOST_REMEMBERED
    assert len(fact.memories[str]) > 0


def test_masks_have_a_bound_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_index, "FEWEST_MASKS", 3)
    monkeypatch.setattr(fact_index, "MOST_MASK_BYTES", 3)
    fact = indexed([asks("is", str(number), FactType.TEXT) for number in range(20)])
    for first in range(20):
        for second in range(20):
            assert read(fact, [str(first), str(second)]).kept == 1 << first | 1 << second
            assert len(fact._readings) <= 3


def test_long_texts_are_answered_and_not_remembered() -> None:
    long = "x" * (LONGEST_REMEMBERED + 1)
    fact = indexed([asks("is", long, FactType.TEXT)])
    assert read(fact, long).kept
    assert not read(fact, long + "x").kept
    assert set(fact.memories[str]) == {None}


def test_no_number_of_another_class_is_taken_for_one_on_the_scale() -> None:
    """They are asked about, for nothing is known of how they compare."""

    class Shoe(int):
        pass

    fact = indexed([asks("at_least", 40), asks("less_than", 40)])
    assert [read(fact, Shoe(size)).kept for size in (39, 41, 39)] == [0b10, 0b01, 0b10]


def test_a_minute_that_the_visitors_clock_shows_twice_is_asked_twice() -> None:
    window = Window(zone=None, from_at=datetime(2026, 11, 1, 1, 30))
    fact = indexed([Leaf(NOW_INSTANT, IN_WINDOW, IN_WINDOW.word, window)])
    first, second = (
        datetime(2026, 11, 1, hour, 10, tzinfo=UTC).astimezone(ZoneInfo("America/New_York")) for hour in (5, 6)
    )
    assert first.time() == second.time()
    for _ in range(2):
        assert not read(fact, first).kept
        assert read(fact, second).kept


def test_a_list_is_not_what_its_elements_are() -> None:
    fact = indexed([replace(asks("type", ("text",), FactType.ANY), fact=LIST_OF_ANY)])
    for _ in range(2):
        assert not read(fact, ["a", "b"]).kept and read(fact, "a").kept


def test_what_a_counter_says_of_times_that_it_does_not_hold_is_asked_of_nothing_at_all() -> None:
    unlike_did = Operator("not did", HAPPENED.types, HAPPENED.read, denied(HAPPENED), "", "", cuts=HAPPENED.cuts)
    never = [
        Leaf(asks("did", None, FactType.TIMES).fact, unlike_did, "not did", Times(count, None)) for count in (1, 3)
    ]
    fact = indexed(never)
    for _ in range(2):
        assert [read(fact, (to_micros(NOW),) * have).kept for have in range(5)] == [0b11, 0b10, 0b10, 0, 0]
