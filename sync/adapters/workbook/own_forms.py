"""The forms in which programs write the cells of a row: what their attributes say, looked at once for each form."""

import re
from itertools import pairwise
from typing import Final

from openpyxl.utils import column_index_from_string

from sync.adapters.workbook.own_looks import Looks
from sync.frozen import Frozen

_ATTRIBUTE: Final = re.compile(rb' ([a-z]{1,2})="([0-9A-Za-z]*)"')
_DROPPED: Final = frozenset({b"cm", b"vm", b"ph"})
"""What openpyxl does not write again: numbers of metadata, and whether a reading aid is shown."""
_KINDS: Final = frozenset({b"n", b"s", b"str", b"b", b"e", b"inlineStr"})
_VERBATIM: Final = frozenset({b"n", b"s", b"b", b"inlineStr"})
"""Kinds whose values are digits, mostly, or texts that stand in their cells."""
_FREE: Final = frozenset({b"str", b"e", b"inlineStr"})
LAST_COLUMN: Final = 16_384


class OddRowError(Exception):
    """A row is not written in a form that is known here: openpyxl has to read it."""


class CellForm(Frozen):
    """What the attributes of a cell say."""

    kind: bytes
    style: int
    is_date: bool
    is_bare: bool
    """Whether it looks as a cell without a style."""
    is_plain: bool
    """Whether such a cell can stay as it is, if its value is a usual one."""

    @property
    def mark(self) -> bytes:
        """The attribute of its style, if that shows."""
        return b"" if self.is_bare else style_mark(self.style)


class RowForm(Frozen):
    """The columns in which a row has cells, and what their attributes say."""

    columns: tuple[int, ...]
    """From 1, ascending."""
    letters: tuple[bytes, ...]
    cells: tuple[CellForm, ...]
    is_plain: bool
    """Whether all of them are."""
    texts: tuple[int, ...]
    """The places of those that name a text of the table."""
    inline: tuple[int, ...]
    """The places of those whose text stands in them."""
    typed: tuple[int, ...]
    """The places of the others that say a type: without a value, that is not kept."""
    is_free: bool
    """Whether texts may stand in the row that nobody has held to be whole XML."""


def style_mark(style: int) -> bytes:
    """The attribute of a style, unless it is that of every cell."""
    return b' s="%d"' % style if style else b""


class Forms:
    """Remembers the forms of a sheet's rows: thousands of them have the same."""

    def __init__(self, looks: Looks) -> None:
        """Take the workbook's styles."""
        self._looks = looks
        self._cells: dict[bytes, CellForm] = {}

    def row(self, letters: tuple[bytes, ...], attributes: tuple[bytes, ...]) -> RowForm:
        """Judge what the cells of a row say beside their values.

        Raises:
            OddRowError: it is not known here what that means.
        """
        columns = tuple(column_index_from_string(each.decode()) for each in letters)
        if any(after <= before for before, after in pairwise(columns)) or (columns and columns[-1] > LAST_COLUMN):
            raise OddRowError
        cells = tuple(self._cells.get(each) or self._cell(each) for each in attributes)
        texts = tuple(place for place, each in enumerate(cells) if each.kind == b"s")
        inline = tuple(place for place, each in enumerate(cells) if each.kind == b"inlineStr")
        typed = tuple(place for place, each in enumerate(cells) if each.kind not in {b"n", b"inlineStr"})
        is_free = any(each.kind in _FREE for each in cells)
        return RowForm(columns, letters, cells, all(each.is_plain for each in cells), texts, inline, typed, is_free)

    def _cell(self, attributes: bytes) -> CellForm:
        said = dict(_ATTRIBUTE.findall(attributes))
        kind, style = said.pop(b"t", b"n"), said.pop(b"s", b"0")
        dropped = bool(said)
        if kind not in _KINDS or not style.isdigit() or said.keys() - _DROPPED:
            raise OddRowError
        try:
            is_bare = self._looks.is_bare(int(style))
        except IndexError as exc:
            raise OddRowError from exc
        is_date = self._looks.is_date(int(style))
        is_plain = kind in _VERBATIM and not dropped and not (is_date and kind == b"n")
        form = self._cells[attributes] = CellForm(kind, int(style), is_date, is_bare, is_plain)
        return form
