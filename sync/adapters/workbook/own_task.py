"""What goes to the process that opens the operator's own workbook, and why it may have no answer.

It imports nothing that this process does not need: how fast it starts hangs on that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from sync.adapters.workbook.comments import Mark, Place
from sync.adapters.workbook.layout import Layout
from sync.adapters.workbook.overview import Overview
from sync.model import Flaw
from sync.table_cells import TableCell


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
