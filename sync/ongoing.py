"""A row on its way through a run: what is known of it so far, and the outcome that follows. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sync.diff import NOTHING_KNOWN, Known, digest
from sync.frozen import replace
from sync.headings import COMMAND
from sync.model import (
    ChangeKind,
    Conflict,
    Edit,
    FieldChange,
    Issue,
    Outcome,
    PlannedRow,
    Severity,
    Source,
    Status,
    ToUpdate,
    Verified,
)
from sync.ports import Desired, DesiredValue, Events
from sync.reactions import Done
from sync.section import ACTIONS, Json, Record
from sync.verify import Seen, Verification


@dataclass(slots=True, eq=False)
class Row:
    """One row that may be sent."""

    planned: PlannedRow
    edit: Edit
    plan: ToUpdate
    known: Known = NOTHING_KNOWN
    record: Record | None = None
    """The record that the next PUT is built on."""
    read_at: float = 0.0
    """When it was asked for, on the boot clock: no newer than what the server held."""
    changes: tuple[FieldChange, ...] = ()
    attempts: int = 0
    not_before: float = 0.0
    intent_number: int | None = None
    settle_at: float = 0.0
    asked: bool = False
    """Whether the read that settles it is under way."""
    renewed: bool = False
    """Whether the answer to its last PUT was a 401."""
    unheard: str = ""
    """Why nobody knows what its last PUT did; stays once it was so."""
    deaths: int = 0
    """How many processes died while a PUT of this row was under way."""
    http_status: int | None = None
    started_at: str | None = None
    notes: list[Issue] = field(default_factory=list)

    def outcome(self, done: Done, *, finished_at: str) -> Outcome:
        """The line of the report that `done` makes of this row."""
        status = done.status
        changes = self.changes or self.plan.changes
        return Outcome(
            row=self.planned.row,
            label=self.planned.label,
            status=status,
            section_id=self.edit.id,
            changes=changes if status is not Status.UNCHANGED else (),
            issues=(*self.planned.issues, *self.notes, *done.issues),
            http_status=done.http_status if done.http_status is not None else self.http_status,
            attempts=self.attempts,
            updated_on=done.updated_on,
            updated_by=done.updated_by,
            started_at=self.started_at,
            finished_at=finished_at,
        )


def say_finished(outcome: Outcome, events: Events) -> None:
    """The one event of a row, once nothing more can become of it in this run."""
    events.emit(
        "row.finished",
        row=outcome.row,
        status=outcome.status.value,
        attempts=outcome.attempts,
        http_status=outcome.http_status,
        verified=outcome.verified.value,
    )


def unverified(outcome: Outcome) -> Outcome:
    """The server said yes; the read that was to confirm it did not come about."""
    issue = Issue(
        code="sync.not_verified",
        message="the read after the update did not come about",
        source=Source.SYNC,
        severity=Severity.WARNING,
    )
    return replace(outcome, verified=Verified.NO, issues=(*outcome.issues, issue))


def conflict_issues(
    conflict: Conflict, edit: Edit | None = None, *, shown: Collection[str] = (), since: str = "this sheet was made"
) -> tuple[Issue, ...]:
    """One error a field that somebody else changed meanwhile; `shown` are fields whose conflict was shown before."""
    return tuple(
        Issue(
            code="conflict.moved",
            field=change.field,
            message=_moved(change, conflict, edit, since)
            + _last_changed(conflict)
            + _choice_void(edit, shown_before=change.field in shown),
            source=Source.SYNC,
            attempted_value=change.after,
        )
        for change in conflict.changes
    )


def conflict_on_the_way(row: Row, conflict: Conflict) -> tuple[Issue, ...]:
    """The errors of a row that was planned, and moved before it was sent."""
    if all(change.kind is not ChangeKind.EDIT for change in row.plan.changes):
        return tuple(
            Issue(
                "conflict.moved",
                f"was changed by somebody else since this was planned: is {_said(change.before)} now, which stays;"
                f" {_said(change.after)} was not put back, and nothing was sent for this section"
                + _last_changed(conflict),
                change.field,
                source=Source.SYNC,
                attempted_value=change.after,
            )
            for change in conflict.changes
        )
    planned = [change.field for change in row.plan.changes]
    return conflict_issues(conflict, row.edit, shown=planned, since="this was planned")


def _moved(change: FieldChange, conflict: Conflict, edit: Edit | None, since: str) -> str:
    """Name base, live and sheet in one line."""
    seen = None if edit is None else edit.base
    now = f"is {_said(change.before)} now, and the sheet says {_said(change.after)}; nothing was sent for this row"
    if seen is not None and change.field in seen.shown:
        return f"was {_said(seen.shown[change.field])} when exported on {seen.exported_at[:10]}, {now}"
    if seen is not None and change.field in seen.digests:
        return f"was changed since your export of {seen.exported_at[:10]}: {now}"
    if change.field in conflict.against.not_as_made:
        return f"is no longer as a run made it: {now}"
    if change.field in conflict.against.older_sheet:
        return f"may have been changed by somebody else, for the sheet shows another UpdatedOn than live: {now}"
    return f"was changed by somebody else since {since}: {now}"


def _last_changed(conflict: Conflict) -> str:
    """Say who changed the section last, as far as the server says so."""
    against = conflict.against
    if against.updated_by is None and against.updated_on is None:
        return ""
    by, on = against.updated_by or "somebody", against.updated_on or "an unknown day"
    return f"; the section was last changed by {by} on {on}"


def _choice_void(edit: Edit | None, *, shown_before: bool) -> str:
    """Say why the row's `Command` does not decide the conflict, if it has one."""
    if edit is None or edit.command is None:
        return ""
    why = (
        "it has changed again since it was shown to you"
        if shown_before
        else "it was not shown to you before this sheet was made"
    )
    return f"; {COMMAND} {edit.command} does not hold: {why}"


