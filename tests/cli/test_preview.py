"""`preview`: a link for a persona and a moment, by the draft that it keeps."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from personalize.runtime.keys import secret_keys
from personalize.runtime.preview_links import Preview, PreviewLinks
from personalize.settings import load_settings
from tests.cli.terminal import Terminal

PERSONAS = "personas: {lapsed: {title: Once and then silence, given: {purchase.count: 1}}}\n"


@pytest.fixture
def desk(shop: Terminal) -> Terminal:
    """The record shop with a persona."""
    (shop.folder / "rules" / "personas.yaml").write_text(PERSONAS, encoding="utf-8")
    return shop


def shown(terminal: Terminal, *arguments: str) -> tuple[str, Preview]:
    """The link without its token, and what the token says."""
    link = terminal.well("preview", *arguments).splitlines()[0]
    keys = secret_keys(load_settings(terminal.folder / "personalize.toml", {}))
    (token,) = parse_qs(urlsplit(link).query)["pz_preview"]
    preview = PreviewLinks(keys).read(token)
    assert preview is not None
    return link.replace(token, "…"), preview


def test_a_link_as_an_editor_reads_it(desk: Terminal) -> None:
    text = desk.well("preview", "/tents", "--persona", "lapsed", "--at", "2026-12-24T10:00")
    link, _, told = text.partition("\n\n")
    assert link.startswith("http://127.0.0.1:8000/tents?pz_preview=") and "\n" not in link
    lines = told.splitlines()
    assert lines[:2] == [
        '  as       the persona "Once and then silence"',
        "  moment   2026-12-24 10:00 UTC",
    ]
    assert lines[2].startswith("  rules    the files on disk (")
    assert lines[3].startswith("  works    until ") and lines[3].endswith(", for whoever has it")


def test_the_link_says_what_was_asked_for_and_the_store_keeps_the_draft(desk: Terminal) -> None:
    before = datetime.now(UTC)
    address, preview = shown(desk, "https://shop.example/b%C3%B8ker?color=red#top", "--persona", "lapsed")
    assert address == "https://shop.example/b%C3%B8ker?color=red&pz_preview=…"
    assert (preview.path, preview.persona_id, preview.at) == ("/bøker", "lapsed", None)
    assert timedelta(minutes=59) < preview.expires_at - before < timedelta(minutes=61)
    files = desk.stored(lambda store: store.rule_set(preview.version))
    assert files["rules/personas.yaml"] == PERSONAS
    assert desk.stored(lambda store: store.live()) is None


def test_a_persona_that_is_here_at_a_moment_is_shown_then_unless_another_is_asked_for(desk: Terminal) -> None:
    desk.change("rules/personas.yaml", "given:", "at: 2026-12-24T10:00, given:")
    assert shown(desk, "/", "--persona", "lapsed")[1].at == datetime(2026, 12, 24, 10, tzinfo=UTC)
    assert shown(desk, "/", "--persona", "lapsed", "--at", "2026-12-25")[1].at == datetime(2026, 12, 25, tzinfo=UTC)


def test_the_live_rules_can_be_shown_too(desk: Terminal) -> None:
    desk.well("publish")
    desk.change("rules/personas.yaml", "Once", "Twice")
    live = desk.stored(lambda store: store.live())
    assert live is not None
    assert shown(desk, "/", "--live")[1].version == live.version != shown(desk, "/")[1].version


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/", "--persona", "lapse"), 'there is no persona "lapse"; did you mean `lapsed`?'),
        (("/", "--persona", "zzz"), 'there is no persona "zzz"; personas: lapsed'),
        (("tents",), '"tents" is no page: write its path, such as /tents'),
        (("ftp://shop.example/",), "is no page"),
        (("http://[/",), "is no page"),
        (("/", "--at", "soon"), '"soon" is not a moment'),
        (("/", "--live"), "nothing is published yet"),
        (("/_personalize/health",), "is a page of our own"),
    ],
)
def test_what_can_not_be_shown_is_told(desk: Terminal, arguments: tuple[str, ...], said: str) -> None:
    assert said in " ".join(desk.said("preview", *arguments, exit_code=2).split())


def test_a_broken_draft_makes_no_link(desk: Terminal) -> None:
    desk.change("rules/slots.yaml", "recent-buyers", "recent-byers")
    assert "recent-byers" in desk.said("preview", "/", exit_code=1)
