"""What it costs to decide five slots, beside others that decide, at 10 to 10,000 rules.

One shop for all (`shop.py`), the same rules and visitors, and first of all the same answers: those of a plain walk over
the trees. CPU time, cases in shuffled order round by round; a figure is the median of the rounds, a ratio the median
of the rounds' ratios. What a peer needs for one request is inside its timing, what it has no word for is ready made.

    pip install -e ".[bench]"
    python -m benchmarks.rules [--rounds 9] [--sizes 10 100 1000 10000] [--peers closures growthbook ...]
"""

import argparse
import gc
import json
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from benchmarks.package_measured import say_what_is_measured
from benchmarks.peers import PEERS, Winners, attributes_of
from benchmarks.shop import DECLARED, NOW, SLOTS, Shop, Visitor, load, make_shop, make_visitors
from personalize.decisions.context import Context, make_context
from personalize.decisions.decide import decide
from personalize.profiles.lifecycle import Lifecycle
from personalize.rules.conditions import Condition
from personalize.rules.index.index import Index
from personalize.rules.pages import rule_keys
from personalize.visitors.consent import UNKNOWN
from personalize.visitors.identity import Identity
from tests.properties.plain_walk import holds

#: One visitor, as whoever is asked knows them.
Asked = TypeVar("Asked")

WARM, DIFFERENT = 64, 10_000
#: The larger, the fewer visitors a round asks a peer that takes milliseconds for each.
PEER_BUDGET_PAGES = {10: 64, 100: 64, 1_000: 24, 10_000: 4}
#: How long 99 of 100 decisions may take at most, by the number of rules; 0 where nothing was promised.
LIMITS_US = {1: 0, 100: 1_000, 1_000: 5_000}


@dataclass
class Case:
    """Something timed: `run` asks for each of `pages`."""

    name: str
    run: Callable[[], object]
    pages: int
    microseconds: list[float]

    def measure(self) -> None:
        """One round."""
        begun = time.process_time()
        self.run()
        self.microseconds.append((time.process_time() - begun) / self.pages * 1e6)


class Ours:
    """The index of a shop, asked for the five slots of its page."""

    def __init__(self, shop: Shop) -> None:
        self.rule_set = shop.rule_set
        self.index = shop.rule_set.index
        self.page = shop.rule_set.pages[SLOTS[0]]
        self.rows = [shop.rule_set.rows[slot] for slot in SLOTS]

    def winners(self, visitor: Visitor) -> Winners:
        """What each slot shows."""
        answers = self.index.answers(self.page.reach, visitor, NOW)
        return tuple([None if key is None else key[1] for key in answers.firsts(self.rows)])

    def decided(self, visitor: Visitor) -> Winners:
        """The same by the whole of `decide`, from a context that is made for it."""
        found = decide(self.page, self._context(visitor), self.rule_set)
        return tuple(found[slot].rule_id for slot in SLOTS)

    def _context(self, visitor: Visitor) -> Context:
        context = make_context(
            self.rule_set.ground,
            Lifecycle(),
            identity=Identity(profile_id=None, consent=UNKNOWN),
            profile=None,
            facts=None,
            now=NOW,
        )
        context.give(visitor)
        return context


def walked(shop: Shop, visitor: Visitor) -> Winners:
    """What each slot shows, by a plain walk."""
    segments = {one: segment.who for one, segment in shop.rule_set.segments.items()}
    return tuple(
        next(
            (rule.rule_id for rule in shop.rule_set.slots[slot].rules if holds(rule.condition, visitor, segments, NOW)),
            None,
        )
        for slot in SLOTS
    )


def cases_of(shop: Shop, size: int, peers: Sequence[str], different: int = DIFFERENT) -> list[Case]:
    """All cases of one size, each of which has given the answers of a plain walk."""
    ours = Ours(shop)
    clean, messy = (make_visitors(shop, WARM, messy=is_messy) for is_messy in (False, True))
    expected = [walked(shop, visitor) for visitor in clean]
    assert [ours.winners(visitor) for visitor in clean] == expected
    assert [ours.decided(visitor) for visitor in clean] == expected
    assert [ours.winners(visitor) for visitor in messy] == [walked(shop, visitor) for visitor in messy]
    others = make_visitors(shop, different, messy=True, seed=13)
    cases = [
        Case("index, 64 visitors", _each(ours.winners, clean, 8), WARM * 8, []),
        Case("index, 64 messy visitors", _each(ours.winners, messy, 8), WARM * 8, []),
        Case("index, 10,000 messy visitors", _each(ours.winners, others, 1), different, []),
        Case("index and decide, 64 visitors", _each(ours.decided, clean, 8), WARM * 8, []),
    ]
    attributes = [attributes_of(shop, visitor) for visitor in clean]
    for name in peers:
        ask = PEERS[name](shop)
        some = attributes[: PEER_BUDGET_PAGES.get(size, WARM)]
        assert [ask(one) for one in some] == expected[: len(some)], f"{name} answers otherwise"
        cases.append(Case(name, _each(ask, some, 1), len(some), []))
    return cases


