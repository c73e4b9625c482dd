"""What template, export and failed rows share: headings with comments, drop-downs, widths, read-only columns."""

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.styles import (
    HEADING_FILL,
    HEADING_FONT,
    PLAIN_WIDTH,
    READ_ONLY_HEADING_FILL,
    RESULT_HEADING_FILL,
    UNLOCKED,
    WIDTHS,
    WRAPPED,
    cell_at,
    note,
    put,
)
from sync.headings import COMMAND, RESULT_PREFIX, field_of
from sync.section import BY_NAME, Access, SectionField, UnlockType

AUTHOR: Final = "coursesync"
LIST_SHEET: Final = "Lists"
LAST_ROW: Final = 1_048_576

COLUMNS: Final = (
    COMMAND,
    "Id",
    "CourseId",
    "CourseTitle",
    "Title",
    "DisplayOrder",
    "UnlockType",
    "UnlockAfterDays",
    "Active",
    "SectionContents",
    "NewImageUrl",
    "ClearImageFile",
    "UpdatedOn",
)
"""The headings of a template, in order."""

ALLOWED: Final[Mapping[str, str]] = {
    COMMAND: "skip, sheet, live or blank",
    "Id": "a whole number, 1 or more",
    "CourseId": "a whole number, or 123 · Title",
    "Title": "text",
    "DisplayOrder": "a whole number, 0 or more",
    "UnlockType": "Immediate, Sequential, Timed (or 1, 2, 3)",
    "UnlockAfterDays": "a whole number, 0 or more",
    "Active": "TRUE or FALSE",
    "SectionContents": "HTML, shorter than 32,767 characters",
    "NewImageUrl": "an https address that ends in .jpg, .jpeg, .png or .gif",
    "ClearImageFile": "TRUE or blank",
}
EXAMPLES: Final[Mapping[str, str]] = {
    COMMAND: "skip",
    "Id": "1414990001",
    "CourseId": "123 · First steps",
    "CourseTitle": "First steps",
    "Title": "Finding your desk",
    "DisplayOrder": "2",
    "UnlockType": "Timed",
    "UnlockAfterDays": "7",
    "Active": "TRUE",
    "SectionContents": "<p>Welcome!</p>",
    "NewImageUrl": "https://example.com/desk.png",
    "ClearImageFile": "TRUE",
    "UpdatedOn": "2025-01-15T10:30:00Z",
}
_COMMAND_MEANING = (
    "What is to be done with the row: skip leaves it out; after a conflict, sheet or live says which one holds."
)
_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    COMMAND: ("skip", "sheet", "live"),
    "UnlockType": tuple(kind.name for kind in UnlockType),
    "Active": ("TRUE", "FALSE"),
    "ClearImageFile": ("TRUE", "FALSE"),
}


def meaning(heading: str) -> str:
    """One sentence on a column."""
    return _COMMAND_MEANING if heading == COMMAND else BY_NAME[heading].meaning.replace("`", "")


def requirement(heading: str) -> str:
    """Whether a row needs the column, and what a blank cell does."""
    if heading == COMMAND:
        return "Optional."
    field = BY_NAME[heading]
    match field.access:
        case Access.KEY:
            return "Required in every row."
        case Access.READ_ONLY | Access.ECHOED:
            return "Read-only: shown for you, never sent."
        case Access.ACTION:
            return "Optional. A blank cell does nothing."
        case Access.EDITABLE:
            return "Optional. A blank cell leaves the field as it is." + _emptying(field)
        case _:
            assert_never(field.access)


def _emptying(field: SectionField) -> str:
    if field.clearable:
        return " [clear] empties it."
    return " It cannot be emptied." if field.required else ""


def is_read_only(heading: str) -> bool:
    """Whether the column is for the eye only."""
    field = BY_NAME.get(heading)
    return field is not None and field.access in (Access.READ_ONLY, Access.ECHOED)


def heading_comment(heading: str) -> str:
    """What the comment on a heading says: meaning, required, allowed, example."""
    lines = [meaning(heading), requirement(heading)]
    if heading in ALLOWED:
        lines.append(f"Allowed: {ALLOWED[heading]}")
    if heading in EXAMPLES:
        lines.append(f"Example: {EXAMPLES[heading]}")
    return "\n".join(line for line in lines if line)


