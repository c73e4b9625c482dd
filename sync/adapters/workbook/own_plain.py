"""The rows that stay as they lie in the file, told hundreds at a time: one pattern that such a row matches as a whole.

In it each column may hold a plain cell: nothing, a number, a truth value, a text of the table, or one of its own that
does not look like a formula. A row that holds anything else is looked at by itself (`own_cells.py`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from openpyxl.utils import get_column_letter

from sync.adapters.workbook.own_looks import Looks, written_number
from sync.adapters.workbook.own_rows import RawRow
from sync.adapters.workbook.own_strings import SUSPECT, Strings

_MOST_COLUMNS: Final = 100
"""A row with a plain cell further right is looked at by itself."""
_FIRST_CELL: Final = 4
"""The group of the pattern with which the cells begin, behind the row's number, its attributes, and all that stays."""
_ABOUT_A_CELL: Final = 3
"""Groups: its style, the number in it, and the number of its text."""
_NO_FORMULA: Final = b"(?!%b)" % b"|".join(map(re.escape, SUSPECT))
_FORMULA: Final = b"<f"
_CALCULATED: Final = re.compile(rb"<f(?: [^<>]*+)?+(?:(?<=/)>|>[^<]*+</f>)(?=<v>[0-9.-]{1,25}</v></c>)")
"""A formula whose value is a number: of such a cell, only the value is written."""

_Groups: TypeAlias = Sequence[bytes | None]
"""What the pattern gives of one column, row by row."""


class Told(NamedTuple):
    """The plain rows of a block, and what is to be looked at more closely."""

    between: Sequence[bytes]
    """What stands before each of them, and behind the last: other rows."""
    digits: Sequence[bytes]
    """Their numbers, as they are written."""
    numbers: list[int]
    attributes: Sequence[bytes]
    cells: Sequence[bytes]
    """Those that stay."""
    replaced: Sequence[bytes]
    odd: set[int]
    """The places of those among them that are not plain after all."""

    def row(self, place: int) -> RawRow:
        """The row as it was."""
        return RawRow(self.numbers[place], self.attributes[place], self.cells[place] + self.replaced[place])


class PlainRows:
    """Tells the plain rows of one sheet."""

    def __init__(self, columns: Iterable[int], replaced: Iterable[int], looks: Looks, strings: Strings) -> None:
        """Take the columns in which rows have cells; and those behind them, whose cells are `replaced`."""
        self._looks = looks
        self._count = strings.count
        self._special = strings.formula_like
        self._pattern = re.compile(
            rb"""<row r="([1-9][0-9]{0,6}+)"([^>'/]*+)>(%b)(%b)</row>"""
            % (_cells(columns, group=b"("), _cells(replaced, group=b"(?:"))
        )
        self._plain: set[bytes | None] = set()
        """Styles that are known, and show no number as a date."""

    def tell(self, block: bytes) -> Told:
        """Find the plain rows of a block."""
        if b"f" in block and _FORMULA in block:  # the first costs next to nothing, and most blocks have none
            block = _CALCULATED.sub(b"", block)
        parts = self._pattern.split(block)
        step = self._pattern.groups + 1
        odd: set[int] = set()
        for group in range(_FIRST_CELL, step - 1, _ABOUT_A_CELL):
            styles, numbers, texts = (parts[each::step] for each in range(group, group + _ABOUT_A_CELL))
            odd.update(self._odd_numbers(styles, numbers))
            odd.update(self._odd_texts(texts))
        digits, last = parts[1::step], step - 1
        return Told(
            parts[::step], digits, list(map(int, digits)), parts[2::step], parts[3::step], parts[last::step], odd
        )

    def _odd_numbers(self, styles: _Groups, numbers: _Groups) -> Iterable[int]:
        """The places of cells whose style nobody knows, or whose number would be written in another way."""
        if self._are_plain(set(styles)) and b"." not in b"".join(filter(None, numbers)):
            return ()
        cells = list(zip(styles, numbers, strict=True))
        odd = {cell for cell in set(cells) if not self._stays(*cell)}
        return (place for place, cell in enumerate(cells) if cell in odd) if odd else ()

    def _odd_texts(self, texts: _Groups) -> Iterator[int]:
        """The places of texts that are not in the table, or look like a formula."""
        numbers = list(map(int, filter(None, texts)))
        if numbers and (max(numbers) >= self._count or not self._special.isdisjoint(numbers)):
            for place, text in enumerate(texts):
                if text is not None and (int(text) >= self._count or int(text) in self._special):
                    yield place

    def _are_plain(self, styles: set[bytes | None]) -> bool:
        """Whether all these styles are known, and none shows a number as a date."""
        self._plain.update(style for style in styles - self._plain if self._is_date(style) is False)
        return styles <= self._plain

    def _is_date(self, style: bytes | None) -> bool | None:
        """Whether a style shows a number as a date; `None` if there is no such style."""
        number = int(style or 0)
        try:
            self._looks.style(number)
        except IndexError:
            return None
        return self._looks.is_date(number)

    def _stays(self, style: bytes | None, number: bytes | None) -> bool:
        """Whether openpyxl, having read it, would write this number as it is written here."""
        is_date = self._is_date(style)
        if is_date is None or number is None:
            return is_date is not None
        text = number.decode()
        try:
            return number == (self._looks.serial(text, int(style or 0)) if is_date else written_number(text))
        except (ValueError, OverflowError, TypeError):
            return False


def _cells(columns: Iterable[int], *, group: bytes) -> bytes:
    """The pattern of plain cells in these columns, each of which may be missing."""
    return b"".join(
        rb'(?:<c r="%(column)b\1"(?: s="%(group)b[0-9]{1,6}+)")?+(?:'
        rb'(?: t="n"|)><v>%(group)b-?+[0-9]{1,15}+(?:\.[0-9]{1,15}+)?+)</v></c>'
        rb'| t="(?:s"><v>%(group)b[0-9]{1,15}+)</v></c>|b"><v>[0-9]{1,15}+</v></c>'
        rb'|inlineStr"><is><t(?: xml:space="preserve")?+>%(no_formula)b[^<]++</t></is></c>)'
        rb'|(?: t="n"|)(?:/>|></c>)))?+'
        % {b"column": get_column_letter(column).encode(), b"group": group, b"no_formula": _NO_FORMULA}
        for column in sorted(columns)[:_MOST_COLUMNS]
    )
