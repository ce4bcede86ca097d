"""A log as a site lives it: whatever is done to it, each purchase counts once, for whom it is, and for nobody else."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from personalize.events.event import JOIN, RETRACT, UNDO, Event
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Outcome
from tests.stores.samples import all_of, event, projectors

BROWSERS, LOGINS = ("v:ann", "v:bob"), ("u:1", "u:2")
ANYBODY = st.sampled_from((*BROWSERS, *LOGINS))


@dataclass(frozen=True)
class Bought:
    """A purchase, as plainly as can be."""

    by: str
    at: int
    amount: int


class LivingLog(RuleBasedStateMachine):
    """A store and, beside it, lists of what was done; time goes on by a minute with each step."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.now = 0
        self.bought: dict[str, Bought] = {}
        self.sent: dict[str, Event] = {}
        self.joins: list[tuple[str, str, int]] = []
        self.retracted: set[tuple[str, str]] = set()

    def play(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(work)

    def tell(self, one: Event) -> Outcome:
        applied = self.play(self.store.apply([one], projectors()))
        outcome: Outcome = applied.outcome(0)
        return outcome

    def owner(self, bought: Bought) -> str:
        """The first login that took the browser over, if that was not before the purchase."""
        taken = min(((at, login) for browser, login, at in self.joins if browser == bought.by), default=None)
        return bought.by if taken is None or taken[0] < bought.at else taken[1]

    @rule(who=ANYBODY, amount=st.integers(1, 99), late=st.integers(0, 5))
    def buys(self, who: str, amount: int, late: int) -> None:
        """Somebody buys, and it is told now, though it may have been a while ago."""
        self.now += 1
        name, at = f"p{self.now}", max(0, self.now - late)
        self.bought[name] = Bought(who, at, amount)
        self.sent[name] = event("purchase", who, {"amount": amount}, at, name)
        assert self.tell(self.sent[name]) is Outcome.NEW

    @rule(data=st.data())
    def tells_again(self, data: st.DataObject) -> None:
        """A sender tells something twice, or something else under the same id."""
        if self.sent:
            one = self.sent[data.draw(st.sampled_from(sorted(self.sent)))]
            assert self.tell(one) is Outcome.REPEATED
            assert self.tell(replace(one, properties={"amount": 1_000})) is Outcome.CONFLICTING

    @rule(browser=st.sampled_from(BROWSERS), login=st.sampled_from(LOGINS))
    def logs_in(self, browser: str, login: str) -> None:
        """A login takes a browser over."""
        self.now += 1
        self.joins.append((browser, login, self.now))
        self.tell(event(JOIN, login, {"from": browser}, self.now, f"j{self.now}"))

    @rule(browser=st.sampled_from(BROWSERS), login=st.sampled_from(LOGINS))
    def parts(self, browser: str, login: str) -> None:
        """Support undoes that."""
        self.now += 1
        self.joins = [one for one in self.joins if one[:2] != (browser, login)]
        self.tell(event(UNDO, login, {"from": browser}, self.now, f"u{self.now}"))

    @rule(who=ANYBODY, number=st.integers(1, 30))
    def takes_back(self, who: str, number: int) -> None:
        """Somebody takes back what is theirs, what is another's, or what has yet to happen."""
        self.now += 1
        self.retracted.add((who, f"p{number}"))
        self.tell(event(RETRACT, who, {"event_id": f"p{number}"}, self.now, f"r{self.now}"))

    @invariant()
    def each_purchase_counts_once_for_whom_it_is(self) -> None:
        """What is stored is what the lists say."""
        expected: dict[str, int] = {}
        for name, bought in self.bought.items():
            owner = self.owner(bought)
            if not {(owner, name), (bought.by, name)} & self.retracted:
                expected[owner] = expected.get(owner, 0) + bought.amount
        live = self.play(all_of(self.store.profiles()))
        sums = {one.profile_id: one.totals["purchase"].sum for one in live if "purchase" in one.totals}
        assert sums == expected

    @rule()
    def is_rebuilt(self) -> None:
        """The profiles are made from the log again, and are the same."""
        before = self.play(all_of(self.store.profiles()))
        self.play(self.store.rebuild(projectors()))
        assert self.play(all_of(self.store.profiles())) == before


class TestLivingLog(LivingLog.TestCase):  # type: ignore[name-defined, misc]
    """Played many times."""

    settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
