"""The key that signs cookies: made once, shared by all workers of a machine, never weak."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from personalize.errors import SettingsError
from personalize.runtime.keys import secret_keys
from personalize.settings import load_settings
from tests.desk import KEY, desk_settings


def test_keys_of_the_settings_are_used_as_they_are(tmp_path: Path) -> None:
    assert secret_keys(desk_settings(tmp_path)) == (KEY,)
    assert not (tmp_path / "var").exists()


def test_a_key_is_made_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    settings = load_settings(None, {}, root=tmp_path)
    (key,) = secret_keys(settings)
    assert len(key) >= 32
    assert secret_keys(settings) == (key,)
    assert settings.key_file.stat().st_mode & 0o077 == 0
    assert [path.name for path in settings.key_file.parent.iterdir()] == ["personalize.key"]


def test_workers_that_start_together_share_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from personalize.settings import load_settings;"
        "from personalize.runtime.keys import secret_keys;"
        "print(secret_keys(load_settings(None, {}, root=Path(sys.argv[1])))[0])"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({worker.communicate(timeout=60)[0] for worker in workers}) == 1


def test_a_key_file_of_no_use_is_said_with_a_way_out(tmp_path: Path) -> None:
    settings = load_settings(None, {}, root=tmp_path)
    settings.key_file.parent.mkdir()
    settings.key_file.write_text("short", encoding="ascii")
    with pytest.raises(SettingsError, match="E060") as refused:
        secret_keys(settings)
    assert "PERSONALIZE_SECRET_KEYS" in str(refused.value)


def test_where_a_key_is_kept_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(None, {}, root=tmp_path)
    keys = secret_keys(settings)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    # The folder is closed to writing; rights do not stop root, who may run this test.
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
    assert secret_keys(settings) == keys


def test_a_key_is_never_readable_by_others_not_even_while_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(None, {}, root=tmp_path)
    made: list[tuple[str, int, int]] = []
    make = os.open

    def noted(path: str, flags: int, mode: int = 0o777, **more: int) -> int:
        made.append((os.fspath(path), flags & os.O_EXCL, mode))
        return make(path, flags, mode, **more)

    monkeypatch.setattr(os, "open", noted)
    secret_keys(settings)
    ((path, exclusive, mode),) = made
    assert exclusive and mode & 0o077 == 0
    assert str(os.getpid()) != path.rpartition(".")[2]
    assert settings.key_file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"short", b"\xff" * 40, b""])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    settings = load_settings(None, {}, root=tmp_path)
    settings.key_file.parent.mkdir()
    settings.key_file.write_bytes(content)
    with pytest.raises(SettingsError, match="it holds no key"):
        secret_keys(settings)
