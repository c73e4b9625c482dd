"""Make the plan: every row of the sheet with what is to be done about it, and what that will cost. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from sync.diff import NOTHING_KNOWN, Known, accepted, decide, read_only_warnings
from sync.frozen import Frozen, replace
from sync.model import (
    CheckedRow,
    Conflict,
    Edit,
    FieldChange,
    Gone,
    Held,
    InvalidRow,
    Label,
    Outcome,
    PlannedRow,
    SectionId,
    SkippedRow,
    Status,
    ToUpdate,
    Unchanged,
)
from sync.ongoing import conflict_issues, gone_issue
from sync.reading import Found, Missing, Sight
from sync.section import Record
from sync.windows import Limit, Scope, least_makespan_s


class Cost(Frozen):
    """What carrying out a plan takes, by the limits alone."""

    writes: int
    reads: int
    seconds: float
    """From the first request to the last answer."""


def held(checked: CheckedRow) -> PlannedRow:
    """Plan a row on which the live state has no say: invalid, or left out by the operator."""
    match checked:
        case InvalidRow(row=row, label=label, issues=issues):
            return PlannedRow(row, label, Held(Status.INVALID), issues=issues)
        case SkippedRow(row=row, label=label, issues=issues):
            return PlannedRow(row, label, Held(Status.SKIPPED), issues=issues)
        case Edit(row=row, label=label, issues=issues):
            return PlannedRow(row, label, Held(Status.VALID), checked, issues)
        case _:
            assert_never(checked)


def planned(edit: Edit, sight: Sight, known: Known = NOTHING_KNOWN) -> PlannedRow:
    """Plan a valid row on what the server holds for its Id."""
    match sight:
        case Missing():
            return PlannedRow(edit.row, edit.label, Gone(), edit, (*edit.issues, gone_issue()))
        case Found(record=record):
            decision = decide(edit, record, known)
            issues = (*edit.issues, *read_only_warnings(edit, record)) if edit.read_only else edit.issues
            if isinstance(decision, Conflict):
                issues = (*issues, *conflict_issues(decision, edit, shown=known.shown))
            taken = accepted(edit, record, known)
            return PlannedRow(edit.row, _label(edit, record), decision, edit, issues, taken)
        case _:
            assert_never(sight)


def _label(edit: Edit, record: Record) -> Label:
    """As the sheet has it, and as live says where the sheet is silent."""
    if edit.label.course_id and edit.label.title:
        return edit.label
    return replace(
        edit.label,
        course_id=edit.label.course_id or str(record.get("CourseId") or ""),
        title=edit.label.title or str(record.get("Title") or ""),
    )


def outcome_of(row: PlannedRow, *, to_update: Status) -> Outcome:
    """The line of the report if nothing more happens; `to_update` names rows that would be sent."""
    changes: tuple[FieldChange, ...] = ()
    match row.decision:
        case ToUpdate(changes=changes):
            status = to_update
        case Unchanged():
            status = Status.UNCHANGED
        case Conflict(changes=changes):
            status = Status.CONFLICT
        case Gone():
            status = Status.REJECTED
        case Held(status=status):
            pass
        case _:
            assert_never(row.decision)
    return Outcome(
        row=row.row,
        label=row.label,
        status=status,
        section_id=None if row.edit is None else row.edit.id,
        changes=changes,
        issues=row.issues,
        http_status=404 if isinstance(row.decision, Gone) else None,
    )


def to_send(rows: Iterable[PlannedRow]) -> tuple[PlannedRow, ...]:
    """The rows that a PUT would be sent for, in the sheet's order."""
    return tuple(row for row in rows if isinstance(row.decision, ToUpdate))


def plan_hash(rows: Iterable[PlannedRow], *, base_url: str, input_sha256: str) -> str:
    """Name the plan by what it would do: 64 hex digits."""
    digest = hashlib.sha256(f"{base_url}\n{input_sha256}\n".encode())
    for row in rows:
        if isinstance(row.decision, ToUpdate) and row.edit is not None:
            changes = [[change.field, change.before, change.after] for change in row.decision.changes]
            digest.update(json.dumps([row.row, row.edit.id, changes], default=str).encode())
    return digest.hexdigest()


def cost(
    writes: int,
    *,
    limits: Sequence[Limit],
    ids_per_request: int,
    latency_s: float,
    verify: bool,
    used: Mapping[Limit, int] | None = None,
) -> Cost:
    """What `writes` updates take: a fresh batch before each window of writes, a verifying one after it.

    `used` says how many places of each window are taken already.
    """
    windows = (limit for limit in limits if limit.scope is Scope.WRITE and not limit.is_spacing)
    in_window = min((limit.count for limit in windows), default=ids_per_request)
    rounds = -(-writes // max(1, min(in_window, ids_per_request)))
    reads = rounds * (2 if verify else 1)
    seconds = least_makespan_s(limits, writes, used=used) + (rounds + 1) * latency_s if writes else 0.0
    return Cost(writes, reads, seconds)


def ids_to_read(rows: Iterable[CheckedRow]) -> tuple[SectionId, ...]:
    """The Ids whose live state the plan needs, each once, in the sheet's order."""
    return tuple(dict.fromkeys(row.id for row in rows if isinstance(row, Edit)))
