"""How a run that is at work comes along: counts, pace and the latest rows, from the journal alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Integer, cast, func, select

from sync.adapters.store.history import find_run
from sync.adapters.store.opening import Store
from sync.adapters.store.rowtext import outcome_of, read
from sync.adapters.store.schema import intents, rows
from sync.adapters.store.standing import counts_by_status
from sync.model import Outcome, RunFacts, RunId, Status

PACE_S = 60.0


@dataclass(frozen=True, slots=True)
class Progress:
    """A run at this moment."""

    facts: RunFacts
    counts: Mapping[str, int]
    to_send: int
    """Rows that the run was to send from its start."""
    left: int
    """Of these, the ones without an end."""
    unheard: int
    """Sections of which nobody knows yet what became."""
    last_minute: int
    """PUTs within the last 60 s."""

    @property
    def done(self) -> int:
        """Rows that were to be sent and have their end."""
        return self.to_send - self.left


def progress_of(store: Store, run_id: str) -> Progress | None:
    """How a run stands; `None` if there is no such run."""
    facts = find_run(store, run_id)
    if facts is None:
        return None
    planned = (rows.c.run_id == facts.run_id) & rows.c.plan_json.is_not(None)
    run = store.connection.execute
    to_send = run(select(func.count()).select_from(rows).where(planned)).scalar_one()
    left = run(
        select(func.count()).select_from(rows).where(planned, rows.c.status == Status.NOT_ATTEMPTED.value)
    ).scalar_one()
    mine = intents.c.run_id == facts.run_id
    unheard = run(select(func.count()).select_from(intents).where(mine, intents.c.answer.is_(None))).scalar_one()
    since = store.clock.wall() - PACE_S
    lately = run(select(func.count()).select_from(intents).where(mine, intents.c.at_wall >= since)).scalar_one()
    return Progress(facts, counts_by_status(store, facts.run_id), to_send, left, unheard, lately)


def pace_of(store: Store, run_id: RunId) -> tuple[tuple[int, int], ...]:
    """PUTs by minute since the epoch, in the order of time; minutes without one are left out."""
    minute = cast(intents.c.at_wall / PACE_S, Integer)
    query = select(minute, func.count()).where(intents.c.run_id == run_id).group_by(minute).order_by(minute)
    return tuple((int(at), int(count)) for at, count in store.connection.execute(query))


def rows_of(
    store: Store, run_id: RunId, *, status: str | None, skip: int, at_most: int
) -> tuple[int, tuple[Outcome, ...]]:
    """How many rows of a run there are of this status, and some of them in the sheet's order."""
    of_run = rows.c.run_id == run_id if status is None else (rows.c.run_id == run_id) & (rows.c.status == status)
    total = store.connection.execute(select(func.count()).select_from(rows).where(of_run)).scalar_one()
    query = select(rows.c.outcome_json).where(of_run).order_by(rows.c.row).offset(skip).limit(at_most)
    return total, tuple(outcome_of(read(text)) for text in store.connection.execute(query).scalars())
