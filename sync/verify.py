"""Judge by reading what the server made of a PUT that it accepted. Pure; the reading is `apply.py`'s."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from sync.frozen import Frozen, field
from sync.model import FieldChange
from sync.normalize import equal
from sync.section import ACTIONS, Json, Record


class Seen(Enum):
    """The four results of a read after a write."""

    AS_ASKED = auto()
    NOT_STORED = auto()
    """At least one field is still as before, though the server said yes."""
    REWRITTEN = auto()
    """A third value under the `UpdatedOn` of our own PUT: the server's rewriting."""
    MOVED_ON = auto()
    """A third value under another `UpdatedOn`: somebody else wrote after us."""


class Verification(Frozen):
    """What a read said about one accepted PUT."""

    seen: Seen
    differs: Mapping[str, Json] = field(default_factory=dict)
    """Changed fields that are not as asked, with what the server holds."""
    touched: tuple[str, ...] = ()
    """Fields that nobody asked to change and that changed under our `UpdatedOn`."""


_MOVES_BY_ITSELF = frozenset({"UpdatedOn", "UpdatedBy", "ToStringText", "IsNew", "ImageFileName", *ACTIONS})


def verify(changes: Sequence[FieldChange], *, before: Record, live: Record, put_updated_on: str | None) -> Verification:
    """Compare `live` with what was asked, with the before-image and with the `UpdatedOn` that the PUT answered."""
    ours = put_updated_on is not None and live.get("UpdatedOn") == put_updated_on
    touched = _touched(changes, before=before, live=live) if ours else ()
    asked = [change for change in changes if change.field not in ACTIONS]
    differs = {
        change.field: live.get(change.field)
        for change in asked
        if not equal(change.field, live.get(change.field), change.after)
    }
    if not differs:
        return Verification(Seen.AS_ASKED, touched=touched)
    unmoved = live.get("UpdatedOn") == before.get("UpdatedOn")
    # One field that stayed as it was is enough: remembered as a rewriting, it would never be sent again.
    if (ours or unmoved) and any(equal(name, now, before.get(name)) for name, now in differs.items()):
        return Verification(Seen.NOT_STORED, differs, touched)
    return Verification(Seen.REWRITTEN if ours else Seen.MOVED_ON, differs, touched)


def _touched(changes: Sequence[FieldChange], *, before: Record, live: Record) -> tuple[str, ...]:
    named = {change.field for change in changes}
    ignored = named | _MOVES_BY_ITSELF | ({"CourseTitle"} if "CourseId" in named else set())
    return tuple(
        sorted(
            name for name in before.keys() | live.keys() if name not in ignored and before.get(name) != live.get(name)
        )
    )
