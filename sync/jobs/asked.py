"""What people ask of a run that is at work, through the store: a pause, or a stop for good.

It is looked for once a second, beside the run. A pause holds for the process that is at work when it is asked; a stop
for good holds until the run has ended so: a process that takes the run up meanwhile sends nothing of it.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

from sync.adapters.store.opening import open_for_reading
from sync.adapters.store.orders import PAUSE, Asked, asked_of_run, take_requests
from sync.bootstrap import Session
from sync.errors import CourseSyncError, StoppedEarly
from sync.model import RunId

LOOK_EVERY_S: Final = 1.0


class PauseAsked(StoppedEarly):
    """Somebody asked the run to pause."""


class ForGoodAsked(StoppedEarly):
    """Somebody asked the run to end for good: what is open is still to be settled."""


@dataclass(slots=True)
class _Look:
    """Looks in a thread of its own, over a connection of its own: the coordinator waits for nothing."""

    session: Session
    run_id: RunId
    found: Asked | None
    """What was asked before, and holds."""
    ended: Event = field(default_factory=Event)

    def go_on(self) -> None:
        settings, clock = self.session.settings, self.session.clock
        try:
            with closing(open_for_reading(settings.state_dir, clock)) as store:
                while not (self.found and self.found.for_good) and not self.ended.wait(LOOK_EVERY_S):
                    asked = asked_of_run(store, self.run_id)
                    if asked is not None and asked != self.found:
                        self.found = asked
                        self.session.senders.wake()
        except CourseSyncError:
            return  # the run itself will meet what is wrong with the store, and say it

    @property
    def for_good_by(self) -> str | None:
        """Who wants the run to end for good, if anybody does."""
        return self.found.name if self.found is not None and self.found.for_good else None

    def stop_asked(self) -> CourseSyncError | None:
        match self.found:
            case None:
                return None
            case Asked(name=name, for_good=True):
                return ForGoodAsked(f"{name} stopped the run for good.", remedy=f"coursesync stop {self.run_id}")
            case Asked(name=name):
                return PauseAsked(f"{name} paused the run.", remedy="Go on with `coursesync resume`.")


@contextmanager
def asked_of(session: Session, run_id: RunId) -> Iterator[_Look]:
    """Listen to what is asked of this run while the block runs; a pause from before it began holds no longer."""
    take_requests(session.store, run_id, PAUSE)
    look = _Look(session, run_id, asked_of_run(session.store, run_id))
    thread = Thread(target=look.go_on, name="asked", daemon=True)
    thread.start()
    try:
        yield look
    finally:
        look.ended.set()
        thread.join()
    if look.found is not None:
        take_requests(session.store, run_id, PAUSE)
