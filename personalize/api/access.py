"""Who calls: a token that is good for the operation, or a page of the site for the visitor of its browser."""

from starlette.types import Scope

from personalize.api.allowance import Allowance
from personalize.api.operation import Operation, Role
from personalize.api.refusal import Refused
from personalize.runtime.access import BROWSER_SENDER, AccessScope, Caller, TokenBook
from personalize.runtime.page_request import PageRequest
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.same_origin import is_same_origin
from personalize.runtime.visitor import Visitor

#: How many tokens that are none one address may try at once, and then in a minute.
BAD_TOKENS = 20
#: The same for what one visitor's browser sends, and for all that comes from one address.
CALLS_OF_VISITOR = 60
CALLS_OF_ADDRESS = 600

_BEARER = "bearer "
_LONGEST_TOKEN = 200


class Gate:
    """Lets callers in, and no guessing."""

    def __init__(self, personalizer: Personalizer) -> None:
        self._personalizer = personalizer
        self._book = TokenBook(personalizer.store, personalizer.clock)
        self._bad_tokens = Allowance(BAD_TOKENS)
        self._of_visitor = Allowance(CALLS_OF_VISITOR)
        self._of_address = Allowance(CALLS_OF_ADDRESS)

    async def caller(self, operation: Operation, scope: Scope) -> tuple[Caller, Visitor | None]:
        """Who calls, and for which visitor if it is a browser. Raises `Refused`."""
        if operation.who is Role.BROWSER:
            visitor = await self._browser(scope)
            return Caller(BROWSER_SENDER, frozenset()), visitor
        caller = await self._token(scope)
        if isinstance(operation.who, AccessScope) and not caller.may(operation.who):
            detail = f"this takes a token with the scope {operation.who}, and this one has {_listed(caller)}"
            raise Refused("missing_scope", detail)
        return caller, None

    async def _token(self, scope: Scope) -> Caller:
        said = [value for name, value in scope["headers"] if name == b"authorization"]
        text = said[0].decode("latin-1") if len(said) == 1 else ""
        if text[: len(_BEARER)].lower() != _BEARER:
            hint = "send the header Authorization: Bearer pzt_…; personalize token create makes one"
            raise Refused("no_token", "no token was sent", hint=hint)
        shown = text[len(_BEARER) :].strip()
        caller = await self._book.caller(shown) if len(shown) <= _LONGEST_TOKEN else None
        if caller is None:
            # Whoever shows a good one is let in, whatever others behind the same address have tried.
            if (seconds := self._bad_tokens.take(_address(scope))) is not None:
                detail = f"{BAD_TOKENS} tokens from this address were none of ours"
                raise Refused("too_often", detail, retry_after_seconds=seconds)
            raise Refused("unknown_token", "this token was never made, has expired, or was revoked")
        return caller

    async def _browser(self, scope: Scope) -> Visitor:
        """The visitor of the browser that one of the site's own pages runs in."""
        if not is_same_origin(scope["headers"]):
            raise Refused("not_same_origin", "a page of this site has to send it, from its own origin")
        if (seconds := self._of_address.take(_address(scope))) is not None:
            raise Refused("too_often", "so much comes from this address", retry_after_seconds=seconds)
        personalizer = self._personalizer
        visitor = Visitor(personalizer, PageRequest(scope), personalizer.clock.now())
        if visitor.identity.profile_id is None or not (await visitor.settled_consent()).permits_identifier:
            detail = "the browser has no cookie of ours, or its visitor has not agreed to be remembered"
            raise Refused("no_visitor", detail)
        if (seconds := self._of_visitor.take(visitor.identity.profile_id)) is not None:
            raise Refused("too_often", "so much comes from this browser", retry_after_seconds=seconds)
        return visitor


def _listed(caller: Caller) -> str:
    return ", ".join(sorted(caller.scopes)) or "none"


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""
