"""The result cells of rows that are written without being opened: what `own_opened.py` does cell by cell, as text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from openpyxl.utils import get_column_letter

from sync.adapters.workbook.own_forms import style_mark
from sync.adapters.workbook.own_looks import NEW, Looks
from sync.adapters.workbook.own_task import ROW_SLOT, Task
from sync.adapters.workbook.styles import is_formula_like, shortened, storable
from sync.headings import COMMAND, RESULT_HEADINGS, RESULT_PREFIX
from sync.model import Status
from sync.table_cells import TableCell

_STATUS: Final = 0
"""The place of the status among the results."""
_SELDOM_TWICE: Final = frozenset(RESULT_HEADINGS.index(RESULT_PREFIX + name) for name in ("Messages", "Updated on"))
_MOST_TEXTS: Final = 20_000
_MOST_REMEMBERED: Final = 4_096

_Pieces: TypeAlias = tuple[bytes, ...]
"""A cell, or several, between the places where the number of its row stands."""


class NewTexts:
    """Texts that are added to the workbook's table, for cells of which many say the same."""

    def __init__(self, first: int) -> None:
        """Number them from `first` on."""
        self._first = first
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int | None:
        """The number of a text; `None` where so many were added that this one is better put into its cell."""
        if text not in self._numbers:
            if len(self._numbers) == _MOST_TEXTS:
                return None
            self._numbers[text] = self._first + len(self._numbers)
        return self._numbers[text]

    def entries(self) -> Iterator[bytes]:
        """Give their part of the table."""
        for text in self._numbers:
            yield b"<si>%b</si>" % text_xml(text)


def text_xml(text: str) -> bytes:
    """Write a storable text."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return b'<t xml:space="preserve">%b</t>' % escaped.encode()


class ResultCells:
    """Writes what stands in the result columns of a row, in the looks that it had there before."""

    def __init__(self, task: Task, looks: Looks, texts: NewTexts, *, locked: bool) -> None:
        """Take the places of the results.

        Args:
            task: where the results go, which columns lose what they held, and whether old results are written over.
            looks: the styles of the workbook.
            texts: where texts are added that many cells have.
            locked: whether the sheet is, so that an added `Command` must be opened.
        """
        layout = task.layout
        self._looks = looks
        self._texts = texts
        self._said = task.results.said
        self._came_back = task.came_back
        self._columns = [layout.places[heading] + 1 for heading in RESULT_HEADINGS]
        self._emptied = sorted(column + 1 for column in layout.emptied)
        self._normal = looks.normal() if self._emptied else NEW
        self._command = layout.places[COMMAND] + 1 if locked and COMMAND in layout.places else None
        command = () if self._command is None else (self._command,)
        self.columns: Final = frozenset((*self._columns, *self._emptied, *command))
        """From 1: all in which something may change."""
        self.replaced: Final = frozenset(self._emptied)
        """Those in which nothing of what was there stays."""
        self.first: Final = min(self.columns)
        self.last: Final = max(self.columns)
        self.fills_gaps: Final = not looks.is_bare(self._normal)
        """Whether even a row without cells gets some."""
        self._blanks = {column: self._cell(column, self._normal, b"/>") for column in self._emptied}
        self._known: dict[tuple[int, TableCell, int], _Pieces] = {}
        self._rows: dict[int | None, _Pieces] = {}

    def behind(self, digits: Sequence[bytes], which: Sequence[int | None]) -> Iterable[bytes]:
        """Write the cells of rows of which nothing stays where they go, nor further on.

        Args:
            digits: the numbers of the rows.
            which: what is said of each, by its place; `None` where nothing is.
        """
        pieces = {each: self._behind(each) for each in dict.fromkeys(which)}
        return map(bytes.join, digits, map(pieces.__getitem__, which))

    def _behind(self, which: int | None) -> _Pieces:
        pieces = self._rows.get(which)
        if pieces is None:
            joined = [b""]
            for _, (first, *others) in sorted(self._cells(None if which is None else self._said[which], {}).items()):
                joined[-1] += first
                joined += others
            pieces = tuple(joined)
            if len(self._rows) < _MOST_REMEMBERED:
                self._rows[which] = pieces
        return pieces

    def write(self, number: int, result: Sequence[TableCell] | None, styles: Mapping[int, int]) -> dict[int, bytes]:
        """Write the cells of a row by their columns; the others stay as they are.

        Args:
            number: of the row.
            result: what is said of it; `None` where nothing is.
            styles: of the cells that it has in these columns, by column.
        """
        digits = b"%d" % number
        return {column: digits.join(pieces) for column, pieces in self._cells(result, styles).items()}

    def _cells(self, result: Sequence[TableCell] | None, styles: Mapping[int, int]) -> dict[int, _Pieces]:
        cells = dict(self._blanks)
        if result is None:
            return cells
        if self._command is not None:
            style = self._looks.unlocked(styles.get(self._command, NEW))
            cells[self._command] = self._cell(self._command, style, b"/>")
        for slot, value in enumerate(result):
            column = self._columns[slot]
            style = self._normal if column in self.replaced else styles.get(column, NEW)
            if slot == ROW_SLOT:
                value = None  # noqa: PLW2901 - it is the number of the row that is written in any case
            elif value is None and not self._came_back:
                continue
            known = self._known.get((slot, value, style))
            if known is None:
                known = self._shown(slot, value, style)
                if slot not in _SELDOM_TWICE and len(self._known) < _MOST_REMEMBERED:
                    self._known[slot, value, style] = known
            cells[column] = known
        return cells

    def _shown(self, slot: int, value: TableCell, style: int) -> _Pieces:
        column = self._columns[slot]
        if slot == ROW_SLOT:
            before, after = self._cell(column, style, b"><v>")
            return before, after, b"</v></c>"
        if isinstance(value, int):
            return self._cell(column, style, b"><v>%d</v></c>" % value)
        return self._cell(column, style, b"/>") if value is None else self._text(slot, value, style)

    def _cell(self, column: int, style: int, rest: bytes) -> _Pieces:
        """A cell with this behind its attributes; one that holds nothing is there only for its look."""
        is_bare = self._looks.is_bare(style)
        if is_bare and rest == b"/>":
            return (b"",)
        mark = b"" if is_bare else style_mark(style)
        return b'<c r="%b' % get_column_letter(column).encode(), b'"%b%b' % (mark, rest)

    def _text(self, slot: int, value: str, style: int) -> _Pieces:
        if slot == _STATUS:
            style = self._looks.of_status(Status(value), style)
        elif is_formula_like(value):
            style = self._looks.quoted(style)
        text = storable(shortened(value))
        number = None if slot in _SELDOM_TWICE or not text else self._texts.number(text)
        if not text:
            rest = b' t="inlineStr"/>'
        elif number is None:
            rest = b' t="inlineStr"><is>%b</is></c>' % text_xml(text)
        else:
            rest = b' t="s"><v>%d</v></c>' % number
        return self._cell(self._columns[slot], style, rest)
