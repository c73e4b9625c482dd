"""The operator's workbook as openpyxl is given it: whole, but for the rows that are written without being opened."""

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from typing import Final
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.utils.cell import column_index_from_string, coordinate_to_tuple, range_boundaries
from openpyxl.xml.constants import COMMENTS_NS
from openpyxl.xml.functions import fromstring

from sync.adapters.workbook.own_rows import MAIN, NotCutError, RawRow, SheetRows, number_of, rows_in, usual_rows
from sync.adapters.workbook.own_strings import Strings
from sync.adapters.workbook.own_text import kept_in, xml_of
from sync.frozen import Frozen

MOST_SPECIAL: Final = 10_000
"""Rows that openpyxl is given of one sheet: far more would take it too long."""
_MOST_BYTES: Final = 40_000_000
"""Of all that openpyxl is given, inflated: above it, it would need minutes and gigabytes."""
_CELL: Final = b'<c r="'
_COLUMN: Final = re.compile(rb"[A-Z]{1,3}")
_LONGEST_LETTERS: Final = 3
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NO_TEXTS: Final = b'<sst xmlns="%b"/>' % MAIN


def _tag(name: str) -> str:
    return f"{{{MAIN.decode()}}}{name}"


@dataclass(slots=True)
class SheetPart:
    """A sheet: where its rows lie, and what was found of it on the first pass."""

    path: str
    special: frozenset[int]
    """The numbers of the rows that openpyxl is given, if they are there."""
    head: bytes
    tail: bytes
    rows: Element
    """The special ones, as a tree of XML."""
    last_row: int
    last_column: int


class Wanted(Frozen):
    """Rows of a sheet that openpyxl must be given, as far as that is known without the file."""

    up_to: int = 1
    rows: frozenset[int] = frozenset()


class Package:
    """A workbook, split."""

    def __init__(self, archive: ZipFile, sheets: Mapping[str, Wanted], texts: str | None, *, choices: bool) -> None:
        """Split the workbook in `archive`.

        Args:
            archive: the operator's file.
            sheets: the paths of the worksheets, in the workbook's order.
            texts: the path of the table of texts.
            choices: whether those texts are sought that decide a conflict.

        Raises:
            NotCutError: something of it is not written in the way that is cut here.
        """
        self._archive = archive
        self._texts = texts
        self.parts: Final = tuple(_split(archive, path, wanted) for path, wanted in sheets.items())
        named = [(cell, value) for part in self.parts for cell, value in _naming_texts(part)]
        wanted = frozenset(_number(value) for _, value in named)
        self.strings: Final = Strings(archive, texts, wanted=wanted, choices=choices)
        for cell, value in named:
            _put_text(cell, value, self.strings)

    def reduced(self) -> BytesIO:
        """Make what openpyxl opens.

        Raises:
            NotCutError: it is larger than openpyxl can be given.
        """
        paths = {part.path: part for part in self.parts}
        others = [entry for entry in self._archive.infolist() if entry.filename not in {*paths, self._texts}]
        left = _MOST_BYTES - sum(entry.file_size for entry in others)
        copy = BytesIO()
        with ZipFile(copy, "w") as made:
            for name in dict.fromkeys(self._archive.namelist()):
                if name == self._texts:
                    made.writestr(name, _NO_TEXTS)
                elif name not in paths and left >= 0:
                    made.writestr(name, self._archive.read(name))
                elif left >= 0:
                    part = paths[name]
                    rows = b"".join(xml_of(row) for row in part.rows)
                    content = kept_in(b"%b<sheetData>%b</sheetData>%b" % (part.head, rows, part.tail))
                    left -= len(content)
                    made.writestr(name, content)
        if left < 0:
            raise NotCutError("larger than openpyxl can be given")
        return copy


def _split(archive: ZipFile, path: str, wanted: Wanted) -> SheetPart:
    rows = SheetRows(archive, path)
    special = wanted.rows | _commented(archive, path) | frozenset(range(1, wanted.up_to + 1))
    seen = _FirstPass(special)
    for block in rows.blocks():
        seen.take(block)
    held = seen.held
    tied = _tied(rows.root + rows.tail)
    if tied - special:
        again = _FirstPass(tied - special)
        for block in SheetRows(archive, path, known=True).blocks():
            again.take(block)
        held |= again.held
    special |= tied
    if len(special) > MOST_SPECIAL + wanted.up_to:
        raise NotCutError("too many rows that openpyxl has to be given")
    tree = _tree(rows.root, (held[number] for number in sorted(held)))
    return SheetPart(path, special, rows.head, rows.tail, tree, seen.last_row, seen.last_column())


