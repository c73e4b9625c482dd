"""What the process that opens the operator's own workbook is asked, on the side of who asks. No openpyxl here."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.adapters.workbook.comments import Mark, Place
from sync.adapters.workbook.gathering import overview_of
from sync.adapters.workbook.layout import Layout
from sync.adapters.workbook.own_task import Task
from sync.adapters.workbook.source import SheetSource
from sync.headings import COMMAND
from sync.model import RunReport
from sync.report import result_cells


@dataclass(frozen=True, slots=True)
class Order:
    """Write these results onto a copy of that workbook."""

    report: RunReport
    source: SheetSource
    layout: Layout
    marked: Mapping[Place, Mark]
    remarks: tuple[str, ...] = ()
    """Sentences for the summary."""

    def slim(self) -> Task:
        """Leave out what the workbook holds anyway."""
        source, run_id = self.source, self.report.run_id
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
            results={int(outcome.row): result_cells(outcome, run_id=run_id) for outcome in self.report.outcomes},
            marked=self.marked,
            overview=overview_of(self.report),
            remarks=self.remarks,
        )
