"""What was shown of each conflict: a choice between sheet and live holds for nothing that nobody has looked at.

Nor does it hold in the very sheet that was answered with the conflict: sent again as it is, nobody has looked.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from sync.adapters.store.opening import Store
from sync.adapters.store.schema import runs, shown
from sync.diff import digest
from sync.model import Outcome, SectionId, Status

CODE = "conflict.moved"
"""The issue that shows a conflict. One that turned up after our own PUT shows what was before it, and is none."""

_NEW = insert(shown)
_SHOW = _NEW.on_conflict_do_update(
    index_elements=[shown.c.section_id, shown.c.field],
    set_={name: _NEW.excluded[name] for name in ("live", "by", "at_wall", "input_sha256")},
)


def write_showing(
    connection: Connection, outcome: Outcome, *, by: str, at_wall: float, input_sha256: str | None = None
) -> None:
    """Keep what a reported conflict shows as live, field by field; `by` names the run or the plan.

    `input_sha256` is the digest of the plan's sheet; that of a run is known.
    """
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
            "input_sha256": input_sha256,
        }
        for change in outcome.changes
        if change.field in moved
    ]
    if not values:
        return
    if input_sha256 is None:
        of_run = connection.execute(select(runs.c.input_sha256).where(runs.c.run_id == by)).scalar_one_or_none()
        values = [value | {"input_sha256": of_run} for value in values]
    connection.execute(_SHOW, values)


def keep_showings(store: Store, outcomes: Iterable[Outcome], *, by: str, input_sha256: str | None = None) -> None:
    """Keep what the conflicts of a plan show, in one transaction; `by` and `input_sha256` as in `write_showing`."""
    at_wall = store.clock.wall()
    with store.transaction() as connection:
        for outcome in outcomes:
            write_showing(connection, outcome, by=by, at_wall=at_wall, input_sha256=input_sha256)


def known_showings(
    store: Store, ids: Iterable[SectionId], *, to_sheet: str | None = None
) -> Mapping[SectionId, Mapping[str, str]]:
    """What was last shown as live of these sections' conflicts: digests, by field.

    `to_sheet` is the digest of the sheet that is read now: what only answered this very sheet is left out.
    """
    wanted = set(ids)
    found: dict[SectionId, dict[str, str]] = {}
    if not wanted:
        return found
    for row in store.connection.execute(select(shown)):
        if row.section_id in wanted and (to_sheet is None or row.input_sha256 != to_sheet):
            found.setdefault(SectionId(row.section_id), {})[row.field] = row.live
    return found
