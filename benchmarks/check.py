"""What `personalize check` takes of a whole site: 1,000 rules in 50 slots, proofs and all, in a process of its own.

The shop's rules (`shop.py`): five predicates each, any/not groups in a third, segments in three of ten, about 35 facts.
Beside it, in turns, a process that only imports the YAML reader and click: what no command of this sort is without.

    python -m benchmarks.check [--rules 1000] [--slots 50] [--rounds 9]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks.package_measured import say_what_is_measured
from benchmarks.shop import TEMPLATE, TEMPLATE_TEXT, content_files, rule_files

CHECK = ("-m", "personalize.cli.main", "check", "--format", "concise")
BARE = ("-c", "import yaml, click")


def write_site(folder: Path, rules: int, slots: int) -> None:
    """The files of a site with so many rules in so many slots, in lines as editors write them."""
    names = [f"place-{number}" for number in range(1, slots + 1)]
    files = {"personalize.toml": 'templates = "templates"\n', f"templates/{TEMPLATE}": TEMPLATE_TEXT}
    for path, text in rule_files(rules, slots=names).items():
        files[path] = yaml.safe_dump(yaml.safe_load(text), sort_keys=False)
    for path, text in (files | content_files(names)).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


#: Other than an installed package, a checkout may be run without its modules compiled.
COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds_of(arguments: Sequence[str], folder: Path) -> tuple[float, float]:
    """What a process of Python takes there from its start to its end: by the wall, and of CPU."""
    begun, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=COMPILED, capture_output=True, text=True, check=False
    )
    wall, after = time.perf_counter() - begun, os.times()
    assert done.returncode == 0, done.stdout + done.stderr
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def main(rules: int, slots: int, rounds: int) -> None:
    """Measure and print."""
    cases = {"import yaml, click": BARE, f"check of {rules:,} rules": CHECK}
    with tempfile.TemporaryDirectory() as name:
        write_site(Path(name), rules, slots)
        figures = [
            {case: seconds_of(arguments, Path(name)) for case, arguments in cases.items()} for _ in range(rounds)
        ]
    print(f"{'seconds of a whole process':30}{'wall':>8}{'least':>8}{'CPU':>8}{'least':>8}")
    for case in cases:
        walls, cpus = zip(*(figure[case] for figure in figures), strict=True)
        columns = (statistics.median(walls), min(walls), statistics.median(cpus), min(cpus))
        print(f"{case:30}" + "".join(f"{seconds:8.2f}" for seconds in columns))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--slots", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    say_what_is_measured()
    main(arguments.rules, arguments.slots, arguments.rounds)
