from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.events.event import Event
from personalize.visitors.consent import REFUSED, UNKNOWN, Consent, granting
from personalize.visitors.identity import Identity, identify
from personalize.visitors.tokens import Tokens, visitor_id_from
from tests.profiles.histories import Rows, event, join, minutes, projector

KEYS = ["an old key of this site", "a new key of this site"]
TOKENS = Tokens(KEYS)
GRANTED = granting(["personalize"])
ANONYMOUS = visitor_id_from(b"anonymous browse")
OTHER = visitor_id_from(b"another browser.")
KNOWN = visitor_id_from(b"login seen there", "k")
FRESH = b"sixteen new byte"
FRESH_ANONYMOUS = visitor_id_from(FRESH)
FRESH_KNOWN = visitor_id_from(FRESH, "k")


def signed(*visitor_ids: str) -> list[str]:
    return [TOKENS.sign(visitor_id) for visitor_id in visitor_ids]


def no_chance() -> bytes:
    raise AssertionError("no new id was needed")


def who(
    cookies: Sequence[str] = (),
    user_id: str | None = None,
    *,
    consent: Consent = GRANTED,
    may_mint: bool = True,
    fresh: Callable[[], bytes] = lambda: FRESH,
    is_shared: bool = False,
) -> Identity:
    return identify(
        cookie_values=cookies,
        user_id=user_id,
        consent=consent,
        tokens=TOKENS,
        fresh=fresh if may_mint else lambda: None,
        is_shared=is_shared,
    )


def test_on_a_shared_device_a_login_takes_no_past_over_and_moves_the_browser_on() -> None:
    own, shared = (who(signed(ANONYMOUS), "7", is_shared=is_shared) for is_shared in (False, True))
    assert own.joins == f"v:{ANONYMOUS}"
    assert shared == replace(own, joins=None)


def test_a_valid_cookie_is_recognised() -> None:
    expected = Identity(visitor_id=ANONYMOUS, profile_id=f"v:{ANONYMOUS}", consent=GRANTED)
    assert who(signed(ANONYMOUS), fresh=no_chance) == expected
    assert who(signed(ANONYMOUS), may_mint=False) == expected


@pytest.mark.parametrize("cookies", [[], ["forged"], [""], [signed(ANONYMOUS)[0][:-1]], [signed(KNOWN)[0] + "x"]])
def test_without_a_valid_cookie_a_person_gets_a_fresh_id_and_nobody_else_does(cookies: list[str]) -> None:
    assert who(cookies) == Identity(
        visitor_id=FRESH_ANONYMOUS, profile_id=f"v:{FRESH_ANONYMOUS}", is_new=True, consent=GRANTED
    )
    assert who(cookies, may_mint=False, fresh=no_chance) == Identity(consent=GRANTED)


@pytest.mark.parametrize("before", [True, False])
def test_a_valid_cookie_among_garbage_is_recognised(before: bool) -> None:
    cookies = ["garbage", *signed(ANONYMOUS)] if before else [*signed(ANONYMOUS), "garbage"]
    assert who(cookies, fresh=no_chance).visitor_id == ANONYMOUS
    assert who(signed(ANONYMOUS, ANONYMOUS), fresh=no_chance).visitor_id == ANONYMOUS


@pytest.mark.parametrize("cookies", [signed(ANONYMOUS, OTHER), signed(ANONYMOUS, KNOWN)])
def test_two_valid_cookies_that_contradict_each_other_count_as_none(cookies: list[str]) -> None:
    assert who(cookies) == who([])
    assert who(cookies, may_mint=False) == who([], may_mint=False)
    assert who(cookies, "7") == who([], "7")


@pytest.mark.parametrize("cookies", [[], signed(ANONYMOUS), signed(KNOWN), ["forged"]])
@pytest.mark.parametrize("consent", [UNKNOWN, REFUSED])
def test_without_consent_no_id_is_used_not_even_that_of_a_login(cookies: list[str], consent: Consent) -> None:
    leaves = consent == REFUSED and bool(cookies)
    for user_id in (None, "7"):
        assert who(cookies, user_id, consent=consent, fresh=no_chance) == Identity(leaves=leaves, consent=consent)


def test_a_login_takes_over_the_anonymous_profile_and_moves_to_a_fresh_cookie() -> None:
    assert who(signed(ANONYMOUS), "7") == Identity(
        visitor_id=FRESH_KNOWN,
        user_id="7",
        profile_id="u:7",
        is_new=True,
        joins=f"v:{ANONYMOUS}",
        consent=GRANTED,
    )


def test_a_login_takes_nothing_over_where_no_cookie_may_be_set() -> None:
    expected = Identity(user_id="7", profile_id="u:7", consent=GRANTED)
    assert who(signed(ANONYMOUS), "7", may_mint=False, fresh=no_chance) == expected
    assert who([], "7", may_mint=False, fresh=no_chance) == expected


def test_a_login_without_a_cookie_gets_one_and_joins_nothing() -> None:
    for cookies in ([], ["forged"]):
        assert who(cookies, "7") == Identity(
            visitor_id=FRESH_KNOWN, user_id="7", profile_id="u:7", is_new=True, consent=GRANTED
        )


