"""Bodies become markup as their writers expect."""

import pytest

from tests.content.shelf import load_one

BODY_ONLY = "{{ item.body }}"


def markup(body: str, suffix: str = "md", front: str = "title: T", **values: object) -> str:
    return load_one(front, body, suffix=suffix, template=BODY_ONLY).rendering.markup(values).strip()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("", ""),
        (
            "One *two* **three** ~~four~~ `five`",
            "<p>One <em>two</em> <strong>three</strong> <s>four</s> <code>five</code></p>",
        ),
        (
            "[a](/b) <https://c.example>",
            '<p><a href="/b" rel="noopener">a</a> <a href="https://c.example" rel="noopener">https://c.example</a></p>',
        ),
        ("![A tent](/a.png)", '<p><img src="/a.png" alt="A tent"></p>'),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("|a|\n|-|", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n</table>"),
        ("<b>x</b> & y", "<p>&lt;b&gt;x&lt;/b&gt; &amp; y</p>"),
        ("```python\nx = {1: 2}\n```", '<pre><code class="">x = {1: 2}\n</code></pre>'),
        ("a &amp; b &lt;", "<p>a &amp; b &lt;</p>"),
    ],
)
def test_markdown_is_written(written: str, shown: str) -> None:
    assert markup(written) == shown


def test_html_is_kept_as_far_as_it_may() -> None:
    assert markup('<p class="lead">a<br>b</p>', "html") == '<p class="lead">a<br>b</p>'


@pytest.mark.parametrize("suffix", ["md", "html"])
def test_emphasis_may_stand_around_a_placeholder(suffix: str) -> None:
    written = "**{{ visitor.town }}**" if suffix == "md" else "<strong>{{ visitor.town }}</strong>"
    assert "<strong>Oslo</strong>" in markup(written, suffix, town="Oslo")


def test_fields_stand_in_a_body_as_people_read_them() -> None:
    front = "title: A & B\nprice: 1299.9\nweight: 1.50\nday: 2026-12-24\nsize: small\nurl: /b?c&d\nbadge: '**x** <b>'"
    names = ("title", "price", "weight", "day", "size", "url", "badge")
    shown = "A &amp; B, NOK 1,299.90, 1.50, 2026-12-24, small, /b?c&amp;d, **x** &lt;b&gt;"
    assert markup(", ".join(f"{{{{ item.{name} }}}}" for name in names), front=front) == f"<p>{shown}</p>"


def test_a_field_left_empty_shows_the_fallback_or_nothing() -> None:
    assert markup("a{{ item.price | free }}b{{ item.badge }}c{{ item.url | & }}") == "<p>afreebc&amp;</p>"


def test_a_field_brings_its_own_placeholders_and_nothing_else_is_read_in_it() -> None:
    front = "title: T\nbadge: 'For {{ visitor.town | all }} {{ 7*7 }} {{ item.price }}'\nprice: 5"
    assert markup("<{{ item.badge }}>", front=front, town="{{ item.price }}") == (
        "<p>&lt;For {{ item.price }} {{ 7*7 }} NOK 5.00&gt;</p>"
    )
    assert markup("{{ item.badge }}", front=front) == "<p>For all {{ 7*7 }} NOK 5.00</p>"


def test_braces_mean_nothing_to_markdown_either() -> None:
    assert markup("*a {7*7}* and {__x__} and ${a_b_}") == "<p><em>a {7*7}</em> and {__x__} and ${a_b_}</p>"


def test_a_word_that_looks_like_a_mark_is_a_word() -> None:
    assert markup("q0123456789012345678900000 {{ visitor.town | x }}") == "<p>q0123456789012345678900000 x</p>"


def test_placeholders_stand_in_the_attributes_that_people_read() -> None:
    written = '<img src="/a.png" alt="{{ visitor.town | a }}"><b title="{{ visitor.town }} {{ item.title }}">x</b>'
    assert markup(written, "html", town='"x"') == (
        '<img src="/a.png" alt="&quot;x&quot;"><b title="&quot;x&quot; T">x</b>'
    )


def test_entities_mean_in_braces_what_they_mean_elsewhere() -> None:
    assert markup("{{ visitor.town | a &amp; b }} {&lt;}", "html") == "a &amp; b {&lt;}"
