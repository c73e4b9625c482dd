"""Every row judged by itself: one verdict a row, all issues of a row, each at its cell."""

import datetime as dt
from pathlib import Path

import pytest

from sync.errors import InputError
from sync.model import (
    CellValue,
    CheckedRow,
    CheckedSheet,
    Edit,
    Flaw,
    FlawKind,
    InvalidRow,
    Issue,
    Label,
    LoadedFile,
    RowNumber,
    Severity,
    SkippedRow,
    Table,
    TableRow,
)
from sync.validate import check_sheet

Cells = tuple[CellValue, ...]


def check(
    header: Cells,
    *rows: Cells,
    flaws: dict[int, dict[int, Flaw]] | None = None,
    kind: str = "xlsx",
    sheet: str = "Sections",
) -> CheckedSheet:
    """Judge rows that stand below `header`, the first of them on row 2; `flaws` by row."""
    table = tuple(
        TableRow(RowNumber(number), cells, (flaws or {}).get(number, {}))
        for number, cells in enumerate((header, *rows), start=1)
    )
    return check_sheet(LoadedFile(Path(f"a.{kind}"), "0" * 64, kind, (Table(sheet, table),)), aliases={})


def one(header: Cells, cells: Cells, **more: object) -> CheckedRow:
    (row,) = check(header, cells, **more).rows  # type: ignore[arg-type] - handed on as they are
    return row


def codes(row: CheckedRow) -> list[tuple[str | None, str]]:
    return [(issue.field, issue.code) for issue in row.issues]


FULL = (
    "Id",
    "CourseId",
    "Title",
    "DisplayOrder",
    "UnlockType",
    "UnlockAfterDays",
    "Active",
    "SectionContents",
    "NewImageUrl",
    "ClearImageFile",
    "UpdatedOn",
    "CourseTitle",
)


def test_a_full_row_becomes_an_edit() -> None:
    """Each named field with the value to be sent; read-only cells as text; the label as the sheet has it."""
    cells = (
        7.0, "12 · Yoga", " A ", "3", "timed", 5, "yes", "<p>\r\n</p>", "https://example.com/a.png", False,
        "2025-01-15T10:30:00Z", "Yoga",
    )  # fmt: skip

    assert one(FULL, cells) == Edit(
        row=RowNumber(2),
        id=7,  # type: ignore[arg-type] - a plain number in a test
        values={
            "CourseId": 12,
            "Title": " A ",
            "DisplayOrder": 3,
            "UnlockType": 3,
            "UnlockAfterDays": 5,
            "Active": True,
            "SectionContents": "<p>\n</p>",
            "NewImageUrl": "https://example.com/a.png",
        },
        label=Label("7", "12 · Yoga", "A"),
        seen_updated_on="2025-01-15T10:30:00Z",
        read_only={"UpdatedOn": "2025-01-15T10:30:00Z", "CourseTitle": "Yoga"},
    )


def test_blank_cells_and_missing_columns_name_nothing() -> None:
    """A blank cell leaves the field alone, also a required one."""
    row = one(FULL, (7, None, None, 4))

    assert isinstance(row, Edit)
    assert (row.values, row.issues) == ({"DisplayOrder": 4}, ())


def test_clear_empties() -> None:
    """A cleared text is sent as an empty one."""
    row = one(("Id", "SectionContents"), (7, "[clear]"))

    assert isinstance(row, Edit)
    assert row.values == {"SectionContents": ""}


def test_all_issues_of_a_row_are_collected() -> None:
    """The operator mends a row once: every wrong cell is named, with value and place."""
    row = one(FULL, (None, "x", "[clear]", 1.5, 9, None, "maybe", None, "ftp://a"), sheet="My sheet")

    assert isinstance(row, InvalidRow)
    assert row.issues[:3] == (
        Issue("cell.required", "is a required field", field="Id", cell="'My sheet'!A2"),
        Issue(
            "cell.not_a_number",
            "must be a whole number, in digits alone",
            field="CourseId",
            attempted_value="x",
            cell="'My sheet'!B2",
        ),
        Issue("cell.required", "is a required field", field="Title", attempted_value="[clear]", cell="'My sheet'!C2"),
    )
    assert codes(row)[3:] == [
        ("DisplayOrder", "cell.not_a_number"),
        ("UnlockType", "cell.unknown_choice"),
        ("Active", "cell.not_a_boolean"),
        ("NewImageUrl", "cell.not_a_url"),
    ]
    assert str(row.issues[2]) == "Title: is a required field"


