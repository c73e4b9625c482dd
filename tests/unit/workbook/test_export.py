"""An export shows live sections so that they can come back unchanged, and says what it had to leave blank."""

import csv
from pathlib import Path

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from sync.adapters.spreadsheet import load_here
from sync.adapters.workbook.export import HEADINGS, cells_of, write_export
from sync.base import find_base, read_base
from sync.diff import digest
from sync.model import Edit, SectionId
from sync.normalize import equal
from sync.section import Json, Record
from sync.validate import check_sheet
from tests.sections import ORIGIN


def record(key: int, **values: Json) -> Record:
    return {
        "Id": key,
        "CourseId": 123,
        "CourseTitle": "First steps",
        "Title": f"Section {key}",
        "DisplayOrder": key,
        "UnlockType": 3,
        "UnlockAfterDays": 7,
        "Active": True,
        "SectionContents": "<p>Hi &amp; bye</p>",
        "NewImageUrl": None,
        "ClearImageFile": None,
        "ImageFileName": "desk.png",
        "UniqueId": f"unique-{key}",
        "UpdatedOn": "2025-01-15T10:30:00Z",
        "Surprise": {"kept": [1]},
    } | values


ODD = (
    record(1, Title="=1+1"),
    record(2, Title="_x0041_ literally", SectionContents="a\r\nb\rc"),
    record(3, Title="#N/A"),
    record(4, Active=None, SectionContents=None),
    record(5, Title="  padded \u00a0"),
    record(6, SectionContents="é" * 20_000 + "😀"),
    record(7, CourseTitle="@home", Title="00123"),
    record(8, DisplayOrder=0, UnlockType=1, UnlockAfterDays=0, Active=False),
)


def test_rows_are_sorted_by_course_order_and_id(tmp_path: Path) -> None:
    """The sheet reads as the course does."""
    records = [record(9, DisplayOrder=1), record(3, CourseId=7), record(2, DisplayOrder=1), record(4, DisplayOrder=0)]

    write_export(tmp_path / "e.xlsx", records, origin=ORIGIN)

    rows = CalamineWorkbook.from_path(tmp_path / "e.xlsx").get_sheet_by_name("Sections").to_python()
    assert rows[0] == list(HEADINGS)
    assert [row[1] for row in rows[1:]] == ["3", "4", "2", "9"]


@pytest.mark.parametrize("name", ["e.xlsx", "e.csv"])
def test_an_export_that_comes_back_asks_for_what_is_live(tmp_path: Path, name: str) -> None:
    """Round trip: every value that the check reads from an export equals the live one, for odd values too."""
    placed, _ = write_export(tmp_path / name, ODD, origin=ORIGIN)

    checked = check_sheet(load_here(placed.path), aliases={})
    live = {row["Id"]: row for row in ODD}

    assert [row for row in checked.rows if not isinstance(row, Edit)] == []
    assert len(checked.rows) == len(ODD)
    for row in checked.rows:
        assert isinstance(row, Edit)
        assert {
            field: value for field, value in row.values.items() if not equal(field, value, live[row.id][field])
        } == {}


def test_ids_are_text_and_read_only_cells_grey(tmp_path: Path) -> None:
    """Excel does not round an Id; what is for the eye only looks so."""
    write_export(tmp_path / "e.xlsx", [record(1414990001, CourseTitle="=1+1")], origin=ORIGIN)

    sheet = load_workbook(tmp_path / "e.xlsx")["Sections"]

    assert (sheet["B2"].value, sheet["B2"].number_format) == ("1414990001", "@")
    assert (sheet["D2"].fill.fgColor.rgb, sheet["D2"].data_type, sheet["D2"].quotePrefix) == ("FFEDEDED", "s", True)
    assert sheet["G2"].value == "Timed"
    assert (sheet.auto_filter.ref, sheet.freeze_panes) == ("A1:N2", "C2")


