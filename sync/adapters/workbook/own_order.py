"""What the process that opens the operator's own workbook is asked, and why it may have no answer. No openpyxl here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sync.adapters.workbook.marks import Mark, Place
from sync.adapters.workbook.overview import Overview
from sync.adapters.workbook.source import Layout, SheetSource
from sync.headings import COMMAND
from sync.model import Flaw, RunReport
from sync.report import TableCell, result_cells


@dataclass(frozen=True, slots=True)
class Task:
    """An order as it goes to that process: what the workbook holds anyway is left out, the rest is plain values."""

    path: Path
    sheet: str
    header_row: int
    rows: int
    """Below the heading."""
    flaws: Mapping[int, Mapping[int, Flaw]]
    """By row, and by column from 0."""
    ours: frozenset[int]
    """Columns whose cells mean something to a run, from 0."""
    command: int | None
    """The column of the operator's `Command`, from 0."""
    came_back: bool
    """Whether the sheet is a report with old results on it."""
    layout: Layout
    results: Mapping[int, Sequence[TableCell]]
    """The result cells by row, in the order of the headings."""
    marked: Mapping[Place, Mark]
    overview: Overview
    remarks: tuple[str, ...]


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
            overview=Overview.of(self.report),
            remarks=self.remarks,
        )


class NotCarried(StrEnum):
    """Why the original workbook could not be used, as a sentence for the summary."""

    ODD = "The original workbook could not be carried over as it is: its values were kept, its formats were not."
    HEAVY = (
        "The original workbook takes more time or memory to carry over than a report may use: its values were kept, "
        "its formats were not."
    )
    LARGE = (
        "The sheet has many rows, and is written in a way that only smaller ones can be carried over from: its values "
        "were kept, its formats were not."
    )
