"""F7 and F8: one run of a profile at a time, and a lock that never has to be removed by hand."""

import pytest

from tests.faults.desk import Desk

pytestmark = pytest.mark.e2e


def test_a_second_run_is_refused_and_sends_nothing(desk: Desk) -> None:
    """Exit 8, naming the process that holds the lock and its sheet; `resume` is refused as well."""
    desk.profile(in_flight=1)
    desk.sandbox.options(latency_ms=100)
    desk.rename(10)
    first = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(2)
    second, third = desk.apply(), desk.resume()
    ended = desk.note(first.ended())

    assert (second.code, third.code, ended.code) == (8, 8, 0), (second, third)
    assert f"process {first.pid} " in second.stderr
    assert str(desk.sheet) in second.stderr
    assert (set(desk.statuses()), desk.broken()) == ({"updated"}, [])
    assert len(desk.sandbox.puts()) == 10


def test_a_killed_run_leaves_no_lock(desk: Desk) -> None:
    """The kernel frees it; what the file says is for people only."""
    desk.rename(2)
    assert desk.apply(failpoint="Put.answered:1").was_killed
    assert (desk.state_dir / "run.lock").read_text()
    ended = desk.resume()

    assert (ended.code, desk.broken()) == (0, []), ended


@pytest.mark.parametrize(
    "text", ["", "not json", '{"pid": 1, "host": "elsewhere", "since": "yesterday", "file": "x.xlsx"}']
)
def test_what_the_lock_file_says_holds_nobody_back(text: str, desk: Desk) -> None:
    """A file of another host, of a process id that is in use again, or of nonsense."""
    desk.state_dir.mkdir(mode=0o700)
    (desk.state_dir / "run.lock").write_text(text)
    desk.rename(1)
    ended = desk.apply()

    assert (ended.code, desk.broken()) == (0, []), ended
