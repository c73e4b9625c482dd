"""A sheet's part cut into its rows, as they lie in the XML: nothing is built of them, and no part is held as a whole.

Cutting by the signs of tags is exact where every `<` begins a tag; a part that is written otherwise is not cut at all.
Rows are handed on hundreds at a time, in blocks: what is done to a block costs a fraction of what it costs row by row.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple
from zipfile import ZipFile

MAIN: Final = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
"""The space of names in which the parts of a workbook are written, unless it was saved as strict."""
LAST_ROW: Final = 1_048_576
_MOST_DIGITS: Final = 7
_PIECE: Final = 1 << 18
_MOST_OF_A_ROW: Final = 32_000_000
_MOST_HEAD: Final = 4_000_000
"""Bytes before the first row: views and columns take some thousand."""
_DECLARATION: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\s[^?>]*\?>")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_ROOT: Final = re.compile(rb"\s*(<worksheet\s[^>]*>)")
_PREFIXED: Final = re.compile(rb"\s*<([A-Za-z_][\w.-]*):(?:worksheet|sst)\s[^>]*>")
_DATA: Final = re.compile(rb"<sheetData\s*(/?)>")
_USUAL_ROW: Final = re.compile(rb"""\s*<row() r="([1-9][0-9]{0,6})"([^>'/]*)(/?)>""")
_ROW: Final = re.compile(
    rb"""\s*<row((?:\s+[^\s>"'/=]+="[^">]*")*?)\s+r="([1-9][0-9]{0,6})"((?:\s+[^\s>"'/=]+="[^">]*")*)\s*(/?)>"""
)
_START: Final = b"<row"
_USUAL_START: Final = b'<row r="'
_CLOSE: Final = b"</row>"
_END: Final = b"</sheetData"
_NO_TAGS: Final = (b"!", b"?")
"""Behind a `<`, they begin something else."""
_LAST: Final = re.compile(rb"</sheetData\s{0,9}>")
_LONGEST_END: Final = len(_END) + 9
"""Without the sign that closes it."""
_ELSEWHERE: Final = re.compile(rb"<(?:row[\s/>]|sheetData)")


class NotCutError(Exception):
    """A workbook is not written in the way that is cut here."""


class RawRow(NamedTuple):
    """A row as it lies in the XML."""

    number: int
    attributes: bytes
    """Of its tag, without the number."""
    cells: bytes
    """Everything between its tags."""

    def xml(self) -> bytes:
        """Write it as it was."""
        return b'<row r="%d"%b>%b</row>' % (self.number, self.attributes, self.cells)


class SheetRows:
    """The rows of one part; what stands around them is known once all of them were given."""

    def __init__(self, archive: ZipFile, part: str, *, known: bool = False) -> None:
        """Cut `part` of `archive`; of one that is `known` to be written in this way, that is not asked once more."""
        self.head = b""
        """What stands before the tag that holds the rows, without the declaration."""
        self.tail = b""
        """What stands behind it."""
        self._archive = archive
        self._part = part
        self._known = known

    @property
    def root(self) -> bytes:
        """The first tag: it names the spaces that rows may use."""
        found = _ROOT.match(self.head)
        return found[1] if found else b""

    def blocks(self) -> Iterator[bytes]:
        """Give the rows in blocks, whole ones in each: where a row ends is known, and nothing else of it.

        Raises:
            NotCutError: the part is not written in the way that is cut here.
        """
        pieces = pieces_of(self._archive, self._part, known=self._known)
        buffer, is_empty = self._take_head(pieces)
        if not is_empty:
            buffer = yield from _blocks(buffer, pieces)
        self.tail = buffer + b"".join(pieces)
        if _ELSEWHERE.search(self.tail):
            raise NotCutError("rows outside of their place")

    def _take_head(self, pieces: Iterator[bytes]) -> tuple[bytes, bool]:
        """Give what was read beyond the head, and whether there are no rows."""
        buffer = b""
        for piece in pieces:
            buffer += piece
            found = _DATA.search(buffer)
            if found is not None:
                self.head = buffer[: found.start()]
                if b' xmlns="%b"' % MAIN in self.root and not _ELSEWHERE.search(self.head):
                    return buffer[found.end() :], bool(found[1])
                break
            if len(buffer) > _MOST_HEAD:
                break
        raise NotCutError("not the rows of a worksheet as Excel writes it")


def rows_in(block: bytes) -> Iterator[RawRow]:
    """Cut a block into its rows.

    Raises:
        NotCutError: they are not written in the way that is cut here, or not in order.
    """
    position = above = 0
    while found := _USUAL_ROW.match(block, position) or _ROW.match(block, position):
        before, digits, behind, is_closed = found.groups()
        end = found.end() if is_closed else block.find(_CLOSE, found.end())
        number = int(digits)
        if end < 0 or not above < number <= LAST_ROW:
            raise NotCutError("rows out of order, or without an end")
        above = number
        yield RawRow(number, before + behind if before else behind, block[found.end() : end])
        position = end if is_closed else end + len(_CLOSE)
    if block[position:].strip():
        raise NotCutError("not rows as Excel writes them")


def usual_rows(block: bytes) -> Sequence[bytes]:
    """Cut a block into its rows, without the tag that ends each, if all begin as in Excel; else give none."""
    rows = block.split(_CLOSE)
    last = rows.pop()
    others = len(rows) - 1
    if last or others < 0 or block.count(_START) != len(rows) or not block.startswith(_USUAL_START):
        return ()
    return rows if block.count(_CLOSE + _USUAL_START) == others else ()


def number_of(row: bytes) -> int:
    """The number of a usual row.

    Raises:
        NotCutError: it is none.
    """
    digits = row[len(_USUAL_START) : row.find(b'"', len(_USUAL_START))]
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:
        raise NotCutError("a row without a number")
    return int(digits)


def pieces_of(archive: ZipFile, part: str, *, known: bool = False) -> Iterator[bytes]:
    """Inflate a part of XML piece by piece, without its declaration, and without a prefix of its tags.

    Raises:
        NotCutError: it is not UTF-8, or a `<` in it may begin something else than a tag; of a part that is `known`,
            the latter is not asked once more.
    """
    pieces = _inflated(archive, part, known=known)
    first = next(pieces, b"")
    root = _PREFIXED.match(first)
    if root is None:
        yield first
        yield from pieces
        return
    prefix, tag = root[1], root[0]
    if b' xmlns="' in tag:
        raise NotCutError("tags of several spaces of names")
    plain = tag.replace(b' xmlns:%b="%b"' % (prefix, MAIN), b' xmlns="%b" xmlns:%b="%b"' % (MAIN, prefix, MAIN))
    left = plain + first[root.end() :]
    for piece in chain(pieces, (b"",)):
        # A tag that two pieces share is kept for the second.
        whole = left.rfind(b"<") if piece else len(left)
        yield left[:whole].replace(b"<%b:" % prefix, b"<").replace(b"</%b:" % prefix, b"</")
        left = left[whole:] + piece


def _inflated(archive: ZipFile, part: str, *, known: bool) -> Iterator[bytes]:
    last: bytes | None = None
    with archive.open(part) as source:
        while piece := source.read(_PIECE):
            if last is None:
                piece, last = _without_declaration(piece), b""
            if not known:
                if any(sign in piece and b"<" + sign in last + piece for sign in _NO_TAGS):
                    raise NotCutError("comments, or other signs than tags")
                last = piece[-1:]
            yield piece


def _without_declaration(piece: bytes) -> bytes:
    found = _DECLARATION.match(piece)
    if found is None:
        return piece.removeprefix(b"\xef\xbb\xbf")
    encoding = _ENCODING.search(found[0])
    if encoding is not None and encoding[1].lower() != b"utf-8":
        raise NotCutError("another encoding than UTF-8")
    return piece[found.end() :]


def _blocks(buffer: bytes, pieces: Iterator[bytes]) -> Generator[bytes, None, bytes]:
    """Give the rows of the buffer and of the pieces after it; what follows the last of them is returned."""
    looked = 0
    while True:
        end = buffer.find(_END, looked)
        last = _LAST.match(buffer, end) if end >= 0 else None
        if last is not None:
            if end:
                yield buffer[:end]
            return buffer[last.end() :]
        start = buffer.rfind(_START, max(looked, 1))
        if start > 0:
            yield buffer[:start]
            buffer = buffer[start:]
        looked = max(len(buffer) - _LONGEST_END, 0)
        piece = next(pieces, b"")
        if not piece or len(buffer) > _MOST_OF_A_ROW:
            raise NotCutError("rows without an end")
        buffer += piece
