"""Makes this checkout's own environment in .venv, then runs one thing in it: the demo, tests, checks.

Needs nothing but Python's standard library. An older Python must still be able to read this file, to hand
over to a newer one or to say what is missing; so there is no syntax in it that Python 3.6 does not know.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "made-by-dev-py"
OLDEST = (3, 11)
NEWER_PYTHONS = ("python3.13", "python3.12", "python3.11", "python3.14")
COMPILED_PARTS = {"ssl": "_ssl", "sqlite3": "_sqlite3", "zlib": "zlib"}
EXTRAS = {
    "demo": ["example"],
    "test": ["test"],
    "spark": ["test", "spark"],
    "trust": ["test"],
    "compiled": ["test", "lint"],
    "bench": ["test", "lint", "bench"],
    "check": ["example", "geo", "prometheus", "proxy", "rewrite", "lint"],
}
CHECKS = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])
#: A file stays with one process, so that what a module starts for its tests is started once.
ON_ALL_PROCESSORS = ("-n", "auto", "--dist", "loadfile")
#: Of these tests every one says how often it has tried; `tests/trust/reporting.py` keeps the record.
MANY_TIMES = ("-m", "trust", "--timeout", "7200", "-q", "--no-header", "-p", "tests.trust.reporting")
WORTH_SHOWING = ("Collecting", "Downloading", "Preparing", "Building", "Installing", "translating", "building")
#: The package with what is compiled of it. It never lies among the sources, where it would hide what is changed there.
COMPILED = ROOT / "build" / "compiled"
MADE_OF = ("personalize/**/*", "docs/messages.md", "setup.py", "pyproject.toml", "constraints.txt")
#: Before those sources, also for processes that tests start: whatever folder they start in is no place to import from.
WITH_COMPILED = {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join([str(COMPILED), str(ROOT)])}
#: pytest puts these before everything, too. What is marked so runs with the compiled package only, or never with it.
ON_THE_COMPILED = ("-o", "pythonpath=build/compiled .", "-m", "not spark and not long and not sources")
USAGE = """\
make demo      the example site on http://127.0.0.1:8000
               (make demo PORT=9000 for another port)
make test      all tests, on all processors (make test ARGS="-k cookie -x"
               passes options on to pytest; -n 0 uses one)
make spark     the tests with Apache Spark, which needs Java 17 and fetches
               500 MB once
make trust     what is left to chance in the tests, many times over
               (TRUST_SCALE=0.1 makes a tenth of the tries)
make compiled  the tests with the compiled package, which takes three minutes
               to make (make compiled ARGS="tests/web -x")
make bench     a benchmark with the compiled package
               (make bench ARGS="page_overhead --least")
