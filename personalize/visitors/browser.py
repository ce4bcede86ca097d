"""What our own cookies tell of a browser, read once for all the pages that it asks for with the same ones."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from personalize.visitors.consent import Consent
from personalize.visitors.cookies import LONGEST_REMEMBERED, CookieNames, values_in
from personalize.visitors.identity import Identity, identify
from personalize.visitors.tokens import Tokens

_REMEMBERED: Final = 4_096


class Browser(NamedTuple):
    """What the cookies of a request tell: the values of the one with a visitor's id, those of the one with an arm, the
    decision, and who looks by these where nobody is logged in; None where that has to be drawn by chance. `is_told_all`
    says that such a browser has every cookie that it is to have, and none else."""

    ids: Sequence[str]
    arms: Sequence[str]
    decision: Consent
    identity: Identity | None
    is_told_all: bool


class Browsers:
    """Reads our cookies, which have these `names` by whether a request came by https; `decided` reads the decision.

    What is remembered goes by the cookies as they were sent, and by the keys of the `tokens`, which never change: a
    cookie that was signed with a key of before, or by nobody, is read as it would be alone.
    """

    def __init__(self, names: Sequence[CookieNames], tokens: Tokens, decided: Callable[[bytes, bool], Consent]) -> None:
        self.names = names
        self._tokens = tokens
        self._decided = decided
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._read)

    def of(self, cookies: bytes, is_secure: bool) -> Browser:
        """What these cookies tell, all of a request as they stand in one header; never raises."""
        read = self._remembered if len(cookies) <= LONGEST_REMEMBERED else self._read
        return read(cookies, is_secure)

    def _read(self, cookies: bytes, is_secure: bool) -> Browser:
        names, decision = self.names[is_secure], self._decided(cookies, is_secure)
        ids, arms = values_in(cookies, names.visitor), values_in(cookies, names.arm)
        drawn: list[None] = []
        identity = identify(
            cookie_values=ids,
            user_id=None,
            consent=decision,
            tokens=self._tokens,
            fresh=lambda: drawn.append(None),
            arm_values=arms if decision.only_measures else (),
        )
        is_told_all = not (drawn or arms or decision.is_news or identity.leaves or identity.renews)
        return Browser(ids, arms, decision, None if drawn else identity, is_told_all)
