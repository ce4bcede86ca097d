"""What cookies tell of a browser is what they would tell alone, however often they were read before."""

from collections.abc import Sequence

import pytest

from personalize.runtime.sources import CookieConsent
from personalize.visitors.browser import Browser, Browsers
from personalize.visitors.consent import UNKNOWN, granting
from personalize.visitors.cookies import LONGEST_REMEMBERED, CookieNames
from personalize.visitors.identity import Identity
from personalize.visitors.tokens import KNOWN, Tokens, visitor_id_from

ID = visitor_id_from(b"sixteen bytes, a")
OTHER = visitor_id_from(b"sixteen bytes, b")
LOGGED_OUT = visitor_id_from(b"sixteen bytes, c", KNOWN)
AGREED = "measure.personalize"
NAMES = (CookieNames("pz", "pz_consent", "pz_arm"), CookieNames("__Host-pz", "__Host-pz_consent", "__Host-pz_arm"))
CONSENT = CookieConsent("pz_consent", ("measure", "personalize"))
OLD, NEW = Tokens(["an old key"]), Tokens(["an old key", "a new key"])


def browsers(tokens: Tokens = OLD) -> Browsers:
    return Browsers(NAMES, tokens, CONSENT.decided)


def cookies(decision: str, *ids: str, before: str = "") -> bytes:
    return "; ".join([f"{before}pz_consent={decision}", *(f"{before}pz={one}" for one in ids), "session=x"]).encode()


def twice(known: Browsers, sent: bytes, *, is_secure: bool = False) -> Browser:
    """What is told of cookies, which is the same when they come again."""
    first, again = (known.of(sent, is_secure) for _ in range(2))
    assert first == again
    return first


def test_a_signed_id_and_a_decision_tell_who_looks() -> None:
    agreed = granting(["measure", "personalize"])
    found = twice(browsers(), cookies(AGREED, OLD.sign(ID)))
    assert found.decision == agreed
    assert found.identity == Identity(ID, profile_id=f"v:{ID}", consent=agreed)


def test_by_https_other_cookies_are_ours() -> None:
    known, sent = browsers(), cookies(AGREED, OLD.sign(ID), before="__Host-")
    assert (twice(known, sent).decision, twice(known, sent).ids) == (UNKNOWN, ())
    secure = twice(known, sent, is_secure=True).identity
    assert secure is not None and secure.visitor_id == ID


@pytest.mark.parametrize(
    "ids", [(), (f"{ID}.forged",), (OLD.sign(ID), OLD.sign(OTHER)), (OLD.sign(LOGGED_OUT),)], ids=str
)
def test_where_an_id_has_to_be_drawn_nobody_is_told(ids: Sequence[str]) -> None:
    assert twice(browsers(), cookies(AGREED, *ids)).identity is None


def test_a_key_that_was_replaced_is_seen_at_once() -> None:
    sent = cookies(AGREED, OLD.sign(ID))
    before, while_both, after = (twice(browsers(one), sent).identity for one in (OLD, NEW, Tokens(["a new key"])))
    assert before is not None and while_both is not None
    assert (before.renews, while_both.renews, after) == (False, True, None)


def test_who_refuses_has_no_id_and_who_lets_us_measure_has_an_arm() -> None:
    refused = twice(browsers(), cookies("no", OLD.sign(ID))).identity
    assert refused is not None and (refused.profile_id, refused.leaves) == (None, True)
    arm = twice(browsers(), cookies("measure") + b"; pz_arm=7")
    assert arm.identity is not None and (arm.identity.arm, arm.identity.profile_id) == ("a:7", None)
    assert twice(browsers(), cookies("measure")).identity is None


def test_more_cookies_than_are_remembered_are_read_each_time() -> None:
    sent = cookies(AGREED, OLD.sign(ID)) + b"; other=" + b"x" * LONGEST_REMEMBERED
    first, again = (browsers().of(sent, False).identity for _ in range(2))
    assert first == again and first is not None and first.visitor_id == ID
