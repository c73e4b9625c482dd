"""What the process that opens the operator's own workbook is asked, on the side of who asks. No openpyxl here."""

from collections.abc import Mapping

from sync.adapters.workbook.comments import Mark, Place
from sync.adapters.workbook.gathering import overview_of
from sync.adapters.workbook.layout import Layout
from sync.adapters.workbook.own_task import Results, Task, numbered
from sync.adapters.workbook.source import SheetSource
from sync.frozen import Frozen, replace
from sync.headings import COMMAND
from sync.model import RunReport
from sync.report import result_cells
from sync.table_cells import TableCell


class Order(Frozen):
    """Write these results onto a copy of that workbook."""

    report: RunReport
    source: SheetSource
    layout: Layout
    marked: Mapping[Place, Mark]
    remarks: tuple[str, ...] = ()
    """Sentences for the summary."""

    def asks_the_same(self, other: "Order") -> bool:
        """Whether both ask for the same workbook: it says nothing of the quota."""
        return self == replace(other, report=replace(other.report, quota=self.report.quota))

    def slim(self) -> Task:
        """Leave out what the workbook holds anyway."""
        source = self.source
        return Task(
            path=source.path,
            sheet=source.sheet,
            header_row=source.header_row,
            rows=len(source.rows) - source.header_row,
            flaws={int(row.number): row.flaws for row in source.rows if row.flaws},
            ours=source.named_columns(),
            command=source.column_of(COMMAND),
            came_back=bool(source.result_columns()),
            layout=self.layout,
            results=_results(self.report),
            marked=self.marked,
            overview=overview_of(self.report),
            remarks=self.remarks,
        )


def _results(report: RunReport) -> Results:
    rows: dict[int, int] = {}
    said: list[tuple[TableCell, ...]] = []
    known: dict[tuple[object, ...], int] = {}
    for outcome in report.outcomes:
        key = None
        if not (outcome.issues or outcome.changes or outcome.updated_on):
            key = (outcome.status, outcome.verified, outcome.attempts, outcome.updated_by)
            place = known.get(key)
            if place is not None:
                rows[outcome.row] = place
                continue
        rows[outcome.row] = len(said)
        if key is not None:
            known[key] = len(said)
        said.append(numbered(result_cells(outcome, run_id=report.run_id), None))
    return Results(rows, said)
