"""`check`: everything at once, with line and caret, and a summary."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.cli.terminal import Terminal


def checked(terminal: Terminal, *, exit_code: int) -> str:
    """What it prints, with the time it took made the same for everybody."""
    result = terminal.run("check")
    assert (result.exit_code, result.stderr) == (exit_code, ""), result.output
    return re.sub(r"More about a code: .*\n$", "", re.sub(r"in [0-9.]+ s:", "in 0.0 s:", result.stdout))


def test_a_site_without_a_fault_is_one_line(shop: Terminal) -> None:
    assert checked(shop, exit_code=0) == "Checked 7 rules, 6 segments, 1 persona, 4 items in 0.0 s: no problems\n"
    assert not (shop.folder / "var").exists()


def test_all_errors_of_all_files_come_at_once_with_line_and_caret(shop: Terminal) -> None:
    shop.change(
        "rules/segments.yaml",
        "purchase.total: {at_least: 100}\n      purchase",
        "purchase.totl: {at_least: 100}\n      purchase",
    )
    shop.change("rules/slots.yaml", "segment: recent-buyers", "segment: recent-buyer")
    shop.change("content/collections.yaml", "hero.html", "her.html")
    assert checked(shop, exit_code=1) == (
        'error[E415]: there is no template "her.html"\n'
        " --> content/collections.yaml:2\n"
        "  |\n"
        "2 |   heroes:\n"
        "  = help: did you mean `hero.html`?\n"
        "\n"
        'error[E211]: "purchase.totl" is not a fact we know\n'
        "  --> rules/segments.yaml:17:7\n"
        "   |\n"
        "17 |       purchase.totl: {at_least: 100}\n"
        "   |       ^^^^^^^^^^^^^\n"
        "   = help: did you mean `purchase.total`?\n"
        "\n"
        'error[E222]: there is no segment "recent-buyer"\n'
        "  --> rules/slots.yaml:16:23\n"
        "   |\n"
        "16 |         to: {segment: recent-buyer}\n"
        "   |                       ^^^^^^^^^^^^\n"
        "   = help: did you mean `recent-buyers`?\n"
        "\n"
        "Checked 7 rules, 6 segments, 1 persona, 4 items in 0.0 s: 3 errors in 3 files (2 fixable with --fix)\n"
    )


def test_warnings_alone_are_well(shop: Terminal, write: Callable[[str, str], Path]) -> None:
    write(
        "rules/more.yaml",
        "slots: {note: {rules: [{id: a, to: {purchase.count: {is_not: 3}}, show: heroes/box-set}]}}\n",
    )
    assert checked(shop, exit_code=0).endswith(
        "Checked 8 rules, 6 segments, 1 persona, 4 items in 0.0 s: 1 warning in 1 file\n"
    )


def test_the_twenty_first_problem_of_a_file_is_only_counted(shop: Terminal, write: Callable[[str, str], Path]) -> None:
    write("rules/more.yaml", "segments:\n" + "".join(f"  s{n}: {{who: {{purchase.cout: {n}}}}}\n" for n in range(25)))
    shop.change("rules/slots.yaml", "show: heroes/christmas", "show: heroes/chrismas")
    text = checked(shop, exit_code=1)
    assert text.count("error[E211]") == 20
    assert "... and 5 more in rules/more.yaml\n\nerror[E225]" in text
    assert text.endswith(": 26 errors in 2 files (26 fixable with --fix)\n")


def test_a_site_without_rules_is_told_how_to_begin(empty: Terminal) -> None:
    (empty.folder / "personalize.toml").write_text("", encoding="utf-8")
    text = checked(empty, exit_code=1)
    assert (
        f"error[E101]: there is no folder with rule files\n--> {empty.folder}/rules\n = help: run personalize init\n"
        in text
    )
    assert 'the folder "content" cannot be read' in text


def test_what_is_no_text_is_said_in_words(shop: Terminal) -> None:
    with (shop.folder / "rules/huge.yaml").open("wb") as file:
        file.truncate(100_000_000)
    (shop.folder / "rules/windows.yaml").write_bytes("segments: {ø: {who: {purchase.count: 1}}}\n".encode("cp1252"))
    (shop.folder / "rules/tabs.yaml").write_text("segments:\n\tregulars: {}\n", encoding="utf-8")
    text = checked(shop, exit_code=1)
    assert "error[E003]: the file is larger than 2 MB\n--> rules/huge.yaml\n" in text
    said = 'error[E002]: the file is not UTF-8: found the byte F8 (perhaps a "ø" saved the Windows way)'
    assert said in " ".join(text.split())
    assert " --> rules/tabs.yaml:2:1\n" in text
    assert "tab" in text


def test_a_fault_of_a_template_shows_the_line_of_the_template(shop: Terminal) -> None:
    (shop.folder / "content_templates/hero.html").write_text("<h1>\n{{ item.titel }}</h1>\n", encoding="utf-8")
    text = checked(shop, exit_code=1)
    assert "2 | {{ item.titel }}</h1>\n" in text
    assert "did you mean `title`?" in text


def test_what_stands_in_a_file_cannot_steer_the_terminal(shop: Terminal, write: Callable[[str, str], Path]) -> None:
    write("rules/more.yaml", 'slots: {note: {rules: [{id: a, show: "heroes/\\e[31mred"}]}}\n')
    assert "\033" not in checked(shop, exit_code=1)
