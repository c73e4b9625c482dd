"""How a profile stands: what has been told of each subject, and the figures of all its runs."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from sync.adapters.store.opening import Store
from sync.adapters.store.schema import intents, rows, runs
from sync.adapters.store.unattended import alert_states
from sync.alerts import WELL, Event, Known, Message, Untold
from sync.model import RequestCounts, RunId, Status

LOOKED = "looked_wall"
UNTOLD: Final = "alerts_untold"
_BY_STATUS: Final = (
    select(rows.c.status, func.count()).where(rows.c.run_id == bindparam("of_run")).group_by(rows.c.status)
)
_OPEN: Final = (
    select(intents.c.section_id).where(intents.c.run_id == bindparam("of_run"), intents.c.answer.is_(None)).distinct()
)
_UNSENT_OF: Final = select(func.count()).where(
    rows.c.run_id == bindparam("of_run"),
    rows.c.section_id.in_(bindparam("of_sections", expanding=True)),
    # Joined to nothing, so that SQLite does not look through all rows of this status: those of a few sections will do.
    rows.c.status.concat("") == Status.NOT_ATTEMPTED.value,
)
UNTOLD_MOST: Final = 100
"""So many messages wait for a target at most; of more, the latest."""


def known_states(store: Store) -> Mapping[str, Known]:
    """By subject: how it stood when it was last looked at."""
    return {
        row.subject: Known(
            None if row.event is None else Event(row.event), row.mark, row.since_wall, told=bool(row.told)
        )
        for row in store.connection.execute(select(alert_states))
    }


def keep_state(store: Store, subject: str, known: Known) -> None:
    """Remember how a subject stands; one that was never in trouble leaves no trace.

    Raises:
        StoreNotWritten: the disk is full.
    """
    if known == WELL:
        return
    values = {
        "event": None if known.event is None else known.event.value,
        "mark": known.mark,
        "since_wall": known.since_wall,
        "told": int(known.told),
    }
    new = insert(alert_states).values(subject=subject, **values)
    with store.transaction() as connection:
        connection.execute(new.on_conflict_do_update(index_elements=[alert_states.c.subject], set_=values))


def forget_states(store: Store, subjects: Iterable[str]) -> None:
    """Forget how these stand, as if they had never been looked at.

    Raises:
        StoreNotWritten: the disk is full.
    """
    with store.transaction() as connection:
        for subject in subjects:
            connection.execute(delete(alert_states).where(alert_states.c.subject == subject))


def known_untold(store: Store) -> Mapping[str, Untold]:
    """By subject: the messages that no target has taken yet, the one to be tried first first."""
    found = json.loads(store.get_meta(UNTOLD) or "[]")
    return {each["message"]["subject"]: Untold(_message(each["message"]), _known(each["delivered"])) for each in found}


def keep_untold(store: Store, untold: Mapping[str, Untold]) -> None:
    """Remember the messages that are to be told again, and no others.

    Raises:
        StoreNotWritten: the disk is full.
    """
    text = json.dumps([_plain(each) for each in untold.values()][-UNTOLD_MOST:])
    if text != (store.get_meta(UNTOLD) or "[]"):
        store.set_meta(UNTOLD, text)


def _plain(untold: Untold) -> dict[str, object]:
    message, known = untold.message, untold.delivered
    return {
        "message": {
            "event": message.event.value,
            "severity": message.severity,
            "profile": message.profile,
            "subject": message.subject,
            "title": message.title,
            "lines": list(message.lines),
            "facts": message.facts,
        },
        "delivered": {
            "event": None if known.event is None else known.event.value,
            "mark": known.mark,
            "since_wall": known.since_wall,
            "told": known.told,
        },
    }


def _message(kept: dict[str, Any]) -> Message:
    return Message(**kept | {"event": Event(kept["event"]), "lines": tuple(kept["lines"])})


def _known(kept: dict[str, Any]) -> Known:
    return Known(**kept | {"event": None if kept["event"] is None else Event(kept["event"])})


def keep_look(store: Store) -> None:
    """Remember that the profile was worked on now."""
    store.set_meta(LOOKED, repr(store.clock.wall()))


def last_look(store: Store) -> float | None:
    """When the profile was last worked on."""
    text = store.get_meta(LOOKED)
    return None if text is None else float(text)


def counts_by_status(store: Store, run_id: RunId) -> Mapping[str, int]:
    """Rows of a run by status, those without a row left out; as in its report, an open intent makes a row `unknown`."""
    found = {str(status): int(count) for status, count in store.connection.execute(_BY_STATUS, {"of_run": run_id})}
    if opened := list(store.connection.execute(_OPEN, {"of_run": run_id}).scalars()):
        unheard = store.connection.execute(_UNSENT_OF, {"of_run": run_id, "of_sections": opened}).scalar_one()
        unsent, unknown = Status.NOT_ATTEMPTED.value, Status.UNKNOWN.value
        found |= {unsent: found.get(unsent, 0) - unheard, unknown: found.get(unknown, 0) + unheard}
    return {status: count for status, count in sorted(found.items()) if count}


def requests_of_all_runs(store: Store) -> RequestCounts:
    """What all runs have asked of the server."""
    columns = (runs.c.reads, runs.c.writes, runs.c.throttled, runs.c.retried)
    sums = store.connection.execute(select(*(func.coalesce(func.sum(column), 0) for column in columns))).one()
    return RequestCounts(*(int(total) for total in sums))


def ended_by_code(store: Store) -> Mapping[int, int]:
    """Runs that have ended, by exit code."""
    query = select(runs.c.exit_code, func.count()).where(runs.c.exit_code.is_not(None)).group_by(runs.c.exit_code)
    return {row[0]: row[1] for row in store.connection.execute(query)}


def last_good_run(store: Store) -> float | None:
    """When a run last ended with 0."""
    query = select(func.max(runs.c.finished_wall)).where(runs.c.exit_code == 0, runs.c.state == "finished")
    at: float | None = store.connection.execute(query).scalar_one_or_none()
    return at
