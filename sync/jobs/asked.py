"""What people ask of a run that is at work, through the store: a pause. Looked for once a second, beside the run."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

from sync.adapters.store.opening import open_for_reading
from sync.adapters.store.orders import asked_of_run, take_requests
from sync.bootstrap import Session
from sync.errors import CourseSyncError, StoppedEarly
from sync.model import RunId

LOOK_EVERY_S: Final = 1.0


class PauseAsked(StoppedEarly):
    """Somebody asked the run to pause."""


@dataclass(slots=True)
class _Look:
    """Looks in a thread of its own, over a connection of its own: the coordinator waits for nothing."""

    session: Session
    run_id: RunId
    ended: Event = field(default_factory=Event)
    found: str | None = None

    def go_on(self) -> None:
        settings, clock = self.session.settings, self.session.clock
        try:
            with closing(open_for_reading(settings.state_dir, clock)) as store:
                while not self.ended.wait(LOOK_EVERY_S):
                    asked = asked_of_run(store, self.run_id)
                    if asked is not None:
                        self.found = asked[1]
                        self.session.senders.wake()
                        return
        except CourseSyncError:
            return  # the run itself will meet what is wrong with the store, and say it

    def stop_asked(self) -> CourseSyncError | None:
        if self.found is None:
            return None
        return PauseAsked(f"{self.found} paused the run.", remedy="Go on with `coursesync resume`.")


@contextmanager
def asked_of(session: Session, run_id: RunId) -> Iterator[_Look]:
    """Listen to what is asked of this run while the block runs; what was asked before it began holds no longer."""
    take_requests(session.store, run_id)
    look = _Look(session, run_id)
    thread = Thread(target=look.go_on, name="asked", daemon=True)
    thread.start()
    try:
        yield look
    finally:
        look.ended.set()
        thread.join()
    if look.found is not None:
        take_requests(session.store, run_id)
