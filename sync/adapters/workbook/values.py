"""A report of values only: for large sheets, CSV, files that openpyxl cannot carry, and the rows that failed."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import product

from openpyxl import Workbook
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.bulk import (
    CLOCK,
    DAY,
    DURATION,
    GENERAL,
    MOMENT,
    BulkCell,
    BulkSheet,
    ErrorCell,
    Styled,
    plain_styles,
    save,
)
from sync.adapters.workbook.comments import MARK_AUTHOR, UNCACHED, Mark, Place
from sync.adapters.workbook.frame import add_choices, write_headings
from sync.adapters.workbook.gathering import overview_of
from sync.adapters.workbook.layout import Layout
from sync.adapters.workbook.marks import MEND
from sync.adapters.workbook.source import SheetSource
from sync.adapters.workbook.styles import cell_at, fill_of, note, shortened, status_fill
from sync.adapters.workbook.summary import replace_summary
from sync.base import BASE_SHEET, carried_rows
from sync.cells import is_error_word
from sync.frozen import Frozen
from sync.headings import COMMAND, RESULT_HEADINGS, is_choice
from sync.model import FlawKind, Outcome, RunReport, Severity, Status, Table, TableRow
from sync.report import result_cells

_FORBIDDEN_IN_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LONGEST_TITLE = 31
_SMALLEST_MERGE = 2


class _Styles(Frozen):
    headings: Sequence[int]
    by_status: Mapping[Status, int]
    by_severity: Mapping[tuple[Severity, str], int]
    """By severity and number format."""


class _Sheet(Frozen):
    """What one workbook of values is made of."""

    run_id: str
    source: SheetSource
    layout: Layout
    marked: Mapping[Place, Mark]
    outcomes: Mapping[int, Outcome]
    rows: Mapping[int, int]
    """Row of the original to row of this workbook, ascending."""
    width: int
    ours: frozenset[int]
    """Columns whose cells mean something to a run."""
    command: int | None
    alone: frozenset[Place]
    """Cells of the original that lost those they were merged with."""

    def headings(self) -> list[str]:
        names = [str(cell) if cell is not None else "" for cell in self.source.header]
        names += [""] * (self.width - len(names))
        for column in self.layout.emptied:
            names[column] = ""
        for heading, column in self.layout.places.items():
            names[column] = heading
        return names


def values_workbook(
    report: RunReport,
    source: SheetSource,
    layout: Layout,
    marked: Mapping[Place, Mark],
    *,
    rows: Mapping[int, int],
    hidden: frozenset[int] = frozenset(),
    remarks: Sequence[str] = (),
) -> bytes:
    """Write the rows that `rows` names, each at its new number, with results, marks, drop-downs and summary.

    What held a row in the original holds it here too: merged cells stay merged, an error stays an error.
    """
    outcomes = {int(outcome.row): outcome for outcome in report.outcomes}
    width = max(source.width(), *(column + 1 for column in layout.places.values()))
    merges, anchors, alone = _merges(source, rows)
    command = layout.places.get(COMMAND, source.column_of(COMMAND))
    ours = source.named_columns()
    sheet = _Sheet(report.run_id, source, layout, marked, outcomes, rows, width, ours, command, alone)
    workbook = Workbook()
    worksheet = workbook.worksheets[0]
    worksheet.title = _title(source.sheet)
    headings = sheet.headings()
    header_row = rows[source.header_row]
    last_row = max(rows.values())
    write_headings(worksheet, headings, row=header_row)
    add_choices(worksheet, headings, first_row=header_row + 1)
    worksheet.auto_filter.ref = f"A{header_row}:{get_column_letter(len(headings))}{last_row}"
    for place, mark in marked.items():
        row, column = anchors.get(place, place)
        if row in rows and (place == (row, column) or (row, column) not in marked):
            cell_at(worksheet, rows[row], column + 1).comment = note(mark.text, author=MARK_AUTHOR)
    worksheet.merged_cells.ranges.update(CellRange(merge) for merge in merges)
    pages = replace_summary(workbook, overview_of(report), after=worksheet, remarks=remarks)
    styles = _register(worksheet, header_row, len(headings))
    sheets = {worksheet.title: BulkSheet(_rows(sheet, styles), len(headings), last_row, hidden)}
    if source.base is not None:
        wanted = {_key(outcomes[row]) for row in rows if row in outcomes}
        sheets[_add_base(workbook)] = _base(source.base, wanted)
    return save(workbook, sheets, plain_styles(workbook), pages=pages)


def _title(name: str) -> str:
    title = _FORBIDDEN_IN_TITLE.sub("_", name)[:_LONGEST_TITLE].strip("' ")
    return title or "Sections"


def _register(worksheet: Worksheet, header_row: int, width: int) -> _Styles:
    """Take the headings' styles, and register those of statuses and marks on cells that are written over."""
    headings = [cell_at(worksheet, header_row, column).style_id for column in range(1, width + 1)]
    by_status = {
        status: _filled(worksheet, header_row, width + number, status_fill(status))
        for number, status in enumerate(Status, start=1)
    }
    by_severity = {
        looks: _filled(worksheet, header_row, width + len(Status) + number, fill_of(looks[0]), looks[1])
        for number, looks in enumerate(product(Severity, (GENERAL, MOMENT, DAY, CLOCK, DURATION)), start=1)
    }
    return _Styles(headings, by_status, by_severity)


def _format_of(cell: BulkCell) -> str:
    match cell:
        case datetime():
            return MOMENT
        case date():
            return DAY
        case time():
            return CLOCK
        case timedelta():
            return DURATION
        case _:
            return GENERAL


