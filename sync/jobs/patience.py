"""Wait for the allowance of another day instead of stopping at it; meanwhile the profile is free for others."""

from collections.abc import Callable

from sync.bootstrap import Session
from sync.errors import CourseSyncError, LockHeld, OutOfAllowance
from sync.jobs.reports import Result
from sync.jobs.watch import Watch
from sync.model import RunId
from sync.ports import StopAsked

LOOK_AGAIN_S = 5.0
"""Where another run is at work when ours may go on: look so often whether it has ended."""


def patiently(
    begin: Callable[[], Result], go_on: Callable[[RunId], Result], *, session: Session, watch: Watch
) -> Result:
    """Begin, and whenever the allowance is used up, sleep until it is renewed and go on, until the run ends.

    `begin` and `go_on` hold the lock while they are at work and no longer: another command may run while this one
    sleeps, and whatever it takes of the allowance is counted.

    Raises:
        CourseSyncError: it could not begin, or was told to stop before it had.
    """
    result: Result | None = None
    said = ""
    while True:
        stop: CourseSyncError
        try:
            result = begin() if result is None else go_on(result.report.run_id)
            if not isinstance(result.stopped, OutOfAllowance):
                return result
            stop, wait_s = result.stopped, result.stopped.wait_s
        except OutOfAllowance as error:
            stop, wait_s = error, error.wait_s
        except LockHeld as error:
            if result is None:
                raise
            stop, wait_s = error, LOOK_AGAIN_S
        if stop.message != said:
            said = stop.message
            watch.events.emit("run.waiting", why=said, seconds=round(wait_s))
        if sleep_until(session, session.clock.boot() + wait_s, watch.stop_asked) is not None:
            if result is None:
                raise stop
            return result


def sleep_until(session: Session, at: float, stop_asked: StopAsked) -> CourseSyncError | None:
    """Sleep until `at` on the boot clock; wakes at once, with the reason, when the run is asked to stop."""
    while (left_s := at - session.clock.boot()) > 0:
        if (stop := stop_asked()) is not None:
            return stop
        session.senders.arrivals(min(left_s, 60.0))
    return None
