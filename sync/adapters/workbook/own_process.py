"""The operator's own workbook is opened in a process of its own, under limits: what it does to openpyxl ends there.

Its rows were read before, in another such process: whatever happens here, they are at hand for a report of values.
The process can be begun long before the order is there; it loads openpyxl meanwhile, and serves one order. The order
can be given before it is certain: it is served while the caller goes on, and done anew if it turns out another one.
"""

import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from sync.adapters.confined import ROOT, Limits, command, environment
from sync.adapters.workbook.own_order import Order
from sync.adapters.workbook.own_task import CODES, NotCarried

ENTRY: Final = "sync.adapters.workbook.own_entry"
LIMITS: Final = Limits(memory_bytes=2_000_000_000, cpu_s=60, wall_s=120.0)


def _in_a_thread(what: Callable[[], None]) -> None:
    threading.Thread(target=what, name="ordered-ahead", daemon=True).start()


class _Ahead:
    """An order that is being served before anybody is certain of it."""

    def __init__(self, order: Order) -> None:
        """Nothing is known of it yet."""
        self.order: Final = order
        self.found: Final[Future[bytes | NotCarried]] = Future()
        self.given_up = False


class OwnProcess:
    """A process that serves one order; started when it is begun, or else when it is asked."""

    def __init__(self, limits: Limits = LIMITS, *, beside: Callable[[Callable[[], None]], None] = _in_a_thread) -> None:
        """Start nothing yet; `beside` has something done while the caller goes on."""
        self._limits = limits
        self._beside = beside
        self._process: subprocess.Popen[bytes] | None = None
        self._ahead: _Ahead | None = None
        self._changing: Final = threading.Lock()
        """Held while a process is started, and while an order is given up that may be about to start one."""

    def __enter__(self) -> Self:
        """Close it at the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    @property
    def pid(self) -> int | None:
        """The id of the process; `None` while there is none."""
        return None if self._process is None else self._process.pid

    @property
    def holds_nothing(self) -> bool:
        """Whether there is neither a process nor an order."""
        return self._process is None and self._ahead is None

    def begin(self) -> None:
        """Start it without waiting for it: it loads its libraries while the caller goes on.

        If it cannot be started, whoever asks it later hears of it.
        """
        with suppress(OSError), self._changing:
            self._process = self._process or _start(self._limits)

    def order_ahead(self, order: Order) -> None:
        """Have an order served that is probably the one that will be asked for, while the caller goes on.

        Where there is no thread to be had for it, nothing is: it will be served when it is asked for.
        """
        self._give_up()
        ahead = _Ahead(order)
        with suppress(RuntimeError):
            self._beside(lambda: self._serve(ahead))
            self._ahead = ahead

    def annotated(self, order: Order) -> bytes | NotCarried:
        """Write the results onto a copy of the original; or say why that did not come about.

        What was ordered ahead is taken if it is this very order. The process has ended then, in any case.
        """
        ahead = self._ahead
        if ahead is not None and ahead.order.asks_the_same(order):
            self._ahead = None
            return ahead.found.result()
        self._give_up()
        return self._carried(_Ahead(order))

    def close(self) -> None:
        """End the process, if it still is there, whatever it is at, and wait for it: no zombie stays."""
        self._give_up()
        self._end()

    def _give_up(self) -> None:
        """Let go what was ordered ahead; a process that has no order yet stays."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return
        with self._changing:
            ahead.given_up = True
            process = self._process
            if process is not None:
                process.kill()
        wait([ahead.found])

    def _serve(self, ahead: _Ahead) -> None:
        try:
            ahead.found.set_result(self._carried(ahead))
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result is told
            ahead.found.set_exception(error)

    def _carried(self, ahead: _Ahead) -> bytes | NotCarried:
        words = pickle.dumps(ahead.order.slim(), pickle.HIGHEST_PROTOCOL)
        try:
            process = self._ready(ahead)
            content, _ = process.communicate(words, timeout=self._limits.wall_s)
        except subprocess.TimeoutExpired:
            return NotCarried.HEAVY
        except OSError:
            return NotCarried.ODD
        finally:
            self._end()
        return content if process.returncode == 0 and content else _reason(process.returncode)

    def _ready(self, ahead: _Ahead) -> "subprocess.Popen[bytes]":
        """Give the process; another one where it has died: what of, while it waited, says nothing of this workbook.

        Raises:
            OSError: it cannot be started, or nobody wants it any more.
        """
        with self._changing:
            if ahead.given_up:
                raise InterruptedError
            if self._process is not None and self._process.poll() is not None:
                self._end()
            self._process = self._process or _start(self._limits)
            return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # bytes that nobody takes any more
                    pipe.close()


def annotated_apart(order: Order, *, limits: Limits = LIMITS) -> bytes | NotCarried:
    """Write the results onto a copy of the original; or say why that did not come about."""
    with OwnProcess(limits) as process:
        process.begin()
        return process.annotated(order)


def _start(limits: Limits) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - this very Python, and words of our own
        command(ENTRY, limits),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment(),
        start_new_session=True,  # Ctrl-C is for us: the process ends when we end it
    )


def _reason(code: int) -> NotCarried:
    if sys.platform != "win32" and code in {-signal.SIGXCPU, -signal.SIGKILL}:
        return NotCarried.HEAVY
    return {each: reason for reason, each in CODES.items()}.get(code, NotCarried.ODD)
