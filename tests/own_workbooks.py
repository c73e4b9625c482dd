"""Workbooks as operators have them, made by several programs, and the reports on them made in both ways."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import xlsxwriter
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.worksheet.table import Table as ExcelTable

from sync.adapters.spreadsheet import load_here
from sync.adapters.workbook.export import write_export
from sync.adapters.workbook.own_sheet import as_a_whole, in_stream
from sync.adapters.workbook.own_task import Task
from sync.adapters.workbook.source import SheetSource
from sync.frozen import replace
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
from sync.table_cells import FORMULA_STARTS
from sync.validate import check_sheet
from tests.alike import differences
from tests.sections import ORIGIN, section
from tests.workbooks import order_on, report_of

SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
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
    (Status.CONFLICT, {"changes": (FieldChange("Title", "live", "mine", "old"),)}),
    (Status.UNCHANGED, {}),
    (Status.REJECTED, {"issues": (Issue("api.rejected", "=is bad", "Title", Source.API),)}),
    (Status.UNKNOWN, {"issues": (Issue("sync.note", "looks odd", severity=Severity.NOTE),)}),
    (Status.SKIPPED, {}),
    (Status.CONFLICT, {}),
)
"""What becomes of rows in turn: of some there is nothing to mark."""


def by_xlsxwriter(path: Path) -> None:
    """What Excel writes as well: a table of texts, formats within them, values of formulas, links, hidden rows."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        bold = workbook.add_format({"bold": True, "bg_color": "#FFFF00"})
        day, duration = (workbook.add_format({"num_format": shown}) for shown in ("dd/mm/yyyy", "[h]:mm"))
        locked = workbook.add_format({"locked": False, "border": 1})
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
                sheet.write_number(row, 3, row * (1.1 if row % 6 == 1 else 1))
                sheet.write_string(row, 4, f"<p>{row}</p>", locked)
                sheet.write(
                    row, 5, (text, row % 2 == 0, None, row / 7, -row, 1e21)[row % 6], bold if row % 7 == 0 else None
                )
                if row % 2:
                    sheet.write_number(row, 6, 45000 + row / 24, day if row % 3 else duration)
                    sheet.write_formula(row, 7, "=D2*2", None, (row, "=text", "#DIV/0!", "")[row // 2 % 4])
                if row % 9 == 0:
                    sheet.set_row(row, 33.5, bold, {"hidden": row % 2 == 0, "level": 1})
            sheet.write_comment("F4", "mine", {"author": "me"})
            sheet.write_url("F6", "https://example.com/a", string="a link")
            sheet.write_url("F8", "https://example.com/b")
            sheet.write_blank("F8", None, bold)
            sheet.merge_range("J9:K10", "merged", locked)
            sheet.write_string("K10", "under what is merged")
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
        formula = f"=C{row}*2" if row % 2 else None
        sheet.append([str(100 + row), text, row, f"<p>{row}</p>", None if row % 3 else text, formula])
        for column in (2, 5):
            sheet.cell(row, column).data_type = "s"
        if row % 4 == 0:
            sheet.cell(row, 3).value = datetime(2026, 1, row % 28 + 1, tzinfo=UTC).replace(tzinfo=None)
        if row % 2:
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
    assert out_of_order(one) == []


def out_of_order(content: bytes) -> list[str]:
    """Rows, and cells of a row, that do not follow those before them: Excel would call the file damaged."""
    found = []
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/sheet"):
                xml = archive.read(name).decode()
                places = [coordinate_to_tuple(place) for place in re.findall(r'<c r="([A-Z]+[0-9]+)"', xml)]
                rows = [(int(number), 0) for number in re.findall(r'<row r="([0-9]+)"', xml)]
                found += [
                    f"{name}: {after}" for each in (places, rows) for before, after in pairwise(each) if before >= after
                ]
    return found
