"""What our own pages have in common, whoever reads them: one style, headers that let in nothing else, no script."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.responses import Response

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "plain_page.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "cache-control": "no-store",
        "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }
)


class PlainPage:
    """One of our pages: the template of this name beside this file."""

    def __init__(self, template: str) -> None:
        loader = FileSystemLoader(_FOLDER)
        environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
        self._template = environment.get_template(template)

    def render(self, **values: object) -> str:
        """The page with these values, each escaped for where it stands, and our style."""
        return self._template.render(**values, style=Markup(_STYLE))


def as_plain(response: Response) -> Response:
    """The response with the headers of our pages: kept by nobody, framed by nobody, with our style alone."""
    response.headers.update(_HEADERS)
    return response
