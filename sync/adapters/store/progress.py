"""How a run that is at work comes along: counts and pace, from the journal's indexes alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import Integer, cast, func, select

from sync.adapters.store.history import find_run
from sync.adapters.store.opening import Store
from sync.adapters.store.schema import intents, rows
from sync.adapters.store.standing import counts_by_status
from sync.frozen import Frozen
from sync.model import RunFacts, RunId, Status

PACE_S: Final = 60.0
REMEMBERED: Final = 64
_planned: Final[dict[tuple[Path, RunId], int]] = {}


class Progress(Frozen):
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
    run = store.connection.execute
    unsent = (rows.c.run_id == facts.run_id) & (rows.c.status == Status.NOT_ATTEMPTED.value)
    left = run(select(func.count()).select_from(rows).where(unsent)).scalar_one()
    mine = intents.c.run_id == facts.run_id
    unheard = run(select(func.count()).select_from(intents).where(mine, intents.c.answer.is_(None))).scalar_one()
    since = store.clock.wall() - PACE_S
    lately = run(select(func.count()).select_from(intents).where(mine, intents.c.at_wall >= since)).scalar_one()
    counts = counts_by_status(store, facts.run_id)
    return Progress(facts, counts, _to_send(store, facts.run_id), left, unheard, lately)


def _to_send(store: Store, run_id: RunId) -> int:
    """Rows that the run was to send from its start: that never changes, and costs a look at each of them."""
    known = _planned.get((store.path, run_id))
    if known is None:
        planned = (rows.c.run_id == run_id) & rows.c.plan_json.is_not(None)
        known = store.connection.execute(select(func.count()).select_from(rows).where(planned)).scalar_one()
        while len(_planned) >= REMEMBERED:
            _planned.pop(next(iter(_planned)), None)
        _planned[store.path, run_id] = known
    return known


def pace_of(store: Store, run_id: RunId) -> tuple[tuple[int, int], ...]:
    """PUTs by minute since the epoch, in the order of time; minutes without one are left out."""
    minute = cast(intents.c.at_wall / PACE_S, Integer)
    query = select(minute, func.count()).where(intents.c.run_id == run_id).group_by(minute).order_by(minute)
    return tuple((int(at), int(count)) for at, count in store.connection.execute(query))
