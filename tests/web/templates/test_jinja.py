"""The slot tag and function: the default between two marks, in every kind of environment."""

import asyncio

import pytest
from jinja2 import DictLoader, Environment, TemplateSyntaxError
from markupsafe import Markup

from personalize.web.html.marks import close_mark, open_mark, without_marks
from personalize.web.templates.jinja import install

TOKEN = "0123456789abcdef0123"
HERO, ROW, END = open_mark(TOKEN, "hero"), open_mark(TOKEN, "row"), close_mark(TOKEN)


def environment(*, enable_async: bool = False, autoescape: bool = True, **templates: str) -> Environment:
    made = Environment(loader=DictLoader(templates), enable_async=enable_async, autoescape=autoescape)
    install(made, token=TOKEN)
    return made


def test_the_default_stands_between_the_marks() -> None:
    page = environment().from_string("a{% slot 'hero' %}<b>{{ x }}</b>{% endslot %}z")
    assert page.render(x="<") == f"a{HERO}<b>&lt;</b>{END}z"


@pytest.mark.parametrize("autoescape", [True, False])
def test_a_default_that_is_written_out_stays_as_it_is(autoescape: bool) -> None:
    page = environment(autoescape=autoescape).from_string(
        "{% slot x %}<b>&amp;{# nobody sees it #}{% endslot %}{% slot x %}{% endslot %}"
    )
    assert page.render(x="hero") == f"{HERO}<b>&amp;{END}{HERO}{END}"
    with without_marks():
        assert page.render(x="hero") == "<b>&amp;"


def test_an_async_environment_writes_the_same() -> None:
    page = environment(enable_async=True).from_string("{% slot 'hero' %}{{ x }}{% endslot %}{{ slot('row', x) }}")

    async def render() -> str:
        return await page.render_async(x="<")

    assert asyncio.run(render()) == f"{HERO}&lt;{END}{ROW}&lt;{END}"


def test_the_function_escapes_its_default_where_the_template_escapes() -> None:
    text = "{{ slot('hero', x) }}{{ slot('row') }}"
    assert environment().from_string(text).render(x="<i>") == f"{HERO}&lt;i&gt;{END}{ROW}{END}"
    assert environment().from_string(text).render(x=Markup("<i>")) == f"{HERO}<i>{END}{ROW}{END}"
    assert environment(autoescape=False).from_string(text).render(x="<i>") == f"{HERO}<i>{END}{ROW}{END}"


@pytest.mark.parametrize("autoescape", [True, False])
def test_what_the_function_gives_is_joined_as_any_other_value(autoescape: bool) -> None:
    page = environment(autoescape=autoescape).from_string("{{ x + slot('hero', x) + x }}")
    assert page.render(x=Markup("<i>") if autoescape else "<i>") == f"<i>{HERO}<i>{END}<i>"


def test_a_name_may_be_worked_out() -> None:
    page = environment().from_string("{% for x in names %}{% slot x %}{{ loop.index }}{% endslot %}{% endfor %}")
    assert page.render(names=["hero", "row"]) == f"{HERO}1{END}{ROW}2{END}"


def test_a_worked_out_name_that_is_none_leaves_the_default() -> None:
    page = environment().from_string("{% slot x %}a{% endslot %}{{ slot(x, 'b') }}")
    assert page.render(x="--> no name") == "ab"


@pytest.mark.parametrize("name", ["Hero", "", "a b", "-a", "x" * 65, "-->"])
def test_a_written_name_that_is_none_is_told_with_its_line(name: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="can't be the name of a slot") as caught:
        environment().from_string(f"a\nb{{% slot '{name}' %}}c{{% endslot %}}")
    assert caught.value.lineno == 2


def test_a_slot_without_its_end_is_told() -> None:
    with pytest.raises(TemplateSyntaxError, match="endslot"):
        environment().from_string("{% slot 'hero' %}a")


def test_slots_stand_in_blocks_macros_and_calls_as_anything_else() -> None:
    made = environment(
        layout="{% slot 'hero' %}{% block main %}{% endblock %}{% endslot %}",
        page="{% extends 'layout' %}"
        "{% macro card() %}{% slot 'row' %}{{ caller() }}{% endslot %}{% endmacro %}"
        "{% block main %}{% call card() %}x{% endcall %}{% endblock %}",
    )
    assert made.get_template("page").render() == f"{HERO}{ROW}x{END}{END}"
