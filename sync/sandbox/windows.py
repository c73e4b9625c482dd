"""Request limits as strict sliding windows, judged at the moment a request arrives."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

WRITES: Final = frozenset({"POST", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` requests of `scope` in any stretch of `seconds`."""

    scope: Literal["write", "all"]
    count: int
    seconds: float

    @classmethod
    def parse(cls, words: str) -> "Limit":
        """Read `scope:count:seconds`, as in `write:60:60`.

        Raises:
            ValueError: the words are not of that form.
        """
        scope, _, rest = words.partition(":")
        count, _, seconds = rest.partition(":")
        if scope not in {"write", "all"}:
            raise ValueError(f"{words!r}: the scope must be write or all, as in write:60:60")
        try:
            limit = cls("write" if scope == "write" else "all", int(count), float(seconds))
        except ValueError:
            raise ValueError(f"{words!r} is not scope:count:seconds, as in write:60:60") from None
        if limit.count < 1 or not 0 < limit.seconds < math.inf:
            raise ValueError(f"{words!r}: count and seconds must be positive")
        return limit

    def __str__(self) -> str:
        """Write the limit in the words that `parse` reads."""
        return f"{self.scope}:{self.count}:{self.seconds:g}"


DOCUMENTED: Final = (
    Limit("write", 60, 60),
    Limit("write", 5_000, 86_400),
    Limit("all", 1, 0.1),
    Limit("all", 120, 60),
    Limit("all", 5_000, 3_600),
    Limit("all", 200_000, 86_400),
)
"""The newer of the two published tables."""


@dataclass(frozen=True, slots=True)
class Throttled:
    """A refusal: which limit was full, and for how many seconds it will be."""

    limit: Limit
    wait_s: float

    @property
    def retry_after(self) -> str:
        """Whole seconds, rounded up, as the Retry-After header says it."""
        return str(max(1, math.ceil(self.wait_s)))


class SlidingWindows:
    """Counts the requests of each identity under several limits at once."""

    def __init__(self, limits: Sequence[Limit], *, time_scale: float = 1.0, count_throttled: bool = False) -> None:
        """Start empty; `time_scale` divides the length of every window."""
        self._limits = [(limit, limit.seconds / time_scale) for limit in limits]
        self._count_throttled = count_throttled
        self._arrivals: dict[tuple[str, int], deque[float]] = {}
        self._latest = -math.inf

    def judge(self, identity: str, method: str, arrived: float) -> Throttled | None:
        """Count a request that arrived at monotonic second `arrived`, or say which limit refuses it.

        Of several full limits the one with the longest wait is named.
        """
        self._latest = now = max(arrived, self._latest)
        windows = [
            (limit, seconds, self._live(identity, index, seconds, now))
            for index, (limit, seconds) in enumerate(self._limits)
            if limit.scope == "all" or method in WRITES
        ]
        refusals = [
            Throttled(limit, live[-limit.count] + seconds - now)
            for limit, seconds, live in windows
            if len(live) >= limit.count
        ]
        if not refusals or self._count_throttled:
            for _, _, live in windows:
                live.append(now)
        return max(refusals, key=lambda refusal: refusal.wait_s, default=None)

    def _live(self, identity: str, index: int, seconds: float, now: float) -> deque[float]:
        arrivals = self._arrivals.setdefault((identity, index), deque())
        while arrivals and arrivals[0] + seconds <= now:  # a sum, as a sender makes it: a difference rounds otherwise
            arrivals.popleft()
        return arrivals
