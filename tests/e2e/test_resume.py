"""A run that stops at the day's allowance, what is said of it, and how it goes on."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_line import SAMPLES, Ran, Shell, cells_of, counts_of, rows_of, statuses, summary_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

TITLES = SAMPLES / "translate_titles.xlsx"
FIVE_A_DAY = '[{ scope = "write", count = 5, seconds = 86400 }]'
NINE_A_DAY = '[{ scope = "write", count = 9, seconds = 86400 }]'
ROWS = 12


@pytest.fixture
def stopped(shell: Shell) -> Ran:
    """A run of twelve rows under an allowance of five."""
    shell.profile(limits=FIVE_A_DAY)
    return shell.apply(TITLES)


def _run_id(shell: Shell) -> str:
    return str(summary_of(shell.folder / "out")["run_id"])


def test_the_allowance_of_the_day_stops_the_run(shell: Shell, sandbox: SandboxProcess, stopped: Ran) -> None:
    """Exit code 5; the rows that were reached are done, the others `not_attempted`, and the next command is named."""
    assert stopped.code == 5
    assert counts_of(shell.folder / "out") == {"updated": 5, "not_attempted": 7}
    assert "The allowance of writes is used up; the next one is free in " in stopped.why
    assert "coursesync resume" in stopped.why
    assert f"Next: Go on where this run stopped: coursesync resume {_run_id(shell)} --profile main" in stopped.out
    assert len(sandbox.puts()) == 5
    assert list(summary_of(shell.folder / "out")["quota"].values()) == [{"used": 5, "limit": 5}]


def test_resume_under_the_same_allowance_sends_nothing(shell: Shell, sandbox: SandboxProcess, stopped: Ran) -> None:
    """The ledger outlives the process: it stops again, with 5, and is still to be resumed."""
    again = shell("resume", "--out", "again")

    assert (stopped.code, again.code) == (5, 5)
    assert counts_of(shell.folder / "again") == {"updated": 5, "not_attempted": 7}
    assert len(sandbox.puts()) == 5


def test_resume_goes_on_where_the_run_stopped(shell: Shell, sandbox: SandboxProcess, stopped: Ran) -> None:
    """With a greater allowance: the other rows are sent, none twice, and the report is that of the whole run."""
    run_id = _run_id(shell)
    shell.profile()

    ran = shell("resume", "--out", "again")

    puts = [put["id"] for put in sandbox.puts()]
    assert (stopped.code, ran.code) == (5, 0)
    assert counts_of(shell.folder / "again") == {"updated": ROWS}
    assert summary_of(shell.folder / "again")["run_id"] == run_id
    assert {row["verified"] for row in rows_of(shell.folder / "again")} == {"yes"}
    assert len(puts) == len(set(puts)) == ROWS
    assert summary_of(shell.folder / "again")["requests"]["writes"] == ROWS


def test_a_run_can_be_resumed_more_than_once(shell: Shell, sandbox: SandboxProcess, stopped: Ran) -> None:
    """Day by day, by its name or without one."""
    shell.profile(limits=NINE_A_DAY)
    second = shell("resume", _run_id(shell), "--out", "second")
    shell.profile()
    third = shell("resume", "--out", "third")

    assert (stopped.code, second.code, third.code) == (5, 5, 0)
    assert counts_of(shell.folder / "second") == {"updated": 9, "not_attempted": 3}
    assert counts_of(shell.folder / "third") == {"updated": ROWS}
    assert len(sandbox.puts()) == ROWS


def test_resume_needs_neither_the_sheet_nor_its_folder(shell: Shell, sandbox: SandboxProcess) -> None:
    """A copy was kept when the run began."""
    sheet = shell.folder / "mine.xlsx"
    sheet.write_bytes(TITLES.read_bytes())
    shell.profile(limits=FIVE_A_DAY)
    shell.apply(sheet)
    sheet.unlink()
    shell.profile()

    ran = shell("resume", "--out", "again")

    assert ran.code == 0
    assert len(sandbox.puts()) == ROWS
    assert set(cells_of(shell.folder / "again" / "report.xlsx")) == set(range(2, ROWS + 2))


def test_applying_the_same_sheet_again_goes_on_with_its_run(
    shell: Shell, sandbox: SandboxProcess, stopped: Ran
) -> None:
    """Cron knows one command: it goes on with what it left, under the same run."""
    run_id = _run_id(shell)
    shell.profile()

    ran = shell.apply(TITLES, out="again")

    assert (stopped.code, ran.code) == (5, 0)
    assert summary_of(shell.folder / "again")["run_id"] == run_id
    assert counts_of(shell.folder / "again") == {"updated": ROWS}
    assert len(sandbox.puts()) == ROWS


def test_what_somebody_changed_meanwhile_is_a_conflict(shell: Shell, sandbox: SandboxProcess, stopped: Ran) -> None:
    """Rows that are left are decided anew, on what the server holds now."""
    left = next(row for row in rows_of(shell.folder / "out") if row["status"] == "not_attempted")
    sandbox.edit(left["id"], Title="Theirs")
    shell.profile()

    ran = shell("resume", "--out", "again")

    assert (stopped.code, ran.code) == (5, 4)
    assert counts_of(shell.folder / "again") == {"updated": ROWS - 1, "conflict": 1}
    assert sandbox.records()[left["id"]]["Title"] == "Theirs"


def test_a_run_that_has_ended_cannot_be_resumed(shell: Shell, sandbox: SandboxProcess) -> None:
    """Exit code 2 with its name and the next step; without a name there is nothing to do, which is no error."""
    shell.apply(TITLES)

    named, unnamed = shell("resume", _run_id(shell)), shell("resume")

    assert named.code == 2
    assert "has ended. Apply its sheet again instead." in named.why
    assert (unnamed.code, unnamed.out) == (0, "No run of this profile waits to be resumed.\n")
    assert len(sandbox.puts()) == ROWS


def test_status_and_history_show_where_a_run_stands(shell: Shell, stopped: Ran) -> None:
    """Stopped, with its reason and what is taken of the allowance; and finished once it is."""
    run_id = _run_id(shell)
    before, listed = shell("status"), shell("history")
    shell.profile()
    shell("resume", "--quiet")
    after = shell("status", run_id)

    assert stopped.code == 5
    assert before.out.startswith(f"{run_id}  ")
    assert "apply   stopped  exit 5" in before.out
    assert "12 rows read: 5 updated, 7 not attempted." in before.out
    assert "5 of 5 taken" in before.out
    assert "stopped: The allowance of writes is used up" in before.out
    assert listed.out.splitlines()[0] == before.out.splitlines()[0]
    assert "apply   finished exit 0" in after.out
    assert "12 rows read: 12 updated." in after.out


def test_a_run_may_be_named_by_its_beginning(shell: Shell, stopped: Ran) -> None:
    """As long as only one begins so."""
    ran = shell("status", _run_id(shell)[:-2])

    assert stopped.code == 5
    assert ran.out.startswith(_run_id(shell))


def test_a_machine_is_told_the_state_too(shell: Shell, stopped: Ran) -> None:
    """`status --json` is the summary and the state; `history --json` the runs, newest first."""
    shell.profile()
    shell.apply(SAMPLES / "nothing_changes.xlsx", out="other")

    status = shell("status", _run_id(shell), "--json").json
    runs: list[dict[str, Any]] = json.loads(shell("history", "--json").out)

    assert stopped.code == 5
    assert (status["state"], status["exit_code"], status["counts"]["not_attempted"]) == ("stopped", 5, 7)
    assert [(run["state"], run["exit_code"]) for run in runs] == [("finished", 0), ("stopped", 5)]
    assert runs[1]["run_id"] == _run_id(shell)
    assert runs[1]["input"] == {key: value for key, value in status["input"].items() if key != "sheet"}


def test_the_report_of_a_run_can_be_written_again(shell: Shell, sandbox: SandboxProcess) -> None:
    """From the journal alone, without the network: every file equal to the first, cell by cell."""
    shell.apply(SAMPLES / "demo.xlsx")
    seen = len(sandbox.log())
    shell.setenv(COURSESYNC_TOKEN=None)

    ran = shell("report", _run_id(shell), "--out", "again")

    first, again = shell.folder / "out", shell.folder / "again"
    assert ran.code == 0
    assert len(sandbox.log()) == seen
    assert _names(first) == _names(again)
    for name in ("report.csv", "report.jsonl", "summary.json"):
        assert (first / name).read_bytes() == (again / name).read_bytes(), name
    for name in ("report.xlsx", "failed.xlsx"):
        assert cells_of(first / name) == cells_of(again / name)


def test_the_report_of_a_stopped_run_is_that_of_its_rows_so_far(shell: Shell, stopped: Ran) -> None:
    """At any time, as often as wanted; the rows that were not reached are in `failed.xlsx`."""
    ran = shell("report", _run_id(shell), "--out", "again")

    assert (stopped.code, ran.code) == (5, 0)
    assert statuses(shell.folder / "again") == statuses(shell.folder / "out")
    assert len(cells_of(shell.folder / "again" / "failed.xlsx")) == 7


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
