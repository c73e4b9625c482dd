"""One sheet of the copy: the rows that openpyxl wrote, and between them those that it was not given."""

from collections.abc import Iterator
from typing import Final
from zipfile import ZipFile

from openpyxl.utils import get_column_letter

from sync.adapters.workbook.own_forms import OddRowError
from sync.adapters.workbook.own_package import SheetPart
from sync.adapters.workbook.own_results import ResultCells
from sync.adapters.workbook.own_rows import RawRow, SheetRows, rows_in
from sync.adapters.workbook.own_stream import RowWriter, Said
from sync.adapters.workbook.splice import around, reach_of

_ROWS_A_PIECE: Final = 500


class SheetStream:
    """Puts the rows of one sheet together."""

    def __init__(
        self, archive: ZipFile, part: SheetPart, writer: RowWriter, said: Said, results: ResultCells | None
    ) -> None:
        """Take a sheet of the operator's file, and what writes its rows."""
        self.odd: Final[list[int]] = []
        """Rows that could not be written without being opened: with one of them, the sheet is of no use."""
        self.path: Final = part.path
        self._archive = archive
        self._part = part
        self._writer = writer
        self._said = said
        self._results = results
        self._fills_gaps = results is not None and results.fills_gaps

    def pieces(self, content: bytes) -> Iterator[bytes]:
        """Give the sheet, of which openpyxl wrote `content`.

        Raises:
            NotCutError: its XML is broken.
        """
        before, rows, after = around(content, reach=self._reach(content))
        yield before
        piece: list[bytes] = []
        for row in self._rows({row.number: row for row in rows_in(rows)}):
            piece.append(row)
            if len(piece) == _ROWS_A_PIECE:
                yield b"".join(piece)
                piece.clear()
        piece.append(after)
        yield b"".join(piece)

    def _rows(self, opened: dict[int, RawRow]) -> Iterator[bytes]:
        """Give all rows in order; those that openpyxl wrote of rows that it was not given are empty, and left out."""
        part = self._part
        others = opened.keys() | self._said.results.keys()
        if self._fills_gaps:
            others.update(range(part.up_to + 1, part.last_row + 1))
        ahead = iter(sorted(others))
        other = next(ahead, None)
        for row in SheetRows(self._archive, part.path, known=True):
            while other is not None and other < row.number:
                yield self._other(other, opened)
                other = next(ahead, None)
            if other == row.number:
                other = next(ahead, None)
            if not part.is_special(row.number):
                yield self._written(row)
            elif row.number in opened:
                yield opened[row.number].xml()
        while other is not None:
            yield self._other(other, opened)
            other = next(ahead, None)
        self._writer.finish()

    def _other(self, number: int, opened: dict[int, RawRow]) -> bytes:
        """Give a row that the operator's file does not have."""
        if self._part.is_special(number):
            return opened[number].xml() if number in opened else b""
        if number in self._said.results or self._fills_gaps:
            return self._written(RawRow(number, b"", b""))
        return b""

    def _written(self, row: RawRow) -> bytes:
        try:
            return self._writer.write(row)
        except OddRowError:
            self.odd.append(row.number)
            return b""

    def _reach(self, content: bytes) -> str:
        """The cells that the sheet will have."""
        right, bottom = reach_of(content)
        right, bottom = max(right, self._part.last_column), max(bottom, self._part.last_row)
        if self._results is not None:
            right, bottom = max(right, self._results.last), max(bottom, max(self._said.results, default=1))
        return f"A1:{get_column_letter(right)}{bottom}"
