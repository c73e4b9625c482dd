"""The page of a plan that a reviewer reads: every field that would change, before and after, beside its row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.bulk import PlainStyles, Styled, plain_styles, row_xml
from sync.adapters.workbook.frame import set_up_page
from sync.adapters.workbook.overview import Changes
from sync.adapters.workbook.splice import Splice, around
from sync.adapters.workbook.styles import (
    FAINT,
    HEADING_FILL,
    HEADING_FONT,
    TITLE_FONT,
    WRAPPED,
    cell_at,
    height_of,
    is_formula_like,
    put,
    shortened,
)
from sync.frozen import Frozen

CHANGES_SHEET: Final = "Changes"
TITLE: Final = "What would change"
"""The first cell: by it, the page of a plan that came back is known and taken off."""
# No heading here may be one of the fields': a plan's workbook is a valid sheet, and this page is none.
_HEADINGS: Final = ("Row", "Section", "Name", "What", "Before", "After", "Remark")
_WIDTHS: Final = (8, 16, 34, 18, 56, 56, 24)
_HEADING_ROW: Final = 4


def add_changes(workbook: Workbook, changes: Changes, *, after: Worksheet) -> Mapping[str, Splice]:
    """Put the page behind the sheet `after`; its lines are written when the workbook is, by the splice of its title."""
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
    last = _HEADING_ROW + len(changes.lines)
    sheet.auto_filter.ref = f"A{_HEADING_ROW}:{get_column_letter(len(_HEADINGS))}{last}"
    sheet.freeze_panes = f"A{_HEADING_ROW + 1}"
    set_up_page(sheet)
    lines = _Lines(changes, _wrapped(sheet), _wrapped(sheet, quoted=True), plain_styles(workbook))
    return {str(sheet.title): lines.splice}


def _wrapped(sheet: Worksheet, *, quoted: bool = False) -> int:
    """Register the look of a line's cells, by a cell that is on no sheet."""
    scratch = Cell(sheet, row=1, column=1)
    scratch.alignment = WRAPPED
    scratch.quotePrefix = quoted
    return scratch.style_id


class _Lines(Frozen):
    """Writes the lines of the page below what is there."""

    changes: Changes
    wrapped: int
    quoted: int
    styles: PlainStyles

    def splice(self, content: bytes) -> Iterator[bytes]:
        last = _HEADING_ROW + len(self.changes.lines) + 1
        before, rows, after = around(content, reach=f"A1:{get_column_letter(len(_HEADINGS))}{last}")
        yield before + rows
        for number, cells in enumerate(self.changes.lines, start=_HEADING_ROW + 1):
            yield self._line(number, cells).encode()
        left = self.changes.total - len(self.changes.lines)
        if left:
            yield row_xml(last, [f"and {left:,} more: all of them are in report.jsonl"], self.styles).encode()
        yield after

    def _line(self, number: int, cells: Sequence[str | int | None]) -> str:
        values = [shortened(value) if isinstance(value, str) else value for value in cells]
        height = height_of((str(value or "") for value in values), _WIDTHS)
        return row_xml(
            number,
            [Styled(value, self.quoted if _is_formula(value) else self.wrapped) for value in values],
            self.styles,
            attributes=f' ht="{height:.16g}" customHeight="1"',
        )


def _is_formula(value: object) -> bool:
    return isinstance(value, str) and is_formula_like(value)
