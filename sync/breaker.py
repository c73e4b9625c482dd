"""When the server is in trouble: pause, let one probe through, and give up in the end. Pure state.

Throttling and trouble are counted apart: a throttle says that the server is well and we are too fast.
"""

from dataclasses import dataclass

from sync.times import duration

TROUBLE_OPENS = 5
"""So many answers in a row that nobody heard, or requests that were not delivered, open the breaker."""
BREAKER_WAIT_S = 15.0
PROBES = 3
"""So many probes may fail before the run stops."""
THROTTLES_STOP = 30
"""So many throttles in a row, each waited out, stop the run: the allowance is not ours."""
THROTTLE_WAIT_FIRST_S = 1.0
THROTTLE_WAIT_MAX_S = 60.0
LONGEST_WINDOW_S = 86_400.0
"""Where a profile names no limits: no window that anybody publishes is longer than a day."""
DISBELIEF_S = 900.0
"""A wait that no window explains is not believed: so long after it one request finds out what is so."""
THROTTLE_MARGIN_S = 0.05
"""A `Retry-After` is rounded to seconds by some servers: be a little late rather than a little early."""


@dataclass(slots=True)
class Breaker:
    """What the last answers say about the server, and from when on requests may go again."""

    wait_max_s: float
    """The longest wait for a throttle: beyond it the run stops, and can be resumed."""
    longest_window_s: float = LONGEST_WINDOW_S
    """Of the account's limits: a server that asks for more cannot mean it."""
    breaker_wait_s: float = BREAKER_WAIT_S
    trouble_in_a_row: int = 0
    failed_probes: int = 0
    throttles_in_a_row: int = 0
    open_until: float = 0.0
    stop: str | None = None
    """Why the run must stop, once it must."""

    @property
    def probing(self) -> bool:
        """Whether only one request may be in flight, to see how the server is."""
        return self.trouble_in_a_row >= TROUBLE_OPENS

    def well(self) -> None:
        """The server answered as it should, yes or no."""
        self.trouble_in_a_row = self.failed_probes = self.throttles_in_a_row = 0
        self.open_until = 0.0

    def troubled(self, now: float, reason: str) -> None:
        """A request was not delivered, or its answer was not heard."""
        if self.probing and now >= self.open_until:
            self.failed_probes += 1
            if self.failed_probes >= PROBES:
                self.stop = f"The server could not be reached: {reason}."
        self.trouble_in_a_row += 1
        if self.probing:
            self.open_until = max(self.open_until, now + self.breaker_wait_s * 2**self.failed_probes)

    def throttled(self, retry_after_s: float | None, jitter: float) -> float:
        """Give the seconds that the whole profile waits from now; `jitter` is in [0, 1).

        What the server asks for is kept to, however long: a run that does not wait for it stops, and its resume finds
        the pause in the store. But it is bounded: a value beyond the longest window (a broken clock, a date in another
        century) would lock the profile out for good. It stops the run, and the profile waits `DISBELIEF_S` at most.
        """
        self.throttles_in_a_row += 1
        if self.throttles_in_a_row >= THROTTLES_STOP:
            self.stop = "The server throttles every request; something else uses up this account's allowance."
        if retry_after_s is None:
            own: float = min(THROTTLE_WAIT_MAX_S, THROTTLE_WAIT_FIRST_S * 2.0 ** (self.throttles_in_a_row - 1))
            return own * (1 + jitter / 4)
        if retry_after_s > self.longest_window_s:
            wait_s = min(self.wait_max_s, DISBELIEF_S)
            self.stop = (
                f"The server asks to wait {duration(retry_after_s)}, which no limit explains;"
                f" the next request is tried in {duration(wait_s)}."
            )
            return wait_s
        return retry_after_s + THROTTLE_MARGIN_S
