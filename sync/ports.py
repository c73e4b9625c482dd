"""What the stages need from outside, as protocols: the clock, the senders, the tokens, the journal, the quota."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sync.errors import CourseSyncError
from sync.exchange import Answer, Request
from sync.frozen import Frozen
from sync.model import FieldChange, Outcome, QuotaUse, SectionId
from sync.section import Json, Record
from sync.times import duration, minute
from sync.windows import Scope

StopAsked = Callable[[], CourseSyncError | None]
"""Asked again and again by what may take long: a signal, or the time that the operator set."""


class Clock(Protocol):
    """Two clocks: one that people read and one that never jumps."""

    @property
    def boot_id(self) -> str:
        """Names the boot that `boot()` counts from; two values compare only under the same name."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch; may jump."""
        ...

    def boot(self) -> float:
        """Seconds since the machine started, sleep included; never jumps."""
        ...

    def sleep(self, seconds: float) -> None:
        """Do nothing for that long."""
        ...


class Api(Protocol):
    """One exchange with the server; called from sender threads."""

    def exchange(self, request: Request, on_sent: Callable[[], None] | None = None) -> Answer:
        """Send `request` and say what came back; network troubles are answers too. `on_sent`: its last byte left."""
        ...


class Tokens(Protocol):
    """Renews the bearer token that the API adapter attaches."""

    def is_due(self) -> bool:
        """Whether the token is to be renewed ahead of its end."""
        ...

    def renew_ahead(self) -> None:
        """Renew a token that is due; one that is still good is used on where that fails."""
        ...

    def renew(self, generation: int) -> bool:
        """Renew the token unless that was done since `generation`; False if there is nothing to renew it with."""
        ...


class Arrival(Frozen):
    """An answer, and when it was complete on the boot clock."""

    ticket: int
    request: Request
    answer: Answer
    sent_at: float
    arrived_at: float
    error: CourseSyncError | None = None
    """Why nothing could be sent at all (no sign-in to be had); the answer is then `NotDelivered`."""


class Senders(Protocol):
    """Up to `places` exchanges at once, done by threads that decide nothing."""

    @property
    def places(self) -> int:
        """How many may be in flight."""
        ...

    def submit(self, jobs: Sequence[tuple[int, Request]], *, chain: int = 1) -> None:
        """Start the exchanges; the answer to each comes back under its ticket.

        Up to `chain` PUTs share a place and are done one after the other, each after a yes to the one before it; what
        does not leave for want of one comes back as `Recalled`.
        """
        ...

    def recall(self) -> None:
        """Take back what waits behind another PUT: it comes back as `Recalled`, the last one first."""
        ...

    def arrivals(self, wait_s: float) -> tuple[Arrival, ...]:
        """Wait at most `wait_s` for an answer or a departure, then give all answers that have come; may be empty."""
        ...

    def departed(self) -> tuple[tuple[int, float], ...]:
        """Tickets whose last byte has left since the last call, with when (boot clock)."""
        ...


class Intent(Frozen):
    """What is about to be sent for one section: committed before its PUT."""

    section_id: SectionId
    attempt: int
    """From 1, over all runs of this row."""
    changes: tuple[FieldChange, ...]
    before: Record
    """The whole record that the body was built on: the before-image."""


TURNED_AWAY = "turned_away"
"""How an intent ended that was not applied and costs its row no attempt."""
PROGRAM_ENDED = "the program ended before the answer came"
"""Why an intent was not heard: its process died."""


class Stamp(Frozen):
    """A moment on both clocks, and the boot that the second one counts from."""

    wall: float
    boot: float | None
    """`None` in what a store of version 3 kept."""
    boot_id: str | None

    def age_s(self, clock: Clock) -> float:
        """How long ago it was: within a boot by the boot clock alone, whatever the wall clock has done since.

        Of another boot the wall clock tells, and never more than the time since this boot began: the moment was
        before it, and a wall clock that was set forward must not make it older. It may well make it younger.
        """
        if self.boot is not None and self.boot_id == clock.boot_id:
            return max(0.0, clock.boot() - self.boot)
        return min(max(0.0, clock.wall() - self.wall), clock.boot())


class OpenIntent(Frozen):
    """An intent whose answer nobody heard: to be settled by reading."""

    intent: Intent
    number: int
    at: Stamp
    """When it was written down, just before its PUT left."""
    lost: Stamp
    """When hope of its answer was given up; where the process died, when it was written down."""
    heard: bool
    """Whether something came back that could not be trusted; False where the process died before."""
    deaths: int = 0
    """How many processes died while a PUT of this row was under way, this intent's included."""


