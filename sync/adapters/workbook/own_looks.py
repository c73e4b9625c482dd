"""The looks of cells that are written as text: by the numbers of a workbook's styles, new ones registered with it.

openpyxl keeps the styles of a workbook in their order and adds new ones behind them, so the number that a cell names
in the operator's file is the number of the same look in the copy.
"""

from collections.abc import Callable
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.compat import safe_string
from openpyxl.utils.datetime import from_excel, to_excel
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.styles import UNLOCKED, status_fill
from sync.model import Status

NEW: Final = -1
"""Instead of a style: the look of a cell that is not in the file, which is not that of style 0 in every workbook."""
_MOST_SERIALS: Final = 50_000
_NORMAL: Final = "Normal"


class Looks:
    """The styles of one workbook, which is open."""

    def __init__(self, workbook: Workbook, worksheet: Worksheet) -> None:
        """Take the workbook's styles; its cells are not touched, nor are those of `worksheet`."""
        book: Any = workbook  # what the cells of a file are read by has no public names
        self._styles: list[Any] = book._cell_styles  # noqa: SLF001 - the same
        self._dates: frozenset[int] = frozenset(book._date_formats)  # noqa: SLF001 - the same
        self._durations: frozenset[int] = frozenset(book._timedelta_formats)  # noqa: SLF001 - the same
        self._epoch = workbook.epoch
        self._worksheet = worksheet
        self._known: dict[tuple[str, int], int] = {}
        self._serials: dict[tuple[str, bool], bytes] = {}

    def style(self, style: int) -> object:
        """What openpyxl knows of a style.

        Raises:
            IndexError: there is no such style.
        """
        return self._styles[style]

    def is_bare(self, style: int) -> bool:
        """Whether a cell with this style looks as one without any.

        Raises:
            IndexError: there is no such style.
        """
        return style == NEW or not any(self._styles[style])

    def is_date(self, style: int) -> bool:
        """Whether a number in this style is shown as a date or a time."""
        return style in self._dates

    def serial(self, number: str, style: int) -> bytes:
        """Write the number of a date as openpyxl does, which reads it as a date first.

        Raises:
            OverflowError: it is no date; or `ValueError`.
        """
        key = (number, style in self._durations)
        if key not in self._serials:
            if len(self._serials) == _MOST_SERIALS:
                self._serials.clear()
            value = from_excel(cast_number(number), self._epoch, timedelta=key[1])
            serial: float = to_excel(value, self._epoch)  # type: ignore[no-untyped-call]  # the stubs leave this one open
            self._serials[key] = safe_string(serial).encode()
        return self._serials[key]

    def quoted(self, style: int) -> int:
        """The style of the same look for a text that would be taken for a formula."""
        return self._with("quoted", style, lambda cell: setattr(cell, "quotePrefix", True))

    def unlocked(self, style: int) -> int:
        """The style of the same look for a cell that can be written into on a locked sheet."""
        return self._with("unlocked", style, lambda cell: setattr(cell, "protection", UNLOCKED))

    def of_status(self, status: Status, style: int) -> int:
        """The style of the same look in the colour of a status."""
        return self._with(status, style, lambda cell: setattr(cell, "fill", status_fill(status)))

    def normal(self) -> int:
        """The style of a cell of which every format was taken."""
        return self._with(_NORMAL, NEW, lambda cell: setattr(cell, "style", _NORMAL))

    def _with(self, name: str, style: int, change: Callable[[Cell], None]) -> int:
        known = self._known.get((name, style))
        if known is None:
            before = None if style == NEW else self._styles[style]
            scratch = Cell(self._worksheet, row=1, column=1, style_array=before)  # on no sheet
            change(scratch)
            known = self._known[name, style] = scratch.style_id if scratch.has_style else NEW
        return known


def cast_number(text: str) -> float:
    """Read a number of a cell as openpyxl does.

    Raises:
        ValueError: it is none.
    """
    return float(text) if "." in text or "E" in text or "e" in text else int(text)


def written_number(text: str) -> bytes:
    """Write a number of a cell as openpyxl does after reading it.

    Raises:
        ValueError: it is none.
    """
    return safe_string(cast_number(text)).encode()
