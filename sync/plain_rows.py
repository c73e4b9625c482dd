"""Rows in which there is nothing to doubt, judged by one look: most rows of most sheets, and ten times faster.

It decides nothing of its own: a row that is not plain in every cell is judged by `validate.py`, and a row that is
would come out of it the same.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sync.base import Base
from sync.cells import plainness_of, shown
from sync.headings import COMMAND
from sync.html_risks import HtmlPolicy, risks
from sync.model import CellValue, Edit, Label, SectionId, TableRow
from sync.section import BY_NAME, EDITABLE, FIELDS, Access, Json, UnlockType

LABEL_LENGTH: Final = 200
"""Characters of a cell that name a row in a report."""
_HTML: Final = "SectionContents"
_ASKS_MORE: Final = frozenset({"ClearImageFile"})
"""Fields that are held against others."""


class PlainRows:
    """What is the same for all rows of one sheet, worked out once."""

    def __init__(self, columns: Mapping[str, int], *, base: Base | None, html: HtmlPolicy) -> None:
        """Take the column of each field, from 0, what the sheet was exported with, and what becomes of HTML."""
        self._width = max(columns.values()) + 1
        self._base = base
        self._command = columns.get(COMMAND)
        self._id = columns["Id"]
        self._is_id = plainness_of(BY_NAME["Id"])
        self._editable = tuple(
            (field.name, columns[field.name], plainness_of(field)) for field in EDITABLE if field.name in columns
        )
        self._read_only = tuple(
            (field.name, columns[field.name])
            for field in FIELDS
            if field.access is Access.READ_ONLY and field.name in columns
        )
        self._course, self._title = columns.get("CourseId"), columns.get("Title")
        self._judges_html = html is not HtmlPolicy.OFF
        self._is_left_out = html is HtmlPolicy.CLEAN

    def edit(self, row: TableRow) -> Edit | None:
        """Judge the row if it is plain; `None` if it is not, or says nothing."""
        cells = row.cells
        if row.flaws or row.hints or row.merged or row.broken is not None or len(cells) < self._width:
            return None
        number = cells[self._id]
        if self._is_left_out or not isinstance(number, int) or not self._is_id(number):
            return None
        if self._command is not None and cells[self._command] is not None:
            return None
        values = self._values(cells)
        if not values or self._says_more(values):
            return None
        section_id = SectionId(number)
        read_only = self._shown(cells) if self._read_only else {}
        return Edit(
            row.number,
            section_id,
            values,
            Label(str(number), _named(cells, self._course), _named(cells, self._title)),
            read_only.get("UpdatedOn"),
            read_only,
            None,
            None if self._base is None else self._base.seen(section_id, values),
        )

    def _values(self, cells: Sequence[CellValue]) -> dict[str, Json] | None:
        """Take the cells as they are; `None` where one is not its own value."""
        values: dict[str, Json] = {}
        for name, column, is_plain in self._editable:
            cell = cells[column]
            if cell is None:
                continue
            if not is_plain(cell) or not isinstance(cell, int | str):
                return None
            values[name] = cell
        return values

    def _says_more(self, values: Mapping[str, Json]) -> bool:
        """Whether fields are to be held against one another, or the contents hold what acts."""
        if not _ASKS_MORE.isdisjoint(values):
            return True
        if values.get("UnlockAfterDays") and values.get("UnlockType", UnlockType.Timed) != UnlockType.Timed:
            return True
        html = values.get(_HTML)
        return self._judges_html and isinstance(html, str) and risks(html) != ()

    def _shown(self, cells: Sequence[CellValue]) -> dict[str, str]:
        """Take the read-only cells as text."""
        return {
            name: text
            for name, column in self._read_only
            if cells[column] is not None and (text := shown(cells[column]).strip())
        }


def _named(cells: Sequence[CellValue], column: int | None) -> str:
    return "" if column is None else shown(cells[column]).strip()[:LABEL_LENGTH]
