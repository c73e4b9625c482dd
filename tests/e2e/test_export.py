"""`export` and `template`: workbooks that come back as they left, and change only what was edited."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.e2e.command_line import Shell, as_json, cells_of, counts_of, rows_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

formats = pytest.mark.parametrize("name", ["sections.xlsx", "sections.csv"], ids=["xlsx", "csv"])
COURSES = 2


def _courses(sandbox: SandboxProcess) -> list[int]:
    return sorted({record["CourseId"] for record in sandbox.records().values()})[:COURSES]


@formats
def test_an_export_of_the_whole_account_asks_for_nothing(shell: Shell, sandbox: SandboxProcess, name: str) -> None:
    """Export, check, plan: every section is there, every row is valid and unchanged, and nothing was written."""
    exported = shell("export", "-o", name)
    checked = shell("check", name, "--out", "check")
    planned = shell("plan", name, "--out", "plan", "--detailed-exitcode")
    count = len(sandbox.records())

    assert (exported.code, checked.code, planned.code) == (0, 0, 0)
    assert f"{count} sections written: {name}" in exported.out
    assert counts_of(shell.folder / "check") == {"valid": count}
    assert counts_of(shell.folder / "plan") == {"unchanged": count}
    assert {row["id"] for row in rows_of(shell.folder / "plan")} == set(sandbox.records())
    assert {entry["method"] for entry in sandbox.log()} == {"GET"}


@formats
def test_an_export_of_courses_holds_their_sections_and_no_other(
    shell: Shell, sandbox: SandboxProcess, name: str
) -> None:
    """`--course` may be repeated."""
    courses = _courses(sandbox)
    words = [word for course in courses for word in ("--course", str(course))]

    exported = shell("export", *words, "-o", name)
    planned = shell("plan", name, "--out", "plan", "--detailed-exitcode")

    wanted = {key for key, record in sandbox.records().items() if record["CourseId"] in courses}
    assert (exported.code, planned.code) == (0, 0)
    assert {row["id"] for row in rows_of(shell.folder / "plan")} == wanted
    assert counts_of(shell.folder / "plan") == {"unchanged": len(wanted)}


@pytest.mark.parametrize(("command", "name"), [("export", "sections"), ("template", "template")])
def test_a_file_that_may_hold_edits_is_replaced_only_by_name(shell: Shell, command: str, name: str) -> None:
    """Without `-o` a second file is written beside the first; with it the file is replaced."""
    edited = shell.folder / f"{name}.xlsx"
    edited.write_bytes(b"hours of work")

    first, second = shell(command), shell(command)

    assert (first.code, second.code) == (0, 0)
    assert edited.read_bytes() == b"hours of work"
    assert f"{name} (2).xlsx" in first.out
    assert f"{name} (3).xlsx" in second.out
    assert f"-o {name}.xlsx replaces it" in second.out
    assert shell(command, "-o", edited.name).code == 0
    assert edited.read_bytes() != b"hours of work"


def test_a_course_without_sections_is_named(shell: Shell) -> None:
    """A number that was mistyped would else look like a course that is empty."""
    exported = shell("export", "--course", "999999")

    assert exported.code == 0
    assert "Course 999999 has no section, or there is no such course." in exported.out


def test_an_exported_workbook_with_one_edited_cell_sends_one_put(shell: Shell, sandbox: SandboxProcess) -> None:
    """Exactly that section, exactly that field."""
    shell("export", "-o", "sections.xlsx", "--quiet")
    before = sandbox.records()
    key = _edit(shell.folder / "sections.xlsx", row=17, heading="Title", value="Edited in Excel")

    ran = shell.apply("sections.xlsx")

    (put,) = sandbox.puts()
    assert ran.code == 0
    assert counts_of(shell.folder / "out") == {"updated": 1, "unchanged": len(before) - 1}
    assert put["id"] == key
    assert as_json(put["body"]) == as_json(before[key] | {"Title": "Edited in Excel"})


def test_an_exported_csv_with_one_edited_cell_sends_one_put(shell: Shell, sandbox: SandboxProcess) -> None:
    """The same for CSV, whose text is all there is."""
    shell("export", "-o", "sections.csv", "--quiet")
    before = sandbox.records()
    title = before[1414925001]["Title"]
    path = shell.folder / "sections.csv"
    text = path.read_text(encoding="utf-8-sig")
    assert text.count(f'"{title}"') == 1
    path.write_text(text.replace(f'"{title}"', '"Edited as text"'), encoding="utf-8-sig", newline="")

    ran = shell.apply("sections.csv")

    (put,) = sandbox.puts()
    assert ran.code == 0
    assert as_json(put["body"]) == as_json(before[1414925001] | {"Title": "Edited as text"})


def test_a_section_that_somebody_changed_after_the_export_is_a_conflict(shell: Shell, sandbox: SandboxProcess) -> None:
    """The operator has not seen what is there now: nothing is sent for that row, and theirs is kept."""
    shell("export", "-o", "sections.xlsx", "--quiet")
    key = _edit(shell.folder / "sections.xlsx", row=17, heading="Title", value="Mine")
    sandbox.edit(key, Title="Theirs")

    ran = shell.apply("sections.xlsx")

    assert ran.code == 4
    assert {row["id"]: row["status"] for row in rows_of(shell.folder / "out")}[key] == "conflict"
    assert sandbox.puts() == []
    assert sandbox.records()[key]["Title"] == "Theirs"


def test_what_no_cell_can_hold_is_left_blank_and_said(shell: Shell, sandbox: SandboxProcess) -> None:
    """A text that is longer than a cell would come back cut: its cell is blank, and stays as it is on the server."""
    too_long = [key for key, record in sandbox.records().items() if len(record["SectionContents"] or "") > 32_767]

    ran = shell("export", "-o", "sections.xlsx")

    cells = {int(cells["Id"]): cells for cells in cells_of(shell.folder / "sections.xlsx").values()}
    assert len(too_long) == 1
    assert f"SectionContents of section {too_long[0]} is left blank: " in ran.out
    assert cells[too_long[0]]["SectionContents"] is None


def test_an_export_tells_a_machine_where_it_lies(shell: Shell, sandbox: SandboxProcess) -> None:
    """`--json`: one object with path, count and notes."""
    said = shell("export", "-o", "sections.xlsx", "--json").json

    assert said["path"] == "sections.xlsx"
    assert said["sections"] == len(sandbox.records())
    assert len(said["notes"]) == 1


def test_an_export_needs_only_the_roles_to_read(shell: Shell, sandbox: SandboxProcess) -> None:
    """Edit is not among them."""
    sandbox.options(roles=["List", "Read"])

    assert shell("export", "-o", "sections.xlsx", "--quiet").code == 0


def test_the_template_opens_and_has_no_rows(shell: Shell, sandbox: SandboxProcess) -> None:
    """It explains itself to a person; to `check` it is a sheet with a header and nothing below."""
    written = shell.bare("template", "-o", "template.xlsx")
    checked = shell.bare("check", "template.xlsx")

    workbook = load_workbook(shell.folder / "template.xlsx")
    headings = [cell.value for cell in workbook["Sections"][1]]
    names = workbook.sheetnames
    workbook.close()
    assert written.code == 0
    assert "Written: template.xlsx" in written.out
    assert headings[0] in {"Id", "Command"}
    assert {"Id", "Title", "DisplayOrder", "UnlockType", "SectionContents"} <= set(headings)
    assert len(names) > 1
    assert checked.code == 3
    assert "has no rows below its header on row 1" in checked.why
    assert sandbox.log() == []


def test_a_filled_template_is_a_sheet(shell: Shell, sandbox: SandboxProcess) -> None:
    """One row typed into it is one update."""
    shell.bare("template", "-o", "mine.xlsx")
    _edit(shell.folder / "mine.xlsx", row=2, heading="Id", value=1414925001)
    _edit(shell.folder / "mine.xlsx", row=2, heading="Title", value="Typed by hand")

    ran = shell.apply("mine.xlsx")

    assert ran.code == 0
    assert [(put["id"], put["body"]["Title"]) for put in sandbox.puts()] == [(1414925001, "Typed by hand")]


def _edit(path: Path, *, row: int, heading: str, value: str | int) -> int:
    """Edit one cell as a person would in Excel; gives the Id of its row."""
    workbook = load_workbook(path)
    worksheet = workbook["Sections"]
    headings = [cell.value for cell in worksheet[1]]
    worksheet.cell(row, headings.index(heading) + 1).value = value
    key = worksheet.cell(row, headings.index("Id") + 1).value
    workbook.save(path)
    workbook.close()
    return int(str(key))


def test_an_export_is_chosen_by_activity_and_change_date(shell: Shell, sandbox: SandboxProcess) -> None:
    """Each section is in the one or the other, and a section that changed since is in, to the second."""
    records = sandbox.records()
    active = {key for key, record in records.items() if record["Active"] is True}
    latest = max(record["UpdatedOn"] for record in records.values())

    for name, words in {
        "active": ["--active"],
        "inactive": ["--inactive"],
        "latest": ["--changed-since", latest],
        "none": ["--changed-since", "2999-01-01"],
    }.items():
        assert shell("export", *words, "-o", f"{name}.xlsx", "--quiet").code == 0
    found = {
        name: {int(cells["Id"]) for cells in cells_of(shell.folder / f"{name}.xlsx").values()}
        for name in ("active", "inactive", "latest", "none")
    }

    assert 0 < len(active) < len(records)
    assert (found["active"], found["inactive"]) == (active, set(records) - active)
    assert found["latest"] == {key for key, record in records.items() if record["UpdatedOn"] == latest}
    assert found["none"] == set()


def test_a_change_date_that_cannot_be_read_is_refused(shell: Shell, sandbox: SandboxProcess) -> None:
    """Before anything is asked of the server."""
    ran = shell("export", "--changed-since", "yesterday", "-o", "sections.xlsx")

    assert ran.code == 2
    assert "--changed-since takes a date such as 2025-01-15" in ran.why
    assert sandbox.log() == []


def test_a_template_of_a_profile_offers_its_courses(shell: Shell, sandbox: SandboxProcess) -> None:
    """As `123 · Title`, in a list behind the column; without a server a plain template, and why."""
    written = shell("template", "-o", "mine.xlsx")
    assert "list to choose" not in written.out
    shell.profile(base_url="http://127.0.0.1:9/api", name="gone")
    without = shell.bare("template", "-o", "plain.xlsx", "--profile", "gone")

    workbook = load_workbook(shell.folder / "mine.xlsx")
    offered = [cell.value for cell in workbook["Lists"]["A"]]
    workbook.close()
    assert (written.code, without.code) == (0, 0), written.out
    assert offered[0].partition(" · ")[0] in {str(record["CourseId"]) for record in sandbox.records().values()}
    assert "CourseId has no list to choose from: " in without.out
    assert load_workbook(shell.folder / "plain.xlsx").sheetnames == ["Sections", "Help"]