def write_headings(worksheet: Worksheet, headings: Sequence[object], *, row: int = 1, comments: bool = True) -> None:
    """Write styled headings into `row`, set the widths, and freeze what is above and the Id's column."""
    for column, heading in enumerate(headings, start=1):
        text = "" if heading is None else str(heading)
        name = field_of(text) or text
        cell = cell_at(worksheet, row, column)
        put(cell, text)
        style_heading(worksheet, row, column, name)
        if comments and (name == COMMAND or name in BY_NAME):
            cell.comment = note(heading_comment(name), author=AUTHOR)
        worksheet.column_dimensions[get_column_letter(column)].width = WIDTHS.get(name, PLAIN_WIDTH)
    names = [field_of(str(heading or "")) for heading in headings]
    key = names.index("Id") + 1 if "Id" in names else 0
    worksheet.freeze_panes = f"{get_column_letter(key + 1)}{row + 1}"
    set_up_page(worksheet)
    worksheet.print_title_rows = f"{row}:{row}"


def lock(worksheet: Worksheet, headings: Sequence[object]) -> None:
    """Lock what is read-only, and the headings; whoever knows what they do takes the lock off, without a password.

    Excel does not let a locked sheet be sorted, nor rows with a locked cell be deleted.
    """
    for column, heading in enumerate(headings, start=1):
        if not is_read_only(str(heading)):
            worksheet.column_dimensions[get_column_letter(column)].protection = UNLOCKED
    protection = worksheet.protection
    protection.enable()
    for allowed in ("formatCells", "formatColumns", "formatRows", "insertRows", "deleteRows", "deleteColumns"):
        setattr(protection, allowed, False)  # openpyxl has the schema's sense: whether it is forbidden
    protection.sort = protection.autoFilter = False


def set_up_page(worksheet: Worksheet) -> None:
    """Print all columns on one page's width, landscape."""
    worksheet.page_setup.orientation = "landscape"
    worksheet.page_setup.fitToHeight = 0
    if worksheet.sheet_properties.pageSetUpPr is not None:
        worksheet.sheet_properties.pageSetUpPr.fitToPage = True


def style_heading(worksheet: Worksheet, row: int, column: int, name: str) -> None:
    """Colour one heading: ours to edit, read-only, or a result."""
    cell = cell_at(worksheet, row, column)
    cell.font = HEADING_FONT
    cell.alignment = WRAPPED
    if name.startswith(RESULT_PREFIX):
        cell.fill = RESULT_HEADING_FILL
    else:
        cell.fill = READ_ONLY_HEADING_FILL if is_read_only(name) else HEADING_FILL


def add_choices(worksheet: Worksheet, headings: Sequence[object], *, first_row: int, courses: int = 0) -> None:
    """Give the columns their drop-downs, and let Excel refuse typing into those that are read-only."""
    for column, heading in enumerate(headings, start=1):
        name = field_of(str(heading or ""))
        reach = f"{get_column_letter(column)}{first_row}:{get_column_letter(column)}{LAST_ROW}"
        if name is None:
            continue
        if name in _LISTS:
            choice = DataValidation("list", formula1=f'"{",".join(_LISTS[name])}"', allow_blank=True)
            choice.errorTitle, choice.error = name, f"{name} takes: {ALLOWED[name]}."
            choice.errorStyle = "warning"
        elif name == "CourseId" and courses:
            choice = DataValidation("list", formula1=f"{LIST_SHEET}!$A$1:$A${courses}", allow_blank=True)
            choice.showErrorMessage = False
        elif is_read_only(name):
            choice = DataValidation("custom", formula1="FALSE", allow_blank=False)
            choice.errorTitle, choice.error = name, f"{name} is read-only: {meaning(name)} A change here is not sent."
        else:
            continue
        choice.showErrorMessage = bool(choice.error)
        choice.add(reach)
        worksheet.add_data_validation(choice)
