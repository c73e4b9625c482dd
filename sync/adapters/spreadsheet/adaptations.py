"""What the reader of tables takes a sound workbook for broken over: it is given a copy without that.

Errors that Excel has learnt since stand in flawed cells, whose value counts for nothing, so an old word takes their
place. Parts in UTF-16, as phones have written them, become UTF-8. Sheets of old macros, which hold no rows, are left
out.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Final

from sync.adapters.spreadsheet.facts import RELATIONSHIPS, WORKBOOK, SheetFacts
from sync.adapters.spreadsheet.markup import local, parse
from sync.adapters.spreadsheet.package import Package, damaged, first_bytes
from sync.model import FlawKind

OLD_WORDS: Final = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})

_ERROR_CELL: Final = re.compile(
    rb"""(<(?:\w+:)?c\s[^>]*?\bt=["']e["'][^>]*>\s*(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)\s*)?<(?:\w+:)?v>)[^<]*"""
)
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_DECLARED: Final = re.compile(r"\A(<\?xml[^>]*?\sencoding=)[\"'][^\"']*[\"']")
_SHEET: Final = re.compile(rb"<(?:\w+:)?sheet\s[^>]*?:id=[\"']([^\"']*)[\"'][^>]*/>")
_MACRO_SHEETS: Final = "Macrosheet"
"""The end of the type of a relationship that leads to one."""


def adapted(package: Package, facts: Iterable[SheetFacts]) -> bytes | None:
    """Copy the workbook with what the reader needs in another form; `None` where it can be read as it is.

    Raises:
        InputError: `file.damaged`.
    """
    changed = dict(_in_utf_8(package))
    macros = _macro_sheets(package)
    if macros:
        book = changed.get(WORKBOOK) or package.part(WORKBOOK) or b""
        changed[WORKBOOK] = _SHEET.sub(lambda found: b"" if found[1].decode() in macros else found[0], book)
    if _has_new_words(facts):
        for name in package.names:
            if "/worksheets/" in name:
                part = changed.get(name) or package.part(name) or b""
                changed[name] = _ERROR_CELL.sub(rb"\1#VALUE!", part)
    return _copy(package, changed) if changed else None


def is_readable(package: Package) -> bool:
    """Whether it can be read as it is, as far as no cell tells otherwise.

    Raises:
        InputError: `file.damaged`.
    """
    return not _macro_sheets(package) and next(iter(_in_utf_8(package)), None) is None


def _has_new_words(facts: Iterable[SheetFacts]) -> bool:
    """Whether a sheet shows an error that the reader of tables does not know."""
    return any(
        flaw.kind is FlawKind.ERROR_VALUE and flaw.shown not in OLD_WORDS
        for sheet in facts
        for flaws in sheet.flaws.values()
        for flaw in flaws.values()
    )


def _in_utf_8(package: Package) -> Iterable[tuple[str, bytes]]:
    """Give every part of XML that is in UTF-16, in UTF-8."""
    for name in package.names:
        if name.endswith((".xml", ".rels")) and first_bytes(package, name, at_most=2) in _UTF_16:
            try:
                text = (package.part(name) or b"").decode("utf-16")
            except UnicodeDecodeError as exc:
                raise damaged(package.file) from exc
            yield name, _DECLARED.sub(r'\1"UTF-8"', text).encode("utf-8", "replace")


def _macro_sheets(package: Package) -> frozenset[str]:
    """The ids of the relationships that lead to sheets of macros."""
    found = set()

    def start(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "Relationship" and attributes.get("Type", "").endswith(_MACRO_SHEETS):
            found.add(attributes.get("Id", ""))

    parse(package.part(RELATIONSHIPS) or b"<none/>", start, package.file)
    return frozenset(found)


def _copy(package: Package, changed: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as copy:
        for name, stored in package.names.items():
            copy.writestr(stored, changed[name] if name in changed else package.part(name) or b"")
    return buffer.getvalue()
