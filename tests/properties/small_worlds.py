"""Worlds so small that everybody in them can be looked at: a few facts, each with all values that matter.

A world is what brute force can go through: every mixture of the values of some dimensions, as the bits of one
integer. The meaning of questions is that of `plain_walk`, which knows nothing of the package's own evaluator. What
visitors did is not made up: it is projected from every short history, by what projects the site's events.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from itertools import combinations, combinations_with_replacement, permutations, product
from random import Random
from zoneinfo import ZoneInfo

from personalize.decisions.context import RequestFacts, make_context
from personalize.events.event import Event
from personalize.events.schema import DEFAULT_PURPOSE, Attribute, EventType, Schema, Shape, ValueType
from personalize.profiles.counters import Counter
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.rules.beside import BESIDE, Beside, pair_fact, pairs
from personalize.rules.casts import Cast
from personalize.rules.conditions import EVERYONE, All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.days import Days, read_days
from personalize.rules.equality import Listed
from personalize.rules.facts import NOW_INSTANT, Fact, Facts, FactType, counter_fact
from personalize.rules.filters import HOW_MANY, Filter
from personalize.rules.ground import Ground
from personalize.rules.id_lists import NamedList
from personalize.rules.networks import networks
from personalize.rules.now_facts import now_value
from personalize.rules.operators import HAPPENED, IN_WINDOW, OPERATORS, Operator
from personalize.rules.patterns import expression, like
from personalize.rules.times import Times
from personalize.rules.window import Window
from personalize.versions import parse_version, parse_version_range
from personalize.visitors.consent import granting
from personalize.visitors.identity import Identity
from tests.properties.plain_walk import leaf_holds

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Oslo")
_DAY, _TICK = timedelta(days=1), timedelta(microseconds=1)
_WINDOWS = [5 * _DAY, 30 * _DAY, 60 * _DAY]

_CHOICE = Shape(ValueType.CHOICE, choices=("basic", "silver", "gold"))
SCHEMA = Schema(
    attributes={
        name: Attribute(name, shape)
        for name, shape in {
            "member": Shape(ValueType.BOOL),
            "tier": _CHOICE,
            "points": Shape(ValueType.NUMBER),
            "likes": Shape(ValueType.LIST, of=Shape(ValueType.CHOICE, choices=("a", "b", "c"))),
            "words": Shape(ValueType.LIST, of=Shape(ValueType.TEXT)),
            "word": Shape(ValueType.TEXT),
            "born": Shape(ValueType.DATE),
            "called": Shape(ValueType.TIME),
            "seen": Shape(ValueType.DATE),
            "joined": Shape(ValueType.DATE),
            "met": Shape(ValueType.TIME),
            "owed": Shape(ValueType.NUMBER),
            "paid": Shape(ValueType.NUMBER),
            **{name: Shape(ValueType.MONEY) for name in ("deposit", "price", "limit")},
            **{name: Shape(ValueType.DATE) for name in ("booked", "begun", "ended")},
            **{name: Shape(ValueType.TIME) for name in ("ordered", "sent", "returned")},
            "hired": Shape(ValueType.DATE),
            "moved": Shape(ValueType.DATE),
            "home": Shape(ValueType.TEXT),
            "town": Shape(ValueType.TEXT),
            "app": Shape(ValueType.VERSION),
            "stuff": Shape(ValueType.ANY),
            "address": Shape(ValueType.TEXT),
        }.items()
    },
    events={
        "purchase": EventType(
            "purchase", {"amount": Shape(ValueType.MONEY), "gift": Shape(ValueType.BOOL)}, value="amount"
        )
    },
)
FACTS = Facts(SCHEMA)


def fact(name: str) -> Fact:
    """A fact of the small site."""
    found = FACTS.get(name)
    assert found is not None, name
    return found


def question(name: str, word: str, argument: object) -> Leaf:
    """A question about a fact of the small site."""
    return Leaf(fact(name), OPERATORS[word], word, argument, fact(name).fold)


# What visitors did ---------------------------------------------------------------------------------------

_GIFTS = Filter(question("profile.member", "is", True))
_ALL_KEY, _SOME_KEY = Filter(EVERYONE).counter_key("purchase"), "gifts"
COUNTERS = (
    Counter(_ALL_KEY, "purchase", 3, lambda properties: True),
    Counter(_SOME_KEY, "purchase", 3, lambda properties: properties.get("gift") is True),
)
BOUGHT = counter_fact(_ALL_KEY, "purchase", DEFAULT_PURPOSE, "purchase")
GAVE = counter_fact(_SOME_KEY, "purchase", DEFAULT_PURPOSE, "purchase where gift")
_DID = [fact(f"purchase.{key}") for key in ("count", "total", "first", "last")]
_DID += [BOUGHT, GAVE, fact("visitor.known"), fact("visitor.new"), fact("visitor.visits"), fact("visitor.state")]
_CATALOGUE = {one.name: one for one in _DID}


_USUAL = Lifecycle()
#: A site may say that a visit goes on for so long; then what was bought long ago was bought in the first visit.
_ONE_LONG_VISIT = Lifecycle(visit_ends_after=365 * _DAY)


def _of_history(
    history: Sequence[tuple[timedelta, bool, int]] | None,
    seen: int = 0,
    *,
    on_page: bool = False,
    lifecycle: Lifecycle = _USUAL,
) -> Mapping[str, object]:
    """What is known of somebody who bought so long ago, perhaps as a gift, for so much, and was seen so often.

    None is somebody of whom nothing is stored; `on_page` is somebody who asks for a page now.
    """
    projector = ProfileProjector(SCHEMA, COUNTERS, lifecycle)
    events = [("page_view", NOW - (seen - number) * 35 * _DAY, {}) for number in range(seen)]
    events += [("purchase", NOW - age, {"amount": amount, "gift": gift}) for age, gift, amount in history or ()]
    profile = None if history is None else Profile("u:1")
    for number, (type_, at, properties) in enumerate(events):
        assert profile is not None
        event = Event(str(number), "t", type_, "u:1", at, at, properties)
        profile = projector.project(event, {"u:1": profile})["u:1"]
    context = make_context(
        Ground(_CATALOGUE, ZONE),
        lifecycle,
        identity=Identity(profile_id="u:1", consent=granting([DEFAULT_PURPOSE])),
        profile=profile,
        facts=RequestFacts() if on_page else None,
        now=NOW,
    )
    return {name: context[name] for name in _CATALOGUE}


def _histories() -> list[Mapping[str, object]]:
    """Somebody unknown, whoever bought at most three times, at different prices, and whoever only looked."""
    ages = [_DAY, 10 * _DAY, 40 * _DAY, 100 * _DAY]
    bought = [
        [(age, gift, amount) for age, gift in one]
        for size in range(4)
        for one in combinations_with_replacement(list(product(ages, (False, True))), size)
        for amount in ((-1, 0, 1) if size == 1 else (-1, 1))
    ]
    bought += [[(age, gift, 1)] * 4 for age in ages for gift in (False, True)]
    made = [_of_history(one, on_page=on_page) for one in bought for on_page in (False, True)]
    made += [_of_history(one, on_page=True, lifecycle=_ONE_LONG_VISIT) for one in bought]
    made += [_of_history([(_DAY, False, 1)] * count, seen) for count in (0, 1) for seen in range(4)]
    made += [_of_history([(_DAY, False, 1)] * count, seen, on_page=True) for count in (0, 1) for seen in range(4)]
    distinct = {repr(one): one for one in (_of_history(None), _of_history(None, on_page=True), *made)}
    return list(distinct.values())


# The dimensions ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dimension:
    """Facts that are known together: each case gives all of them their values, at a moment."""

    facts: Sequence[Fact]
    cases: Sequence[tuple[Mapping[str, object], datetime]]


def _alone(name: str, values: Sequence[object]) -> Dimension:
    return Dimension([fact(name)], [({name: value}, NOW) for value in (None, *values)])


def _subsets(values: Sequence[object]) -> list[object]:
    return [list(one) for size in range(1, len(values) + 1) for one in combinations(values, size)]


def _repeated() -> list[object]:
    return [[one] * size for one in ("a", "b", "ab", "az", "zb", "z") for size in (2, 3, 4)]


def _texts() -> list[object]:
    return ["".join(letters) for size in range(6) for letters in product("abz", repeat=size)]


def _versions() -> list[object]:
    """Versions around those that are asked for, with what comes before a release, in several spellings."""
    releases = [f"{major}.{minor}.{patch}" for major in range(4) for minor in range(4) for patch in (0, 1)]
    before = [f"{release}-{word}" for release in releases for word in ("0", "beta", "beta.0", "beta.1", "rc")]
    return [*releases, *before, "2", "v1.0", "4", "0.0.0-0"]


def _addresses() -> list[object]:
    ends = ["10.0.0.0", "10.0.0.255", "10.0.1.0", "10.0.255.255", "10.1.0.0", "10.255.255.255", "11.0.0.0", "9.9.9.9"]
    newer = ["2001:db8::", "2001:db8::1", "2001:db8:0:ffff::", "2001:db8:1::", "2001:db9::", "::", "::1"]
    return [*ends, *newer, *(f"::ffff:{one}" for one in ends), "::FFFF:10.0.0.0", "nowhere", "10.0.0", "10.0.0.7"]


def _stuff() -> list[object]:
    """Values of every type, and lists of up to three of them."""
    numbers: list[object] = [1, 2, 3, *(Decimal(number) / 2 for number in (1, 3, 5, 7))]
    values = [*numbers, *map(str, numbers), "a", "b", True, False, {}]
    return [*values, [], *([*one] for size in (1, 2, 3) for one in combinations(values, size))]


_AMOUNTS = ("profile.deposit", "profile.price", "profile.limit")
_STEPS = ("profile.ordered", "profile.sent", "profile.returned")
_DAYS = ("profile.booked", "profile.begun", "profile.ended")
_OF_THREE = ("price", "sent", "booked")
_HALVES = [Decimal(number) / 2 for number in range(-14, 30)]


def _beside(values: Sequence[object], *names: str) -> Dimension:
    """Some facts, and what is asked of each two of them, either way round."""
    both = {two: pair_fact(fact(two[0]), Beside(fact(two[1]))) for two in permutations(names, 2)}
    cases = []
    for chosen in product([None, *values], repeat=len(names)):
        told = dict(zip(names, chosen, strict=True))
        told |= {pair.name: pairs(told[one], told[other], fold=False) for (one, other), pair in both.items()}
        cases.append((told, NOW))
    return Dimension([*map(fact, names), *both.values()], cases)


def _days_of_a_week() -> list[tuple[Mapping[str, object], datetime]]:
    """Days around each day of a week, as seen from there."""
    week = [NOW + step * _DAY for step in range(7)]
    near = [({"profile.seen": now.date() + step * _DAY}, now) for now in week for step in range(-15, 16)]
    return [({"profile.seen": None}, NOW), *near]


def _told_apart(name: str, cases: Iterable[tuple[object, datetime]]) -> Dimension:
    """Of all values at all moments one each that some question tells from the others."""
    asked, found = questions_of(name), {}
    for value, now in cases:
        found.setdefault(tuple(leaf_holds(leaf, value, now) for leaf in asked), (value, now))
    one = fact(f"profile.{name}")
    return Dimension([one], [({one.name: value}, now) for value, now in ((None, NOW), *found.values())])


def _days_of_years() -> Iterator[tuple[object, datetime]]:
    """Days around those that questions name, seen from then on, and from around their anniversaries."""
    days = [date(2026, 11, 14) + step * _DAY for step in range(13)]
    near = [date(2026, 11, 1) + step * _DAY for step in range(40)]
    later = [date(year, 11, 8) + step * _DAY for year in range(2027, 2034) for step in range(25)]
    for day, today in product(days, [*near, *later]):
        yield day, datetime.combine(today, time(12), ZONE)


def _moments_of_days() -> Iterator[tuple[object, datetime]]:
    """The begin, the noon and the end of days, seen from the ends of days, and from when so much time has gone by."""
    ends = (time(0), time(12), time.max)
    local = [datetime.combine(date(2026, 11, 13) + step * _DAY, end, ZONE) for step in range(15) for end in ends]
    for moment in local:
        nows = [datetime.combine(moment.date() + step * _DAY, end, ZONE) for step in range(-9, 10) for end in ends]
        turns = [moment + age + tick for age in _WINDOWS for tick in (0 * _TICK, _TICK)]
        yield from ((moment.astimezone(UTC), now) for now in (*nows, *turns))


_NUMBERS = [-1, 0, 1, 2, 3, 4, 5]
_CLOCKS = [time(0), time(7, 30), time(8), time(8, 30), time(12), time(12, 30), time(15), time(18), time(18, 30)]
_CALENDAR = [date(2026, 11, 25) + step * _DAY for step in range(14)]
# Long before and long after: of the months that questions name, and of one more, all days of a week.
_CALENDAR += [date(year, month, day) for year in (2025, 2027) for month in (1, 11, 12) for day in range(1, 8)]
_CLOCK_FACTS = [fact(f"now.{key}") for key in ("weekday", "month", "hour", "date", "time")] + [NOW_INSTANT]


def _moments() -> list[tuple[Mapping[str, object], datetime]]:
    moments = [datetime.combine(day, clock, ZONE).astimezone(UTC) for day in _CALENDAR for clock in _CLOCKS]
    local = [moment.astimezone(ZONE) for moment in moments]
    return [({one.name: now_value(one, moment) for one in _CLOCK_FACTS}, moment) for moment in local]


@cache
def dimensions() -> Mapping[str, Dimension]:
    """All dimensions that a world may have."""
    halves = [Decimal(value) + Decimal("0.5") for value in _NUMBERS]
    return {
        "member": _alone("profile.member", [True, False]),
        "tier": _alone("profile.tier", ["basic", "silver", "gold"]),
        "points": _alone("profile.points", [*_NUMBERS, *halves, *map(str, _NUMBERS), *map(str, halves)]),
        "likes": _alone("profile.likes", [[], *_subsets(["a", "b", "c"]), ["a"] * 2, ["b"] * 2, ["c"] * 4, ["b"] * 3]),
        "words": _alone("profile.words", [[], *_subsets(["a", "b", "ab", "az", "zb", "z"]), *_repeated()]),
        "word": _alone("profile.word", _texts()),
        "born": _alone("profile.born", [date(2026, 1, 1) + step * _DAY for step in range(7)]),
        "called": _alone("profile.called", [NOW - age * _DAY for age in (-3, 0, 5, 6, 30, 31, 60, 61)]),
        "seen": Dimension([fact("profile.seen")], _days_of_a_week()),
        "joined": _told_apart("joined", _days_of_years()),
        "met": _told_apart("met", _moments_of_days()),
        "owed": _beside([*_HALVES, "2", "02", "-1"], "profile.owed", "profile.paid"),
        "hired": _beside([date(2025, 12, 18) + step * _DAY for step in range(36)], "profile.hired", "profile.moved"),
        "home": _beside(["a", "b", "c", "d", "e"], "profile.home", "profile.town"),
        "price": _beside([Decimal(half) / 2 for half in range(-6, 11)], *_AMOUNTS),
        "booked": _beside([date(2026, 1, 1) + step * _DAY for step in range(15)], *_DAYS),
        "sent": _beside([NOW + step * _TICK for step in range(-8, 9)], *_STEPS),
        "app": _alone("profile.app", _versions()),
        "address": _alone("profile.address", _addresses()),
        "stuff": _alone("profile.stuff", _stuff()),
        "did": Dimension(_DID, [(values, NOW) for values in _histories()]),
        "clock": Dimension(_CLOCK_FACTS, _moments()),
    }


# Questions -----------------------------------------------------------------------------------------------

_ORDER = ("at_least", "more_than", "at_most", "less_than")


def _of_values(chance: Random, name: str, values: Sequence[object]) -> Leaf:
    """Whether a fact is one value, or one of two; or whether it is known."""
    word = chance.choice(("is", "is", "one_of", "exists"))
    one_of = Listed(chance.sample(values, min(2, len(values))))
    return question(name, word, {"is": chance.choice(values), "one_of": one_of, "exists": True}[word])


def _of_number(chance: Random, name: str, least: int, most: int) -> Leaf:
    low, high = sorted(chance.choices(range(least, most + 1), k=2))
    if chance.random() < 0.3:
        return chance.choice((question(name, "between", (low, high)), question(name, "is", low)))
    return question(name, chance.choice(_ORDER), low)


def _of_text(chance: Random, name: str, texts: Sequence[str]) -> Leaf:
    word = chance.choice(("starts_with", "ends_with", "contains", "is", "one_of"))
    if word in ("is", "one_of"):
        return _of_values(chance, name, texts)
    return question(name, word, tuple(chance.sample(texts, chance.choice((1, 1, 2)))))


def _of_pattern(chance: Random, name: str) -> Leaf:
    """What has `*` and `?` in it, an expression that says which letters stand where, one of a list of ids."""
    if chance.random() < 0.15:
        return question(name, "in_list", chance.choice(_LISTS))
    if chance.random() < 0.5:
        return question(name, "like", (like(chance.choice(("a*", "*b", "a?", "*a*b*", "??", "?b*", "*ab", "a*a"))),))
    return question(name, "matches", (expression(chance.choice(("^a", "b$", "ab", "^ab$", "^a|b$", "a|b", "^b"))),))


_LISTS = [NamedList(name, name, Listed(ids)) for name, ids in (("few", ["a"]), ("more", ["a", "ab"]), ("none", ["zz"]))]


def _of_version(chance: Random, name: str = "profile.app") -> Leaf:
    asked = fact(name)
    if chance.random() < 0.3:
        found = parse_version_range(chance.choice(("^1.1", "~1.2", "1.*", "2.1.*", "^2.0.0-beta", "~1.2.1")))
        return Leaf(asked, OPERATORS["version_in"], "version_in", (found,), cast=_AS_VERSION)
    version = parse_version(chance.choice(("1", "1.1", "1.2", "1.2.1", "2.0", "2.0.0-beta", "1.2.0-beta", "2.1")))
    word = chance.choice(("version_at_least", "version_more_than", "version_at_most", "version_less_than"))
    return Leaf(asked, OPERATORS[word], word, version, cast=_AS_VERSION)


_AS_VERSION = Cast(FactType.VERSION)


def _of_stuff(chance: Random) -> Leaf:
    """What is asked of a value of any type: each question minds which type it is."""
    if chance.random() < 0.4:
        return _of_number(chance, "profile.stuff", 1, 3)
    if chance.random() < 0.05:
        return question("profile.stuff", "type", (chance.choice(("text", "number", "list")),))
    return _of_values(chance, "profile.stuff", [1, 2, "1", "a", True])


def _of_address(chance: Random) -> Leaf:
    if chance.random() < 0.2:
        return _of_values(chance, "profile.address", ["10.0.0.0", "::1", "nowhere"])
    nets = [
        "10.0.0.0/8",
        "10.0.0.0/16",
        "10.0.0.0/24",
        "10.0.0.0",
        "0.0.0.0/0",
        "2001:db8::/32",
        "2001:db8::/48",
        "::/0",
    ]
    return question("profile.address", "in_network", networks(chance.sample(nets, chance.choice((1, 1, 2)))))


def _of_list(chance: Random, name: str, values: Sequence[str]) -> Leaf:
    """What is asked of a list as a whole, or of how many elements it has."""
    if chance.random() < 0.2:
        return question(name, "one_of", Listed([chance.sample(values, chance.choice((1, 1, 2)))]))
    word = chance.choice(("any_of", "all_of", "all_of", "some", "size", "size"))
    if word == "size":
        return question(name, word, Filter(Leaf(HOW_MANY, *_asked_so(chance.choice(_ORDER)), chance.randrange(4))))
    if word == "some":
        element = Fact("it", "element", "", fact(name).type, choices=fact(name).choices)
        return question(name, word, Filter(Leaf(element, *_asked_so("one_of"), Listed(chance.sample(values, 2)))))
    return question(name, word, Listed(chance.sample(values, chance.choice((1, 2)))))


def _asked_so(word: str) -> tuple[Operator, str]:
    return OPERATORS[word], word


def _of_words(chance: Random) -> Leaf:
    if chance.random() < 0.4:
        return _of_list(chance, "profile.words", ["a", "b", "ab"])
    if chance.random() < 0.5:
        return _of_values(chance, "profile.words", ["a", "b"])
    return chance.choice(
        (question("profile.words", "starts_with", ("a",)), question("profile.words", "contains", ("b",)))
    )


def _of_word(chance: Random) -> Leaf:
    """Texts are asked for their parts; the order of texts has questions of its own."""
    if chance.random() < 0.4:
        return _of_pattern(chance, "profile.word")
    return _of_text(chance, "profile.word", ["a", "b", "ab", "ba"])


def _of_date(chance: Random) -> Leaf:
    day = date(2026, 1, 2) + chance.randrange(5) * _DAY
    return question("profile.born", chance.choice(("before", "after", "is")), day)


def _of_age(chance: Random, name: str = "profile.called") -> Leaf:
    word = chance.choice(("within", "older_than", "exists"))
    return question(name, word, True if word == "exists" else chance.choice(_WINDOWS))


def _of_did(chance: Random) -> Leaf:
    return chance.choice(
        (
            lambda: _of_number(chance, "purchase.count", 0, 3),
            lambda: _of_number(chance, "purchase.count", 0, 3),
            lambda: question("purchase.total", chance.choice(_ORDER), 0),
            lambda: _of_age(chance, "purchase.first"),
            lambda: _of_age(chance, "purchase.last"),
            lambda: _of_counter(chance),
            lambda: _of_counter(chance),
            lambda: question("visitor.known", "is", chance.random() < 0.5),
            lambda: question("visitor.new", "is", chance.random() < 0.5),
            lambda: question("visitor.state", "is", "new"),
            lambda: _of_number(chance, "visitor.visits", 0, 2),
        )
    )()


def _of_counter(chance: Random) -> Leaf:
    times = Times(chance.randint(1, 3), chance.choice((None, *_WINDOWS)))
    return Leaf(chance.choice((BOUGHT, GAVE)), HAPPENED, HAPPENED.word, times)


def _of_days(chance: Random) -> Leaf:
    """A day in words: told apart by how far it is from a day that is today."""
    return question("profile.seen", chance.choice(("on", "on", "before", "after")), read_days(chance.choice(_IN_WORDS)))


def _of_joining(chance: Random) -> Leaf:
    """A day by its date, by its distance from today, or by its anniversaries."""
    day = date(2026, 11, 18) + chance.randrange(5) * _DAY
    return chance.choice(
        (
            lambda: question("profile.joined", chance.choice(("before", "after", "is")), day),
            lambda: question("profile.joined", "between", (day, day + 3 * _DAY)),
            lambda: question("profile.joined", "on", read_days(chance.choice(_CLOSE))),
            lambda: question("profile.joined", chance.choice(("on", "before", "after")), _a_day(chance)),
            lambda: question("profile.joined", "anniversary", read_days(chance.choice(_CLOSE))),
            lambda: question("profile.joined", "anniversary", read_days(chance.choice(_CLOSE))),
        )
    )()


def _a_day(chance: Random) -> Days:
    return read_days(chance.choice(("today", "today", "2026-11-20")))


_CLOSE = ("today", "yesterday", "this week", "today ± 3 days")


def _of_meeting(chance: Random) -> Leaf:
    """A moment by when it was, how long ago that is, and on which day."""
    limit = datetime.combine(date(2026, 11, 18) + chance.randrange(4) * _DAY, time(chance.choice((0, 12))), ZONE)
    return chance.choice(
        (
            lambda: question("profile.met", chance.choice(("before", "after")), limit.astimezone(UTC)),
            lambda: _of_age(chance, "profile.met"),
            lambda: _of_age(chance, "profile.met"),
            lambda: question("profile.met", chance.choice(("on", "before", "after")), _a_day(chance)),
            lambda: question("profile.met", "on", read_days(chance.choice(("yesterday", "this week", "last 7 days")))),
        )
    )()


_IN_WORDS = ("today", "yesterday", "this week", "last 7 days", "next 7 days", "today ± 3 days")
_NAMED_DAYS = ("first monday of the month", "first day of the month", "december")


def _of_two_days(chance: Random, one: str, other: str) -> Leaf:
    left, right = (one, other) if chance.random() < 0.7 else (other, one)
    word = chance.choice(("before", "after", "same_as"))
    if chance.random() < 0.4:
        return question(left, "is" if word == "same_as" else word, date(2026, 1, 2) + chance.randrange(5) * _DAY)
    beside = Beside(fact(right), None, chance.choice((None, _DAY, -2 * _DAY)))
    return Leaf(pair_fact(fact(left), beside), BESIDE[word], word, beside)


#: Percent of a number, and how much more.
_PARTS_OF = ((None, None), (None, 1), (None, -2), (50, None), (200, 1))


def _of_both(chance: Random, one: str, other: str) -> Leaf:
    """What is asked of one of two facts, or of one beside the other."""
    left, right = (one, other) if chance.random() < 0.7 else (other, one)
    is_number = fact(one).type is FactType.NUMBER
    if chance.random() < 0.4:
        return _of_number(chance, left, 0, 4) if is_number else _of_values(chance, left, ["a", "b", "c"])
    word = chance.choice(("same_as", *_ORDER)) if is_number else "same_as"
    beside = Beside(fact(right), *(chance.choice(_PARTS_OF) if is_number else ()))
    return Leaf(pair_fact(fact(left), beside), BESIDE[word], word, beside)


def _of_amounts(chance: Random) -> Leaf:
    """What is asked of one of three amounts, or of one beside another."""
    left, right = chance.sample(_AMOUNTS, 2)
    if chance.random() < 0.3:
        return _of_number(chance, left, 0, 2)
    return _compared(left, chance.choice(("same_as", *_ORDER)), Beside(fact(right), None, chance.choice(_MORE)))


_MORE = (None, None, 1, -1)


def _of_steps(chance: Random) -> Leaf:
    """How long ago one of three moments is, or whether it is before another."""
    left, right = chance.sample(_STEPS, 2)
    if chance.random() < 0.2:
        return question(left, chance.choice(("within", "older_than")), 2 * _TICK)
    beside = Beside(fact(right), None, chance.choice((None, None, 2 * _TICK)))
    return _compared(left, chance.choice(("before", "after")), beside)


def _of_days_compared(chance: Random) -> Leaf:
    """What is asked of one of three days, or of one beside another."""
    left, right = chance.sample(_DAYS, 2)
    if chance.random() < 0.3:
        day = date(2026, 1, 7) + chance.randrange(2) * _DAY
        return question(left, chance.choice(("before", "after", "is")), day)
    beside = Beside(fact(right), None, chance.choice((None, None, 2 * _DAY, -1 * _DAY)))
    return _compared(left, chance.choice(("before", "after", "same_as")), beside)


def _compared(left: str, word: str, beside: Beside) -> Leaf:
    return Leaf(pair_fact(fact(left), beside), BESIDE[word], word, beside)


def _of_clock(chance: Random) -> Leaf:
    day = date(2026, 11, 27) + chance.randrange(10) * _DAY
    return chance.choice(
        (
            lambda: _of_values(chance, "now.weekday", ["mon", "tue", "sat", "sun"]),
            lambda: question("now.month", "one_of", Listed([11, 12])),
            lambda: question("now.hour", chance.choice(_ORDER), 12),
            lambda: question("now.time", chance.choice(_ORDER), timedelta(hours=chance.choice((8, 18)))),
            lambda: question("now.date", chance.choice(("before", "after", "is")), day),
            lambda: question("now.date", "on", read_days(chance.choice(_NAMED_DAYS))),
            lambda: _window(chance, day),
            lambda: _window(chance, day),
        )
    )()


def _window(chance: Random, day: date) -> Leaf:
    begin = datetime.combine(day, time(chance.choice((0, 12))), ZONE).astimezone(UTC)
    days = frozenset(chance.sample(("mon", "tue", "wed", "thu", "fri"), chance.choice((0, 2, 5))))
    hours = chance.choice(
        (None, None, (timedelta(hours=8), timedelta(hours=18)), (timedelta(hours=18), timedelta(hours=8)))
    )
    until = begin + chance.randint(1, 6) * _DAY
    on = tuple(map(read_days, chance.sample(_NAMED_DAYS, chance.choice((0, 0, 1, 2)))))
    window = Window(ZONE, chance.choice((None, begin)), chance.choice((None, until)), days, on=on, hours=hours)
    return Leaf(NOW_INSTANT, IN_WINDOW, IN_WINDOW.word, window)


_QUESTIONS = {
    "member": lambda chance: _of_values(chance, "profile.member", [True, False]),
    "tier": lambda chance: _of_values(chance, "profile.tier", ["basic", "silver", "gold"]),
    "points": lambda chance: _of_number(chance, "profile.points", 0, 4),
    "likes": lambda chance: chance.choice((_of_values, _of_list))(chance, "profile.likes", ["a", "b", "c"]),
    "words": _of_words,
    "word": _of_word,
    "born": _of_date,
    "app": _of_version,
    "address": _of_address,
    "stuff": _of_stuff,
    "called": _of_age,
    "seen": _of_days,
    "joined": _of_joining,
    "met": _of_meeting,
    "owed": lambda chance: _of_both(chance, "profile.owed", "profile.paid"),
    "hired": lambda chance: _of_two_days(chance, "profile.hired", "profile.moved"),
    "price": _of_amounts,
    "sent": _of_steps,
    "booked": _of_days_compared,
    "home": lambda chance: _of_both(chance, "profile.home", "profile.town"),
    "did": _of_did,
    "clock": _of_clock,
}


def _condition(chance: Random, names: Sequence[str], segment_ids: Sequence[str], depth: int = 2) -> Condition:
    """Any condition about some dimensions; most are what editors write, a few questions side by side."""
    if depth == 0 or chance.random() < 0.25:
        if segment_ids and chance.random() < 0.15:
            return InSegment(chance.choice(segment_ids))
        asked: Condition = _QUESTIONS[chance.choice(names)](chance)
        return Not(asked) if chance.random() < 0.3 else asked
    parts = tuple(_condition(chance, names, segment_ids, depth - 1) for _ in range(chance.choice((1, 2, 2, 3))))
    return chance.choice((All(parts), All(parts), Any(parts), Not(Any(parts))))


# Worlds --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Some rules in order, two segments, and everybody: who meets a condition is a set of bits."""

    names: tuple[str, ...]
    segments: Mapping[str, Condition]
    rules: tuple[Condition, ...]

    def everybody(self) -> int:
        """All visitors of this world: every mixture, but that nothing is stored of whom nothing is known."""
        mixtures = self._mixtures()
        if "did" in self.names:
            strangers = mixtures & ~self._asked(question("visitor.known", "is", True))
            stored = (one for name in self.names for one in dimensions()[name].facts if one.root == "profile")
            for one in stored:
                mixtures &= ~(strangers & self._asked(question(one.name, "exists", True)))
        return mixtures

    def _mixtures(self) -> int:
        return (1 << self._size()) - 1

    def _size(self) -> int:
        size = 1
        for name in self.names:
            size *= len(dimensions()[name].cases)
        return size

    def who(self, condition: Condition) -> int:
        """Those who meet a condition."""
        match condition:
            case Leaf():
                return self._asked(condition)
            case InSegment(segment_id):
                return self.who(self.segments[segment_id])
            case Not():
                return self.everybody() & ~self.who(condition.part)
            case All():
                found = self.everybody()
                for part in condition.parts:
                    found &= self.who(part)
                return found
            case Any():
                found = 0
                for part in condition.parts:
                    found |= self.who(part)
                return found

    def _asked(self, leaf: Leaf) -> int:
        """A question asked of each case of its dimension, and what that makes of all mixtures."""
        stride = 1
        for name in self.names:
            dimension = dimensions()[name]
            width = stride * len(dimension.cases)
            if leaf.fact in dimension.facts:
                block, run = 0, (1 << stride) - 1
                for place, holds in enumerate(_answers(name, leaf)):
                    if holds:
                        block |= run << (place * stride)
                return block * (self._mixtures() // ((1 << width) - 1))
            stride = width
        raise AssertionError(leaf)


@lru_cache(maxsize=10_000)
def _answers(name: str, leaf: Leaf) -> list[bool]:
    """The answer to a question in each case of a dimension."""
    return [leaf_holds(leaf, values[leaf.fact.name], now) for values, now in dimensions()[name].cases]


def make_world(seed: int, *, wide: bool = False) -> World:
    """A world of one or two dimensions, at most one of them large; the same seed gives the same one.

    A `wide` one has six, and so many visitors that nobody can look at them all.
    """
    chance = Random(seed)
    large = chance.choice(("did", "clock", "word", *_OF_THREE))
    # What day it is is the same for all that is told of one visitor.
    timely = {"seen", "joined", "met"} if large == "clock" else set[str]()
    small = sorted(dimensions().keys() - {"did", "clock", "word", *_OF_THREE} - timely)
    if large in _OF_THREE:
        small = [name for name in small if len(dimensions()[name].cases) < 300]
    names = chance.choice(((large,), (large, chance.choice(small)), tuple(chance.sample(small, 2))))
    if wide:
        names = tuple(chance.sample(sorted(dimensions()), 6))
    first = _condition(chance, names, ())
    segments = {"s1": first, "s2": _condition(chance, names, ("s1",))}
    rules = tuple(_condition(chance, names, ("s1", "s2")) for _ in range(chance.randint(2, 5)))
    return World(names, segments, rules)


def questions_of(name: str) -> tuple[Leaf, ...]:
    """Many different questions about the facts of a dimension."""
    chance = Random(name)
    return tuple(dict.fromkeys(_QUESTIONS[name](chance) for _ in range(300)))
