"""Our own pages under the site's prefix: the consent form's answer, and how we are doing."""

from importlib.util import find_spec

from starlette.applications import Starlette
from starlette.routing import Route

from personalize.pages.consent import ConsentEndpoint
from personalize.pages.health import HealthEndpoint
from personalize.runtime.personalizer import Personalizer


def pages_app(personalizer: Personalizer) -> Starlette:
    """An ASGI app that answers under `settings.prefix`."""
    prefix = personalizer.settings.prefix
    routes = [
        Route(f"{prefix}/consent", ConsentEndpoint(personalizer), methods=["POST"]),
        Route(f"{prefix}/health", HealthEndpoint(personalizer), methods=["GET"]),
    ]
    if find_spec("prometheus_client") is not None:
        from personalize.pages.metrics import MetricsEndpoint  # noqa: PLC0415 - an extra: `personalize[prometheus]`

        routes.append(Route(f"{prefix}/metrics", MetricsEndpoint(personalizer), methods=["GET"]))
    return Starlette(routes=routes)
