"""The sheet that a report is written on: where its file lies, and its rows as they were read. Imports no openpyxl."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from sync.base import find_base
from sync.frozen import Frozen, field
from sync.headings import COMMAND, RESULT_PREFIX, field_of
from sync.model import CellValue, CheckedSheet, Outcome, RowNumber, Table, TableRow
from sync.report import ordered

_MOST_MERGED: Final = 50
"""Blank merged columns that the results still stand behind; wider ones are taken apart."""


class SheetSource(Frozen):
    """One sheet of the operator's file, with all that a report needs of it."""

    path: Path
    format: str
    """`xlsx`, `ods`, `csv`, or `none` where there was no file."""
    sheet: str
    header_row: int
    rows: tuple[TableRow, ...] = ()
    columns: Mapping[str, int] = field(default_factory=dict)
    """Field (or `Command`) to column, from 0."""
    base: Table | None = None
    """The hidden sheet of an export, carried over into what is made from it."""

    @classmethod
    def of(cls, checked: CheckedSheet, *, path: Path | None = None) -> Self:
        """Take a checked sheet; `path` where the file now lies elsewhere (a copy that was kept)."""
        tables = {table.name: table for table in checked.file.tables}
        return cls(
            path=path or checked.file.path,
            format=checked.file.format,
            sheet=checked.sheet,
            header_row=checked.header_row,
            rows=tables[checked.sheet].rows,
            columns=checked.columns,
            base=find_base(checked.file.tables),
        )

    @classmethod
    def without_file(cls, outcomes: Iterable[Outcome], *, sheet: str = "Sections", asks: bool = True) -> Self:
        """Stand in for a sheet that is not there: Id, CourseId and Title of each row.

        Where no sheet has asked for anything (a drift run, an undo: `asks` is False), a `Command` of `skip` goes with
        each row: uploaded by mistake, the labels of sections would be edits.
        """
        names = ("Id", "CourseId", "Title") if asks else ("Id", "CourseId", "Title", COMMAND)
        rest = () if asks else ("skip",)
        rows = [
            TableRow(outcome.row, (outcome.label.id, outcome.label.course_id, outcome.label.title, *rest))
            for outcome in ordered(outcomes)
        ]
        columns = {name: at for at, name in enumerate(names)}
        return cls(Path(), "none", sheet, 1, (TableRow(RowNumber(1), names), *rows), columns)

    @property
    def header(self) -> Sequence[CellValue]:
        """The cells of the heading row."""
        return next((row.cells for row in self.rows if row.number == self.header_row), ())

    def column_of(self, name: str) -> int | None:
        """Find the column of a field or of `Command`, by the columns that were told or else by its heading."""
        if name in self.columns:
            return self.columns[name]
        found = (n for n, cell in enumerate(self.header) if field_of(cell) == name)
        return next(found, None)

    def named_columns(self) -> frozenset[int]:
        """The columns whose cells mean something to a run: those of fields and of `Command`."""
        if self.columns:
            return frozenset(self.columns.values())
        return frozenset(column for column, cell in enumerate(self.header) if field_of(cell) is not None)

    def result_columns(self) -> dict[int, str]:
        """The result columns of a report that came back, with their headings."""
        return {n: str(cell).strip() for n, cell in enumerate(self.header) if str(cell or "").startswith(RESULT_PREFIX)}

    def width(self) -> int:
        """How many columns hold anything, or belong to merged cells of a row below the heading (within reason)."""
        filled = 0
        for row in self.rows:
            if len(row.cells) > filled:  # nearly all rows are as wide as the first: they need no closer look
                filled = max(filled, _filled(row.cells))
        merged = max((max(row.merged) + 1 for row in self.rows if row.merged), default=0)
        return max(filled, min(merged, filled + _MOST_MERGED))


def _filled(cells: Sequence[CellValue]) -> int:
    for position in range(len(cells), 0, -1):
        if cells[position - 1] is not None:
            return position
    return 0
