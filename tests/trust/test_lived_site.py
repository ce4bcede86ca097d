"""A site as it is lived in, over HTTP: people buy, agree, log in and are erased, rules change, time passes, the process
is killed. Beside it stand plain lists of what was done, and after each step the site has to say the same.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from personalize.problems import Problems
from personalize.runtime.access import AccessScope, digest_of, minted_token
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import publish, roll_back
from personalize.stores.opening import open_store
from personalize.stores.protocols import AccessToken, Store
from tests.desk import desk_settings, write_desk
from tests.driver import CHROME
from tests.stores.contract import opened
from tests.trust.lived_site import Breeder, LivedSite
from tests.trust.trials import IS_LONG, trials

LIVES, STEPS = trials(1, 300), 50 if IS_LONG else 25
TOKEN = minted_token(bytes(range(32)))
AGREED = ["measure", "personalize"]
BROWSERS, LOGINS = range(2), range(3)
WINDOW = timedelta(days=30)
#: All that may pass in one life, so that nobody is forgotten for being silent.
LONGEST_LIFE = timedelta(days=200)
#: A start takes as long as a hundred calls, and so do new rules.
MOST_VERSIONS = 8 if IS_LONG else 4
MOST_KILLS = 4 if IS_LONG else 2
RULES = """
events: {{purchase: {{properties: {{amount: {{type: money}}}}, value: amount}}}}
segments:
  lately: {{who: {{did: purchase, within: 30 days}}}}
  buyers: {{who: {{purchase.count: {{at_least: 1}}}}}}
slots:
  hero:
    rules:
      - {{id: lately, to: {{segment: lately}}, show: things/{lately}}}
      - {{id: buyers, to: {{segment: buyers}}, show: things/{buyers}}}
