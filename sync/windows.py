"""The limits as exact sliding windows: which request may go when, so that the server can never count too many. Pure.

A window longer than a second frees a slot one window after the request's *answer* arrived: the server saw the request
no later than that, so it cannot count more than the limit. A spacing window (a second or less) runs from the moment of
sending, plus a margin, since a wait for the answer would waste nearly all of it. Times are seconds of one clock.
"""

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from math import inf

from sync.frozen import Frozen

SPACING_MAX_S = 1.0
"""A window of at most this length spaces requests; a longer one counts answers."""
SPACING_MARGIN_S = 0.01
"""How much the ways of two requests may differ: on a busy machine 5 ms were too little for 2 of 1,170 updates."""
SPACING_MARGIN_MAX_S = 0.1


class Scope(StrEnum):
    """Which requests a limit counts."""

    WRITE = "write"
    """POST, PUT, DELETE."""
    ALL = "all"


class Limit(Frozen):
    """At most `count` requests of `scope` in any `seconds`."""

    scope: Scope
    count: int
    seconds: float

    @property
    def is_spacing(self) -> bool:
        """Whether it spaces requests instead of counting answers."""
        return self.seconds <= SPACING_MAX_S

    def __str__(self) -> str:
        """`60 writes in 60 s`."""
        what = "writes" if self.scope is Scope.WRITE else "requests"
        return f"{self.count} {what} in {self.seconds:g} s"


def shared(limits: Iterable[Limit], *, quota_share: float) -> tuple[Limit, ...]:
    """Leave room for other integrations: our part of every counting window, at least one request of each."""
    return tuple(
        limit
        if limit.is_spacing
        else Limit(scope=limit.scope, count=max(1, int(limit.count * quota_share)), seconds=limit.seconds)
        for limit in limits
    )


class Window:
    """One limit and the requests that it still counts."""

    def __init__(self, limit: Limit) -> None:
        """Start empty."""
        self.limit = limit
        self._margin_s = SPACING_MARGIN_S
        self._sent: list[float] = []
        self._answered: list[float] = []
        self._in_flight = 0

    def counts(self, scope: Scope) -> bool:
        """Whether this limit counts a request of `scope`."""
        return self.limit.scope is Scope.ALL or scope is Scope.WRITE

    def sent(self, at: float) -> None:
        """A request leaves at `at`."""
        if self.limit.is_spacing:
            insort(self._sent, at)
        else:
            self._in_flight += 1

    def left(self, sent_at: float, at: float) -> None:
        """A request that was let go at `sent_at` left only at `at`: spacing counts from then."""
        if self.limit.is_spacing:
            if sent_at in self._sent:
                self._sent.remove(sent_at)
            insort(self._sent, at)

    def answered(self, at: float) -> None:
        """The answer of a request in flight arrived at `at`, or `at` is when it can no longer be under way."""
        if not self.limit.is_spacing:
            self._in_flight -= 1
            insort(self._answered, at)

    def _stamps(self) -> list[float]:
        return self._sent if self.limit.is_spacing else self._answered

    def _length_s(self) -> float:
        return self.limit.seconds + (self._margin_s if self.limit.is_spacing else 0.0)

    def forget(self, now: float) -> None:
        """Drop what no longer counts at `now`."""
        stamps, length = self._stamps(), self._length_s()
        gone = 0
        while gone < len(stamps) and stamps[gone] + length <= now:
            gone += 1
        del stamps[:gone]

    def used(self, now: float) -> int:
        """How many requests the window counts at `now`."""
        self.forget(now)
        return len(self._stamps()) + self._in_flight

    def earliest(self, now: float, *, requests: int = 1) -> float:
        """When the `requests`-th further request may leave; `inf` while that hangs on an answer still to come.

        Requests sent meanwhile are counted as if each were answered only after that moment.
        """
        self.forget(now)
        stamps = self._stamps()
        over = len(stamps) + self._in_flight + requests - self.limit.count
        if over <= 0:
            return now
        if over > len(stamps):
            return inf
        return stamps[over - 1] + self._length_s()

    def widen(self) -> None:
        """A throttle came though the window had room: leave a wider margin between requests."""
        if self.limit.is_spacing:
            self._margin_s = min(SPACING_MARGIN_MAX_S, self._margin_s * 2)


class Windows:
    """All windows of a profile together."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        """Start with nothing counted."""
        self._windows = tuple(Window(limit) for limit in limits)
        self._by_scope = {scope: tuple(window for window in self._windows if window.counts(scope)) for scope in Scope}

    def sent(self, scope: Scope, at: float) -> None:
        """A request of `scope` leaves at `at`."""
        for window in self._of(scope):
            window.sent(at)

    def left(self, scope: Scope, sent_at: float, at: float) -> None:
        """A request of `scope` that was let go at `sent_at` left only at `at`."""
        for window in self._of(scope):
            window.left(sent_at, at)

    def answered(self, scope: Scope, at: float) -> None:
        """Its answer arrived at `at`."""
        for window in self._of(scope):
            window.answered(at)

    def earliest(self, scope: Scope, now: float) -> float:
        """When the next request of `scope` may leave: now, later, or `inf` while that hangs on an answer."""
        return max((window.earliest(now) for window in self._of(scope)), default=now)

    def room(self, scope: Scope, now: float, until: float) -> int | None:
        """How many requests of `scope` could leave by `until`, spacing left aside; `None` without such a limit."""
        rooms = [self._room(window, now, until) for window in self._of(scope) if not window.limit.is_spacing]
        return min(rooms, default=None)

    @staticmethod
    def _room(window: Window, now: float, until: float) -> int:
        low, high = 0, window.limit.count
        while low < high:
            middle = (low + high + 1) // 2
            if window.earliest(now, requests=middle) <= until:
                low = middle
            else:
                high = middle - 1
        return low

    def widen_spacing(self) -> None:
        """Leave a wider margin after a throttle that no counting window explains."""
        for window in self._windows:
            window.widen()

    def use(self, now: float) -> tuple[tuple[Limit, int], ...]:
        """Each limit with what it counts at `now`."""
        return tuple((window.limit, window.used(now)) for window in self._windows)

    def _of(self, scope: Scope) -> tuple[Window, ...]:
        return self._by_scope[scope]


def least_makespan_s(limits: Iterable[Limit], requests: int, *, used: Mapping[Limit, int] | None = None) -> float:
    """When the last of `requests` can leave, if the first leaves at 0 and each is counted by every limit on arrival.

    No sender can be faster: this is the floor that ours is measured against. `used` says how many places of a limit
    are taken already; each of them is taken to be free again only one window from now.
    """
    limits, taken, starts = tuple(limits), used or {}, list[float]()
    for number in range(requests):
        at = starts[-1] if starts else 0.0
        for limit in limits:
            before = number - limit.count
            already = min(taken.get(limit, 0), limit.count)
            if before >= 0:
                at = max(at, starts[before] + limit.seconds)
            elif before + already >= 0:
                at = max(at, limit.seconds)
        starts.append(at)
    return starts[-1] if starts else 0.0
