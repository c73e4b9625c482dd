"""The values of a workbook's sheets, some thousand rows at a time, as calamine reads them.

A whole sheet as objects of Python takes three times what calamine keeps it in, so there is never more than a piece.
pandas, whose engine for workbooks calamine is, reads text: here it would turn rows into columns and change no value,
for 45 MB and as much time as 10,000 rows take.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from typing import Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, load_workbook

from sync.adapters.confined import give_back_memory
from sync.adapters.spreadsheet.package import damaged
from sync.frozen import Frozen
from sync.model import CellValue

ROWS_AT_ONCE: Final = 1_024


class Book(Frozen):
    """An open workbook and the names of its sheets that can hold rows, in its order."""

    file: str
    """The file's name, for messages."""
    workbook: CalamineWorkbook
    names: Sequence[str]

    def sheet(self, name: str) -> CalamineSheet:
        """Read a sheet, and after the last one let go of the workbook.

        Raises:
            InputError: `file.damaged`.
        """
        with _refusing(self.file):
            sheet = self.workbook.get_sheet_by_name(name)
        if name == self.names[-1]:
            self.workbook.close()  # its texts weigh as much as the sheet, which has its own copy
            give_back_memory()
        return sheet


class _Bytes(io.BytesIO):
    """A file's bytes, which tell when calamine has taken the last of them."""

    def __init__(self, data: bytes, on_end: Callable[[], None]) -> None:
        super().__init__(data)
        self._on_end = on_end

    def read(self, size: int | None = -1, /) -> bytes:
        taken = super().read(size)
        if not taken:
            self._on_end()
        return taken


def open_book(data: bytes, file: str, on_taken: Callable[[], None] = lambda: None) -> Book:
    """Open a workbook: its texts and formats are read, its sheets are not.

    Args:
        data: the file.
        file: its name, for messages.
        on_taken: is called when calamine has its own copy of the bytes, and needs the interpreter no more.

    Raises:
        InputError: `file.damaged`.
    """
    with _refusing(file):
        workbook = load_workbook(_Bytes(data, on_taken))
        names = list(
            dict.fromkeys(sheet.name for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet)
        )
    if not names:
        raise damaged(file)
    return Book(file, workbook, names)


def sheets(book: Book, first: CalamineSheet | None = None) -> Iterator[tuple[str, CalamineSheet]]:
    """Give the name and the values of each sheet, in the workbook's order; the first may have been read before.

    Raises:
        InputError: `file.damaged`.
    """
    for name in book.names:
        sheet = book.sheet(name) if first is None else first
        first = None
        yield name, sheet
        del sheet


def pieces(sheet: CalamineSheet, file: str) -> Iterator[list[tuple[CellValue, ...]]]:
    """Give the cells as the file holds them, from row 1 and column A on: nothing guessed, `None` for a blank.

    Raises:
        InputError: `file.damaged`.
    """
    if sheet.start is None:
        return
    left = [""] * sheet.start[1]
    rows = sheet.iter_rows()
    while True:
        with _refusing(file):
            piece = list(islice(rows, ROWS_AT_ONCE))
        if not piece:
            return
        yield _cells([[*left, *row] for row in piece] if left else piece)


def _cells(piece: Sequence[Sequence[CellValue]]) -> list[tuple[CellValue, ...]]:
    columns = map(list, zip(*piece, strict=True))
    return list(zip(*map(_as_held, columns), strict=True))


def _as_held(column: list[CellValue]) -> list[CellValue]:
    """Give a column's values as the file holds them: calamine makes fractions of whole numbers, and "" of a blank."""
    kinds = set(map(type, column))
    if float in kinds:
        column = [int(cell) if type(cell) is float and cell.is_integer() else cell for cell in column]
    if date in kinds:
        column = [datetime(*cell.timetuple()[:3]) if type(cell) is date else cell for cell in column]  # noqa: DTZ001 - a sheet knows no zone
    if str in kinds:
        column = [None if cell == "" else cell for cell in column]
    return column


@contextmanager
def _refusing(file: str) -> Iterator[None]:
    """Make a refusal of whatever calamine ends with."""
    try:
        yield
    except (CalamineError, ValueError, OverflowError) as exc:
        raise damaged(file) from exc
    except BaseException as exc:
        # A panic of the Rust reader is no `Exception`, and its type cannot be imported.
        if type(exc).__name__ == "PanicException":
            raise damaged(file) from exc
        raise
