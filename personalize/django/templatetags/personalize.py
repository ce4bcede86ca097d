"""The slot tag for Django's templates, behind `{% load personalize %}`.

As in Jinja it decides nothing and reads nothing, no request either: it writes the default between two marks. So it
works in sync and async views, in templates that are rendered without a request, and inside `{% cache %}`. The marks
carry the token that `teach` has left with the engine; where nobody taught it, as in a process that serves
without personalize, the default stands there alone.
"""

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.utils.safestring import SafeString, mark_safe

from personalize.web.html.marks import SLOT_ID, TOKEN_ATTRIBUTE, close_mark, marks_are_written, open_mark

register = template.Library()


class SlotNode(template.Node):
    """A slot of a template: its name, which may be worked out, and its default."""

    def __init__(self, name: FilterExpression, nodelist: NodeList) -> None:
        self.name = name
        self.nodelist = nodelist

    def render(self, context: Any) -> SafeString:
        """The default between its marks; without them where the name, once worked out, is none."""
        inside = self.nodelist.render(context)
        token = getattr(context.template.engine, TOKEN_ATTRIBUTE, None)
        slot_id = str(self.name.resolve(context))
        if token is None or SLOT_ID.fullmatch(slot_id) is None or not marks_are_written():
            return inside
        return mark_safe(f"{open_mark(token, slot_id)}{inside}{close_mark(token)}")


@register.tag
def slot(parser: Parser, token: Token) -> SlotNode:
    """`{% slot "home-hero" %}the site's own{% endslot %}`; the name may be any expression.

    A name that no slot can have is a TemplateSyntaxError where it is written out.
    """
    words = token.split_contents()
    if len(words) != 2:
        raise template.TemplateSyntaxError(f'slot takes one name, as in {{% slot "home-hero" %}}, not {len(words) - 1}')
    name = parser.compile_filter(words[1])
    if not name.filters and isinstance(name.var, str):
        _check(name.var)
    nodelist = parser.parse(("endslot",))
    parser.delete_first_token()
    return SlotNode(name, nodelist)


def _check(slot_id: str) -> None:
    try:
        open_mark("", slot_id)
    except ValueError as error:
        raise template.TemplateSyntaxError(str(error)) from error
