"""What goes to the process that opens the operator's own workbook, and why it may have no answer.

It imports nothing that this process does not need: how fast it starts hangs on that.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from sync.adapters.workbook.comments import Mark, Place
from sync.adapters.workbook.layout import Layout
from sync.adapters.workbook.overview import Overview
from sync.frozen import Frozen, field
from sync.headings import RESULT_HEADINGS, RESULT_PREFIX
from sync.model import Flaw
from sync.table_cells import TableCell

ROW_SLOT: Final = RESULT_HEADINGS.index(RESULT_PREFIX + "Row")
"""The place of the row's number among its result cells."""


class Results(Frozen):
    """What is said of the rows: many of them have the same result cells, but for their numbers."""

    rows: Mapping[int, int] = field(default_factory=dict)
    """By row: the place of what is said of it."""
    said: Sequence[Sequence[TableCell]] = ()
    """The result cells in the order of the headings, without the number of the row."""

    def of(self, row: int) -> Sequence[TableCell] | None:
        """The result cells of a row; `None` where nothing is said of it."""
        place = self.rows.get(row)
        return None if place is None else numbered(self.said[place], row)


def numbered(result: Sequence[TableCell], row: TableCell) -> tuple[TableCell, ...]:
    """Give the result cells of a row its number; or take it from them, with `None`."""
    return (*result[:ROW_SLOT], row, *result[ROW_SLOT + 1 :])


class Task(Frozen):
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
    results: Results
    marked: Mapping[Place, Mark]
    overview: Overview
    remarks: tuple[str, ...]


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


CODES: Final[Mapping[NotCarried, int]] = {NotCarried.HEAVY: 9, NotCarried.ODD: 10, NotCarried.LARGE: 11}
"""How the process ends that could not carry the file over."""
