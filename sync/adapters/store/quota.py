"""The quota ledger: every request of every process of the profile, with when it left and when its answer came.

Within a boot the boot clock decides, so a wall clock that jumps frees nothing; what an earlier boot left is aged by the
wall clock, and never into the future. A request that nobody saw answered counts until it can no longer be under way.
What this process knows counts at once; the store learns of it in the next transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from sync.adapters.store.schema import pauses, slots
from sync.model import QuotaUse
from sync.ports import Clock, Pause
from sync.windows import Limit, Scope, Windows

DAY_S = 86_400.0
LOOK_AGAIN_S = 1.0
"""While everything hangs on the answer of another process: look so often whether it came."""
UNSPACED_AT_ONCE = 64
FOREIGN_LEAVES_S = 0.25
"""So long after it took its place a request of another process may still be on its way out: connecting, TLS, a thread
that has to wake. Spacing counts from then, or from its answer where that came first: nobody sees it leave but its own
process.
"""
_ANSWERED = (
    update(slots)
    .where(slots.c.number == bindparam("slot"))
    .values(answered_boot=bindparam("boot"), answered_wall=bindparam("wall"))
)
_NEW_SLOTS = select(slots).where(slots.c.number > bindparam("last")).order_by(slots.c.number)
_NEW_PAUSES = select(pauses).where(pauses.c.number > bindparam("last"))


@dataclass(slots=True)
class _UnderWay:
    """A request that has not been answered yet."""

    scope: Scope
    sent: float
    """On this boot's clock, as the windows count it."""
    leaves: float | None = None
    """Of another process: when it has left at the latest, as the spacing counts it."""


