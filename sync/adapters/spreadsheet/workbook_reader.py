"""Workbooks (.xlsx) to tables: pandas with calamine for the values, the XML's own facts for what it does not tell."""

import io
from typing import TYPE_CHECKING, Final

import pandas as pd
from python_calamine import CalamineError

from sync.adapters.spreadsheet.container import Content
from sync.adapters.spreadsheet.flaws import SheetFacts, letters, read_facts
from sync.adapters.spreadsheet.package import Package, damaged
from sync.errors import InputError
from sync.model import CellValue, LoadedFile, RowNumber, Table, TableRow

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CELLS: Final = 4_000_000
"""Cells of all sheets together, each counted as the rectangle from A1 to its last value: what fits into memory."""

_NO_FACTS: Final = SheetFacts("")


def read_workbook(content: Content, package: Package) -> LoadedFile:
    """Read every sheet of a workbook.

    Raises:
        InputError: `file.damaged`, `file.dtd`, `file.too_large`.
    """
    facts = read_facts(package)
    _check_reach(facts, package.file)
    tables = tuple(_table(name, frame, facts.get(name, _NO_FACTS)) for name, frame in _frames(content).items())
    notes = []
    if package.has_macros:
        notes.append("The workbook contains macros: they were neither run nor kept.")
    return LoadedFile(content.path, content.sha256, content.kind, tables, tuple(notes))


def _frames(content: Content) -> dict[str, pd.DataFrame]:
    """Read the values as the file holds them: nothing guessed, nothing taken for missing, rows from Excel's row 1."""
    try:
        return pd.read_excel(
            io.BytesIO(content.data),
            engine="calamine",
            sheet_name=None,
            header=None,
            dtype=object,
            keep_default_na=False,
            na_filter=False,
        )
    except (CalamineError, ValueError, OverflowError) as exc:
        raise damaged(content.path.name) from exc
    except BaseException as exc:
        # A panic of the Rust reader is no `Exception`, and its type cannot be imported.
        if type(exc).__name__ == "PanicException":
            raise damaged(content.path.name) from exc
        raise


def _check_reach(facts: dict[str, SheetFacts], file: str) -> None:
    """Refuse a stray value far outside before a reader makes room for everything up to it."""
    cells = 0
    for sheet in facts.values():
        cells += sheet.last_row * sheet.last_column
        if cells > MAX_CELLS:
            raise InputError(
                f"{file}, sheet {sheet.name!r} reaches down to row {sheet.last_row:,} and right to column "
                f"{letters(sheet.last_column)}: more than {MAX_CELLS:,} cells.",
                code="file.too_large",
                remedy="Delete the rows and columns outside of the table, or split the sheet.",
            )


def _table(name: str, frame: pd.DataFrame, facts: SheetFacts) -> Table:
    """Make rows of a frame, down to the last that holds a value or a flaw."""
    rows = [
        # Only a text can be blank here: 0 and False are values.
        TableRow(RowNumber(number), tuple([None if cell == "" else cell for cell in cells]))
        for number, cells in enumerate(frame.itertuples(index=False, name=None), start=1)
    ]
    _lay_over(rows, facts, width=frame.shape[1])
    while rows and not rows[-1].flaws and _is_blank(rows[-1].cells):
        rows.pop()
    return Table(name, tuple(rows), facts.hidden)


def _lay_over(rows: list[TableRow], facts: SheetFacts, *, width: int) -> None:
    """Put the flaws on their rows; the reader drops rows and columns that hold nothing else."""
    for number, flaws in facts.flaws.items():
        while len(rows) < number:
            rows.append(TableRow(RowNumber(len(rows) + 1), (None,) * width))
        cells = rows[number - 1].cells
        missing = max(flaws) + 1 - len(cells)
        rows[number - 1] = TableRow(RowNumber(number), cells + (None,) * missing, flaws)


def _is_blank(cells: "Sequence[CellValue]") -> bool:
    return all(cell is None for cell in cells)
