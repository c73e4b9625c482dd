"""Time for tests: clocks that move only when told, and what will happen on them, in order."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf


class FakeClock:
    """Two clocks that move only when told; the wall clock can jump."""

    def __init__(self, *, boot: float = 1000.0, wall: float = 1_772_442_847.0, boot_id: str = "boot-1") -> None:
        self.now, self._wall_is_ahead, self._boot_id = boot, wall - boot, boot_id

    @property
    def boot_id(self) -> str:
        return self._boot_id

    def boot(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + self._wall_is_ahead

    def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)

    def jump(self, seconds: float) -> None:
        """Set the wall clock, and nothing else."""
        self._wall_is_ahead += seconds

    def reboot(self, *, off_s: float) -> None:
        """Switch the machine off for `off_s`: another boot clock begins, the wall clock went on."""
        wall = self.wall() + off_s
        self.now, self._boot_id = 10.0, f"{self._boot_id}+"
        self._wall_is_ahead = wall - self.now


class Timeline:
    """What will happen, and when."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, moment: float, event: Callable[[], None]) -> None:
        heappush(self._events, (moment, next(self._order), event))

    def run_until(self, moment: float, *, done: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until `moment`, or until it is `done` and nothing more happens at that very time."""
        while self._events and self._events[0][0] <= moment and not (done() and self._events[0][0] > self.clock.now):
            at, _, event = heappop(self._events)
            self.clock.now = max(self.clock.now, at)
            event()
        if not done() and moment != inf:
            self.clock.now = max(self.clock.now, moment)

    @property
    def is_empty(self) -> bool:
        return not self._events


class MachineClock:
    """The clocks of one machine: it is set, sleeps and boots anew, while the world's time goes on (`ports.Clock`)."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._booted_at = timeline.clock.now - 1000.0
        self._wall_is_ahead = timeline.clock.wall() - timeline.clock.now
        self._boots = 1

    @property
    def boot_id(self) -> str:
        return f"boot-{self._boots}"

    def boot(self) -> float:
        return self._timeline.clock.now - self._booted_at

    def wall(self) -> float:
        return self._timeline.clock.now + self._wall_is_ahead

    def sleep(self, seconds: float) -> None:
        self._timeline.run_until(self._timeline.clock.now + max(0.0, seconds))

    def jump(self, seconds: float) -> None:
        """Set the wall clock, and nothing else."""
        self._wall_is_ahead += seconds

    def reboot(self, *, off_s: float) -> None:
        """Switch the machine off for `off_s`: another boot clock begins, the wall clock went on."""
        self.sleep(off_s)
        self._boots += 1
        self._booted_at = self._timeline.clock.now - 10.0
