"""The cells of one row of the operator's, without opening it: as openpyxl would write them after reading them.

Most rows stay as they lie in the file. What is not written in the forms of the programs that make workbooks is not
touched here: its row goes to openpyxl.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from sync.adapters.workbook.own_forms import CellForm, Forms, OddRowError, RowForm, style_mark
from sync.adapters.workbook.own_looks import Looks, written_number
from sync.adapters.workbook.own_rows import RawRow
from sync.adapters.workbook.own_strings import Strings, chooses, looks_like_formula
from sync.adapters.workbook.own_text import formatted
from sync.adapters.workbook.styles import is_formula_like

_CELL: Final = re.compile(
    rb'(<c r="([A-Z]{1,3})([0-9]{1,7})"((?: [a-z]{1,2}="[0-9A-Za-z]*")*)'
    rb"(?:/>|>(<f(?:\s[^>]*)?(?:/>|>[^<]*</f>))?"
    rb'(?:<v(?: xml:space="preserve")?(?:/>|>([^<]*)</v>))?'
    rb'(?:<is>(?:<t(?: xml:space="preserve")?>([^<]+)</t>|(.*?))</is>)?</c>))',
    re.DOTALL,
)
_GROUPS: Final = 9
"""What a split by the pattern gives for each cell: what stands before it, the whole, and what it consists of."""
_MOST_FORMS: Final = 2_000
_SURE_DIGITS: Final = 15


class Cells(NamedTuple):
    """The cells of a row, taken apart."""

    number: int
    form: RowForm
    wholes: Sequence[bytes]
    formulas: Sequence[bytes | None]
    values: Sequence[bytes | None]
    plain: Sequence[bytes | None]
    """Texts that stand in their cells."""
    other: Sequence[bytes | None]
    """The same, with formats within; or empty ones."""

    def is_blank(self, place: int) -> bool:
        """Whether the cell holds no value, or a formula without one."""
        if self.form.cells[place].kind == b"inlineStr":
            return self.plain[place] is None and not self.other[place]
        return not self.values[place]


class CellWriter:
    """Writes the cells of a sheet's rows."""

    def __init__(self, strings: Strings, looks: Looks) -> None:
        """Take the texts and the styles of the workbook."""
        self._strings = strings
        self._special = strings.formula_like
        self.looks: Final = looks
        self._forms = Forms(looks)
        self._rows: dict[tuple[bytes, ...], RowForm] = {}

    def take_apart(self, row: RawRow) -> Cells:
        """Find the cells of a row.

        Raises:
            OddRowError: it is not written in a form that is known here.
        """
        parts = _CELL.split(row.cells)
        between = parts[::_GROUPS]
        if any(between) and any(map(bytes.strip, between)):
            raise OddRowError
        numbers = parts[3::_GROUPS]
        if numbers.count(b"%d" % row.number) != len(numbers):
            raise OddRowError
        key = (*parts[2::_GROUPS], *parts[4::_GROUPS])
        form = self._rows.get(key)
        if form is None:
            half = len(numbers)
            if len(self._rows) == _MOST_FORMS:
                self._rows.clear()
            form = self._rows[key] = self._forms.row(key[:half], key[half:])
        return Cells(row.number, form, parts[1::_GROUPS], *(parts[group::_GROUPS] for group in range(5, _GROUPS)))

    def stay(self, cells: Cells) -> bool:
        """Whether the cells of the row can stay as they lie in the file."""
        form, values = cells.form, cells.values
        if not form.is_plain or any(cells.formulas) or cells.other.count(None) != len(values):
            return False
        filled = [each for each in values if each]
        if len(filled) != len(values) and not all(values[place] for place in form.typed):
            return False
        if filled and (len(max(filled, key=len)) > _SURE_DIGITS or not b"".join(filled).isdigit()):
            return False
        if form.inline:
            texts = [each for each in cells.plain if each]
            if len(texts) != len(form.inline) or any(map(looks_like_formula, texts)):
                return False
        numbers = [int(values[place] or b"") for place in form.texts]
        return not numbers or (max(numbers) < self._strings.count and self._special.isdisjoint(numbers))

    def written(self, cells: Cells) -> list[bytes]:
        """Write each cell anew; one that is not written is empty.

        Raises:
            OddRowError: what is in it is not known here.
        """
        try:
            return [self._cell(cells, place, each) for place, each in enumerate(cells.form.cells)]
        except (ValueError, OverflowError, TypeError) as exc:
            raise OddRowError from exc

    def chooses(self, cells: Cells, place: int) -> bool:
        """Whether the cell decides a conflict."""
        value = cells.values[place] or b""
        match cells.form.cells[place].kind:
            case b"s":
                return bool(value) and int(value) in self._strings.choices
            case b"str":
                return chooses(value)
            case b"inlineStr":
                return chooses(cells.plain[place] or b"")
            case _:
                return False

    def start(self, cells: Cells, place: int) -> bytes:
        """The tag of a cell, up to its reference."""
        return b'<c r="%b%d"' % (cells.form.letters[place], cells.number)

    def blank(self, cells: Cells, place: int, *, kind: bytes = b"n") -> bytes:
        """Write a cell without a value, which is there only for its looks."""
        form = cells.form.cells[place]
        if form.is_bare:
            return b""
        shown = {b"n": b"", b"s": b' t="inlineStr"'}.get(kind, b' t="%b"' % kind)
        return b"%b%b%b/>" % (self.start(cells, place), form.mark, shown)

    def _cell(self, cells: Cells, place: int, form: CellForm) -> bytes:
        value, start = cells.values[place], self.start(cells, place)
        if form.kind == b"inlineStr":
            return self._inline(cells, place, start)
        if not value:
            return self.blank(cells, place, kind=form.kind)
        match form.kind:
            case b"n":
                return b"%b%b><v>%b</v></c>" % (start, form.mark, self._number(value.decode(), form))
            case b"b":
                return b'%b%b t="b"><v>%d</v></c>' % (start, form.mark, bool(int(value)))
            case b"e":
                return b'%b%b t="e"><v>%b</v></c>' % (start, form.mark, value)
            case b"str":
                return self._text(
                    start, form, b'<t xml:space="preserve">%b</t>' % value, is_formula=looks_like_formula(value)
                )
            case _:
                number = int(value)
                if not 0 <= number < self._strings.count:
                    raise OddRowError
                mark = self._mark(form, is_formula=number in self._special)
                return b'%b%b t="s"><v>%d</v></c>' % (start, mark, number)

    def _number(self, text: str, form: CellForm) -> bytes:
        if form.is_date:
            return self.looks.serial(text, form.style)
        return written_number(text)

    def _mark(self, form: CellForm, *, is_formula: bool) -> bytes:
        return style_mark(self.looks.quoted(form.style)) if is_formula else form.mark

    def _inline(self, cells: Cells, place: int, start: bytes) -> bytes:
        form, plain, other = cells.form.cells[place], cells.plain[place], cells.other[place]
        if plain is not None:
            return self._text(
                start, form, b'<t xml:space="preserve">%b</t>' % plain, is_formula=looks_like_formula(plain)
            )
        if other is None:
            return self.blank(cells, place, kind=form.kind)
        xml, characters = formatted(other)
        return self._text(start, form, xml, is_formula=is_formula_like(characters))

    def _text(self, start: bytes, form: CellForm, xml: bytes, *, is_formula: bool) -> bytes:
        mark = self._mark(form, is_formula=is_formula)
        if not xml:
            return b'%b%b t="inlineStr"/>' % (start, mark)
        return b'%b%b t="inlineStr"><is>%b</is></c>' % (start, mark, xml)
