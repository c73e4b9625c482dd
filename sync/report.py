"""What a report says: outcomes turned into totals, rows of tables and grouped problems. Pure: it writes no file."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from sync.columns import cell_reference
from sync.errors import InternalError
from sync.frozen import Frozen, replace
from sync.model import NEEDS_ATTENTION, FieldChange, Issue, Outcome, RunReport, Severity, Source, Status
from sync.section import Json
from sync.table_cells import TableCell, guarded

CSV_COLUMNS = (
    "sheet",
    "row",
    "Id",
    "CourseId",
    "Title",
    "status",
    "changed",
    "messages",
    "http_status",
    "attempts",
    "verified",
    "updated_on",
    "updated_by",
    "run_id",
)
PUT_BACK = frozenset({"undo", "drift"})
"""Commands that no sheet asked for: their rows are sections, and no file of theirs is to be mended and sent."""

POLICY: Final = "run.policy"
"""The code of the notes by which a run keeps the policies that it was begun with."""

_GRAVITY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
_WHOLE = re.compile(r"[1-9][0-9]{0,14}")
"""With more digits, nobody knows whether Excel has rounded the number."""
_AT_WORK = frozenset({"apply", "resume", "undo"})
_FINISHED = frozenset({0, 4})


class IssueGroup(Frozen):
    """The same problem in one or many rows: what an operator reads first."""

    code: str
    field: str | None
    message: str
    severity: Severity
    rows: tuple[int, ...]
    """Ascending, each once; empty for an issue of the sheet or the run as a whole."""

    def sentence(self, *, most: int | None = None) -> str:
        """Say the problem and where: `DisplayOrder must be a whole number: rows 4, 6`; `most` as in `row_ranges`."""
        said = f"{self.field} {self.message}" if self.field else self.message
        if not self.rows:
            return said
        return f"{said}: {'row' if len(self.rows) == 1 else 'rows'} {row_ranges(self.rows, most=most)}"


def counts(outcomes: Iterable[Outcome]) -> dict[Status, int]:
    """Count the rows of each status; every status of the closed list is a key, zeros included."""
    totals = dict.fromkeys(Status, 0)
    for outcome in outcomes:
        totals[outcome.status] += 1
    return totals


def check_complete(report: RunReport) -> None:
    """Hold the report to its promise: every row of the sheet once, with a status that its command can give.

    Raises:
        InternalError: A row is there twice, is missing, or has a status that does not belong here.
    """
    rows = [outcome.row for outcome in report.outcomes]
    if len(set(rows)) != len(rows):
        twice = sorted(row for row, times in _tally(rows).items() if times > 1)
        raise InternalError(f"The report names rows twice: {row_ranges(twice)}.")
    totals = counts(report.outcomes)
    if sum(totals.values()) != report.input.rows:
        raise InternalError(f"The report has {sum(totals.values())} rows, but {report.input.rows} were read.")
    foreign = {Status.TO_UPDATE} if report.command == "check" else {Status.VALID}
    if report.command in _AT_WORK and report.exit_code in _FINISHED:
        foreign.add(Status.TO_UPDATE)
    for status in sorted(foreign):
        if totals[status]:
            raise InternalError(f"{totals[status]} rows are {status!r}, which {report.command!r} cannot leave behind.")


def with_cells(report: RunReport, *, sheet: str, columns: Mapping[str, int]) -> RunReport:
    """Name the cell of every issue whose field has a column, also of those that only the server or live brought up."""
    outcomes = tuple(
        outcome
        if all(issue.cell is not None or issue.field not in columns for issue in outcome.issues)
        else replace(
            outcome, issues=tuple(_at_its_cell(issue, outcome.row, sheet, columns) for issue in outcome.issues)
        )
        for outcome in report.outcomes
    )
    return replace(report, outcomes=outcomes)


def _at_its_cell(issue: Issue, row: int, sheet: str, columns: Mapping[str, int]) -> Issue:
    if issue.cell is not None or issue.field is None or issue.field not in columns:
        return issue
    return replace(issue, cell=cell_reference(sheet, row, columns[issue.field]))


def exit_code_of(outcomes: Iterable[Outcome], *, detailed: bool = False) -> int:
    """Say how a run that ended by itself exits: 5 where rows were not reached, 4, 10 (only if `detailed`), or 0."""
    return exit_code_by({outcome.status for outcome in outcomes}, detailed=detailed)


def exit_code_by(present: AbstractSet[Status], *, detailed: bool = False) -> int:
    """Say the same by the statuses that occur."""
    if Status.NOT_ATTEMPTED in present:
        return 5
    if present & NEEDS_ATTENTION:
        return 4
    return 10 if detailed and Status.TO_UPDATE in present else 0


def ordered(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Put the rows into the sheet's order."""
    return sorted(outcomes, key=lambda outcome: outcome.row)


def issues_in_order(outcome: Outcome) -> list[Issue]:
    """Our issues first, then the API's `Errors`, each in their own order."""
    return sorted(outcome.issues, key=lambda issue: issue.source is Source.API)


def messages(outcome: Outcome) -> str:
    """Join what is to be said of the row, word for word, by `; `."""
    return "; ".join(str(issue) for issue in issues_in_order(outcome))


def changed(outcome: Outcome) -> str:
    """Name the fields that the row changes, joined by `;`."""
    return ";".join(change.field for change in outcome.changes)


