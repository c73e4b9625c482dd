"""How cells look and how text is put into them: never as a formula, and never so that a file cannot be written."""

import re
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Final

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.worksheet.worksheet import Worksheet

from sync.errors import InternalError
from sync.headings import RESULT_PREFIX
from sync.model import Severity, Status
from sync.table_cells import FORMULA_STARTS

LONGEST: Final = 32_767
"""Characters that a cell of Excel holds, in UTF-16 units."""
CUT: Final = " … (cut to what a cell holds; report.csv and report.jsonl have all of it)"
_LONGEST_ESCAPE: Final = 7
"""Characters that one character may take when it is stored: `_x0001_`."""
_LONGEST_COMMENT: Final = 1_200
LONGEST_OWN_COMMENT: Final = 30_000
"""Of one that is not ours: what a cell holds, and room for a mark."""
_COMMENT_WIDTH: Final = 320
_LINE_HEIGHT: Final = 19
_ROW_HEIGHT: Final = 15.5
_COMMENT_COLUMNS: Final = 46

_UNSTORABLE = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff\\ufffe\\uffff]"
_ESCAPED = re.compile(f"{_UNSTORABLE}|_(?=x[0-9A-Fa-f]{{4}}_)")
_LINE_ENDS = re.compile(r"\r\n?")

_FONT: Final = "Calibri"
TITLE_FONT: Final = Font(name=_FONT, bold=True, size=14, color="FF1F3864")
BOLD: Final = Font(name=_FONT, size=11, bold=True)
FAINT: Final = Font(name=_FONT, size=11, color="FF7F7F7F")
BOOLEAN: Final = '"TRUE";"TRUE";"FALSE"'
"""The number format of truth values, for programs that would show 1 and 0."""
UNLOCKED: Final = Protection(locked=False)
WRAPPED: Final = Alignment(wrap_text=True, vertical="top")

HEADING_FONT: Final = Font(name=_FONT, size=11, bold=True, color="FFFFFFFF")
HEADING_FILL: Final = PatternFill("solid", fgColor="FF1F4E78")
READ_ONLY_HEADING_FILL: Final = PatternFill("solid", fgColor="FF8C8C8C")
READ_ONLY_FILL: Final = PatternFill("solid", fgColor="FFEDEDED")
RESULT_HEADING_FILL: Final = PatternFill("solid", fgColor="FF385723")
ERROR_FILL: Final = PatternFill("solid", fgColor="FFFFC7CE")
WARNING_FILL: Final = PatternFill("solid", fgColor="FFFFEB9C")

STATUS_COLOURS: Final[dict[Status, str]] = {
    Status.UPDATED: "FFC6EFCE",
    Status.TO_UPDATE: "FFDDEBF7",
    Status.VALID: "FFC6EFCE",
    Status.UNCHANGED: "FFEDEDED",
    Status.SKIPPED: "FFEDEDED",
    Status.INVALID: "FFFFC7CE",
    Status.REJECTED: "FFFFC7CE",
    Status.FAILED: "FFFFC7CE",
    Status.CONFLICT: "FFFFEB9C",
    Status.UNKNOWN: "FFFFEB9C",
    Status.NOT_ATTEMPTED: "FFFFEB9C",
}

_GOOD, _PLANNED, _CALM, _BAD, _OPEN = "70AD47", "5B9BD5", "A6A6A6", "C00000", "FFC000"
BAR_COLOURS: Final[dict[Status, str]] = {
    Status.UPDATED: _GOOD,
    Status.VALID: _GOOD,
    Status.TO_UPDATE: _PLANNED,
    Status.UNCHANGED: _CALM,
    Status.SKIPPED: _CALM,
    Status.INVALID: _BAD,
    Status.REJECTED: _BAD,
    Status.FAILED: _BAD,
    Status.CONFLICT: _OPEN,
    Status.UNKNOWN: _OPEN,
    Status.NOT_ATTEMPTED: _OPEN,
}
"""The colours of the chart: those of the cells, strong enough for a bar."""

WIDTHS: Final[dict[str, float]] = {
    "Command": 11,
    "Id": 14,
    "CourseId": 16,
    "CourseTitle": 26,
    "Title": 34,
    "DisplayOrder": 14,
    "UnlockType": 14,
    "UnlockAfterDays": 18,
    "Active": 10,
    "SectionContents": 60,
    "NewImageUrl": 34,
    "ClearImageFile": 16,
    "ImageFileName": 24,
    "UpdatedOn": 23,
    RESULT_PREFIX + "Status": 16,
    RESULT_PREFIX + "Messages": 60,
    RESULT_PREFIX + "Changed": 24,
    RESULT_PREFIX + "Verified": 16,
    RESULT_PREFIX + "Attempts": 16,
    RESULT_PREFIX + "Updated on": 23,
    RESULT_PREFIX + "Updated by": 26,
    RESULT_PREFIX + "Row": 12,
    RESULT_PREFIX + "Run": 24,
}
PLAIN_WIDTH: Final = 16.0


