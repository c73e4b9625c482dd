"""Live sections as a sheet that can come back: what a cell cannot carry unchanged is left blank, and said."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Final, assert_never

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.whole_file import Disk, Placed, place
from sync.adapters.workbook.bulk import BulkCell, BulkSheet, Styled, plain_styles, save
from sync.adapters.workbook.frame import AUTHOR, COLUMNS, add_choices, is_read_only, lock, write_headings
from sync.adapters.workbook.marks import MOST_MARKS
from sync.adapters.workbook.styles import (
    BOOLEAN,
    READ_ONLY_FILL,
    UNLOCKED,
    WRAPPED,
    cell_at,
    is_formula_like,
    is_too_long,
    note,
)
from sync.adapters.workbook.template import SHEET, add_courses, add_help
from sync.base import BASE_SHEET, base_rows
from sync.base import HEADINGS as BASE_HEADINGS
from sync.cells import Clear, Silent, Value, Wrong, is_error_word, reader_for
from sync.frozen import Frozen
from sync.headings import COMMAND
from sync.normalize import equal
from sync.origin import Origin
from sync.section import BY_NAME, Access, FieldKind, Json, Record, SectionField, UnlockType

HEADINGS: Final = (*COLUMNS[:-1], "ImageFileName", "UpdatedOn")
_ROW_HEIGHT: Final = 15.0
"""One line, so that long contents neither flow over their neighbours nor blow up the row."""
_BLANK_NOTE = "Left blank, so that nothing is changed: {reason}. A blank cell leaves the field as it is."

_READERS: Final = {
    field.name: reader_for(field) for field in BY_NAME.values() if field.access in (Access.KEY, Access.EDITABLE)
}
"""How a cell is read when it comes back, by field."""

Values = dict[str, bool | int | str | None]
Reasons = dict[str, str]


class _Styles(Frozen):
    """What cells of the sheet look like, by number; all but the read-only ones are unlocked."""

    of: Mapping[str, int]
    """By heading: Ids are text, contents show their first line only, read-only cells are grey."""
    plain: int
    quoted: int
    boolean: int


def write_export(
    path: Path,
    records: Sequence[Record],
    *,
    origin: Origin,
    courses: Sequence[tuple[int, str]] = (),
    disk: Disk | None = None,
) -> tuple[Placed, tuple[str, ...]]:
    """Write `records` by course, order and Id as .xlsx, or as .csv where `path` ends so; say which cells are blank.

    A workbook keeps hidden what it shows and where it comes from; a CSV cannot.

    Raises:
        FileNotWritten: The file could not be written.
    """
    as_csv = path.suffix.lower() == ".csv"
    records = sorted(records, key=_order)
    rows = [cells_of(record, as_csv=as_csv) for record in records]
    content = _csv(rows) if as_csv else _workbook(rows, list(base_rows(records, origin)), courses)
    return place(path, content, disk=disk), tuple(_notes(rows))


def cells_of(record: Record, *, as_csv: bool = False) -> tuple[Values, Reasons]:
    """Give the cells of one section by heading, and for each that must stay blank the reason."""
    values: Values = {}
    reasons: Reasons = {}
    for heading in HEADINGS:
        field = BY_NAME.get(heading)
        live = record.get(heading)
        if field is None or field.access is Access.ACTION or live is None or live == "":
            continue
        value = _cell(field, live)
        reason = _reason(field, value, live, as_csv=as_csv)
        if reason is None:
            values[heading] = value
        else:
            reasons[heading] = reason
    return values, reasons


def _order(record: Record) -> tuple[int, int, int]:
    course, place_in_course, key = (_whole(record.get(name)) or 0 for name in ("CourseId", "DisplayOrder", "Id"))
    return course, place_in_course, key


def _whole(value: Json) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        return None
    return int(value)


def _cell(field: SectionField, live: Json) -> bool | int | str | None:
    """Write a live value as the sheet says it; `None` where no cell says it."""
    match field.kind:
        case FieldKind.INTEGER:
            number = _whole(live)
            if number is None or number < (field.minimum or 0):
                return None
            return str(number) if field.access is Access.KEY else number
        case FieldKind.UNLOCK_TYPE:
            number = _whole(live)
            return UnlockType(number).name if number in tuple(UnlockType) else None
        case FieldKind.BOOLEAN:
            return live if isinstance(live, bool) else None
        case FieldKind.TEXT | FieldKind.IMAGE_URL | FieldKind.OPAQUE:
            return live.replace("\r\n", "\n").replace("\r", "\n") if isinstance(live, str) else None
        case _:
            assert_never(field.kind)


def _reason(field: SectionField, value: bool | int | str | None, live: Json, *, as_csv: bool) -> str | None:  # noqa: FBT001 - the value of a boolean field
    """Say why the cell must stay blank: it cannot hold the value, or would be read as another when it comes back."""
    if value is None:
        return f"the live value {live!r} is none that a sheet can ask for"
    if isinstance(value, str):
        if is_too_long(value):
            return f"{len(value):,} characters are more than a cell holds"
        if as_csv and (is_formula_like(value) or is_error_word(value)):
            return "a CSV cannot tell this text from a formula or an error of Excel"
    if field.name not in _READERS:
        return None
    match _READERS[field.name](value):
        case Value(value=read):
            return None if equal(field, read, live) else f"the cell would be read as {read!r}"
        case Wrong(message=message):
            return f"the live value {message}"
        case Clear():
            return "the live text is the very word that empties a field"
        case Silent():
            return "the live text is white space only"
        case _ as never:
            assert_never(never)


def _notes(rows: Sequence[tuple[Values, Reasons]]) -> Iterator[str]:
    for values, reasons in rows:
        for heading, reason in reasons.items():
            yield f"{heading} of section {values.get('Id', '?')} is left blank: {reason}."


def _csv(rows: Sequence[tuple[Values, Reasons]]) -> bytes:
    text = StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(HEADINGS)
    for values, _ in rows:
        writer.writerow([_csv_cell(values.get(heading)) for heading in HEADINGS])
    return text.getvalue().encode("utf-8-sig", "backslashreplace")


def _csv_cell(value: bool | int | str | None) -> int | str | None:  # noqa: FBT001 - the value of a boolean field
    return str(value).upper() if isinstance(value, bool) else value


def _workbook(
    rows: Sequence[tuple[Values, Reasons]], kept: Sequence[Sequence[BulkCell]], courses: Sequence[tuple[int, str]]
) -> bytes:
    workbook = Workbook()
    sections = workbook.worksheets[0]
    sections.title = SHEET
    write_headings(sections, HEADINGS)
    add_choices(sections, HEADINGS, first_row=2, courses=len(courses))
    lock(sections, HEADINGS)
    last = len(rows) + 1
    sections.auto_filter.ref = f"A1:{cell_at(sections, last, len(HEADINGS)).coordinate}"
    _comment_blanks(sections, rows)
    add_help(workbook, HEADINGS)
    if courses:
        add_courses(workbook, courses)
    base = workbook.create_sheet(BASE_SHEET)
    base.sheet_state = "veryHidden"
    styles = plain_styles(workbook)
    written = _rows(rows, heading_styles(sections, len(HEADINGS)), _cell_styles(sections))
    sheets = {
        SHEET: BulkSheet(written, len(HEADINGS), last, height=_ROW_HEIGHT),
        BASE_SHEET: BulkSheet(enumerate(kept, start=1), len(BASE_HEADINGS), len(kept)),
    }
    return save(workbook, sheets, styles)


def _comment_blanks(worksheet: Worksheet, rows: Sequence[tuple[Values, Reasons]]) -> None:
    left = MOST_MARKS
    for number, (_, reasons) in enumerate(rows, start=2):
        for heading, reason in reasons.items():
            if left:
                cell = cell_at(worksheet, number, HEADINGS.index(heading) + 1)
                cell.comment = note(_BLANK_NOTE.format(reason=reason), author=AUTHOR)
                left -= 1


def _rows(
    rows: Sequence[tuple[Values, Reasons]], headings: Sequence[int], styles: _Styles
) -> Iterator[tuple[int, Sequence[BulkCell]]]:
    yield 1, [Styled(heading, style) for heading, style in zip(HEADINGS, headings, strict=True)]
    for number, (values, _) in enumerate(rows, start=2):
        yield number, [_styled(heading, values.get(heading), styles) for heading in HEADINGS]


def _styled(heading: str, value: bool | int | str | None, styles: _Styles) -> BulkCell:  # noqa: FBT001 - the value of a boolean field
    """Give a cell its look; one that is blank takes that of its column."""
    if heading in styles.of:
        return Styled(value, styles.of[heading])
    match value:
        case None:
            return None
        case bool():
            return Styled(value, styles.boolean)
        case str() if is_formula_like(value):
            return Styled(value, styles.quoted)
        case _:
            return Styled(value, styles.plain)


def heading_styles(worksheet: Worksheet, width: int, *, row: int = 1) -> list[int]:
    """The styles of headings that were written into `row`."""
    return [cell_at(worksheet, row, column).style_id for column in range(1, width + 1)]


def _cell_styles(worksheet: Worksheet) -> _Styles:
    """Register the styles on cells beside the headings, which are written over."""
    first = len(HEADINGS) + 1
    key, read_only, contents, plain, quoted, boolean = (
        cell_at(worksheet, 1, column) for column in range(first, first + 6)
    )
    read_only.fill = READ_ONLY_FILL
    for cell in (key, contents, plain, quoted, boolean):
        cell.protection = UNLOCKED
    for cell in (read_only, contents, quoted):
        cell.quotePrefix = True
    key.number_format = "@"
    contents.alignment = WRAPPED
    boolean.number_format = BOOLEAN
    grey = {heading: read_only.style_id for heading in HEADINGS if heading != COMMAND and is_read_only(heading)}
    of = grey | {"Id": key.style_id, "SectionContents": contents.style_id}
    return _Styles(of, plain.style_id, quoted.style_id, boolean.style_id)
