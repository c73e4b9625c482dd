"""Which sheet, which header row, which column: told by names, refused where two answers are possible."""

from pathlib import Path

import pytest

from sync.columns import REPORT_CSV, cell_reference, column_letters, find_layout
from sync.errors import InputError
from sync.headings import heading_key
from sync.model import CellValue, Flaw, FlawKind, LoadedFile, RowNumber, Severity, Table, TableRow

Rows = list[tuple[CellValue, ...]]


def table(rows: Rows, name: str = "Sections", *, hidden: bool = False) -> Table:
    return Table(name, tuple(TableRow(RowNumber(n), cells) for n, cells in enumerate(rows, start=1)), hidden)


def file(*tables: Table) -> LoadedFile:
    return LoadedFile(Path("a.xlsx"), "0" * 64, "xlsx", tables)


def refused(loaded: LoadedFile) -> InputError:
    with pytest.raises(InputError) as caught:
        find_layout(loaded, aliases={})
    return caught.value


ROW: tuple[CellValue, ...] = (1, "A")


def test_headings_match_however_they_are_written() -> None:
    """Case, spaces, underscores, invisible characters and compatible letters do not count."""
    header = (
        "ID",
        " display order ",
        "Unlock_Type",
        "section\u00a0Contents\u200b",
        "\uff21\uff43tive",
        "UPDATED\nON",
        "command",
    )

    layout = find_layout(file(table([header, (1,)])), aliases={})

    assert layout.columns == {
        "Id": 0,
        "DisplayOrder": 1,
        "UnlockType": 2,
        "SectionContents": 3,
        "Active": 4,
        "UpdatedOn": 5,
        "Command": 6,
    }
    assert layout.issues == ()


def test_aliases_of_the_profile_are_headings() -> None:
    """They match by the same rule, and a field's own name still works."""
    layout = find_layout(
        file(table([("Nummer", "TITEL ", "DisplayOrder"), (1, "A", 2)])),
        aliases={"Nummer": "Id", "Titel": "title", "DisplayOrder": "Title"},
    )

    assert layout.columns == {"Id": 0, "Title": 1, "DisplayOrder": 2}


def test_the_header_is_found_below_title_rows() -> None:
    """The first row within twenty that has an Id and another heading of ours."""
    rows: Rows = [("Sections of spring",), (), ("Id",), (None, "id", None, "Title"), (None, 1, None, "A")]

    layout = find_layout(file(table(rows)), aliases={})

    assert (layout.header_row, layout.columns) == (4, {"Id": 1, "Title": 3})
    assert [row.number for row in layout.rows()] == [5]


def test_a_header_below_the_twentieth_row_is_not_sought() -> None:
    """So far down stands no header."""
    assert refused(file(table([*[("x",)] * 20, ("Id", "Title"), ROW]))).code == "file.no_header"


def test_rows_that_are_blank_in_our_columns_are_no_rows() -> None:
    """Blank rows between, white space, and notes in columns of others: the latter are named."""
    rows: Rows = [
        ("Id", "Title", "Note", "Result: Status"),
        ROW,
        (),
        (" ",),
        (None, None, "x"),
        (None, None, None, "y"),
    ]

    layout = find_layout(file(table([*rows, (None, "B")])), aliases={})

    assert [row.number for row in layout.rows()] == [2, 7]
    assert layout.left_out() == (5,)


def test_a_row_with_a_flaw_alone_is_a_row() -> None:
    """Its cells are blank only to the reader."""
    flawed = TableRow(RowNumber(2), (None, None), {1: Flaw(FlawKind.ERROR_VALUE, "#N/A")})
    loaded = file(Table("S", (TableRow(RowNumber(1), ("Id", "Title")), flawed)))

    assert list(find_layout(loaded, aliases={}).rows()) == [flawed]


def test_the_one_sheet_with_our_headings_is_used_and_named() -> None:
    """Other visible sheets are passed over with a note; hidden ones without a word."""
    good = table([("Id", "Title"), ROW])
    base = table([("Id", "Title"), ROW], "base", hidden=True)
    other = table([("Name", "Phone"), ("x", "y")], "People")

    assert find_layout(file(base, good), aliases={}).issues == ()
    layout = find_layout(file(base, other, good), aliases={})
    assert layout.table is good
    assert [(issue.code, issue.severity) for issue in layout.issues] == [("sheet.chosen", Severity.NOTE)]


