"""A world without threads or waiting: a clock that a test moves, a server that obeys a script, and the way to it."""

from collections.abc import Callable, Sequence
from math import inf, nextafter

from sync.adapters.senders import STALLED_S
from sync.errors import CourseSyncError, StoppedEarly
from sync.exchange import Answer, NotDelivered, Put, Recalled, Request, Unheard, is_yes
from sync.ports import Arrival, Clock
from tests.simulated_server import ROBOT, Fault, Served, SimulatedServer, ids_of, section
from tests.simulated_time import FakeClock, MachineClock, Timeline

__all__ = [
    "ROBOT",
    "FakeClock",
    "FakeTokens",
    "Fault",
    "Killed",
    "MachineClock",
    "Served",
    "SimulatedSenders",
    "SimulatedServer",
    "Timeline",
    "ids_of",
    "section",
]

TURNS_AT_MOST = 20_000


class FakeTokens:
    """Renews as often as it is allowed to (`ports.Tokens`)."""

    def __init__(self, *, renewals: float = inf, fails_with: CourseSyncError | None = None) -> None:
        self.generation, self.renewals, self.fails_with = 1, renewals, fails_with
        self.due, self.renewed_ahead = False, 0

    def is_due(self) -> bool:
        return self.due

    def renew_ahead(self) -> None:
        self.due = False
        self.renewed_ahead += 1

    def renew(self, generation: int) -> bool:
        if self.fails_with is not None:
            raise self.fails_with
        if generation < self.generation:
            return True
        if self.renewals <= 0:
            return False
        self.renewals -= 1
        self.generation += 1
        return True


class Killed(BaseException):
    """The process dies here; what is under way stays so."""


class SimulatedSenders:
    """Exchanges on the timeline instead of on threads (`ports.Senders`)."""

    def __init__(
        self, server: SimulatedServer, tokens: FakeTokens, *, places: int = 8, clock: Clock | None = None
    ) -> None:
        """`clock` is the machine's that sends; the timeline's own where it never boots anew."""
        self._server, self._tokens, self._places = server, tokens, places
        self._clock: Clock = clock or server.timeline.clock
        self._came: list[Arrival] = []
        self._left: list[tuple[int, float]] = []
        self._under_way: dict[int, tuple[Request, float]] = {}
        self._waiting: list[list[tuple[int, Request]]] = []
        """What waits behind a PUT that is under way, chain by chain."""
        self._woken = False
        self.leaves_after_s: Callable[[], float] = lambda: 0.0
        """How long a request takes to get its last byte onto the wire."""
        self.turns = 0
        """How often the coordinator waited."""
        self.submitted = 0
        self.most_under_way = 0
        self.dies_before: int | None = None
        """The process dies as it hands over its n-th request, from 1: all is committed, nothing has left."""
        self.dies_at_turn: int | None = None
        self.on_turn: Callable[[int], None] = lambda _: None
        """What else happens as the coordinator begins to wait for the n-th time, from 1."""
        self.witness: Callable[[Request], None] = lambda _: None
        """Looks at each request as it leaves."""
        self.no_sign_in: StoppedEarly | None = None
        """Why nothing can be sent."""

    @property
    def places(self) -> int:
        return self._places

    def submit(self, jobs: Sequence[tuple[int, Request]], *, chain: int = 1) -> None:
        """Reads and the first PUT of each chain leave at once, the others after a yes to the one before."""
        for _ in jobs:
            self.submitted += 1
            if self.submitted == self.dies_before:
                raise Killed
        puts = [job for job in jobs if isinstance(job[1], Put)]
        chains = [puts[start : start + chain] for start in range(0, len(puts), chain)]
        for each in (*([job] for job in jobs if not isinstance(job[1], Put)), *chains):
            self._waiting.append(each)
            self._send_next(each)
        self._waiting = [each for each in self._waiting if each]

    def recall(self) -> None:
        now = self._clock.boot()
        for each in reversed(self._waiting):
            while each:
                self._came.append(Arrival(*each.pop(), Recalled(), now, now))

    def _send_next(self, chain: list[tuple[int, Request]]) -> None:
        if not chain:
            return
        ticket, request = chain.pop(0)
        self.witness(request)
        sent_at, refusal, timeline = self._clock.boot(), self.no_sign_in, self._server.timeline
        self._under_way[ticket] = (request, sent_at)
        self.most_under_way = max(self.most_under_way, len(self._under_way))

        def hear(answer: Answer) -> None:
            if self._under_way.pop(ticket, None) is None:
                return
            if not is_yes(answer):
                self.recall()
            self._came.append(Arrival(ticket, request, answer, sent_at, self._clock.boot(), refusal))
            self._send_next(chain)
            self._woken |= not chain

        if refusal is not None:
            hear(NotDelivered(refusal.message))
            return

        def leave() -> None:
            self._left.append((ticket, self._clock.boot()))
            self._woken = True
            self._server.take(request, timeline.clock.now, self._tokens.generation, hear)

        timeline.at(timeline.clock.now + self.leaves_after_s(), leave)

    def departed(self) -> tuple[tuple[int, float], ...]:
        left, self._left = tuple(self._left), []
        return left

    def wake(self) -> None:
        """End a wait, as a signal does."""
        self._woken = True

    def fall_asleep(self, seconds: float) -> None:
        """The machine sleeps: the world goes on, what was under way is torn off, and that is heard on waking."""
        torn, self._under_way = self._under_way, {}
        self._server.timeline.run_until(self._server.timeline.clock.now + seconds)
        now, answer = self._clock.boot(), Unheard("the connection was reset")
        self._came += [Arrival(ticket, request, answer, sent_at, now) for ticket, (request, sent_at) in torn.items()]
        self.recall()

    def arrivals(self, wait_s: float) -> tuple[Arrival, ...]:
        self.turns += 1
        if self.turns == self.dies_at_turn:
            raise Killed
        self.on_turn(self.turns)
        assert self.turns < TURNS_AT_MOST, "the coordinator turns without end"
        timeline = self._server.timeline
        self._woken = False
        stalls = any(self._waiting) and wait_s > STALLED_S
        wait_s = STALLED_S if stalls else wait_s
        until = max(timeline.clock.now + wait_s, nextafter(timeline.clock.now, inf) if wait_s > 0 else 0.0)
        timeline.run_until(until, done=lambda: self._woken or (bool(self._came) and not any(self._waiting)))
        if stalls and not self._came and not self._woken:
            self.recall()
        came, self._came = tuple(self._came), []
        return came
