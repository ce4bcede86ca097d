"""A disk that fails: what was said to be kept is kept, what was not is tried again, and nothing counts twice."""

from errno import EIO, ENOSPC
from pathlib import Path
from time import monotonic

import pytest

from tests.trust.disk import Disk
from tests.trust.recorded import numbers_in, numbers_kept, numbers_said
from tests.trust.trials import IS_LONG, SCALE

pytestmark = pytest.mark.trust

EVENTS = 6
#: Which of the first writes and syncs fails: in the tests some of each kind; when trust is asked for every one, or as
#: many as its scale says.
FAILING = range(1, 125, max(1, round(1 / SCALE))) if IS_LONG else (1, 44, 95)


@pytest.mark.parametrize("error", [EIO, ENOSPC], ids=["broken", "full"])
@pytest.mark.parametrize("failing", FAILING)
def test_whichever_write_or_sync_fails_no_event_is_lost_or_counted_twice(disk: Disk, failing: int, error: int) -> None:
    with disk.recorder(0, EVENTS, fails=str(failing), error=error) as recorder:
        said = numbers_said(recorder, EVENTS)
    assert (said.refused, said.kept) == (1, list(range(EVENTS)))
    assert numbers_in(disk.store) == list(range(EVENTS))


@pytest.mark.planted
def test_a_recorder_that_speaks_too_soon_is_found_out(disk: Disk) -> None:
    with disk.recorder(0, EVENTS, "--hasty", fails="95") as recorder:
        assert numbers_kept(recorder, EVENTS) == list(range(EVENTS))
    assert numbers_in(disk.store) != list(range(EVENTS))


def test_a_disk_that_is_full_for_a_while_is_written_to_again_by_the_same_process(disk: Disk, tmp_path: Path) -> None:
    full = tmp_path / "full"
    with disk.recorder(0, fails=str(full), error=ENOSPC) as recorder:
        assert recorder.stdout is not None
        numbers_kept(recorder, 5)
        full.touch()
        refused = next(line for line in recorder.stdout if line.startswith("refused"))
        assert "the disk is full" in refused
        number = int(refused.split()[1])
        full.unlink()
        there_is_room_at = monotonic()
        assert numbers_kept(recorder, 1) == [number]
        assert monotonic() - there_is_room_at < 5
    assert set(numbers_in(disk.store)) >= set(range(number + 1))
