"""A planted bug: the API answers what its description does not have."""

from starlette.requests import Request
from starlette.responses import Response

from personalize.api.app import Api
from tests.served.sites.api_shop import app

__all__ = ["app"]

_answered = Api._answered


async def surprising(self: Api, scope: Request, receive: object) -> Response:
    """As it is, but for what is new."""
    response = await _answered(self, scope, receive)  # type: ignore[arg-type]
    response.status_code = 206 if response.status_code == 201 else response.status_code
    return response


Api._answered = surprising  # type: ignore[method-assign, assignment]
