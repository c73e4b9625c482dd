"""The lock of a profile against real processes: who holds it is named, and it is free the moment the holder is gone."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.adapters.lock import run_lock
from sync.errors import LockHeld

ROOT = Path(__file__).parents[2]
HOLDER = """
    import sys
    from pathlib import Path
    from sync.adapters.lock import run_lock
    with run_lock(Path(sys.argv[1]), since="2026-03-02T09:14:07.250Z", holds="monday.xlsx"):
        {inside}
        print("holds", flush=True)
        sys.stdin.read()
"""


@contextmanager
def holder(path: Path, inside: str = "pass") -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock until its standard input ends."""
    code = textwrap.dedent(HOLDER).format(inside=inside)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("holds")
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def take(path: Path) -> None:
    with run_lock(path, since="now", holds="tuesday.xlsx"):
        pass


def test_a_second_run_is_refused_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    """Process, host, start and sheet of the holder are named, with exit code 8."""
    lock = tmp_path / "run.lock"
    with holder(lock) as other:
        with pytest.raises(LockHeld) as refusal:
            take(lock)

        assert refusal.value.exit_code == 8
        for fact in (f"process {other.pid} on ", "since 2026-03-02T09:14:07.250Z", "with monday.xlsx"):
            assert fact in str(refusal.value)


def test_the_lock_is_free_after_the_run(tmp_path: Path) -> None:
    """One run after the other; and the file keeps nobody's name."""
    lock = tmp_path / "run.lock"
    take(lock)
    take(lock)

    assert lock.read_text() == ""
    assert lock.stat().st_mode & 0o777 == 0o600


def test_the_lock_is_free_after_a_run_that_failed(tmp_path: Path) -> None:
    """An error inside the block lets go of the lock."""
    lock = tmp_path / "run.lock"
    with pytest.raises(ValueError, match="inside"), run_lock(lock, since="now", holds="a.xlsx"):
        raise ValueError("inside")

    take(lock)


def test_kill_9_frees_the_lock(tmp_path: Path) -> None:
    """Nothing has to be cleaned up after a process that could not: the text it left behind holds nobody up."""
    lock = tmp_path / "run.lock"
    with holder(lock) as other:
        other.send_signal(signal.SIGKILL)
        other.wait(10)

        assert str(other.pid) in lock.read_text()
        take(lock)


def test_a_program_that_the_run_started_does_not_inherit_the_lock(tmp_path: Path) -> None:
    """A child that outlives a killed run, even one that keeps its descriptors, does not hold the next one up."""
    lock = tmp_path / "run.lock"
    inside = (
        "import subprocess; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
        " close_fds=False); (Path(sys.argv[1]).parent / 'child').write_text(str(child.pid))"
    )
    with holder(lock, inside) as other:
        other.kill()
        other.wait(10)
        child = int((tmp_path / "child").read_text())
        try:
            os.kill(child, 0)
            take(lock)
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_that_multiprocessing_started_does_not_inherit_the_lock(tmp_path: Path, method: str) -> None:
    """A forked child gets every descriptor, and closes that of the lock; the parent's lock is not touched by that."""
    lock = tmp_path / "run.lock"
    context = multiprocessing.get_context(method)
    end = context.Event()
    child = context.Process(target=end.wait, args=(60,))
    with run_lock(lock, since="now", holds="a.xlsx"):
        child.start()
        with pytest.raises(LockHeld):
            take(lock)
    try:
        assert child.is_alive()
        take(lock)
    finally:
        end.set()
        child.join(20)


def test_two_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    """The lock belongs to who opened the file, not to the process: two runs of the page cannot overlap."""
    lock = tmp_path / "run.lock"
    with run_lock(lock, since="now", holds="a.xlsx"), pytest.raises(LockHeld, match=f"process {os.getpid()} "):
        take(lock)


def test_a_holder_that_has_not_written_its_name_is_still_respected(tmp_path: Path) -> None:
    """The text is only for people: rubbish in it changes nothing."""
    lock = tmp_path / "run.lock"
    with holder(lock):
        lock.write_text("no json")

        with pytest.raises(LockHeld, match="has not said who it is"):
            take(lock)
