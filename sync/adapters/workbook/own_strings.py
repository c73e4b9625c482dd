"""The table of texts of a workbook, which goes into the copy as it lies in the file: cells name its texts by number.

It is read piece by piece and never held as a whole; what of it is asked for is kept.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final
from xml.parsers import expat
from zipfile import ZipFile

from sync.adapters.workbook.own_rows import MAIN, NotCutError, pieces_of
from sync.adapters.workbook.styles import is_formula_like
from sync.headings import is_choice
from sync.table_cells import FORMULA_STARTS

_START: Final = re.compile(rb"\s*<sst\s[^>]*?(/?)>")
_CLOSE: Final = b"</si>"
_END: Final = re.compile(rb"(?:<extLst[\s/>].*)?</sst>\s*\Z", re.DOTALL)
_TEXT: Final = re.compile(
    rb'\s*(?:<si>(?:<t(?: xml:space="preserve")?(?:/>|>([^<]*)</t>)(?:<phoneticPr\s[^>]*/>)?|(.*?))</si>|<si/>)',
    re.DOTALL,
)
_PLAIN, _FORMATTED = 1, 2
_TAG: Final = re.compile(rb"</?([^\s/>]*)")
_FOREIGN: Final = re.compile(rb"\s(?!xml:space=)[\w.-]+:[\w.-]+\s*=")
_TAGS: Final = frozenset(
    b"t r rPh phoneticPr rPr rFont charset family b i strike outline shadow condense extend color sz u vertAlign "
    b"scheme".split()
)
"""What a text with formats within consists of."""
_RUN: Final = re.compile(rb"<t(?:\s[^>]*)?>([^<]*)</t>")
_PHONETIC: Final = re.compile(rb"<rPh\s.*?</rPh>", re.DOTALL)
SUSPECT: Final = (*(start.encode() for start in FORMULA_STARTS), b"&#")
"""How a text begins that may look like a formula: with the sign itself, or with its number."""
_LONGEST_CHARACTER: Final = 20
_LONGEST_CHOICE: Final = 100


def looks_like_formula(text: bytes) -> bool:
    """Whether a spreadsheet would take this text, as it lies in the XML, for a formula if somebody typed it."""
    if not text.startswith(SUSPECT):
        return False
    return is_formula_like(unescape(text[:_LONGEST_CHARACTER].decode(errors="ignore")))


def chooses(text: bytes) -> bool:
    """Whether this text, as it lies in the XML, decides a conflict."""
    return len(text) <= _LONGEST_CHOICE and is_choice(unescape(text.decode(errors="replace")))


class Strings:
    """What of the table is asked for: how many texts there are, and which of them need a look."""

    def __init__(self, archive: ZipFile, part: str | None, *, wanted: frozenset[int], choices: bool) -> None:
        """Read the table, if there is one; the texts of the numbers that are `wanted` are kept.

        Args:
            archive: the operator's file.
            part: where the table lies.
            wanted: numbers of texts that are kept.
            choices: whether those are sought that decide a conflict.

        Raises:
            NotCutError: it is not written as Excel writes it, or its XML is broken.
        """
        self.count = 0
        self.formula_like: set[int] = set()
        self.choices: set[int] = set()
        """Those that decide a conflict."""
        self.kept: dict[int, bytes] = {}
        """Texts by their number, as the XML of a cell would hold them."""
        self._archive = archive
        self._part = part
        if part is not None:
            self._read(wanted, choices=choices)

    def entries(self) -> Iterator[bytes]:
        """Give the texts once more, as they lie in the XML."""
        if self._part is not None:
            yield from _entries(pieces_of(self._archive, self._part, known=True))

    def _read(self, wanted: frozenset[int], *, choices: bool) -> None:
        number = 0
        for xml in _entries(_judged(pieces_of(self._archive, str(self._part)))):
            position = 0
            for found in _TEXT.finditer(xml):
                if found.start() != position:
                    raise NotCutError("not a table of texts as Excel writes it")
                position = found.end()
                if found.lastindex == _FORMATTED:
                    self._take_formatted(number, found[_FORMATTED], choices=choices)
                elif found.lastindex == _PLAIN:
                    text = found[_PLAIN]
                    if text and looks_like_formula(text):
                        self.formula_like.add(number)
                    if choices and chooses(text):
                        self.choices.add(number)
                if number in wanted:
                    self.kept[number] = _inner(found)
                number += 1
            if xml[position:].strip():
                raise NotCutError("not a table of texts as Excel writes it")
        self.count = number

    def _take_formatted(self, number: int, xml: bytes, *, choices: bool) -> None:
        if not _TAGS.issuperset(_TAG.findall(xml)) or _FOREIGN.search(xml):
            raise NotCutError("a text with other formats than Excel writes")
        text = b"".join(_RUN.findall(_PHONETIC.sub(b"", xml)))
        if looks_like_formula(text):
            self.formula_like.add(number)
        if choices and b"<rPr" not in xml and chooses(text):
            self.choices.add(number)


def _inner(found: re.Match[bytes]) -> bytes:
    if found.lastindex == _FORMATTED:
        return found[_FORMATTED]
    return b'<t xml:space="preserve">%b</t>' % (found[_PLAIN] or b"")


def _judged(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Hold the XML to be whole."""
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        for piece in pieces:
            parser.Parse(piece)
            yield piece
        parser.Parse(b"", True)  # noqa: FBT003 - the signature of expat
    except expat.ExpatError as exc:
        raise NotCutError(str(exc)) from exc


def _entries(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Give the table without the tag around it, cut behind texts."""
    buffer = next(pieces, b"")
    start = _START.match(buffer)
    if start is None or b' xmlns="%b"' % MAIN not in start[0]:
        raise NotCutError("not a table of texts as Excel writes it")
    buffer = buffer[start.end() :]
    for piece in pieces:
        whole, close, rest = buffer.rpartition(_CLOSE)
        yield whole + close
        buffer = rest
        buffer += piece
    if not start[1]:
        end = _END.search(buffer)
        if end is None:
            raise NotCutError("not a table of texts as Excel writes it")
        yield buffer[: end.start()]