make check     ruff and mypy
"""


class InstallError(Exception):
    """A step of the install failed; the text is the end of what it printed."""


def main(arguments: "list[str]") -> int:
    """Run one command and give its exit status."""
    command, rest = (arguments or ["help"])[0], arguments[1:]
    if command not in EXTRAS:
        print(USAGE, end="")
        return 0 if command == "help" else 2
    if sys.version_info < OLDEST:
        hand_over(arguments)
    refuse_half_a_python()
    set_up(EXTRAS[command])
    os.chdir(str(ROOT))
    if command == "demo":
        os.execv(str(PYTHON), [str(PYTHON), "-m", "example_site", *rest])
    if command == "test":
        return subprocess.call([str(PYTHON), "-m", "pytest", *ON_ALL_PROCESSORS, *rest])
    if command == "spark":
        return subprocess.call([str(PYTHON), "-m", "pytest", "-m", "spark", *(rest or ["tests/runtime"])])
    if command == "trust":
        os.environ["PERSONALIZE_TEST_TRUST"] = "long"
        seed = "--hypothesis-seed={}".format(os.environ.get("TRUST_SEED", "1"))
        return subprocess.call([str(PYTHON), "-m", "pytest", *ON_ALL_PROCESSORS, *MANY_TIMES, seed, *rest])
    if command == "compiled":
        build_compiled()
        os.environ.update(WITH_COMPILED, PERSONALIZE_TEST_COMPILED="1")
        return subprocess.call([str(PYTHON), "-m", "pytest", *ON_ALL_PROCESSORS, *ON_THE_COMPILED, *rest])
    if command == "bench":
        return bench(rest)
    return max(subprocess.call([str(PYTHON), "-m", *check]) for check in CHECKS)


def bench(arguments: "list[str]") -> int:
    """Run the benchmark that is named first with the compiled package; where none is, say which there are."""
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if "if __name__" in path.read_text("utf-8"))
    if not arguments or arguments[0] not in names:
        say('make bench ARGS="NAME ...", and NAME is one of: {}'.format(", ".join(names)))
        return 2
    build_compiled()
    os.environ.update(WITH_COMPILED)
    return subprocess.call([str(PYTHON), "-m", "benchmarks." + arguments[0], *arguments[1:]])


def build_compiled() -> None:
    """Build the package compiled into build/compiled, unless that was done from these very files with this Python."""
    stamp = COMPILED.with_name("compiled-by-dev-py")
    sources = fingerprint(*sorted(path for each in MADE_OF for path in ROOT.glob(each) if is_source(path)))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == sources:
        return
    if stamp.exists():
        stamp.unlink()
    for path in COMPILED.rglob("*"):
        if path.is_file() and path.suffix != ".so":  # the C compiler takes long, and leaves out what has not changed
            path.unlink()
    begin = time.time()
    say("Compiling the package into build/compiled; that takes three minutes ...")
    built = ["build", "--build-base", "build/parts-of-compiled", "--build-lib", "build/compiled"]
    try:
        run_steps([[str(PYTHON), "setup.py", *built]], PERSONALIZE_COMPILED="1")
    except InstallError as error:
        sys.exit(f"{error}\nThe package could not be compiled; the lines above say why. make test works without.")
    stamp.write_text(sources, encoding="utf-8")
    say(f"Compiled in {time.time() - begin:.0f} s. Nothing is compiled again until the sources change.\n")


def is_source(path: Path) -> bool:
    """Whether a file is one that the build reads, and none that a run has left beside it."""
    return path.is_file() and "__pycache__" not in path.parts


def hand_over(arguments: "list[str]") -> None:
    """Start again under a newer Python of this machine, or end with a line that says what is needed."""
    is_new_enough = f"import sys; sys.exit(sys.version_info < {OLDEST!r})"
    for name in NEWER_PYTHONS:
        found = shutil.which(name)
        if found and subprocess.call([found, "-c", is_new_enough], stderr=subprocess.DEVNULL) == 0:
            os.execv(found, [found, str(ROOT / "dev.py"), *arguments])
    this = "Python {}.{}.{} ({})".format(*sys.version_info[:3], sys.executable)
    sys.exit(f"personalize needs Python 3.11 or newer. This is {this}, and there is no newer one on PATH.")


def refuse_half_a_python() -> None:
    """End with a line where this Python was built without something that we need."""
    missing = [name for name, part in COMPILED_PARTS.items() if importlib.util.find_spec(part) is None]
    if missing:
        half = f"{sys.executable} was built without {' and '.join(missing)}"
        sys.exit(f"{half}. Name another Python: make test PYTHON=/path/to/python3")


def refuse_a_python_without_venv() -> None:
    """End with the one thing to install where a distribution, as Debian, keeps part of the venv module back."""
    if importlib.util.find_spec("ensurepip") is None:
        name = "python3" if Path(sys.executable).name == "python3" else f"python3.{sys.version_info[1]}"
        sys.exit(f"This Python came without its venv module. Please run: sudo apt install {name}-venv")


def set_up(extras: "list[str]") -> None:
    """Make .venv and install into it, unless that was done from these very files with this Python."""
    made_from, installed = read_stamp()
    files = fingerprint(*(ROOT / name for name in ("pyproject.toml", "constraints.txt", "dev.py")))
    if made_from == files and installed.issuperset(extras) and PYTHON.exists():
        return
    if STAMP.exists():
        STAMP.unlink()
    uv = shutil.which("uv")
    if uv is None and not is_usable():
        refuse_a_python_without_venv()
    extras = sorted(installed.union(extras))
    version = "{}.{}.{}".format(*sys.version_info[:3])
    say(f"Setting up .venv with Python {version}: what constraints.txt pins for {' and '.join(extras)} ...")
    if uv is None or not install_with_uv(uv, extras):
        install_with_pip(extras)
    STAMP.write_text(" ".join([files, *extras]), encoding="utf-8")
    say("Ready. Nothing more is downloaded until the pins change.\n")


def fingerprint(*paths: Path) -> str:
    """All that something made here depends on: the version of Python, where the checkout lies, these files."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for path in paths:
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()


