"""Sender threads: each does one exchange at a time and decides nothing; answers come back through one queue."""

from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread

from sync.errors import CourseSyncError
from sync.exchange import Answer, NotDelivered, Request
from sync.failpoints import reach
from sync.ports import Api, Arrival, Clock

_Job = tuple[int, Request] | None


class ThreadedSenders:
    """Up to `places` exchanges at once over one `Api` (`ports.Senders`)."""

    def __init__(self, api: Api, *, places: int, clock: Clock, notices: bool = True) -> None:
        """Threads start with the first requests that need them, and end with `close`.

        Without `notices` nobody is told when a request leaves: where no limit spaces requests, nobody wants to know.
        """
        self._notices = notices
        self._api = api
        self._clock = clock
        self._places = places
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._done: SimpleQueue[Arrival | BaseException | None] = SimpleQueue()
        self._left: SimpleQueue[tuple[int, float]] = SimpleQueue()
        self._threads: list[Thread] = []
        self._busy = 0

    @property
    def places(self) -> int:
        """How many exchanges may be under way."""
        return self._places

    def submit(self, ticket: int, request: Request) -> None:
        """Start the exchange."""
        self._busy += 1
        if self._busy > len(self._threads) and len(self._threads) < self._places:
            thread = Thread(target=self._work, name=f"sender-{len(self._threads) + 1}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._jobs.put((ticket, request))
        reach("request.handed")

    def arrivals(self, wait_s: float) -> tuple[Arrival, ...]:
        """Wait at most `wait_s` for an answer or a `wake`, then give all that have come.

        Raises:
            BaseException: whatever a thread could not make an answer of: a fault of this program.
        """
        came: list[Arrival] = []
        try:
            self._keep(self._done.get(timeout=max(0.0, wait_s)), came)
            while True:
                self._keep(self._done.get_nowait(), came)
        except Empty:
            return tuple(came)

    def departed(self) -> tuple[tuple[int, float], ...]:
        """Tickets whose last byte has left since the last call, with when."""
        left: list[tuple[int, float]] = []
        while True:
            try:
                left.append(self._left.get_nowait())
            except Empty:
                return tuple(left)

    def wake(self) -> None:
        """End a wait in `arrivals` at once; may be called from a signal handler."""
        self._done.put(None)

    def close(self) -> None:
        """Let the threads end once their exchange is over; does not wait for them."""
        for _ in self._threads:
            self._jobs.put(None)

    def _keep(self, item: Arrival | BaseException | None, came: list[Arrival]) -> None:
        if isinstance(item, BaseException):
            raise item
        if item is not None:
            self._busy -= 1
            came.append(item)

    def _note_left(self, ticket: int) -> None:
        self._left.put((ticket, self._clock.boot()))
        self._done.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            ticket, request = job
            sent_at = self._clock.boot()
            refusal: CourseSyncError | None = None
            answer: Answer
            try:
                reach(f"{type(request).__name__}.leaving")
                answer = self._api.exchange(request, partial(self._note_left, ticket) if self._notices else None)
                reach(f"{type(request).__name__}.answered")
            except CourseSyncError as error:
                answer, refusal = NotDelivered(error.message), error
            except BaseException as error:  # noqa: BLE001 - a thread must not die unheard: the coordinator raises it
                self._done.put(error)
                return
            self._done.put(Arrival(ticket, request, answer, sent_at, self._clock.boot(), refusal))