def _each(ask: Callable[[Asked], object], visitors: Sequence[Asked], times: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(times):
            for visitor in visitors:
                ask(visitor)

    return run


def in_rounds(cases: Sequence[Case], rounds: int) -> None:
    """Run all of them, round by round in shuffled order; the first round only warms up."""
    rng = random.Random(5)
    for _ in range(rounds + 1):
        gc.collect()
        for case in rng.sample(cases, len(cases)):
            case.measure()
    for case in cases:
        del case.microseconds[0]


def report(title: str, cases: Sequence[Case]) -> None:
    """A line for each case, with its ratio to the first."""
    print(f"\n{title}\n{'':34}{'us a page':>10}{'times ours':>12}")
    for case in cases:
        pairs = zip(case.microseconds, cases[0].microseconds, strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        print(f"{case.name:34}{statistics.median(case.microseconds):>10.1f}{ratio:>12.2f}", flush=True)


def report_growth(cases: Mapping[int, Sequence[Case]]) -> None:
    """How much more a page costs at 10,000 rules than at 100, measured anew, side by side."""
    for number, what in enumerate(("64 visitors", "64 messy ones", "10,000 messy ones")):
        small, large = cases[100][number], cases[10_000][number]
        pair = [Case(one.name, one.run, one.pages, []) for one in (small, large)]
        in_rounds(pair, 9)
        ratio = statistics.median(b / a for a, b in zip(pair[0].microseconds, pair[1].microseconds, strict=True))
        print(f"cost(10,000) / cost(100), {what}: {ratio:.2f}")


def report_cold(shop: Shop, size: int, visitors: int = DIFFERENT) -> None:
    """What an index costs before it is warm: to build, in memory, and on its first pages."""
    conditions: Mapping[object, Condition] = {
        key: rule.condition
        for slot in shop.rule_set.slots.values()
        for key, rule in zip(rule_keys(slot), slot.rules, strict=True)
    }
    segments = {one: segment.who for one, segment in shop.rule_set.segments.items()}
    builds = []
    for _ in range(3):
        begun = time.process_time()
        Index(conditions, segments)
        builds.append(time.process_time() - begun)
    tracemalloc.start()
    index = Index(conditions, segments)
    built = tracemalloc.get_traced_memory()[0]
    reach = index.reach(conditions, segments)
    for visitor in make_visitors(shop, visitors, messy=True, seed=13):
        index.answers(reach, visitor, NOW)
    filled = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    index = Index(conditions, segments)
    reach, pages = index.reach(conditions, segments), []
    gc.disable()
    for visitor in make_visitors(shop, min(visitors, 2_000), messy=True, seed=17):
        begun = time.thread_time()
        index.answers(reach, visitor, NOW)
        pages.append((time.thread_time() - begun) * 1e3)
    gc.enable()
    print(
        f"{size:>6,} rules: built in {min(builds):.3f} s of CPU; {built / 1e6:.1f} MB, {filled / 1e6:.1f} MB after "
        f"10,000 visitors; cold pages: the first {pages[0]:.2f} ms, the worst {max(pages):.2f} ms"
    )


def report_latency(visitors: int = DIFFERENT) -> None:
    """How long the whole decision of a page takes, its context included, one page after the other, as they come: an
    index that nobody warmed, all visitors different, a twentieth of their facts messy."""
    print(f"\n{'one whole decision, us':34}{'median':>10}{'99 of 100':>12}{'worst':>10}{'limit of 99':>14}")
    for size, limit_us in LIMITS_US.items():
        shop = make_shop(size)
        ours, different, spent = Ours(shop), make_visitors(shop, visitors, messy=True, seed=19), []
        gc.collect()
        gc.freeze()  # what was made beforehand; what pages leave behind is collected as ever
        for visitor in different:
            begun = time.thread_time()
            ours.decided(visitor)
            spent.append((time.thread_time() - begun) * 1e6)
        gc.unfreeze()
        median, of_99 = statistics.median(spent), statistics.quantiles(spent, n=100)[98]
        limit = f"{limit_us:,}" if limit_us else "-"
        rules = f"{size:,} rules" if size > 1 else "1 rule"
        print(f"{rules:34}{median:>10.1f}{of_99:>12.1f}{max(spent):>10.1f}{limit:>14}", flush=True)


def report_one_rule(rounds: int) -> None:
    """One rule of five predicates that all hold, beside the function that an engineer would write for it."""
    one = make_one_rule()
    ours, visitors = Ours(one), make_visitors(one, DIFFERENT)
    assert [ours.winners(visitor)[0] is not None for visitor in visitors] == [by_hand(visitor) for visitor in visitors]
    visitors = [visitor for visitor in visitors if by_hand(visitor)][:WARM]  # a no is quicker by hand: it stops there
    rows, reach, index = ours.rows[:1], ours.page.reach, ours.index

    def asked(visitor: Visitor) -> bool:
        return index.answers(reach, visitor, NOW).firsts(rows)[0] is not None

    cases = [Case("by hand", _each(by_hand, visitors, 40), len(visitors) * 40, [])]
    cases.append(Case("one rule in the index", _each(asked, visitors, 40), len(visitors) * 40, []))
    in_rounds(cases, rounds)
    report("One rule of five predicates, visitors for whom it holds", cases)


ONE_RULE = {
    "profile.country": ["no", "se", "dk"],
    "page.device": {"is_not": "tablet"},
    "purchase.count": {"at_least": 3},
    "page.path": {"starts_with": "/shop"},
    "purchase.last": {"older_than": "60 days"},
}


def make_one_rule() -> Shop:
    """A shop with one rule, which asks for five things."""
    slots = {SLOTS[0]: {"page": "home", "rules": [{"id": "one", "to": ONE_RULE, "show": f"things/{SLOTS[0]}"}]}}
    slots |= {slot: {"page": "home"} for slot in SLOTS[1:]}
    files = {"rules/declared.yaml": json.dumps(DECLARED), "rules/slots.yaml": json.dumps({"slots": slots})}
    return Shop(files, load(files))


def by_hand(visitor: Visitor) -> bool:
    """The same rule in Python, guarded against what is missing."""
    count, path, last = visitor.get("purchase.count"), visitor.get("page.path"), visitor.get("purchase.last")
    return (
        visitor.get("profile.country") in _NORDIC
        and visitor.get("page.device") != "tablet"
        and isinstance(count, int)
        and count >= 3
        and isinstance(path, str)
        and path.startswith("/shop")
        and isinstance(last, datetime)
        and NOW - last > _LONG
    )


_NORDIC, _LONG = frozenset({"no", "se", "dk"}), timedelta(days=60)


def main(sizes: Sequence[int], rounds: int, peers: Sequence[str]) -> None:
    """Measure and print."""
    shops = {size: make_shop(size) for size in sizes}
    cases = {}
    for size, shop in shops.items():
        page = shop.rule_set.pages[SLOTS[0]]
        probes = len(page.reach.fact_names) + (
            len(page.reach.segments.chunks) if page.reach.segments is not None else 0
        )
        some = peers if size <= 1_000 else [name for name in peers if name == "closures"]
        cases[size] = cases_of(shop, size, some)
        in_rounds(cases[size], rounds)
        report(f"{size:,} rules, {probes} facts and groups of segments", cases[size])
    if 1_000 in shops:
        small = make_shop(1_000, small=True)
        smaller = cases_of(small, 1_000, peers)
        in_rounds(smaller, rounds)
        report(f"1,000 rules, {len(small.facts)} facts, no segments, no counters", smaller)
    report_one_rule(rounds)
    report_latency()
    print()
    if {100, 10_000} <= set(sizes):
        report_growth(cases)
    for size, shop in shops.items():
        report_cold(shop, size)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1_000, 10_000])
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    arguments = parser.parse_args()
    say_what_is_measured()
    main(arguments.sizes, arguments.rounds, arguments.peers)
