"""Where cells are: Excel's letters and numbers for them, ranges, and the edges of its grid."""

import re
from typing import Final

from sync.errors import InputError
from sync.frozen import Frozen

MAX_ROW: Final = 1_048_576
MAX_COLUMN: Final = 16_384
MAX_CELLS: Final = 4_000_000
"""Cells of all sheets together, each counted as the rectangle from A1 to its last value: what fits into memory."""

_AREA: Final = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Za-z]{1,3})\$?([0-9]{1,7}))?")


class Area(Frozen):
    """A rectangle of cells; rows and columns from 1, both ends included."""

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        """`B2:C4`, as Excel writes it."""
        return f"{letters(self.left)}{self.top}:{letters(self.right)}{self.bottom}"

    def within(self, *, last_row: int, last_column: int) -> "Area | None":
        """Cut off what lies below and right of the last cells; `None` where nothing is left."""
        cut = Area(self.top, self.left, min(self.bottom, last_row), min(self.right, last_column))
        return cut if cut.top <= cut.bottom and cut.left <= cut.right else None

    @property
    def cells(self) -> int:
        """How many cells it has."""
        return (self.bottom - self.top + 1) * (self.right - self.left + 1)


def area(text: str, file: str) -> Area | None:
    """Read `B2` or `B2:C4`; `None` for anything else.

    Raises:
        InputError: `file.too_large` for a place outside of the grid.
    """
    found = _AREA.fullmatch(text)
    if found is None:
        return None
    left, top, right, bottom = found.groups()
    rows = sorted((row_number(top, file), row_number(bottom or top, file)))
    columns = sorted((column_number(left, file), column_number(right or left, file)))
    return Area(rows[0], columns[0], rows[1], columns[1])


def letters(column: int) -> str:
    """Give the letters of a column that is counted from 1."""
    text = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def column_number(text: str, file: str) -> int:
    """Read the letters of a column, counted from 1.

    Raises:
        InputError: `file.too_large`: there is no such column.
    """
    number = 0
    for letter in text.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
        if not ("A" <= letter <= "Z") or number > MAX_COLUMN:
            raise outside(file)
    return number


def row_number(text: str, file: str) -> int:
    """Read the number of a row.

    Raises:
        InputError: `file.too_large`: there is no such row.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ROW))):
        raise outside(file)
    number = int(text)
    if not 1 <= number <= MAX_ROW:
        raise outside(file)
    return number


def outside(file: str) -> InputError:
    """The refusal of a cell where Excel has none."""
    return InputError(
        f"{file} holds cells outside of Excel's grid of {MAX_ROW:,} rows and {MAX_COLUMN:,} columns.",
        code="file.too_large",
        remedy="Copy the one sheet with the sections into a new workbook.",
    )


def reaches_too_far(file: str, sheet: str, *, last_row: int, last_column: int) -> InputError:
    """The refusal of a sheet whose last cell is so far out that a reader would fill the memory up to it."""
    return InputError(
        f"{file}, sheet {sheet!r} reaches down to row {last_row:,} and right to column {letters(last_column)}: more "
        f"than {MAX_CELLS:,} cells.",
        code="file.too_large",
        remedy="Delete the rows and columns outside of the table, or split the sheet.",
    )
