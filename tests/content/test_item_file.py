"""What an editor or visitor wrote is shown, and never does anything."""

import json
import re
from collections.abc import Callable, Iterable
from html import escape

import pytest

from personalize.content.item import ContentItem
from tests.content.shelf import attribute_of, lines_of, load, load_one, parsed, skeleton, text_of

TEMPLATE_PAYLOADS = lines_of("template_injection.txt")
MARKUP_PAYLOADS = lines_of("markup_injection.txt")
ALL_PAYLOADS = [*TEMPLATE_PAYLOADS, *MARKUP_PAYLOADS]

TYPED_FIELDS = ("price", "weight", "sale", "day", "size", "image", "url")
ELEMENTS_OF_THE_TEMPLATE = frozenset({"article", "h2", "img", "i", "div", "a", "p"})
ALLOWED_IN_BODIES = frozenset(
    {
        *(
            "b",
            "span",
            "section",
            "h1",
            "h3",
            "br",
            "hr",
            "strong",
            "em",
            "code",
            "pre",
            "blockquote",
            "ul",
            "ol",
            "li",
        ),
        *("table", "thead", "tbody", "tr", "td", "th", "details", "summary", "q", "del", "s"),
    }
)
ALLOWED_ATTRIBUTES = frozenset({"title", "alt", "src", "href", "rel", "class", "open", "target"})
SCHEME = re.compile(r"[\x00-\x20]*([a-z][a-z0-9+.\t\n\r-]*):", re.IGNORECASE)


def items_of(payloads: Iterable[str], text: Callable[[str], str], suffix: str = "md") -> dict[str, ContentItem]:
    """The item that each payload makes, all loaded at once; `text` makes a file of a payload."""
    by_id = {f"offers/p{number}": payload for number, payload in enumerate(payloads)}
    library, problems = load({f"{item_id}.{suffix}": text(payload) for item_id, payload in by_id.items()})
    assert not problems.has_errors, "\n".join(map(str, problems.list))
    return {payload: library.items[item_id] for item_id, payload in by_id.items()}


def in_every_text_field(payload: str) -> str:
    quoted = json.dumps(payload, ensure_ascii=False)
    return (
        f"---\ntitle: {quoted}\nbadge: {quoted}\nimage: {{src: /a.png, alt: {quoted}}}\n---\n"
        "{{ item.badge }} and {{ item.title }}\n"
    )


def no_new_thing(markup: str, more: frozenset[str] = frozenset()) -> list[str]:
    """What a browser would find in the markup beyond words, harmless elements and plain addresses."""
    wrong = []
    for node in parsed(f'<div id="ours">{markup}</div><footer></footer>').css("#ours *"):
        wrong += [f"<{node.tag}>"] if node.tag not in ELEMENTS_OF_THE_TEMPLATE | more else []
        for name, value in node.attributes.items():
            wrong += [f"{name} of <{node.tag}>"] if name not in ALLOWED_ATTRIBUTES else []
            wrong += [f"{name}={value}"] if name in ("href", "src") and runs(value or "") else []
    after = parsed(f'<div id="ours">{markup}</div><footer></footer>').css("#ours > article ~ *, #ours + footer")
    return wrong if [node.tag for node in after] == ["footer"] else [*wrong, "the template was left"]


def runs(address: str) -> bool:
    scheme = SCHEME.match(address)
    return scheme is not None and scheme[1].lower() not in ("http", "https", "mailto")


def test_the_case_files_hold_as_many_attacks_as_promised() -> None:
    assert len(set(TEMPLATE_PAYLOADS)) >= 150
    assert len(set(MARKUP_PAYLOADS)) >= 120


def test_the_look_at_the_page_sees_what_it_should() -> None:
    assert no_new_thing('<article><p title="x">x</p></article>') == []
    assert no_new_thing("<article><script>1</script></article>") == ["<script>"]
    assert no_new_thing("<article><p onclick=a>x</p></article>") == ["onclick of <p>"]
    assert no_new_thing('<article><a href="java\nscript:a">x</a></article>') == ["href=java\nscript:a"]
    assert no_new_thing("<article></article></div><p>x</p>") == ["the template was left"]


