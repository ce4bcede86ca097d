"""`describe`: what the rules say, in sentences that fit a terminal."""

import json

import pytest

from tests.cli.terminal import Terminal


def test_everything_is_described(shop: Terminal) -> None:
    text = shop.well("describe")
    assert text.startswith(
        'recent-buyers: "Last purchase within 30 days" is everyone whose last purchase is\n  at most 30 days ago.\n'
    )
    assert (
        "\n\n"
        'home-hero: "Large picture on the home page" on the page "home" holds one item of\n'
        "  the kind hero.\n"
        '  1  best: Show heroes/box-set to everyone in "$100 or more in all, the last\n'
        '       within 60 days".\n'
    ) in text
    assert "     Otherwise keep the site's own markup.\n" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_rule_is_described_alone_and_keeps_its_number(shop: Terminal) -> None:
    for name in ("christmas", "home-hero/christmas"):
        assert shop.well("describe", name).splitlines()[2:] == [
            "  5  christmas: Show heroes/christmas to everyone, from 1997-12-01 until",
            "       1997-12-24, that day included.",
        ]


def test_segments_slots_and_rules_may_be_named_together(shop: Terminal) -> None:
    blocks = shop.well("describe", "silent", "home-offers").split("\n\n")
    assert [block.partition(":")[0] for block in blocks] == ["silent", "home-offers"]


def test_an_unknown_name_is_answered_with_the_nearest(shop: Terminal) -> None:
    assert shop.said("describe", "christmsa", exit_code=2) == (
        'Error: there is no segment, slot or rule "christmsa"; did you mean `christmas`?\n'
    )


def test_programs_get_the_same_sentences(shop: Terminal) -> None:
    found = json.loads(shop.well("describe", "home-offers", "--format", "json"))
    assert found == {
        "segments": [],
        "slots": [
            {
                "slot": "home-offers",
                "sentence": '"Two offers below it" on the page "home" holds up to 2 items.',
                "rules": [
                    {
                        "rule": "offers-best",
                        "sentence": "Show heroes/box-set and heroes/new-this-week to everyone in "
                        '"$100 or more in all".',
                    },
                    {
                        "rule": "offers-silent",
                        "sentence": 'Show heroes/come-back to everyone in "Last purchase more than 180 days ago".',
                    },
                ],
                "otherwise": "Otherwise keep the site's own markup.",
            }
        ],
    }


def test_what_is_live_can_be_described_instead_of_the_files(shop: Terminal) -> None:
    assert "nothing is published yet" in shop.said("describe", "--live", exit_code=2)
    shop.well("publish")
    shop.change("rules/slots.yaml", "- id: best\n", "- id: finest\n")
    assert "best: Show" in shop.well("describe", "best", "--live")


@pytest.mark.parametrize("text", ["Otherwise", "5  christmas"])
def test_a_rule_that_is_not_asked_for_is_left_out(shop: Terminal, text: str) -> None:
    assert text not in shop.well("describe", "lately")
