"""Each engine is taught its own slot tag, and what is none is sent where there is one."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.template import Engine
from jinja2 import Environment

from personalize.web.html.marks import TOKEN_ATTRIBUTE, close_mark, open_mark
from personalize.web.templates.template_engines import teach

TOKEN = "0123456789abcdef0123"


def test_a_jinja_environment_learns_tag_and_function() -> None:
    environment = Environment()
    teach(environment, token=TOKEN)
    slot = f"{open_mark(TOKEN, 'hero')}a{close_mark(TOKEN)}"
    assert environment.from_string("{% slot 'hero' %}a{% endslot %}{{ slot('hero', 'a') }}").render() == slot * 2


def test_djangos_engine_keeps_the_token_for_its_tag() -> None:
    engine = Engine()
    teach(engine, token=TOKEN)
    assert getattr(engine, TOKEN_ATTRIBUTE) == TOKEN


@pytest.mark.parametrize("inside", ["env", "engine", "jinja_env"])
def test_what_holds_an_engine_is_told_which_part_is_meant(inside: str) -> None:
    holder = SimpleNamespace(**{inside: Environment()})
    with pytest.raises(TypeError, match=rf"this is SimpleNamespace; give its \.{inside}$"):
        teach(cast("Any", holder), token=TOKEN)


def test_anything_else_is_refused() -> None:
    with pytest.raises(TypeError, match=r"a Jinja environment or Django's engine, and this is int$"):
        teach(cast("Any", 7), token=TOKEN)
