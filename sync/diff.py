"""Decide one row: what it asks, against the live record and what is remembered of both. Pure.

The rule, field by field, with edit `e`, live `l`, base `b` and desired `d`, each of the last two where there is one:
1. `e = l` → nothing to do.
2. With a base: `e = b` → the operator did not touch the cell; `l = b`, or what the server made of `b` → change; else →
   conflict.
3. Without one, `d` takes its place: `l = d` → change; `e = d` → drift; else → conflict.
4. Neither → change, unless the sheet shows an `UpdatedOn` that is no longer live.
What becomes of a conflict: the row's `Command` says it where the conflict was shown as it is now, else the profile.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Final, Literal, assert_never

from sync.frozen import Frozen, field, replace
from sync.model import ChangeKind, Conflict, Decision, Edit, FieldChange, Issue, Severity, ToUpdate, Unchanged
from sync.normalize import EXACT, equal, normal
from sync.origin import Against
from sync.ports import Desired, DesiredValue
from sync.section import ACTIONS, Json, Record


def digest(name: str, value: Json) -> str:
    """The normal form of a field's value as 64 hex digits: what is kept of a value that may be long."""
    return hashlib.sha256(_CANONICAL.encode(normal(name, value)).encode()).hexdigest()


_CANONICAL: Final = json.JSONEncoder(ensure_ascii=True, sort_keys=True, default=str)
"""Built once: each changed value of each row goes through it several times."""


class Known(Frozen):
    """What is remembered about one section besides its live record."""

    base: Mapping[str, str] = field(default_factory=dict)
    """Digests of what the operator saw, by field."""
    base_shown: Mapping[str, Json] = field(default_factory=dict)
    """The values themselves, where they were kept, to show a conflict."""
    desired: Desired = field(default_factory=dict)
    restore_drift: bool = True
    """`on_drift`: put back what somebody changed after us, or keep it."""
    on_conflict: Literal["refuse", "sheet", "live"] = "refuse"
    """What the operator decided about conflicts beforehand."""
    untouched: frozenset[str] = frozenset()
    """Fields whose cell is still as exported: the operator asks for nothing there."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """Digests of what was live when a conflict was last shown, by field: a `Command` holds for nothing else."""


NOTHING_KNOWN = Known()
_UNCHANGED = Unchanged()


class _Verdict(Enum):
    SAME = auto()
    CHANGE = auto()
    DRIFT = auto()
    CONFLICT = auto()


def decide(edit: Edit, live: Record, known: Known = NOTHING_KNOWN) -> Decision:
    """Say what is to be done about `edit` on `live`: `ToUpdate`, `Unchanged` or `Conflict` for the row as a whole."""
    changes: list[FieldChange] = []
    conflicts: list[FieldChange] = []
    if _is_live(edit.values, live):
        return _UNCHANGED  # most rows of most sheets
    for name, after in edit.values.items():
        verdict = _decide_field(name, after, live, known, edit.seen_updated_on)
        if verdict is _Verdict.SAME:
            continue
        change = FieldChange(field=name, before=live.get(name), after=after, base=known.base_shown.get(name))
        match verdict:
            case _Verdict.CHANGE:
                if not _stays_accepted(edit, change, known):
                    changes.append(change)
            case _Verdict.DRIFT:
                changes.append(
                    FieldChange(field=name, before=change.before, after=after, base=after, kind=ChangeKind.RESTORE)
                )
            case _Verdict.CONFLICT:
                match _choice(edit, change, known):
                    case "refuse":
                        conflicts.append(change)
                    case "sheet":
                        changes.append(change)
                    case "live":
                        pass
            case _:
                assert_never(verdict)
    if conflicts:
        return _conflict(conflicts, live, known)
    if changes:
        return ToUpdate(tuple(changes), updated_on=_text(live.get("UpdatedOn")))
    return _UNCHANGED


def _is_live(values: Mapping[str, Json], live: Record) -> bool:
    """Whether live has these very values, told at once; where it says no, they may still be the same but for noise."""
    if not (ACTIONS.isdisjoint(values) and values.items() <= live.items()):
        return False
    types = [type(value) for value in values.values()]
    return EXACT.issuperset(types) and types == [type(live[name]) for name in values]  # Python holds True for 1


def _conflict(changes: Sequence[FieldChange], live: Record, known: Known) -> Conflict:
    """Say what each field was held against, and who was the last to change the section."""
    without_base = {change.field for change in changes} - known.base.keys()
    against = Against(
        not_as_made=frozenset(without_base & known.desired.keys()),
        older_sheet=frozenset(without_base - known.desired.keys()),
        updated_by=_text(live.get("UpdatedBy")),
        updated_on=_text(live.get("UpdatedOn")),
    )
    return Conflict(tuple(changes), against)


def accepted(edit: Edit, live: Record, known: Known = NOTHING_KNOWN) -> dict[str, Json]:
    """The live values that the row's `Command` accepts in place of values that runs had made so, by field.

    They are what is desired from then on. A policy of the profile accepts nothing: nobody has looked at the value.
    """
    found: dict[str, Json] = {}
    if edit.command != "live":
        return found
    for name, after in edit.values.items():
        if name in ACTIONS or name not in known.desired:
            continue
        verdict = _decide_field(name, after, live, known, edit.seen_updated_on)
        change = FieldChange(name, live.get(name), after)
        if verdict is _Verdict.CONFLICT and _choice(edit, change, known) == "live":
            found[name] = live.get(name)
    return found


def decide_again(edit: Edit, planned: ToUpdate, live: Record, known: Known = NOTHING_KNOWN) -> Decision:
    """Decide a row that was planned before, on a record that was read just now.

    What the plan was made on takes the place of a base where the workbook brought none: a field that moved since is a
    conflict. A field that the plan left alone stays so. A change stays marked as it was planned, and a choice in
    `Command` holds for what the plan saw.
    """
    in_plan = {change.field: change for change in planned.changes}
    before = {name: change.before for name, change in in_plan.items() if name not in ACTIONS}
    seen = {name: digest(name, value) for name, value in before.items()}
    decision = decide(
        replace(edit, values={name: value for name, value in edit.values.items() if name in in_plan}),
        live,
        replace(known, base={**seen, **known.base}, base_shown={**before, **known.base_shown}, shown=seen),
    )
    if isinstance(decision, ToUpdate):
        changes = tuple(_marked_as(in_plan.get(change.field, change), change) for change in decision.changes)
        return replace(decision, changes=changes)
    return decision


def _choice(edit: Edit, change: FieldChange, known: Known) -> Literal["refuse", "sheet", "live"]:
    """What is to be done about a conflict: a choice of the row's own outweighs that of the profile."""
    match edit.command:
        case ("sheet" | "live") as choice:
            shown_as_it_is = known.shown.get(change.field) == digest(change.field, change.before)
            return choice if shown_as_it_is else "refuse"
        case _:
            return known.on_conflict


