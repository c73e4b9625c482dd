"""The operator's own workbook with the results on it: formats, widths and other sheets kept, formulas as values."""

import warnings
from collections.abc import Mapping
from copy import copy
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.frame import AUTHOR, style_heading
from sync.adapters.workbook.losses import losses
from sync.adapters.workbook.marks import (
    MARK_AUTHOR,
    UNCACHED,
    UNCACHED_NOTE,
    UNCACHED_NOTE_START,
    Mark,
    Place,
    is_choice,
    over,
    under,
)
from sync.adapters.workbook.own_order import Order
from sync.adapters.workbook.own_text import give_back, kept_from_openpyxl
from sync.adapters.workbook.source import Layout, SheetSource
from sync.adapters.workbook.styles import (
    LONGEST_OWN_COMMENT,
    PLAIN_WIDTH,
    UNLOCKED,
    WIDTHS,
    cell_at,
    fill_of,
    is_formula_like,
    note,
    put,
    status_fill,
)
from sync.adapters.workbook.summary import remove_summaries, replace_summary
from sync.headings import COMMAND
from sync.model import FlawKind, RunReport, Status
from sync.report import RESULT_HEADINGS, result_cells

if TYPE_CHECKING:
    from openpyxl.styles.cell_style import StyleArray

_MOST_BYTES = 40_000_000
"""Inflated: above it, openpyxl would need minutes and gigabytes."""
_UNOPENABLE = (
    BadZipFile,
    InvalidFileException,
    OSError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    NotImplementedError,
    SyntaxError,
)
"""What openpyxl is known to raise over odd files; `SyntaxError` is the XML parsers' base."""


def annotated(order: Order) -> bytes | None:
    """Write the results onto a copy of the original; `None` where openpyxl cannot carry that file."""
    report, source, layout = order.report, order.source, order.layout
    opened = _open(source)
    if opened is None:
        return None
    workbook, worksheet, lost = opened
    for each in workbook.worksheets:
        _clean(each, header_row=source.header_row if each is worksheet else None)
    _mend_flaws(worksheet, source)
    _empty_old_results(worksheet, source, layout)
    _make_room(worksheet, source, layout)
    _write_results(worksheet, report, source, layout)
    _write_marks(worksheet, order.marked)
    _set_filter(worksheet, report, source, layout)
    _show_first(workbook, worksheet)
    if not worksheet.freeze_panes:
        worksheet.freeze_panes = f"A{source.header_row + 1}"
    replace_summary(workbook, report, after=worksheet, remarks=(*lost, *order.remarks))
    workbook.template = False  # a template's kind of content does not go with the name `.xlsx`
    content = BytesIO()
    try:
        workbook.save(content)
    except _UNOPENABLE:
        return None
    return content.getvalue()


def _open(source: SheetSource) -> tuple[Workbook, Worksheet, tuple[str, ...]] | None:
    """Open the original with the formulas' cached values, and tell what of it is lost."""
    try:
        with ZipFile(source.path) as archive:
            if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
                return None
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                workbook = load_workbook(
                    kept_from_openpyxl(source.path, archive), data_only=True, keep_links=False, rich_text=True
                )
            worksheet = next((each for each in workbook.worksheets if each.title == source.sheet), None)
            if worksheet is None:
                return None
            own_charts = remove_summaries(workbook)
            warned = [str(warning.message) for warning in said]
            return workbook, worksheet, losses(archive, workbook, warned, own_charts=own_charts)
    except _UNOPENABLE:
        return None


def _clean(worksheet: Worksheet, *, header_row: int | None) -> None:
    """Quote what looks like a formula, fit comments to their text, and take off the marks of a former report."""
    for row in worksheet.iter_rows():
        for cell in row:
            if not isinstance(cell, Cell):
                continue
            give_back(cell)
            text = cell.value
            if isinstance(text, (str, CellRichText)) and cell.data_type != "e" and is_formula_like(str(text)):
                cell.data_type = "s"
                cell.quotePrefix = True
            if cell.comment is not None:
                _clean_comment(cell, is_row=header_row is not None and cell.row > header_row)


def _clean_comment(cell: Cell, *, is_row: bool) -> None:
    comment = cell.comment
    if comment is None:
        return
    if is_row and comment.author == MARK_AUTHOR:
        kept = under(comment.text or "")
        if kept is not None and kept[1].startswith(UNCACHED_NOTE_START) and cell.data_type != "e":
            kept = None  # the value is there by now
        cell.comment = None if kept is None else note(kept[1], author=kept[0], longest=LONGEST_OWN_COMMENT)
        cell.fill = PatternFill()
    else:
        fitted = note(comment.text or "", author=comment.author or "")
        comment.width, comment.height = fitted.width, fitted.height


def _mend_flaws(worksheet: Worksheet, source: SheetSource) -> None:
    """A formula without a cached value: an error in a column of ours, else a returned row would be taken for blank.

    In any other column its text stays, as text: there it is the operator's own, and nothing is asked of it.
    """
    ours = source.named_columns()
    for row in source.rows:
        for column, flaw in row.flaws.items():
            cell = cell_at(worksheet, row.number, column + 1)
            if cell.value is not None:
                continue
            if flaw.kind is not FlawKind.UNCACHED_FORMULA:
                cell.value = flaw.shown
            elif column in ours:
                cell.value = UNCACHED
                cell.comment = note(UNCACHED_NOTE.format(formula=flaw.shown), author=AUTHOR)
            else:
                put(cell, flaw.shown)


