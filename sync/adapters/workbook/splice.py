"""Rows of sheets, and a table of texts, put into a workbook that openpyxl writes: everything around them is its own."""

import re
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.styles.stylesheet import write_stylesheet
from openpyxl.utils.cell import range_boundaries
from openpyxl.xml.constants import (
    ARC_CONTENT_TYPES,
    ARC_SHARED_STRINGS,
    ARC_STYLE,
    ARC_WORKBOOK_RELS,
    REL_NS,
    SHARED_STRINGS,
    SHEET_MAIN_NS,
)
from openpyxl.xml.functions import tostring

Splice = Callable[[bytes], Iterator[bytes]]
"""Takes the part of a sheet as openpyxl wrote it, and gives it piece by piece as it is to be."""
Texts = Callable[[], Iterator[bytes]]
"""Gives the entries of a table of texts; it is asked when all sheets are written."""

_COMPRESSION: Final = 2
_DIMENSION: Final = re.compile(rb'<dimension ref="([^"]*)"\s*/>')
_OPEN, _CLOSE, _EMPTY = b"<sheetData>", b"</sheetData>", b"<sheetData/>"
_TYPE: Final = f'<Override PartName="/{ARC_SHARED_STRINGS}" ContentType="{SHARED_STRINGS}"/>'.encode()
_RELATION: Final = f'<Relationship Id="texts" Type="{REL_NS}/sharedStrings" Target="/{ARC_SHARED_STRINGS}"/>'.encode()


def save_with(workbook: Workbook, sheets: Mapping[str, Splice], texts: Texts | None = None) -> BytesIO:
    """Write the workbook; the sheets that are named by title are given to their splices, which may register styles."""
    frame = BytesIO()
    workbook.save(frame)
    splices = {
        f"xl/worksheets/sheet{number}.xml": sheets[worksheet.title]
        for number, worksheet in enumerate(workbook.worksheets, start=1)
        if worksheet.title in sheets
    }
    whole = BytesIO()
    with ZipFile(frame) as made, ZipFile(whole, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION) as archive:
        for name in made.namelist():
            content = made.read(name)
            if name in splices:
                _write(archive, name, splices[name](content))
            elif name != ARC_STYLE:
                archive.writestr(name, content if texts is None else _with_table(name, content))
        archive.writestr(ARC_STYLE, tostring(write_stylesheet(workbook)))
        if texts is not None:
            _write(archive, ARC_SHARED_STRINGS, _table(texts()))
    return whole


def around(content: bytes, *, reach: str) -> tuple[bytes, bytes, bytes]:
    """Cut a sheet that openpyxl wrote into what stands before its rows, the rows, and what follows them.

    Args:
        content: the part.
        reach: the cells that the sheet will have, as Excel writes it.
    """
    before, separator, after = content.partition(_EMPTY)
    rows = b""
    if not separator:
        before, _, rest = content.partition(_OPEN)
        rows, _, after = rest.rpartition(_CLOSE)
    before = _DIMENSION.sub(b'<dimension ref="%b"/>' % reach.encode(), before, count=1)
    return before + _OPEN, rows, _CLOSE + after


def reach_of(content: bytes) -> tuple[int, int]:
    """The last column and the last row of a sheet that openpyxl wrote."""
    found = _DIMENSION.search(content)
    _, _, right, bottom = range_boundaries(found[1].decode()) if found else (1, 1, 1, 1)
    return right or 1, bottom or 1


def _write(archive: ZipFile, name: str, pieces: Iterator[bytes]) -> None:
    with archive.open(name, "w", force_zip64=True) as part:
        for piece in pieces:
            part.write(piece)


def _table(entries: Iterator[bytes]) -> Iterator[bytes]:
    yield b'<sst xmlns="%b">' % SHEET_MAIN_NS.encode()
    yield from entries
    yield b"</sst>"


def _with_table(name: str, content: bytes) -> bytes:
    """Name the table among the parts of the workbook, which openpyxl writes without one."""
    if name == ARC_CONTENT_TYPES:
        return content.replace(b"</Types>", _TYPE + b"</Types>")
    if name == ARC_WORKBOOK_RELS:
        return content.replace(b"</Relationships>", _RELATION + b"</Relationships>")
    return content