@dataclasses.dataclass(frozen=True, slots=True)  # a `Frozen` compares every field
class DesiredValue:
    """What a run made so for one field."""

    sent: str
    """Digest of the normal form of what was sent."""
    stored: str
    """Digest of the normal form of what a read gave back; the same unless the server rewrites."""
    updated_on: str | None = None
    value: Json = dataclasses.field(default=None, compare=False)
    """As it was sent, to be written down; what is read back for a plan goes without, since digests decide."""
    has_value: bool = dataclasses.field(default=False, compare=False)
    """Whether `value` says anything: null is a value."""


Desired = Mapping[str, DesiredValue]
"""By field."""


class Pause(Frozen):
    """The server throttled: nothing leaves until then, whichever process asks."""

    until: float
    """On the boot clock."""
    asked_s: float | None
    """What the server asked for; `None` where it named no time."""

    def words(self, clock: Clock) -> str:
        """Say why nothing leaves, for how long and until when."""
        left_s = max(0.0, self.until - clock.boot())
        asked = "without saying for how long" if self.asked_s is None else f"and asked to wait {duration(self.asked_s)}"
        return (
            f"The server throttled, {asked}; the next request may leave in {duration(left_s)},"
            f" at {minute(clock.wall() + left_s)}."
        )


class Ledger(Protocol):
    """All windows of the profile, counted for every process that shares them."""

    @property
    def at_once(self) -> int:
        """How many requests may leave in one transaction: one where a limit spaces them."""
        ...

    def earliest(self, scope: Scope, now: float) -> float:
        """When the next request of `scope` may leave, pauses included; `inf` while that hangs on an answer."""
        ...

    def room(self, scope: Scope, now: float, until: float) -> int | None:
        """How many requests of `scope` could leave by `until`; `None` without a limit."""
        ...

    def departed(self, slot: int, at: float) -> None:
        """A request of ours left only at `at`: spacing counts from then."""
        ...

    def answered(self, slot: int, at: float) -> None:
        """The answer of a request of ours arrived at `at` (boot clock)."""
        ...

    def lost(self, slot: int) -> None:
        """Nobody listens for the answer of this request of ours any more."""
        ...

    def pause(self, pause: Pause, *, widen: bool) -> None:
        """Let nothing leave until it is over; widen the spacing where no window explains a throttle."""
        ...

    def paused(self, now: float) -> Pause | None:
        """The pause that holds at `now`, if one does."""
        ...

    def use(self, now: float) -> tuple[QuotaUse, ...]:
        """Each counting window and how much of it is taken."""
        ...


class Batch(Protocol):
    """One transaction of the store: all of it is committed when the block ends, or nothing."""

    def reserve(self, scope: Scope) -> int | None:
        """Take a place in every window now; `None` if another process was faster."""
        ...

    def answered(self, slot: int, at: float) -> None:
        """Write down that the answer of a reserved request arrived at `at` (boot clock)."""
        ...

    def pause(self, pause: Pause) -> None:
        """Let every process of the profile wait until it is over."""
        ...

    def intend(self, intent: Intent) -> int:
        """Write down what is about to be sent; gives the intent's number."""
        ...

    def close_intent(self, number: int, *, answer: str, http_status: int | None) -> None:
        """Write down how it ended: `accepted`, `rejected`, `applied`, `undecided`, `not_applied`, `turned_away`.

        The last was not applied either, and costs the row no attempt: a throttle, a sign-in, an outage.
        """
        ...

    def unheard(self, number: int, *, reason: str, http_status: int | None) -> None:
        """Write down that no answer came; the intent stays open until it is settled."""
        ...

    def finish(self, outcome: Outcome) -> None:
        """Write down what became of a row."""
        ...

    def remember(self, section_id: SectionId, values: Desired) -> None:
        """Keep what was made so, field by field."""
        ...

    def forget(self, section_id: SectionId, fields: Sequence[str]) -> None:
        """What was kept of these fields does not hold."""
        ...


class Journal(Protocol):
    """The run's record of everything that it does, on disk before it counts."""

    def batch(self) -> AbstractContextManager[Batch]:
        """Begin a transaction; it is committed, durably, when the block ends without an error."""
        ...

    def refresh(self) -> None:
        """Take in what other processes of the profile have counted."""
        ...

    def open_intents(self) -> Mapping[SectionId, Sequence[OpenIntent]]:
        """Intents of this run without an end, oldest first."""
        ...

    def attempts(self) -> Mapping[SectionId, int]:
        """Attempts that the rows of this run have used up, in all its processes; a section that is not here: none."""
        ...

    def count(self, *, reads: int, writes: int, throttled: int, retried: int) -> None:
        """Add to the run's request counts."""
        ...


class Events(Protocol):
    """Where the run says what happens, for logs and progress; never a cell's value."""

    def emit(self, event: str, /, **facts: object) -> None:
        """Say that `event` happened."""
        ...
