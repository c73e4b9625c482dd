"""The operator's workbook, its plain rows never opened, is the one that openpyxl makes of all of it, cell by cell."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.table import Table as ExcelTable

from sync.adapters.spreadsheet import load_here
from sync.adapters.workbook.export import write_export
from sync.adapters.workbook.own_order import NotCarried, Task
from sync.adapters.workbook.own_rows import NotCutError
from sync.adapters.workbook.own_sheet import MOST_ROWS_OPENED, annotated, as_a_whole, in_stream
from sync.adapters.workbook.source import SheetSource
from sync.hidden_rows import HiddenRows
from sync.model import (
    CheckedSheet,
    FieldChange,
    InvalidRow,
    Issue,
    Outcome,
    RunReport,
    Severity,
    Source,
    Status,
    Verified,
)
from sync.report import FORMULA_STARTS
from sync.validate import check_sheet
from tests.alike import differences
from tests.sections import ORIGIN, section
from tests.workbooks import checked_at, opened, order_on, remarks_of, report_of

SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
CELL = '<c r="D3" s="1"><v>2</v></c>'
HEADINGS = ("Command", "Id", "Title", "DisplayOrder", "SectionContents", "My notes", "When", "Sum")
ODD = (
    *(f"{start}1+1" for start in FORMULA_STARTS),
    "_x0041_",
    "_x000D_",
    " spaces ",
    "a\nb",
    "<b>&amp;",
    "é😀",
    "#N/A",
    "00123",
)
SAID = (
    (
        Status.UPDATED,
        {"verified": Verified.YES, "attempts": 1, "updated_on": "2026-01-01T00:00:00Z", "updated_by": "=me"},
    ),
    (Status.UNCHANGED, {}),
    (Status.FAILED, {"issues": (Issue("api.unavailable", "no answer", source=Source.SYNC),), "attempts": 3}),
    (Status.UNCHANGED, {}),
    (Status.CONFLICT, {"changes": (FieldChange("Title", "live", "mine", "old"),)}),
    (Status.REJECTED, {"issues": (Issue("api.rejected", "=is bad", "Title", Source.API),)}),
    (Status.UNKNOWN, {"issues": (Issue("sync.note", "looks odd", severity=Severity.NOTE),)}),
    (Status.SKIPPED, {}),
)


def by_xlsxwriter(path: Path) -> None:
    """What Excel writes as well: a table of texts, formats within them, values of formulas, links, hidden rows."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        bold, day = (
            workbook.add_format({"bold": True, "bg_color": "#FFFF00"}),
            workbook.add_format({"num_format": "dd/mm/yyyy"}),
        )
        duration, locked = (
            workbook.add_format({"num_format": "[h]:mm"}),
            workbook.add_format({"locked": False, "border": 1}),
        )
        for name in ("Edits", "My lists"):
            sheet = workbook.add_worksheet(name)
            sheet.write_row(0, 0, HEADINGS if name == "Edits" else "ABCDEFGH")
            for row in range(1, 40):
                text = ODD[row % len(ODD)]
                sheet.write(row, 0, ("sheet", "", "live")[row % 3])
                sheet.write_string(row, 1, str(100 + row), bold if row % 5 == 0 else None)
                if row % 4 == 3:
                    sheet.write_rich_string(row, 2, "=one ", bold, "two", " three")
                else:
                    sheet.write_string(row, 2, text)
                sheet.write_number(row, 3, row * (1.1 if row % 6 == 0 else 1))
                sheet.write_string(row, 4, f"<p>{row}</p>", locked)
                sheet.write(
                    row, 5, (text, row % 2 == 0, None, row / 7, -row, 1e21)[row % 6], bold if row % 7 == 0 else None
                )
                sheet.write_number(row, 6, 45000 + row / 24, day if row % 2 else duration)
                sheet.write_formula(row, 7, "=D2*2", None, (row, "=text", "#DIV/0!", "")[row % 4])
                if row % 9 == 0:
                    sheet.set_row(row, 33.5, bold, {"hidden": row % 2 == 0, "level": 1})
            sheet.write_comment("F4", "mine", {"author": "me"})
            sheet.write_url("F6", "https://example.com/a", string="a link")
            sheet.merge_range("J9:K10", "merged")
            sheet.conditional_format("D2:D40", {"type": "cell", "criteria": ">", "value": 9, "format": bold})
            sheet.data_validation("A2:A40", {"validate": "list", "source": ["skip", "sheet", "live"]})
            sheet.set_column("C:E", 40, bold)
            sheet.freeze_panes(1, 2)
            sheet.print_area("A1:F20")
            sheet.repeat_rows(0)
            sheet.autofilter("A1:H40")