@pytest.mark.parametrize(
    ("heading", "live"),
    [
        pytest.param("SectionContents", "x" * 32_767, id="as-long-as-a-cell"),
        pytest.param("SectionContents", "😀" * 16_384, id="long-in-utf-16"),
        pytest.param("SectionContents", "[clear]", id="the-word-that-empties"),
        pytest.param("SectionContents", " \n ", id="white-space"),
        pytest.param("SectionContents", "a\x01b", id="control-character"),
        pytest.param("Title", "\ud800", id="half-a-pair"),
        pytest.param("Title", "lost \ufffd", id="replacement-character"),
        pytest.param("CourseId", 10**15, id="more-digits-than-excel-keeps"),
        pytest.param("UnlockType", 9, id="unknown-unlock-type"),
        pytest.param("DisplayOrder", -1, id="below-the-minimum"),
        pytest.param("DisplayOrder", 1.5, id="no-whole-number"),
        pytest.param("Active", "maybe", id="no-boolean"),
    ],
)
def test_what_a_cell_cannot_say_is_left_blank_and_said(tmp_path: Path, heading: str, live: Json) -> None:
    """A blank cell leaves the field alone; a comment and a sentence tell the operator why it is blank."""
    _, notes = write_export(tmp_path / "e.xlsx", [record(5, **{heading: live})], origin=ORIGIN)

    sheet = load_workbook(tmp_path / "e.xlsx")["Sections"]
    cell = sheet.cell(2, HEADINGS.index(heading) + 1)
    assert cell.value is None
    assert cell.comment is not None
    assert cell.comment.text.startswith("Left blank, so that nothing is changed: ")
    assert [note.split(":")[0] for note in notes] == [f"{heading} of section 5 is left blank"]


def test_a_csv_leaves_out_what_a_spreadsheet_would_run(tmp_path: Path) -> None:
    """A guard would change the text on its way back, so the cell stays blank, and that is said."""
    placed, notes = write_export(tmp_path / "e.csv", [record(1, Title="=1+1", CourseTitle="+x")], origin=ORIGIN)

    (row,) = csv.DictReader(placed.path.read_text(encoding="utf-8-sig").splitlines())

    assert (row["Title"], row["CourseTitle"], row["Active"], row["DisplayOrder"]) == ("", "", "TRUE", "1")
    assert sorted(note.split(" ")[0] for note in notes) == ["CourseTitle", "Title"]


def test_a_hidden_sheet_keeps_what_the_operator_saw(tmp_path: Path) -> None:
    """The base: where it comes from, identity, version and every editable value, also one that no cell can hold."""
    write_export(tmp_path / "e.xlsx", [record(5, SectionContents="x" * 40_000)], origin=ORIGIN)

    workbook = load_workbook(tmp_path / "e.xlsx")
    state = workbook["Base"].sheet_state
    workbook.close()
    table = find_base(load_here(tmp_path / "e.xlsx").tables)
    base = None if table is None else read_base(table)

    assert state == "veryHidden"
    assert base is not None
    assert base.origin == ORIGIN
    assert (base.sections[SectionId(5)].unique_id, base.sections[SectionId(5)].updated_on) == (
        "unique-5",
        "2025-01-15T10:30:00Z",
    )
    assert base.sections[SectionId(5)].shown == {
        "CourseId": 123,
        "Title": "Section 5",
        "DisplayOrder": 5,
        "UnlockType": 3,
        "UnlockAfterDays": 7,
        "Active": True,
    }
    assert base.sections[SectionId(5)].digests["SectionContents"] == digest("SectionContents", "x" * 40_000)


def test_image_actions_are_never_exported() -> None:
    """An order to the server is no state: its cells are blank, whatever a read gives."""
    values, reasons = cells_of(record(5, NewImageUrl="https://example.com/a.png", ClearImageFile=True))

    assert {"NewImageUrl", "ClearImageFile", "Command"} & (values.keys() | reasons.keys()) == set()
