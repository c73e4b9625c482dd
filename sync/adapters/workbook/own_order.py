"""What the process that opens the operator's own workbook is asked, and why it may have no answer. No openpyxl here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from sync.adapters.workbook.marks import Mark, Place
from sync.adapters.workbook.source import Layout, SheetSource
from sync.model import RunReport


@dataclass(frozen=True, slots=True)
class Order:
    """Write these results onto a copy of that workbook."""

    report: RunReport
    source: SheetSource
    layout: Layout
    marked: Mapping[Place, Mark]
    remarks: tuple[str, ...] = ()
    """Sentences for the summary."""

    def slim(self) -> "Order":
        """Leave out the rows that the workbook holds anyway: those without a flaw."""
        rows = tuple(row for row in self.source.rows if row.flaws or row.number <= self.source.header_row)
        return replace(self, source=replace(self.source, rows=rows, base=None))


class NotCarried(StrEnum):
    """Why the original workbook could not be used, as a sentence for the summary."""

    ODD = "The original workbook could not be carried over as it is: its values were kept, its formats were not."
    HEAVY = (
        "The original workbook takes more time or memory to carry over than a report may use: its values were kept, "
        "its formats were not."
    )