def by_openpyxl(path: Path) -> None:
    """Texts in their cells, formulas that nobody has calculated, a table, titles above the headings, a locked sheet."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "Edits"
    sheet.append(["My sections"])
    sheet.append([*HEADINGS[1:6], "Total"])
    for row in range(3, 40):
        text = ODD[row % len(ODD)]
        sheet.append([str(100 + row), text, row, f"<p>{row}</p>", None if row % 3 else text, f"=C{row}*2"])
        for column in (2, 5):
            sheet.cell(row, column).data_type = "s"
        if row % 4 == 0:
            sheet.cell(row, 3).value = datetime(2026, 1, row % 28 + 1, tzinfo=UTC).replace(tzinfo=None)
        sheet.cell(row, 7).border = Border(left=Side("thin"))  # blank, where the results go
    sheet["D9"].value = "=D8"
    sheet["E11"].comment = Comment("mine", "me")
    sheet["B12"].font, sheet["B13"].fill = Font(italic=True), PatternFill("solid", fgColor="FF00FF00")
    sheet["B14"].alignment = Alignment(wrap_text=True)
    sheet["B15"].style = "Good"
    sheet["B16"].hyperlink = "https://example.com/"
    sheet.merge_cells("B20:B21")
    sheet.row_dimensions[22].height = 60
    sheet.row_dimensions[23].hidden = True
    sheet.add_table(ExcelTable(displayName="Edits1", ref="A2:F39"))
    sheet.protection.enable()
    workbook.create_sheet("Other")["B7"] = "kept"
    workbook.save(path)


def by_us(path: Path) -> None:
    """An export: locked, with what the operator saw in a hidden sheet."""
    records = [
        section(
            100 + row,
            Title=ODD[row % len(ODD)],
            DisplayOrder=row,
            Active=row % 2 == 0,
            SectionContents=f"<p>{row}</p>" * 3,
        )
        for row in range(40)
    ]
    write_export(path, records, origin=ORIGIN, courses=((12, "Health"),))


def with_a_prefix(path: Path) -> None:
    """Every tag of sheets and texts has a prefix, as some libraries write them."""
    by_xlsxwriter(path)
    for name in (SHEET, "xl/worksheets/sheet2.xml", TEXTS):
        put_into(path, name, "<", "<x:")
        put_into(path, name, "<x:/", "</x:")
        put_into(path, name, "<x:?xml", "<?xml")
        put_into(path, name, f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')


makers = pytest.mark.parametrize("make", [by_xlsxwriter, by_openpyxl, by_us, with_a_prefix])


def put_into(path: Path, name: str, old: str, new: str) -> None:
    """Write another text into a part of a workbook, wherever the old one stands."""
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    assert old.encode() in parts[name]
    parts[name] = parts[name].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, content in parts.items():
            archive.writestr(each, content)


def reported(checked: CheckedSheet) -> RunReport:
    """A report that has something to say of every second row."""
    outcomes = []
    for number, row in enumerate(checked.rows):
        if isinstance(row, InvalidRow):
            outcomes.append(Outcome(row.row, row.label, Status.INVALID, issues=row.issues))
        else:
            status, said = SAID[number % len(SAID)]
            outcomes.append(replace(Outcome(row.row, row.label, status), **said))
    return report_of(outcomes, sheet=checked.sheet)


def task_at(path: Path) -> Task:
    """What the process is asked that writes the report on this workbook."""
    checked = check_sheet(load_here(path), aliases={}, hidden_rows=HiddenRows.INCLUDE)
    return order_on(reported(checked), SheetSource.of(checked)).slim()


def both(task: Task) -> tuple[bytes, bytes]:
    """The report with the plain rows never opened, and with all of the workbook opened."""
    with opened_zip(task.path) as archive:
        return in_stream(task, archive), as_a_whole(task, archive)


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a workbook's parts; the file is closed even if a reader of one of them is left behind."""
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        yield archive


