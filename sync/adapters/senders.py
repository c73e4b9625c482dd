"""Sender threads: each does one exchange at a time and decides nothing; what comes back is gathered for one reader.

A thread takes a chain of jobs, as a rule of one. Where an exchange takes less than handing it over, chains are longer:
the jobs of one are done one after the other, and the reader is woken once, at its end. Only a yes lets the next one
leave: after any other answer what nobody has begun, of all chains, comes back as `Recalled`.
"""

from collections import deque
from collections.abc import Sequence
from functools import partial
from itertools import islice
from math import inf
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from sync.errors import CourseSyncError
from sync.exchange import Answer, NotDelivered, Put, Recalled, Request, is_yes
from sync.failpoints import reach
from sync.frozen import Frozen
from sync.ports import Api, Arrival, Clock

STALLED_S = 0.05
"""So long the reader waits for a chain without hearing anything; then it takes back what has not begun."""
KEPT_S = 1.0
"""A job of a chain leaves within this time or not at all: its record was fresh when it was handed over."""

_Job = tuple[int, Request]


class _Chain(Frozen):
    """Jobs that one thread does in their order."""

    jobs: deque[_Job]
    until: float
    """Later than this none is begun; without an end where none waits behind another."""


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
        self._handed: SimpleQueue[_Chain | None] = SimpleQueue()
        self._calls: SimpleQueue[BaseException | None] = SimpleQueue()
        """Each ends a wait in `arrivals`."""
        self._left: SimpleQueue[tuple[int, float]] = SimpleQueue()
        self._threads: list[Thread] = []
        self._lock = Lock()
        """Guards what follows: a job waits, or is begun, or is recalled, and never two of them."""
        self._chains: list[_Chain] = []
        """Those of which a job may wait behind another one."""
        self._came: list[Arrival] = []
        self._busy = 0

    @property
    def places(self) -> int:
        """How many exchanges may be under way."""
        return self._places

    def submit(self, jobs: Sequence[tuple[int, Request]], *, chain: int = 1) -> None:
        """Start the exchanges, up to `chain` PUTs one after the other; a read keeps nobody waiting."""
        until = self._clock.boot() + KEPT_S if chain > 1 else inf
        chains = [_Chain(deque((job,)), inf) for job in jobs if not isinstance(job[1], Put)]
        puts = iter([job for job in jobs if isinstance(job[1], Put)])
        while together := deque(islice(puts, chain)):
            chains.append(_Chain(together, until))
        with self._lock:
            self._chains = [each for each in (*self._chains, *chains) if each.until < inf and each.jobs]
            self._busy += len(chains)
            wanted = min(self._busy, self._places)
        while len(self._threads) < wanted:
            thread = Thread(target=self._work, name=f"sender-{len(self._threads) + 1}", daemon=True)
            thread.start()
            self._threads.append(thread)
        for each in chains:
            self._handed.put(each)
            reach("request.handed")

    def arrivals(self, wait_s: float) -> tuple[Arrival, ...]:
        """Wait at most `wait_s` for an answer or a `wake`, then give all that have come.

        Raises:
            BaseException: whatever a thread could not make an answer of: a fault of this program.
        """
        self._wait(max(0.0, wait_s))
        with self._lock:
            came, self._came = self._came, []
        return tuple(came)

    def departed(self) -> tuple[tuple[int, float], ...]:
        """Tickets whose last byte has left since the last call, with when."""
        left: list[tuple[int, float]] = []
        while True:
            try:
                left.append(self._left.get_nowait())
            except Empty:
                return tuple(left)

    def recall(self) -> None:
        """Take back of all chains what no thread has begun: it arrives as `Recalled`, the last one first."""
        now = self._clock.boot()
        with self._lock:
            for each in reversed(self._chains):
                while each.jobs:
                    ticket, request = each.jobs.pop()
                    self._came.append(Arrival(ticket, request, Recalled(), now, now))

    def wake(self) -> None:
        """End a wait in `arrivals` at once; may be called from a signal handler."""
        self._calls.put(None)

    def close(self) -> None:
        """Let the threads end once their exchange is over; does not wait for them."""
        self.recall()
        for _ in self._threads:
            self._handed.put(None)

    def _wait(self, wait_s: float) -> None:
        """Wait for a call, and take all that have come; chains that stall are recalled."""
        stalls = wait_s > STALLED_S and any(each.jobs for each in self._chains)
        try:
            call = self._calls.get(timeout=STALLED_S if stalls else wait_s)
            while True:
                if call is not None:
                    raise call
                call = self._calls.get_nowait()
        except Empty:
            if stalls and not self._came:
                self.recall()

    def _work(self) -> None:
        while (chain := self._handed.get()) is not None:
            try:
                self._do(chain)
            except BaseException as error:  # noqa: BLE001 - a thread must not die unheard: the coordinator raises it
                self._calls.put(error)
                return

    def _do(self, chain: _Chain) -> None:
        while (job := self._next(chain)) is not None:
            arrival = self._exchanged(*job)
            if not is_yes(arrival.answer):
                self.recall()  # ahead of its own arrival: put back in that order, it is the first again
            with self._lock:
                self._came.append(arrival)
            if not chain.jobs:
                self._calls.put(None)

    def _next(self, chain: _Chain) -> _Job | None:
        if self._clock.boot() > chain.until:
            self.recall()
            self._calls.put(None)
        with self._lock:
            if chain.jobs:
                return chain.jobs.popleft()
            self._busy -= 1
            return None

    def _exchanged(self, ticket: int, request: Request) -> Arrival:
        sent_at = self._clock.boot()
        refusal: CourseSyncError | None = None
        answer: Answer
        try:
            reach(f"{type(request).__name__}.leaving")
            answer = self._api.exchange(request, partial(self._note_left, ticket) if self._notices else None)
            reach(f"{type(request).__name__}.answered")
        except CourseSyncError as error:
            answer, refusal = NotDelivered(error.message), error
        return Arrival(ticket, request, answer, sent_at, self._clock.boot(), refusal)

    def _note_left(self, ticket: int) -> None:
        self._left.put((ticket, self._clock.boot()))
        self._calls.put(None)
