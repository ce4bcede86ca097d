"""The slot tag for Jinja: it writes the default between two marks and decides nothing.

So it needs no database in a template, works in sync and async environments alike, and nothing personal can end
up in the site's own caches.
"""

from collections.abc import Callable, Sequence
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
#: The filters that the tag is compiled to: the marks around a default that is worked out, or all of a slot.
_OPEN, _CLOSE, _WHOLE = "personalize_slot_open", "personalize_slot_close", "personalize_slot"


class SlotExtension(Extension):
    """`{% slot "home-hero" %}the site's own{% endslot %}`; the name may be any expression.

    A name that no slot can have is a TemplateSyntaxError where it is written out. Where it is worked out, the
    default stands there without marks.
    """

    tags = {"slot"}  # noqa: RUF012  the name and type that Jinja asks for

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The two marks around what stands in between, which is compiled where it stands; as one text if it is one."""
        line = next(parser.stream).lineno
        name = parser.parse_expression()
        if isinstance(name, nodes.Const):
            _check(parser, name.value, line)
        body = parser.parse_statements(("name:endslot",), drop_needle=True)
        default = _written(body)
        if default is not None:
            return [_output(_WHOLE, name, line, nodes.Const(default))]
        return [_output(_OPEN, name, line), *body, _output(_CLOSE, name, line)]


def _output(mark: str, name: nodes.Expr, line: int, *arguments: nodes.Expr) -> nodes.Node:
    """Puts out what this filter makes of the name of a slot."""
    marked = nodes.Filter(name, mark, list(arguments), [], None, None, lineno=line)
    return nodes.Output([marked]).set_lineno(line)


def _written(body: Sequence[nodes.Node]) -> str | None:
    """The text of a default that is written out; None for one that is worked out."""
    texts: list[str] = []
    for node in body:
        for child in node.nodes if isinstance(node, nodes.Output) else (node,):
            if not isinstance(child, nodes.TemplateData):
                return None
            texts.append(child.data)
    return "".join(texts)


def install(environment: Environment, *, token: str) -> None:
    """Teach an environment the slot tag, and `slot(name, default="")` for expressions.

    `token` is that of the installation (`marks.token_of`). A default in an expression is escaped as any other
    value of the template is.
    """
    environment.add_extension(SlotExtension)
    environment.filters |= {_OPEN: _mark(token, 0), _CLOSE: _mark(token, 1), _WHOLE: _slot(token)}
    environment.globals["slot"] = _slot_function(token)


def _mark(token: str, place: int) -> Callable[[Context, object], Markup]:
    """The filter that makes a mark of a slot's name: Jinja calls filters at a third of the cost of methods. It asks
    for the context, so that no mark is worked out where a template is compiled, for all keys and pages."""

    @pass_context
    def mark(_context: Context, slot_id: object) -> Markup:
        return _marks(token, str(slot_id))[place] if marks_are_written() else _NO_MARKS[place]

    return mark


def _slot(token: str) -> Callable[[Context, object, str], Markup]:
    """The filter that makes a whole slot of its name and a default that is the template's own."""

    @pass_context
    def slot(_context: Context, slot_id: object, default: str) -> Markup:
        return _whole(token, str(slot_id), default) if marks_are_written() else Markup(default)

    return slot


def _slot_function(token: str) -> Callable[..., str]:
    @pass_eval_context
    def slot(eval_context: EvalContext, slot_id: object, default: object = "") -> str:
        inside = escape(default) if eval_context.autoescape else str(default)
        opening, closing = _marks(token, str(slot_id)) if marks_are_written() else _NO_MARKS
        whole = f"{opening}{inside}{closing}"
        # As Jinja's own functions do: markup would escape what a template that escapes nothing joins it with.
        return Markup(whole) if eval_context.autoescape else whole

    return slot


@lru_cache(maxsize=_REMEMBERED)
def _marks(token: str, slot_id: str) -> tuple[Markup, Markup]:
    """The marks of this slot, empty for what no slot can be called. Templates are filled again and again with the same
    ones."""
    if SLOT_ID.fullmatch(slot_id) is None:
        return _NO_MARKS
    return Markup(open_mark(token, slot_id)), Markup(close_mark(token))


@lru_cache(maxsize=_REMEMBERED)
def _whole(token: str, slot_id: str, default: str) -> Markup:
    """The default between the marks of this slot."""
    opening, closing = _marks(token, slot_id)
    return Markup(f"{opening}{default}{closing}")


def _check(parser: Parser, slot_id: object, line: int) -> None:
    try:
        open_mark("", str(slot_id))
    except ValueError as error:
        parser.fail(str(error), line)
