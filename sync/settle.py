"""Judge by reading what a PUT did whose answer nobody heard. Pure; the waiting and the reading are `apply.py`'s."""

from collections.abc import Sequence
from enum import Enum, auto

from sync.diff import digest
from sync.model import FieldChange
from sync.normalize import equal
from sync.ports import Desired
from sync.section import ACTIONS, Record


class Settled(Enum):
    """What the read says about the PUT."""

    APPLIED = auto()
    """Every changed field is as asked."""
    NOT_APPLIED = auto()
    """Every changed field is as before and `UpdatedOn` has not moved: it may be sent again."""
    UNDECIDED = auto()
    """Neither: somebody else may have written, or half of it was stored."""


def settle(
    changes: Sequence[FieldChange], *, before: Record, live: Record, rewritings: Desired | None = None
) -> Settled:
    """Compare the changed fields of `live` with what was asked and with the before-image.

    An image order cannot be seen in its own field: `ImageFileName` and `UpdatedOn` bear witness for it.
    """
    if all(_as_asked(change, before=before, live=live, rewritings=rewritings or {}) for change in changes):
        return Settled.APPLIED
    unmoved = before.get("UpdatedOn") == live.get("UpdatedOn")
    if unmoved and all(_as_before(change, before=before, live=live) for change in changes):
        return Settled.NOT_APPLIED
    return Settled.UNDECIDED


def _as_asked(change: FieldChange, *, before: Record, live: Record, rewritings: Desired) -> bool:
    if change.field == "ClearImageFile":
        return not live.get("ImageFileName")
    if change.field in ACTIONS:
        renamed = live.get("ImageFileName") not in (None, "", before.get("ImageFileName"))
        return renamed and live.get("UpdatedOn") != before.get("UpdatedOn")
    name, now = change.field, live.get(change.field)
    if equal(name, now, change.after):
        return True
    known = rewritings.get(name)
    return known is not None and known.sent == digest(name, change.after) and known.stored == digest(name, now)


def _as_before(change: FieldChange, *, before: Record, live: Record) -> bool:
    name = "ImageFileName" if change.field in ACTIONS else change.field
    return equal(name, live.get(name), before.get(name))
