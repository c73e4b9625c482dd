"""What was shown of each conflict: a choice between sheet and live holds for nothing that nobody has looked at."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from sync.adapters.store.opening import Store
from sync.adapters.store.schema import shown
from sync.diff import digest
from sync.model import Outcome, SectionId, Status

CODE = "conflict.moved"
"""The issue that shows a conflict. One that turned up after our own PUT shows what was before it, and is none."""

_NEW = insert(shown)
_SHOW = _NEW.on_conflict_do_update(
    index_elements=[shown.c.section_id, shown.c.field],
    set_={"live": _NEW.excluded.live, "by": _NEW.excluded.by, "at_wall": _NEW.excluded.at_wall},
)


def write_showing(connection: Connection, outcome: Outcome, *, by: str, at_wall: float) -> None:
    """Keep what a reported conflict shows as live, field by field; `by` names the run or the plan."""
    if outcome.status is not Status.CONFLICT or outcome.section_id is None:
        return
    moved = {issue.field for issue in outcome.issues if issue.code == CODE}
    values = [
        {
            "section_id": outcome.section_id,
            "field": change.field,
            "live": digest(change.field, change.before),
            "by": by,
            "at_wall": at_wall,
        }
        for change in outcome.changes
        if change.field in moved
    ]
    if values:
        connection.execute(_SHOW, values)


def keep_showings(store: Store, outcomes: Iterable[Outcome], *, by: str) -> None:
    """Keep what the conflicts of a plan show, in one transaction."""
    at_wall = store.clock.wall()
    with store.transaction() as connection:
        for outcome in outcomes:
            write_showing(connection, outcome, by=by, at_wall=at_wall)


def known_showings(store: Store, ids: Iterable[SectionId]) -> Mapping[SectionId, Mapping[str, str]]:
    """What was last shown as live of these sections' conflicts: digests, by field."""
    wanted = set(ids)
    found: dict[SectionId, dict[str, str]] = {}
    if not wanted:
        return found
    for row in store.connection.execute(select(shown.c.section_id, shown.c.field, shown.c.live)):
        if row.section_id in wanted:
            found.setdefault(SectionId(row.section_id), {})[row.field] = row.live
    return found
