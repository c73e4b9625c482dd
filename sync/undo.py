"""Turn a run's before-images into rows that put back what it wrote, wherever nobody wrote after it. Pure.

Field by field: live is what we wrote (or what the server is known to have made of it) → the value of the before-image;
live is as before, or what the server is known to have made of that → nothing to do; anything else was changed since
and stays. What comes out is an ordinary plan, so the undo of an undo is the same thing once more.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Final, assert_never

from sync.diff import digest
from sync.frozen import Frozen, field
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
from sync.normalize import equal
from sync.ongoing import gone_issue
from sync.ports import Desired, DesiredValue
from sync.reading import Found, Missing, Sight
from sync.section import ACTIONS, Json, Record

RUN: Final = "undo.run"
CHANGED_SINCE: Final = "undo.changed_since"
IMAGE: Final = "undo.image"
UNCERTAIN: Final = "undo.unknown"
NONE_DESIRED: Final[Desired] = {}
NOTHING_DESIRED: Final[Mapping[SectionId, Desired]] = {}


class Written(Frozen):
    """What one run wrote into one section: from the intent that the server accepted, and its row."""

    row: RowNumber
    id: SectionId
    label: Label
    changes: tuple[FieldChange, ...]
    """As they were sent."""
    before: Record
    """The before-image: the whole record that the body was built on."""
    stored: Mapping[str, str] = field(default_factory=dict)
    """By field, the digest of what a read after the PUT gave back, where that is not what was sent."""
    certain: bool = True
    """False where nobody could find out whether the PUT was applied: the row is named and left alone."""


class _Now(Enum):
    OURS = auto()
    AS_BEFORE = auto()
    CHANGED_SINCE = auto()
    IMAGE = auto()


def ids_to_undo(
    written: Iterable[Written], *, rows: Collection[RowNumber] | None = None, fields: Collection[str] | None = None
) -> tuple[SectionId, ...]:
    """The Ids whose live state an undo needs; `rows` and `fields` as in `plan_undo`."""
    return tuple(each.id for each in written if _asked_for(each, rows, fields))


def plan_undo(
    written: Iterable[Written],
    live: Iterable[Sight],
    *,
    rows: Collection[RowNumber] | None = None,
    fields: Collection[str] | None = None,
    desired: Mapping[SectionId, Desired] = NOTHING_DESIRED,
) -> tuple[PlannedRow, ...]:
    """Plan the undo of a run, limited to `rows` and to `fields` where they are given; other rows are left out.

    `live` has a sight of each of `ids_to_undo`, in any order; what comes back is in the order of the rows. `desired` is
    what runs made so since: a value that was put back, and that the server keeps in its own form, is as before.
    A row of which something can be put back is a `ToUpdate`, with warnings for the rest of it. One of which nothing
    can, though live is not as before, is a `Conflict` whose errors have the codes `undo.…`.
    """
    wanted = {each.id: each for each in written if _asked_for(each, rows, fields)}
    planned = (
        undone(wanted[sight.id], sight, fields=fields, desired=desired.get(sight.id, {}))
        for sight in live
        if sight.id in wanted
    )
    return tuple(sorted(planned, key=lambda row: row.row))


def undo_issue(run_id: RunId) -> Issue:
    """What an undo takes back, as its facts keep it."""
    return Issue(
        RUN, f"takes back what run {run_id} wrote", source=Source.SYNC, severity=Severity.NOTE, attempted_value=run_id
    )


def undone_run(issues: Iterable[Issue]) -> str | None:
    """The run that an undo took back, by the issues of its facts; `None` for any other run."""
    return next((str(issue.attempted_value) for issue in issues if issue.code == RUN), None)


def given_up(
    written: Iterable[Written], plan: Iterable[PlannedRow], *, fields: Collection[str] | None = None
) -> dict[SectionId, tuple[str, ...]]:
    """By section: the fields that stay as they are, and that nobody wants to be as the run made them any more.

    Whoever takes a run back does not want its values restored over what somebody else has written since.
    """
    of = {each.id: each for each in written}
    ended: dict[SectionId, tuple[str, ...]] = {}
    for row in plan:
        if row.edit is None or isinstance(row.decision, Gone) or not of[row.edit.id].certain:
            continue
        stays = tuple(
            change.field
            for change in of[row.edit.id].changes
            if change.field not in ACTIONS
            and change.field not in row.edit.values
            and (fields is None or change.field in fields)
        )
        if stays:
            ended[row.edit.id] = stays
    return ended


def _asked_for(written: Written, rows: Collection[RowNumber] | None, fields: Collection[str] | None) -> bool:
    named = fields is None or any(change.field in fields for change in written.changes)
    return named and (rows is None or written.row in rows)


def undone(
    written: Written, sight: Sight, *, fields: Collection[str] | None = None, desired: Desired = NONE_DESIRED
) -> PlannedRow:
    """Plan the undo of one section on what the server holds now."""
    match sight:
        case Missing():
            return PlannedRow(written.row, written.label, Gone(), _edit(written, ()), (gone_issue(),))
        case Found(record=record):
            chosen = [change for change in written.changes if fields is None or change.field in fields]
            return _undone(written, chosen, record, desired)
        case _:
            assert_never(sight)


def _undone(written: Written, chosen: Sequence[FieldChange], live: Record, desired: Desired) -> PlannedRow:
    now = {change.field: _look(written, change, live, desired.get(change.field)) for change in chosen}
    back = tuple(
        FieldChange(
            change.field, before=live.get(change.field), after=written.before.get(change.field), kind=ChangeKind.UNDO
        )
        for change in chosen
        if now[change.field] is _Now.OURS and written.certain
    )
    left = tuple(
        change for change in chosen if now[change.field] is not _Now.AS_BEFORE and change.field not in _names(back)
    )
    severity = Severity.WARNING if back else Severity.ERROR
    issues = tuple(_issue(written, change, now[change.field], live, severity) for change in left)
    decision: Decision
    if back:
        decision = ToUpdate(back, updated_on=_text(live.get("UpdatedOn")))
    elif left:
        decision = Conflict(tuple(_shown(written, change, live) for change in left))
    else:
        decision = Unchanged()
    return PlannedRow(written.row, written.label, decision, _edit(written, back), issues)


def _look(written: Written, change: FieldChange, live: Record, desired: DesiredValue | None) -> _Now:
    name = change.field
    if name in ACTIONS:
        return _Now.IMAGE
    value, before = live.get(name), written.before.get(name)
    put_back = desired is not None and (desired.sent, desired.stored) == (digest(name, before), digest(name, value))
    if put_back or equal(name, value, before):
        return _Now.AS_BEFORE
    if equal(name, value, change.after) or digest(name, value) == written.stored.get(name):
        return _Now.OURS
    return _Now.CHANGED_SINCE


def _edit(written: Written, back: Sequence[FieldChange]) -> Edit:
    return Edit(written.row, written.id, {change.field: change.after for change in back}, written.label)


def _names(changes: Iterable[FieldChange]) -> frozenset[str]:
    return frozenset(change.field for change in changes)


def _shown(written: Written, change: FieldChange, live: Record) -> FieldChange:
    """What we wrote, what is live, and what would have been put back."""
    before: Json = None if change.field in ACTIONS else written.before.get(change.field)
    return FieldChange(change.field, before=live.get(change.field), after=before, base=change.after)


def _issue(written: Written, change: FieldChange, now: _Now, live: Record, severity: Severity) -> Issue:
    if now is _Now.IMAGE:
        code, message = IMAGE, _image_message(written.before)
    elif now is _Now.OURS:
        code, message = UNCERTAIN, "may or may not have been written by this run; it stays, compare it by hand"
    else:
        by, on = _text(live.get("UpdatedBy")) or "somebody", _text(live.get("UpdatedOn")) or "an unknown day"
        code, message = CHANGED_SINCE, f"was changed since (the section last by {by} on {on}); it stays as it is"
    return Issue(code, message, change.field, source=Source.SYNC, severity=severity)


def _image_message(before: Record) -> str:
    name = _text(before.get("ImageFileName"))
    return f"cannot be undone; the image before was {name}" if name else "cannot be undone; there was no image before"


def _text(value: Json) -> str | None:
    return None if value is None else str(value)
