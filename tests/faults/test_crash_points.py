"""F1 and F2: killed at every point, of small plans without exception; `resume`, and every promise still holds."""

from itertools import count
from pathlib import Path

import pytest

from tests.faults.commands import Commands, Ended
from tests.faults.desk import Desk
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

MOST_POINTS = 300
"""More points than a plan of three rows has."""
SLICES = 8
"""The points of a plan are shared out to so many tests, for workers to run side by side."""


def go_on(desk: Desk, *, failpoint: str | None = None) -> Ended:
    """Do what an operator does after a death: `resume`; where no run had begun, apply."""
    ended = desk.resume(failpoint=failpoint)
    if ended.code == 0 and ended.out is None:
        return desk.apply(failpoint=failpoint)
    return ended


def new_desk(sandbox: SandboxProcess, commands: Commands, folder: Path, *, rows: int) -> Desk:
    """A desk in a folder of its own, with a sheet of so many changes, the server as at its start."""
    sandbox.reset()
    folder.mkdir()
    desk = Desk(folder, sandbox, commands)
    desk.rename(rows)
    return desk


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_run_survives_its_death_at_every_point(
    rows: int, part: int, sandbox: SandboxProcess, commands: Commands, tmp_path: Path
) -> None:
    """Whatever point it dies at, going on finishes the work, and no promise is broken on the way."""
    for point in count(1 + part, SLICES):
        desk = new_desk(sandbox, commands, tmp_path / str(point), rows=rows)
        died = desk.apply(failpoint=f"*:{point}")
        last = go_on(desk) if died.was_killed else died

        assert point < MOST_POINTS
        assert (last.code, desk.statuses(), desk.broken()) == (0, ["updated"] * rows, []), (point, died, last)
        if not died.was_killed:
            break


@pytest.mark.parametrize("first", ["intent.written:1", "bytes.sent:3", "answer.read:3", "outcome.written:1"])
@pytest.mark.parametrize("part", range(2))
def test_a_recovery_survives_its_own_death(
    first: str, part: int, sandbox: SandboxProcess, commands: Commands, tmp_path: Path
) -> None:
    """Killed again at every second point of the recovery, and gone on with once more."""
    for point in count(1 + part, 2):
        desk = new_desk(sandbox, commands, tmp_path / str(point), rows=2)
        assert desk.apply(failpoint=first).was_killed
        again = go_on(desk, failpoint=f"*:{point}")
        last = go_on(desk) if again.was_killed else again

        assert point < MOST_POINTS
        assert (last.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), (point, again, last)
        if not again.was_killed:
            break
