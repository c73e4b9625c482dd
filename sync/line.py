"""The way out to the server: windows, pauses, places in flight; what leaves is committed before it leaves.

One coordinator owns the line. It knows requests and answers, and nothing of rows: `apply.py` and `live.py` do.
Whatever is to be on disk before a request leaves (intents, outcomes, the place in every window) is written in the one
transaction of `depart`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf

from sync.breaker import Breaker
from sync.errors import CourseSyncError, OutOfAllowance, StoppedEarly
from sync.exchange import Accepted, NotDelivered, Put, Recalled, Request, Throttled, Unauthorised, Unheard
from sync.frozen import Frozen
from sync.model import RequestCounts
from sync.ports import Arrival, Batch, Clock, Intent, Journal, Ledger, Pause, Senders, Tokens
from sync.times import duration, minute
from sync.windows import Scope

Effect = Callable[[Batch], None]
"""Something that is written in the transaction of the next departure."""

SPACING_THROTTLE_S = 2.0
"""A throttle that asks for so little is one of requests too close together."""
RETRIES_ALWAYS = 10
RETRY_SHARE = 10
"""Retries are at most a tenth of all requests."""
GATHER_S = 0.002
"""So long answers are gathered before what they mean is committed: a commit costs as much as two exchanges."""
CHAIN_S = 0.02
"""So long PUTs may take one after the other in one place before their answers are heard: where the server is so near
that handing one over costs more than its exchange, several are handed over, committed and heard together."""
TOGETHER = 64
"""So many requests are out at most, waiting behind others or under way."""
SLEEP_MAX_S = 60.0
"""The longest sleep at a stretch: a machine that slept looks at its clock again."""


class Departure(Frozen):
    """A request that may leave, with what must be committed before it does."""

    request: Request
    intent: Intent | None = None


class Heard(Frozen):
    """An answer with what the line knows of it."""

    arrival: Arrival
    intent_number: int | None
    token_renewed: bool = False


@dataclass(slots=True)
class _UnderWay:
    slot: int
    intent_number: int | None


@dataclass(slots=True)
class _Latency:
    """The measured time from sending to answer, smoothed: how far ahead a read must go."""

    seconds: float = 0.2
    measured: bool = False

    def add(self, seconds: float) -> None:
        self.seconds = self.seconds * 0.8 + seconds * 0.2 if self.measured else seconds
        self.measured = True


@dataclass(slots=True)
class Line:
    """Sends what the windows allow, hears what comes back, and stops when the server says so."""

    senders: Senders
    journal: Journal
    ledger: Ledger
    tokens: Tokens
    clock: Clock
    random: Callable[[], float]
    """Gives jitter in [0, 1)."""
    breaker: Breaker
    latency: _Latency = field(default_factory=_Latency)
    put_latency: _Latency = field(default_factory=_Latency)
    """Of the fastest PUT of those that were heard together: the others may have waited for this program."""
    stop: CourseSyncError | None = None
    """A sign-in that could not be renewed."""
    _under_way: dict[int, _UnderWay] = field(default_factory=dict)
    _owed: list[Effect] = field(default_factory=list)
    _leaving: set[int] = field(default_factory=set)
    """Submitted where requests are spaced, and not seen to leave yet: the next one waits for it."""
    _reads: int = 0
    _writes: int = 0
    _throttled: int = 0
    _retried: int = 0
    _repeated: int = 0
    """Of those, the ones that were a death of ours and no trouble of the server's."""
    _renewed_from: int | None = None
    _refused: list[tuple[Arrival, _UnderWay, int]] = field(default_factory=list)
    """401 with the generation of their token: they wait until the sign-in is renewed, and nothing leaves before."""
    _renewal_due: bool = False
    _chain: int = 1
    """PUTs that share a place."""

    @property
    def in_flight(self) -> int:
        """Requests whose answer has not come, or waits for the sign-in to be renewed."""
        return len(self._under_way) + len(self._refused)

    @property
    def places(self) -> int:
        """How many more may be in flight now."""
        if self._refused or self._renewal_due:
            return 0
        most = 1 if self.breaker.probing else self.most
        return max(0, most - len(self._under_way))

    @property
    def most(self) -> int:
        """How many may be in flight at once, those that share a place with others included."""
        return max(self.senders.places, min(TOGETHER, self.senders.places * self._chain))

    @property
    def counts(self) -> RequestCounts:
        """Requests so far."""
        return RequestCounts(self._reads, self._writes, self._throttled, self._retried)

    def earliest(self, scope: Scope, now: float) -> float:
        """When the next request of `scope` may leave: `now`, later, or `inf` while that hangs on an answer."""
        self._note_departures()
        if self._leaving:
            return inf
        return max(self.ledger.earliest(scope, now), self.breaker.open_until)

    def why_not(self, scope: Scope, *, wait_max_s: float, remedy: str) -> CourseSyncError | None:
        """Why no request of `scope` will leave, or not for longer than `wait_max_s`; `None` while they go on."""
        if self.stop is not None:
            return self.stop
        if self.breaker.stop is not None:
            return StoppedEarly(self.breaker.stop, remedy=remedy)
        now = self.clock.boot()
        wait_s = self.earliest(scope, now) - now
        if wait_s == inf or wait_s <= wait_max_s:
            return None
        return out_of_allowance(self.ledger, scope, self.clock, wait_s=wait_s, remedy=remedy)

    def take_retry(self, *, after_death: bool) -> bool:
        """Count one retry, unless retries are more than a tenth of all requests already.

        `after_death`: what is repeated was under way when the program died, and had not come about. That says nothing
        of the server, so it is counted and always granted.
        """
        troubled = self._retried - self._repeated
        if not after_death and troubled >= max(RETRIES_ALWAYS, (self._reads + self._writes) // RETRY_SHARE):
            return False
        self._retried += 1
        self._repeated += after_death
        return True

    def depart(self, departures: Sequence[Departure], effects: Iterable[Effect] = ()) -> tuple[Departure, ...]:
        """Commit `effects`, intents and places in the windows, then let the requests leave.

        Gives the departures that must wait after all, since another process was faster.
        """
        left_behind: list[Departure] = []
        leaving: list[tuple[int, Departure]] = []
        owed, self._owed = self._owed, []
        with self.journal.batch() as batch:
            for effect in (*owed, *effects):
                effect(batch)
            for departure in departures:
                slot = batch.reserve(_scope(departure.request))
                if slot is None:
                    left_behind.append(departure)
                    continue
                number = batch.intend(departure.intent) if departure.intent else None
                self._under_way[slot] = _UnderWay(slot, number)
                leaving.append((slot, departure))
        for slot, departure in leaving:
            self._count(departure.request)
            if self.ledger.at_once == 1:
                self._leaving.add(slot)
        if leaving:
            self.senders.submit([(slot, departure.request) for slot, departure in leaving], chain=self._chain)
        return tuple(left_behind)

    @property
    def owes(self) -> bool:
        """Whether something is to be committed though nothing leaves."""
        return bool(self._owed)

    def settle_debts(self) -> None:
        """Commit what is owed, though nothing leaves."""
        if self._owed:
            self.depart(())

    def arrivals(self, until: float) -> tuple[Heard, ...]:
        """Wait for answers, at most until `until` on the boot clock; note what each means for all that follows."""
        wait_s = min(max(0.0, until - self.clock.boot()), SLEEP_MAX_S)
        arrivals = self._gathered(self.senders.arrivals(wait_s))
        self._pace([arrival for arrival in arrivals if isinstance(arrival.request, Put)])
        self._note_departures()
        self.journal.refresh()
        heard = [one for arrival in arrivals if (one := self._hear(arrival)) is not None]
        self._renewal_due = self._renewal_due or self.tokens.is_due()
        if not self._under_way and (self._refused or self._renewal_due):
            heard += self._sign_in_again()
        return tuple(heard)

    def _gathered(self, came: tuple[Arrival, ...]) -> tuple[Arrival, ...]:
        """Wait a moment for further answers where nothing spaces requests: what comes together is committed at once."""
        if not came or self.ledger.at_once == 1:
            return came
        until = self.clock.boot() + (GATHER_S if self._chain == 1 else CHAIN_S)
        while len(came) < len(self._under_way) and (wait_s := until - self.clock.boot()) > 0:
            came += self.senders.arrivals(wait_s)
        return came

    def _pace(self, puts: Sequence[Arrival]) -> None:
        """Let PUTs share a place while all goes well: each time twice as many, as far as `CHAIN_S` goes."""
        if not puts or self.ledger.at_once == 1:
            return
        if not all(isinstance(put.answer, Accepted) for put in puts):
            self._chain = 1
            self.recall()
            return
        self.put_latency.add(min(put.arrived_at - put.sent_at for put in puts))
        room = CHAIN_S / max(self.put_latency.seconds, CHAIN_S / TOGETHER)
        self._chain = max(1, min(2 * self._chain, int(room)))

    def recall(self) -> None:
        """Take back what waits in its place behind another PUT."""
        self.senders.recall()

    def _sign_in_again(self) -> list[Heard]:
        """Renew the sign-in, now that nothing else is under way: it takes a place in the windows like any request.

        Were an answer still to come, its place would not be free before somebody listens, and nobody listens here.
        """
        self.settle_debts()
        refused, self._refused = self._refused, []
        heard = [
            Heard(arrival, under_way.intent_number, token_renewed=self._renew(generation))
            for arrival, under_way, generation in refused
        ]
        if self._renewal_due and self.stop is None:
            try:
                self.tokens.renew_ahead()
            except CourseSyncError as error:
                self.stop = error
        self._renewal_due = False
        return heard

    def _note_departures(self) -> None:
        """Space from the moment at which a request left; before its answer is heard, which ends its place."""
        for slot, at in self.senders.departed():
            self._leaving.discard(slot)
            self.ledger.departed(slot, at)

    def let_go(self) -> None:
        """Nobody will listen for what is still in flight: it counts until it can no longer be under way."""
        for slot, under_way in self._under_way.items():
            self.ledger.lost(slot)
            if under_way.intent_number is not None:
                self._owed.append(partial(_let_go, under_way.intent_number))
        for _arrival, under_way, _generation in self._refused:
            if under_way.intent_number is not None:
                self._owed.append(partial(_let_go, under_way.intent_number))
        self._under_way.clear()
        self._leaving.clear()
        self._refused.clear()

    def _hear(self, arrival: Arrival) -> Heard | None:
        """What an answer means for the line; `None` for one that an earlier line had let go of, or a 401 for now."""
        self._leaving.discard(arrival.ticket)
        self.ledger.answered(arrival.ticket, arrival.arrived_at)
        self._owed.append(lambda batch: batch.answered(arrival.ticket, arrival.arrived_at))
        under_way = self._under_way.pop(arrival.ticket, None)
        if under_way is None:
            return None
        if isinstance(arrival.answer, Recalled):
            self._count(arrival.request, -1)
            return Heard(arrival, under_way.intent_number)
        self.latency.add(arrival.arrived_at - arrival.sent_at)
        if arrival.error is None and isinstance(arrival.answer, Unauthorised):
            self._refused.append((arrival, under_way, arrival.answer.token_generation))
            return None
        self._take_note(arrival)
        return Heard(arrival, under_way.intent_number)

    def _take_note(self, arrival: Arrival) -> None:
        if arrival.error is not None:
            self.stop = arrival.error
            return
        match arrival.answer:
            case Throttled(retry_after_s=retry_after_s):
                self._throttled += 1
                wait_s = self.breaker.throttled(retry_after_s, self.random())
                pause = Pause(arrival.arrived_at + wait_s, retry_after_s)
                self.ledger.pause(pause, widen=wait_s <= SPACING_THROTTLE_S)
                self._owed.append(lambda batch: batch.pause(pause))
            case NotDelivered(reason=reason) | Unheard(reason=reason):
                self.breaker.troubled(arrival.arrived_at, reason)
            case _:
                self.breaker.well()
                self._renewed_from = None

    def _renew(self, generation: int) -> bool:
        """Renew the token once: a 401 to a renewed one means that renewing does not help."""
        if self._renewed_from is not None and generation > self._renewed_from:
            return False
        try:
            renewed = self.tokens.renew(generation)
        except CourseSyncError as error:
            self.stop = error
            return False
        if renewed:
            self._renewed_from = max(generation, self._renewed_from or generation)
        return renewed

    def _count(self, request: Request, number: int = 1) -> None:
        if isinstance(request, Put):
            self._writes += number
        else:
            self._reads += number


def out_of_allowance(ledger: Ledger, scope: Scope, clock: Clock, *, wait_s: float, remedy: str) -> OutOfAllowance:
    """Say why nothing leaves for `wait_s`: the server asked for it, or an allowance is used up."""
    now = clock.boot()
    pause = ledger.paused(now)
    if pause is not None and pause.until >= ledger.earliest(scope, now):
        return OutOfAllowance(pause.words(clock), wait_s=wait_s, remedy=remedy)
    what = "writes" if scope is Scope.WRITE else "requests"
    free = f"the next one is free in {duration(wait_s)}, at {minute(clock.wall() + wait_s)}"
    return OutOfAllowance(f"The allowance of {what} is used up; {free}.", wait_s=wait_s, remedy=remedy)


def _let_go(number: int, batch: Batch) -> None:
    batch.unheard(number, reason="the run stopped before the answer came", http_status=None)


def _scope(request: Request) -> Scope:
    return Scope.WRITE if isinstance(request, Put) else Scope.ALL
