"""The escape of the escape, kept from openpyxl: it drops every `x005F_` that it reads, so that `_x0041_` becomes `A`.

Excel writes a typed `_x0041_` as `_x005F_x0041_`. A character that no text uses is put into what openpyxl looks for,
and taken out of the cells before anything is written.
"""

from io import BytesIO
from typing import IO, Any, Final, cast
from zipfile import ZipFile

from openpyxl.cell.cell import Cell
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.xml.constants import SHEET_MAIN_NS, XML_NS
from openpyxl.xml.functions import Element, fromstring, tostring

_DROPPED: Final = "x005F_"
_KEPT: Final = "x005F\ue000_"
_KEPT_IN_XML: Final = b"x005F&#xE000;_"
_PARTS = ("xl/sharedStrings.xml", "xl/worksheets/")


def kept_in(xml: bytes) -> bytes:
    """Put a part, or a piece of one, so that openpyxl keeps the escapes in it."""
    return xml.replace(_DROPPED.encode(), _KEPT_IN_XML)


def kept_from_openpyxl(file: IO[bytes], archive: ZipFile) -> IO[bytes]:
    """Give what openpyxl shall open: the file itself, or a copy in memory where it holds such an escape."""
    held: dict[str, bytes] = {}
    for name in archive.namelist():
        if name.startswith(_PARTS):
            content = archive.read(name)
            if _DROPPED.encode() in content:
                held[name] = content.replace(_DROPPED.encode(), _KEPT_IN_XML)
    if not held:
        return file
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


def formatted(inner: bytes) -> tuple[bytes, str]:
    """Write what a text in a cell consists of as openpyxl does after reading it, and give its characters.

    Raises:
        ValueError: openpyxl cannot read it.
    """
    try:
        node: Any = fromstring(b'<is xmlns="%b">%b</is>' % (SHEET_MAIN_NS.encode(), kept_in(inner)))
        blocks = [_block(block) for block in CellRichText.from_tree(node)]
    except (SyntaxError, TypeError, KeyError, AttributeError) as exc:
        raise ValueError("a text that openpyxl cannot read") from exc
    if len(blocks) == 1 and isinstance(blocks[0], str):
        return _plain(blocks[0]), blocks[0]
    return b"".join(xml_of(run) for run in CellRichText(blocks).to_tree()), "".join(map(str, blocks))


def xml_of(element: Element) -> bytes:
    """Write an element."""
    return cast("bytes", tostring(element))  # openpyxl's own way to write encodes, which its stubs do not say


def _plain(text: str) -> bytes:
    if not text:
        return b""
    node = Element("t", {f"{{{XML_NS}}}space": "preserve"})
    node.text = text
    return xml_of(node)


def _block(block: str | TextBlock) -> str | TextBlock:
    if isinstance(block, str):
        return block.replace(_KEPT, _DROPPED)
    return TextBlock(block.font, block.text.replace(_KEPT, _DROPPED))
