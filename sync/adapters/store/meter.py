"""Count the requests that no line sends, sign-ins and renewals, in the windows that all commands of a profile share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sync.adapters.store.opening import Store, open_store
from sync.adapters.store.quota import QuotaLedger
from sync.breaker import Breaker
from sync.line import out_of_allowance
from sync.ports import Clock, Pause, StopAsked
from sync.windows import Limit, Scope

LOOK_AGAIN_S = 1.0
_LATER = "Try again then."


@dataclass(slots=True)
class Place:
    """A place in every window, taken for one request."""

    throttled: bool = False
    retry_after_s: float | None = None

    def throttle(self, retry_after_s: float | None) -> None:
        """The server throttled the request: the whole profile has to know."""
        self.throttled, self.retry_after_s = True, retry_after_s


@dataclass(slots=True)
class RequestMeter:
    """Takes a place for a request and stamps its answer, over a connection of its own: any thread may ask."""

    state_dir: Path
    clock: Clock
    limits: Sequence[Limit]
    owner: str
    give_up_s: float
    breaker: Breaker
    """Says how long a throttle is waited out; its cap is the longest wait for a place, too."""
    sleep: Callable[[float], None]
    stop_asked: StopAsked = field(default=lambda: None)
    """Asked while a place is waited for; whoever listens to signals puts itself here."""

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Wait for a place of a write, hold it while the block sends its one request, and free it a window later.

        Raises:
            OutOfAllowance: there is none for longer than a run waits; nothing was sent.
            CourseSyncError: what `stop_asked` gave, or the store's own.
        """
        with closing(open_store(self.state_dir, self.clock)) as store:
            ledger = QuotaLedger(self.limits, self.clock, owner=self.owner, give_up_s=self.give_up_s)
            slot = self._taken(store, ledger)
            place = Place()
            try:
                yield place
            finally:
                self._stamp(store, ledger, slot, place)

    def _taken(self, store: Store, ledger: QuotaLedger) -> int:
        while True:
            with store.transaction() as connection:
                ledger.catch_up(connection)
                slot = ledger.reserve(connection, Scope.WRITE)
            if slot is not None:
                return slot
            if (stop := self.stop_asked()) is not None:
                raise stop
            wait_s = ledger.earliest(Scope.WRITE, self.clock.boot()) - self.clock.boot()
            if wait_s > self.breaker.wait_max_s:
                raise out_of_allowance(ledger, Scope.WRITE, self.clock, wait_s=wait_s, remedy=_LATER)
            self.sleep(min(max(0.0, wait_s), LOOK_AGAIN_S))

    def _stamp(self, store: Store, ledger: QuotaLedger, slot: int, place: Place) -> None:
        now = self.clock.boot()
        with store.transaction() as connection:
            # Nobody saw it leave: no later than its answer came.
            ledger.keep_departure(connection, slot, now)
            ledger.keep_answer(connection, slot, now)
            if place.throttled:
                wait_s = self.breaker.throttled(place.retry_after_s, 0.0)
                ledger.keep_pause(connection, Pause(now + wait_s, place.retry_after_s))
