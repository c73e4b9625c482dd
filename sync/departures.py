"""What leaves next, and when: the rows of a run in their queues, chosen by urgency as places and windows allow.

A row waits in `queue` until it is read again just ahead of the sender, then in `fresh` until the windows let it go.
`later` holds rows that pause before another try, `settling` those whose answer nobody heard, `verifying` those that
the server accepted, `waiting` those of a later stage of the canary. Nothing here waits, hears or decides what a row
becomes: that is `apply.py`'s.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import inf

from sync.canary import Canary
from sync.errors import StoppedEarly
from sync.exchange import Put, ReadBatch, ReadOne
from sync.frozen import Frozen
from sync.line import Departure, Line
from sync.model import Outcome
from sync.ongoing import Row
from sync.ports import Clock, Events, Intent
from sync.reading import Reader
from sync.target import target
from sync.times import utc
from sync.windows import Scope

READ_AHEAD_S = 0.3
"""A fresh read is asked so much earlier than its measured latency."""
HORIZON = 0.6
"""A fresh read takes no more rows than can leave in this part of a record's allowed age."""
PAUSE_NOTICED_S = 5.0
"""A pause that is longer is said."""
QUIET_S = 2.0
"""With so long until the next write, there is time to verify."""


class ApplySettings(Frozen):
    """The profile's settings, as far as sending hangs on them."""

    attempts: int = 3
    fresh_for_s: float = 60.0
    settle_after_s: float = 120.0
    stop_after: int = 20
    wait_max_s: float = 900.0
    ids_per_request: int = 150
    body_omit: frozenset[str] = frozenset()
    verify: bool = True
    settle_only: bool = False
    """Settle what is open by reading, and send nothing."""


@dataclass(slots=True)
class Verifying:
    """An accepted row that a read is to confirm."""

    row: Row
    outcome: Outcome


