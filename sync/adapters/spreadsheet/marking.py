"""What a sheet's XML tells, laid over its rows piece by piece; the reader of values drops rows without a value."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final
from urllib.parse import unquote

from sync.adapters.spreadsheet.facts import SheetFacts
from sync.adapters.spreadsheet.grid import Area
from sync.errors import InputError
from sync.hints import Hint, HintKind
from sync.model import CellValue, Flaw, FlawKind, RowNumber, TableRow

MAX_MARKED: Final = 200_000
"""Cells under merged ranges, or under links, that are marked one by one."""

_MERGED_WHOLE: Final = 10_000
_ROWS_AT_ONCE: Final = 4_096
_NO_FLAWS: Final[Mapping[int, Flaw]] = {}
_NO_HINTS: Final[Mapping[int, Hint]] = {}


class Marking:
    """Makes rows of cells, down to the last that holds a value or a flaw, and knows how many and how wide they were."""

    def __init__(self, facts: SheetFacts, file: str) -> None:
        """Start above row 1 of the sheet of `file`, which is named in refusals."""
        self.read = 0
        """The last row that the reader gave, blank or not."""
        self.width = 0
        """The most cells of a row that was given on."""
        self._read_width = 0
        self._facts = facts
        self._file = file
        self._merged_ahead = deque(sorted(facts.merged, key=lambda place: place.top))
        self._merged: dict[int, dict[int, Flaw]] = {}
        self._links_ahead = deque(sorted(enumerate(facts.links), key=lambda each: each[1][0].top))
        self._links: list[tuple[int, tuple[Area, str]]] = []
        """Those that reach into the rows that are being read, with their place in the file's list."""
        self._cells_merged = 0
        self._cells_linked = 0

    def rows(self, pieces: Iterable[Sequence[tuple[CellValue, ...]]]) -> Iterator[list[TableRow]]:
        """Make rows of all pieces of the sheet.

        Raises:
            InputError: `file.too_large`: more cells are merged or carry links than are marked.
        """
        blank: list[TableRow] = []
        """They are given on when one follows that is not."""
        for rows in chain(map(self._marked, pieces), self._below()):
            held = len(rows)
            while held and _holds_nothing(rows[held - 1]):
                held -= 1
            if held:
                ready = blank + rows[:held]
                self.width = max(self.width, *(len(row.cells) for row in ready))
                yield ready
                blank = []
            blank += rows[held:]

    def _marked(self, piece: Sequence[tuple[CellValue, ...]]) -> list[TableRow]:
        """Make rows of the next piece."""
        first = self.read + 1
        self.read += len(piece)
        self._read_width = max(self._read_width, max(map(len, piece), default=0))
        rows = [
            TableRow(RowNumber(number), cells, _NO_FLAWS, _NO_HINTS, _NO_FLAWS)
            for number, cells in enumerate(piece, start=first)
        ]
        self._mark_merged(piece, first)
        of_links = self._hints_of_links(piece, first)
        facts = self._facts
        for index, row in enumerate(rows):
            number = first + index
            if (
                number in facts.flaws
                or number in self._merged
                or number in facts.hints
                or number in of_links
                or number in facts.hidden_rows
                or number in facts.texts
            ):
                rows[index] = self._row(number, row.cells, of_links.get(number, _NO_HINTS))
        return rows

    def _row(self, number: int, cells: tuple[CellValue, ...], of_links: Mapping[int, Hint]) -> TableRow:
        """Make a row of which the XML tells something."""
        facts = self._facts
        texts = facts.texts.get(number)
        if texts and number <= self.read:
            cells = tuple([texts.get(column, cell) for column, cell in enumerate(cells)])
        flaws = facts.flaws.get(number, _NO_FLAWS)
        cells += (None,) * (max(flaws, default=-1) + 1 - len(cells))
        hints = {**of_links, **facts.hints.get(number, _NO_HINTS)}
        return TableRow(
            RowNumber(number), cells, flaws, hints, self._merged.pop(number, _NO_FLAWS), number in facts.hidden_rows
        )

    def _below(self) -> Iterator[list[TableRow]]:
        """Make the rows below the last that the reader gave, down to the last with a flaw."""
        facts = self._facts
        piece: list[TableRow] = []
        blank = (None,) * self._read_width
        marked = {number for number in {*facts.flaws, *self._merged} if number > self.read}
        for number in range(self.read + 1, max(marked, default=0) + 1):
            if number in marked:
                piece.append(self._row(number, blank, _NO_HINTS))
            else:
                piece.append(TableRow(RowNumber(number), blank, _NO_FLAWS, _NO_HINTS, _NO_FLAWS))
            if len(piece) == _ROWS_AT_ONCE:
                yield piece
                piece = []
        yield piece

    def _mark_merged(self, piece: Sequence[tuple[CellValue, ...]], first: int) -> None:
        """Mark every cell of a merged range that holds a value; merging has emptied all of them but the first.

        Of a range that goes on for ever, only what lies within the rows and columns that hold values.
        """
        facts = self._facts
        while self._merged_ahead and self._merged_ahead[0].top <= self.read:
            merged = self._merged_ahead.popleft()
            place: Area | None = merged
            if merged.cells > _MERGED_WHOLE:
                place = merged.within(last_row=facts.last_row, last_column=max(facts.last_column, merged.left))
            if place is None or _cell(piece, place.top - first, place.left) is None:
                continue
            self._cells_merged += place.cells
            self._refuse_too_many(self._cells_merged)
            flaw = Flaw(FlawKind.MERGED, str(merged))
            for row in range(place.top, place.bottom + 1):
                of_row = self._merged.setdefault(row, {})
                for column in range(place.left - 1, place.right):
                    of_row.setdefault(column, flaw)

    def _hints_of_links(self, piece: Sequence[tuple[CellValue, ...]], first: int) -> dict[int, dict[int, Hint]]:
        """Mark every cell of the piece that shows an address and leads to another."""
        hints: dict[int, dict[int, Hint]] = {}
        while self._links_ahead and self._links_ahead[0][1][0].top <= self.read:
            self._links.append(self._links_ahead.popleft())
        for _, (link, target) in sorted(self._links, key=lambda each: each[0]):
            place = link.within(last_row=self.read, last_column=self._facts.last_column)
            if place is None:
                continue
            rows = range(max(place.top, first), place.bottom + 1)
            self._cells_linked += len(rows) * (place.right - place.left + 1)
            self._refuse_too_many(self._cells_linked)
            for row in rows:
                for column in range(place.left, place.right + 1):
                    cell = _cell(piece, row - first, column)
                    if isinstance(cell, str) and cell.strip() and _address(cell) != _address(target):
                        hints.setdefault(row, {}).setdefault(column - 1, Hint(HintKind.LINK_TARGET, target))
        self._links = [each for each in self._links if each[1][0].bottom > self.read]
        return hints

    def _refuse_too_many(self, marked: int) -> None:
        if marked > MAX_MARKED:
            raise InputError(
                f"{self._file}, sheet {self._facts.name!r} has more than {MAX_MARKED:,} cells that are merged or carry "
                "links.",
                code="file.too_large",
                remedy="Unmerge the cells, or copy the values alone into a new workbook.",
            )


def _address(text: str) -> str:
    """What is left of an address when the ways in which programs write the same one do not count."""
    return unquote(text).strip().rstrip("/").casefold()


def _cell(piece: Sequence[tuple[CellValue, ...]], index: int, column: int) -> CellValue:
    """Give the cell at an index into the piece and a column from 1; `None` where the reader gave none."""
    if index >= len(piece) or column > len(piece[index]):
        return None
    return piece[index][column - 1]


def _holds_nothing(row: TableRow) -> bool:
    return not row.flaws and not row.merged and all(cell is None for cell in row.cells)
