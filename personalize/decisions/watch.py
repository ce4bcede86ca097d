"""Watching segments: which of them a visitor is in, and until when that can't change unless something happens."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from personalize.decisions.context import Context
from personalize.rules.clock_edges import edges_of
from personalize.rules.conditions import Leaf, leaves, segments_named
from personalize.rules.facts import INTEREST_ROOT, ORGANIZATION_ROOT, OWN_ROOT, PAIR_ROOT, with_parts
from personalize.rules.misses.turns import turns_of
from personalize.rules.now_facts import NOW
from personalize.rules.ruleset import RuleSet
from personalize.rules.times import Times

#: How soon somebody is looked at again where nothing tells when an answer turns.
LOOK_AGAIN: Final = timedelta(hours=1)
_FINEST: Final = timedelta(microseconds=1)
#: What changes without a word in the log, or by somebody else's events.
_UNFORESEEN: Final = frozenset({INTEREST_ROOT, OWN_ROOT, ORGANIZATION_ROOT})
_OF_LIFECYCLE: Final = frozenset({"visitor.state", "visitor.new"})


class SegmentWatch:
    """Some segments of a rule set, asked of one visitor after the other, away from any page."""

    def __init__(self, rule_set: RuleSet, segment_ids: Iterable[str]) -> None:
        self.segment_ids = tuple(one for one in dict.fromkeys(segment_ids) if one in rule_set.segments)
        self._rule_set = rule_set
        self._reach = rule_set.index.reach((), self.segment_ids)
        self._leaves = tuple(dict.fromkeys(_leaves_of(self.segment_ids, rule_set)))

    def members(self, context: Context) -> frozenset[str]:
        """The watched segments that the visitor is in."""
        answers = context.answers(self._rule_set.index, self._reach)
        return frozenset(one for one in self.segment_ids if answers.in_segment(one))

    def next_look(self, context: Context) -> datetime | None:
        """A moment before which no membership changes by the clock alone; None where none ever will. Then it is time
        to look again, though nothing may have changed."""
        coming = (at for leaf in self._leaves for at in _turns(leaf, context) if at > context.now)
        return min(coming, default=None)


def _leaves_of(segment_ids: Iterable[str], rule_set: RuleSet) -> Iterator[Leaf]:
    waiting, met = list(segment_ids), set[str]()
    while waiting:
        one = waiting.pop()
        if one not in met:
            met.add(one)
            who = rule_set.segments[one].who
            waiting += [named.segment_id for named in segments_named(who)]
            yield from leaves(who)


def _turns(leaf: Leaf, context: Context) -> Iterator[datetime]:
    """Moments to look again for one question; the first one still to come is never too late."""
    facts = tuple(with_parts(leaf.fact))
    if not _UNFORESEEN.isdisjoint(fact.root for fact in facts):
        yield context.now + LOOK_AGAIN
    if not _OF_LIFECYCLE.isdisjoint(fact.name for fact in facts):
        yield from _of_lifecycle(context)
    value = context[leaf.fact.name]
    if _tells_age(leaf):
        yield from turns_of(leaf, value, context.now.astimezone(context.local_zone)).moments
    elif leaf.uses_now or any(fact.root == NOW for fact in facts):
        at = edges_of((leaf,), context.ground.zone).next_after(context.now, context.local_zone)
        if at is not None:
            yield context.now + LOOK_AGAIN if at == context.now else at
    if isinstance(value, datetime) and value > context.now:
        yield value + _FINEST


def _tells_age(leaf: Leaf) -> bool:
    """Whether it asks how long ago something was, so that its answer turns a known time after that."""
    return isinstance(leaf.argument, timedelta | Times) and leaf.fact.root not in (NOW, PAIR_ROOT)


def _of_lifecycle(context: Context) -> Iterator[datetime]:
    """When a visit ends, and silence makes somebody cooling and lapsed."""
    profile, lifecycle = context.profile, context.lifecycle
    if profile is None:
        return
    if profile.visit is not None:
        yield profile.visit.last_page_at + lifecycle.visit_ends_after + _FINEST
    if profile.last_seen_at is not None:
        yield profile.last_seen_at + lifecycle.cooling_after + _FINEST
        yield profile.last_seen_at + lifecycle.lapsed_after + _FINEST
