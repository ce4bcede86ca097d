"""What all tests share: the public data sets, a browser, and the closing words about what ran."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, sync_playwright

import personalize
from personalize.compiled import IS_COMPILED

REPOSITORY = Path(__file__).resolve().parents[1]
ONLY_COMPILED = os.environ.get("PERSONALIZE_TEST_COMPILED", "") not in ("", "0")
SKIPS_FAIL = os.environ.get("PERSONALIZE_TEST_NO_SKIPS", "") not in ("", "0")

OUTCOMES_THAT_RAN = ("passed", "failed", "error", "xpassed")
OUTCOMES_LEFT_OUT = ("skipped", "xfailed")

CHROMIUM_NAMES = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Suites that several test files share show the values of a failed assert too.
pytest.register_assert_rewrite("tests.stores.contract", "tests.stores.filling_contract")

# How fast this machine is says nothing about the code.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


def pytest_configure() -> None:
    """Refuse to test the sources where the compiled package is to be tested."""
    if ONLY_COMPILED and not IS_COMPILED:
        raise pytest.UsageError(f"the compiled package was to be tested, and not that in {personalize.__path__[0]}")


def pytest_report_header() -> str:
    return f"package: {personalize.__path__[0]} (compiled: {'yes' if IS_COMPILED else 'no'})"


def find_shared_data() -> Path | None:
    """The folder of public data sets, which stands beside the checkout or nowhere."""
    named = os.environ.get("PERSONALIZE_TEST_SHARED_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def find_chromium() -> str | None:
    """The Chromium that PERSONALIZE_TEST_CHROMIUM names, else the one that is installed."""
    names = (os.environ.get("PERSONALIZE_TEST_CHROMIUM") or "", *CHROMIUM_NAMES)
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets."""
    folder = find_shared_data()
    if folder is None:
        pytest.skip("the public data sets are absent: ../shared/data, or where PERSONALIZE_TEST_SHARED_DATA says")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that Playwright can drive here."""
    path = find_chromium()
    if path is None:
        pytest.skip("Chromium is absent: apt-get install chromium, or name one in PERSONALIZE_TEST_CHROMIUM")
    driver = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True, check=False)
    if driver.returncode != 0:
        pytest.skip("Playwright's driver does not start: apt-get install libatomic1")
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium for the tests of one module.

    Not for the whole run: while it is open, Playwright keeps an event loop in this thread, and `asyncio.run`
    refuses to start another.
    """
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL: the one that PERSONALIZE_TEST_POSTGRES names, else one for this run."""
    named = os.environ.get("PERSONALIZE_TEST_POSTGRES")
    if named:
        yield named
        return
    from tests.postgres_server import shared_postgres  # noqa: PLC0415 - few runs need one

    folder = tmp_path_factory.getbasetemp()
    # Workers of one run have a folder each, side by side.
    with shared_postgres(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Gives addresses of stores, a new one and empty at each call; they are gone when the test has ended."""
    from tests.postgres_server import schemas_of  # noqa: PLC0415

    with schemas_of(postgres_server) as new_url:
        yield new_url


def may_be_left_out(item: pytest.Item) -> bool:
    """Whether a test may be skipped even where skips fail: it needs data that a licence keeps out of here."""
    needs_data = item.get_closest_marker("shared_data") or "shared_data" in getattr(item, "fixturenames", ())
    return bool(needs_data) and find_shared_data() is None


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that names the skip's reason."""
    if SKIPS_FAIL and report.skipped:
        report.longrepr = f"{report.nodeid} may not be left out in this run. {reason_of(report)}"
        report.outcome = "failed"


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why a test did not run, in the words of who skipped it."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return getattr(report, "wasxfail", "") or "no reason given"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not may_be_left_out(item):
        fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    fail_if_skipped(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    stats = terminalreporter.stats
    reports = [report for outcome in OUTCOMES_THAT_RAN for report in stats.get(outcome, ())]
    ran = {report.nodeid for report in reports if isinstance(report, pytest.TestReport)}
    files = {nodeid.partition("::")[0] for nodeid in ran}
    left_out = Counter(reason_of(report) for outcome in OUTCOMES_LEFT_OUT for report in stats.get(outcome, ()))
    left_out["not asked for on the command line"] += len(stats.get("deselected", ()))
    terminalreporter.section("what ran")
    terminalreporter.line(f"what ran: {counted(len(ran), 'test')} in {counted(len(files), 'file')}")
    for reason, count in (+left_out).most_common():
        terminalreporter.line(f"left out: {reason} ({count})")
    if not +left_out:
        terminalreporter.line("left out: nothing")


def counted(number: int, thing: str) -> str:
    """The number and the word for it, in the singular where there is one."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
