"""A planted bug: the site breaks where an address has a byte that is no letter."""

from personalize import Scope
from tests.served.sites import api_shop


async def app(scope: Scope, receive: object, send: object) -> None:
    """The site, behind something that decodes what it should not."""
    if scope["type"] == "http":
        scope.get("raw_path", b"").replace(b"%ff", b"\xff").decode()
    await api_shop.app(scope, receive, send)  # type: ignore[arg-type]