class _FirstPass:
    """What is to be known of a sheet before its rows are written: the special ones, and how far the others reach."""

    def __init__(self, rows: AbstractSet[int]) -> None:
        """Take the numbers of the rows that are held."""
        self.held: Final[dict[int, RawRow]] = {}
        self.last_row = 0
        """The last one that has cells."""
        self._rows = rows
        self._ends: set[bytes] = set()
        """How the last cells of rows are called: their letters, and the digits behind."""

    def take(self, block: bytes) -> None:
        """Look at a block of rows.

        Raises:
            NotCutError: they are not written in the way that is cut here.
        """
        usual = usual_rows(block)
        if not usual:
            for row in rows_in(block):
                self._take(row)
            return
        numbers = range(number_of(usual[0]), number_of(usual[-1]) + 1)
        if not self._rows.isdisjoint(numbers):
            for row in rows_in(block):
                self._hold(row)
        self._ends.update({row[(at := row.rfind(_CELL) + len(_CELL)) : at + _LONGEST_LETTERS] for row in usual})
        filled = (row for row in reversed(usual) if row.find(b">") + 1 < len(row))
        self.last_row = next(map(number_of, filled), self.last_row)

    def last_column(self) -> int:
        """The last one in which a row has a cell."""
        found = filter(None, map(_COLUMN.match, self._ends))
        return max((column_index_from_string(letters[0].decode()) for letters in found), default=0)

    def _take(self, row: RawRow) -> None:
        self._hold(row)
        if row.cells:
            self.last_row = row.number
            _, _, last = row.cells.rpartition(_CELL)
            self._ends.add(last[:_LONGEST_LETTERS])

    def _hold(self, row: RawRow) -> None:
        if row.number in self._rows:
            self.held[row.number] = row


def _tree(root: bytes, rows: Iterable[RawRow]) -> Element:
    try:
        tree = fromstring(b"%b<sheetData>%b</sheetData></worksheet>" % (root, b"".join(row.xml() for row in rows)))
    except SyntaxError as exc:
        raise NotCutError(str(exc)) from exc
    for row in tree[0]:
        number = row.get("r", "")
        if any(cell.get("r", number).lstrip(_LETTERS) != number for cell in row):
            raise NotCutError("cells of other rows")
    return tree[0]


def _commented(archive: ZipFile, path: str) -> frozenset[int]:
    """The rows that carry comments."""
    rels: str = get_rels_path(path)  # type: ignore[no-untyped-call]  # the stubs leave this one open
    if rels not in archive.namelist():
        return frozenset()
    found: set[int] = set()
    for comments in get_dependents(archive, rels).find(COMMENTS_NS):
        for comment in fromstring(archive.read(comments.target)).iter(_tag("comment")):
            found.add(coordinate_to_tuple(comment.get("ref", ""))[0])
    return frozenset(found)


def _tied(xml: bytes) -> frozenset[int]:
    """The rows of which something is said behind the rows: merged cells, and links."""
    if b"<mergeCell " not in xml and b"<hyperlink " not in xml:
        return frozenset()
    found: set[int] = set()
    try:
        tree = fromstring(xml)
        for each in chain(tree.iter(_tag("mergeCell")), tree.iter(_tag("hyperlink"))):
            _, top, _, bottom = range_boundaries(each.get("ref", ""))
            if top is None or bottom is None or bottom - top > MOST_SPECIAL:
                raise NotCutError("merged cells or links over too many rows")
            found.update(range(top, bottom + 1))
    except (SyntaxError, ValueError, TypeError) as exc:
        raise NotCutError(str(exc)) from exc
    return frozenset(found)


def _naming_texts(part: SheetPart) -> Iterator[tuple[Element, Element]]:
    """The special cells that name a text of the table, with the value by which they do."""
    for cell in part.rows.iter(_tag("c")):
        value = cell.find(_tag("v")) if cell.get("t") == "s" else None
        if value is not None and value.text:
            yield cell, value


def _number(value: Element) -> int:
    text = (value.text or "").strip()
    if not text.isdecimal():
        raise NotCutError("a text without a number")
    return int(text)


def _put_text(cell: Element, value: Element, strings: Strings) -> None:
    """Give a cell its text itself, so that openpyxl needs no table."""
    inner = strings.kept.get(_number(value))
    if inner is None:
        raise NotCutError("a text that is not in the table")
    cell.remove(value)
    cell.append(fromstring(b'<is xmlns="%b">%b</is>' % (MAIN, inner)))
    cell.set("t", "inlineStr")
