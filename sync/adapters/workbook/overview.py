"""What the pages of a report say beside the rows: gathered where the report is, drawn wherever a workbook is. Pure."""

from sync.frozen import Frozen
from sync.model import Severity, Status


class Problem(Frozen):
    """The same problem of many rows, as a line of the page."""

    severity: Severity
    cells: tuple[str | int | None, ...]
    """Code, column, problem, rows, and how many."""


class Changes(Frozen):
    """Every field that a plan would change, before and after, beside its row."""

    lines: tuple[tuple[str | int | None, ...], ...]
    """Not all of them where there are very many."""
    total: int
    rows: int


class Overview(Frozen):
    """What is read first."""

    totals: str
    statuses: tuple[tuple[Status, str, int], ...]
    """Those that occur, in words, and how many rows have each."""
    rows_read: int
    problems: tuple[Problem, ...]
    problems_left: int
    """Those for which there is no line."""
    facts: tuple[tuple[str, str], ...]
    next_step: str
    changes: Changes | None
    """`None` where the report is not of a plan, or nothing would be sent."""
