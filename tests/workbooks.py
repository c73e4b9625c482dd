"""Report workbooks made in this process, and read back: for tests of what stands in them."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.spreadsheet import load_here
from sync.adapters.workbook import results
from sync.adapters.workbook.own_order import Order
from sync.adapters.workbook.own_sheet import annotated
from sync.adapters.workbook.own_task import NotCarried
from sync.adapters.workbook.source import SheetSource
from sync.model import CheckedSheet, InputFacts, InvalidRow, Outcome, RunId, RunReport, SkippedRow, Status
from sync.validate import check_sheet


def here(order: Order) -> bytes | NotCarried:
    """Open the original in this process, without limits: tests make it themselves."""
    return annotated(order.slim())


def report_workbook(report: RunReport, source: SheetSource | None = None) -> bytes:
    """Make `report.xlsx` in this process."""
    return results.report_workbook(report, source, carry=here)


def order_on(report: RunReport, source: SheetSource) -> Order:
    """What the process is asked that opens the original."""
    orders: list[Order] = []

    def kept(order: Order) -> NotCarried:
        orders.append(order)
        return NotCarried.ODD

    results.report_workbook(report, source, carry=kept)
    return orders[0]


def checked_at(path: Path) -> CheckedSheet:
    """Read and judge a sheet."""
    return check_sheet(load_here(path), aliases={})


def report_on(checked: CheckedSheet, *, status: Status = Status.FAILED) -> RunReport:
    """A report on a sheet: its invalid rows as they were judged, every other one with this status."""
    outcomes = []
    for row in checked.rows:
        if isinstance(row, InvalidRow):
            outcomes.append(Outcome(row.row, row.label, Status.INVALID, issues=row.issues))
        elif isinstance(row, SkippedRow):
            outcomes.append(Outcome(row.row, row.label, Status.SKIPPED))
        else:
            outcomes.append(Outcome(row.row, row.label, status, row.id, issues=row.issues, attempts=1))
    return report_of(outcomes, sheet=checked.sheet)


def report_of(outcomes: Sequence[Outcome], *, sheet: str = "Edits") -> RunReport:
    """A report with these outcomes."""
    facts = InputFacts("edits.xlsx", "", sheet, len(outcomes))
    return RunReport(RunId("r1"), "apply", "p", "http://127.0.0.1/api", facts, tuple(outcomes), "t0", "t1", 4)


def opened(content: bytes | None) -> Worksheet:
    """Open the first sheet, and hold the whole workbook to it: no cell is a formula."""
    assert content is not None
    workbook = load_workbook(BytesIO(content))
    assert all(cell.data_type != "f" for sheet in workbook.worksheets for row in sheet.iter_rows() for cell in row)
    return workbook.worksheets[0]


def remarks_of(sheet: Worksheet) -> list[str]:
    """The texts of the first column of the summary beside a sheet."""
    rows = sheet.parent["Summary"].iter_rows(values_only=True)
    return [row[0] for row in rows if isinstance(row[0], str)]
