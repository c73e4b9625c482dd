"""`--wait`: the allowance is waited for with the lock released, and nobody is in the way of anybody."""

import time
from pathlib import Path

import pytest

from sync.adapters.lock import run_lock
from tests.faults.desk import FIRST_ID, Desk

pytestmark = pytest.mark.e2e

SOON = {"limits": [{"scope": "write", "count": 3, "seconds": 6}], "wait_max_s": 1}
"""Three writes in six seconds, and a run that waits for one second only."""
WAITS = " Waiting."


def test_another_command_may_run_while_one_waits_for_the_allowance(desk: Desk) -> None:
    """The second is not told that the lock is held; the first goes on by itself, and its report is that of one run."""
    desk.profile(**SOON)
    desk.rename(3)
    other = desk.folder / "other.csv"
    other.write_text(f"Id,Title\n{FIRST_ID + 9},Section {FIRST_ID + 9}\n")
    desk.rename(5)
    waiting = desk.start("apply", str(desk.sheet), "--yes", "--wait")
    desk.wait_for_puts(3)
    _until_said(waiting.stderr, WAITS)
    second = desk.run("apply", str(other), "--yes", "--out", str(desk.folder / "other"))
    was_at_work = len(desk.sandbox.puts()) == 3
    desk.endings.clear()
    ended = desk.note(waiting.ended())

    assert (second.code, was_at_work) == (0, True), second
    assert "1 row read: 1 unchanged." in second.stdout
    assert (ended.code, desk.statuses(), len(desk.sandbox.puts())) == (0, ["updated"] * 5, 5), ended


def test_a_run_that_wakes_while_another_is_at_work_waits_for_it(desk: Desk) -> None:
    """Exit 8 is for a command that cannot begin; this one has begun, and goes on when the other has ended."""
    desk.profile(**SOON)
    desk.rename(4)
    waiting = desk.start("apply", str(desk.sheet), "--yes", "--wait")
    desk.wait_for_puts(3)
    _until_said(waiting.stderr, WAITS)
    with run_lock(desk.state_dir / "run.lock", since="now", holds="other.csv"):
        _until_said(waiting.stderr, "Another run of this profile is at work")
        assert len(desk.sandbox.puts()) == 3
    ended = desk.note(waiting.ended())

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 4, []), ended


def test_an_allowance_that_is_used_up_before_the_first_request_is_waited_for_as_well(desk: Desk) -> None:
    """Plans took the requests of these seconds: without `--wait` exit 5, with it the run begins when they are free."""
    desk.profile(limits=[{"scope": "all", "count": 7, "seconds": 5}], wait_max_s=0.5)
    desk.rename(1)
    while desk.run("plan", str(desk.sheet)).code == 0:
        pass
    ended = desk.run("apply", str(desk.sheet), "--yes", "--wait")

    assert (ended.code, desk.statuses()) == (0, ["updated"]), ended
    assert WAITS in ended.stderr


def _until_said(path: Path, words: str) -> None:
    end = time.monotonic() + 20.0
    while words not in path.read_text():
        assert time.monotonic() < end, words
        time.sleep(0.05)
