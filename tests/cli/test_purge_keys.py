"""`purge-keys`: what an edge has to forget."""

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_rollback import versions

RULES = """
slots:
  hero: {rules: [{id: all, show: things/a}]}
  foot: {rules: [{id: all, show: things/b}]}
"""


@pytest.fixture
def site(empty: Terminal) -> Terminal:
    """A site of two slots, published once."""
    files = {
        "personalize.toml": "",
        "rules/site.yaml": RULES,
        "content/collections.yaml": "collections: {things: {kind: thing, template: thing.html}}",
        "content/things/a.md": "---\ntitle: A\n---\n",
        "content/things/b.md": "---\ntitle: B\n---\n",
        "content_templates/thing.html": "{{ item.title }}",
    }
    for name, text in files.items():
        path = empty.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    empty.well("publish")
    return empty


def test_the_keys_of_what_the_last_publish_changed_are_printed(site: Terminal) -> None:
    assert site.well("purge-keys") == ""
    site.change("content/things/a.md", "A", "Another")
    site.well("publish")
    assert site.well("purge-keys") == "personalize-streamed\nslot-hero\n"
    site.change("rules/site.yaml", "show: things/b", "show: things/a")
    site.well("publish")
    assert site.well("purge-keys") == "personalize-streamed\nslot-foot\n"
    site.well("rollback")
    assert site.well("purge-keys") == "personalize-streamed\nslot-foot\n"


def test_an_edge_that_holds_older_pages_names_their_version(site: Terminal) -> None:
    site.change("content/things/a.md", "A", "Another")
    site.well("publish")
    site.change("content/things/b.md", "B", "Next")
    site.well("publish")
    first = site.stored(versions)[0]
    assert site.well("purge-keys", "--since", first[:8]) == "personalize-streamed\nslot-foot\nslot-hero\n"
    assert "no version that has been live" in site.said("purge-keys", "--since", "zzz", exit_code=2)


def test_before_the_first_publish_there_is_nothing_to_purge(shop: Terminal) -> None:
    assert "nothing has been published yet" in shop.said("purge-keys", exit_code=2)
