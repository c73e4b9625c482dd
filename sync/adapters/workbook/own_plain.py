"""The rows that stay as they lie in the file, told hundreds at a time: one pattern that such a row matches as a whole.

In it each column may hold a plain cell: nothing, a number, a truth value, a text of the table, or one of its own that
does not look like a formula. A row that holds anything else is looked at by itself (`own_cells.py`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias

from openpyxl.utils import get_column_letter

from sync.adapters.workbook.own_looks import Looks
from sync.adapters.workbook.own_rows import RawRow
from sync.adapters.workbook.own_strings import SUSPECT, Strings

_MOST_COLUMNS: Final = 100
"""A row with a plain cell further right is looked at by itself."""
_FIRST_CELL: Final = 4
"""The group of the pattern with which the cells begin, behind the row's number, its attributes, and all that stays."""
_ABOUT_A_CELL: Final = 3
"""Groups: its style, the number of its text, and a mark of any other that holds no number."""
_NO_FORMULA: Final = b"(?!%b)" % b"|".join(map(re.escape, SUSPECT))

_Groups: TypeAlias = Sequence[bytes | None]
"""What the pattern gives of one column, row by row."""


class _Style(Enum):
    """What a style means to a cell that is to stay as it is."""

    PLAIN = auto()
    DATE = auto()
    """A number in it is a date, which is not written as it was."""
    UNKNOWN = auto()


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
        self._styles: dict[bytes | None, _Style] = {}

    def tell(self, block: bytes) -> Told:
        """Find the plain rows of a block."""
        parts = self._pattern.split(block)
        step = self._pattern.groups + 1
        odd: set[int] = set()
        for group in range(_FIRST_CELL, step - 1, _ABOUT_A_CELL):
            styles, texts, marks = (parts[each::step] for each in range(group, group + _ABOUT_A_CELL))
            odd.update(self._odd_styles(styles, texts, marks))
            odd.update(self._odd_texts(texts))
        digits = parts[1::step]
        numbers, last = list(map(int, digits)), step - 1
        return Told(parts[::step], digits, numbers, parts[2::step], parts[3::step], parts[last::step], odd)

    def _odd_styles(self, styles: _Groups, texts: _Groups, marks: _Groups) -> Iterator[int]:
        """The places of cells whose style nobody knows, or shows a number as a date."""
        kinds = {style: self._kind(style) for style in set(styles)}
        if all(kind is _Style.PLAIN for kind in kinds.values()):
            return
        for place, (style, text, mark) in enumerate(zip(styles, texts, marks, strict=True)):
            kind = kinds[style]
            if kind is _Style.UNKNOWN or (kind is _Style.DATE and text is None and mark is None):
                yield place

    def _odd_texts(self, texts: _Groups) -> Iterator[int]:
        """The places of texts that are not in the table, or look like a formula."""
        numbers = list(map(int, filter(None, texts)))
        if numbers and (max(numbers) >= self._count or not self._special.isdisjoint(numbers)):
            for place, text in enumerate(texts):
                if text is not None and (int(text) >= self._count or int(text) in self._special):
                    yield place

    def _kind(self, style: bytes | None) -> _Style:
        if style not in self._styles:
            self._styles[style] = self._judged(int(style or 0))
        return self._styles[style]

    def _judged(self, style: int) -> _Style:
        try:
            self._looks.style(style)
        except IndexError:
            return _Style.UNKNOWN
        return _Style.DATE if self._looks.is_date(style) else _Style.PLAIN


def _cells(columns: Iterable[int], *, group: bytes) -> bytes:
    """The pattern of plain cells in these columns, each of which may be missing."""
    return b"".join(
        rb'(?:<c r="%(column)b\1"(?: s="%(group)b[0-9]{1,6}+)")?+(?:'
        rb'><v>[0-9]{1,15}+</v></c>| t="s"><v>%(group)b[0-9]{1,15}+)</v></c>'
        rb'|(?: t="n")?+(?:/>|><(?:/c>|v>[0-9]{1,15}+</v></c>))'
        rb'|%(group)b)(?: t="b"><v>[0-9]{1,15}+</v></c>'
        rb'| t="inlineStr"><is><t(?: xml:space="preserve")?+>%(no_formula)b[^<]++</t></is></c>)))?+'
        % {b"column": get_column_letter(column).encode(), b"group": group, b"no_formula": _NO_FORMULA}
        for column in sorted(columns)[:_MOST_COLUMNS]
    )
