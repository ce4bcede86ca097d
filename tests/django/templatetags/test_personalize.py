"""Django's slot tag: the default between two marks, wherever a template is rendered."""

import pytest
from django.template import Context, Engine, TemplateSyntaxError
from django.template.backends.jinja2 import Jinja2

from personalize.web.html.marks import close_mark, open_mark
from personalize.web.templates.template_engines import teach

TOKEN = "0123456789abcdef0123"
HERO, ROW, END = open_mark(TOKEN, "hero"), open_mark(TOKEN, "row"), close_mark(TOKEN)
TAGS = {"personalize": "personalize.django.templatetags.personalize", "cache": "django.templatetags.cache"}


def engine(*, taught: bool = True, **templates: str) -> Engine:
    """An engine that knows these templates."""
    loaders = [("django.template.loaders.locmem.Loader", templates)]
    made = Engine(libraries=TAGS, builtins=[TAGS["personalize"]], loaders=loaders)
    if taught:
        teach(made, token=TOKEN)
    return made


def rendered(text: str, *, taught: bool = True, **values: object) -> str:
    return str(engine(taught=taught).from_string(text).render(Context(values)))


def test_the_default_stands_between_the_marks_and_is_escaped_as_anywhere() -> None:
    text = "{% load personalize %}a{% slot 'hero' %}<b>{{ x }}</b>{% endslot %}z"
    assert rendered(text, x="<") == f"a{HERO}<b>&lt;</b>{END}z"


def test_a_name_may_be_worked_out() -> None:
    text = "{% for x in names %}{% slot x|lower %}{{ forloop.counter }}{% endslot %}{% endfor %}"
    assert rendered(text, names=["HERO", "row"]) == f"{HERO}1{END}{ROW}2{END}"


def test_a_worked_out_name_that_is_none_leaves_the_default() -> None:
    assert rendered("{% slot x %}a{% endslot %}{% slot y %}b{% endslot %}", x="--> no name") == "ab"


def test_where_nobody_taught_the_engine_the_default_stands_alone() -> None:
    assert rendered("a{% slot 'hero' %}b{% endslot %}z", taught=False) == "abz"


def test_slots_stand_in_layouts_and_inclusions_as_anything_else() -> None:
    made = engine(
        layout="{% slot 'hero' %}{% block main %}{% endblock %}{% endslot %}",
        part="{% slot 'row' %}{{ x }}{% endslot %}",
        page="{% extends 'layout' %}{% block main %}{% include 'part' with x=1 only %}{% endblock %}",
    )
    assert made.get_template("page").render(Context()) == f"{HERO}{ROW}1{END}{END}"


def test_a_cached_part_keeps_its_marks_and_nothing_of_a_visitor() -> None:
    template = engine().from_string(
        "{% load cache %}{% cache 60 part %}{% slot 'hero' %}{{ x }}{% endslot %}{% endcache %}"
    )
    assert template.render(Context({"x": 1})) == template.render(Context({"x": 2})) == f"{HERO}1{END}"


@pytest.mark.parametrize("name", ["Hero", "", "a b", "-a", "x" * 65, "-->"])
def test_a_written_name_that_is_none_is_told_where_it_stands(name: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="can't be the name of a slot"):
        engine().from_string(f"{{% slot '{name}' %}}c{{% endslot %}}")


@pytest.mark.parametrize("words", ["", " 'hero' 'row'"])
def test_another_number_of_names_is_told(words: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="slot takes one name"):
        engine().from_string(f"{{% slot{words} %}}c{{% endslot %}}")


def test_a_slot_without_its_end_is_told() -> None:
    with pytest.raises(TemplateSyntaxError, match="endslot"):
        engine().from_string("{% slot 'hero' %}a")


def test_djangos_jinja_backend_has_an_environment_to_teach() -> None:
    backend = Jinja2({"NAME": "jinja2", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}})
    teach(backend.env, token=TOKEN)
    assert backend.from_string("{% slot 'hero' %}a{% endslot %}").render() == f"{HERO}a{END}"
