"""Which of the two a benchmark measures: the sources as they stand in the checkout, or the compiled package."""

import sys
from pathlib import Path

import personalize
from personalize.compiled import IS_COMPILED

#: Where it was imported from. Servers import from the folder that they start in before anything else: started here,
#: they serve with the same package.
PACKAGE_IN = Path(personalize.__file__).resolve().parents[1]


def say_what_is_measured() -> None:
    """Print it, and how to measure the other, before anything else."""
    name = getattr(sys.modules["__main__"].__spec__, "name", "").rpartition(".")[2]
    if IS_COMPILED:
        print(f"the compiled package; python -m benchmarks.{name} measures the sources as they are")
    else:
        print(f'the sources as they are; make bench ARGS="{name}" measures the compiled package')
