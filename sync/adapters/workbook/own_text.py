"""The escape of the escape, kept from openpyxl: it drops every `x005F_` that it reads, so that `_x0041_` becomes `A`.

Excel writes a typed `_x0041_` as `_x005F_x0041_`. A character that no text uses is put into what openpyxl looks for,
and taken out of the cells before anything is written.
"""

from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from openpyxl.cell.cell import Cell
from openpyxl.cell.rich_text import CellRichText, TextBlock

_DROPPED: Final = "x005F_"
_KEPT: Final = "x005F\ue000_"
_KEPT_IN_XML: Final = b"x005F&#xE000;_"
_PARTS = ("xl/sharedStrings.xml", "xl/worksheets/")


def kept_from_openpyxl(path: Path, archive: ZipFile) -> Path | BytesIO:
    """Give what openpyxl shall open: the file itself, or a copy in memory where it holds such an escape."""
    held: dict[str, bytes] = {}
    for name in archive.namelist():
        if name.startswith(_PARTS):
            content = archive.read(name)
            if _DROPPED.encode() in content:
                held[name] = content.replace(_DROPPED.encode(), _KEPT_IN_XML)
    if not held:
        return path
    copy = BytesIO()
    with ZipFile(copy, "w") as made:
        for name in dict.fromkeys(archive.namelist()):
            made.writestr(name, held[name] if name in held else archive.read(name))
    return copy


def give_back(cell: Cell) -> None:
    """Write the escape of a cell's text as Excel does."""
    value = cell.value
    if isinstance(value, str) and _KEPT in value:
        cell.value = value.replace(_KEPT, _DROPPED)
        cell.data_type = "s"
    elif isinstance(value, CellRichText) and _KEPT in str(value):
        cell.value = CellRichText([_block(block) for block in value])


def _block(block: str | TextBlock) -> str | TextBlock:
    if isinstance(block, str):
        return block.replace(_KEPT, _DROPPED)
    return TextBlock(block.font, block.text.replace(_KEPT, _DROPPED))
