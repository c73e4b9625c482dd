"""Holds XML to be whole before it goes into the copy: where its tags are known, at a fraction of what parsing costs."""

from typing import Final
from xml.parsers import expat

from sync.adapters.workbook.own_rows import NotCutError

_NEVER_TEXT: Final = bytes(code for code in range(32) if code not in b"\t\n\r")
_NAMED: Final = (b"&lt;", b"&gt;", b"&amp;", b"&quot;", b"&apos;")
_END_OF_DATA: Final = b"]]>"
_NO_CHARACTERS: Final = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")


class Judge:
    """Judges a document piece by piece."""

    def __init__(self, start: bytes) -> None:
        """Take the tag with which the document begins.

        Raises:
            NotCutError: it is broken.
        """
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self.parse(start)

    def hold(self, xml: bytes) -> None:
        """Judge elements of which the tags are known to be whole: at their texts alone, if these are usual ones.

        Raises:
            NotCutError: they are broken.
        """
        if not has_usual_texts(xml):
            self.parse(xml)

    def parse(self, xml: bytes, *, is_last: bool = False) -> None:
        """Judge a piece of which nothing is known.

        Raises:
            NotCutError: it is broken.
        """
        try:
            self._parser.Parse(xml, is_last)
        except expat.ExpatError as exc:
            raise NotCutError(str(exc)) from exc


def has_usual_texts(xml: bytes) -> bool:
    """Whether all texts between known tags are surely XML; whatever is cheap to rule out is asked first."""
    if len(xml.translate(None, _NEVER_TEXT)) != len(xml) or (b"]" in xml and _END_OF_DATA in xml):
        return False
    if not xml.isascii() and not _is_utf8(xml):
        return False
    signs = xml.count(b"&")
    for name in _NAMED:
        if not signs:
            break
        signs -= xml.count(name)
    return not signs


def _is_utf8(xml: bytes) -> bool:
    """Whether the bytes are characters that XML may hold."""
    try:
        xml.decode()
    except UnicodeDecodeError:
        return False
    return not any(each in xml for each in _NO_CHARACTERS)
