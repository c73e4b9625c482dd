"""The catalogue of bad input, C13 to C22: which sheet, which rows, which columns, and what nobody sees of them."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.spreadsheet import load_here
from sync.errors import InputError
from sync.hidden_rows import HiddenRows
from sync.model import CellValue, CheckedSheet, Edit, InvalidRow, LoadedFile, RowNumber, SkippedRow, Table, TableRow
from sync.validate import check_sheet

MakeWorkbook = Callable[..., Path]
Rows = list[tuple[CellValue, ...]]
PLAIN: Rows = [("Id", "Title", "SectionContents"), (1, "A", "a"), (2, "B", "b"), (3, "C", "c"), (4, "D", "d")]


def book(path: Path, rows: Rows, *changes: Callable[[Worksheet], object], others: tuple[str, ...] = ()) -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Sections"
    for row in rows:
        sheet.append(row)
    for change in changes:
        change(sheet)
    for name in others:
        workbook.create_sheet(name).append(("Name", "Phone"))
    workbook.save(path / "a.xlsx")
    return path / "a.xlsx"


def check(path: Path, hidden_rows: HiddenRows = HiddenRows.ASK) -> CheckedSheet:
    return check_sheet(load_here(path), aliases={}, hidden_rows=hidden_rows)


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        check(path)
    assert caught.value.remedy
    return caught.value


def kinds(sheet: CheckedSheet) -> list[tuple[int, type]]:
    return [(row.row, type(row)) for row in sheet.rows]


def notes(sheet: CheckedSheet) -> list[str]:
    return [issue.code for issue in sheet.issues]


def hide(*rows: int) -> Callable[[Worksheet], None]:
    def change(sheet: Worksheet) -> None:
        for row in rows:
            sheet.row_dimensions[row].hidden = True

    return change


def merge(place: str) -> Callable[[Worksheet], None]:
    return lambda sheet: sheet.merge_cells(place)


def test_c13_the_one_sheet_with_our_headings_is_used_and_named(tmp_path: Path) -> None:
    """C13: other sheets may stand beside it, and the choice is said."""
    sheet = check(book(tmp_path, PLAIN, others=("People",)))

    assert (sheet.sheet, notes(sheet)) == ("Sections", ["sheet.chosen"])


def test_c13_two_sheets_with_our_headings_are_asked_about(make_workbook: MakeWorkbook) -> None:
    """C13: which of them is meant cannot be told."""
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Id</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>Title</t></is></c></row>'
        '<row r="2"><c r="A2"><v>1</v></c></row>'
    )
    error = refused(make_workbook(rows, rows))

    assert (error.code, "S1 and S2" in error.message) == ("file.two_sheets", True)


def test_c13_no_sheet_with_our_headings_lists_what_there_is(tmp_path: Path) -> None:
    """C13: the names of the sheets help to see that it is the wrong file."""
    error = refused(book(tmp_path, [("Name", "Phone"), ("x", "y")], others=("People",)))

    assert (error.code, "Sections, People" in error.message) == ("file.no_header", True)


def test_c14_a_hidden_sheet_is_never_chosen(tmp_path: Path) -> None:
    """C14: what nobody sees is applied only when it is shown."""
    path = book(tmp_path, PLAIN, lambda sheet: setattr(sheet, "sheet_state", "veryHidden"), others=("People",))

    assert refused(path).code == "file.hidden_sheet"


def test_c14_a_hidden_column_counts_and_is_named(tmp_path: Path) -> None:
    """C14: its cells ask for changes like others; one that is only shown is not worth a word."""

    def change(sheet: Worksheet) -> None:
        sheet.column_dimensions["C"].hidden = True
        sheet.column_dimensions["D"].hidden = True

    sheet = check(book(tmp_path, [(*row, "x" if n else "UpdatedBy") for n, row in enumerate(PLAIN)], change))

    assert [(issue.code, issue.cell) for issue in sheet.issues] == [("heading.hidden", "Sections!C1")]
    assert isinstance(sheet.rows[0], Edit)
    assert sheet.rows[0].values == {"Title": "A", "SectionContents": "a"}


def test_c15_hidden_rows_are_asked_about(tmp_path: Path) -> None:
    """C15: people filter to narrow an edit: the number, the rows and both ways on are in the text."""
    error = refused(book(tmp_path, PLAIN, hide(3, 5)))

    assert error.code == "file.hidden_rows"
    assert "2 of 4 rows" in error.message
    assert "rows 3, 5" in error.message
    assert '"include"' in error.remedy
    assert '"leave_out"' in error.remedy


def test_c15_hidden_rows_are_included_or_left_out_as_told(tmp_path: Path) -> None:
    """C15: either way it is said, and every row has its verdict."""
    path = book(tmp_path, PLAIN, hide(3, 5))
    included, left_out = check(path, HiddenRows.INCLUDE), check(path, HiddenRows.LEAVE_OUT)

    assert kinds(included) == [(2, Edit), (3, Edit), (4, Edit), (5, Edit)]
    assert kinds(left_out) == [(2, Edit), (3, SkippedRow), (4, Edit), (5, SkippedRow)]
    assert (notes(included), notes(left_out)) == (["row.hidden"], ["row.hidden"])


def test_c15_hidden_rows_that_say_nothing_need_no_answer(tmp_path: Path) -> None:
    """C15: blank rows, rows above the header and rows that are left out anyway."""
    rows: Rows = [("list of spring", None), *PLAIN, (None, None), ("#9", "gone")]

    assert kinds(check(book(tmp_path, rows, hide(1, 7, 8)))) == [*((n, Edit) for n in range(3, 7)), (8, SkippedRow)]


def test_c15_a_hidden_row_does_not_hold_its_visible_double(tmp_path: Path) -> None:
    """C15: what is left out is left out of the comparison of Ids too."""
    path = book(tmp_path, [*PLAIN, (1, "another", None)], hide(6))

    assert dict(kinds(check(path, HiddenRows.LEAVE_OUT)))[2] is Edit


@pytest.mark.parametrize(
    ("place", "invalid"),
    [
        pytest.param("B3:B4", [3, 4], id="down"),
        pytest.param("B3:C3", [3], id="across"),
        pytest.param("A3:C5", [3, 4, 5], id="a block"),
        pytest.param("B1:B2", [2], id="a heading over its first value"),
        pytest.param("D3:E5", [], id="beside the table"),
    ],
)
def test_c16_rows_in_a_merged_range_are_held(tmp_path: Path, place: str, invalid: list[int]) -> None:
    """C16: Excel keeps the first value alone; for which rows it is meant cannot be told. The range is named."""
    sheet = check(book(tmp_path, PLAIN, merge(place)))
    held = {row.row: [issue for issue in row.issues if issue.code == "cell.merged"] for row in sheet.rows}

    assert [row.row for row in sheet.rows if isinstance(row, InvalidRow)] == invalid
    assert [number for number, issues in held.items() if issues and place in issues[0].message] == invalid


def test_c16_rows_that_a_merged_range_has_emptied_are_rows(tmp_path: Path) -> None:
    """C16: merging over whole rows leaves nothing in them, and that nothing is not passed over."""
    sheet = check(book(tmp_path, PLAIN, merge("A4:C5")))

    assert kinds(sheet) == [(2, Edit), (3, Edit), (4, InvalidRow), (5, InvalidRow)]


def test_c16_merged_titles_and_dividers_do_no_harm(tmp_path: Path) -> None:
    """C16: above the header, in a row that is commented out, and without any value."""
    rows: Rows = [("Spring", None, None), *PLAIN[:3], ("# Yoga", None, None), *PLAIN[3:]]
    sheet = check(book(tmp_path, rows, merge("A1:C1"), merge("A5:C5"), merge("A20:C22")))

    assert kinds(sheet) == [(3, Edit), (4, Edit), (5, SkippedRow), (6, Edit), (7, Edit)]


def test_c16_a_heading_over_two_columns_is_refused(tmp_path: Path) -> None:
    """C16: which of the columns holds its values cannot be told."""
    error = refused(book(tmp_path, [("Id", "Title", None), (1, "A", "B")], merge("B1:C1")))

    assert (error.code, "Sections!B1:C1" in error.message) == ("file.merged_heading", True)


@pytest.mark.parametrize("dimension", ["A1:B2", "A1", "A1:XFD1048576"])
def test_c17_a_wrong_dimension_changes_nothing(make_workbook: MakeWorkbook, dimension: str) -> None:
    """C17: writers get it wrong; all rows are read, however small it says the sheet is."""
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="C{n}"><v>{n}</v></c></row>' for n in range(1, 104))
    sheet = f'<worksheet><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'
    (table,) = load_here(make_workbook("", extra={"xl/worksheets/sheet1.xml": sheet})).tables

    assert (len(table.rows), table.rows[102].cells) == (103, (103, None, 103))


def test_c18_the_header_is_found_below_titles_and_said(tmp_path: Path) -> None:
    """C18: title rows, blank rows and columns, a caption row over the header."""
    rows: Rows = [("My list",), (), (None, "What", None, "Where"), (None, "Id", None, "Title"), (None, 1, None, "A")]
    sheet = check(book(tmp_path, rows))

    assert (sheet.header_row, sheet.columns, notes(sheet)) == (4, {"Id": 1, "Title": 3}, ["sheet.header"])


def test_c19_headings_match_whatever_surrounds_them(tmp_path: Path) -> None:
    """C19: case, NBSP, spaces, zero-width characters, full-width letters; a near miss is named with its neighbour."""
    sheet = check(book(tmp_path, [("ID\u00a0", "\u200bT\uff49tle ", "Titel", "Display Order"), (1, "A", "x", 3)]))

    assert sheet.columns == {"Id": 0, "Title": 1, "DisplayOrder": 3}
    assert [(issue.code, "did you mean Title" in issue.message) for issue in sheet.issues] == [
        ("heading.unknown", True)
    ]


def test_c19_headings_that_are_the_same_are_refused(tmp_path: Path) -> None:
    """C19: after the differences that do not count, one field has one column."""
    assert refused(book(tmp_path, [("Id", "Title", "TITLE "), (1, "A", "B")])).code == "file.duplicate_heading"


def test_c20_rows_without_a_key_are_held_and_a_sheet_without_its_column_is_refused(tmp_path: Path) -> None:
    """C20: which section is meant must be said."""
    sheet = check(book(tmp_path, [PLAIN[0], (None, "A", None), (2, "B", None)]))

    assert kinds(sheet) == [(2, InvalidRow), (3, Edit)]
    assert refused(book(tmp_path, [("Title", "Active"), ("A", True)])).code == "file.no_id_column"


def test_c20_rows_of_one_key_that_differ_are_all_held(tmp_path: Path) -> None:
    """C20: none of them can be told to be the one that is meant."""
    sheet = check(book(tmp_path, [PLAIN[0], (1, "A", None), (2, "B", None), (1, "C", None)]))

    assert kinds(sheet) == [(2, InvalidRow), (3, Edit), (4, InvalidRow)]


def test_c22_a_sheet_without_rows_is_refused(tmp_path: Path) -> None:
    """C22: a header alone, or nothing at all, is no edit."""
    assert refused(book(tmp_path, PLAIN[:1])).code == "file.no_rows"
    assert refused(book(tmp_path, [])).code == "file.no_header"


@pytest.mark.parametrize("rows", [65_536, 1_048_576])
def test_c22_a_sheet_that_ends_where_a_format_ends_looks_cut_off(rows: int) -> None:
    """C22: whoever saved more rows has lost the others without a word."""
    header = TableRow(RowNumber(1), ("Id", "Title"))
    last = TableRow(RowNumber(rows), (1, "A"))
    file = LoadedFile(Path("a.xlsx"), "0" * 64, "xlsx", (Table("S", (header, last)),))

    with pytest.raises(InputError) as caught:
        check_sheet(file, aliases={})

    assert caught.value.code == "file.cut_off"
