"""What the pages of a report say beside the rows: gathered where the report is, drawn wherever a workbook is. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sync.model import ChangeKind, FieldChange, Outcome, RunReport, Severity, Status
from sync.preview import sides
from sync.report import counts, group_issues, ordered, row_ranges
from sync.report_text import next_step, totals_line
from sync.section import ACTIONS

MOST_CHANGES: Final = 5_000
_MOST_GROUPS: Final = 500
_MOST_RANGES: Final = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """The same problem of many rows, as a line of the page."""

    severity: Severity
    cells: tuple[str | int | None, ...]
    """Code, column, problem, rows, and how many."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Every field that a plan would change, before and after, beside its row."""

    lines: tuple[tuple[str | int | None, ...], ...]
    """At most `MOST_CHANGES`."""
    total: int
    rows: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What is read first."""

    totals: str
    statuses: tuple[tuple[Status, int], ...]
    """Those that occur."""
    rows_read: int
    problems: tuple[Problem, ...]
    problems_left: int
    """Those for which there is no line."""
    facts: tuple[tuple[str, str], ...]
    next_step: str
    changes: Changes | None
    """`None` where the report is not of a plan, or nothing would be sent."""

    @classmethod
    def of(cls, report: RunReport) -> "Overview":
        """Gather it."""
        groups = group_issues(report.outcomes, general=report.issues)
        problems = tuple(
            Problem(
                group.severity,
                (
                    group.code,
                    group.field,
                    group.message,
                    row_ranges(group.rows, most=_MOST_RANGES),
                    len(group.rows) or None,
                ),
            )
            for group in groups[:_MOST_GROUPS]
        )
        statuses = tuple((status, total) for status, total in counts(report.outcomes).items() if total)
        return cls(
            totals_line(report),
            statuses,
            report.input.rows,
            problems,
            max(len(groups) - _MOST_GROUPS, 0),
            _facts(report),
            next_step(report),
            _changes(report),
        )


def _facts(report: RunReport) -> tuple[tuple[str, str], ...]:
    return (
        ("Run", report.run_id),
        ("Command", report.command),
        ("Profile", report.profile),
        ("Address", report.base_url),
        ("File", report.input.path),
        ("Sheet", report.input.sheet),
        ("Started", report.started_at),
        ("Finished", report.finished_at),
        ("Exit code", str(report.exit_code)),
        ("Requests", f"{report.requests.reads:,} reads, {report.requests.writes:,} writes"),
    )


def _changes(report: RunReport) -> Changes | None:
    rows = [outcome for outcome in ordered(report.outcomes) if outcome.status is Status.TO_UPDATE]
    if not rows:
        return None
    total = sum(len(outcome.changes) for outcome in rows)
    return Changes(tuple(_lines(rows)), total, len(rows))


def _lines(rows: list[Outcome]) -> Iterator[tuple[str | int | None, ...]]:
    every = ((outcome, change) for outcome in rows for change in outcome.changes)
    for (outcome, change), _ in zip(every, range(MOST_CHANGES), strict=False):
        before, after = sides(change)
        yield outcome.row, outcome.label.id, outcome.label.title, change.field, before, after, _remark(change)


def _remark(change: FieldChange) -> str | None:
    if change.field in ACTIONS:
        return "cannot be undone"
    return "puts back what somebody else changed" if change.kind is ChangeKind.RESTORE else None
