"""Compare what runs made so with what the server holds now: what somebody else changed, as a plan to restore. Pure.

Only fields of the desired state count: a field that was merely read, and never named by a sheet, cannot drift.
Images are orders, not state, and cannot drift either.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, assert_never

from sync.diff import digest
from sync.frozen import Frozen
from sync.model import (
    ChangeKind,
    Conflict,
    Decision,
    Edit,
    FieldChange,
    Gone,
    Issue,
    Label,
    PlannedRow,
    RowNumber,
    RunId,
    SectionId,
    Severity,
    Source,
    ToUpdate,
    Unchanged,
)
from sync.ongoing import gone_issue
from sync.preview import shown
from sync.reading import Found, Missing, Sight
from sync.section import ACTIONS, Json, Record

FIRST_ROW: Final = RowNumber(2)
"""Drift has no sheet: its rows count as they would below a line of headings."""
CHANGED: Final = "drift.changed"
VALUE_LOST: Final = "drift.value_lost"
REWRITTEN: Final = "drift.rewritten"


class DesiredField(Frozen):
    """What a run made so for one field, with the value itself: what it takes to put it back."""

    value: Json
    """As it was sent; means nothing where `value_kept` is False."""
    sent: str
    """Digest of the normal form of what was sent."""
    stored: str
    """Digest of the normal form of what a read gave back."""
    updated_on: str | None
    """The section's `UpdatedOn` as our PUT left it, where known."""
    run_id: RunId
    value_kept: bool = True
    """False where only the digests are known: drift can be told, but not restored."""


DesiredSection = Mapping[str, DesiredField]
"""By field."""


def can_drift(desired: Mapping[SectionId, DesiredSection]) -> Mapping[SectionId, DesiredSection]:
    """Leave out what cannot drift: image orders, and sections of which nothing else was ever named."""
    states = (
        (section_id, {name: value for name, value in fields.items() if name not in ACTIONS})
        for section_id, fields in desired.items()
    )
    return {section_id: fields for section_id, fields in states if fields}


def plan_drift(desired: Mapping[SectionId, DesiredSection], live: Iterable[Sight]) -> tuple[PlannedRow, ...]:
    """Plan every section of the desired state, by Id: drifted ones to be restored, the rest unchanged or gone.

    `live` has a sight of every section, in any order. Each drifted field is a change marked `RESTORE`, from live to
    desired, and an issue that says who changed the section last and when.
    """
    row_of = {section_id: RowNumber(number) for number, section_id in enumerate(sorted(desired), start=FIRST_ROW)}
    planned = (_section(row_of[sight.id], sight.id, desired[sight.id], sight) for sight in live)
    return tuple(sorted(planned, key=lambda row: row.row))


def _section(row: RowNumber, section_id: SectionId, desired: DesiredSection, sight: Sight) -> PlannedRow:
    match sight:
        case Missing():
            label = Label(str(section_id))
            return PlannedRow(row, label, Gone(), Edit(row, section_id, {}, label), (gone_issue(),))
        case Found(record=record):
            return _found(row, section_id, desired, record)
        case _:
            assert_never(sight)


def _found(row: RowNumber, section_id: SectionId, desired: DesiredSection, live: Record) -> PlannedRow:
    label = Label(str(section_id), _text(live.get("CourseId")), _text(live.get("Title")))
    drifted = dict(_drifted(desired, live))
    rewritten = {name for name, value in drifted.items() if _is_ours(value, live)}
    back = tuple(
        FieldChange(name, live.get(name), value.value, base=value.value, kind=ChangeKind.RESTORE)
        for name, value in drifted.items()
        if value.value_kept and name not in rewritten
    )
    lost = any(not value.value_kept and name not in rewritten for name, value in drifted.items())
    decision: Decision
    if back:
        decision = ToUpdate(back, updated_on=_text(live.get("UpdatedOn")) or None)
    else:
        decision = Conflict(()) if lost else Unchanged()
    issues = tuple(_issue(name, value, live, ours=name in rewritten, only=not back) for name, value in drifted.items())
    edit = Edit(row, section_id, {change.field: change.after for change in back}, label)
    return PlannedRow(row, label, decision, edit, issues)


def _drifted(desired: DesiredSection, live: Record) -> Iterator[tuple[str, DesiredField]]:
    for name, value in sorted(desired.items()):
        if name not in ACTIONS and digest(name, live.get(name)) not in (value.sent, value.stored):
            yield name, value


def _is_ours(value: DesiredField, live: Record) -> bool:
    """Nobody has written since our own PUT: what is there is the server's form of what we sent."""
    return value.updated_on is not None and value.updated_on == live.get("UpdatedOn")


def _issue(name: str, value: DesiredField, live: Record, *, ours: bool, only: bool) -> Issue:
    if ours:
        code, severity = REWRITTEN, Severity.NOTE
        message = "is stored by the server in its own form; nobody has changed it since"
    else:
        by, on = _text(live.get("UpdatedBy")) or "somebody", _text(live.get("UpdatedOn")) or "an unknown day"
        who = f"the section was last changed by {by} on {on}"
        if value.value_kept:
            code, severity = CHANGED, Severity.WARNING
            message = f"desired {shown(value.value)} since run {value.run_id}, live {shown(live.get(name))}; {who}"
        else:
            code, severity = VALUE_LOST, Severity.ERROR if only else Severity.WARNING
            message = f"is not as run {value.run_id} made it, and that value is no longer kept; {who}"
    return Issue(code, message, name, source=Source.SYNC, severity=severity)


def _text(value: Json) -> str:
    return "" if value is None else str(value)
