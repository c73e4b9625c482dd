"""Which cells of a report are marked, and what their comments say. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sync.adapters.workbook.source import SheetSource
from sync.headings import COMMAND
from sync.model import FieldChange, Issue, Outcome, Severity, Status
from sync.report import issues_in_order
from sync.validate import CHOICES

MOST_MARKS = 2_000
"""Comments in one workbook: far more make Excel slow, and the messages are in their column anyway."""
MARK_AUTHOR: Final = "coursesync result"
"""The author of our marks on rows: by it, those of a report that came back are known and taken off."""
_KEPT: Final = re.compile(r"\n\nBefore that, a comment of (?P<author>[^\n]*) stood here:\n(?P<text>.*)", re.DOTALL)
UNCACHED: Final = "#VALUE!"
"""What stands for a formula that was never calculated: an error, so that its row stays held until it is mended."""
UNCACHED_NOTE_START: Final = "A formula that was never calculated stood here:\n"
UNCACHED_NOTE: Final = UNCACHED_NOTE_START + "{formula}"
MEND: Final = "mend"
"""The word in `Command` that keeps a row held whose cells may stand in wrong columns, until somebody has looked."""
BROKEN: Final = (
    "In the file that you sent, this row had another number of cells than headings ({shown}), so values may stand in "
    "wrong columns. Put each into its own, then clear this cell: until then the row is held."
)
_SHOWN = 300

_REFERENCE = re.compile(r"(?:^|!)\$?([A-Z]{1,3})\$?([0-9]{1,7})$")

Place = tuple[int, int]
"""Row from 1, column from 0."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is to be said at one cell."""

    severity: Severity
    text: str


def marks(outcomes: Iterable[Outcome], source: SheetSource, *, status_column: int) -> Mapping[Place, Mark]:
    """Gather the marks of a report: at the issue's cell, else at its field's column, else at the row's status."""
    found: dict[Place, Mark] = {}
    for place, mark in _all(outcomes, source, status_column):
        if place in found:
            earlier = found[place]
            gravest = Severity.ERROR if Severity.ERROR in (earlier.severity, mark.severity) else Severity.WARNING
            found[place] = replace(earlier, severity=gravest, text=f"{earlier.text}\n\n{mark.text}")
        elif len(found) < MOST_MARKS:
            found[place] = mark
    return found


def _all(outcomes: Iterable[Outcome], source: SheetSource, status_column: int) -> Iterator[tuple[Place, Mark]]:
    columns = _Columns(source)
    for outcome in outcomes:
        for issue in issues_in_order(outcome):
            if issue.severity is not Severity.NOTE:
                yield _place(issue, outcome, columns, status_column), Mark(issue.severity, _issue_text(issue))
        if outcome.status is Status.CONFLICT:
            for change in outcome.changes:
                column = columns.of(change.field)
                place = (outcome.row, status_column if column is None else column)
                yield place, Mark(Severity.WARNING, _conflict_text(change))


class _Columns:
    """Remembers where fields lie, so that a large report looks up each heading once."""

    def __init__(self, source: SheetSource) -> None:
        self._source = source
        self._known: dict[str, int | None] = {}

    def of(self, name: str) -> int | None:
        if name not in self._known:
            self._known[name] = self._source.column_of(name)
        return self._known[name]


def _place(issue: Issue, outcome: Outcome, columns: _Columns, status_column: int) -> Place:
    reference = _REFERENCE.search(issue.cell) if issue.cell else None
    if reference:
        return int(reference[2]), _column_number(reference[1])
    column = columns.of(issue.field) if issue.field else None
    return outcome.row, status_column if column is None else column


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _issue_text(issue: Issue) -> str:
    if issue.attempted_value is None:
        return str(issue)
    return f"{issue}\nValue: {_shown(issue.attempted_value)}"


def _conflict_text(change: FieldChange) -> str:
    lines = [
        f"{change.field} was changed by somebody else.",
        *([f"When exported: {_shown(change.base)}"] if change.base is not None else []),
        f"In this sheet: {_shown(change.after)}",
        f"Live: {_shown(change.before)}",
        f"Write sheet or live into the {COMMAND} column to say which one holds.",
    ]
    return "\n".join(lines)


def is_choice(cell: object) -> bool:
    """Whether this cell of `Command` decides a conflict, and not something else about its row."""
    return isinstance(cell, str) and cell.strip().casefold() in CHOICES


def over(mark: str, author: str, text: str) -> str:
    """Put a mark over a comment that is there, whose text and author stand below it."""
    return f"{mark}\n\nBefore that, a comment of {' '.join(author.split()) or 'somebody'} stood here:\n{text}"


def under(mark: str) -> tuple[str, str] | None:
    """Give author and text of the comment that a mark was put over; `None` where there was none."""
    kept = _KEPT.search(mark)
    return None if kept is None else (kept["author"], kept["text"])


def _shown(value: object) -> str:
    text = "(blank)" if value is None or value == "" else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
