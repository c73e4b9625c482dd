"""Signals: the first asks the run to end in good order, the second ends the process at once."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

from sync.errors import AGAIN, Interrupted

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORDS = {
    signal.SIGINT: "The run was interrupted",
    signal.SIGTERM: "The run was told to end",
    signal.SIGHUP: "The terminal is gone",
}
_LEFT = b"coursesync: left at once; whatever was in flight is open in the journal. Go on with `coursesync resume`.\n"
"""What the second signal says: no buffer is flushed any more, and nothing else is written."""


@dataclass(slots=True)
class StopRequest:
    """What the signals have asked for so far."""

    wake: Callable[[], None] = field(default=lambda: None)
    """Ends the coordinator's wait, so that the request is seen at once."""
    _received: int | None = None

    def interrupted(self) -> Interrupted | None:
        """The request, in words that are true before a run has begun as well; `None` while there is none."""
        if self._received is None:
            return None
        words = _WORDS[signal.Signals(self._received)]
        return Interrupted(f"{words}.", signal_number=self._received, remedy=AGAIN)

    def receive(self, number: int, _frame: FrameType | None = None) -> None:
        """Handle a signal: note the first, leave at once on the second; the journal is consistent at any moment."""
        if self._received is not None:
            with suppress(OSError):  # nobody may be left to read it
                os.write(sys.stderr.fileno(), _LEFT)
            os._exit(128 + number)
        self._received = number
        self.wake()


@contextmanager
def stop_signals(*, hangup: Callable[[], None] | None = None) -> Iterator[StopRequest]:
    """Listen to SIGINT, SIGTERM and SIGHUP while the block runs, then as before.

    With `hangup`, SIGHUP is no stop and calls that instead: a service without a terminal reopens its log.
    """
    request = StopRequest()
    before = {number: signal.signal(number, request.receive) for number in STOP_SIGNALS}
    if hangup is not None:
        signal.signal(signal.SIGHUP, lambda _number, _frame: hangup())
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let a signal end the block at once: while a person is asked, nothing is under way that could be lost.

    Raises:
        Interrupted: a signal came; the read from the terminal would go on otherwise.
    """

    def leave(number: int, _frame: FrameType | None = None) -> NoReturn:
        raise Interrupted(f"{_WORDS[signal.Signals(number)]}; nothing was sent.", signal_number=number)

    before = {number: signal.signal(number, leave) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
