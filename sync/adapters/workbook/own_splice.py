"""One sheet of the copy: the rows that openpyxl wrote, and between them those that it was not given."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import lt
from typing import Final
from zipfile import ZipFile

from openpyxl.utils import get_column_letter

from sync.adapters.workbook.own_forms import OddRowError
from sync.adapters.workbook.own_package import SheetPart
from sync.adapters.workbook.own_results import ResultCells
from sync.adapters.workbook.own_rows import LAST_ROW, NotCutError, RawRow, SheetRows, rows_in
from sync.adapters.workbook.own_stream import Row, RowWriter, Said
from sync.adapters.workbook.splice import around, reach_of


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
        self._special = part.special
        self._writer = writer
        self._said = said
        self._results = results
        self._fills_gaps = results is not None and results.fills_gaps
        self._opened: dict[int, Row] = {}
        """What openpyxl wrote of the rows that it was given; of others, it wrote nothing that counts."""
        self._others: Sequence[int] = ()
        """Rows that stand in the copy even if they are not in the file, in order."""

    def pieces(self, content: bytes) -> Iterator[bytes]:
        """Give the sheet, of which openpyxl wrote `content`.

        Raises:
            NotCutError: its XML is broken.
        """
        before, rows, after = around(content, reach=self._reach(content))
        self._opened.update((row.number, (row.xml(),)) for row in rows_in(rows) if row.number in self._special)
        self._others = sorted({*self._opened, *self._said.results.rows, *self._gaps()})
        yield before
        above = 0
        for block in SheetRows(self._archive, self._part.path, known=True).blocks():
            numbers, written = self._block(block)
            if not all(map(lt, (above, *numbers), numbers)):
                raise NotCutError("rows out of order")
            piece = b"".join(chain.from_iterable(self._with_others(above, numbers, written)))
            self._writer.judge()
            yield piece
            above = max(numbers, default=above)
        left = map(self._other, self._others[bisect_right(self._others, above) :])
        piece = b"".join(chain.from_iterable(left))
        self._writer.judge()
        yield piece
        if above > LAST_ROW:
            raise NotCutError("more rows than a sheet has")
        yield after

    def _gaps(self) -> range:
        """The numbers of the rows that may be missing in the file, and would be there if all were opened."""
        return range(1, self._part.last_row + 1 if self._fills_gaps else 0)

    def _block(self, block: bytes) -> tuple[list[int], list[Row]]:
        """Write the rows of a block; with their numbers."""
        told, written = self._writer.plain(block)
        for place in told.odd | self._opened_ones(told.numbers):
            written[place] = self._single(told.row(place))
        if not any(map(bytes.strip, told.between)):
            return told.numbers, written
        rows: list[tuple[int, Row]] = []
        for place, between in enumerate(told.between):
            rows += [(row.number, self._single(row)) for row in rows_in(between)]
            rows += zip(told.numbers[place : place + 1], written[place : place + 1], strict=True)
        return [number for number, _ in rows], [row for _, row in rows]

    def _opened_ones(self, numbers: Sequence[int]) -> set[int]:
        """The places of rows that openpyxl was given."""
        if self._special.isdisjoint(numbers):
            return set()
        return {place for place, number in enumerate(numbers) if number in self._special}

    def _single(self, row: RawRow) -> Row:
        """Write a row that is not plain; one that openpyxl was given and wrote nothing of is left out."""
        if row.number in self._special:
            return self._opened.get(row.number, ())
        try:
            return self._writer.write(row)
        except OddRowError:
            self.odd.append(row.number)
            return ()

    def _with_others(self, above: int, numbers: Sequence[int], written: list[Row]) -> list[Row]:
        """Put the rows between those of a block that the operator's file does not have."""
        if not numbers or numbers[-1] - above == len(numbers):
            return written
        others = self._others[bisect_right(self._others, above) : bisect_right(self._others, numbers[-1])]
        rows = {number: self._other(number) for number in set(others).difference(numbers)}
        rows.update(zip(numbers, written, strict=True))
        return [row for _, row in sorted(rows.items())]

    def _other(self, number: int) -> Row:
        """Give a row that the operator's file does not have."""
        return self._single(RawRow(number, b"", b""))

    def _reach(self, content: bytes) -> str:
        """The cells that the sheet will have."""
        right, bottom = reach_of(content)
        right, bottom = max(right, self._part.last_column), max(bottom, self._part.last_row)
        if self._results is not None:
            right, bottom = max(right, self._results.last), max(bottom, max(self._said.results.rows, default=1))
        return f"A1:{get_column_letter(right)}{bottom}"
