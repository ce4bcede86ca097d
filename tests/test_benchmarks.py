"""The benchmarks run, on a scale at which their figures mean nothing; each checks the answers that it times."""

import asyncio
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import (
    awake,
    check,
    edges,
    event_log,
    exports,
    package_measured,
    postgres,
    recording,
    reload,
    rules,
    scanner,
    segments,
    untouched,
)
from benchmarks.shop import make_shop
from tests.conftest import REPOSITORY
from tests.driver import Browser


def test_rules_are_decided_alike_by_the_index_by_hand_and_by_a_plain_walk(capsys: pytest.CaptureFixture[str]) -> None:
    shop = make_shop(20)
    cases = rules.cases_of(shop, 20, ["closures"], different=100)
    rules.in_rounds(cases, 1)
    rules.report("20 rules", cases)
    rules.report_cold(shop, 20, visitors=100)
    assert "closures" in capsys.readouterr().out


def test_segments_are_counted_alike_by_the_index_and_by_sql(capsys: pytest.CaptureFixture[str]) -> None:
    segments.main(200)
    assert "SQL, one pass" in capsys.readouterr().out


def test_a_log_comes_back_from_every_format_and_an_export_is_counted_alike(capsys: pytest.CaptureFixture[str]) -> None:
    exports.main(200, 200)
    assert "the same over Parquet" in capsys.readouterr().out


def test_a_reload_tells_what_pages_wait_for(capsys: pytest.CaptureFixture[str]) -> None:
    for way in reload.WAYS:
        asyncio.run(reload.measure(way, 20))
        assert way in capsys.readouterr().out


def test_a_site_is_checked_as_a_whole(capsys: pytest.CaptureFixture[str]) -> None:
    check.main(20, 5, 1)
    assert "check of 20 rules" in capsys.readouterr().out


def test_beside_edges_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "found", lambda name: None if name in ("wrk", "varnishd") else f"/usr/bin/{name}")
    assert edges.missing() == "Missing: varnishd, wrk. apt-get install varnish wrk"


def test_processors_are_kept_awake_where_there_is_a_device_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    device = tmp_path / "latency"
    monkeypatch.setattr(awake, "LATENCY", device)
    with awake.awake():
        assert capsys.readouterr().out.startswith("idle processors may sleep")
    assert not device.exists()
    device.touch()
    with awake.awake():
        assert capsys.readouterr().out == "idle processors are kept awake\n"
    assert device.read_bytes() == bytes(4), "no microsecond"


def test_beside_edges_figures_are_told_as_ratios_of_the_same_round(capsys: pytest.CaptureFixture[str]) -> None:
    names = [edges.BARE, edges.TOKEN, edges.WRITTEN, edges.SSI, edges.SSI_FETCHED, edges.ESI, edges.ESI_FETCHED]
    rounds = {name: [edges.Figures(1_000, 50), edges.Figures(2_000, 100)] for name in names}
    rounds[edges.TOKEN] = [edges.Figures(3_000, 100), edges.Figures(6_000, 200)]
    edges.report(rounds)
    printed = capsys.readouterr().out
    assert "token marks      3.00 of nginx SSI, cached     at least 0.8" in printed
    assert "token marks      2.00 of the CPU time of the bare app, at most 3.0" in printed


def test_slots_are_filled_alike_by_us_and_by_a_library_that_rewrites_html(capsys: pytest.CaptureFixture[str]) -> None:
    scanner.main(1, 1, ["turbohtml"])
    assert "turbohtml" in capsys.readouterr().out


def test_what_is_not_touched_is_told_by_the_least_of_the_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    rounds = [{"bare": 2e-3, "wrapped": 3e-3}, {"bare": 1e-3, "wrapped": 1.5e-3}]
    untouched.report(dict.fromkeys(untouched.CASES, rounds))
    assert "1000 us     1500 us    1.50  at most 1.03" in capsys.readouterr().out
    table = asyncio.run(Browser(untouched.app).get("/table.csv"))
    assert len(table.body.splitlines()) == untouched.PARTS


def test_what_the_api_acknowledges_is_counted_for_one_till_and_for_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert recording.main(3, 0.1, 1) > 0
    assert "3 tills at once" in capsys.readouterr().out


def test_a_log_at_size_is_written_alike_by_the_store_and_by_bare_statements(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"BATCH": 40, "ROUNDS": 2, "READS": 10}.items():
        monkeypatch.setattr(event_log, name, value)
    event_log.main(None, [40, 80], 20)
    assert (printed := capsys.readouterr().out).count("ordered") == printed.count("random") == 2
    assert "80 events of 20 visitors" in printed


def test_a_database_is_read_and_written_beside_its_driver(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(postgres.main(1_000))
    assert "batches of 1,000, 1 at once" in (printed := capsys.readouterr().out)
    assert "a page's profile, read and decoded" in printed


def test_every_benchmark_says_first_which_package_it_measures() -> None:
    scripts = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "benchmarks").glob("*.py")]
    run = [text for text in scripts if "if __name__" in text]
    assert len(run) > 10 and [text for text in run if text.count("say_what_is_measured") != 2] == []


@pytest.mark.parametrize(
    ("compiled", "told"),
    [
        (False, 'the sources as they are; make bench ARGS="check" measures the compiled package\n'),
        (True, "the compiled package; python -m benchmarks.check measures the sources as they are\n"),
    ],
)
def test_which_package_is_measured_is_told_with_how_to_measure_the_other(
    compiled: bool, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(package_measured, "IS_COMPILED", compiled)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", find_spec("benchmarks.check"))
    package_measured.say_what_is_measured()
    assert capsys.readouterr().out == told
