"""The table of texts of a workbook, which goes into the copy as it lies in the file: cells name its texts by number.

It is read piece by piece and never held as a whole; what of it is asked for is kept.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Final
from zipfile import ZipFile

from sync.adapters.workbook.own_judge import Judge, has_usual_texts
from sync.adapters.workbook.own_rows import MAIN, NotCutError, pieces_of
from sync.adapters.workbook.styles import is_formula_like
from sync.headings import is_choice
from sync.table_cells import FORMULA_STARTS

_START: Final = re.compile(rb"\s*<sst\s[^>]*?(/?)>")
_CLOSE: Final = b"</si>"
_FIRST, _LAST = b"<si><t>", b"</t></si>"
_TAGS_OF_A_TEXT: Final = 4
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
_LONGEST_SUSPECT: Final = max(map(len, SUSPECT))
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
            self._read(part, sorted(wanted), choices=choices)

    def entries(self) -> Iterator[bytes]:
        """Give the texts once more, as they lie in the XML."""
        if self._part is not None:
            yield from _Table(self._archive, self._part, known=True).entries()

    def _read(self, part: str, wanted: Sequence[int], *, choices: bool) -> None:
        table = _Table(self._archive, part)
        judge: Judge | None = None
        for xml in table.entries():
            judge = judge or Judge(table.start)
            texts = _usual_texts(xml)
            if texts:
                end = self.count + len(texts)
                here = wanted[bisect_left(wanted, self.count) : bisect_left(wanted, end)]
                self.kept.update((number, _plain(texts[number - self.count])) for number in here)
                self._look_at(texts, choices=choices)
                self.count = end
            else:
                judge.parse(xml)
                self._take(xml, wanted, choices=choices)
        judge = judge or Judge(table.start)
        judge.parse(table.end, is_last=True)

    def _look_at(self, texts: Sequence[bytes], *, choices: bool) -> None:
        """Look at texts without formats, which come next."""
        if any(start.startswith(SUSPECT) for start in {text[:_LONGEST_SUSPECT] for text in texts}):
            found = (number for number, text in enumerate(texts, self.count) if looks_like_formula(text))
            self.formula_like.update(found)
        if choices:
            self.choices.update(number for number, text in enumerate(texts, self.count) if chooses(text))

    def _take(self, xml: bytes, wanted: Sequence[int], *, choices: bool) -> None:
        """Look at texts one by one."""
        kept = frozenset(wanted)
        position = 0
        for found in _TEXT.finditer(xml):
            if found.start() != position:
                break
            position = found.end()
            if found.lastindex == _FORMATTED:
                self._look_at_formatted(found[_FORMATTED], choices=choices)
            else:
                self._look_at((found[_PLAIN] or b"",), choices=choices)
            if self.count in kept:
                self.kept[self.count] = found[_FORMATTED] or _plain(found[_PLAIN] or b"")
            self.count += 1
        if xml[position:].strip():
            raise NotCutError("not a table of texts as Excel writes it")

    def _look_at_formatted(self, xml: bytes, *, choices: bool) -> None:
        if not _TAGS.issuperset(_TAG.findall(xml)) or _FOREIGN.search(xml):
            raise NotCutError("a text with other formats than Excel writes")
        text = b"".join(_RUN.findall(_PHONETIC.sub(b"", xml)))
        if looks_like_formula(text):
            self.formula_like.add(self.count)
        if choices and b"<rPr" not in xml and chooses(text):
            self.choices.add(self.count)


class _Table:
    """The table without the tag around it, which is known once all was given."""

    def __init__(self, archive: ZipFile, part: str, *, known: bool = False) -> None:
        """Read it from `part` of `archive`; of one that is `known`, how it is written is not asked once more."""
        self.start = b""
        self.end = b""
        self._pieces = pieces_of(archive, part, known=known)

    def entries(self) -> Iterator[bytes]:
        """Give the entries, whole ones each time.

        Raises:
            NotCutError: it is not written as Excel writes it.
        """
        buffer = next(self._pieces, b"")
        start = _START.match(buffer)
        if start is None or b' xmlns="%b"' % MAIN not in start[0]:
            raise NotCutError("not a table of texts as Excel writes it")
        self.start, buffer = start[0], buffer[start.end() :]
        if start[1]:
            self.end = buffer + b"".join(self._pieces)
            return
        for piece in self._pieces:
            whole, close, rest = buffer.rpartition(_CLOSE)
            yield whole + close
            buffer = rest
            buffer += piece
        end = _END.search(buffer)
        if end is None:
            raise NotCutError("not a table of texts as Excel writes it")
        yield buffer[: end.start()]
        self.end = buffer[end.start() :]


def _plain(text: bytes) -> bytes:
    """Write a text as the XML of a cell holds it."""
    return b'<t xml:space="preserve">%b</t>' % text


def _usual_texts(xml: bytes) -> Sequence[bytes]:
    """Give the texts of entries if there is nothing else in these, and they are surely whole; else none."""
    usual = xml.replace(b'<t xml:space="preserve">', b"<t>")
    if not usual.startswith(_FIRST) or not usual.endswith(_LAST):
        return ()
    texts = usual[len(_FIRST) : -len(_LAST)].split(_LAST + _FIRST)
    # As many tags as these texts have around them: there is none within.
    return texts if usual.count(b"<") == _TAGS_OF_A_TEXT * len(texts) and has_usual_texts(usual) else ()
