"""docs/developers.md, Frameworks: every site that stands there runs, and shows what an editor has written."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs.bench import Bench
from tests.docs.blocks import blocks_of, folder_of_desk, folder_of_sites, table_below

PAGE = "docs/developers.md"
RULES = """
slots:
  home-hero: {rules: [{id: calm, show: heroes/calm}]}
  home-side: {rules: [{id: post, show: notes/post}]}
"""
DATASETTE = """
from datasette.app import Datasette

app = Datasette(memory=True, plugins_dir="plugins", template_dir="pages").app()
"""
APPS = {
    "Starlette": "shop:app",
    "FastAPI": "fastapi_shop:app",
    "Django": "mysite.asgi:application",
    "Litestar": "litestar_shop:app",
    "Quart": "quart_shop:app",
    "Flask, and other WSGI": "flask_shop:app",
    "Datasette": "datasette_shop:app",
    "Files": "files_shop:app",
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The home page of every site, by its framework."""
    folder = tmp_path_factory.mktemp("sites")
    shutil.copytree(folder_of_sites(), folder, dirs_exist_ok=True)
    shutil.copytree(folder_of_desk(), folder, dirs_exist_ok=True)
    bench = Bench(folder)
    for block in blocks_of(PAGE):
        if block.language in ("python", "html") and block.file and not block.file.startswith("test_"):
            bench.write(block)
    (folder / "datasette_shop.py").write_text(DATASETTE, encoding="utf-8")
    (folder / "pages" / "index.html").write_text('{% extends "home.html" %}', encoding="utf-8")
    (folder / "public").mkdir()
    bare = '<!doctype html><title>Shop</title><div data-slot="home-side"><p>Free delivery</p></div>'
    (folder / "public" / "index.html").write_text(bare, encoding="utf-8")
    for file in (folder / "rules").iterdir():
        file.unlink()
    (folder / "rules" / "slots.yaml").write_text(RULES, encoding="utf-8")
    return pages_of(folder)


def pages_of(folder: Path) -> Mapping[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.fill_sites", *APPS.values()],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "PERSONALIZE_RELOAD": "save",
            "PERSONALIZE_STORE": "memory:",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    replies = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert [(name, status) for name, status, _ in replies] == [(name, 200) for name in APPS.values()]
    return dict(zip(APPS, (text for _, _, text in replies), strict=True))


def test_the_table_has_a_line_for_each_of_them() -> None:
    assert [row[0] for row in table_below(PAGE, "Frameworks")] == list(APPS)


@pytest.mark.parametrize("name", APPS)
def test_a_written_slot_is_filled(name: str, pages: Mapping[str, str]) -> None:
    assert "We pay the post this week" in pages[name] and "Free delivery" not in pages[name]


@pytest.mark.parametrize("name", [name for name in APPS if name != "Files"])
def test_the_slot_of_the_template_engine_is_filled(name: str, pages: Mapping[str, str]) -> None:
    assert "A quiet week" in pages[name] and "Welcome to our shop" not in pages[name]