def _stays_accepted(edit: Edit, change: FieldChange, known: Known) -> bool:
    """Whether live is what this row has accepted before: sent once more, it still says so."""
    desired = known.desired.get(change.field)
    if edit.command != "live" or change.field in known.base or desired is None:
        return False
    return desired.sent == known.shown.get(change.field) == digest(change.field, change.before)


def _marked_as(planned: FieldChange, change: FieldChange) -> FieldChange:
    return replace(change, base=planned.base, kind=planned.kind)


def _decide_field(name: str, after: Json, live: Record, known: Known, seen_updated_on: str | None) -> _Verdict:
    if name in ACTIONS:
        return _decide_action(name, after, live, known.desired.get(name))
    before = live.get(name)
    if name in known.untouched or equal(name, after, before):
        return _Verdict.SAME
    base, desired = known.base.get(name), known.desired.get(name)
    if _rewritten(name, after, before, desired):
        return _Verdict.SAME
    if base is not None:
        return _against_base(digest(name, after), digest(name, before), base, desired)
    if desired is not None:
        return _against_desired(digest(name, after), digest(name, before), desired, restore_drift=known.restore_drift)
    moved = seen_updated_on is not None and seen_updated_on != _text(live.get("UpdatedOn"))
    return _Verdict.CONFLICT if moved else _Verdict.CHANGE


def _against_base(edit: str, live: str, base: str, desired: DesiredValue | None) -> _Verdict:
    if edit == base:
        return _Verdict.SAME
    put_back = desired is not None and desired.sent == base and desired.stored == live
    return _Verdict.CHANGE if live == base or put_back else _Verdict.CONFLICT


def _against_desired(edit: str, live: str, desired: DesiredValue, *, restore_drift: bool) -> _Verdict:
    if live in (desired.sent, desired.stored):
        return _Verdict.CHANGE
    if edit != desired.sent:
        return _Verdict.CONFLICT
    return _Verdict.DRIFT if restore_drift else _Verdict.SAME


def _rewritten(name: str, after: Json, before: Json, desired: DesiredValue | None) -> bool:
    """Whether live is what the server makes of exactly this value: its rewriting is no change of anybody's."""
    return (
        desired is not None
        and desired.sent != desired.stored
        and digest(name, after) == desired.sent
        and digest(name, before) == desired.stored
    )


def _decide_action(name: str, after: Json, live: Record, confirmed: DesiredValue | None) -> _Verdict:
    """Images are orders, not state: sent once, and only where they mean something."""
    has_image = bool(live.get("ImageFileName"))
    if name == "ClearImageFile":
        return _Verdict.CHANGE if after is True and has_image else _Verdict.SAME
    if has_image and confirmed is not None and confirmed.sent == digest(name, after):
        return _Verdict.SAME
    return _Verdict.CHANGE


_COLUMN_TO_EDIT: Mapping[str, str] = {"CourseTitle": "CourseId", "ImageFileName": "NewImageUrl"}


def read_only_warnings(edit: Edit, live: Record) -> tuple[Issue, ...]:
    """Warn of read-only cells that differ from live: the operator may have meant another column.

    `UpdatedOn`, `UpdatedBy` and `CreatedOn` are left out: an export's are expected to age.
    """
    if not edit.read_only:
        return ()
    return tuple(
        Issue(
            code="cell.read_only",
            field=name,
            message=_read_only_message(name),
            severity=Severity.WARNING,
            attempted_value=shown,
        )
        for name, shown in edit.read_only.items()
        if name not in ("UpdatedOn", "UpdatedBy", "CreatedOn") and not equal(name, shown, _as_cell(live.get(name)))
    )


def _read_only_message(name: str) -> str:
    other = _COLUMN_TO_EDIT.get(name)
    hint = f"; edit {other} instead" if other else ""
    return f"is read-only and differs from the live value: this cell changes nothing{hint}"


def _as_cell(value: Json) -> str:
    """As the text of a read-only cell is taken: Excel's words for booleans, no white space around it."""
    return str(value).upper() if isinstance(value, bool) else (_text(value) or "").strip()


def _text(value: Json) -> str | None:
    return None if value is None else str(value)
