"""Errors that Excel has learnt since: the reader of tables takes a workbook for broken over a word it does not know.

Such a cell is flawed and its value counts for nothing, so the reader is given one of the old words in its place.
"""

import io
import re
import zipfile
from collections.abc import Iterable
from typing import Final

from sync.adapters.spreadsheet.facts import SheetFacts
from sync.adapters.spreadsheet.package import Package
from sync.model import FlawKind

OLD_WORDS: Final = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})

_ERROR_CELL: Final = re.compile(
    rb"""(<(?:\w+:)?c\s[^>]*?\bt=["']e["'][^>]*>\s*(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)\s*)?<(?:\w+:)?v>)[^<]*"""
)


def has_new_words(facts: Iterable[SheetFacts]) -> bool:
    """Whether a sheet shows an error that the reader of tables does not know."""
    return any(
        flaw.kind is FlawKind.ERROR_VALUE and flaw.shown not in OLD_WORDS
        for sheet in facts
        for flaws in sheet.flaws.values()
        for flaw in flaws.values()
    )


def with_old_words(package: Package) -> bytes:
    """Copy the workbook with `#VALUE!` in every error cell."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as copy:
        for name in package.names:
            part = package.part(name) or b""
            copy.writestr(package.names[name], _ERROR_CELL.sub(rb"\1#VALUE!", part) if "/worksheets/" in name else part)
    return buffer.getvalue()
