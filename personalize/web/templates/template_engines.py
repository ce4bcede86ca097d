"""The template engines that can be taught the slot tag."""

from typing import Any, Protocol, TypeAlias, runtime_checkable

from jinja2 import Environment

from personalize.web.html.marks import TOKEN_ATTRIBUTE
from personalize.web.templates.jinja import install


@runtime_checkable
class DjangoEngine(Protocol):
    """`django.template.Engine`, as far as it shows without Django; the tag itself comes with `personalize.django`."""

    template_libraries: Any
    template_builtins: Any


TemplateEngine: TypeAlias = Environment | DjangoEngine


def teach(engine: TemplateEngine, *, token: str) -> None:
    """Make the slot tag of this engine write the marks of the installation with this token.

    Raises TypeError for what is neither a Jinja environment nor Django's engine, with the way to it where it is known.
    """
    if isinstance(engine, Environment):
        install(engine, token=token)
    elif isinstance(engine, DjangoEngine):
        setattr(engine, TOKEN_ATTRIBUTE, token)
    else:
        raise TypeError(_not_taught(engine))


def _not_taught(found: object) -> str:
    """What is wrong, and which part of what was found is meant: frameworks put engines into objects of their own."""
    inside = next((name for name in ("env", "engine", "jinja_env") if hasattr(found, name)), None)
    way_out = f"; give its .{inside}" if inside else ""
    return f"teach takes a Jinja environment or Django's engine, and this is {type(found).__name__}{way_out}"