def _filled(worksheet: Worksheet, row: int, column: int, fill: PatternFill, number_format: str = GENERAL) -> int:
    """Register one fill on a cell of its own: openpyxl keeps a cell's style by reference."""
    scratch = cell_at(worksheet, row, column)
    scratch.quotePrefix = True
    scratch.fill = fill
    scratch.number_format = number_format
    return scratch.style_id


def _rows(sheet: _Sheet, styles: _Styles) -> Iterator[tuple[int, Sequence[BulkCell]]]:
    results = [sheet.layout.places[heading] for heading in RESULT_HEADINGS]
    marked_rows = {row for row, _ in sheet.marked}
    for row in sheet.source.rows:
        number = int(row.number)
        if number not in sheet.rows:
            continue
        if number == sheet.source.header_row:
            texts = sheet.headings()
            yield sheet.rows[number], [Styled(text, style) for text, style in zip(texts, styles.headings, strict=True)]
            continue
        cells = _own_cells(row, sheet)
        if number in sheet.outcomes:
            outcome = sheet.outcomes[number]
            for column, value in zip(results, result_cells(outcome, run_id=sheet.run_id), strict=True):
                cells[column] = shortened(value) if isinstance(value, str) else value
            cells[results[0]] = Styled(outcome.status.value, styles.by_status[outcome.status])
        if number in marked_rows:
            _colour(cells, number, sheet, styles)
        yield sheet.rows[number], cells


def _own_cells(row: TableRow, sheet: _Sheet) -> list[BulkCell]:
    cells: list[BulkCell] = list(row.cells[: sheet.width])
    cells += [None] * (sheet.width - len(cells))
    for column, flaw in row.flaws.items():
        if flaw.kind is FlawKind.UNCACHED_FORMULA:
            # In a column of ours its text would be taken for a value; elsewhere it is the operator's own.
            cells[column] = ErrorCell(UNCACHED) if column in sheet.ours else flaw.shown
        else:
            cells[column] = ErrorCell(flaw.shown)
    if sheet.source.format == "csv":
        for column in sheet.ours:
            word = cells[column]
            if isinstance(word, str) and is_error_word(word):  # in a CSV that is an error; here a text would be a text
                cells[column] = ErrorCell(word.strip())
    outcome = sheet.outcomes.get(int(row.number))
    in_conflict = outcome is not None and outcome.status is Status.CONFLICT
    if in_conflict and sheet.command is not None and is_choice(cells[sheet.command]):
        cells[sheet.command] = None  # a choice that did not hold is made anew, by somebody who has looked
    if row.broken is not None and sheet.command is not None and int(row.number) in sheet.outcomes:
        cells[sheet.command] = MEND
    for column in row.merged:
        if (int(row.number), column) in sheet.alone:
            cells[column] = ErrorCell(UNCACHED)
    if row.number > sheet.source.header_row:
        for column in sheet.layout.emptied:
            cells[column] = None
    return cells


def _colour(cells: list[BulkCell], number: int, sheet: _Sheet, styles: _Styles) -> None:
    for column, cell in enumerate(cells):
        mark = sheet.marked.get((number, column))
        if mark is None or isinstance(cell, Styled):
            continue
        # a date keeps its format, without which it would be read as a number
        style = styles.by_severity[mark.severity, _format_of(cell)]
        cells[column] = ErrorCell(cell.shown, style) if isinstance(cell, ErrorCell) else Styled(cell, style)


def _merges(source: SheetSource, rows: Mapping[int, int]) -> tuple[list[str], Mapping[Place, Place], frozenset[Place]]:
    """Give the merged ranges below the heading at their new rows, the first cell of each of their cells, and the rest.

    The rest are cells that lost those they were merged with.
    """
    reaches = {flaw.shown for row in source.rows if int(row.number) in rows for flaw in row.merged.values()}
    merges: list[str] = []
    alone: set[Place] = set()
    anchors: dict[Place, Place] = {}
    numbers, width = list(rows), source.width()
    for first, top, last, bottom in sorted(map(_bounds, reaches)):
        kept = numbers[bisect_left(numbers, max(top, source.header_row + 1)) : bisect_right(numbers, bottom)]
        cells = {(row, column - 1) for row in kept for column in range(first, min(last, width) + 1)}
        if len(cells) < _SMALLEST_MERGE or not anchors.keys().isdisjoint(cells):
            alone |= cells
            continue
        anchors |= dict.fromkeys(cells, min(cells))
        ends = get_column_letter(first), get_column_letter(min(last, width))
        merges.append(f"{ends[0]}{rows[kept[0]]}:{ends[1]}{rows[kept[-1]]}")
    return merges, anchors, frozenset(alone)


def _bounds(reach: str) -> tuple[int, int, int, int]:
    """First column, first row, last column and last row of `A1:C3`."""
    first, top, last, bottom = range_boundaries(reach)
    return first or 1, top or 1, last or 1, bottom or 1


def _add_base(workbook: Workbook) -> str:
    worksheet = workbook.create_sheet(BASE_SHEET)
    worksheet.sheet_state = "veryHidden"
    title: str = worksheet.title
    return title


def _key(outcome: Outcome) -> str:
    """The Id of a row, also of one that could not be judged."""
    return outcome.label.id if outcome.section_id is None else str(outcome.section_id)


def _base(base: Table, wanted: set[str]) -> BulkSheet:
    """Carry the rows of the export's base that belong to these sections."""
    kept = carried_rows(base, wanted)
    width = max(len(row.cells) for row in kept)
    return BulkSheet([(n, row.cells) for n, row in enumerate(kept, start=1)], width, len(kept))
