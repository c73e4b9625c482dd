"""`apply --canary` on the command line: a few rows first, and what becomes of the rest."""

import pytest

from tests.e2e.command_line import SAMPLES, Shell, counts_of, refused, statuses, summary_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

TITLES = SAMPLES / "translate_titles.xlsx"
"""Twelve rows, each a new title."""
REJECTED = {"match": {"method": "PUT", "nth": 2}, "action": "status", "status": 422}


def test_a_canary_that_goes_well_ends_as_any_run(shell: Shell, sandbox: SandboxProcess) -> None:
    """Each stage is verified, even where the profile does not; the stages stand in the report."""
    shell.profile("verify = false")

    ran = shell.apply(TITLES, "--canary", "1,5,20%")

    assert ran.code == 0
    assert counts_of(shell.folder / "out") == {"updated": 12}
    assert len(sandbox.puts()) == 12
    assert "going on from 1 to 5 rows" in ran.err
    assert "run.canary" in [issue["code"] for issue in summary_of(shell.folder / "out")["issues"]]


def test_a_stage_that_goes_wrong_stops_the_run_with_both_ways_on(shell: Shell, sandbox: SandboxProcess) -> None:
    """Exit 5, what was applied in the report; the same sheet and a plain resume stop again; each way on does work."""
    sandbox.faults([REJECTED])

    ran = shell.apply(TITLES, "--canary", "3")
    run_id = summary_of(shell.folder / "out")["run_id"]

    ways = (
        f"coursesync undo {run_id} --profile main – or go on all the same:"  # noqa: RUF001 - a dash
        f" coursesync resume {run_id} --allow canary --profile main"
    )
    refused(ran, 5, "1 of 3 rows of the canary did not go well", ways)
    assert f"Next: Take back what was applied: {ways}\n" in ran.out
    assert counts_of(shell.folder / "out") == {"updated": 2, "rejected": 1, "not_attempted": 9}
    for again in (shell.apply(TITLES), shell("resume", "--out", "out")):
        assert again.code == 5
        assert len(sandbox.puts()) == 3

    resumed = shell("resume", run_id, "--allow", "canary", "--out", "out")
    assert resumed.code == 4
    assert counts_of(shell.folder / "out") == {"updated": 11, "rejected": 1}
    assert "rejected" in list(statuses(shell.folder / "out").values())[:3]


def test_a_stopped_canary_can_be_undone(shell: Shell, sandbox: SandboxProcess) -> None:
    """What it applied is taken back."""
    before = {record["Id"]: record["Title"] for record in sandbox.records().values()}
    sandbox.faults([REJECTED])
    shell.apply(TITLES, "--canary", "3")

    ran = shell("undo", summary_of(shell.folder / "out")["run_id"], "--yes", "--out", "undone")

    assert ran.code == 0
    assert counts_of(shell.folder / "undone") == {"updated": 2}
    assert {record["Id"]: record["Title"] for record in sandbox.records().values()} == before


@pytest.mark.parametrize("steps", ["0", "5,1", "a lot", "101%"])
def test_a_canary_that_means_nothing_is_refused(shell: Shell, sandbox: SandboxProcess, steps: str) -> None:
    """Exit 2, before anything is read."""
    refused(shell.apply(TITLES, "--canary", steps), 2, "--canary 1,5,20%")
    assert sandbox.log() == []


def test_only_a_run_with_a_canary_goes_past_one(shell: Shell, sandbox: SandboxProcess) -> None:
    """`resume --allow canary` of any other run is a mistake, and says so."""
    sandbox.faults([{"match": {"method": "PUT", "from_nth": 1}, "action": "status", "status": 422}])
    shell.profile("stop_after = 2")
    shell.apply(TITLES)

    refused(shell("resume", "--allow", "canary"), 2, "has no canary")
