"""Two workbooks compared as openpyxl reads them: all that a person would see in them, and all that a report needs."""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.rich_text import CellRichText
from openpyxl.worksheet.worksheet import Worksheet

_ADDRESS = re.compile(" object at 0x[0-9a-f]+")
_LOOKS = ("font", "fill", "border", "number_format", "protection", "alignment", "quotePrefix")
_KEPT_BY_ONE_READER = "x005F_"
"""openpyxl reads it in a cell's own text, and drops it in one of the table."""
_ABOUT_SHEETS = (
    "sheet_state",
    "merged_cells",
    "auto_filter",
    "freeze_panes",
    "data_validations",
    "print_area",
    "print_title_rows",
    "print_title_cols",
    "protection",
    "sheet_properties",
    "sheet_format",
    "views",
    "page_setup",
    "page_margins",
    "print_options",
    "HeaderFooter",
    "row_breaks",
    "col_breaks",
)


def differences(one: bytes, other: bytes) -> list[str]:
    """Say in what two workbooks differ; nothing where they are alike."""
    books = [load_workbook(BytesIO(content), rich_text=True) for content in (one, other)]
    names = [book.sheetnames for book in books]
    if names[0] != names[1]:
        return [f"sheets: {names[0]} and {names[1]}"]
    found = [_differing("defined names", *(dict(book.defined_names) for book in books))]
    for name in names[0]:
        found += [f"{name}, {what}" if what else "" for what in _sheet_differences(*(book[name] for book in books))]
    return [each for each in found if each]


def _sheet_differences(one: object, other: object) -> Iterator[str]:
    if not isinstance(one, Worksheet) or not isinstance(other, Worksheet):
        return
    cells = [dict(_cells(sheet)) for sheet in (one, other)]
    for place in sorted(cells[0].keys() | cells[1].keys()):
        yield _differing(f"cell {place}", *(each.get(place) for each in cells))
    for about in ("row_dimensions", "column_dimensions"):
        yield _differing(about, *(dict(_dimensions(getattr(sheet, about))) for sheet in (one, other)))
    for about in _ABOUT_SHEETS:
        yield _differing(about, *(_shown(getattr(sheet, about)) for sheet in (one, other)))
    yield _differing("conditional formats", *(_conditions(sheet) for sheet in (one, other)))
    yield _differing("tables", *({n: _shown(t) for n, t in sheet.tables.items()} for sheet in (one, other)))
    yield _differing("charts and pictures", *((len(s._charts), len(s._images)) for s in (one, other)))


def _differing(what: str, one: object, other: object) -> str:
    return "" if one == other else f"{what}: {one!r} and {other!r}"


def _cells(sheet: Worksheet) -> Iterator[tuple[tuple[int, int], object]]:
    looks: dict[tuple[int, ...], object] = {}
    for place, cell in sheet._cells.items():
        key = tuple(cell._style or ())
        if key not in looks:
            looks[key] = tuple(_shown(getattr(cell, name)) for name in _LOOKS)
        value = _value(cell.value)
        comment = cell.comment and (cell.comment.text, cell.comment.author, cell.comment.width, cell.comment.height)
        link = cell.hyperlink and (cell.hyperlink.target, cell.hyperlink.location, cell.hyperlink.tooltip)
        kind = None if value is None else cell.data_type
        if value is not None or comment or link or any(key):
            yield place, (kind, value, comment, link, looks[key])


def _dimensions(held: Mapping[object, Any]) -> Iterator[tuple[object, object]]:
    for place, each in held.items():
        said = {name: value for name, value in dict(each).items() if name not in {"s", "style"}}
        if said:
            yield place, (said, *(_shown(getattr(each, name)) for name in _LOOKS))


def _value(value: object) -> object:
    if isinstance(value, CellRichText):
        return [_value(each) if isinstance(each, str) else (_value(each.text), _shown(each.font)) for each in value]
    if isinstance(value, str):
        return value.replace(_KEPT_BY_ONE_READER, "") or None
    return value


def _conditions(sheet: Worksheet) -> Mapping[str, list[str]]:
    return {str(each.sqref): [_shown(rule) for rule in each.rules] for each in sheet.conditional_formatting}


def _shown(value: object) -> str:
    return _ADDRESS.sub("", repr(value))
