"""What is written on a workbook that openpyxl has opened, cell by cell: results, marks, and what keeps it harmless.

Of a sheet whose plain rows are written without being opened, only the others are there, and nothing is done to these.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.comments import (
    MARK_AUTHOR,
    UNCACHED,
    UNCACHED_NOTE,
    UNCACHED_NOTE_START,
    Mark,
    Place,
    over,
    under,
)
from sync.adapters.workbook.frame import AUTHOR, style_heading
from sync.adapters.workbook.own_task import Task, numbered
from sync.adapters.workbook.own_text import give_back
from sync.adapters.workbook.splice import Splice
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
from sync.adapters.workbook.summary import replace_summary
from sync.headings import COMMAND, RESULT_HEADINGS, is_choice
from sync.model import FlawKind, Status
from sync.table_cells import TableCell

if TYPE_CHECKING:
    from openpyxl.styles.cell_style import StyleArray

IsHere = Callable[[int], bool]
"""Whether a row of the operator's sheet was opened."""


def annotate(
    workbook: Workbook, worksheet: Worksheet, task: Task, *, is_here: IsHere, lost: tuple[str, ...]
) -> Mapping[str, Splice]:
    """Write everything on the opened rows, the heading and the pages; what is left is written with the workbook.

    `lost` is what the summary says is not kept.
    """
    for each in workbook.worksheets:
        _clean(each, header_row=task.header_row if each is worksheet else None)
    rows = task.results.rows
    results = {row: numbered(task.results.said[rows[row]], row) for row in filter(is_here, rows)}
    _mend_flaws(worksheet, task, is_here)
    _empty_old_results(worksheet, task, is_here)
    _make_room(worksheet, task)
    _write_results(worksheet, task, results)
    _write_marks(worksheet, task.marked)
    _set_filter(worksheet, task)
    _show_first(workbook, worksheet)
    if not worksheet.freeze_panes:
        worksheet.freeze_panes = f"A{task.header_row + 1}"
    workbook.template = False  # a template's kind of content does not go with the name `.xlsx`
    return replace_summary(workbook, task.overview, after=worksheet, remarks=(*lost, *task.remarks))


def _cells(worksheet: Worksheet) -> Iterator[Cell]:
    """The cells that are there; openpyxl's own ways to go through them make all that are missing in between."""
    sheet: Any = worksheet  # they have no public name
    return (cell for cell in list(sheet._cells.values()) if isinstance(cell, Cell))  # noqa: SLF001 - the same


def _clean(worksheet: Worksheet, *, header_row: int | None) -> None:
    """Quote what looks like a formula, fit comments to their text, and take off the marks of a former report."""
    for cell in _cells(worksheet):
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


def _mend_flaws(worksheet: Worksheet, task: Task, is_here: IsHere) -> None:
    """A formula without a cached value: an error in a column of ours, else a returned row would be taken for blank.

    In any other column its text stays, as text: there it is the operator's own, and nothing is asked of it.
    """
    for row, flaws in task.flaws.items():
        for column, flaw in flaws.items() if is_here(row) else ():
            cell = cell_at(worksheet, row, column + 1)
            if cell.value is not None:
                continue
            if flaw.kind is not FlawKind.UNCACHED_FORMULA:
                cell.value = flaw.shown
            elif column in task.ours:
                cell.value = UNCACHED
                cell.comment = note(UNCACHED_NOTE.format(formula=flaw.shown), author=AUTHOR)
            else:
                put(cell, flaw.shown)


def _empty_old_results(worksheet: Worksheet, task: Task, is_here: IsHere) -> None:
    rows = [row for row in range(task.header_row, worksheet.max_row + 1) if is_here(row)]
    for column in task.layout.emptied:
        for row in rows:
            cell = cell_at(worksheet, row, column + 1)
            cell.value = None
            cell.style = "Normal"


def _make_room(worksheet: Worksheet, task: Task) -> None:
    """Take apart what lies across the added columns: merged cells, and one width for a run of columns."""
    layout = task.layout
    added = range(min(layout.places.values()) + 1, max(layout.places.values()) + 2)
    for merged in list(worksheet.merged_cells.ranges):
        reaches = (merged.max_row or 0) >= task.header_row and (merged.max_col or 0) >= added.start
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


def _write_results(worksheet: Worksheet, task: Task, results: Mapping[int, Sequence[TableCell]]) -> None:
    layout = task.layout
    for heading, column in layout.places.items():
        put(cell_at(worksheet, task.header_row, column + 1), heading)
        style_heading(worksheet, task.header_row, column + 1, heading)
        worksheet.column_dimensions[get_column_letter(column + 1)].width = WIDTHS.get(heading, PLAIN_WIDTH)
        worksheet.column_dimensions[get_column_letter(column + 1)].hidden = False
    if COMMAND in layout.places and worksheet.protection.sheet:  # on a locked sheet the choice must be open
        for row in results:
            cell_at(worksheet, row, layout.places[COMMAND] + 1).protection = UNLOCKED
    _empty_choices(worksheet, task.command, results)
    columns = [layout.places[heading] + 1 for heading in RESULT_HEADINGS]
    for row, cells in results.items():
        for column, value in zip(columns, cells, strict=True):
            if value is not None or task.came_back:  # old results are written over, with nothing where there is nothing
                put(cell_at(worksheet, row, column), value)
    _colour(worksheet, results, columns[0])


def _empty_choices(worksheet: Worksheet, command: int | None, results: Mapping[int, Sequence[TableCell]]) -> None:
    """A choice that did not hold is made anew, by somebody who has looked: sent as it is, the row conflicts again."""
    if command is None:
        return
    for row, (status, *_) in results.items():
        cell = cell_at(worksheet, row, command + 1)
        if status == Status.CONFLICT and is_choice(cell.value):
            cell.value = None


def _colour(worksheet: Worksheet, results: Mapping[int, Sequence[TableCell]], column: int) -> None:
    """Fill the statuses: openpyxl works a look out once, and cells that are to look alike take it over."""
    looks: dict[tuple[object, ...], StyleArray] = {}
    for row, (status, *_) in results.items():
        cell: Any = cell_at(worksheet, row, column)  # its look has no public name
        before = (status, *(cell._style or ()))  # noqa: SLF001 - the same
        if before in looks:
            cell._style = copy(looks[before])  # noqa: SLF001 - the same
        else:
            cell.fill = status_fill(Status(str(status)))
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


def _set_filter(worksheet: Worksheet, task: Task) -> None:
    """Filter from the heading row over all columns; beside a table of Excel's own, which has its filter, none."""
    if worksheet.tables:
        return
    first, last = 1, max(task.results.rows, default=task.header_row)
    old = worksheet.auto_filter.ref
    if old:
        first = int(range_boundaries(old)[0] or 1)
    width = max(task.layout.places.values()) + 1
    worksheet.auto_filter.ref = f"{get_column_letter(first)}{task.header_row}:{get_column_letter(width)}{last}"


def _show_first(workbook: Workbook, worksheet: Worksheet) -> None:
    workbook.active = worksheet
    for each in workbook.worksheets:
        each.sheet_view.tabSelected = each is worksheet
