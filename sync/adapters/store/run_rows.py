"""The rows of a run by what they are found by, from the journal: kept in memory, and followed while it is at work.

What a row is about is written when its run begins; of what changes since, its status says that something has.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from sync.adapters.finding import Filter, courses_of, fields_of, places_of, searched
from sync.adapters.store.opening import Store
from sync.adapters.store.rowtext import outcome_of, read
from sync.adapters.store.schema import rows
from sync.frozen import Frozen
from sync.model import Outcome, RowNumber, RunId

AT_ONCE: Final = 500
"""Rows that are asked for with one statement."""
_STATUSES: Final = select(rows.c.row, rows.c.status).where(rows.c.run_id == bindparam("of_run"))
_ALL: Final = select(rows.c.row, rows.c.outcome_json).where(rows.c.run_id == bindparam("of_run")).order_by(rows.c.row)
_SOME: Final = select(rows.c.row, rows.c.outcome_json).where(
    rows.c.run_id == bindparam("of_run"), rows.c.row.in_(bindparam("of_rows", expanding=True))
)


class Line(Frozen):
    """What one row is found by."""

    row: int
    status: str
    course: str
    fields: tuple[str, ...]
    codes: tuple[str, ...]
    words: str


@dataclass(slots=True)
class RunRows:
    """The rows of one run, in the sheet's order."""

    run_id: RunId
    lines: list[Line]
    fields: tuple[str, ...]
    """That any row changes."""
    courses: tuple[str, ...]
    _places: Mapping[int, int]
    """By row."""

    @classmethod
    def of(cls, store: Store, run_id: RunId) -> "RunRows":
        """Read every row once."""
        found = store.connection.execute(_ALL, {"of_run": run_id})
        lines = [_line(row, text) for row, text in found]
        places = {line.row: at for at, line in enumerate(lines)}
        return cls(run_id, lines, fields_of(lines), courses_of(lines), places)

    def follow(self, store: Store) -> None:
        """Take in the rows whose status is another by now."""
        found = store.connection.execute(_STATUSES, {"of_run": self.run_id})
        lines, places = self.lines, self._places
        moved = [row for row, status in found if lines[places[row]].status != status]
        for row, text in _read(store, self.run_id, moved):
            lines[places[row]] = _line(row, text)

    def find(self, wanted: Filter) -> list[int]:
        """The numbers of the rows that are wanted."""
        lines = self.lines
        return [lines[at].row for at in places_of(lines, wanted)]


def outcomes_at(store: Store, run_id: RunId, numbers: Sequence[int]) -> tuple[Outcome, ...]:
    """What has become so far of these rows, in the sheet's order."""
    found = sorted(_read(store, run_id, numbers))
    return tuple(outcome_of(read(text)) for _, text in found)


def _read(store: Store, run_id: RunId, numbers: Sequence[int]) -> Iterator[tuple[RowNumber, str]]:
    for start in range(0, len(numbers), AT_ONCE):
        facts = {"of_run": run_id, "of_rows": list(numbers[start : start + AT_ONCE])}
        yield from ((RowNumber(row), str(text)) for row, text in store.connection.execute(_SOME, facts))


def _line(row: int, text: str) -> Line:
    """Read with the plain parser: what is searched need not be exact to the last digit."""
    facts = json.loads(text)
    ident, course, title = facts["label"]
    changes, issues = facts.get("changes", ()), facts.get("issues", ())
    return Line(
        row=row,
        status=facts["status"],
        course=course,
        fields=tuple(change[0] for change in changes),
        codes=tuple(issue[0] for issue in issues),
        words=searched(_said(ident, title, changes, issues)),
    )


def _said(ident: str, title: str, changes: Iterable[Sequence[Any]], issues: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield ident
    yield title
    yield from (str(issue[1]) for issue in issues)
    yield from (str(change[2]) for change in changes)
