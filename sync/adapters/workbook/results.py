"""The workbooks of a report: `report.xlsx`, the operator's sheet with a result on each row, and `failed.xlsx`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sync.adapters.whole_file import Disk, Placed, place
from sync.adapters.workbook.comments import Mark, Place
from sync.adapters.workbook.layout import Layout
from sync.adapters.workbook.marks import BROKEN, MOST_MARKS, marks
from sync.adapters.workbook.own_order import Order
from sync.adapters.workbook.own_process import annotated_apart
from sync.adapters.workbook.own_task import NotCarried
from sync.adapters.workbook.source import SheetSource
from sync.headings import COMMAND, RESULT_HEADINGS
from sync.model import NEEDS_ATTENTION, RunReport, Severity, Status
from sync.report import PUT_BACK

Carry = Callable[[Order], bytes | NotCarried]
"""Writes results onto a copy of the original workbook."""

_VALUES_ONLY = {
    "csv": "The sheet came as CSV: this workbook holds its values.",
    "ods": "The sheet came as OpenDocument: this workbook holds its values, its formats were not kept.",
}
_FAILED = "Only the rows that need attention. Mend the marked cells, then send this file as it is."
_MANY_MARKS = f"Only the first {MOST_MARKS:,} marked cells carry a comment; the messages are all in their column."


def write_results(path: Path, report: RunReport, source: SheetSource | None, *, disk: Disk | None = None) -> Placed:
    """Write `report.xlsx` to `path`.

    Raises:
        FileNotWritten: The file could not be written.
    """
    return place(path, report_workbook(report, source), disk=disk)


def report_workbook(report: RunReport, source: SheetSource | None = None, *, carry: Carry = annotated_apart) -> bytes:
    """Make the operator's own sheet, row numbers kept, with the results on it.

    Without a source (no file, or it is gone) the sheet names Id, CourseId and Title of each row. The original file is
    opened by `carry`, in a process of its own under limits; where that fails, the values that were read are written.
    """
    source = source or _stand_in(report)
    order = order_of(report, source)
    layout, marked, remarks = order.layout, order.marked, order.remarks
    if source.format == "xlsx":
        own = carry(order)
        if isinstance(own, bytes):
            return own
        remarks = (str(own), *remarks)
    elif source.format in _VALUES_ONLY:
        remarks = (_VALUES_ONLY[source.format], *remarks)
    rows = {int(row.number): int(row.number) for row in source.rows}
    hidden = frozenset(int(row.number) for row in source.rows if row.hidden)
    return _values_workbook(report, source, layout, marked, rows=rows, hidden=hidden, remarks=remarks)


def order_of(report: RunReport, source: SheetSource) -> Order:
    """What is to be written onto a copy of the original workbook."""
    layout, marked = _prepare(report, source)
    return Order(report, source, layout, marked, (_MANY_MARKS,) if len(marked) >= MOST_MARKS else ())


def failed_workbook(report: RunReport, source: SheetSource | None = None) -> bytes | None:
    """Make the sheet of the rows that need attention, uploadable as it is; `None` when there are none."""
    attention = {int(outcome.row) for outcome in report.outcomes if outcome.status in NEEDS_ATTENTION}
    if not attention:
        return None
    source = source or _stand_in(report)
    layout, marked = _prepare(report, source, only=attention)
    above = {int(row.number): int(row.number) for row in source.rows if row.number <= source.header_row}
    below = (int(row.number) for row in source.rows if row.number > source.header_row and row.number in attention)
    rows = above | {number: place for place, number in enumerate(below, start=source.header_row + 1)}
    remarks = () if report.command in PUT_BACK else (_FAILED,)
    return _values_workbook(report, source, layout, marked, rows=rows, remarks=remarks)


def _values_workbook(
    report: RunReport,
    source: SheetSource,
    layout: Layout,
    marked: Mapping[Place, Mark],
    *,
    rows: Mapping[int, int],
    hidden: frozenset[int] = frozenset(),
    remarks: Sequence[str] = (),
) -> bytes:
    from sync.adapters.workbook.values import values_workbook  # noqa: PLC0415 - openpyxl, which many reports need not

    return values_workbook(report, source, layout, marked, rows=rows, hidden=hidden, remarks=remarks)


def _stand_in(report: RunReport) -> SheetSource:
    return SheetSource.without_file(report.outcomes, asks=report.command not in PUT_BACK)


def _prepare(
    report: RunReport, source: SheetSource, *, only: set[int] | None = None
) -> tuple[Layout, Mapping[Place, Mark]]:
    """Lay out the added columns (a `Command` column too, where rows ask for one) and gather the marks."""
    outcomes = [outcome for outcome in report.outcomes if only is None or outcome.row in only]
    broken = {int(row.number): row.broken.shown for row in source.rows if row.broken is not None}
    asked = any(outcome.status is Status.CONFLICT for outcome in report.outcomes) or bool(broken)
    command = (COMMAND,) if asked and source.column_of(COMMAND) is None else ()
    layout = Layout.of(source, (*command, *RESULT_HEADINGS))
    found = marks(outcomes, source, status_column=layout.places[RESULT_HEADINGS[0]])
    if not broken:
        return layout, found
    at = layout.places.get(COMMAND, source.column_of(COMMAND))
    rows = {int(outcome.row) for outcome in outcomes}
    told = {
        (row, at): Mark(Severity.ERROR, BROKEN.format(shown=shown))
        for row, shown in broken.items()
        if at is not None and row in rows
    }
    return layout, {**found, **told}
