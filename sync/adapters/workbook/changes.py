"""The page of a plan that a reviewer reads: every field that would change, before and after, beside its row."""

from typing import Final

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.frame import set_up_page
from sync.adapters.workbook.overview import Changes
from sync.adapters.workbook.styles import (
    FAINT,
    HEADING_FILL,
    HEADING_FONT,
    TITLE_FONT,
    WRAPPED,
    cell_at,
    fit_height,
    put,
)

CHANGES_SHEET: Final = "Changes"
TITLE: Final = "What would change"
"""The first cell: by it, the page of a plan that came back is known and taken off."""
# No heading here may be one of the fields': a plan's workbook is a valid sheet, and this page is none.
_HEADINGS: Final = ("Row", "Section", "Name", "What", "Before", "After", "Remark")
_WIDTHS: Final = (8, 16, 34, 18, 56, 56, 24)
_HEADING_ROW: Final = 4


def add_changes(workbook: Workbook, changes: Changes, *, after: Worksheet) -> None:
    """Put the page behind the sheet `after`."""
    sheet: Worksheet = workbook.create_sheet(CHANGES_SHEET, workbook.index(after) + 1)
    for number, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    put(cell_at(sheet, 1, 1), TITLE)
    cell_at(sheet, 1, 1).font = TITLE_FONT
    put(
        cell_at(sheet, 2, 1),
        f"{changes.total:,} changes in {changes.rows:,} rows; long texts by the lines that differ.",
    )
    cell_at(sheet, 2, 1).font = FAINT
    for column, text in enumerate(_HEADINGS, start=1):
        cell = cell_at(sheet, _HEADING_ROW, column)
        put(cell, text)
        cell.font, cell.fill = HEADING_FONT, HEADING_FILL
    last = _write(sheet, changes)
    left = changes.total - len(changes.lines)
    if left:
        put(cell_at(sheet, last + 1, 1), f"and {left:,} more: all of them are in report.jsonl")
    sheet.auto_filter.ref = f"A{_HEADING_ROW}:{get_column_letter(len(_HEADINGS))}{last}"
    sheet.freeze_panes = f"A{_HEADING_ROW + 1}"
    set_up_page(sheet)


def _write(sheet: Worksheet, changes: Changes) -> int:
    """Write a line for each change, and give the number of the last one."""
    line = _HEADING_ROW
    for cells in changes.lines:
        line += 1
        for column, value in enumerate(cells, start=1):
            cell = cell_at(sheet, line, column)
            put(cell, value)
            cell.alignment = WRAPPED
        fit_height(sheet, line, _WIDTHS)
    return line
