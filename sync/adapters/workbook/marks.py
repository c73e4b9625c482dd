"""Which cells of a report are marked, and what is said at them. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sync.adapters.workbook.comments import Mark, Place
from sync.adapters.workbook.source import SheetSource
from sync.frozen import replace
from sync.headings import COMMAND
from sync.model import FieldChange, Issue, Outcome, Severity, Status
from sync.report import issues_in_order

MOST_MARKS = 2_000
"""Comments in one workbook: far more make Excel slow, and the messages are in their column anyway."""
MEND: Final = "mend"
"""The word in `Command` that keeps a row held whose cells may stand in wrong columns, until somebody has looked."""
BROKEN: Final = (
    "In the file that you sent, this row had another number of cells than headings ({shown}), so values may stand in "
    "wrong columns. Put each into its own, then clear this cell: until then the row is held."
)
_SHOWN = 300

_REFERENCE = re.compile(r"(?:^|!)\$?([A-Z]{1,3})\$?([0-9]{1,7})$")


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
        for issue in issues_in_order(outcome) if outcome.issues else ():
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


def _shown(value: object) -> str:
    text = "(blank)" if value is None or value == "" else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
