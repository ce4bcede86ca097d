"""Who was erased, and how far back the log reaches, in files."""

from pathlib import Path

import pytest

from personalize.errors import ExportRefused
from personalize.exports.erasure_files import (
    FLOORS,
    RECEIPTS,
    SEALS,
    floors_in,
    receipts_in,
    seals_in,
    write_floors,
    write_receipts,
    write_seals,
)
from personalize.stores.erasure import Erasure
from personalize.stores.floors import Floors
from tests.stores.samples import at


def test_seals_receipts_and_floors_come_back_as_they_were(tmp_path: Path) -> None:
    sealed, floors = [("00ff" * 8, at(0.000001))], Floors(at(1), {"loan": at(2)})
    receipts = [Erasure("00ff" * 8, at(0), "Ingrid å", 2, 7, ("e1",)), Erasure("01" * 16, at(3), "the visitor", 0, 0)]
    write_seals(tmp_path, sealed)
    write_receipts(tmp_path, receipts)
    write_floors(tmp_path, floors)
    assert list(seals_in(tmp_path / SEALS)) == sealed
    assert list(receipts_in(tmp_path / RECEIPTS)) == receipts
    assert floors_in(tmp_path / FLOORS) == floors


@pytest.mark.parametrize("line", ["nonsense", "[]", "{}", '{"seal": "no", "at": "noon", "type": null}'])
def test_a_line_that_holds_none_of_them_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(line + "\n")
    for read in (lambda path: list(seals_in(path)), lambda path: list(receipts_in(path)), floors_in):
        with pytest.raises(ExportRefused, match=r"x\.jsonl, line 1, "):
            read(path)