def storable(text: str) -> str:
    r"""Write what XML cannot hold as `_x0001_`, as Excel does, and line ends as `\n`; Excel shows it as it was."""
    lines = _LINE_ENDS.sub("\n", text) if "\r" in text else text
    return _ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", lines)


def is_too_long(text: str) -> bool:
    """Whether a cell cannot hold the text for sure: at the very limit, nobody can tell it from a text that was cut."""
    return _units(text) >= LONGEST


def bursts_a_cell(text: str) -> bool:
    """Whether a cell cannot hold the text at all."""
    return _units(text) > LONGEST


def _units(text: str) -> int:
    """How long a cell takes the text to be, in UTF-16; of a short one, how long it is at the most."""
    return len(text) * 2 if len(text) * 2 < LONGEST else len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(text: str) -> str:
    """Cut a text of ours that is longer than a cell, and say where all of it stands; never for a cell of the sheet."""
    if len(text) * _LONGEST_ESCAPE <= LONGEST or not is_too_long(stored := storable(text)):
        return text
    kept = stored.encode("utf-16-le", "surrogatepass")[: 2 * (LONGEST - len(CUT) - 1)].decode("utf-16-le", "ignore")
    return text[: _spelled(text, len(kept))] + CUT


def _spelled(text: str, length: int) -> int:
    """How many characters of `text` take at most `length` when they are stored."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(storable(text[:middle])) <= length else (low, middle - 1)
    return low


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet would take the text for a formula if somebody typed it."""
    return text.startswith(FORMULA_STARTS)


def cell_at(worksheet: Worksheet, row: int, column: int) -> Cell:
    """Give the cell, counted from 1; of a merged range, the one that shows its value."""
    cell = worksheet.cell(row, column)
    if isinstance(cell, Cell):
        return cell
    merged = next(reach for reach in worksheet.merged_cells.ranges if cell.coordinate in reach)
    anchor = worksheet.cell(merged.min_row or row, merged.min_col or column)
    if isinstance(anchor, MergedCell):  # ranges that overlap: no workbook that Excel made has them
        raise InternalError(f"{cell.coordinate} lies in merged ranges that overlap.")
    return anchor


def put(cell: Cell, value: str | int | None) -> None:
    """Put a number, or a text as text: never a formula, nor an error value, whatever it looks like."""
    if not isinstance(value, str):
        cell.value = value
        return
    cell.value = storable(shortened(value))
    cell.data_type = "s"
    if is_formula_like(value):
        cell.quotePrefix = True


def note(text: str, *, author: str, longest: int = _LONGEST_COMMENT) -> Comment:
    """Make a comment whose box fits its text; a long one is cut, for the report has it in full elsewhere."""
    shown = text if len(text) <= longest else f"{text[:longest]} …"
    lines = sum(1 + len(line) // _COMMENT_COLUMNS for line in shown.splitlines())
    return Comment(storable(shown), author, width=_COMMENT_WIDTH, height=_LINE_HEIGHT * (lines + 1))


def fit_height(worksheet: Worksheet, row: int, widths: Sequence[float]) -> None:
    """Make a row of wrapped texts as high as its longest; not every program does so by itself."""
    texts = (str(cell_at(worksheet, row, column).value or "") for column in range(1, len(widths) + 1))
    worksheet.row_dimensions[row].height = height_of(texts, widths)


def height_of(texts: Iterable[str], widths: Sequence[float]) -> float:
    """How high a row of wrapped texts is in columns of these widths."""
    lines = max(
        sum(max(1, ceil(len(line) / width)) for line in text.split("\n"))
        for text, width in zip(texts, widths, strict=True)
    )
    return _ROW_HEIGHT * max(lines, 1)


def fill_of(severity: Severity) -> PatternFill:
    """The colour of a cell with an issue."""
    return ERROR_FILL if severity is Severity.ERROR else WARNING_FILL


def status_fill(status: Status) -> PatternFill:
    """The colour of a status cell."""
    return PatternFill("solid", fgColor=STATUS_COLOURS[status])
