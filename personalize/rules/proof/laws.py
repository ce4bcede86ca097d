"""What is true of every visitor, whoever they are, said in the language itself: as conditions that always hold.

Nobody has bought three times in a month who has bought less than three times; what never happened has no last time;
of whom we don't know, nothing is known. A proof takes these beside the conditions that it is asked about. Each law
is one that profiles, consent and lifecycle keep by how they are made.
"""

from collections.abc import Iterable, Iterator

from personalize.events.schema import DEFAULT_PURPOSE
from personalize.profiles.counters import Counter
from personalize.rules.conditions import EVERYONE, Any, Condition, Leaf, Not
from personalize.rules.facts import INTEREST_ROOT, Fact, Facts, FactType
from personalize.rules.filters import Filter
from personalize.rules.operators import HAPPENED, OPERATORS
from personalize.rules.times import Times

#: What is known of an event as soon as it happened; the value of a single one may be missing.
_OF_ONE = ("first", "last", "average")


def laws(leaves: Iterable[Leaf], facts: Facts, counters: Iterable[Counter]) -> Iterator[Condition]:
    """The laws that tie the facts of these questions to one another; `facts` are those of the site."""
    asked = _Asked(leaves, facts, counters)
    yield from _of_strangers(asked)
    yield from _of_first_visit(asked)
    yield from _of_order(asked, "visitor.first_seen", "visitor.last_seen")
    for event in asked.events():
        yield from _of_event(asked, event)


class _Asked:
    """The facts that are asked for, the questions about each, and the events they come from."""

    def __init__(self, leaves: Iterable[Leaf], facts: Facts, counters: Iterable[Counter]) -> None:
        self._facts = facts
        self._counters = {counter.key: counter for counter in counters}
        self.questions: dict[str, list[Leaf]] = {}
        self.named: dict[str, Fact] = {}
        for leaf in leaves:
            self.questions.setdefault(leaf.fact.name, []).append(leaf)
            self.named[leaf.fact.name] = leaf.fact

    def fact(self, name: str) -> Fact | None:
        """A fact of the site, asked for or not."""
        return self.named.get(name) or self._facts.get(name)

    def events(self) -> Iterator[str]:
        """The events of which something is asked."""
        yield from dict.fromkeys(fact.event for fact in self.named.values() if fact.event)

    def counts_all(self, fact: Fact) -> bool:
        """Whether a counter is that of an event of every sort."""
        counter = self._counters.get(fact.key)
        return counter is not None and counter.key == Filter(EVERYONE).counter_key(counter.event_type)


def _of_strangers(asked: _Asked) -> Iterator[Condition]:
    """Of whom we don't know nothing is stored; of whom we know, how often is always answered."""
    known = asked.fact("visitor.known")
    stored = [fact for fact in asked.named.values() if _is_kept(fact)]
    if known is None or not (len(stored) > 1 or (stored and known.name in asked.named)):
        return
    is_known = _question(known, "is", True)
    for fact in stored:
        yield Any((is_known, Not(_exists(fact))))
        if _is_answered(fact):
            yield Any((Not(is_known), _exists(fact)))


def _is_kept(fact: Fact) -> bool:
    """Whether the fact is read from the profile, with the consent that makes a visitor known."""
    of_profile = fact.root in ("profile", "visitor", INTEREST_ROOT) or bool(fact.event)
    return of_profile and fact.stored and fact.purpose == DEFAULT_PURPOSE


def _is_answered(fact: Fact) -> bool:
    if fact.root == "visitor":
        return fact.key in ("visits", "new")
    if fact.root == INTEREST_ROOT:
        return fact.type is FactType.NUMBER
    return fact.root == "did" or (fact.root != "profile" and fact.key in ("count", "total"))