@dataclass(slots=True)
class Departures:
    """The queues of a run, and the choice of what leaves next."""

    line: Line
    clock: Clock
    settings: ApplySettings
    canary: Canary | None = None
    queue: deque[Row] = field(default_factory=deque)
    fresh: deque[Row] = field(default_factory=deque)
    later: list[Row] = field(default_factory=list)
    sending: dict[int, Row] = field(default_factory=dict)
    settling: dict[int, Row] = field(default_factory=dict)
    verifying: dict[int, Verifying] = field(default_factory=dict)
    waiting: list[Row] = field(default_factory=list)
    stopping: bool = False
    """Nothing new is sent; what was sent may still be settled and verified."""
    fresh_reader: Reader = field(init=False)
    settle_reader: Reader = field(init=False)
    verify_reader: Reader = field(init=False)
    _reader_of: dict[int, Reader] = field(default_factory=dict)
    _pause_said: float = 0.0
    _chosen: int = 0
    """Departures of this turn, which the windows do not count yet."""

    def __post_init__(self) -> None:
        """Make one reader for each purpose."""
        size = self.settings.ids_per_request
        self.fresh_reader, self.settle_reader, self.verify_reader = Reader(size), Reader(size), Reader(size)

    @property
    def unsent(self) -> bool:
        """Whether a row has still to be sent."""
        return bool(self.queue or self.fresh or self.later)

    @property
    def busy(self) -> bool:
        """Whether anything is still to be sent, heard or read, but for what waits for its stage."""
        return bool(self.line.in_flight or self.unsent or self.settling or self.verifying)

    def say_pause(self, events: Events) -> None:
        """Say once of each pause that a person would notice why nothing leaves."""
        now = self.clock.boot()
        pause = self.line.ledger.paused(now)
        if pause is not None and pause.until > self._pause_said and pause.until - now > PAUSE_NOTICED_S:
            self._pause_said = pause.until
            events.emit("run.waiting", why=pause.words(self.clock), seconds=round(pause.until - now))

    def take(self, row: Row) -> None:
        """Take a row that is to be sent: now, or with its stage of the canary."""
        may_go = self.canary is None or self.canary.may_go(row.planned.row)
        (self.queue if may_go else self.waiting).append(row)

    def next_stage(self, outcomes: Mapping[int, Outcome], events: Events) -> StoppedEarly | None:
        """Where a stage of the canary is through, judge it: let the next rows go, or say why they must not."""
        while self.canary is not None and self.waiting and not self.busy:
            if (stop := self.canary.next_stage(outcomes)) is not None:
                return stop
            events.emit("canary.passed", rows=self.canary.begin, next_rows=self.canary.end)
            waiting, self.waiting = self.waiting, []
            for row in waiting:
                self.take(row)
        return None

    def choose(self) -> list[Departure]:
        """What may leave now, most urgent first."""
        now, chosen = self.clock.boot(), list[Departure]()
        self._bring_back(now)
        places = min(self.line.places, self.line.ledger.at_once)
        while len(chosen) < places and (departure := self._next(now)) is not None:
            chosen.append(departure)
            self._chosen = len(chosen)
        self._chosen = 0
        return chosen

    def put_back(self, departure: Departure) -> None:
        """Another process was faster: this one comes next."""
        request = departure.request
        if isinstance(request, Put):
            row = self.sending.pop(request.id)
            row.attempts -= 1
            self.fresh.appendleft(row)
        elif isinstance(request, ReadBatch | ReadOne):
            self.reader_of(request).put_back(request)

    def reader_of(self, request: ReadBatch | ReadOne) -> Reader:
        """The reader that asked for `request`."""
        return self._reader_of.pop(id(request))

    def new_verify_reader(self) -> None:
        """Start afresh after a read that could not be completed."""
        self.verify_reader = Reader(self.settings.ids_per_request)

    def _bring_back(self, now: float) -> None:
        due = [row for row in self.later if row.not_before <= now]
        for row in due:
            self.later.remove(row)
            still_fresh = row.record is not None and now - row.read_at <= self.settings.fresh_for_s
            (self.fresh if still_fresh else self.queue).appendleft(row)

    def _next(self, now: float) -> Departure | None:
        may_read = self._may_leave(Scope.ALL, now)
        if may_read:
            self._want_settled(now)
            if self._fresh_due(now) <= now:
                self._want_fresh(now)
            for reader in self._readers()[:-1]:
                if departure := self._read(reader, now):
                    return departure
        if departure := self._put(now):
            return departure
        if may_read and self.may_verify(now):
            self.verify_reader.want(waiting.row.edit.id for waiting in self.verifying.values())
        return self._read(self.verify_reader, now) if may_read else None

    def _may_leave(self, scope: Scope, now: float) -> bool:
        room = self.line.ledger.room(scope, now, now)
        return self.line.earliest(scope, now) <= now and (room is None or room > self._chosen)

    def _readers(self) -> tuple[Reader, ...]:
        """Most urgent first; a run that stops has no use for fresh records."""
        ahead = (self.settle_reader,) if self.stopping else (self.settle_reader, self.fresh_reader)
        return (*ahead, self.verify_reader)

    def _read(self, reader: Reader, now: float) -> Departure | None:
        request = reader.next_request(now)
        if request is None:
            return None
        self._reader_of[id(request)] = reader
        return Departure(request)

    @property
    def _suspect_in_the_way(self) -> bool:
        """A row with which the program died before travels alone: what dies with it then is not laid to others."""
        if any(row.deaths for row in self.sending.values()):
            return True
        return bool(self.sending and self.fresh and self.fresh[0].deaths)

    def _put(self, now: float) -> Departure | None:
        if self.stopping or self._suspect_in_the_way or not self._may_leave(Scope.WRITE, now):
            return None
        while self.fresh and self.fresh[0].not_before <= now:
            row = self.fresh.popleft()
            if row.record is None or now - row.read_at > self.settings.fresh_for_s:
                self.queue.appendleft(row)
                continue
            if row.deaths and self.sending:
                self.fresh.appendleft(row)
                return None
            row.attempts += 1
            row.started_at = row.started_at or utc(self.clock.wall())
            self.sending[row.edit.id] = row
            body = target(row.record, row.changes, omit=self.settings.body_omit)
            return Departure(Put(row.edit.id, body), Intent(row.edit.id, row.attempts, row.changes, row.record))
        return None

    def _want_settled(self, now: float) -> None:
        if not self.settling:
            return
        due = [row for row in self.settling.values() if row.settle_at <= now and not row.asked]
        for row in due:
            row.asked = True
        self.settle_reader.want(row.edit.id for row in due)

    def _want_fresh(self, now: float) -> None:
        wanted = islice(self.queue, max(0, self._sendable(now) - len(self.fresh)))
        self.fresh_reader.want(row.edit.id for row in wanted)

    def _fresh_due(self, now: float) -> float:
        """When the next rows are to be read again, just ahead of the sender; `inf` if something else comes first."""
        if self.stopping or not self.queue or not self.fresh_reader.idle:
            return inf
        in_hand, soon_gone = len(self.fresh), max(2 * self.line.senders.places, self.line.most)
        if in_hand > soon_gone or self._sendable(now) <= in_hand or self._is_covered(now):
            return inf
        return self.line.earliest(Scope.WRITE, now) - self._lead_s()

    def _is_covered(self, now: float) -> bool:
        """Whether every place that the windows give away before more could be read has its row already.

        Then there is time: windows would else be read for piece by piece, as their places come back. Departures of
        this turn have taken places that the windows do not count yet.
        """
        room = self.line.ledger.room(Scope.WRITE, now, now + self._lead_s())
        return bool(self.fresh or self._chosen) and room is not None and room - self._chosen <= len(self.fresh)

    def _sendable(self, now: float) -> int:
        """How many rows can leave while a record that is read now is fresh enough."""
        horizon_s = self.settings.fresh_for_s * HORIZON
        by_latency = int(self.line.senders.places * horizon_s / max(0.001, self.line.latency.seconds)) + 1
        room = self.line.ledger.room(Scope.WRITE, now, now + horizon_s)
        in_windows = by_latency if room is None else max(1, room) - self._chosen
        beside = self.line.most - self.line.senders.places
        return min(self.settings.ids_per_request + beside, by_latency, in_windows)

    def _lead_s(self) -> float:
        return self.line.latency.seconds * 1.5 + READ_AHEAD_S

    def may_verify(self, now: float) -> bool:
        """Whether this is the moment to read what was written: a whole batch waits, or there is time for it."""
        if not self.verifying or not self.verify_reader.idle or self.line.stop or self.line.breaker.stop:
            return False
        if len(self.verifying) >= self.settings.ids_per_request:
            return True
        if self.sending:
            return False
        return self.stopping or not self.unsent or self.line.earliest(Scope.WRITE, now) - now > QUIET_S

    def wake_at(self) -> float:
        """When something may leave though nothing is heard; `inf` if only an answer can change anything."""
        now = self.clock.boot()
        if self.line.places == 0:
            return inf
        read, write = self.line.earliest(Scope.ALL, now), self.line.earliest(Scope.WRITE, now)
        times = [max(read, at) for reader in self._readers() if (at := reader.ready_at(now)) is not None]
        times += [max(read, row.settle_at) for row in self.settling.values() if not row.asked]
        times += [max(read, self._fresh_due(now))]
        if not self.stopping:
            if not self._suspect_in_the_way:
                times += [max(write, row.not_before) for row in islice(self.fresh, 1)]
            times += [row.not_before for row in self.later]
        if self.may_verify(now):
            times.append(read)
        return min(times)