@pytest.mark.parametrize("user_id", ["7", "8"])
@pytest.mark.parametrize("may_mint", [True, False])
def test_a_browser_where_a_login_was_seen_joins_nothing_whoever_logs_in(user_id: str, may_mint: bool) -> None:
    expected = Identity(visitor_id=KNOWN, user_id=user_id, profile_id=f"u:{user_id}", consent=GRANTED)
    assert who(signed(KNOWN), user_id, may_mint=may_mint, fresh=no_chance) == expected


def test_after_a_logout_the_browser_starts_afresh() -> None:
    assert who(signed(KNOWN)) == who([])
    assert who(signed(KNOWN), may_mint=False, fresh=no_chance) == Identity(consent=GRANTED)


def test_an_empty_login_is_no_login() -> None:
    assert who(signed(ANONYMOUS), "") == who(signed(ANONYMOUS))


def test_a_cookie_of_an_old_key_keeps_its_id_and_is_signed_again() -> None:
    old = Tokens(KEYS[:1])
    assert who([old.sign(ANONYMOUS)], fresh=no_chance).renews
    assert who([old.sign(KNOWN)], "7", fresh=no_chance).renews
    assert not who([old.sign(ANONYMOUS), *signed(ANONYMOUS)], fresh=no_chance).renews
    assert not who([old.sign(ANONYMOUS)], "7").renews


@dataclass
class Browser:
    """One browser on a shared computer, the site behind it, and what everybody told the site."""

    cookies: list[str] = field(default_factory=list)
    planted: list[str] = field(default_factory=list)
    user_id: str | None = None
    minted: int = 0
    told: int = 0
    rows: Rows = field(default_factory=lambda: Rows(projector()))
    log: list[Event] = field(default_factory=list)

    def visit(self, *, may_mint: bool, keeps_cookie: bool) -> Identity:
        """Open a page on which the visitor tells one thing."""
        identity = who(self.cookies, self.user_id, may_mint=may_mint, fresh=self._fresh)
        if identity.profile_id is not None:
            self.told += 1
            at = minutes(self.told)
            if identity.joins is not None:
                self._apply(join(identity.joins, identity.profile_id, at))
            told = {f"{identity.profile_id}#{self.told}": self.user_id or "nobody"}
            self._apply(event("set", identity.profile_id, at, told))
        if identity.is_new and keeps_cookie and identity.visitor_id is not None:
            self.cookies = signed(identity.visitor_id)
        self.planted.extend(self.cookies)
        return identity

    def _fresh(self) -> bytes:
        self.minted += 1
        return self.minted.to_bytes(16)

    def _apply(self, happened: Event) -> None:
        self.log.append(happened)
        self.rows.apply([happened])


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("login"), st.sampled_from(["1", "2", "3"])),
        st.tuples(st.just("logout"), st.none()),
        st.tuples(st.just("old cookie"), st.integers(0, 50)),
        st.tuples(st.just("visit"), st.tuples(st.booleans(), st.booleans())),
        st.tuples(st.just("visit"), st.just((True, True))),
    ),
    max_size=25,
)


def take(browser: Browser, step: str, how: object) -> None:
    """Do one step in the browser; an old cookie is one that it, or somebody who copied it, had before."""
    match step, how:
        case "login", str():
            browser.user_id = how
        case "logout", _:
            browser.user_id = None
        case "old cookie", int() if browser.planted:
            browser.cookies = [browser.planted[how % len(browser.planted)]]
        case "visit", (bool() as may_mint, bool() as keeps_cookie):
            browser.visit(may_mint=may_mint, keeps_cookie=keeps_cookie)


@given(STEPS)
def test_no_profile_ever_has_what_was_told_under_another_login(steps: list[tuple[str, object]]) -> None:
    browser = Browser()
    for step, how in steps:
        take(browser, step, how)
    for profile_id, profile in browser.rows.profiles().items():
        tellers = {stored.value for stored in profile.attributes.values()} - {"nobody"}
        assert tellers <= {profile_id.removeprefix("u:")}, profile_id


@given(STEPS)
def test_a_cookie_alone_never_leads_to_a_login_or_to_what_was_told_there(steps: list[tuple[str, object]]) -> None:
    browser = Browser()
    for step, how in steps:
        take(browser, step, how)
    profiles = browser.rows.profiles()
    for cookie in set(browser.planted):
        alone = who([cookie], may_mint=False)
        assert alone.profile_id is None or alone.profile_id.startswith("v:")
        known = profiles.get(alone.profile_id or "")
        assert known is None or {stored.value for stored in known.attributes.values()} <= {"nobody"}


@given(STEPS)
def test_an_anonymous_profile_goes_into_at_most_one_login(steps: list[tuple[str, object]]) -> None:
    browser = Browser()
    for step, how in steps:
        take(browser, step, how)
    owners: dict[str, set[str]] = {}
    for profile_id, profile in browser.rows.profiles().items():
        for name in profile.attributes:
            if profile_id.startswith("u:"):
                owners.setdefault(name.partition("#")[0], set()).add(profile_id)
    assert all(len(logins) == 1 for sender, logins in owners.items() if sender.startswith("v:"))