def test_what_looks_like_a_template_stands_in_a_markdown_body_as_written() -> None:
    items = items_of(TEMPLATE_PAYLOADS, lambda payload: f"---\ntitle: T\n---\nBefore {payload} after\n")
    shown = {payload: text_of(item.rendering.markup({}), "div > p") for payload, item in items.items()}
    assert shown == {payload: f"Before {payload} after" for payload in items}
    assert not any(item.rendering.is_personal for item in items.values())


def test_what_looks_like_a_template_stands_in_an_html_body_as_written() -> None:
    items = items_of(
        TEMPLATE_PAYLOADS,
        lambda payload: f'---\ntitle: T\n---\n<p title="{escape(payload)}">{escape(payload)}</p>\n',
        "html",
    )
    for payload, item in items.items():
        markup = item.rendering.markup({})
        assert text_of(markup, "div > p") == payload
        assert attribute_of(markup, "div > p", "title") == payload


@pytest.mark.parametrize("payloads", [TEMPLATE_PAYLOADS, MARKUP_PAYLOADS], ids=["templates", "markup"])
def test_whatever_is_written_into_a_text_field_stands_on_the_page_as_written(payloads: list[str]) -> None:
    for payload, item in items_of(payloads, in_every_text_field).items():
        markup = item.rendering.markup({})
        assert text_of(markup, "h2") == payload
        assert attribute_of(markup, "article", "title") == payload
        assert attribute_of(markup, "img", "alt") == payload
        assert text_of(markup, "div > p") == f"{payload} and {payload}"
        assert no_new_thing(markup) == [], payload


@pytest.mark.parametrize("field", TYPED_FIELDS)
def test_a_typed_field_takes_nothing_of_the_kind(field: str) -> None:
    by_id = {f"offers/p{number}": payload for number, payload in enumerate(ALL_PAYLOADS)}
    library, problems = load(
        {f"{key}.md": f"---\ntitle: T\n{field}: {json.dumps(text)}\n---\n" for key, text in by_id.items()}
    )
    assert {each.code for each in problems.list} == {"E425"}
    assert len(problems) + len(library.items) == len(by_id)
    for item_id, item in library.items.items():
        address = attribute_of(item.rendering.markup({}), "a, img", "href" if field == "url" else "src")
        assert field in ("url", "image")
        assert address == by_id[item_id]
        assert re.match(r"[?#]|/(?![/\\])", address)
        assert no_new_thing(item.rendering.markup({})) == []


def test_what_a_visitor_is_called_is_a_text_and_never_read_again() -> None:
    item = load_one(
        'title: "{{ visitor.first_name | a }}"\nbadge: "{{ visitor.first_name | b }}"',
        "Hello {{ visitor.first_name | c }}, {{ visitor.town | d }}\n\n![{{ visitor.first_name }}](/a.png)",
    )
    for payload in ALL_PAYLOADS:
        markup = item.rendering.markup({"first_name": payload, "town": "{{ visitor.first_name }}"})
        assert text_of(markup, "h2") == payload
        assert attribute_of(markup, "article", "title") == payload
        assert attribute_of(markup, "div img", "alt") == payload
        assert text_of(markup, "div > p") == f"Hello {payload}, {{{{ visitor.first_name }}}}"
        assert skeleton(markup) == skeleton(item.rendering.markup({}))


def test_a_fallback_is_a_text_like_any_other() -> None:
    payloads = [
        payload for payload in MARKUP_PAYLOADS if not re.search(r"[{}&]", payload) and payload.strip() == payload
    ]
    assert len(payloads) > 200
    items = items_of(payloads, lambda payload: f"---\ntitle: T\n---\n{{{{ visitor.town | {payload} }}}}\n")
    for payload, item in items.items():
        assert text_of(item.rendering.markup({}), "div > p") == payload
        assert no_new_thing(item.rendering.markup({})) == [], payload


@pytest.mark.parametrize("suffix", ["md", "html"])
def test_a_body_brings_no_element_handler_or_address_that_runs(suffix: str) -> None:
    items = items_of(MARKUP_PAYLOADS, lambda payload: f"---\ntitle: T\n---\n{payload}\n", suffix)
    wrong = {payload: no_new_thing(item.rendering.markup({}), ALLOWED_IN_BODIES) for payload, item in items.items()}
    assert {payload: things for payload, things in wrong.items() if things} == {}