@pytest.mark.parametrize(
    ("tables", "code", "named"),
    [
        pytest.param(
            [table([("Id", "Title"), ROW], "A"), table([("Id", "Title"), ROW], "B")], "file.two_sheets", "A and B",
            id="two sheets",
        ),
        pytest.param([table([("Id", "Title"), ROW], "A", hidden=True)], "file.hidden_sheet", "'A'", id="hidden"),
        pytest.param([table([("Name", "Phone")], "A"), table([], "B")], "file.no_header", "A, B; row 1 of A has Name",
            id="nothing of ours"),
        pytest.param([table([("Id", "Name")], "A")], "file.no_header", "Id, Name", id="Id alone"),
        pytest.param([table([("x",), ("Title", "Active")], "A")], "file.no_id_column", "Title, Active", id="no Id"),
        pytest.param([], "file.no_header", "none", id="no sheet at all"),
        pytest.param([table([("Id", "Title"), (), (None, " ")])], "file.no_rows", "row 1", id="no rows"),
        pytest.param(
            [table([("Id", "Title", "x", "TITLE"), ROW])], "file.duplicate_heading", "Sections!B1 and Sections!D1",
            id="a heading twice",
        ),
        pytest.param([table([tuple(REPORT_CSV.split(",")), ("a",)])], "file.report_csv", "report.csv", id="report.csv"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(tables: list[Table], code: str, named: str) -> None:
    """The refusal names what was found, and says what to do."""
    error = refused(file(*tables))

    assert error.code == code
    assert named in error.message
    assert error.remedy


def test_ignored_columns_are_reported() -> None:
    """Unknown headings with the nearest name, echoed fields, values without heading; results of a report are not."""
    header = ("Id", "Titel", "Quux", "CustomFields", "Result: Status", None, None, "DisplayOrder")
    cells: tuple[CellValue, ...] = (1, "A", "x", "y", "updated", "stray", None, 3)

    layout = find_layout(file(table([header, cells])), aliases={})

    assert [(issue.code, issue.cell, issue.severity) for issue in layout.issues] == [
        ("heading.unknown", "Sections!B1", Severity.WARNING),
        ("heading.unknown", "Sections!C1", Severity.WARNING),
        ("heading.echoed", "Sections!D1", Severity.WARNING),
        ("heading.missing", "Sections!F1", Severity.WARNING),
    ]
    assert ["did you mean Title?" in issue.message for issue in layout.issues] == [True, False, False, False]
    assert layout.issues[3].message == "column F has values but no heading, so it is ignored"
    assert layout.columns == {"Id": 0, "DisplayOrder": 7}


def test_a_heading_that_cannot_be_read_is_reported() -> None:
    """A formula that was never calculated may hide a heading."""
    header = TableRow(RowNumber(1), ("Id", "Title", None), {2: Flaw(FlawKind.UNCACHED_FORMULA, "=A1")})
    loaded = file(Table("S", (header, TableRow(RowNumber(2), (1, "A", "x")))))

    assert [issue.code for issue in find_layout(loaded, aliases={}).issues] == ["heading.unreadable"]


@pytest.mark.parametrize(
    ("sheet", "expected"),
    [
        ("Sections", "Sections!D14"),
        ("Kurse_2.neu", "Kurse_2.neu!D14"),
        ("Bücher", "Bücher!D14"),
        ("My sheet", "'My sheet'!D14"),
        ("Tom's", "'Tom''s'!D14"),
        ("2024", "'2024'!D14"),
        ("AB12", "'AB12'!D14"),
        ("R1C1", "'R1C1'!D14"),
        ("a-b", "'a-b'!D14"),
    ],
)
def test_cells_are_named_as_excel_names_them(sheet: str, expected: str) -> None:
    """Quoted where Excel quotes."""
    assert cell_reference(sheet, 14, 3) == expected


def test_columns_have_excels_letters() -> None:
    """From A over Z to XFD."""
    assert [column_letters(column) for column in (0, 25, 26, 701, 702, 16_383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]


def test_a_heading_of_invisible_characters_is_blank() -> None:
    """It names nothing."""
    assert heading_key(" _\u200b\ufeff\u00ad\n") == ""
