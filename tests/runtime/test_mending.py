"""Mending: what is beyond doubt is changed in its place, all else stays byte for byte, and is checked again."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from personalize.problems import Problem, Problems
from personalize.runtime.draft import Draft, load_files, read_draft
from personalize.runtime.mending import Mended, mend, save
from personalize.settings import Settings, load_settings
from tests.conftest import REPOSITORY

DESK = REPOSITORY / "tests/docs/desk"
SLIPS = {
    "a misspelt fact": ("{who: {purchase.cout: 3}}", "{who: {purchase.count: 3}}"),
    "a misspelt operator": ("{who: {purchase.count: {at_lest: 3}}}", "{who: {purchase.count: {at_least: 3}}}"),
    "a misspelt event": ("{who: {did: purchse}}", "{who: {did: purchase}}"),
    "a misspelt property": (
        "{who: {did: purchase, where: {items.categori: x}}}",
        "{who: {did: purchase, where: {items.category: x}}}",
    ),
    "a misspelt segment": ("{who: {segment: lapsed-buyer}}", "{who: {segment: lapsed-buyers}}"),
    "a misspelt choice": ("{who: {profile.tier: sliver}}", "{who: {profile.tier: silver}}"),
    "a misspelt key": ("{tittle: x, who: {purchase.count: 3}}", "{title: x, who: {purchase.count: 3}}"),
    "a word in quotes": ('{who: {"purchase.cout": 3}}', "{who: {purchase.count: 3}}"),
    "an attribute without its root": ("{who: {tier: gold}}", "{who: {profile.tier: gold}}"),
    "signs in a text": ('{who: {purchase.count: ">= 3"}}', "{who: {purchase.count: {at_least: 3}}}"),
    "a sign as an operator": ('{who: {purchase.count: {">=": 3}}}', "{who: {purchase.count: {at_least: 3}}}"),
    "signs without quotes": (
        "\n    who:\n      purchase.count: >= 3",
        "\n    who:\n      purchase.count: {at_least: 3}",
    ),
    "signs of times": ('{who: {did: purchase, times: "> 3"}}', "{who: {did: purchase, times: {more_than: 3}}}"),
    "a range of times": ("{who: {did: purchase, times: 2-4}}", "{who: {did: purchase, times: {between: [2, 4]}}}"),
    "a number in quotes": ('{who: {purchase.count: "3"}}', "{who: {purchase.count: 3}}"),
    "yes": ("{who: {visitor.known: yes}}", "{who: {visitor.known: true}}"),
    "days from to": ("{who: {now.weekday: mon-wed}}", "{who: {now.weekday: [mon, tue, wed]}}"),
    "or": ("{who: {or: [{visitor.new: true}]}}", "{who: {any: [{visitor.new: true}]}}"),
    "a colon without a blank": ("\n    title:x\n    who: {page.path: /}", "\n    title: x\n    who: {page.path: /}"),
    "a fact without a blank": ("{who: {profile.tier:gold}}", "{who: {profile.tier: gold}}"),
    "a fact without a blank, alone": ("\n    who: profile.tier:gold", "\n    who: {profile.tier: gold}"),
    "a fact without a blank, in quotes": ('{who: "profile.tier:gold"}', "{who: {profile.tier: gold}}"),
    "a month by its name": ("{who: {now.month: december}}", "{who: {now.month: 12}}"),
    "a day as it is written elsewhere": ("{who: {now.date: 3.4.2026}}", "{who: {now.date: 2026-04-03}}"),
    "a hard blank": ("\n    \u00a0who: {page.path: /}", "\n    who: {page.path: /}"),
    "an invisible character": ("{who: {page.path: /\u200ba}, \x0btitle: x}", "{who: {page.path: /\u200ba}, title: x}"),
    "an invisible character behind a text": ("{who: {page.path: /a\u200b}}", "{who: {page.path: /a}}"),
    "one of a list": ("{who: {profile.tier: {one_of: [Gold]}}}", "{who: {profile.tier: {one_of: [gold]}}}"),
    "two slips, one behind the other": (
        "{who: {or: [{purchase.cout: {at_lest: 3}}]}}",
        "{who: {any: [{purchase.count: {at_least: 3}}]}}",
    ),
}
LEFT_ALONE = {
    "what nothing is like": "{who: {purchase.shoes: 3}}",
    "two candidates": "{who: {profile.tier: bolt}}",
    "the opposite": "{who: {visitor.unknown: true}}",
    "signs inside of an operator": '{who: {purchase.count: {is: ">= 3"}}}',
    "signs inside of a list": '{who: {purchase.count: [">= 3"]}}',
    "signs inside of times": '{who: {did: purchase, times: {at_least: "> 3"}}}',
    "a fact without a blank, before two words": "{who: {'profile.city:New York'}}",
    "a day that may be a month": "{who: {now.date: 3/4/2026}}",
    "days in a list": "{who: {now.weekday: [mon-wed]}}",
    "none": "{who: {none: [{visitor.new: true}]}}",
}


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """The small shop of the documentation."""
    shutil.copytree(DESK, tmp_path / "site")
    return load_settings(tmp_path / "site/personalize.toml", {})


def mended(site: Settings) -> tuple[Draft, Mended]:
    def problems_of(files: Mapping[str, str]) -> tuple[Problem, ...]:
        problems = Problems()
        load_files(files, site, problems)
        return problems.list

    draft = read_draft(site, Problems())
    return draft, mend(draft, problems_of)


def segment(written: str) -> str:
    return f"# who: purchase.cout\nsegments:\n  one: {written}  # as it was: purchase.cout\n".replace(": \n", ":\n")


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_mended_in_its_place(slip: str, site: Settings) -> None:
    before, after = map(segment, SLIPS[slip])
    (site.rules / "slip.yaml").write_text(before, encoding="utf-8")
    draft, result = mended(site)
    assert result.draft.files == {**draft.files, "rules/slip.yaml": after}
    assert result.fixed
    problems = Problems()
    load_files(result.draft.files, site, problems)
    assert problems.list == ()


@pytest.mark.parametrize("case", LEFT_ALONE)
def test_where_there_is_doubt_nothing_is_touched(case: str, site: Settings) -> None:
    (site.rules / "slip.yaml").write_text(segment(LEFT_ALONE[case]), encoding="utf-8")
    draft, result = mended(site)
    assert (result.draft.files, result.fixed) == (draft.files, ())


def test_tabs_become_blanks_where_nothing_else_moves_lines_in(site: Settings) -> None:
    (site.rules / "tabs.yaml").write_text("segments:\n\tone:\n\t\twho: {page.path: /}\n", encoding="utf-8")
    (site.rules / "both.yaml").write_text("segments:\n\ttwo:\n    who: {page.path: /}\n", encoding="utf-8")
    draft, result = mended(site)
    assert result.draft.files["rules/tabs.yaml"] == "segments:\n  one:\n    who: {page.path: /}\n"
    assert result.draft.files["rules/both.yaml"] == draft.files["rules/both.yaml"]


_ANY = "one:\n    who:\n      any:\n"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("one:\n    who:\n\t  page.path: /\n", None),  # under `who`, or beside it
        ("one:\n    who:\n    \tpage.path: /\n", "one:\n    who:\n      page.path: /\n"),
        ("one:\n    who: {page.path: /}\n\ttwo: |\n      \ta\n", None),  # part of a text
        ("one:\n    who:\n\t\tany:\n        - page.host: x\n", None),
        (
            f"{_ANY}\t\t- page.path: /\n        - page.host: x\n",
            f"{_ANY}        - page.path: /\n        - page.host: x\n",
        ),
        (f"{_ANY}      \t- page.path: /\n", f"{_ANY}        - page.path: /\n"),
    ],
)
def test_tabs_among_blanks_become_so_many_that_no_editor_would_show_it_otherwise(
    site: Settings, written: str, meant: str | None
) -> None:
    text = f"segments:\n  {written}"
    (site.rules / "both.yaml").write_text(text, encoding="utf-8")
    _, result = mended(site)
    assert result.draft.files["rules/both.yaml"] == (text if meant is None else f"segments:\n  {meant}")


def test_content_is_mended_too(site: Settings) -> None:
    item = site.content / "offers/three-off.md"
    text = item.read_text(encoding="utf-8")
    item.write_bytes(text.replace("title:", "titel:").replace("\n", "\r\n").encode())
    draft, result = mended(site)
    assert save(result, draft, site) == ()
    assert item.read_bytes() == text.replace("\n", "\r\n").encode()


def test_what_is_written_keeps_its_mark_its_line_ends_and_its_rights(site: Settings) -> None:
    path = site.rules / "slip.yaml"
    path.write_bytes(b"\xef\xbb\xbfsegments:\r\n  one: {who: {purchase.cout: 3}}\t# \xc3\xa6\r\n\r\n")
    path.chmod(0o640)
    draft, result = mended(site)
    assert save(result, draft, site) == ()
    assert path.read_bytes() == b"\xef\xbb\xbfsegments:\r\n  one: {who: {purchase.count: 3}}\t# \xc3\xa6\r\n\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in site.rules.iterdir() if one.name.startswith(".")] == []


def test_what_somebody_else_has_changed_meanwhile_is_left(site: Settings) -> None:
    path = site.rules / "slip.yaml"
    path.write_text(segment("{who: {purchase.cout: 3}}"), encoding="utf-8")
    draft, result = mended(site)
    path.write_text("# mine\n", encoding="utf-8")
    assert save(result, draft, site) == ("rules/slip.yaml",)
    assert path.read_text(encoding="utf-8") == "# mine\n"


def test_lines_that_yaml_counts_differently_are_not_touched(site: Settings) -> None:
    (site.rules / "slip.yaml").write_text(segment("{who: {purchase.cout: 3}}") + "# \u2028\n", encoding="utf-8")
    _, result = mended(site)
    assert result.fixed == ()