def _of_first_visit(asked: _Asked) -> Iterator[Condition]:
    """A visitor is new in the state `new`, on the first visit, and in no other."""
    new, state, visits = (asked.fact(f"visitor.{key}") for key in ("new", "state", "visits"))
    if new is None or state is None or visits is None:
        return
    is_new, is_state = _question(new, "is", True), _question(state, "is", "new")
    if state.name in asked.named:
        yield Any((Not(is_state), is_new))
        yield Any((Not(is_new), is_state, Not(_exists(state))))
    if visits.name in asked.named and not {new.name, state.name}.isdisjoint(asked.named):
        yield Any((Not(is_new), Not(_question(visits, "more_than", 1))))
        yield Any((Not(is_state), _question(visits, "is", 1)))


def _of_event(asked: _Asked, event: str) -> Iterator[Condition]:
    """What is known of an event goes by how often it happened."""
    of_event = [fact for fact in asked.named.values() if fact.event == event]
    count = asked.fact(f"{event}.count")
    if count is None or len(of_event) < 2:
        return
    for fact in of_event:
        yield from _of_count(asked, fact, count)
    yield from _of_order(asked, f"{event}.first", f"{event}.last")
    for counter in (fact for fact in of_event if fact.root == "did"):
        yield from _of_counter(asked, counter, count, of_event)


def _of_count(asked: _Asked, fact: Fact, count: Fact) -> Iterator[Condition]:
    """What never happened has no time and no value; its total is 0."""
    happened = _question(count, "at_least", 1)
    if fact.key == "total" or fact.root == "did":
        yield Any((Not(_exists(fact)), _exists(count)))
        yield Any((Not(_exists(count)), _exists(fact)))
    elif fact.name != count.name:
        yield Any((Not(_exists(fact)), happened))
    if fact.key == "total":
        yield Any((Not(_exists(fact)), happened, _question(fact, "is", 0)))
    if fact.key in _OF_ONE:
        yield Any((Not(happened), _exists(fact)))


def _of_counter(asked: _Asked, counter: Fact, count: Fact, of_event: Iterable[Fact]) -> Iterator[Condition]:
    """Who did it k times within a while did it k times, last within that while, and first too if it was no more."""
    first, last = (asked.named.get(f"{count.root}.{key}") for key in ("first", "last"))
    others = [fact for fact in of_event if fact.root == "did" and fact != counter and asked.counts_all(fact)]
    for leaf in asked.questions[counter.name]:
        if not isinstance(leaf.argument, Times):
            continue
        times, within = leaf.argument.count, leaf.argument.within
        yield Any((Not(leaf), _question(count, "at_least", times)))
        if last is not None and within is not None:
            yield Any((Not(leaf), _question(last, "within", within)))
        if first is not None and within is not None:
            yield Any((Not(leaf), _question(count, "more_than", times), _question(first, "within", within)))
        for every in others:
            yield Any((Not(leaf), Leaf(every, HAPPENED, HAPPENED.word, leaf.argument)))


def _of_order(asked: _Asked, first_name: str, last_name: str) -> Iterator[Condition]:
    """The last time is not before the first, at whatever moment one of them is asked for."""
    first, last = asked.named.get(first_name), asked.named.get(last_name)
    if first is None or last is None:
        return
    limits = {
        (_EARLIER[leaf.word], leaf.argument)
        for leaf in (*asked.questions[first_name], *asked.questions[last_name])
        if leaf.word in _EARLIER
    }
    for words, limit in sorted(limits, key=repr):
        for early, late in words:
            yield Any((Not(_question(last, early, limit)), _question(first, early, limit)))
            yield Any((Not(_question(first, late, limit)), _question(last, late, limit)))


#: The words that hold for early times, and those that hold for late ones, beside each word about a moment.
_AGES, _MOMENTS = (("older_than", "within"),), (("before", "after"),)
_EARLIER = {"within": _AGES, "older_than": _AGES, "before": _MOMENTS, "after": _MOMENTS}


def _exists(fact: Fact) -> Leaf:
    return _question(fact, "exists", True)


def _question(fact: Fact, word: str, argument: object) -> Leaf:
    return Leaf(fact, OPERATORS[word], word, argument, fact.fold)
