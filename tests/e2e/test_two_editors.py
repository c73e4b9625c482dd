"""Two people at work on the same sections: one in the admin panel, one in an exported workbook."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.e2e.command_line import Shell, as_json, cells_of, counts_of, rows_of, summary_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

KEY, OTHER, THIRD = 1414925001, 1414925007, 1414925023
COURSE, SECTIONS = 1414880117, 13
SHEET = "sections.xlsx"


def change(path: Path, act: Callable[[Workbook], None]) -> None:
    workbook = load_workbook(path)
    act(workbook)
    workbook.save(path)
    workbook.close()


def column_of(sheet: Worksheet, heading: str) -> int:
    return [cell.value for cell in sheet[1]].index(heading) + 1


def row_of(sheet: Worksheet, key: int) -> int:
    at = column_of(sheet, "Id")
    return next(row for row in range(2, sheet.max_row + 1) if str(sheet.cell(row, at).value) == str(key))


def typed(path: Path, key: int, **values: Any) -> None:  # noqa: ANN401 -- cells
    """Type `values` by heading into the row of a section, as the operator does."""

    def act(workbook: Workbook) -> None:
        sheet = workbook["Sections"]
        for heading, value in values.items():
            sheet.cell(row_of(sheet, key), column_of(sheet, heading)).value = value

    change(path, act)


def export(shell: Shell) -> Path:
    shell("export", "--course", str(COURSE), "-o", SHEET, "--quiet")
    return shell.folder / SHEET


def row_about(folder: Path, key: int) -> dict[str, Any]:
    return next(row for row in rows_of(folder) if row["id"] == key)


@pytest.fixture
def exported(shell: Shell) -> Path:
    """A workbook with the sections of one course, as a person downloads it."""
    return export(shell)


# their edit survives -----------------------------------------------------------------------------------------------


def test_their_edit_of_another_field_survives(shell: Shell, sandbox: SandboxProcess, exported: Path) -> None:
    """Cells as exported ask for nothing: an export of many columns is no order to put all of them back."""
    typed(exported, KEY, DisplayOrder=77)
    theirs = sandbox.edit(KEY, Title="Theirs", SectionContents="<p>Theirs</p>", Active=False)["after"]

    ran = shell.apply(SHEET)

    assert ran.code == 0
    (put,) = sandbox.puts()
    assert as_json(put["body"]) == as_json({**theirs, "DisplayOrder": 77})
    assert sandbox.records()[KEY]["Title"] == "Theirs"
    assert counts_of(shell.folder / "out")["updated"] == 1


def test_their_edit_of_the_same_field_survives_and_the_report_says_so(
    shell: Shell, sandbox: SandboxProcess, exported: Path
) -> None:
    """Nothing of the row is sent; the message names base, live and sheet, and the report marks the very cell."""
    was = sandbox.records()[KEY]["Title"]
    typed(exported, KEY, Title="Mine", DisplayOrder=77)
    sandbox.edit(KEY, Title="Theirs")

    ran = shell.apply(SHEET)

    row = row_about(shell.folder / "out", KEY)
    (issue,) = row["issues"]
    workbook = load_workbook(shell.folder / "out" / "report.xlsx")
    sheet = workbook["Sections"]
    cell = sheet.cell(row_of(sheet, KEY), column_of(sheet, "Title"))
    workbook.close()
    assert ran.code == 4
    assert sandbox.puts() == []
    assert row["status"] == "conflict"
    assert row["changes"] == [{"field": "Title", "base": was, "before": "Theirs", "after": "Mine"}]
    assert (issue["code"], issue["property"], issue["cell"]) == (
        "conflict.moved",
        "Title",
        f"Sections!{cell.coordinate}",
    )
    assert all(f"“{text}”" in issue["message"] for text in (was, "Theirs", "Mine"))
    assert "when exported on 20" in issue["message"]
    assert cell.comment is not None
    assert all(text in cell.comment.text for text in (was, "Theirs", "Mine"))


@pytest.mark.parametrize("characters", [1_500, 40_000], ids=["longer than is kept", "longer than a cell"])
def test_a_long_text_is_known_though_it_cannot_be_shown(shell: Shell, sandbox: SandboxProcess, characters: int) -> None:
    """Its digest tells that somebody else rewrote it; the untouched rest of the export stays quiet."""
    sandbox.edit(KEY, SectionContents="x" * characters)
    sandbox.edit(OTHER, SectionContents="x" * characters)
    path = export(shell)
    typed(path, KEY, SectionContents="<p>Mine</p>")
    typed(path, OTHER, SectionContents="<p>Mine</p>")
    sandbox.edit(KEY, SectionContents="<p>Theirs</p>")

    shell.apply(SHEET)

    (issue,) = row_about(shell.folder / "out", KEY)["issues"]
    assert "was changed since your export of 20" in issue["message"]
    assert counts_of(shell.folder / "out") == {"conflict": 1, "updated": 1, "unchanged": SECTIONS - 2}


def test_sorted_filtered_and_reduced_the_workbook_means_the_same(
    shell: Shell, sandbox: SandboxProcess, exported: Path
) -> None:
    """What was seen is found by the Id: the order and number of the visible rows play no part."""
    typed(exported, KEY, Title="Mine", DisplayOrder=77)
    typed(exported, OTHER, Title="Mine too")

    def turn(workbook: Workbook) -> None:
        sheet = workbook["Sections"]
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        at = column_of(sheet, "Id") - 1
        kept = [row for row in reversed(rows) if str(row[at]) in {str(KEY), str(OTHER), str(THIRD)}]
        sheet.delete_rows(2, sheet.max_row)
        for row in kept:
            sheet.append(row)
        sheet.auto_filter.ref = "A1:N4"

    change(exported, turn)
    sandbox.edit(KEY, Title="Theirs")
    sandbox.edit(OTHER, SectionContents="<p>Theirs</p>")
    sandbox.edit(THIRD, Title="Theirs")

    ran = shell.apply(SHEET)

    records = sandbox.records()
    assert ran.code == 4
    assert {row["id"]: row["status"] for row in rows_of(shell.folder / "out")} == {
        KEY: "conflict",
        OTHER: "updated",
        THIRD: "unchanged",
    }
    assert [put["id"] for put in sandbox.puts()] == [OTHER]
    assert (records[OTHER]["Title"], records[OTHER]["SectionContents"]) == ("Mine too", "<p>Theirs</p>")


def test_an_edit_between_plan_and_put_is_seen(shell: Shell, sandbox: SandboxProcess, exported: Path) -> None:
    """A run that stopped and is resumed later still knows what was exported."""
    was = {key: sandbox.records()[key]["Title"] for key in (KEY, OTHER)}
    typed(exported, KEY, Title="Mine")
    typed(exported, OTHER, Title="Mine too")
    shell.profile("wait_max_s = 0.5\nverify = false", limits='[{ scope = "write", count = 1, seconds = 3600 }]')
    stopped = shell.apply(SHEET)
    (first,) = sandbox.puts()
    left = OTHER if first["id"] == KEY else KEY
    sandbox.edit(left, Title="Theirs")
    shell.profile()

    resumed = shell("resume", "--out", "out")

    (issue,) = row_about(shell.folder / "out", left)["issues"]
    assert (stopped.code, resumed.code) == (5, 4)
    assert len(sandbox.puts()) == 1
    assert sandbox.records()[left]["Title"] == "Theirs"
    assert issue["message"].startswith(f"was “{was[left]}” when exported on 20")


# mending a conflict ------------------------------------------------------------------------------------------------


@pytest.fixture
def conflict(shell: Shell, sandbox: SandboxProcess, exported: Path) -> Path:
    """The returned workbook of a run with one conflict, beside another change of the same row."""
    typed(exported, KEY, Title="Mine", DisplayOrder=77)
    sandbox.edit(KEY, Title="Theirs")
    assert shell.apply(SHEET).code == 4
    return shell.folder / "out" / "failed.xlsx"


def test_the_word_sheet_sends_what_the_sheet_says(shell: Shell, sandbox: SandboxProcess, conflict: Path) -> None:
    """The operator has seen their value, and wants the own one."""
    typed(conflict, KEY, Command="sheet")

    ran = shell.apply(conflict, out="mended")

    assert ran.code == 0
    assert counts_of(shell.folder / "mended") == {"updated": 1}
    assert (sandbox.records()[KEY]["Title"], sandbox.records()[KEY]["DisplayOrder"]) == ("Mine", 77)


def test_the_word_live_leaves_theirs_and_sends_the_rest(shell: Shell, sandbox: SandboxProcess, conflict: Path) -> None:
    """Only the field in conflict gives way."""
    typed(conflict, KEY, Command="live")

    ran = shell.apply(conflict, out="mended")

    assert ran.code == 0
    assert (sandbox.records()[KEY]["Title"], sandbox.records()[KEY]["DisplayOrder"]) == ("Theirs", 77)
    assert shell.apply(conflict, out="again").code == 0
    assert counts_of(shell.folder / "again") == {"unchanged": 1}


@pytest.mark.parametrize("word", ["sheet", "live"])
def test_a_choice_does_not_hold_for_what_came_later(
    shell: Shell, sandbox: SandboxProcess, conflict: Path, word: str
) -> None:
    """Nobody has looked at the new value: a conflict, however often it is sent, until the word is written anew."""
    typed(conflict, KEY, Command=word)
    sandbox.edit(KEY, Title="Theirs, again")

    ran = shell.apply(conflict, out="mended")
    (issue,) = row_about(shell.folder / "mended", KEY)["issues"]
    unmended = shell.apply(conflict, out="again")
    returned = shell.folder / "again" / "failed.xlsx"
    unmended_too = shell.apply(returned, out="returned")
    puts = sandbox.puts()
    typed(returned, KEY, Command=word)
    after = shell.apply(returned, out="done")

    assert (ran.code, unmended.code, unmended_too.code, after.code) == (4, 4, 4, 0)
    assert puts == []
    assert "“Theirs, again”" in issue["message"]
    assert f"Command {word} does not hold: it has changed again since it was shown to you" in issue["message"]
    assert sandbox.records()[KEY]["Title"] == {"sheet": "Mine", "live": "Theirs, again"}[word]


def test_a_choice_made_in_advance_does_not_hold(shell: Shell, sandbox: SandboxProcess, exported: Path) -> None:
    """A column filled with `sheet` from top to bottom is no look at each conflict; without one it says nothing."""
    typed(exported, KEY, Title="Mine", Command="sheet")
    typed(exported, OTHER, Title="Mine too", Command="sheet")
    sandbox.edit(KEY, Title="Theirs")

    ran = shell.apply(SHEET)

    (issue,) = row_about(shell.folder / "out", KEY)["issues"]
    assert ran.code == 4
    assert issue["message"].endswith("Command sheet does not hold: it was not shown to you before this sheet was made")
    assert row_about(shell.folder / "out", OTHER)["issues"] == []
    assert [put["id"] for put in sandbox.puts()] == [OTHER]


def test_a_plan_shows_a_conflict_as_well_as_a_run(shell: Shell, sandbox: SandboxProcess, exported: Path) -> None:
    """Look at the plan, write the word into the own file, send it."""
    typed(exported, KEY, Title="Mine")
    sandbox.edit(KEY, Title="Theirs")
    planned = shell("plan", SHEET, "--out", "plan")
    typed(exported, KEY, Command="sheet")

    ran = shell.apply(SHEET)

    assert (planned.code, ran.code) == (4, 0)
    assert sandbox.records()[KEY]["Title"] == "Mine"


# refusals ----------------------------------------------------------------------------------------------------------


def test_a_workbook_of_another_account_is_refused(shell: Shell, sandbox: SandboxProcess, exported: Path) -> None:
    """Its Ids mean other sections there: exit 3, and nothing is sent."""
    typed(exported, KEY, Title="Mine")
    before = len(sandbox.log())
    text = (shell.folder / "configs" / "main.toml").read_text(encoding="utf-8")
    other = text.replace('account = "quayside"', 'account = "harbour"').replace('"state"', '"state-of-harbour"')
    (shell.folder / "configs" / "other.toml").write_text(other, encoding="utf-8")

    for words in (("plan", SHEET), ("apply", SHEET, "--yes")):
        ran = shell.bare(*words, "--profile", "other")

        assert ran.code == 3
        assert "was exported from" in ran.why
        assert "quayside" in ran.why
        assert "harbour" in ran.why
    assert len(sandbox.log()) == before


def test_an_id_that_means_another_section_by_now_refuses_the_workbook(
    shell: Shell, sandbox: SandboxProcess, exported: Path
) -> None:
    """By its UniqueId: the whole workbook is in doubt, and nothing is sent."""
    typed(exported, KEY, Title="Mine")
    typed(exported, OTHER, Title="Mine too")

    def other_identity(workbook: Workbook) -> None:
        sheet = workbook["Base"]
        row = next(row for row in range(3, sheet.max_row + 1) if sheet.cell(row, 1).value == str(OTHER))
        sheet.cell(row, 2).value = 'v"another-section"'

    change(exported, other_identity)

    ran = shell.apply(SHEET)

    assert ran.code == 3
    assert str(OTHER) in ran.why
    assert "other sections" in ran.why
    assert sandbox.puts() == []


def test_a_damaged_base_is_refused_and_a_csv_goes_without(
    shell: Shell, sandbox: SandboxProcess, exported: Path
) -> None:
    """The sentence names the way on, and the way on works."""
    typed(exported, KEY, Title="Mine")
    change(exported, lambda workbook: workbook["Base"].delete_rows(1))

    checked, applied = shell("check", SHEET), shell.apply(SHEET)

    assert (checked.code, applied.code) == (3, 3)
    assert "is damaged" in applied.why
    assert "as CSV" in applied.why
    rows = cells_of(exported)
    shell.write("sections.csv", list(rows[2]), *[list(row.values()) for row in rows.values()])
    assert shell.apply("sections.csv", out="csv").code == 0
    assert [put["body"]["Title"] for put in sandbox.puts()] == ["Mine"]


# within the sheet --------------------------------------------------------------------------------------------------


def test_rows_that_repeat_one_another_are_done_once(shell: Shell, sandbox: SandboxProcess) -> None:
    """One PUT, one status each; the second row says which one it repeats."""
    shell.write("mine.xlsx", ["Id", "Title"], [KEY, "Mine"], [OTHER, "Too"], [KEY, "Mine"], [THIRD, "A"], [THIRD, "B"])

    ran = shell.apply("mine.xlsx")

    rows = rows_of(shell.folder / "out")
    assert ran.code == 4
    assert [row["status"] for row in rows] == ["updated", "updated", "skipped", "invalid", "invalid"]
    assert [(issue["code"], issue["severity"]) for issue in rows[2]["issues"]] == [("id.repeated", "note")]
    assert "row 2" in rows[2]["issues"][0]["message"]
    assert sorted(put["id"] for put in sandbox.puts()) == sorted([KEY, OTHER])


def test_two_sections_in_one_place_are_told_and_a_swap_is_none(shell: Shell, sandbox: SandboxProcess) -> None:
    """A warning on both rows, which are sent all the same: the server takes it."""
    records = sandbox.records()
    course = [one for one in records.values() if one["CourseId"] == records[KEY]["CourseId"]]
    one, two, three = sorted(course, key=lambda record: record["DisplayOrder"])[:3]
    place = {record["Id"]: record["DisplayOrder"] for record in (one, two, three)}
    headings = ["Id", "DisplayOrder", "Title"]
    shell.write("swap.xlsx", headings, [one["Id"], place[two["Id"]], None], [two["Id"], place[one["Id"]], None])
    shell.write("clash.xlsx", headings, [one["Id"], place[three["Id"]], None], [three["Id"], None, "New"])

    swapped, clashed = shell("plan", "swap.xlsx", "--out", "swap"), shell("plan", "clash.xlsx", "--out", "clash")

    assert (swapped.code, clashed.code) == (0, 0)
    assert summary_of(shell.folder / "swap")["issues"] == []
    issues = [issue for row in rows_of(shell.folder / "clash") for issue in row["issues"]]
    assert [(issue["code"], issue["severity"], issue["cell"]) for issue in issues] == [
        ("order.collision", "warning", "Sheet!B2"),
        ("order.collision", "warning", "Sheet!B3"),
    ]
    assert str(three["Id"]) in issues[0]["message"]
    assert counts_of(shell.folder / "clash") == {"to_update": 2}


def test_a_place_that_a_row_left_out_has_is_known_from_the_export(
    shell: Shell, sandbox: SandboxProcess, exported: Path
) -> None:
    """The operator kept one row of the export: the section whose place it takes is named all the same."""
    records = sandbox.records()
    taken = records[OTHER]["DisplayOrder"]
    typed(exported, KEY, DisplayOrder=taken)

    def keep_one(workbook: Workbook) -> None:
        sheet = workbook["Sections"]
        for row in range(sheet.max_row, 1, -1):
            if str(sheet.cell(row, column_of(sheet, "Id")).value) != str(KEY):
                sheet.delete_rows(row)

    change(exported, keep_one)
    planned = shell("plan", SHEET, "--out", "plan")

    (row,) = rows_of(shell.folder / "plan")
    (issue,) = row["issues"]
    assert planned.code == 0
    assert (issue["code"], issue["severity"]) == ("order.collision", "warning")
    assert f"would be {taken} in course {COURSE}, as that of section {OTHER} (as exported)" in issue["message"]
    assert [entry["ids"] for entry in sandbox.log() if entry["ids"]][-1] == [KEY]


# policies for a run ------------------------------------------------------------------------------------------------


def test_an_option_decides_conflicts_for_one_run(shell: Shell, sandbox: SandboxProcess, exported: Path) -> None:
    """Over the profile, and written into the run's own report; the next run is asked anew."""
    typed(exported, KEY, Title="Mine")
    typed(exported, OTHER, Title="Mine too")
    sandbox.edit(KEY, Title="Theirs")
    sandbox.edit(OTHER, Title="Theirs too")

    plan = shell("plan", SHEET, "--on-conflict", "sheet")
    live = shell.apply(SHEET, "--on-conflict", "live", out="live")
    none_sent = sandbox.puts() == []
    refuse = shell.apply(SHEET, out="refuse")
    sheet = shell.apply(SHEET, "--on-conflict", "sheet", out="sheet")

    (note,) = [issue for issue in summary_of(shell.folder / "sheet")["issues"] if issue["code"] == "run.policy"]
    assert (live.code, refuse.code, sheet.code) == (0, 4, 0)
    assert f"coursesync apply {SHEET} --on-conflict sheet --profile main" in plan.out
    assert none_sent
    assert "on_conflict = sheet" in note["message"]
    assert sandbox.records()[KEY]["Title"] == "Mine"


def test_a_resumed_run_keeps_the_policies_that_it_was_begun_with(
    shell: Shell, sandbox: SandboxProcess, exported: Path
) -> None:
    """What was refused when it was planned is not decided by a profile that somebody has changed since."""
    typed(exported, KEY, Title="Mine")
    typed(exported, OTHER, Title="Mine too")
    shell.profile("wait_max_s = 0.5\nverify = false", limits='[{ scope = "write", count = 1, seconds = 3600 }]')
    stopped = shell.apply(SHEET)
    (first,) = sandbox.puts()
    left = OTHER if first["id"] == KEY else KEY
    sandbox.edit(left, Title="Theirs")
    shell.profile('on_conflict = "sheet"')

    resumed = shell("resume", "--out", "out")

    assert (stopped.code, resumed.code) == (5, 4)
    assert row_about(shell.folder / "out", left)["status"] == "conflict"
    assert sandbox.records()[left]["Title"] == "Theirs"
