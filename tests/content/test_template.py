"""Developers' templates see the fields of an item, and nothing that they could break."""

import json
from datetime import UTC, date
from pathlib import Path

import jinja2
import pytest

from personalize.content.library import load_library
from personalize.problems import Problems
from tests.content.shelf import COLLECTIONS, load, load_one


def shown(template: str, front: str = "", body: str = "", **values: object) -> str:
    return load_one(f"title: A & B\n{front}", body, template=template).rendering.markup(values)


def test_a_template_writes_fields_escaped_and_the_body_as_it_is() -> None:
    front = "badge: <b>\nprice: 29.9\nurl: /a?b&c\ntags: [b, a]"
    names = ("title", "badge", "price", "url", "tags | join(' ')", "item_id", "body")
    template = "|".join(f"{{{{ item.{name} }}}}" for name in names)
    assert shown(template, front, "*x*") == (
        "A &amp; B|&lt;b&gt;|NOK 29.90|/a?b&amp;c|a b|offers/one|<p><em>x</em></p>\n"
    )


def test_an_image_has_an_address_and_words() -> None:
    template = '<img src="{{ item.image.src }}" alt="{{ item.image.alt }}"> {{ item.image }}'
    front = "image: {src: /a.png, alt: 'A \"tent\"'}"
    assert shown(template, front) == '<img src="/a.png" alt="A &#34;tent&#34;"> /a.png'


def test_fields_left_empty_are_false_and_write_nothing() -> None:
    template = (
        "[{{ item.badge }}{{ item.price }}{{ item.image }}{{ item.sale }}{% if item.badge or item.image %}x{% endif %}]"
    )
    assert shown(template) == "[]"
    assert shown("{{ item.badge or 'none' }}") == "none"


def test_typed_fields_keep_their_types() -> None:
    front = "weight: 1.5\nsale: true\nday: 2026-12-24"
    template = "{% if item.sale and item.weight > 1 %}{{ item.day.strftime('%d/%m') }} {{ item.day }}{% endif %}"
    assert shown(template, front) == f"24/12 {date(2026, 12, 24)}"


def test_a_text_with_a_placeholder_may_be_tested_kept_and_passed_on() -> None:
    front = "badge: 'Hi <{{ visitor.town | x }}>'"
    for template in (
        "{{ item.badge | safe }}!",
        "{% set words = item.badge %}{{ words }}!",
        "{% set words %}{{ item.badge }}{% endset %}{{ words }}!",
        "{% macro say(words) %}{{ words }}!{% endmacro %}{{ say(item.badge) }}",
        "{% if item.badge %}{{ item['badge'] }}!{% endif %}",
        "{{ '%s!' | safe | format(item.badge) }}",
    ):
        assert shown(template, front, town="Oslo") == "Hi &lt;Oslo&gt;!"


@pytest.mark.parametrize(
    "template",
    [
        "{{ item.badge ~ '!' }}",
        "{{ item.badge | upper }}",
        "{{ item.badge | truncate(3) }}",
        "{{ item.badge | length }}",
        "{{ item.badge | urlencode }}",
        "{{ item.badge | tojson }}",
        "{{ item.badge | trim }}",
        "{{ item.badge[:3] }}",
        "{{ item.badge.upper() }}",
        "{{ '%s' | format(item.badge) }}",
        "{% autoescape false %}{{ item.badge }}{% endautoescape %}",
        "{% filter upper %}{{ item.badge }}{% endfilter %}",
        "{% filter truncate(9, true) %}{{ item.badge }}{% endfilter %}",
        "{% filter replace('1', '2') %}{% filter replace('0', '9') %}{{ item.badge }}{% endfilter %}{% endfilter %}",
        "{{ item.body | striptags | truncate(6, true) }}",
        "{{ item.body | upper }}",
    ],
)
def test_a_template_that_would_spoil_a_placeholder_is_found_when_it_is_loaded(template: str) -> None:
    _, problems = load(
        {"offers/one.md": "---\ntitle: T\nbadge: Hi {{ visitor.town }}\n---\nBody {{ visitor.town }}"},
        {"offer.html": template},
    )
    assert [problem.code for problem in problems.list] in (["E417"], ["E435"])


def test_without_a_placeholder_filters_work_as_ever() -> None:
    template = "{{ item.title | upper }} {{ item.body | striptags | truncate(5, true, '', 0) }}"
    assert shown(template, "", "Hello world") == "A &amp; B Hello"


def test_a_template_cannot_be_made_to_read_values_as_templates() -> None:
    quoted = json.dumps("{{ item.title() }}{% if 1 %}")
    assert shown("{{ item.badge }}", f"badge: {quoted}") == "{{ item.title() }}{% if 1 %}"


def test_templates_may_include_and_extend_one_another() -> None:
    templates = {
        "offer.html": "{% extends 'frame.html' %}{% block inside %}{% include 'title.html' %}{% endblock %}",
        "frame.html": "<i>{% block inside %}{% endblock %}</i>",
        "title.html": "{{ item.title }}",
    }
    library, problems = load({"offers/one.md": "---\ntitle: T\n---\n"}, templates)
    assert not problems.list
    assert library.items["offers/one"].rendering.parts == ("<i>T</i>",)


def test_a_fault_is_told_with_the_file_and_line_of_the_template_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "offer.html").write_text("\n{% include 'inner.html' %}", encoding="utf-8")
    (tmp_path / "inner.html").write_text("\n\n{{ item.titel }}", encoding="utf-8")
    assert found_in(tmp_path) == [("E417", str(tmp_path / "inner.html"), 3)]
    (tmp_path / "inner.html").write_text("\n{% if %}", encoding="utf-8")
    assert found_in(tmp_path) == [("E417", str(tmp_path / "inner.html"), 2)]
    (tmp_path / "offer.html").write_bytes(b"\xff")
    assert found_in(tmp_path) == [("E415", "content/collections.yaml", 3)]
    (tmp_path / "offer.html").unlink()
    assert found_in(tmp_path) == [("E415", "content/collections.yaml", 3)]


def found_in(templates: Path) -> list[tuple[str, str | None, int | None]]:
    problems = Problems()
    load_library(
        {"content/collections.yaml": COLLECTIONS, "content/offers/one.md": "---\ntitle: T\n---\n"},
        templates=jinja2.FileSystemLoader(templates),
        zone=UTC,
        currency="NOK",
        currency_digits=2,
        attributes=(),
        problems=problems,
    )
    return [(problem.code, problem.file, problem.line) for problem in problems.list]
