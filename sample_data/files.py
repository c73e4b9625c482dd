"""Write sheets: workbooks that are the same byte for byte each time, and CSV files with their exact encoding."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell import Cell as WorksheetCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

Cell: TypeAlias = str | int | float | bool | datetime | None
Table: TypeAlias = Sequence[Sequence[Cell]]

STAMP = datetime(2026, 3, 2, 9, 14, 7)  # noqa: DTZ001 - workbooks know no time zone
TEXT_HEADINGS = frozenset(
    {"Command", "CourseTitle", "Title", "UnlockType", "SectionContents", "NewImageUrl", "UpdatedOn"}
)
_WIDTHS = {"SectionContents": 60.0, "Title": 44.0, "CourseTitle": 34.0, "NewImageUrl": 40.0, "UpdatedOn": 22.0}
_PLAIN_WIDTH = 14.0
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def write_workbook(path: Path, rows: Table, *, heading_row: int = 1, about: Sequence[str] = ()) -> None:
    """Write `rows` to a sheet called Sections; `about` becomes a second sheet of sentences.

    Raises:
        OSError: The file cannot be written.
    """
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    sheet = workbook.create_sheet("Sections")
    for row in rows:
        sheet.append(list(row))
    _keep_points(sheet)
    _dress(sheet, heading_row)
    if about:
        notes = workbook.create_sheet("About")
        notes.column_dimensions["A"].width = 100
        for sentence in about:
            notes.append([sentence])
    workbook.properties.creator = "Quayside Academy"
    workbook.properties.created = STAMP
    buffer = io.BytesIO()
    workbook.save(buffer)
    path.write_bytes(_without_clock(buffer))


def write_csv(path: Path, rows: Iterable[Sequence[Cell]], *, delimiter: str = ",", encoding: str = "utf-8") -> None:
    """Write `rows` with Windows line ends, as spreadsheet programs do.

    Raises:
        OSError: The file cannot be written.
    """
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(rows)


def _dress(sheet: Worksheet, heading_row: int) -> None:
    """Make the heading bold and its text columns text, so that Excel converts nothing that is typed there."""
    for number, column in enumerate(sheet.iter_cols(min_row=heading_row), start=1):
        heading, *cells = column
        heading.font = Font(bold=True)
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = _WIDTHS.get(str(heading.value), _PLAIN_WIDTH)
        if heading.value in TEXT_HEADINGS:
            _as_text(cell for cell in cells if cell.data_type in {"s", "n"})
    sheet.freeze_panes = f"A{heading_row + 1}"


def _keep_points(sheet: Worksheet) -> None:
    """Write 5.0 as 5.0, as many a program does; openpyxl alone would write 5."""
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell, WorksheetCell) and isinstance(cell.value, float):
                cell.value = repr(cell.value)
                cell.data_type = "n"


def _as_text(cells: Iterable[object]) -> None:
    for cell in cells:
        cell.number_format = "@"  # type: ignore[attr-defined] # the stubs have merged cells here too


def _without_clock(workbook: io.BytesIO) -> bytes:
    """Pack the parts anew, in their order, with one fixed time instead of now."""
    packed = io.BytesIO()
    with ZipFile(workbook) as source, ZipFile(packed, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name == "docProps/core.xml":
                part = _MODIFIED.sub(rb"\g<1>" + STAMP.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), part)
            entry = ZipInfo(name, date_time=STAMP.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            target.writestr(entry, part)
    return packed.getvalue()
