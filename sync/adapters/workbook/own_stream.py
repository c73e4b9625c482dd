"""The rows of a sheet that go from the operator's file into the copy without being opened, with results on them."""

import re
from collections.abc import Iterable, Mapping
from itertools import chain, repeat
from typing import Any, Final, TypeAlias

from openpyxl.worksheet.dimensions import RowDimension
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.own_cells import Cells, CellWriter
from sync.adapters.workbook.own_forms import OddRowError, style_mark
from sync.adapters.workbook.own_judge import Judge
from sync.adapters.workbook.own_plain import PlainRows, Told
from sync.adapters.workbook.own_results import ResultCells, text_xml
from sync.adapters.workbook.own_rows import RawRow
from sync.adapters.workbook.own_task import Results
from sync.adapters.workbook.styles import is_formula_like, shortened, storable
from sync.frozen import Frozen, field

_ATTRIBUTE: Final = re.compile(r'\s+([A-Za-z_][\w.-]*(?::[\w.-]+)?)="([^"<&]*)"')
_INLINE: Final = b"<is>"
_SPANS: Final = frozenset({"spans"})

Row: TypeAlias = tuple[bytes, ...]
"""A row in the pieces that it is put together from."""


class Said(Frozen):
    """What the report says of the rows of the operator's sheet."""

    results: Results = field(default_factory=Results)
    uncached: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    """By row and column, from 1: formulas without a value whose text stays as text."""
    conflicts: frozenset[int] = frozenset()
    """Rows whose choice did not hold."""
    command: int | None = None
    """The column of the choice, from 1."""


class RowWriter:
    """Writes the rows of one sheet."""

    def __init__(
        self,
        cells: CellWriter,
        plain: PlainRows,
        worksheet: Worksheet,
        *,
        results: ResultCells | None = None,
        said: Said | None = None,
    ) -> None:
        """Take what writes cells; with `results` this is the operator's sheet, and what was `said` goes on it."""
        self._cells = cells
        self._plain = plain
        self._looks = cells.looks
        self._worksheet = worksheet
        self._results = results
        self._said = said or Said()
        self._attributes: dict[bytes, bytes | None] = {}
        self._unjudged: list[bytes] = []
        self._judge = Judge(b"<rows>")

    def plain(self, block: bytes) -> tuple[Told, list[Row]]:
        """Write the plain rows of a block; for those that are odd after all, what `write` gives goes in their place."""
        told = self._plain.tell(block)
        shown = {each: self._dimension(each) for each in set(told.attributes)}
        odd = set(told.odd)
        if None in shown.values():
            odd.update(place for place, each in enumerate(told.attributes) if shown[each] is None)
        if not self._said.conflicts.isdisjoint(told.numbers):
            odd.update(place for place, number in enumerate(told.numbers) if number in self._said.conflicts)
        start = {each: (b'<row r="', b'"%b>' % (known or b"")) for each, known in shown.items()}
        starts = map(bytes.join, told.digits, map(start.__getitem__, told.attributes))
        rows: list[Row] = list(zip(starts, told.cells, self._behind(told), repeat(b"</row>")))
        if _INLINE in block:
            self._unjudged += chain.from_iterable(rows)
        return told._replace(odd=odd), rows

    def write(self, row: RawRow) -> Row:
        """Write a row that is not plain.

        Raises:
            OddRowError: it is not written in the forms that are known here.
        """
        attributes = self._dimension(row.attributes)
        if attributes is None:
            raise OddRowError
        cells = self._cells.take_apart(row)
        stays = self._cells.stay(cells)
        body = self._merged(cells, list(cells.wholes) if stays else self._cells.written(cells))
        xml = b'<row r="%d"%b>%b</row>' % (row.number, attributes, body)
        if cells.form.is_free:
            self._unjudged.append(xml)
        return (xml,)

    def judge(self) -> None:
        """Judge the texts of the rows that were written last.

        Raises:
            NotCutError: their XML is broken.
        """
        self._judge.hold(b"".join(self._unjudged))
        self._unjudged.clear()

    def _behind(self, told: Told) -> Iterable[bytes]:
        """What stands in the result columns of these rows."""
        if self._results is None:
            return repeat(b"", len(told.digits))
        which = map(self._said.results.rows.get, told.numbers)
        return self._results.behind(told.digits, list(which))

    def _merged(self, cells: Cells, written: list[bytes]) -> bytes:
        """Put results among the cells of a row, and do to these what is done to cells that are opened."""
        number, said, columns = cells.number, self._said, cells.form.columns
        styles = {column: form.style for column, form in zip(columns, cells.form.cells, strict=True)}
        for column, formula in said.uncached.get(number, {}).items():
            if column not in columns:
                raise OddRowError
            place = columns.index(column)
            if cells.is_blank(place):
                if is_formula_like(formula):
                    styles[column] = self._looks.quoted(styles[column])
                written[place] = self._as_text(cells, place, formula, styles[column])
        if number in said.conflicts and said.command in columns:
            place = columns.index(said.command)
            if self._cells.chooses(cells, place):
                written[place] = self._cells.blank(cells, place)
        if self._results is None:
            return b"".join(written)
        by_column = dict(zip(columns, written, strict=True))
        by_column.update(self._results.write(number, said.results.of(number), styles))
        return b"".join([xml for _, xml in sorted(by_column.items())])

    def _as_text(self, cells: Cells, place: int, formula: str, style: int) -> bytes:
        """Write the formula of a cell that has no value, as a text."""
        mark = b"" if self._looks.is_bare(style) else style_mark(style)
        text = text_xml(storable(shortened(formula)))
        return b'%b%b t="inlineStr"><is>%b</is></c>' % (self._cells.start(cells, place), mark, text)

    def _dimension(self, attributes: bytes) -> bytes | None:
        """Write the attributes of a row as openpyxl does after reading them; `None` if what they mean is not known."""
        if attributes not in self._attributes:
            self._attributes[attributes] = self._read_dimension(attributes)
        return self._attributes[attributes]

    def _read_dimension(self, attributes: bytes) -> bytes | None:
        text = attributes.decode(errors="replace")
        said: dict[str, Any] = dict(_ATTRIBUTE.findall(text))
        if _ATTRIBUTE.sub("", text).strip():
            return None
        said = {name: value for name, value in said.items() if ":" not in name}
        if not said.keys() - _SPANS:
            return b""
        try:
            if "s" in said:
                said["s"] = self._looks.style(int(said["s"]))
            shown = dict(RowDimension(self._worksheet, r=1, **said))
        except (TypeError, ValueError, IndexError, KeyError):
            return None
        return "".join(f' {name}="{value}"' for name, value in shown.items()).encode()
