"""The operator's workbook, its plain rows never opened, is the one that openpyxl makes of all of it, cell by cell."""

import re
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter

from sync.adapters.workbook.own_rows import NotCutError
from sync.adapters.workbook.own_sheet import MOST_ROWS_OPENED, annotated, as_a_whole, in_stream
from sync.adapters.workbook.own_task import NotCarried, Task
from sync.adapters.workbook.source import SheetSource
from sync.frozen import replace
from sync.model import Outcome, Status
from tests.own_workbooks import (
    SHEET,
    TEXTS,
    assert_alike,
    both,
    by_openpyxl,
    by_us,
    by_xlsxwriter,
    opened_zip,
    put_into,
    task_at,
    with_a_prefix,
)
from tests.workbooks import checked_at, opened, order_on, remarks_of, report_of

ROW_12 = '<c r="H12" t="str"><f>D2*2</f><v>=text</v></c>'
CELL = '<c r="D15" s="1"><v>14</v></c>'
"""In a row of which nothing is to be said but its status."""
makers = pytest.mark.parametrize("make", [by_xlsxwriter, by_openpyxl, by_us, with_a_prefix])


@makers
def test_the_report_is_the_same(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Values, looks, comments, rows, columns, merged cells, filters, drop-downs, conditional formats, tables, pages."""
    make(tmp_path / "a.xlsx")

    assert_alike(*both(task_at(tmp_path / "a.xlsx")), tmp_path)


@makers
def test_a_report_that_comes_back_is_the_same(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Old results are written over, old marks taken off, what lies under them comes back: as often as it goes round."""
    path = tmp_path / "0.xlsx"
    make(path)
    for number in range(1, 4):
        content = annotated(task_at(path))
        assert isinstance(content, bytes)
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(content)

        assert_alike(*both(task_at(path)), tmp_path)


@makers
def test_no_formula_is_written(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Not in one part of the copy; and a text that looks like a formula is quoted, so that Enter makes none of it."""
    make(tmp_path / "a.xlsx")
    content, _ = both(task_at(tmp_path / "a.xlsx"))
    with zipfile.ZipFile(BytesIO(content)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]

    book = opened(content).parent
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]

    assert not [sheet for sheet in sheets if b"<f>" in sheet or b"<f " in sheet]
    assert [cell.coordinate for cell in cells if str(cell.value).startswith("=") and not cell.quotePrefix] == []
    assert [cell for cell in cells if str(cell.value).startswith("=")]


def test_plain_rows_are_never_opened(tmp_path: Path) -> None:
    """Their cells go on naming texts by number, which nothing that openpyxl has opened does."""
    by_xlsxwriter(tmp_path / "a.xlsx")
    content, whole = both(task_at(tmp_path / "a.xlsx"))

    streamed, written = (zipfile.ZipFile(BytesIO(each)).read(SHEET).count(b' t="s"><v>') for each in (content, whole))

    assert (streamed > 50, written) == (True, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(CELL, '<c r="D15" s="1" t="d"><v>2026-01-01</v></c>', id="a-date-as-text"),
        pytest.param('"><v>45000.1', '"><v>9945000.1', id="dates-that-no-calendar-has"),
        pytest.param(CELL, '<c r="D15" s="1" zz="1"><v>2</v></c>', id="an-attribute-that-nobody-knows"),
        pytest.param('<c r="D15" s="1">', "<c r='D15' s='1'>", id="other-quotes"),
        pytest.param('<row r="15"', '<row  x="1"  r="15"', id="attributes-in-another-order"),
        pytest.param(CELL, '<c r="D15" s="1"><v>014.0e0</v></c>', id="a-number-in-another-spelling"),
        pytest.param(CELL, '<c r="D15" s="1" t="e"/>', id="an-error-without-a-name"),
        pytest.param(CELL, '\n <c r="D15" s="1"\n><v>14</v></c>\n', id="white-space"),
        pytest.param(CELL, "", id="no-cell"),
        pytest.param("<v>3.857142857142857</v>", "<v>0.30000000000000004</v>", id="more-digits-than-are-kept"),
        pytest.param(CELL, '<c r="I15" s="1"/>' + CELL, id="cells-out-of-order"),
        pytest.param(CELL, CELL.replace("D15", "D16"), id="a-cell-of-another-row"),
        pytest.param(
            "</sheetData>", '<row r="50" ht="20"/><row r="52"><c r="B52" s="1"/></row></sheetData>', id="blank-rows"
        ),
    ],
)
def test_what_is_not_known_is_left_to_openpyxl(tmp_path: Path, old: str, new: str) -> None:
    """A row in an odd form is opened, with all that is said of it; the report is as ever."""
    path = tmp_path / "a.xlsx"
    by_xlsxwriter(path)
    put_into(path, SHEET, old, new)

    content = annotated(task_at(path))

    assert isinstance(content, bytes)
    with opened_zip(path) as archive:
        assert_alike(content, as_a_whole(task_at(path), archive), tmp_path)


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        pytest.param(SHEET, "<sheetData>", "<sheetData><!-- a remark -->", id="a-remark"),
        pytest.param(SHEET, '<row r="4"', '<row r="3"', id="a-row-twice"),
        pytest.param(SHEET, '<row r="4"', "<row", id="a-row-without-a-number"),
        pytest.param(TEXTS, "<sst ", "<!-- a remark --><sst ", id="a-remark-among-texts"),
        pytest.param(TEXTS, "<si>", "<si ><!-- a remark -->", id="texts-in-another-spelling"),
        pytest.param(TEXTS, "<si><t>Id</t></si>", "<si><t>Id</t><rPh2/></si>", id="texts-with-something-in-them"),
    ],
)
def test_a_workbook_that_cannot_be_cut_is_opened_as_a_whole(tmp_path: Path, part: str, old: str, new: str) -> None:
    """As long as it is small; of a large one, the values are kept, and the summary says why."""
    path = tmp_path / "a.xlsx"
    by_xlsxwriter(path)
    put_into(path, part, old, new)
    task = task_at(path)

    small, large = annotated(task), annotated(replace(task, rows=MOST_ROWS_OPENED + 1))

    assert isinstance(small, bytes)
    assert large is NotCarried.LARGE
    with opened_zip(path) as archive:
        with pytest.raises(NotCutError):
            in_stream(task, archive)
        assert_alike(small, as_a_whole(task, archive), tmp_path)


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        pytest.param(SHEET, "<v>2</v></c>", "<v>2</v>", id="a-tag-that-is-not-closed"),
        pytest.param(SHEET, ROW_12, ROW_12.replace("=text", "&foo;"), id="an-entity-in-a-cell"),
        pytest.param(SHEET, ROW_12, ROW_12.replace("=text", "&#1;"), id="a-character-that-is-none"),
        pytest.param(SHEET, '<c r="B3" t="s"><v>', '<c r="B3" t="s"><v>99999', id="a-text-that-is-not-there"),
        pytest.param(SHEET, CELL, '<c r="D15" t="s"><v>99999</v></c>', id="a-text-that-is-not-there-in-a-plain-row"),
        pytest.param(SHEET, '<row r="15" ', '<row r="15" ht="x" ', id="a-height-that-is-no-number"),
        pytest.param(SHEET, '<c r="D15" s="1"', '<c r="D15" s="9999"', id="a-style-that-is-not-there"),
        pytest.param(TEXTS, "</sst>", "", id="a-table-without-an-end"),
        pytest.param(TEXTS, "<si>", "<si>&foo;", id="an-entity-among-texts"),
        pytest.param(TEXTS, "<t>&lt;p&gt;14&lt;", "<t>&foo;&lt;", id="an-entity-in-a-text"),
        pytest.param(TEXTS, "</sst>", "<extLst><a></sst>", id="a-tag-behind-the-texts-that-is-not-closed"),
    ],
)
def test_broken_xml_is_never_passed_on(tmp_path: Path, part: str, old: str, new: str) -> None:
    """What openpyxl cannot read is not carried over in bits: the values that were read are kept."""
    path = tmp_path / "a.xlsx"
    by_xlsxwriter(path)
    task = task_at(path)
    put_into(path, part, old, new)

    assert annotated(task) is NotCarried.ODD


def without_formats(path: Path, *, rows: int = 40) -> None:
    """A table of texts of which each is one, and nothing else."""
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Edits")
        sheet.write_row(0, 0, ["Id", "Title", "SectionContents"])
        for row in range(1, rows):
            sheet.write_row(row, 0, [str(100 + row), f"Section {row}", f"<p>{row}</p>"])


@pytest.mark.parametrize(
    ("make", "part", "old"),
    [
        pytest.param(by_openpyxl, SHEET, "&lt;p&gt;34&lt;", id="in-its-cell"),
        pytest.param(without_formats, TEXTS, "&lt;p&gt;26&lt;", id="in-a-table-without-formats"),
    ],
)
def test_a_broken_text_is_never_passed_on(tmp_path: Path, make: Callable[[Path], None], part: str, old: str) -> None:
    """Wherever it stands."""
    path = tmp_path / "a.xlsx"
    make(path)
    task = task_at(path)
    put_into(path, part, old, "&foo;&lt;")

    assert annotated(task) is NotCarried.ODD


def test_a_row_that_comes_twice_is_not_cut(tmp_path: Path) -> None:
    """Which of the two counts, each program says in its own way."""
    path = tmp_path / "a.xlsx"
    without_formats(path, rows=6_000)
    task = nothing_changed(path)
    with opened_zip(path) as archive:
        row = re.search(rb'<row r="5901".*?</row>', archive.read(SHEET))
    assert row
    put_into(path, SHEET, row[0].decode(), 2 * row[0].decode())

    with opened_zip(path) as archive, pytest.raises(NotCutError):
        in_stream(task, archive)


def test_a_row_by_another_number_than_its_cells_is_not_cut(tmp_path: Path) -> None:
    """By which of the two it is meant, only who made the file knows."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Edits")
        for row, cells in enumerate((["Id", "Title"], ["200", "a"], ["300", "b"])):
            sheet.write_row(row, 0, cells)
    put_into(path, SHEET, '<row r="3"', '<row r="4"')
    task = task_at(path)

    with opened_zip(path) as archive, pytest.raises(NotCutError):
        in_stream(task, archive)


@pytest.mark.parametrize(
    ("number", "pattern"),
    [
        pytest.param(3, rb'<row r="3".*?</row>', id="in-the-middle"),
        pytest.param(39, rb'<row r="39".*</row>', id="at-the-end"),
    ],
)
def test_a_row_that_is_gone_gets_its_result(tmp_path: Path, number: int, pattern: bytes) -> None:
    """Every row of the report stands in it, also one that the file does not hold."""
    path = tmp_path / "a.xlsx"
    by_xlsxwriter(path)
    task = task_at(path)
    said = (task.results.of(number) or ())[0]
    with opened_zip(path) as archive:
        gone = re.search(pattern, archive.read(SHEET))
    assert gone
    put_into(path, SHEET, gone[0].decode(), "")

    streamed, whole = both(task)

    assert_alike(streamed, whole, tmp_path)
    sheet = opened(streamed)
    status = [cell.value for cell in sheet[1]].index("Result: Status")
    assert [cell.value for cell in sheet[number]][: status + 1] == [None] * status + [said]


def test_rows_of_all_kinds_are_told_apart_among_thousands(tmp_path: Path) -> None:
    """Plain rows are written hundreds at a time; among them others, opened ones, and some that are not there."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as workbook:
        sheet = workbook.add_worksheet("Edits")
        day, bold = workbook.add_format({"num_format": "dd/mm/yyyy"}), workbook.add_format({"bold": True})
        sheet.write_row(0, 0, ["Id", "Title", "SectionContents", "DisplayOrder", "My notes", "Done"])
        for row in range(1, 2_500):
            if row % 89 == 0:
                continue
            sheet.write_string(row, 0, str(row), bold if row % 7 == 0 else None)
            sheet.write_string(row, 1, "=1+1" if row % 83 == 0 else f"Section {row}")
            sheet.write_string(row, 2, f"<p>{row}</p>" * (row % 60))
            sheet.write_number(row, 3, row * (1.5 if row % 97 == 0 else 1))
            if row % 3 == 0:
                sheet.write_number(row, 4, 45_000 + row, day if row % 101 == 0 else bold)
            if row % 5 == 0:
                sheet.write_boolean(row, 5, row % 2 == 0)
            if row % 79 == 0:
                sheet.write_formula(row, 6, "=D2", None, row)
            if row % 131 == 0:
                sheet.write_comment(row, 4, "mine")
            if row % 211 == 0:
                sheet.set_row(row, 40, bold)
        sheet.merge_range("I1500:I1502", "merged")

    assert_alike(*both(task_at(path)), tmp_path)


def test_a_sheet_of_any_size_keeps_its_formats(tmp_path: Path) -> None:
    """Ten thousand rows were the most that openpyxl could be asked to write cell by cell."""
    path, rows = tmp_path / "a.xlsx", MOST_ROWS_OPENED + 2_000
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Edits")
        red = workbook.add_format({"font_color": "#FF0000"})
        sheet.write_row(0, 0, ["Id", "Title", "DisplayOrder"])
        for row in range(1, rows + 1):
            sheet.write_row(row, 0, [str(row), f"Section {row}", row], red if row % 2 else None)
        other = workbook.add_worksheet("Other")
        for row in range(1, 2_000):
            other.write_number(row, row % 5, row)

    content = annotated(nothing_changed(path))

    assert isinstance(content, bytes)
    made = opened(content)
    assert (made["A10002"].font.color.rgb, made["A10003"].font.color.theme) == ("FFFF0000", 1)
    assert (made["B12001"].value, made["D12001"].value, made["K12001"].value) == ("Section 12000", "unchanged", 12_001)
    assert (made.auto_filter.ref, made.max_row) == ("A1:L12001", rows + 1)
    assert reach_of(content, SHEET) == "A1:L12001"
    assert reach_of(content, "xl/worksheets/sheet3.xml") == "A1:E2000"
    assert [each for each in remarks_of(made) if "kept" in each] == []


def nothing_changed(path: Path) -> Task:
    """What the process is asked where no row has anything to be marked."""
    checked = checked_at(path)
    outcomes = [Outcome(row.row, row.label, Status.UNCHANGED) for row in checked.rows]
    return order_on(report_of(outcomes), SheetSource.of(checked)).slim()


def reach_of(content: bytes, part: str) -> str:
    """The cells that a sheet says to have: some readers look no further."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        found = re.search(rb'<dimension ref="([^"]*)"', archive.read(part))
    return "" if found is None else found[1].decode()
