"""Somebody at a terminal: runs commands in the folder of a site and looks at what they print."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result

from personalize.cli.main import main
from personalize.settings import load_settings
from personalize.stores.opening import open_store
from personalize.stores.protocols import Store

T = TypeVar("T")

#: Has the tests of a module look at a site with each kind of store.
IN_POSTGRES_TOO = pytest.mark.parametrize("shop", ["sqlite", "postgres"], indirect=True)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal in a folder, which is the working directory."""

    folder: Path

    def run(self, *arguments: str, color: bool = False) -> Result:
        """Run a command; an exception that no command should let out fails the test."""
        result = CliRunner(catch_exceptions=False).invoke(main, arguments, prog_name="personalize", color=color)
        for line in (*result.stdout.splitlines(), *result.stderr.splitlines()):
            assert "Traceback" not in line
        return result

    def well(self, *arguments: str) -> str:
        """What a command prints that has to go well; nothing stands on the side of errors."""
        result = self.run(*arguments)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout

    def said(self, *arguments: str, exit_code: int) -> str:
        """What a command says on the side of errors that ends with this code."""
        result = self.run(*arguments)
        assert result.exit_code == exit_code, result.output
        return result.stderr

    def stored(self, look: Callable[[Store], Awaitable[T]]) -> T:
        """What stands in the site's store."""

        async def run() -> T:
            settings = load_settings(self.folder / "personalize.toml", {})
            store = open_store(settings.store, settings.root)
            await store.open()
            try:
                return await look(store)
            finally:
                await store.close()

        return asyncio.run(run())

    def change(self, name: str, before: str, after: str) -> None:
        """Change one place of a file, as an editor would."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {name}"
        path.write_text(text.replace(before, after), encoding="utf-8")
