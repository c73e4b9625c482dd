"""Gather what the pages of a report say beside the rows, where the report is. Pure."""

from collections.abc import Iterator
from typing import Final

from sync.adapters.workbook.overview import Changes, Overview, Problem
from sync.model import ChangeKind, FieldChange, Outcome, RunReport, Status
from sync.preview import sides
from sync.report import counts, group_issues, ordered, row_ranges
from sync.report_text import next_step, status_words, totals_line
from sync.section import ACTIONS

MOST_CHANGES: Final = 5_000
_MOST_GROUPS: Final = 500
_MOST_RANGES: Final = 60


def overview_of(report: RunReport) -> Overview:
    """Gather what is read first."""
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
    statuses = tuple((each, status_words(each), total) for each, total in counts(report.outcomes).items() if total)
    return Overview(
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