def csv_row(outcome: Outcome, report: RunReport) -> tuple[TableCell, ...]:
    """Give a row of `report.csv`, text guarded against formulas, numbers as numbers."""
    return (
        guarded(report.input.sheet),
        outcome.row,
        guarded(outcome.label.id) if outcome.section_id is None else outcome.section_id,
        guarded(outcome.label.course_id),
        guarded(outcome.label.title),
        outcome.status.value,
        guarded(changed(outcome)),
        guarded(messages(outcome)),
        outcome.http_status,
        outcome.attempts,
        outcome.verified.value,
        guarded(outcome.updated_on or ""),
        guarded(outcome.updated_by or ""),
        guarded(report.run_id),
    )


def result_cells(outcome: Outcome, *, run_id: str) -> tuple[TableCell, ...]:
    """Give the cells of the result columns, in the order of `RESULT_HEADINGS`; the text is not guarded."""
    return (
        outcome.status.value,
        messages(outcome) or None,
        changed(outcome) or None,
        outcome.verified.value or None,
        outcome.attempts,
        outcome.updated_on,
        outcome.updated_by,
        outcome.row,
        run_id,
    )


def json_object(outcome: Outcome, report: RunReport) -> dict[str, Json]:
    """Give the object of `report.jsonl` for one row."""
    return {
        "run_id": report.run_id,
        "sheet": report.input.sheet,
        "row": outcome.row,
        "id": _id_of(outcome),
        "status": outcome.status.value,
        "changes": [_change_object(change) for change in outcome.changes],
        "issues": [_issue_object(issue) for issue in issues_in_order(outcome)],
        "http_status": outcome.http_status,
        "attempts": outcome.attempts,
        "verified": outcome.verified.value,
        "updated_on": outcome.updated_on,
        "updated_by": outcome.updated_by,
        "started_at": outcome.started_at,
        "finished_at": outcome.finished_at,
    }


def _id_of(outcome: Outcome) -> int | str | None:
    """Give the Id as a number also where the row was held, if what the sheet says is one; else the cell's text."""
    if outcome.section_id is not None:
        return outcome.section_id
    text = outcome.label.id
    return int(text) if _WHOLE.fullmatch(text) else text or None


def summary_object(report: RunReport) -> dict[str, Json]:
    """Give the object of `summary.json`."""
    requests = report.requests
    return {
        "run_id": report.run_id,
        "command": report.command,
        "profile": report.profile,
        "base_url": report.base_url,
        "input": {
            "path": report.input.path,
            "sha256": report.input.sha256,
            "sheet": report.input.sheet,
            "rows": report.input.rows,
        },
        "plan_hash": report.plan_hash,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "exit_code": report.exit_code,
        "counts": {status.value: total for status, total in counts(report.outcomes).items()},
        "requests": {
            "reads": requests.reads,
            "writes": requests.writes,
            "throttled": requests.throttled,
            "retried": requests.retried,
        },
        "quota": {use.window: {"used": use.used, "limit": use.limit} for use in report.quota},
        "issues": [
            {"code": group.code, "field": group.field, "message": group.message, "rows": list(group.rows)}
            for group in group_issues(report.outcomes, general=report.issues)
        ],
    }


@dataclass(slots=True)
class _Gathered:
    severity: Severity
    rows: set[int] = field(default_factory=set)


def group_issues(outcomes: Iterable[Outcome], *, general: Sequence[Issue] = ()) -> tuple[IssueGroup, ...]:
    """Put the same problem of many rows together: errors first, then by first row; what holds for the whole leads."""
    gathered: dict[tuple[str, str | None, str], _Gathered] = {}
    for row, issue in _with_rows(outcomes, general):
        group = gathered.setdefault((issue.code, issue.field, issue.message), _Gathered(issue.severity))
        group.severity = min(group.severity, issue.severity, key=_GRAVITY.__getitem__)
        if row is not None:
            group.rows.add(row)
    groups = (
        IssueGroup(code, name, message, group.severity, tuple(sorted(group.rows)))
        for (code, name, message), group in gathered.items()
    )
    return tuple(sorted(groups, key=lambda group: (_GRAVITY[group.severity], group.rows[:1])))


def row_ranges(rows: Iterable[int], *, most: int | None = None) -> str:
    """Write row numbers as a person would, a run as its first and last; beyond `most` runs, how many rows are left."""
    ranges: list[list[int]] = []
    for row in sorted(set(rows)):
        if ranges and row == ranges[-1][1] + 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    shown = ranges if most is None else ranges[:most]
    text = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in shown)  # noqa: RUF001 - a range is written with an en dash
    left = sum(last - first + 1 for first, last in ranges[len(shown) :])
    return f"{text} and {left:,} more" if left else text


def _tally(rows: Iterable[int]) -> Mapping[int, int]:
    times: dict[int, int] = {}
    for row in rows:
        times[row] = times.get(row, 0) + 1
    return times


def _with_rows(outcomes: Iterable[Outcome], general: Sequence[Issue]) -> Iterator[tuple[int | None, Issue]]:
    for issue in general:
        yield None, issue
    for outcome in outcomes:
        for issue in outcome.issues:
            yield outcome.row, issue


def _change_object(change: FieldChange) -> dict[str, Json]:
    return {
        "field": change.field,
        "base": _plain(change.base),
        "before": _plain(change.before),
        "after": _plain(change.after),
    }


def _issue_object(issue: Issue) -> dict[str, Json]:
    return {
        "source": issue.source.value,
        "severity": issue.severity.value,
        "code": issue.code,
        "property": issue.field,
        "message": issue.message,
        "attempted_value": _plain(issue.attempted_value),
        "cell": issue.cell,
    }


def _plain(value: Json) -> Json:
    """JSON has no infinity and no NaN: as text, so that a report never fails on data."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value
