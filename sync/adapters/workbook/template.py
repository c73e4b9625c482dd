"""The empty workbook that explains itself: headings with comments, drop-downs, and a page of help."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.whole_file import Disk, Placed, place
from sync.adapters.workbook.frame import (
    ALLOWED,
    COLUMNS,
    EXAMPLES,
    LIST_SHEET,
    add_choices,
    is_read_only,
    lock,
    meaning,
    requirement,
    set_up_page,
    write_headings,
)
from sync.adapters.workbook.styles import (
    BOLD,
    HEADING_FILL,
    HEADING_FONT,
    READ_ONLY_FILL,
    TITLE_FONT,
    WRAPPED,
    cell_at,
    fit_height,
    put,
)

SHEET: Final = "Sections"
HELP_SHEET: Final = "Help"

_RULES = (
    "One row is one section; its Id says which. Get the Ids with an export, and never change them.",
    "Fill in only what is to change. A blank cell, or a column that you delete, leaves the field as it is.",
    "[clear] empties the contents. No other field can be emptied.",
    "A row whose Id begins with #, or whose Command says skip, is left out.",
    "Grey columns are read-only: they help you to find your way, and are never sent. They are locked.",
    "To sort, or to delete rows, take the lock off: Review, Unprotect Sheet. There is no password.",
    "Nothing is sent before you have seen what would change, and said yes.",
    "Afterwards you get this workbook back with a result on each row. Mend the marked cells and send the same file.",
)
_WIDTHS = (18, 54, 44, 40, 32)
_TITLE = "How to fill in this workbook"
_TABLE_HEADINGS = ("The column", "What it means", "Is it needed?", "What it takes", "A filled-in example")


def write_template(path: Path, *, courses: Sequence[tuple[int, str]] = (), disk: Disk | None = None) -> Placed:
    """Write the template; `courses` (number, title) become the drop-down of CourseId.

    Raises:
        FileNotWritten: The file could not be written.
    """
    return place(path, template_workbook(courses=courses), disk=disk)


def template_workbook(*, courses: Sequence[tuple[int, str]] = ()) -> bytes:
    """Make the template."""
    workbook = Workbook()
    sections = workbook.worksheets[0]
    sections.title = SHEET
    write_headings(sections, COLUMNS)
    for column, heading in enumerate(COLUMNS, start=1):
        dimension = sections.column_dimensions[get_column_letter(column)]
        if heading == "Id":
            dimension.number_format = "@"
        elif is_read_only(heading):
            dimension.fill = READ_ONLY_FILL
    add_choices(sections, COLUMNS, first_row=2, courses=len(courses))
    lock(sections, COLUMNS)
    add_help(workbook, COLUMNS)
    if courses:
        add_courses(workbook, courses)
    content = BytesIO()
    workbook.save(content)
    return content.getvalue()


def add_help(workbook: Workbook, headings: Sequence[str]) -> None:
    """Add the page of help: rules, then the columns one below the other, so that it is never taken for data."""
    sheet = workbook.create_sheet(HELP_SHEET)
    sheet.sheet_view.showGridLines = False
    for number, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    put(cell_at(sheet, 1, 1), _TITLE)
    cell_at(sheet, 1, 1).font = TITLE_FONT
    for number, rule in enumerate(_RULES, start=1):
        put(cell_at(sheet, number + 2, 1), f"{number}. {rule}")
    first = len(_RULES) + 5
    for column, text in enumerate(_TABLE_HEADINGS, start=1):
        cell = cell_at(sheet, first - 1, column)
        put(cell, text)
        cell.font, cell.fill = HEADING_FONT, HEADING_FILL
    for row, heading in enumerate(headings, start=first):
        _help_row(sheet, row, heading)
    set_up_page(sheet)


def _help_row(sheet: Worksheet, row: int, heading: str) -> None:
    texts = (heading, meaning(heading), requirement(heading), ALLOWED.get(heading, "–"), EXAMPLES.get(heading, "–"))  # noqa: RUF001 - a dash stands for "nothing"
    for column, text in enumerate(texts, start=1):
        cell = cell_at(sheet, row, column)
        put(cell, text)
        cell.alignment = WRAPPED
        if column == 1:
            cell.font = BOLD
        if is_read_only(heading):
            cell.fill = READ_ONLY_FILL
    fit_height(sheet, row, _WIDTHS)


def add_courses(workbook: Workbook, courses: Sequence[tuple[int, str]]) -> None:
    """Add the hidden sheet behind the drop-down of CourseId, a course a line: `123 · Title`."""
    sheet = workbook.create_sheet(LIST_SHEET)
    sheet.sheet_state = "hidden"
    for row, (number, title) in enumerate(courses, start=1):
        put(cell_at(sheet, row, 1), f"{number} · {title}")