@dataclass(slots=True)
class QuotaLedger:
    """All windows of a profile, shared by its processes through the store (`ports.Ledger`)."""

    limits: Sequence[Limit]
    clock: Clock
    owner: str
    """Names this process."""
    give_up_s: float
    """So long after it left, an unanswered request can no longer be under way."""
    _windows: Windows = field(init=False)
    _mine: dict[int, _UnderWay] = field(default_factory=dict)
    _foreign: dict[int, _UnderWay] = field(default_factory=dict)
    """Of other processes, or of ours where nobody listens for the answer any more."""
    _last_slot: int = 0
    _last_pause: int = 0
    _pause: Pause = field(default_factory=lambda: Pause(0.0, None))
    _data_version: int = -1
    _tickets: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Start with nothing counted; `catch_up` reads what the store knows."""
        self._windows = Windows(self.limits)

    @property
    def at_once(self) -> int:
        """One where a limit spaces requests, else as many as there are places."""
        return 1 if any(limit.is_spacing for limit in self.limits) else UNSPACED_AT_ONCE

    def earliest(self, scope: Scope, now: float) -> float:
        """When the next request of `scope` may leave, pauses included, or when to look for a foreign answer again."""
        at = max(self._windows.earliest(scope, now), self._pause.until)
        return now + LOOK_AGAIN_S if at == inf and self._foreign else at

    def room(self, scope: Scope, now: float, until: float) -> int | None:
        """How many requests of `scope` could leave by `until`; `None` without a limit."""
        return self._windows.room(scope, now, until)

    def taken(self, now: float) -> Mapping[Limit, int]:
        """How many places of each counting window are taken."""
        return {limit: used for limit, used in self._windows.use(now) if not limit.is_spacing}

    def use(self, now: float) -> tuple[QuotaUse, ...]:
        """Each counting window and how much of it is taken."""
        return tuple(
            QuotaUse(str(limit), used, limit.count) for limit, used in self._windows.use(now) if not limit.is_spacing
        )

    def departed(self, slot: int, at: float) -> None:
        """A request of ours left only at `at`: spacing counts from then."""
        if slot > 0 and slot in self._mine:
            under_way = self._mine[slot]
            self._windows.left(under_way.scope, under_way.sent, at)
            under_way.sent = at

    def answered(self, slot: int, at: float) -> None:
        """The answer of a request of ours arrived at `at`."""
        under_way = self._mine.pop(slot, None) or self._foreign.pop(slot, None)
        if slot > 0 and under_way is not None:
            self._windows.answered(under_way.scope, at)

    def lost(self, slot: int) -> None:
        """Nobody listens for the answer of this request of ours any more."""
        under_way = self._mine.pop(slot)
        if slot > 0:
            self._foreign[slot] = under_way

    def pause(self, pause: Pause, *, widen: bool) -> None:
        """Let nothing leave until it is over; of several pauses the one that ends last holds."""
        if pause.until > self._pause.until:
            self._pause = pause
        if widen:
            self._windows.widen_spacing()

    def paused(self, now: float) -> Pause | None:
        """The pause that holds at `now`, if one does."""
        return self._pause if self._pause.until > now else None

    # with the store ---------------------------------------------------------------------------------------------

    def forget_old(self, connection: Connection) -> None:
        """Drop what no window counts any more; the wall clock has no say over what this boot left."""
        length_s = max((limit.seconds for limit in self.limits), default=0.0) + self.give_up_s + 86400
        boot, wall, here = self.clock.boot() - length_s, self.clock.wall() - length_s, self.clock.boot_id
        of_this_boot = slots.c.boot_id == here
        old = (of_this_boot & (slots.c.sent_boot < boot)) | (~of_this_boot & (slots.c.sent_wall < wall))
        connection.execute(delete(slots).where(old))
        of_this_boot = pauses.c.boot_id == here
        over = (of_this_boot & (pauses.c.until_boot < boot)) | (~of_this_boot & (pauses.c.until_wall < wall))
        connection.execute(delete(pauses).where(over))

    def catch_up(self, connection: Connection) -> None:
        """Read what other processes have written since the last time."""
        self._give_up()
        version = int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())
        if version == self._data_version:
            return
        self._data_version = version
        self._hear_foreign(connection)
        for row in connection.execute(_NEW_SLOTS, {"last": self._last_slot}):
            self._last_slot = row.number
            if row.number not in self._mine:
                self._take_in(row.number, Scope(row.scope), self._here(row.boot_id, row.sent_boot, row.sent_wall), row)
        for row in connection.execute(_NEW_PAUSES, {"last": self._last_pause}):
            self._last_pause = max(self._last_pause, row.number)
            until = self._here(row.boot_id, row.until_boot, row.until_wall, future=True)
            if row.boot_id != self.clock.boot_id:  # a wall clock that was set back meanwhile must not hold us for good
                until = min(until, self.clock.boot() + DAY_S)
            self.pause(Pause(until, row.asked_s), widen=False)

    def reserve(self, connection: Connection, scope: Scope) -> int | None:
        """Take a place in every window now, `catch_up` being done in this transaction; `None` if there is none."""
        now = self.clock.boot()
        if not self.limits:
            return self._reserve_unlimited(scope, now)
        if self.earliest(scope, now) > now:
            return None
        result = connection.execute(
            insert(slots),
            {
                "scope": scope.value,
                "boot_id": self.clock.boot_id,
                "sent_boot": now,
                "sent_wall": self.clock.wall(),
                "owner": self.owner,
            },
        )
        number = int(result.lastrowid)
        self._mine[number] = _UnderWay(scope, now)
        self._last_slot = max(self._last_slot, number)
        self._windows.sent(scope, now)
        return number

    def _reserve_unlimited(self, scope: Scope, now: float) -> int | None:
        """Without limits nothing is counted; a pause that the server asked for holds all the same."""
        if self.paused(now) is not None:
            return None
        ticket = -next(self._tickets)
        self._mine[ticket] = _UnderWay(scope, now)
        return ticket

    def keep_answer(self, connection: Connection, slot: int, at: float) -> None:
        """Write down that the answer of a request of ours arrived at `at`."""
        if slot > 0:
            wall = self.clock.wall() - (self.clock.boot() - at)
            connection.execute(_ANSWERED, {"slot": slot, "boot": at, "wall": wall})

    def keep_departure(self, connection: Connection, slot: int, at: float) -> None:
        """Write down that a request of ours left as late as `at`: whoever reads it from now on spaces from then."""
        if slot > 0:
            wall = self.clock.wall() - (self.clock.boot() - at)
            connection.execute(update(slots).where(slots.c.number == slot).values(sent_boot=at, sent_wall=wall))

    def keep_pause(self, connection: Connection, pause: Pause) -> None:
        """Let every process of the profile wait until it is over."""
        connection.execute(
            insert(pauses),
            {
                "boot_id": self.clock.boot_id,
                "until_boot": pause.until,
                "until_wall": self.clock.wall() + (pause.until - self.clock.boot()),
                "asked_s": pause.asked_s,
            },
        )

    def _hear_foreign(self, connection: Connection) -> None:
        if not self._foreign:
            return
        heard = select(slots).where(slots.c.number.in_(list(self._foreign)), slots.c.answered_wall.is_not(None))
        for row in connection.execute(heard):
            foreign = self._foreign.pop(row.number)
            at = self._here(row.boot_id, row.answered_boot, row.answered_wall)
            if foreign.leaves is not None and at < foreign.leaves:
                self._windows.left(foreign.scope, foreign.leaves, at)
            self._windows.answered(foreign.scope, at)

    def _give_up(self) -> None:
        now = self.clock.boot()
        for number in [number for number, foreign in self._foreign.items() if foreign.sent + self.give_up_s <= now]:
            foreign = self._foreign.pop(number)
            self._windows.answered(foreign.scope, foreign.sent + self.give_up_s)

    def _take_in(self, number: int, scope: Scope, sent: float, row: object) -> None:
        self._windows.sent(scope, sent)
        leaves = sent + FOREIGN_LEAVES_S
        answered_boot, answered_wall = getattr(row, "answered_boot", None), getattr(row, "answered_wall", None)
        if answered_boot is not None and answered_wall is not None:
            answered = self._here(str(getattr(row, "boot_id", "")), answered_boot, answered_wall)
            self._windows.left(scope, sent, min(leaves, answered))
            self._windows.answered(scope, answered)
            return
        self._windows.left(scope, sent, leaves)
        if sent + self.give_up_s <= self.clock.boot():
            self._windows.answered(scope, sent + self.give_up_s)
        else:
            self._foreign[number] = _UnderWay(scope, sent, leaves)

    def _here(self, boot_id: str, boot: float, wall: float, *, future: bool = False) -> float:
        """A stamp of any boot on this boot's clock."""
        if boot_id == self.clock.boot_id:
            return boot
        age = self.clock.wall() - wall
        return self.clock.boot() - (age if future else max(0.0, age))
