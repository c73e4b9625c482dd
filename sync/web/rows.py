"""Rows as the table of a plan or a report shows them, a page at a time."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from sync.adapters.finding import Filter
from sync.adapters.report_rows import ReportRow, ReportRows
from sync.choosing import LEFT_OUT
from sync.frozen import Frozen
from sync.preview import shown
from sync.section import ACTIONS, Json
from sync.web.differences import Line, difference, is_long
from sync.web.visits import Visit, is_number

ROWS_A_PAGE: Final = 50
QUERY: Final = ("status", "field", "course", "code", "words", "page")
"""The words of the query that say which rows are shown."""


class ChangeShown(Frozen):
    """One field of one row: short values as they are, long ones by their lines."""

    field: str
    before: str
    after: str
    base: str | None
    """What the operator saw, where that is known."""
    lines: tuple[Line, ...]
    is_order: bool
    """Whether it is an order, such as for an image: there is no value before it."""


class RowShown(Frozen):
    """One row of the table."""

    row: int
    id: str
    course: str
    title: str
    status: str
    changes: tuple[ChangeShown, ...]
    issues: Sequence[Mapping[str, Any]]
    is_left_out: bool = False
    """Whether a reviewer has left it out, and not the sheet itself."""


class TablePage(Frozen):
    """One page of the rows that were found."""

    rows: tuple[RowShown, ...]
    found: int
    page: int
    pages: int
    wanted: Filter
    fields: Sequence[str]
    courses: Sequence[str]

    def address(self, **instead: object) -> str:
        """The query that leads to this page, with some words replaced."""
        words = {
            "status": self.wanted.status,
            "field": self.wanted.field,
            "course": self.wanted.course,
            "code": self.wanted.code,
            "words": self.wanted.words,
            "page": self.page,
            **instead,
        }
        return urlencode({name: value for name, value in words.items() if value not in ("", 1)})


def wanted_by(visit: Visit) -> Filter:
    """What the query asks for."""
    return Filter(*(visit.word(name)[:200] for name in ("status", "field", "course", "words", "code")))


def page_of(visit: Visit, found: int) -> tuple[int, int]:
    """The page that the query asks for, of how many."""
    pages = max(1, -(-found // ROWS_A_PAGE))
    asked = visit.word("page", "1")
    return min(pages, max(1, int(asked) if is_number(asked) else 1)), pages


def table_page(visit: Visit, rows: ReportRows) -> TablePage:
    """The page that the query asks for."""
    wanted = wanted_by(visit)
    places = rows.find(wanted)
    page, pages = page_of(visit, len(places))
    chosen = places[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
    return TablePage(
        tuple(_shown(row) for row in rows.read(chosen)), len(places), page, pages, wanted, rows.fields, rows.courses
    )


def _shown(row: ReportRow) -> RowShown:
    facts = row.facts
    return RowShown(
        row=facts["row"],
        id="" if facts["id"] is None else str(facts["id"]),
        course=row.course,
        title=row.title,
        status=facts["status"],
        changes=tuple(_change(change, is_conflict=facts["status"] == "conflict") for change in facts["changes"]),
        issues=facts["issues"],
        is_left_out=any(issue["code"] == LEFT_OUT for issue in facts["issues"]),
    )


def _change(change: Mapping[str, Json], *, is_conflict: bool) -> ChangeShown:
    before, after, base = change["before"], change["after"], change["base"]
    long = is_long(before) or is_long(after)
    return ChangeShown(
        field=str(change["field"]),
        before=shown(before),
        after=shown(after),
        base=shown(base) if is_conflict and base is not None else None,
        lines=difference(str(before or ""), str(after or "")) if long else (),
        is_order=change["field"] in ACTIONS,
    )
