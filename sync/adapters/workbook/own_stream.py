"""The rows of a sheet that go from the operator's file into the copy without being opened, with results on them."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from openpyxl.worksheet.dimensions import RowDimension
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.own_cells import Cells, CellWriter
from sync.adapters.workbook.own_forms import OddRowError, RowForm, style_mark
from sync.adapters.workbook.own_looks import Looks
from sync.adapters.workbook.own_results import ResultCells, text_xml
from sync.adapters.workbook.own_rows import NotCutError, RawRow
from sync.adapters.workbook.styles import is_formula_like, shortened, storable
from sync.table_cells import TableCell

_ATTRIBUTE: Final = re.compile(r'\s+([A-Za-z_][\w.-]*(?::[\w.-]+)?)="([^"<&]*)"')
_JUDGED_AT_ONCE: Final = 200
_SPANS: Final = frozenset({"spans"})
_NEVER_TEXT: Final = bytes(code for code in range(32) if code not in b"\t\n\r")
_NAMED: Final = (b"&lt;", b"&gt;", b"&amp;", b"&quot;", b"&apos;")
_UNSURE: Final = (b"]]>", b"\xef\xbf\xbe", b"\xef\xbf\xbf")


@dataclass(frozen=True, slots=True)
class Said:
    """What the report says of the rows of the operator's sheet."""

    results: Mapping[int, Sequence[TableCell]] = field(default_factory=dict)
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
        looks: Looks,
        worksheet: Worksheet,
        *,
        results: ResultCells | None = None,
        said: Said | None = None,
    ) -> None:
        """Take what writes cells; with `results` this is the operator's sheet, and what was `said` goes on it."""
        self._cells = cells
        self._looks = looks
        self._worksheet = worksheet
        self._results = results
        self._said = said or Said()
        self._first = results.first if results is not None else 1 << 30
        self._attributes: dict[bytes, bytes] = {}
        self._unjudged: list[bytes] = []
        self._judge = expat.ParserCreate()
        self._judge.Parse(b"<rows>")

    def write(self, row: RawRow) -> bytes:
        """Write a row.

        Raises:
            OddRowError: it is not written in the forms that are known here.
            NotCutError: its XML, or that of a row before it, is broken.
        """
        number, said = row.number, self._said
        attributes = self._attributes.get(row.attributes)
        if attributes is None:
            attributes = self._attributes[row.attributes] = self._dimension(row.attributes)
        form = self._cells.plain.form(row) if number not in said.conflicts else None
        kept = row.cells if form is not None and form.columns[-1] < self._first else self._before_results(row, form)
        if form is None or kept is None:
            cells = self._cells.take_apart(row)
            form = cells.form
            stays = self._cells.stay(cells)
            body = self._merged(cells, list(cells.wholes) if stays else self._cells.written(cells))
        elif self._results is None:
            body = kept
        else:
            body = kept + self._results.behind(number, said.results.get(number))
        xml = b'<row r="%d"%b>%b</row>' % (number, attributes, body)
        if form.is_free:
            self._unjudged.append(xml)
            if len(self._unjudged) == _JUDGED_AT_ONCE:
                self.finish()
        return xml

    def finish(self) -> None:
        """Judge the texts of the rows that were written last.

        Raises:
            NotCutError: their XML is broken.
        """
        xml = b"".join(self._unjudged)
        self._unjudged.clear()
        if _is_surely_whole(xml):
            return
        try:
            self._judge.Parse(xml)
        except expat.ExpatError as exc:
            raise NotCutError(str(exc)) from exc

    def _before_results(self, row: RawRow, form: RowForm | None) -> bytes | None:
        """The cells of a row that stay as they are, where all that follow them are old results; else `None`."""
        if form is None or self._results is None:
            return None
        place = bisect_left(form.columns, self._first)
        if not self._results.replaced.issuperset(form.columns[place:]):
            return None
        return row.cells[: row.cells.index(b'<c r="%b%d"' % (form.letters[place], row.number))]

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
        by_column.update(self._results.write(number, said.results.get(number), styles))
        return b"".join([xml for _, xml in sorted(by_column.items())])

    def _as_text(self, cells: Cells, place: int, formula: str, style: int) -> bytes:
        """Write the formula of a cell that has no value, as a text."""
        mark = b"" if self._looks.is_bare(style) else style_mark(style)
        text = text_xml(storable(shortened(formula)))
        return b'%b%b t="inlineStr"><is>%b</is></c>' % (self._cells.start(cells, place), mark, text)

    def _dimension(self, attributes: bytes) -> bytes:
        """Write the attributes of a row as openpyxl does after reading them."""
        text = attributes.decode(errors="replace")
        said: dict[str, Any] = dict(_ATTRIBUTE.findall(text))
        if _ATTRIBUTE.sub("", text).strip():
            raise OddRowError
        said = {name: value for name, value in said.items() if ":" not in name}
        if not said.keys() - _SPANS:
            return b""
        try:
            if "s" in said:
                said["s"] = self._looks.style(int(said["s"]))
            shown = dict(RowDimension(self._worksheet, r=1, **said))
        except (TypeError, ValueError, IndexError, KeyError) as exc:
            raise OddRowError from exc
        return "".join(f' {name}="{value}"' for name, value in shown.items()).encode()


def _is_surely_whole(xml: bytes) -> bool:
    """Whether the texts of rows, whose tags are known, are XML: asked in this way it costs a tenth of parsing."""
    try:
        xml.decode()
    except UnicodeDecodeError:
        return False
    if len(xml.translate(None, _NEVER_TEXT)) != len(xml) or xml.count(b"&") != sum(map(xml.count, _NAMED)):
        return False
    return not any(each in xml for each in _UNSURE)
