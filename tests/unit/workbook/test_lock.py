"""Read-only columns are locked, everything that can be edited is not, and the lock comes off without a password."""

from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.export import write_export
from sync.adapters.workbook.frame import is_read_only
from sync.adapters.workbook.source import SheetSource
from sync.adapters.workbook.template import template_workbook
from sync.model import FieldChange, Label, Outcome, RowNumber, Status
from tests.sections import ORIGIN
from tests.workbooks import checked_at, opened, report_of, report_workbook

TRUTHS = ("sheet", "formatCells", "insertRows", "deleteRows", "sort", "autoFilter", "password")


@pytest.fixture(params=["template", "export"])
def sheet(request: pytest.FixtureRequest, tmp_path: Path) -> Worksheet:
    if request.param == "template":
        return load_workbook(BytesIO(template_workbook()))["Sections"]
    record = {"Id": 5, "CourseId": 1, "CourseTitle": "C", "Title": "=1", "Active": True, "UpdatedOn": "then"}
    write_export(tmp_path / "e.xlsx", [record], origin=ORIGIN)
    return load_workbook(tmp_path / "e.xlsx")["Sections"]


def test_only_what_is_read_only_is_locked(sheet: Worksheet) -> None:
    """In each column, written cells and blank ones below; and the headings."""
    headings = [str(cell.value) for cell in sheet[1]]
    locked = {name: sheet.cell(2, column).protection.locked for column, name in enumerate(headings, start=1)}
    below = {
        name: sheet.column_dimensions[sheet.cell(1, column).column_letter].protection.locked
        for column, name in enumerate(headings, start=1)
    }
    written = {name for column, name in enumerate(headings, start=1) if sheet.cell(2, column).has_style}

    assert all(cell.protection.locked for cell in sheet[1])
    assert below == {name: is_read_only(name) for name in headings}
    assert {name: locked[name] for name in written} == {name: is_read_only(name) for name in written}


def test_the_lock_has_no_password_and_forbids_little(sheet: Worksheet) -> None:
    """Openpyxl has the schema's sense: True forbids."""
    assert [getattr(sheet.protection, name) for name in TRUTHS] == [True, False, False, False, False, False, None]


def test_the_choice_of_a_conflict_is_open_on_a_locked_sheet(tmp_path: Path) -> None:
    """A `Command` column that a report adds can be written, though the operator's sheet is locked."""
    workbook = Workbook()
    for row in (["Id", "Title"], ["200", "a"]):
        workbook.worksheets[0].append(row)
    workbook.worksheets[0].protection.enable()
    workbook.save(tmp_path / "a.xlsx")
    clash = (FieldChange("Title", "live", "mine", "old"),)
    outcome = Outcome(RowNumber(2), Label("200"), Status.CONFLICT, changes=clash)

    made = opened(report_workbook(report_of([outcome]), SheetSource.of(checked_at(tmp_path / "a.xlsx"))))

    column = [cell.value for cell in made[1]].index("Command") + 1
    assert made.protection.sheet
    assert [made.cell(2, each).protection.locked for each in (column, column + 1)] == [False, True]
