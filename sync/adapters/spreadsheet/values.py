"""The values of a workbook's sheets, some thousand rows at a time: calamine reads them, pandas holds each piece.

A whole sheet as objects of Python takes three times what calamine keeps it in, so there is never more than a piece.
pandas is loaded at the first piece: by then calamine has let go of all that it needed for reading alone.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from typing import Final

from python_calamine import CalamineError, CalamineSheet, SheetTypeEnum, load_workbook

from sync.adapters.confined import give_back_memory
from sync.adapters.spreadsheet.package import damaged
from sync.model import CellValue

ROWS_AT_ONCE: Final = 1_024


def sheets(data: bytes, file: str) -> Iterator[tuple[str, CalamineSheet]]:
    """Give the name and the values of each sheet that can hold rows, in the workbook's order.

    Raises:
        InputError: `file.damaged`.
    """
    with _refusing(file):
        book = load_workbook(io.BytesIO(data))
        names = list(
            dict.fromkeys(sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet)
        )
    if not names:
        raise damaged(file)
    for name in names:
        with _refusing(file):
            sheet = book.get_sheet_by_name(name)
        if name == names[-1]:
            book.close()  # its texts weigh as much as the sheet, which has its own copy
            give_back_memory()
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
    import pandas as pd  # noqa: PLC0415 - weighs 45 MB, and is not needed before

    frame = pd.DataFrame(piece, dtype=object)
    return list(zip(*(_as_held(frame[column].tolist()) for column in frame), strict=True))


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