def _empty_old_results(worksheet: Worksheet, source: SheetSource, layout: Layout) -> None:
    for column in layout.emptied:
        for row in range(source.header_row, worksheet.max_row + 1):
            cell = cell_at(worksheet, row, column + 1)
            cell.value = None
            cell.style = "Normal"


def _make_room(worksheet: Worksheet, source: SheetSource, layout: Layout) -> None:
    """Take apart what lies across the added columns: merged cells, and one width for a run of columns."""
    added = range(min(layout.places.values()) + 1, max(layout.places.values()) + 2)
    for merged in list(worksheet.merged_cells.ranges):
        reaches = (merged.max_row or 0) >= source.header_row and (merged.max_col or 0) >= added.start
        if reaches and any((merged.min_col or 0) <= column + 1 for column in layout.places.values()):
            worksheet.unmerge_cells(str(merged))
    dimensions = worksheet.column_dimensions
    for letter in list(dimensions):
        run = dimensions[letter]
        first, last = run.min or 0, run.max or 0
        if last >= added.start and last > first:
            for column in range(max(first + 1, added.start), min(last + 1, added.stop)):
                dimensions[get_column_letter(column)].width = run.width
            run.max = max(first, added.start - 1)


def _write_results(worksheet: Worksheet, report: RunReport, source: SheetSource, layout: Layout) -> None:
    for heading, column in layout.places.items():
        put(cell_at(worksheet, source.header_row, column + 1), heading)
        style_heading(worksheet, source.header_row, column + 1, heading)
        worksheet.column_dimensions[get_column_letter(column + 1)].width = WIDTHS.get(heading, PLAIN_WIDTH)
        worksheet.column_dimensions[get_column_letter(column + 1)].hidden = False
    if COMMAND in layout.places and worksheet.protection.sheet:  # on a locked sheet the choice must be open
        for outcome in report.outcomes:
            cell_at(worksheet, outcome.row, layout.places[COMMAND] + 1).protection = UNLOCKED
    _empty_choices(worksheet, report, source)
    columns = [layout.places[heading] + 1 for heading in RESULT_HEADINGS]
    came_back = bool(source.result_columns())  # then old results are written over, with nothing where there is nothing
    for outcome in report.outcomes:
        for column, value in zip(columns, result_cells(outcome, run_id=report.run_id), strict=True):
            if value is not None or came_back:
                put(cell_at(worksheet, outcome.row, column), value)
    _colour(worksheet, report, columns[0])


def _empty_choices(worksheet: Worksheet, report: RunReport, source: SheetSource) -> None:
    """A choice that did not hold is made anew, by somebody who has looked: sent as it is, the row conflicts again."""
    column = source.column_of(COMMAND)
    if column is None:
        return
    for outcome in report.outcomes:
        cell = cell_at(worksheet, outcome.row, column + 1)
        if outcome.status is Status.CONFLICT and is_choice(cell.value):
            cell.value = None


def _colour(worksheet: Worksheet, report: RunReport, column: int) -> None:
    """Fill the statuses: openpyxl works a look out once, and cells that are to look alike take it over."""
    looks: dict[tuple[object, ...], StyleArray] = {}
    for outcome in report.outcomes:
        cell: Any = cell_at(worksheet, outcome.row, column)  # its look has no public name
        before = (outcome.status, *(cell._style or ()))  # noqa: SLF001 - the same
        if before in looks:
            cell._style = copy(looks[before])  # noqa: SLF001 - the same
        else:
            cell.fill = status_fill(outcome.status)
            looks[before] = copy(cell._style)  # noqa: SLF001 - the same


def _write_marks(worksheet: Worksheet, marked: Mapping[Place, Mark]) -> None:
    for (row, column), mark in marked.items():
        cell = cell_at(worksheet, row, column + 1)
        cell.fill = fill_of(mark.severity)
        own = cell.comment
        cell.comment = note(mark.text, author=MARK_AUTHOR)
        if own is not None and own.text:
            cell.comment = note(
                over(cell.comment.text, own.author or "", own.text), author=MARK_AUTHOR, longest=2 * LONGEST_OWN_COMMENT
            )


def _set_filter(worksheet: Worksheet, report: RunReport, source: SheetSource, layout: Layout) -> None:
    """Filter from the heading row over all columns; beside a table of Excel's own, which has its filter, none."""
    if worksheet.tables:
        return
    first, last = 1, max((outcome.row for outcome in report.outcomes), default=source.header_row)
    old = worksheet.auto_filter.ref
    if old:
        first = int(range_boundaries(old)[0] or 1)
    width = max(layout.places.values()) + 1
    worksheet.auto_filter.ref = f"{get_column_letter(first)}{source.header_row}:{get_column_letter(width)}{last}"


def _show_first(workbook: Workbook, worksheet: Worksheet) -> None:
    workbook.active = worksheet
    for each in workbook.worksheets:
        each.sheet_view.tabSelected = each is worksheet
