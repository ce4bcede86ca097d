"""The slot tag for Jinja: it writes the default between two marks and decides nothing.

So it needs no database in a template, works in sync and async environments alike, and nothing personal can end
up in the site's own caches.
"""

from collections.abc import Callable
from functools import lru_cache

from jinja2 import Environment, nodes, pass_context, pass_eval_context
from jinja2.ext import Extension
from jinja2.nodes import EvalContext
from jinja2.parser import Parser
from jinja2.runtime import Context
from markupsafe import Markup, escape

from personalize.web.html.marks import SLOT_ID, close_mark, marks_are_written, open_mark

#: For so many slots the marks are made once.
_REMEMBERED = 1_000
_NO_MARKS = Markup(), Markup()
#: The filters that the tag is compiled to.
_OPEN, _CLOSE = "personalize_slot_open", "personalize_slot_close"


class SlotExtension(Extension):
    """`{% slot "home-hero" %}the site's own{% endslot %}`; the name may be any expression.

    A name that no slot can have is a TemplateSyntaxError where it is written out. Where it is worked out, the
    default stands there without marks.
    """

    tags = {"slot"}  # noqa: RUF012  the name and type that Jinja asks for

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The two marks around what stands in between, which is compiled where it stands."""
        line = next(parser.stream).lineno
        name = parser.parse_expression()
        if isinstance(name, nodes.Const):
            _check(parser, name.value, line)
        body = parser.parse_statements(("name:endslot",), drop_needle=True)
        opening, closing = (nodes.Filter(name, mark, [], [], None, None, lineno=line) for mark in (_OPEN, _CLOSE))
        return [
            nodes.Output([opening]).set_lineno(line),
            *body,
            nodes.Output([closing]).set_lineno(line),
        ]


def install(environment: Environment, *, token: str) -> None:
    """Teach an environment the slot tag, and `slot(name, default="")` for expressions.

    `token` is that of the installation (`marks.token_of`). A default in an expression is escaped as any other
    value of the template is.
    """
    environment.add_extension(SlotExtension)
    environment.filters |= {_OPEN: _mark(token, 0), _CLOSE: _mark(token, 1)}
    environment.globals["slot"] = _slot_function(token)


def _mark(token: str, place: int) -> Callable[[Context, object], Markup]:
    """The filter that makes a mark of a slot's name: Jinja calls filters at a third of the cost of methods. It asks
    for the context, so that no mark is worked out where a template is compiled, for all keys and pages."""

    @pass_context
    def mark(_context: Context, slot_id: object) -> Markup:
        return _around(token, slot_id)[place]

    return mark


def _slot_function(token: str) -> Callable[..., Markup]:
    @pass_eval_context
    def slot(eval_context: EvalContext, slot_id: object, default: object = "") -> Markup:
        inside = escape(default) if eval_context.autoescape else str(default)
        opening, closing = _around(token, slot_id)
        return Markup(f"{opening}{inside}{closing}")

    return slot


def _around(token: str, slot_id: object) -> tuple[Markup, Markup]:
    """The marks around the default of this slot, empty where none are written."""
    return _marks(token, str(slot_id)) if marks_are_written() else _NO_MARKS


@lru_cache(maxsize=_REMEMBERED)
def _marks(token: str, slot_id: str) -> tuple[Markup, Markup]:
    """The marks of this slot, empty for what no slot can be called. Templates are filled again and again with the same
    ones."""
    if SLOT_ID.fullmatch(slot_id) is None:
        return _NO_MARKS
    return Markup(open_mark(token, slot_id)), Markup(close_mark(token))


def _check(parser: Parser, slot_id: object, line: int) -> None:
    try:
        open_mark("", str(slot_id))
    except ValueError as error:
        parser.fail(str(error), line)
