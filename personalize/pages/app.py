"""Our own pages under the site's prefix: the consent form's answer, and how we are doing."""

from importlib.util import find_spec

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from personalize.pages.consent import ConsentEndpoint
from personalize.pages.gpc import GpcResource
from personalize.pages.health import HealthEndpoint
from personalize.pages.till import TillPage
from personalize.pages.you import Translate, YourPage, as_written
from personalize.privacy_settings import GPC_RESOURCE
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.sources import Authorizer


class Pages:
    """An ASGI app for the addresses of its own, nearly all of them below `settings.prefix`; any other is the site's."""

    def __init__(
        self, personalizer: Personalizer, translate: Translate = as_written, staff: Authorizer | None = None
    ) -> None:
        prefix = personalizer.settings.prefix
        routes = [
            Route(f"{prefix}/consent", ConsentEndpoint(personalizer), methods=["POST"]),
            Route(f"{prefix}/you", YourPage(translate)),
            Route(f"{prefix}/health", HealthEndpoint(personalizer), methods=["GET"]),
        ]
        if staff is not None:
            routes.append(Route(f"{prefix}/till", TillPage(personalizer, staff)))
        if (since := personalizer.settings.privacy.gpc_since) is not None:
            routes.append(Route(GPC_RESOURCE, GpcResource(since).answer, methods=["GET"]))
        if find_spec("prometheus_client") is not None:
            from personalize.pages.metrics import MetricsEndpoint  # noqa: PLC0415 - an extra: `personalize[prometheus]`

            routes.append(Route(f"{prefix}/metrics", MetricsEndpoint(personalizer), methods=["GET"]))
        self._paths = frozenset(route.path for route in routes)
        self._app = Starlette(routes=routes)

    def serves(self, path: str) -> bool:
        """Whether this path, as the site knows it, is one of ours."""
        return path in self._paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await self._app(scope, receive, send)
