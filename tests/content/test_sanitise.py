"""Editors' markup keeps what a piece of a page needs, and loses the rest with a word about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.content.sanitise import TAGS, Sanitiser
from tests.content.shelf import lines_of, parsed

SANITISER = Sanitiser({"lead", "badge"})

KEPT = [
    '<h2 class="lead">x</h2>',
    "<p>a <b>b</b> <i>i</i> <em>e</em> <strong>s</strong> <small>s</small> <mark>m</mark><br>b</p>",
    '<ul class="lead badge"><li>a</li></ul><ol start="3"><li>b</li></ol>',
    '<img src="/a.png" alt="A &quot;tent&quot;" width="3" height="4" loading="lazy">',
    '<a href="/a?b=c&amp;d=e#f" title="x" rel="noopener">x</a>',
    '<a href="https://example.org" target="_blank" rel="noopener">x</a>',
    '<a href="mailto:a@example.org" rel="noopener">x</a>',
    '<table><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td colspan="2">b</td></tr></tbody></table>',
    '<details open=""><summary>a</summary>b</details>',
    '<figure><img src="https://a.example/b.jpg" alt=""><figcaption>c</figcaption></figure>',
    '<p lang="nb" dir="ltr">Hei</p><time datetime="2026-12-24">i dag</time>',
    "a &lt; b &amp; c &gt; d",
]


@pytest.mark.parametrize("markup", KEPT)
def test_what_a_piece_of_a_page_needs_stays_as_it_is_without_a_word(markup: str) -> None:
    assert SANITISER.clean(markup) == markup
    assert list(SANITISER.removed(markup, markup)) == []


def test_a_rel_is_ours_and_what_editors_wrote_there_is_not_worth_a_word() -> None:
    written = '<a href="/" rel="nofollow">x</a>'
    cleaned = SANITISER.clean(written)
    assert cleaned == '<a href="/" rel="noopener">x</a>'
    assert list(SANITISER.removed(written, cleaned)) == []


def test_marks_of_slots_that_somebody_wrote_into_content_lose_their_power() -> None:
    cleaned = SANITISER.clean('<section data-slot="admin">x</section><!-- slot:admin -->')
    assert cleaned == "<section>x</section>"


@pytest.mark.parametrize("payload", lines_of("markup_injection.txt"))
def test_cleaning_twice_changes_nothing_more(payload: str) -> None:
    once = SANITISER.clean(payload)
    assert SANITISER.clean(once) == once


PIECES = [*lines_of("markup_injection.txt"), "<p>", "</p>", "<table>", "<a>", "<b>", "text"]


@given(st.lists(st.sampled_from(PIECES), max_size=5))
def test_attacks_side_by_side_bring_nothing_either(pieces: list[str]) -> None:
    cleaned = SANITISER.clean("".join(pieces))
    assert SANITISER.clean(cleaned) == cleaned
    for node in parsed(f"<div id=ours>{cleaned}</div>").css("#ours *"):
        assert node.tag in TAGS
        assert not any(name.startswith("on") or name == "style" for name in node.attributes)


@pytest.mark.parametrize("payload", lines_of("markup_injection.txt"))
def test_an_element_or_attribute_never_goes_without_a_word(payload: str) -> None:
    cleaned = SANITISER.clean(payload)
    kept = {node.tag for node in parsed(cleaned).traverse() if node.tag}
    lost = {node.tag for node in parsed(payload).traverse() if node.tag} - kept - {"-comment"}
    assert not lost or list(SANITISER.removed(payload, cleaned))
