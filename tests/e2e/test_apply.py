"""`apply`: what is sent, what is left alone, and what the report says of every row."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.e2e.command_line import (
    SAMPLES,
    Shell,
    cells_of,
    counts_of,
    expected_statuses,
    rows_of,
    statuses,
    summary_of,
)
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

DEMO = SAMPLES / "demo.xlsx"
WITHOUT_FAULTS = expected_statuses(failed="updated", unknown="updated", not_attempted="updated")
REFUSED_ID = 1414927011
CONFLICT_ID = 1414926176


def test_a_second_run_sends_only_what_the_api_rejected(shell: Shell, sandbox: SandboxProcess) -> None:
    """What was made so is unchanged now: nothing else is sent again."""
    shell.apply(DEMO, out="first")
    first = len(sandbox.puts())

    ran = shell.apply(DEMO, out="second")

    assert ran.code == 4
    assert [put["id"] for put in sandbox.puts()[first:]] == [REFUSED_ID]
    again = {row: "unchanged" if status == "updated" else status for row, status in WITHOUT_FAULTS.items()}
    assert statuses(shell.folder / "second") == again


def test_a_report_is_a_sheet_that_can_be_applied(shell: Shell, sandbox: SandboxProcess) -> None:
    """The result columns are passed over: the diff decides, never a former result."""
    shell.apply(DEMO)
    sent = len(sandbox.puts())

    shell.apply("out/report.xlsx", out="again")

    assert [put["id"] for put in sandbox.puts()[sent:]] == [REFUSED_ID]
    assert set(statuses(shell.folder / "again")) == set(WITHOUT_FAULTS)


def test_the_failed_rows_can_be_sent_again_as_they_are(shell: Shell, sandbox: SandboxProcess) -> None:
    """`failed.xlsx` holds the rows that need attention and no other, and is a sheet like any other."""
    shell.apply(DEMO)
    wanted = [status for status in WITHOUT_FAULTS.values() if status in {"invalid", "rejected", "conflict"}]
    sent = len(sandbox.puts())

    ran = shell.apply("out/failed.xlsx", out="again")

    assert ran.code == 4
    assert list(statuses(shell.folder / "again").values()) == wanted
    assert [put["id"] for put in sandbox.puts()[sent:]] == [REFUSED_ID]


def test_a_mended_row_of_the_failed_ones_goes_through(shell: Shell, sandbox: SandboxProcess) -> None:
    """Mend the marked cell, send that file: done, and no file of failed rows is left."""
    sheet = shell.write("mine.xlsx", ["Id", "Title", "DisplayOrder"], [1414925001, "One", 7], [1414925007, "Two", "x"])
    assert shell.apply(sheet).code == 4
    failed = shell.folder / "out" / "failed.xlsx"
    workbook = load_workbook(failed)
    workbook.worksheets[0]["C2"] = 9
    workbook.save(failed)
    workbook.close()

    ran = shell.apply(failed, out="again")

    assert ran.code == 0
    assert counts_of(shell.folder / "again") == {"updated": 1}
    assert not (shell.folder / "again" / "failed.xlsx").exists()
    assert [(put["id"], put["body"]["DisplayOrder"]) for put in sandbox.puts()] == [(1414925001, 7), (1414925007, 9)]


def test_a_conflict_is_decided_in_the_returned_workbook(shell: Shell, sandbox: SandboxProcess) -> None:
    """The word `sheet` in the row's `Command` cell sends what the sheet says."""
    shell.apply(DEMO)
    wanted = cells_of(DEMO)[22]["Title"]
    failed = shell.folder / "out" / "failed.xlsx"
    workbook = load_workbook(failed)
    worksheet = workbook["Sections"]
    headings = [cell.value for cell in worksheet[1]]
    for cells in worksheet.iter_rows(min_row=2):
        if str(cells[headings.index("Id")].value) == str(CONFLICT_ID):
            cells[headings.index("Command")].value = "sheet"
    workbook.save(failed)
    workbook.close()

    shell.apply(failed, out="again")

    assert {row["id"]: row["status"] for row in rows_of(shell.folder / "again")}[CONFLICT_ID] == "updated"
    assert sandbox.records()[CONFLICT_ID]["Title"] == wanted


def test_a_sheet_that_asks_for_nothing_new_sends_nothing(shell: Shell, sandbox: SandboxProcess) -> None:
    """Exit code 0, every row `unchanged`, and no PUT."""
    ran = shell.apply(SAMPLES / "nothing_changes.xlsx")

    assert ran.code == 0
    assert counts_of(shell.folder / "out") == {"unchanged": 20}
    assert sandbox.puts() == []


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        pytest.param("translate_titles.xlsx", 12, id="titles"),
        pytest.param("title_rows_above_header.xlsx", 9, id="header on row 4"),
        pytest.param("reorder_a_course.csv", 13, id="csv"),
        pytest.param("many_rows_130.xlsx", 130, id="many"),
    ],
)
def test_a_sound_sheet_is_applied_once_and_then_unchanged(
    shell: Shell, sandbox: SandboxProcess, name: str, rows: int
) -> None:
    """Exit code 0; one PUT for each changed row; the second run sends nothing."""
    first = shell.apply(SAMPLES / name, out="first")
    sent = [put["id"] for put in sandbox.puts()]
    counts = counts_of(shell.folder / "first")

    second = shell.apply(SAMPLES / name, out="second")

    assert (first.code, second.code) == (0, 0)
    assert sum(counts.values()) == rows
    assert len(sent) == len(set(sent)) == counts["updated"]
    assert counts_of(shell.folder / "second") == {"unchanged": rows}
    assert len(sandbox.puts()) == len(sent)


def test_the_machines_answer_is_the_summary(shell: Shell) -> None:
    """`--json` prints the object of `summary.json` and where the report lies, and nothing else."""
    ran = shell.apply(DEMO, "--json")

    assert ran.json == summary_of(shell.folder / "out") | {"out": "out"}


def test_the_report_lies_in_the_state_directory_unless_told_otherwise(shell: Shell) -> None:
    """`reports/<run id>` in the state directory, and the command says so."""
    ran = shell("apply", SAMPLES / "translate_titles.xlsx", "--yes")
    (folder,) = (shell.state / "reports").iterdir()

    assert folder.name == summary_of(folder)["run_id"]
    assert f"Report: {folder}" in ran.out
    assert sorted(path.name for path in folder.iterdir()) == [
        "report.csv",
        "report.jsonl",
        "report.xlsx",
        "summary.json",
    ]


def test_a_relative_sheet_and_folder_are_seen_from_here(shell: Shell) -> None:
    """Names are those of the folder that the command is started in."""
    shell.write("mine.csv", ["Id", "Title"], [1414925001, "Another title"])

    ran = shell.process("apply", "mine.csv", "--yes", "--out", "deep/down")

    assert ran.code == 0
    assert Path("deep/down/summary.json").is_file()


def test_without_a_terminal_nothing_is_asked_and_nothing_sent(shell: Shell, sandbox: SandboxProcess) -> None:
    """Without `--yes` the run is held: exit code 6, before any request."""
    ran = shell("apply", DEMO)

    assert ran.code == 6
    assert "--yes" in ran.why
    assert sandbox.log() == []