def _said(value: Json) -> str:
    return "(empty)" if value is None or value == "" else _short(value)


def gone_issue() -> Issue:
    """The server answered 404 to this very Id."""
    return Issue(code="api.not_found", field="Id", message="is not the Id of any section", source=Source.API)


def failed_issue(reason: str, attempts: int) -> Issue:
    """The row surely was not applied, and the attempts are used up."""
    return Issue(code="sync.gave_up", message=f"not applied after {attempts} attempts: {reason}", source=Source.SYNC)


def said_issue(said: str) -> Issue:
    """What the server said to an attempt, where that is no documented answer: word for word."""
    return Issue(
        code="api.said",
        message=f"the server answered an attempt with: {said}",
        source=Source.API,
        severity=Severity.NOTE,
    )


def set_aside_issue(deaths: int) -> Issue:
    """The row is not sent once more: the program has not survived it."""
    return Issue(
        code="sync.set_aside",
        message=f"may or may not have been applied: the program ended {deaths} times while it sent this row,"
        " which is left alone now",
        source=Source.SYNC,
    )


def unknown_issues(row: Row, live: Record | None, why: str) -> tuple[Issue, ...]:
    """Nobody can say whether the PUT was applied: before, target and live for each changed field."""
    head = Issue(code="sync.unknown", message=f"may or may not have been applied: {why}", source=Source.SYNC)
    if live is None:
        return (head,)
    return (
        head,
        *(
            Issue(
                code="sync.unknown_field",
                field=change.field,
                message=f"before {_short(change.before)}, asked {_short(change.after)},"
                f" now {_short(live.get(change.field))}",
                source=Source.SYNC,
                severity=Severity.NOTE,
            )
            for change in row.changes
        ),
    )


def _short(value: object) -> str:
    text = repr(value) if not isinstance(value, str) else value
    return f"“{text}”" if len(text) <= 40 else f"“{text[:40]}…” ({len(text)} characters)"  # noqa: PLR2004 - one line


def made_so(changes: Sequence[FieldChange], updated_on: str | None, live: Record | None = None) -> Desired:
    """What is remembered after a success: what was sent and, where a read showed it, what the server made of it."""
    made = {}
    for change in changes:
        sent = stored = digest(change.field, change.after)
        if live is not None and change.field not in ACTIONS:
            stored = digest(change.field, live.get(change.field))
        made[change.field] = DesiredValue(sent, stored, updated_on, change.after, has_value=True)
    return made


def verified_outcome(outcome: Outcome, verification: Verification) -> Outcome:
    """What a read after the PUT makes of an `updated` row."""
    issues = (*outcome.issues, *_touched(verification))
    names = ", ".join(verification.differs)
    match verification.seen:
        case Seen.AS_ASKED:
            return replace(outcome, verified=Verified.YES, issues=issues)
        case Seen.NOT_STORED:
            issue = Issue(
                code="api.not_stored",
                message=f"the server said yes, but still holds the former {names}",
                source=Source.SYNC,
            )
            return replace(outcome, status=Status.FAILED, verified=Verified.DIFFERS, issues=(*issues, issue))
        case Seen.REWRITTEN:
            issue = Issue(
                code="api.rewritten",
                message=f"the server stores {names} in its own form; this is remembered and not sent again",
                source=Source.SYNC,
                severity=Severity.NOTE,
            )
            return replace(outcome, verified=Verified.DIFFERS, issues=(*issues, issue))
        case Seen.MOVED_ON:
            issue = Issue(
                code="conflict.moved_on",
                message=f"was updated, and then somebody else changed {names}",
                source=Source.SYNC,
            )
            return replace(outcome, status=Status.CONFLICT, verified=Verified.DIFFERS, issues=(*issues, issue))


def _touched(verification: Verification) -> tuple[Issue, ...]:
    if not verification.touched:
        return ()
    return (
        Issue(
            code="api.side_effect",
            message=f"the server also changed {', '.join(verification.touched)}, which nobody asked for",
            source=Source.SYNC,
            severity=Severity.WARNING,
        ),
    )