def test_an_id_may_stand_once() -> None:
    """Every row of a repeated Id is held, and names the others; rows with other faults count as well."""
    sheet = check(("Id", "Title"), (1, "A"), (2, "B"), ("1", "A"), ("001", True), ("#1", "A"))

    assert [type(row) for row in sheet.rows] == [InvalidRow, Edit, InvalidRow, InvalidRow, SkippedRow]
    assert [row.issues[0].message for row in sheet.rows if isinstance(row, InvalidRow)] == [
        "is also on rows 4, 5",
        "is also on rows 2, 5",
        "is also on rows 2, 4",
    ]
    assert codes(sheet.rows[3]) == [("Id", "id.duplicate"), ("Title", "cell.not_text")]


def test_many_repetitions_are_counted_rather_than_listed() -> None:
    """A message stays readable."""
    sheet = check(("Id", "Title"), *[(1, "A")] * 9, (1, "B"))

    assert sheet.rows[0].issues[0].message == "is also on rows 3, 4, 5, 6, 7 and 4 more"


@pytest.mark.parametrize(
    ("headings", "cells", "other", "alike"),
    [
        pytest.param(("Id", "Title"), (7, "A"), ("007", "A"), True, id="the Id written in two ways"),
        pytest.param(("Id", "DisplayOrder"), (7, 3), (7, "3"), True, id="a number and its text"),
        pytest.param(("Id", "Title"), (7, "caf\u00e9"), (7, "cafe\u0301"), True, id="noise"),
        pytest.param(("Id", "Title", "CourseTitle"), (7, "A", "x"), (7, "A", "y"), True, id="read-only cells"),
        pytest.param(("Id", "Title"), (7, "A"), (7, "B"), False, id="another value"),
        pytest.param(("Id", "Title", "Active"), (7, "A", True), (7, "A", None), False, id="one field more"),
        pytest.param(("Id", "Title", "Command"), (7, "A", "live"), (7, "A", None), False, id="another choice"),
        pytest.param(("Id", "Active"), (7, True), (7, "maybe"), False, id="one of them invalid"),
    ],
)
def test_rows_that_ask_for_the_same_are_done_once(headings: Cells, cells: Cells, other: Cells, *, alike: bool) -> None:
    """The first is kept and the others are skipped with a note that names it; rows that differ are all held."""
    sheet = check(headings, cells, (8, *cells[1:]), other)
    first, apart, second = sheet.rows

    assert isinstance(apart, Edit)
    if alike:
        assert isinstance(first, Edit)
        assert isinstance(second, SkippedRow)
        assert [(issue.code, issue.severity, issue.cell) for issue in second.issues] == [
            ("id.repeated", Severity.NOTE, f"{sheet.sheet}!A4")
        ]
        assert "row 2" in second.issues[0].message
    else:
        assert [codes(row)[0] for row in (first, second)] == [("Id", "id.duplicate")] * 2


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param(("#7", "A", None), SkippedRow, id="hash before the Id"),
        pytest.param(("# later", True, None), SkippedRow, id="hash and a note, wrong cells and all"),
        pytest.param((7, 0.5, " Skip "), SkippedRow, id="command skip, wrong cells and all"),
        pytest.param((7, "A", "SHEET"), Edit, id="command sheet"),
        pytest.param((7, "A", "live"), Edit, id="command live"),
        pytest.param((7, "A", " "), Edit, id="blank command"),
        pytest.param((7, "A", "delete"), InvalidRow, id="unknown command"),
        pytest.param((7, "A", 1), InvalidRow, id="number as command"),
        pytest.param(("#", "A", None), InvalidRow, id="hash alone"),
        pytest.param(("####", "A", None), InvalidRow, id="column too narrow"),
        pytest.param(("#N/A", "A", None), InvalidRow, id="error word"),
        pytest.param(("#REF!", "A", None), InvalidRow, id="other error word"),
        pytest.param(("#NAME?", "A", "skip"), SkippedRow, id="error word, skipped by command"),
    ],
)
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_rows_are_skipped_only_when_the_operator_said_so(cells: Cells, expected: type, kind: str) -> None:
    """A hash before the Id, or the command; never an error that only looks like one."""
    assert type(one(("Id", "Title", "Command"), cells, kind=kind)) is expected


def test_the_choice_of_a_conflict_is_kept() -> None:
    """`sheet` and `live` reach the stage that compares."""
    rows = check(("Id", "Title", "Command"), (1, "A", "Sheet"), (2, "A", "live"), (3, "A")).rows

    assert [row.command for row in rows if isinstance(row, Edit)] == ["sheet", "live", None]