def assert_alike(one: bytes, other: bytes, folder: Path) -> None:
    """For openpyxl and for our own reader, two workbooks say the same and look the same."""
    tables = []
    for name, content in (("one", one), ("other", other)):
        (folder / f"{name}.xlsx").write_bytes(content)
        tables.append(load_here(folder / f"{name}.xlsx").tables)
    assert differences(one, other) == []
    assert tables[0] == tables[1]


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

    assert (streamed > 100, written) == (True, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            '<c r="D3" s="1"><v>2</v></c>', '<c r="D3" s="1" t="d"><v>2026-01-01</v></c>', id="a-date-as-text"
        ),
        pytest.param('"><v>45000.1', '"><v>9945000.1', id="dates-that-no-calendar-has"),
        pytest.param(
            '<c r="D3" s="1"><v>2</v></c>', '<c r="D3" s="1" zz="1"><v>2</v></c>', id="an-attribute-that-nobody-knows"
        ),
        pytest.param('<c r="D3" s="1">', "<c r='D3' s='1'>", id="other-quotes"),
        pytest.param('<row r="3"', '<row  x="1"  r="3"', id="attributes-in-another-order"),
        pytest.param(
            '<c r="D3" s="1"><v>2</v></c>', '<c r="D3" s="1"><v>002.0e0</v></c>', id="a-number-in-another-spelling"
        ),
        pytest.param(CELL, '<c r="D3" s="1" t="e"/>', id="an-error-without-a-name"),
        pytest.param(CELL, '\n <c r="D3" s="1"\n><v>2</v></c>\n', id="white-space"),
        pytest.param(CELL, "", id="no-cell"),
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
        pytest.param("[Content_Types].xml", "sheet2.xml", "sheet1.xml", id="parts-that-are-not-listed"),
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
    with opened_zip(path) as archive:
        try:
            in_stream(task, archive)
        except NotCutError:
            assert large is NotCarried.LARGE
        assert_alike(small, as_a_whole(task, archive), tmp_path)


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        pytest.param(SHEET, "<v>2</v></c>", "<v>2</v>", id="a-tag-that-is-not-closed"),
        pytest.param(SHEET, ' t="str"><f>D2*2</f><v>=text', ' t="str"><f>D2*2</f><v>&foo;', id="an-entity-in-a-cell"),
        pytest.param(SHEET, '<c r="B3" t="s"><v>', '<c r="B3" t="s"><v>99999', id="a-text-that-is-not-there"),
        pytest.param(SHEET, '<c r="D3" s="1"', '<c r="D3" s="9999"', id="a-style-that-is-not-there"),
        pytest.param(TEXTS, "</sst>", "", id="a-table-without-an-end"),
        pytest.param(TEXTS, "<si>", "<si>&foo;", id="an-entity-among-texts"),
    ],
)
def test_broken_xml_is_never_passed_on(tmp_path: Path, part: str, old: str, new: str) -> None:
    """What openpyxl cannot read is not carried over in bits: the values that were read are kept."""
    path = tmp_path / "a.xlsx"
    by_xlsxwriter(path)
    task = task_at(path)
    put_into(path, part, old, new)

    assert annotated(task) is NotCarried.ODD


def test_a_sheet_of_any_size_keeps_its_formats(tmp_path: Path) -> None:
    """Ten thousand rows were the most that openpyxl could be asked to write cell by cell."""
    path, rows = tmp_path / "a.xlsx", MOST_ROWS_OPENED + 2_000
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Edits")
        red = workbook.add_format({"font_color": "#FF0000"})
        sheet.write_row(0, 0, ["Id", "Title", "DisplayOrder"])
        for row in range(1, rows + 1):
            sheet.write_row(row, 0, [str(row), f"Section {row}", row], red if row % 2 else None)
    checked = checked_at(path)
    outcomes = [Outcome(row.row, row.label, Status.UNCHANGED) for row in checked.rows]
    order = order_on(report_of(outcomes), SheetSource.of(checked))

    content = annotated(order.slim())

    assert isinstance(content, bytes)
    made = opened(content)
    assert (made["A10002"].font.color.rgb, made["A10003"].font.color.theme) == ("FFFF0000", 1)
    assert (made["B12001"].value, made["D12001"].value, made["K12001"].value) == ("Section 12000", "unchanged", 12_001)
    assert (made.auto_filter.ref, made.max_row) == ("A1:L12001", rows + 1)
    assert [each for each in remarks_of(made) if "kept" in each] == []
