"""Builds the package: as Python or, with PERSONALIZE_COMPILED=1, with what a page goes through compiled by mypyc.

The sources are the same, and lie beside what is compiled of them. It also puts docs/messages.md into what is
installed, for `personalize check --code`: one page, and no copy that drifts.
"""

import os
import re
import shutil
import sys
import sysconfig
import tomllib
from collections.abc import Sequence
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import PlatformError

#: What is compiled: what a page goes through, and what writes down what it leaves. A glob takes the modules of a
#: room, but no `__init__.py`. `docs/architecture.md` says what a module has to keep to.
COMPILED = (
    "personalize/compiled.py",
    "personalize/decisions/choose.py",
    "personalize/decisions/context.py",
    "personalize/decisions/decide.py",
    "personalize/decisions/decision.py",
    "personalize/decisions/fact_readers.py",
    "personalize/decisions/watch.py",
    "personalize/events/event.py",
    "personalize/profiles/encoding.py",
    "personalize/profiles/holding.py",
    "personalize/profiles/in_force.py",
    "personalize/profiles/interests.py",
    "personalize/profiles/join.py",
    "personalize/profiles/keeping.py",
    "personalize/profiles/kept_totals.py",
    "personalize/profiles/lifecycle.py",
    "personalize/profiles/organization.py",
    "personalize/profiles/profile.py",
    "personalize/profiles/project.py",
    "personalize/profiles/purpose.py",
    "personalize/profiles/seen.py",
    "personalize/profiles/stated.py",
    "personalize/profiles/stored_part.py",
    "personalize/profiles/totals.py",
    "personalize/profiles/unit.py",
    "personalize/profiles/visits.py",
    "personalize/rules/index/fact_index.py",
    "personalize/rules/index/index.py",
    "personalize/rules/pages.py",
    "personalize/rules/ruleset.py",
    "personalize/runtime/breaker.py",
    "personalize/runtime/cache_facts.py",
    "personalize/runtime/fragment_view.py",
    "personalize/runtime/health.py",
    "personalize/runtime/ingest.py",
    "personalize/runtime/page_events.py",
    "personalize/runtime/page_request.py",
    "personalize/runtime/page_view.py",
    "personalize/runtime/personalizer.py",
    "personalize/runtime/preview.py",
    "personalize/runtime/shown.py",
    "personalize/runtime/site_events.py",
    "personalize/runtime/variant_view.py",
    "personalize/runtime/visitor.py",
    "personalize/stores/decoded.py",
    "personalize/stores/event_text.py",
    "personalize/stores/holding_text.py",
    "personalize/stores/outcomes.py",
    "personalize/stores/projecting.py",
    "personalize/stores/sqlite/projections.py",
    "personalize/stores/sqlite/reader.py",
    "personalize/stores/sqlite/tables.py",
    "personalize/stores/sqlite/writer.py",
    "personalize/visitors/*.py",
    "personalize/web/caching/*.py",
    "personalize/web/fragments/shell_response.py",
    "personalize/web/headers.py",
    "personalize/web/html/*.py",
    "personalize/web/middleware.py",
    "personalize/web/request/*.py",
    "personalize/web/response/*.py",
    "personalize/web/seen/slot_watch.py",
)
#: What isn't, though a page goes through it or a glob above takes it, and why.
NOT_COMPILED = {
    "personalize/runtime/sources.py": "a site may inherit from its protocols and logins",
    "personalize/web/response/asking_again.py": "mypyc knows no generators that are asynchronous",
    **dict.fromkeys(
        (
            *("personalize/rules/conditions.py", "personalize/rules/equality.py", "personalize/rules/fact_values.py"),
            *("personalize/rules/index/postings.py", "personalize/rules/index/stretches.py"),
            *("personalize/rules/predicates.py", "personalize/rules/scales.py"),
        ),
        "asked once of each value that a fact has: the answers are kept",
    ),
    **dict.fromkeys(
        ("personalize/content/item.py", "personalize/content/library.py", "personalize/content/render.py"),
        "an item is rendered once: what came of it is kept",
    ),
    **dict.fromkeys(
        (
            "personalize/stores/memory/store.py",
            "personalize/stores/sqlite/link.py",
            "personalize/stores/sqlite/store.py",
        ),
        "two or three steps a page, and little beside what the database does",
    ),
}

