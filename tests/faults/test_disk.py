"""F32 to F36, as far as a process can be made to see them: full disks, reports without a place, a damaged store."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.desk import Desk
from tests.faults.evidence import STORE

pytestmark = pytest.mark.e2e

ROWS = 60


@pytest.mark.parametrize("kilobytes", [4, 40, 70, 100, 140, 200, 260, 320, 400])
def test_a_disk_that_fills_up_under_the_journal(kilobytes: int, desk: Desk) -> None:
    """What cannot be written down is not sent: exit 5; with room again the work is finished, each row sent once."""
    desk.rename(ROWS)
    ended = desk.run("apply", str(desk.sheet), "--yes", "--quiet", file_size=kilobytes * 1024)

    assert (ended.code, desk.broken()) == (5, []), ended
    assert "Free some disk space" in ended.stderr
    assert ended.stderr.rstrip().endswith("then give the same command again.")
    again = desk.go_on()
    assert (again.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), again
    assert sum(entry["applied"] for entry in desk.sandbox.puts()) == ROWS


def test_a_report_without_a_place_loses_nothing(desk: Desk) -> None:
    """Its folder goes while the run is at work: the updates stay in the journal, and the report can be had later."""
    desk.profile(in_flight=1)
    desk.sandbox.options(latency_ms=200)
    desk.rename(2)
    out = desk.folder / "out"
    running = desk.start("apply", str(desk.sheet), "--yes", "--out", str(out))
    desk.wait_for_puts(1)
    if out.is_dir():
        out.rmdir()
    out.write_text("in the way")
    ended = running.ended()

    assert ended.code != 0, ended
    assert "could not be written" in ended.stderr
    desk.sandbox.options(latency_ms=0)
    again = desk.go_on()
    assert (again.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), again
    assert len(desk.sandbox.puts()) == 2


def zeros_at_the_start(path: Path) -> None:
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])


def cut_in_half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def another_kind_of_file(path: Path) -> None:
    path.write_text("Id,Title\n" * 1000)


def newer_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store:
        store.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
        store.commit()


def zeros_in_the_middle(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:8192] + bytes(len(content) - 16384) + content[-8192:])


@pytest.mark.parametrize(
    "damage", [zeros_at_the_start, cut_in_half, another_kind_of_file, newer_version, zeros_in_the_middle]
)
@pytest.mark.parametrize("command", ["apply", "resume"])
def test_a_damaged_store_is_refused_and_never_begun_anew(
    command: str, damage: Callable[[Path], None], desk: Desk
) -> None:
    """Exit 2 with the next step; nothing read, nothing sent, not a byte of the store changed."""
    desk.rename(3)
    assert desk.apply().code == 0
    path = desk.state_dir / STORE
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(path)
    before, asked = hashlib.sha256(path.read_bytes()).digest(), len(desk.sandbox.log())
    ended = desk.apply() if command == "apply" else desk.resume()

    assert ended.code == 2, ended
    assert (hashlib.sha256(path.read_bytes()).digest(), len(desk.sandbox.log())) == (before, asked)


def test_a_write_ahead_log_that_somebody_deleted_sends_nothing_twice(desk: Desk) -> None:
    """What it held is lost, but the server is read before anything is sent: what is done is found done."""
    desk.rename(3)
    assert desk.apply(failpoint="outcome.written:3").was_killed
    (desk.state_dir / f"{STORE}-wal").unlink(missing_ok=True)
    (desk.state_dir / f"{STORE}-shm").unlink(missing_ok=True)
    ended = desk.apply()

    assert ended.code == 0, ended
    assert set(desk.statuses()) <= {"updated", "unchanged"}
    assert all(len(desk.puts(number)) == 1 for number in range(3))
