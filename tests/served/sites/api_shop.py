"""A site whose API is asked oftener than one caller ever would: nobody is made to wait, and it waits for nobody."""

from starlette.applications import Starlette

from personalize import Scope, wrap
from personalize.api import access, reading
from personalize.api import app as the_api
from tests.trust.trials import IS_LONG

access.BAD_TOKENS = access.CALLS_OF_VISITOR = access.CALLS_OF_ADDRESS = the_api.MISSES = 10_000_000
# Bodies that never end are sent to it, and in a long run others to a machine that has little time for them.
reading.PATIENCE_SECONDS = 5.0 if IS_LONG else 1.0


def login(scope: Scope) -> str | None:
    """The login of a request, by a header."""
    return next((value.decode() for name, value in scope["headers"] if name == b"x-login"), None)


app = wrap(Starlette(), login=login)