#: Whoever sets it wants the compiled package.
VARIABLE = "PERSONALIZE_COMPILED"
ASKED_FOR = os.environ.get(VARIABLE, "") not in ("", "0")
#: What the one library that holds all of it is named for; beside each source lies a stub that opens it.
GROUP = "personalize"
#: What mypyc needs to read our types, beside what we depend on anyway.
COMPILER = ("mypy", "types-PyYAML")
#: Functions of the library call one another at once, or become part of one another: those that every library may call
#: are looked up by their name first, lest another one had put its own in their place. Python's are called without a
#: step in between, which costs a request that is none for a page a twentieth of what we add to it.
AT_ONCE = ("-fvisibility=hidden", "-fno-plt")
#: What the C compiler reads first: functions of mypyc's that only errors lead to. It puts whatever leads there apart, a
#: quarter of all, so that what pages go through lies together: they take a fiftieth less by it.
RARE = """\
struct _object;
#define RARE __attribute__((cold)) void
RARE CPy_AddTraceback(const char *, const char *, int, struct _object *);
RARE CPy_TypeErrorTraceback(const char *, const char *, int, struct _object *, const char *, struct _object *);
RARE CPy_TypeError(const char *, struct _object *);
RARE CPy_AttributeError(const char *, const char *, const char *, const char *, int, struct _object *);
RARE CPyError_OutOfMemory(void);
static RARE CPy_DecRef(struct _object *);
static RARE CPy_XDecRef(void *);
#undef RARE
"""
#: Errors count in what is compiled, not in what that imports; `make check` sees to the rest.
MYPY_OPTIONS = ("--config-file=pyproject.toml", "--follow-imports=silent", "--no-warn-unused-configs")


def compiled_paths() -> list[str]:
    """The source files that are compiled, sorted, as paths from here."""
    named = {path.as_posix() for each in COMPILED for path in Path().glob(each) if path.name != "__init__.py"}
    return sorted(named - NOT_COMPILED.keys())


def build_requirements() -> list[str]:
    """What mypyc needs, each in the version of constraints.txt, so that every build reads the same types."""
    lines = Path("constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {_normal(line.partition("==")[0]): line for line in lines if "==" in line}
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = (re.split(r"[^\w.-]", each)[0] for each in (*COMPILER, *project["dependencies"]))
    return [pins[_normal(name)] for name in names]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class BuildWithMessages(build_py):
    """Copies the page beside the code; an editable install reads it where it is."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file("docs/messages.md", f"{self.build_lib}/personalize/messages.md")


class BuildCompiled(build_ext):
    """Has mypyc write the extensions only when they are to be built: who asks for the name of the package waits for
    nothing, and needs no mypy."""

    def run(self) -> None:
        if self.editable_mode or self.inplace:
            raise PlatformError(f"{VARIABLE} compiles what is installed, never a checkout: set it without -e")
        refuse_without_c()
        self.distribution.ext_modules = extensions(self.build_temp)
        self.reinitialize_command("build_ext").ensure_finalized()  # once more: of these it knew nothing
        super().run()
        for path in set(map(str, Path(self.build_lib).rglob("*.so"))).difference(self.get_outputs()):
            Path(path).unlink()  # of a module that an earlier build has compiled


def refuse_without_c() -> None:
    """End with a line that says what to install where C can't be compiled for this Python."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    headers = Path(sysconfig.get_path("include"))
    if compiler and shutil.which(compiler[0]) is None:
        missing = f"there is no C compiler here ({compiler[0]}): apt install gcc"
    elif not (headers / "Python.h").exists():
        missing = f"there is no Python.h in {headers}: apt install python3-dev"
    else:
        return
    raise PlatformError(f"{VARIABLE} is set, and {missing}; or leave the variable away, and it installs as Python")


def extensions(folder: str) -> Sequence[Extension]:
    """What the C compiler is to build; mypyc writes the C into the folder."""
    from mypyc.build import mypycify  # noqa: PLC0415  # only this build needs it

    paths = compiled_paths()
    print(f"translating {len(paths)} modules to C", flush=True)
    # At level 3 the C compiler takes more than twice as long, and what it makes is larger, and no faster.
    made = mypycify([*MYPY_OPTIONS, *paths], opt_level="2", debug_level="0", group_name=GROUP, target_dir=folder)
    if os.name != "nt":
        rare = Path(folder, "rare.h")
        rare.write_text(RARE, encoding="utf-8")
        for each in made:
            each.extra_compile_args = [*each.extra_compile_args, *AT_ONCE, "-include", str(rare)]
    return made


if __name__ == "__main__":
    setup(
        cmdclass={"build_py": BuildWithMessages, "build_ext": BuildCompiled},
        ext_modules=[Extension(f"{GROUP}__mypyc", sources=[])] if ASKED_FOR else [],
        # pip asks for it so, and installs them apart; whoever runs this file has them, and nothing is fetched.
        setup_requires=build_requirements() if ASKED_FOR and "egg_info" in sys.argv else [],
    )