"""
#: What two versions of the rules show to whom, as titles of things.
VERSIONS = ({"lately": "red", "buyers": "green"}, {"lately": "blue", "buyers": "grey"})
_lives = count()


@dataclass
class Bought:
    """A purchase, as plainly as can be."""

    by: str
    amount: int
    at: datetime


async def let_in(store: Store, at: datetime) -> None:
    """Give the till a token for everything."""
    await store.keep_token(AccessToken(digest_of(TOKEN), "till", frozenset(map(str, AccessScope)), at, used_at=at))


class Life(RuleBasedStateMachine):
    """Visitors of a site, and beside it what they have done."""

    site: LivedSite

    def __init__(self) -> None:
        super().__init__()
        self.name = f"l{next(_lives)}"
        self.ids = count()
        self.bought: dict[str, Bought] = {}
        self.gone: dict[str, Bought] = {}
        self.into: dict[str, str] = {}
        self.erased: set[str] = set()
        self.forgotten: set[str] = set()
        self.passed = timedelta(0)
        self.kills = 0
        self.jars: list[dict[str, str]] = [{} for _ in BROWSERS]
        self.http = httpx.Client(base_url=self.site.address, timeout=30)
        self.live: list[dict[str, str]] = []
        self.versions: list[str] = []
        self.publish(VERSIONS[0])

    def teardown(self) -> None:
        """Nobody asks any more."""
        self.http.close()

    # What is done ------------------------------------------------------------------------------------------

    @rule(login=st.sampled_from(LOGINS), amount=st.integers(1, 99))
    def a_login_buys(self, login: int, amount: int) -> None:
        """At the till."""
        self.buys(self.login(login), amount)

    @rule(number=st.sampled_from(BROWSERS), amount=st.integers(1, 99))
    def a_browser_buys(self, number: int, amount: int) -> None:
        """Where it has an id of its own."""
        visitor = self.visitor(number)
        if visitor is not None:
            self.buys(visitor, amount)

    @rule(number=st.integers(0, 50), again=st.booleans())
    def is_told_again(self, number: int, again: bool) -> None:
        """The same once more, or something else under its id; or what was erased meanwhile."""
        names = [*self.bought, *self.gone]
        if names:
            name = names[number % len(names)]
            one = self.bought.get(name) or self.gone[name]
            status = self.tell(name, one if again else Bought(one.by, one.amount + 1, one.at))
            assert status == (409 if name in self.gone or not again else 200)

    @rule(number=st.sampled_from(BROWSERS))
    def agrees(self, number: int) -> None:
        """To everything."""
        assert self.ask(number, "POST", "/_personalize/consent", grant=" ".join(AGREED)).status_code == 303
        assert self.jars[number]["pz_consent"].rstrip("!") == ".".join(AGREED)

    @rule(number=st.sampled_from(BROWSERS))
    def refuses(self, number: int) -> None:
        """And nothing is left of them."""
        visitor = self.visitor(number)
        assert self.ask(number, "POST", "/_personalize/consent", grant="").status_code == 303
        assert "pz" not in self.jars[number]
        if visitor is not None:
            self.forget([visitor])

    @rule(number=st.sampled_from(BROWSERS), login=st.none() | st.sampled_from(LOGINS))
    def comes_by(self, number: int, login: int | None) -> None:
        """Looks at a page, logged in or not; what it shows is what their purchases say, and what is explained."""
        who = None if login is None else self.login(login)
        has_refused = self.jars[number].get("pz_consent", "").startswith("no")
        if who in self.erased or (who is not None and has_refused):
            return  # such a login is asked for consent anew, or told of the refusal: other tests look at both
        before = self.visitor(number)
        reply = self.ask(number, "GET", "/", login=who and who.removeprefix("u:"))
        self.settle()
        if self.jars[number].get("pz_consent", "no").startswith("no"):
            assert "Default" in reply.text and "pz" not in self.jars[number]
            return
        profile_id = who or self.visitor(number)
        assert profile_id is not None
        shown = self.expected(profile_id)
        assert [title for title in ("red", "green", "blue", "grey") if f"<b>{title}</b>" in reply.text] == shown
        if who is not None and before is not None:
            self.into[before] = who  # the page on which they log in is still made for the login alone
            return
        told = self.call("/explanations", visitor=profile_id, slot="hero", consent=AGREED, misses=False)
        assert told.json()["items"] == [f"things/{title}" for title in shown]

    @rule(login=st.sampled_from(LOGINS))
    def is_erased(self, login: int) -> None:
        """A login, with every browser that it took over."""
        who = self.login(login)
        assert self.call("/persons/erase", visitor=who).status_code == 200
        self.erased.add(who)
        self.forget([who, *(taken for taken, into in self.into.items() if into == who)])

    @precondition(lambda self: len(self.live) < MOST_VERSIONS)
    @rule(number=st.integers(0, 1))
    def an_editor_publishes(self, number: int) -> None:
        """One of two sets of rules."""
        self.publish(VERSIONS[number])

    @precondition(lambda self: 1 < len(self.live) < MOST_VERSIONS)
    @rule()
    def an_editor_rolls_back(self) -> None:
        """To the other one."""
        now, to = self.site.clock.now(), self.versions[-2]
        self.in_store(lambda store: roll_back(store, self.settings, at=now, by="a test", version=to))
        self.live.append(self.live[-2])
        self.versions.append(self.versions[-2])
        self.follows()

    @rule(by=st.sampled_from([timedelta(hours=1), timedelta(days=20), timedelta(days=31)]))
    def time_passes(self, by: timedelta) -> None:
        """Hours or weeks."""
        if self.passed + by < LONGEST_LIFE:
            self.passed += by
            self.site.clock.move(by)

    @precondition(lambda self: self.kills < MOST_KILLS)
    @rule()
    def is_killed(self) -> None:
        """And started again."""
        self.kills += 1
        self.site.kill()
        self.http.close()
        self.http = httpx.Client(base_url=self.site.address, timeout=30)
        self.follows()

    # What has to hold --------------------------------------------------------------------------------------

    @invariant()
    def each_has_exactly_what_is_theirs(self) -> None:
        """Totals, and every event: once, and of nobody else."""
        people = {self.login(login) for login in LOGINS} | {self.owner(one.by) for one in self.bought.values()}
        people |= {each for each in self.forgotten if each.startswith("v:")}
        for who in sorted(people):
            theirs = {name: one for name, one in self.bought.items() if self.owner(one.by) == who}
            read = self.call("/profiles/read", visitor=who)
            totals = read.json()["totals"].get("purchase") if read.status_code == 200 else None
            assert (totals["count"] if totals else 0) == len(theirs), (who, read.text)
            if totals:
                assert totals["sum"] == f"{sum(one.amount for one in theirs.values())}.00"
            events = self.call("/persons/download", visitor=who).json()["events"]
            assert sorted(event["id"] for event in events if event["type"] == "purchase") == sorted(theirs)

    @invariant()
    def nobody_has_an_id_who_has_not_agreed(self) -> None:
        """A cookie that identifies stands beside a yes, and nowhere else."""
        for jar in self.jars:
            assert "pz" not in jar or jar["pz_consent"].startswith(".".join(AGREED))

    # How it is done ----------------------------------------------------------------------------------------

    def login(self, number: int) -> str:
        return f"u:{self.name}-{number}"

    def visitor(self, number: int) -> str | None:
        """The profile of a browser that is nobody's, as its cookie names it."""
        cookie = self.jars[number].get("pz", "")
        return f"v:{cookie[:23]}" if cookie.startswith("v") else None

    def owner(self, profile_id: str) -> str:
        return self.into.get(profile_id, profile_id)

    def expected(self, profile_id: str) -> list[str]:
        """What the page shows to them."""
        theirs = [one.at for one in self.bought.values() if self.owner(one.by) == profile_id]
        if not theirs:
            return []
        return [self.live[-1]["lately" if max(theirs) >= self.site.clock.now() - WINDOW else "buyers"]]

    def buys(self, who: str, amount: int) -> None:
        name = f"{self.name}-{next(self.ids)}"
        one = Bought(who, amount, self.site.clock.now())
        assert self.tell(name, one) == 201
        self.bought[name] = one

    def tell(self, name: str, one: Bought) -> int:
        told = {"id": name, "type": "purchase", "visitor": one.by, "at": one.at.isoformat()}
        return self.call("/events", **told, properties={"amount": one.amount}).status_code

    def forget(self, ids: list[str]) -> None:
        self.forgotten |= set(ids)
        self.gone |= {name: one for name, one in self.bought.items() if one.by in ids}
        self.bought = {name: one for name, one in self.bought.items() if one.by not in ids}

    def call(self, path: str, **values: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {TOKEN}"}
        return self.http.post(f"/_personalize/api/v1{path}", json=values, headers=headers)

    def ask(self, number: int, method: str, path: str, *, login: str | None = None, **fields: str) -> httpx.Response:
        """What a browser is answered; it keeps its cookies."""
        jar = self.jars[number]
        headers = {"user-agent": CHROME, "accept": "text/html", "sec-fetch-site": "same-origin"}
        headers |= {"sec-fetch-dest": "document"} | ({"x-login": login} if login else {})
        headers |= {"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
        self.http.cookies.clear()
        reply = self.http.request(method, path, headers=headers, data=fields or None)
        assert reply.status_code < 500
        for cookie in reply.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            if "max-age=0" in cookie.lower():
                jar.pop(name, None)
            else:
                jar[name] = value
        return reply

    def settle(self) -> None:
        """Until what pages told is written."""
        while self.http.get("/_personalize/health").json()["events"]["waiting"]:
            pass

    @property
    def settings(self) -> Any:
        return desk_settings(self.site.folder)

    def in_store(self, work: Any) -> Any:
        async def run() -> Any:
            async with opened(open_store(self.settings.store, self.site.folder)) as store:
                return await work(store)

        return asyncio.run(run())

    def publish(self, shown: dict[str, str]) -> None:
        items = {title: title for version in VERSIONS for title in version.values()}
        write_desk(self.site.folder, rules=RULES.format(**shown), items=items)
        draft = read_draft(self.settings, Problems())
        self.in_store(lambda store: publish(store, draft, self.settings, at=self.site.clock.now(), by="a test"))
        self.versions.append(draft.version)
        self.live.append(shown)
        self.follows()

    def follows(self) -> None:
        """Soon it serves what is live; how soon, other tests ask, on a machine that does nothing else."""
        until = datetime.now().timestamp() + 60
        while self.http.get("/_personalize/health").json()["version"] != self.versions[-1]:
            assert datetime.now().timestamp() < until


@pytest.fixture
def lived(tmp_path: Path, breeder: Breeder) -> Iterator[Any]:
    """Starts the site, with a bug if one is named."""
    sites: list[LivedSite] = []

    def start(bug: str = "") -> type[Life]:
        asyncio.run(_prepare(tmp_path))
        sites.append(LivedSite(tmp_path, breeder, bug))
        return type("LifeHere", (Life,), {"site": sites[0]})

    yield start
    for site in sites:
        site.stop()


async def _prepare(folder: Path) -> None:
    settings_here = desk_settings(folder)
    async with opened(open_store(settings_here.store, folder)) as store:
        await let_in(store, datetime.now().astimezone() - timedelta(minutes=1))


@pytest.mark.trust(tries=LIVES * STEPS)
def test_whatever_is_done_the_site_says_what_was_done(lived: Any) -> None:
    run_state_machine_as_test(
        lived(),
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


def buys_and_withdraws(life: Life) -> None:
    life.agrees(0)
    life.a_browser_buys(0, 5)
    life.refuses(0)


def buys_and_logs_in(life: Life) -> None:
    life.agrees(0)
    life.a_browser_buys(0, 5)
    life.comes_by(0, 1)


#: Each bug, and the shortest life in which it shows.
BUGS = {
    "answers_too_soon": lambda life: life.a_login_buys(0, 5),
    "keeps_what_was_withdrawn": buys_and_withdraws,
    "loses_what_was_before_a_login": buys_and_logs_in,
}


@pytest.mark.trust
@pytest.mark.planted
@pytest.mark.sources
@pytest.mark.parametrize("bug", ["", *BUGS])
def test_a_site_that_lives_with_a_bug_is_found_out(lived: Any, bug: str) -> None:
    def lives(steps: Callable[[Life], None]) -> None:
        life = site()
        try:
            steps(life)
            life.each_has_exactly_what_is_theirs()
            life.nobody_has_an_id_who_has_not_agreed()
        finally:
            life.teardown()

    site = lived(bug)
    if bug:
        with pytest.raises(AssertionError):
            lives(BUGS[bug])
    else:
        for steps in BUGS.values():
            lives(steps)
