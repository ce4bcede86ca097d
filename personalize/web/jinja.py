"""The slot tag for Jinja: it writes the default between two marks and decides nothing.

So it needs no database in a template, works in sync and async environments alike, and nothing personal can end
up in the site's own caches.
"""

from collections.abc import Callable

from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup, escape

from personalize.web.marks import close_mark, open_mark

_TOKEN = "personalize_token"


class SlotExtension(Extension):
    """`{% slot "home-hero" %}the site's own{% endslot %}`; the name may be any expression."""

    tags = {"slot"}  # noqa: RUF012  the name and type that Jinja asks for

    def parse(self, parser: Parser) -> nodes.Node:
        """The tag as a call that gets the default as its block."""
        line = next(parser.stream).lineno
        name = parser.parse_expression()
        body = parser.parse_statements(("name:endslot",), drop_needle=True)
        if isinstance(name, nodes.Const):
            try:
                open_mark("", str(name.value))
            except ValueError as error:
                parser.fail(str(error), line)
        call = self.call_method("_marked", [name], lineno=line)
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _marked(self, slot_id: object, caller: Callable[[], str]) -> Markup:
        return _marked(str(getattr(self.environment, _TOKEN)), str(slot_id), caller())


def install(environment: Environment, *, token: str) -> None:
    """Teach an environment the slot tag, and `slot(name, default="")` for expressions."""
    setattr(environment, _TOKEN, token)
    environment.add_extension(SlotExtension)

    def slot(slot_id: str, default: object = "") -> Markup:
        return _marked(token, slot_id, str(escape(default)))

    environment.globals["slot"] = slot


def _marked(token: str, slot_id: str, default: str) -> Markup:
    return Markup(f"{open_mark(token, slot_id)}{default}{close_mark(token)}")