def read_stamp() -> "tuple[str, set[str]]":
    """What the last finished set-up was made from, and the extras that it installed."""
    words = STAMP.read_text(encoding="utf-8").split() if STAMP.exists() else []
    return "".join(words[:1]), set(words[1:])


def install_with_uv(uv: str, extras: "list[str]") -> bool:
    """Install with uv; where it can't, say so and give False, so that pip has a try."""
    steps = [] if is_usable() else [[uv, "venv", "--python", base_python(), str(VENV)]]
    try:
        run_steps(steps + install_steps([uv, "pip", "install", "--python", str(PYTHON)], extras))
    except InstallError as error:
        say(f"{error}\nuv did not manage; trying pip ...")
        return False
    return True


def install_with_pip(extras: "list[str]") -> None:
    """Install with the standard library's venv and pip, or end with a line that says what is missing."""
    steps = [] if is_usable() else [[base_python(), "-m", "venv", str(VENV)]]
    if steps:
        refuse_a_python_without_venv()
    try:
        run_steps(steps + install_steps([str(PYTHON), "-m", "pip", "install"], extras))
    except InstallError as error:
        sys.exit(f"{error}\nThe install failed; the lines above say why. It needs the network this once.")


def install_steps(install: "list[str]", extras: "list[str]") -> "list[list[str]]":
    """Give pinned pip and setuptools first: then this package is built by them, not by today's newest."""
    pinned = [*install, "--constraint", "constraints.txt"]
    package = f".[{','.join(extras)}]"
    return [[*pinned, "pip", "setuptools"], [*pinned, "--no-build-isolation", "--editable", package]]


def is_usable() -> bool:
    """Whether .venv runs, is of this Python's version and has pip; if not, it is cleared away."""
    question = f"import sys, pip; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    if PYTHON.exists() and subprocess.call([str(PYTHON), "-c", question], stderr=subprocess.DEVNULL) == 0:
        return True
    if VENV.exists():
        shutil.rmtree(str(VENV))
    return False


def base_python() -> str:
    """The Python outside of any environment: .venv must not be made by the .venv that it replaces."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def run_steps(steps: "list[list[str]]", **variables: str) -> None:
    """Run the steps one after the other, showing on a terminal what is being fetched or built."""
    pip = {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment = dict(os.environ, PERSONALIZE_COMPILED="0", **pip)
    environment.update(variables)
    for step in steps:
        process = subprocess.Popen(
            step,
            cwd=str(ROOT),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        printed = []
        for line in process.stdout or ():
            printed.append(line.decode("utf-8", "replace").rstrip())
            show(printed[-1])
        if process.wait() != 0:
            raise InstallError("\n".join(printed[-20:]))
        show("")


def show(line: str) -> None:
    """Keep one changing line on a terminal, what is being fetched or built; an empty line wipes it."""
    if sys.stdout.isatty() and (not line or line.startswith(WORTH_SHOWING)):
        print(f"\r\033[K{line[:70]}", end="\r", flush=True)


def say(text: str) -> None:
    """Print at once, so that the order holds beside what the tools print."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
