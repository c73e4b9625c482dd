"""Rows of a large sheet as XML text, put into a workbook that openpyxl made: ten times faster than cell by cell.

openpyxl writes everything around the rows (styles, comments, drop-downs, other sheets); the rows themselves are
streamed into the sheet's part when the archive is copied. No `<f>` is ever written, so there can be no formula.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from math import isfinite

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

from sync.adapters.workbook.splice import Splice, around, save_with
from sync.adapters.workbook.styles import BOOLEAN, bursts_a_cell, is_formula_like, storable
from sync.frozen import Frozen
from sync.model import CellValue

_ROWS_A_CHUNK = 500
_LARGEST_EXACT = 2**53
GENERAL = "General"
MOMENT = "yyyy-mm-dd hh:mm:ss"
DAY = "yyyy-mm-dd"
CLOCK = "hh:mm:ss"
DURATION = "[hh]:mm:ss"
_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})


class Styled(Frozen):
    """A value in the style of a prototype cell."""

    value: CellValue
    style: int
    """`style_id` of a cell of the same workbook; for text that came from elsewhere with `quotePrefix`."""


class ErrorCell(Frozen):
    """A cell that shows an error, so that the loader holds its row as it held it before."""

    shown: str
    style: int = 0


BulkCell = CellValue | Styled | ErrorCell


class PlainStyles(Frozen):
    """The styles that a value asks for by itself."""

    quoted: int
    moment: int
    day: int
    time: int
    duration: int
    boolean: int
    """For programs that would show 1 and 0; Excel shows TRUE and FALSE by itself."""


class BulkSheet(Frozen):
    """The rows of one sheet: numbers ascending, from 1; and how wide the widest is."""

    rows: Iterable[tuple[int, Sequence[BulkCell]]]
    width: int
    last_row: int
    hidden: frozenset[int] = frozenset()
    """Rows that are written hidden."""
    height: float | None = None
    """Of every row but the first, in points; without it each program chooses."""


def plain_styles(workbook: Workbook) -> PlainStyles:
    """Register what texts and dates need in `workbook`, by a cell that is thrown away."""
    scratch = workbook.create_sheet()
    try:
        quoted, moment, day, clock, duration, truth = (scratch.cell(1, column) for column in range(1, 7))
        quoted.quotePrefix = True
        moment.number_format = MOMENT
        day.number_format = DAY
        clock.number_format = CLOCK
        duration.number_format = DURATION
        truth.number_format = BOOLEAN
        return PlainStyles(
            quoted.style_id, moment.style_id, day.style_id, clock.style_id, duration.style_id, truth.style_id
        )
    finally:
        workbook.remove(scratch)


def save(
    workbook: Workbook,
    sheets: Mapping[str, BulkSheet],
    styles: PlainStyles,
    *,
    pages: Mapping[str, Splice] | None = None,
) -> bytes:
    """Write the workbook, with the rows of `sheets` (by title) in place of what those sheets hold.

    Of `pages` as well, but not all of it, the rows are written here.
    """
    splices: dict[str, Splice] = {
        title: partial(_with_rows, sheet=sheet, styles=styles) for title, sheet in sheets.items()
    }
    return save_with(workbook, splices | dict(pages or {})).getvalue()


def _with_rows(content: bytes, *, sheet: BulkSheet, styles: PlainStyles) -> Iterator[bytes]:
    reach = f"A1:{get_column_letter(max(sheet.width, 1))}{max(sheet.last_row, 1)}"
    before, _, after = around(content, reach=reach)
    yield before
    chunk: list[str] = []
    for number, cells in sheet.rows:
        chunk.append(row_xml(number, cells, styles, attributes=_attributes(number, sheet)))
        if len(chunk) == _ROWS_A_CHUNK:
            yield "".join(chunk).encode()
            chunk.clear()
    yield "".join(chunk).encode()
    yield after


def row_xml(number: int, cells: Sequence[BulkCell], styles: PlainStyles, *, attributes: str = "") -> str:
    """Write one row; blank cells without a style are left out."""
    written = [
        _cell_xml(f"{letter}{number}", cell, styles)
        for letter, cell in zip(_letters(len(cells)), cells, strict=True)
        if cell is not None
    ]
    return f'<row r="{number}"{attributes}>{"".join(written)}</row>'


def _attributes(number: int, sheet: BulkSheet) -> str:
    hidden = ' hidden="1"' if number in sheet.hidden else ""
    return hidden if sheet.height is None or number == 1 else f'{hidden} ht="{sheet.height}" customHeight="1"'


@lru_cache(maxsize=16)
def _letters(width: int) -> tuple[str, ...]:
    return tuple(get_column_letter(column) for column in range(1, width + 1))


def _cell_xml(reference: str, cell: BulkCell, styles: PlainStyles) -> str:
    style = 0
    if type(cell) is int and abs(cell) <= _LARGEST_EXACT:
        return f'<c r="{reference}" s="0"><v>{cell}</v></c>'
    if isinstance(cell, Styled):
        style = cell.style
        cell = cell.value
    if isinstance(cell, str):
        return _text_xml(reference, cell, style or (styles.quoted if is_formula_like(cell) else 0))
    if isinstance(cell, ErrorCell):
        shown = cell.shown if cell.shown in _ERRORS else "#VALUE!"
        return f'<c r="{reference}" s="{cell.style}" t="e"><v>{shown}</v></c>'
    if cell is None:
        return f'<c r="{reference}" s="{style}"/>'
    if isinstance(cell, bool):
        return f'<c r="{reference}" s="{style or styles.boolean}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, (int, float)):
        return _number_xml(reference, cell, style)
    return _moment_xml(reference, cell, style, styles)


def _text_xml(reference: str, text: str, style: int) -> str:
    if bursts_a_cell(text):
        return f'<c r="{reference}" s="{style}" t="e"><v>#VALUE!</v></c>'
    if "_x" in text or not text.replace("\n", "").isprintable():
        text = storable(text)
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<c r="{reference}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _number_xml(reference: str, number: float, style: int) -> str:
    if isinstance(number, int) and abs(number) > _LARGEST_EXACT:
        if not _is_a_double(number):
            return _text_xml(reference, str(number), style)
        number = float(number)
    if not isfinite(number):
        return _text_xml(reference, str(number), style)
    return f'<c r="{reference}" s="{style}"><v>{number!r}</v></c>'


def _is_a_double(number: int) -> bool:
    """Whether a cell holds exactly this whole number; the readers give whole doubles as such."""
    try:
        return float(number) == number
    except OverflowError:
        return False


def _moment_xml(
    reference: str, value: str | datetime | date | time | timedelta, style: int, styles: PlainStyles
) -> str:
    if isinstance(value, datetime):
        kind = styles.moment
    elif isinstance(value, date):
        kind = styles.day
    elif isinstance(value, time):
        kind = styles.time
    else:
        kind = styles.duration
    serial: float = to_excel(value)  # type: ignore[no-untyped-call]  # the stubs leave this one open
    return f'<c r="{reference}" s="{style or kind}"><v>{serial!r}</v></c>'