def test_flaws_hold_the_row_wherever_it_names_a_field_of_ours() -> None:
    """In the Id, in a value, in the command, in a read-only column; not in a column that is ignored."""
    header = ("Id", "Title", "UpdatedOn", "Command", "Note")
    error = Flaw(FlawKind.ERROR_VALUE, "#N/A")
    formula = Flaw(FlawKind.UNCACHED_FORMULA, "=A1")
    flaws = {2: {0: error}, 3: {1: formula}, 4: {2: error}, 5: {3: formula}, 6: {4: error}}

    rows = check(header, (None, "A"), (2,), (3, "A"), (4, "A"), (5, "A"), flaws=flaws).rows

    assert [codes(row) for row in rows] == [
        [("Id", "cell.error_value")],
        [("Title", "cell.uncached_formula")],
        [("UpdatedOn", "cell.error_value")],
        [("Command", "command.unknown")],
        [],
    ]
    assert [row.label.id for row in rows] == ["#N/A", "2", "3", "4", "5"]


def test_error_words_in_a_csv_are_error_cells() -> None:
    """A CSV cannot tell the two apart; in a workbook the text was typed, and is sent with a warning."""
    header, cells = ("Id", "Title"), (1, "#REF!")

    assert codes(one(header, cells, kind="csv")) == [("Title", "cell.error_value")]
    assert codes(one(header, cells, kind="xlsx")) == [("Title", "cell.suspicious_word")]
    assert isinstance(one(header, cells, kind="xlsx"), Edit)


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        pytest.param(("Id", "Title"), (1, " "), [("Title", "cell.white_space"), (None, "row.nothing_named")],
                     id="space"),
        pytest.param(("Id", "UnlockType", "UnlockAfterDays"), (1, 2, 5), [("UnlockAfterDays", "unlock.not_timed")],
                     id="days without Timed"),
        pytest.param(("Id", "UnlockType", "UnlockAfterDays"), (1, 2, 0), [], id="no days without Timed"),
        pytest.param(("Id", "UnlockAfterDays"), (1, 5), [], id="days, type not given"),
        pytest.param(("Id", "CourseTitle"), (1, "A"), [(None, "row.nothing_named")], id="nothing but read-only"),
        pytest.param(("Id", "ClearImageFile"), (1, "no"), [(None, "row.nothing_named")], id="image not to be cleared"),
        pytest.param(("Id", "NewImageUrl"), (1, "http://example.com/a.gif"), [("NewImageUrl", "cell.http")], id="http"),
    ],
)  # fmt: skip
def test_doubts_are_warnings(header: Cells, cells: Cells, expected: list[tuple[str | None, str]]) -> None:
    """They do not hold the row."""
    row = one(header, cells)

    assert isinstance(row, Edit)
    assert codes(row) == expected
    assert {issue.severity for issue in row.issues} <= {Severity.WARNING}


def test_an_image_is_not_set_and_removed_at_once() -> None:
    """TRUE beside an address is a contradiction; FALSE is none."""
    header = ("Id", "NewImageUrl", "ClearImageFile")
    url = "https://example.com/a.png"

    assert codes(one(header, (1, url, True))) == [("ClearImageFile", "image.both")]
    assert codes(one(header, (1, "a.webp", True))) == [
        ("NewImageUrl", "cell.not_a_url"),
        ("ClearImageFile", "image.both"),
    ]
    assert codes(one(header, (1, url, False))) == []
    assert codes(one(header, (1, None, True))) == []


def test_the_witness_is_text_even_where_excel_made_a_date_of_it() -> None:
    """`UpdatedOn` is compared as text and never sent."""
    row = one(("Id", "Title", "UpdatedOn"), (1, "A", dt.datetime(2025, 1, 15, 10, 30, tzinfo=None)))  # noqa: DTZ001 - Excel knows no zones

    assert isinstance(row, Edit)
    assert row.seen_updated_on == "2025-01-15T10:30:00"


def test_every_row_has_one_verdict_in_the_sheets_order() -> None:
    """Blank rows are no rows, and keep the numbers of the others."""
    sheet = check(("Id", "Title"), (1, "A"), (), ("x", "A"), (None, None), ("#3", "A"), (4,))

    assert [(row.row, type(row)) for row in sheet.rows] == [(2, Edit), (4, InvalidRow), (6, SkippedRow), (7, Edit)]
    assert (sheet.sheet, sheet.header_row, sheet.columns) == ("Sections", 1, {"Id": 0, "Title": 1})


def test_rows_that_say_nothing_to_us_are_named() -> None:
    """A note in a column of the operator's own is no row, and is not passed over in silence."""
    sheet = check(("Id", "Title", "Note"), (1, "A"), (None, None, "ask Tom"))

    assert [issue.code for issue in sheet.issues] == ["heading.unknown", "row.not_ours"]
    assert "3" in sheet.issues[1].message


def test_a_sheet_without_rows_is_refused() -> None:
    """Nothing to do is no success when a header was all there was."""
    with pytest.raises(InputError) as caught:
        check(("Id", "Title"))

    assert caught.value.code == "file.no_rows"
