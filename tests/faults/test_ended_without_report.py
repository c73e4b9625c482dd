"""F1, its last part: the run has ended, and the process died before its report was whole."""

import pytest

from tests.faults.desk import Desk

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("point", ["file.written:2", "file.flushed:3", "file.renamed:4", "file.renamed:5"])
def test_resume_writes_the_report_that_a_death_has_cost(desk: Desk, point: str) -> None:
    """Nothing is sent again; the code is that of the run; after it nothing waits."""
    desk.rename(3)
    assert desk.apply(failpoint=point).was_killed
    told = desk.run("status").stdout
    puts = len(desk.sandbox.puts())
    ended, after = desk.resume(), desk.resume()

    assert "its report was not written whole: coursesync resume" in told
    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 3, [])
    assert len(desk.sandbox.puts()) == puts == 3
    assert "had ended, but its report was not written whole" in ended.stderr
    assert (after.code, after.stdout) == (0, "No run of this profile waits to be resumed.\n")


def test_applying_the_same_sheet_writes_the_missing_report_first(desk: Desk) -> None:
    """Cron knows one command: it says where the report of the former run lies, then finds nothing to send."""
    desk.rename(2)
    assert desk.apply(failpoint="file.written:2").was_killed
    ended = desk.apply()

    reports = list((desk.state_dir / "reports").iterdir())
    former = [folder for folder in reports if str(folder) not in ended.stdout]
    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["unchanged"] * 2, [])
    assert [folder.name for folder in reports if (folder / "report.xlsx").exists()] == [each.name for each in reports]
    assert (len(reports), len(former)) == (2, 1)
    assert f"it lies in {former[0]} now." in ended.stderr


@pytest.mark.parametrize("point", ["file.written:1", "file.flushed:1", "file.renamed:1"])
def test_a_copy_of_the_sheet_that_a_death_left_half_made_is_cleared_away(desk: Desk, point: str) -> None:
    """At the next command that holds the lock; the run itself had not begun."""
    desk.rename(2)
    assert desk.apply(failpoint=point).was_killed
    (desk.state_dir / "inputs" / "abc.partial").write_text("of an earlier version")
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, [])
    assert len(list((desk.state_dir / "inputs").iterdir())) == 1
