"""Stop a run for good: one that is at work is asked to, any other is settled and ended here; nothing is sent."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sync.adapters.lock import run_lock
from sync.adapters.store.history import unheard_sections
from sync.adapters.store.opening import Store
from sync.adapters.store.orders import STOP, ask_run, asked_of_run
from sync.bootstrap import Session, open_ledger, who
from sync.config import Settings
from sync.errors import ConfigError, LockHeld
from sync.jobs.binding import check_account
from sync.jobs.reports import Result, known_run, write_run_report
from sync.jobs.sending import end_for_good, settle_open
from sync.jobs.watch import Watch
from sync.logs import bound
from sync.model import RunFacts
from sync.times import utc

Opened = AbstractContextManager[tuple[Session, Watch]]


def stop_run(
    store: Store, settings: Settings, run: str, *, opened: Callable[[], Opened], out: Path | None
) -> Result | RunFacts:
    """End a run for good, and report on it; or ask the process that carries it out to do so: then it gives the facts.

    Who asked for it first is who stopped it. `opened` opens a session where something is to be settled by reading.

    Raises:
        ConfigError: there is no such run, or it has ended.
        LockHeld: another run is at work.
        CourseSyncError: what is open could not be settled: the run stays as it is.
    """
    facts = _to_be_stopped(store, run)
    clock = store.clock
    try:
        with run_lock(settings.state_dir / "run.lock", since=utc(clock.wall()), holds=f"stop {facts.run_id}"):
            facts = _to_be_stopped(store, run)
            with bound(run_id=facts.run_id):
                if unheard_sections(store, facts.run_id):
                    _settle(opened, facts)
                asked = asked_of_run(store, facts.run_id)
                by = asked.name if asked is not None and asked.for_good else who()
                quota = open_ledger(store, settings, clock).use(clock.boot())
                end_for_good(store, facts.run_id, by=by, quota=quota)
                return write_run_report(store, settings, facts.run_id, out=out)
    except LockHeld:
        facts = _to_be_stopped(store, run)
        if facts.state != "open":
            raise
        ask_run(store, facts.run_id, STOP, name=who())
        return facts


def _to_be_stopped(store: Store, run: str) -> RunFacts:
    facts = known_run(store, run)
    if facts.state == "finished":
        raise ConfigError(f"The run {facts.run_id} has ended.", remedy="There is nothing left of it to stop.")
    return facts


def _settle(opened: Callable[[], Opened], facts: RunFacts) -> None:
    with opened() as (session, watch):
        check_account(session, session.line(), watch.stop_asked)
        settle_open(session, facts, watch, event="run.ending")
