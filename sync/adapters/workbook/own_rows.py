"""A sheet's part cut into its rows, as they lie in the XML: nothing is built of them, and no part is held as a whole.

Cutting by the signs of tags is exact where every `<` begins a tag; a part that is written otherwise is not cut at all.
"""

import re
from collections.abc import Generator, Iterator
from itertools import chain
from typing import Final, NamedTuple
from zipfile import ZipFile

MAIN: Final = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
"""The space of names in which the parts of a workbook are written, unless it was saved as strict."""
LAST_ROW: Final = 1_048_576
_PIECE: Final = 1 << 18
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
_LAST: Final = re.compile(rb"\s*</sheetData\s*>")
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
    """The rows of one part in ascending order; what stands around them is known once all of them were given."""

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

    def __iter__(self) -> Iterator[RawRow]:
        """Give the rows.

        Raises:
            NotCutError: the part is not written in the way that is cut here.
        """
        pieces = pieces_of(self._archive, self._part, known=self._known)
        buffer, is_empty = self._take_head(pieces)
        if not is_empty:
            buffer = yield from _cut(buffer, pieces)
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


def rows_in(xml: bytes) -> Iterator[RawRow]:
    """Give the rows of a sheet of which nothing else is there."""
    return _cut(xml + b"</sheetData>", iter(()))


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
                seen = last + piece
                if b"<!" in seen or b"<?" in seen:
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


def _cut(buffer: bytes, pieces: Iterator[bytes]) -> Generator[RawRow, None, bytes]:
    """Give the rows of the buffer and of the pieces after it; what follows the last of them is returned."""
    position = above = 0
    while True:
        found = _USUAL_ROW.match(buffer, position) or _ROW.match(buffer, position)
        end = -1
        if found is not None:
            end = found.end() if found[4] else buffer.find(b"</row>", found.end())
        if found is None or end < 0:
            last = _LAST.match(buffer, position) if found is None else None
            if last is not None:
                return buffer[last.end() :]
            piece = next(pieces, b"")
            if not piece or (found is None and len(buffer) - position > _PIECE):
                raise NotCutError("not rows as Excel writes them")
            buffer, position = buffer[position:] + piece, 0
            continue
        number = int(found[2])
        if not above < number <= LAST_ROW:
            raise NotCutError("rows out of order")
        above = number
        before, _, behind, _ = found.groups()
        yield RawRow(number, before + behind if before else behind, buffer[found.end() : end])
        position = end if found[4] else end + len(b"</row>")
