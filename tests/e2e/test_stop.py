"""`coursesync stop`: a run that nobody wants to go on with."""

import pytest

from tests.e2e.command_line import SAMPLES, Shell, cells_of, counts_of, refused, summary_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

TITLES = SAMPLES / "translate_titles.xlsx"
FIVE_A_DAY = '[{scope = "write", count = 5, seconds = 86400}]'


@pytest.fixture
def stopped(shell: Shell) -> str:
    """A run of twelve rows that an allowance of five has stopped: its id."""
    shell.profile(limits=FIVE_A_DAY)
    shell.apply(TITLES)
    return str(summary_of(shell.folder / "out")["run_id"])


def test_a_stopped_run_is_ended_for_good(shell: Shell, sandbox: SandboxProcess, stopped: str) -> None:
    """Nothing is sent; the report has every row, `failed.xlsx` those that were not reached; exit code 4 says so."""
    ran = shell("stop", stopped, "--out", "ended")

    assert ran.code == 4
    assert "stopped the run for good" in ran.out
    assert "If its other rows are wanted after all: coursesync apply" in ran.why
    assert counts_of(shell.folder / "ended") == {"updated": 5, "not_attempted": 7}
    assert len(cells_of(shell.folder / "ended" / "failed.xlsx")) == 7
    assert len(sandbox.puts()) == 5


def test_nothing_goes_on_with_it(shell: Shell, sandbox: SandboxProcess, stopped: str) -> None:
    """Neither `resume` nor cron's `apply` of the same sheet, which begins a run of its own with what is left."""
    shell("stop", stopped, "--out", "ended")
    shell.profile()

    refused(shell("resume", stopped), 2, "has ended")
    assert "No run of this profile waits" in shell("resume").out
    refused(shell("stop", stopped), 2, "has ended")
    again = shell.apply(TITLES, out="again")

    assert again.code == 0
    assert counts_of(shell.folder / "again") == {"unchanged": 5, "updated": 7}
    assert summary_of(shell.folder / "again")["run_id"] != stopped
    assert len(sandbox.puts()) == 12


def test_status_history_and_report_say_so(shell: Shell, stopped: str) -> None:
    """The state is `finished`, and why it ended stands beside it, in the audit log as well."""
    shell("stop", stopped, "--out", "ended")

    standing = shell("status", stopped)
    listed = shell("history").out
    told = shell("history", "--audit").out
    written = shell("report", stopped, "--out", "later")

    assert "stopped: " in standing.out
    assert "for good" in standing.out
    assert "Next:" not in standing.out
    assert "(stopped for good)" in listed
    assert f"run.ended {stopped}" in told
    assert "exit_code=4" in told
    assert written.code == 0
    assert counts_of(shell.folder / "later") == {"updated": 5, "not_attempted": 7}
    assert summary_of(shell.folder / "later")["exit_code"] == 4


def test_it_can_be_undone_and_needs_no_sign_in(shell: Shell, sandbox: SandboxProcess, stopped: str) -> None:
    """With nothing in the open it asks the server nothing; what was sent stands until it is undone."""
    asked = len(sandbox.log())
    shell.setenv(COURSESYNC_TOKEN=None)

    ended = shell("stop", stopped, "--out", "ended")

    assert (ended.code, len(sandbox.log())) == (4, asked)
    shell.setenv(COURSESYNC_TOKEN="sandbox-token")
    shell.profile()
    assert shell("undo", stopped, "--yes", "--out", "undone").code == 0
    assert counts_of(shell.folder / "undone") == {"updated": 5}


def test_there_has_to_be_such_a_run(shell: Shell) -> None:
    """A run is named, and never guessed: it is the end of it."""
    refused(shell("stop", "nonsense"), 2, "no run 'nonsense'")
    assert shell("stop").code == 2
