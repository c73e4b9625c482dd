"""Purge: what is old goes from the disk and from the journal, told beforehand; an unfinished run keeps everything."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.command_line import SAMPLES, Shell, counts_of, refused
from tests.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("reads_here")]

SEED = json.loads((SAMPLES / "sandbox_seed.json").read_text(encoding="utf-8"))
OTHER_COURSE = SEED["sections"][-1]["CourseId"]
FIRST, SECOND = (section["Id"] for section in SEED["sections"][:2])
CANARY = "purge-canary-7f3a"
NOW = "[keep]\nuploads_days = 0\nbefore_images_days = 0\nreports_days = 0"


def run_once(shell: Shell, title: str = CANARY) -> str:
    """Apply a sheet with this title; the run's id."""
    sheet = shell.write("sheet.csv", ["Id", "Title"], [FIRST, title], ["x", f"{title} too"])
    assert shell("apply", sheet, "--yes").code == 4
    sheet.unlink()
    run_id: str = json.loads(shell("history", "--json").out)[0]["run_id"]
    return run_id


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_is_old_is_gone_from_disk_and_journal(shell: Shell, sandbox: SandboxProcess) -> None:
    """Not a byte of the texts is left but what is desired; history and counts stay, and undo says why it cannot."""
    run_id = run_once(shell)
    sandbox.edit(FIRST, Title="else")
    shell.profile(NOW)
    shown = shell("purge", "--dry-run")
    assert CANARY.encode() + b" too" in bytes_of(shell.state)

    ran = shell("purge", "--yes")

    assert (shown.code, ran.code) == (0, 0)
    assert f"`undo` will not be possible any more for: {run_id}" in ran.out == shown.out
    assert CANARY.encode() + b" too" not in bytes_of(shell.state)
    assert not list((shell.state / "inputs").iterdir())
    assert not list((shell.state / "reports").iterdir())
    assert shell("report", run_id, "--out", "again").code == 0
    assert counts_of(shell.folder / "again") == {"updated": 1, "invalid": 1}
    refused(shell("undo", run_id, "--yes"), 2, "cannot be undone", "purged")
    assert shell("purge", "--yes").out == "Nothing is old enough.\n"


def test_nothing_of_an_unfinished_run_goes(shell: Shell, sandbox: SandboxProcess) -> None:
    """However old, and though it is named; afterwards it is resumed to its end."""
    sheet = shell.write("sheet.csv", ["Id", "Title"], [FIRST, "One"], [SECOND, "Two"])
    sandbox.faults([{"match": {"method": "PUT"}, "action": "status", "status": 401, "body": ""}])
    assert shell("apply", sheet, "--yes").code == 5
    sandbox.faults([])
    shell.profile(NOW)
    run_id = json.loads(shell("history", "--json").out)[0]["run_id"]

    assert shell("purge", "--yes").out == "Nothing is old enough.\n"
    refused(shell("purge", "--yes", "--run", run_id), 2, "can still be resumed", f"coursesync resume {run_id}")
    assert shell("resume").code == 0
    assert sandbox.records()[SECOND]["Title"] == "Two"


def test_what_the_profile_keeps_stays_and_one_run_can_be_named(shell: Shell) -> None:
    """Ninety days by default; `--run` takes one run, whatever its age, and no other."""
    first, second = run_once(shell, "one"), run_once(shell, "two")

    assert shell("purge", "--yes").out == "Nothing is old enough.\n"
    assert json.loads(shell("purge", "--yes", "--run", first, "--json").out)["no_undo"] == [first]
    assert not (shell.state / "reports" / first).exists()
    assert (shell.state / "reports" / second).exists()
    with closing(sqlite3.connect(shell.state / "store.sqlite3")) as store:
        kept = store.execute("SELECT DISTINCT run_id FROM intents WHERE before_json <> '{}'").fetchall()
        assert kept == [(second,)]
        told = store.execute("SELECT run_id, facts_json FROM audit WHERE action = 'purged'").fetchall()
        assert [(run_id, json.loads(facts)["what"]) for run_id, facts in told] == [
            (first, ["upload", "before_images", "report"])
        ]


def test_without_a_terminal_it_needs_a_word(shell: Shell) -> None:
    """Exit 6 and nothing gone, unless `--yes` says so."""
    run_once(shell)
    shell.profile(NOW)
    before = bytes_of(shell.state / "reports")

    refused(shell("purge"), 6, "Nothing is gone")
    assert bytes_of(shell.state / "reports") == before


def test_a_drop_folder_is_purged_where_it_is_named(shell: Shell, sandbox: SandboxProcess) -> None:
    """What was done with long ago goes with its report; what waits or is at work stays."""
    del sandbox
    root = shell.folder / "inbox"
    root.mkdir()
    shell.profile("[inbox]\nsettled_s = 0.0")
    shell.write("inbox/a.csv", ["Id", "Title"], [FIRST, "One"])
    assert shell("inbox", root).code == 0
    (root / "approval" / "waits").mkdir()
    shell.profile(NOW)

    assert shell("purge", "--yes", "--inbox", root).code == 0
    assert list((root / "done").iterdir()) == []
    assert (root / "approval" / "waits").exists()


def test_reports_that_no_run_knows_go_as_well(shell: Shell) -> None:
    """Of a sheet that a rail held each night: once they are old, and not while one may be being written."""
    sheet = shell.write("held.csv", ["Id", "CourseId"], [FIRST, OTHER_COURSE])
    assert [shell("apply", sheet, "--yes").code for _ in range(2)] == [6, 6]
    old, young = sorted((shell.state / "reports").iterdir())
    os.utime(old, (0, 0))
    shell.profile(NOW)

    assert "1 reports" in shell("purge", "--yes").out
    assert list((shell.state / "reports").iterdir()) == [young]


def test_a_sheet_that_was_dealt_with_is_not_in_trouble_for_ever(shell: Shell) -> None:
    """Each night's sheet has a name of its own: what was told of an old one goes with its report."""
    shell.write("bad.csv", ["Title"], ["No Id"])
    assert shell("apply", "bad.csv", "--yes").code == 3
    before = shell("doctor").out
    shell.profile(NOW)

    assert "1 old troubles" in shell("purge", "--yes").out
    assert "bad.csv: refused" in before
    assert "bad.csv" not in shell("doctor").out
