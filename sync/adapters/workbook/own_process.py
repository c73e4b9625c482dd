"""The operator's own workbook is opened in a process of its own, under limits: what it does to openpyxl ends there.

Its rows were read before, in another such process: whatever happens here, they are at hand for a report of values.
The process can be begun long before the order is there; it loads openpyxl meanwhile, and serves one order.
"""

import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from sync.adapters.confined import ROOT, Limits, command, environment
from sync.adapters.workbook.own_order import Order
from sync.adapters.workbook.own_task import CODES, NotCarried

ENTRY: Final = "sync.adapters.workbook.own_entry"
LIMITS: Final = Limits(memory_bytes=2_000_000_000, cpu_s=60, wall_s=120.0)


class OwnProcess:
    """A process that serves one order; started when it is begun, or else when it is asked."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        """Start nothing yet."""
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

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

    def begin(self) -> None:
        """Start it without waiting for it: it loads its libraries while the caller goes on.

        If it cannot be started, whoever asks it later hears of it.
        """
        with suppress(OSError):
            self._process = self._process or _start(self._limits)

    def annotated(self, order: Order) -> bytes | NotCarried:
        """Write the results onto a copy of the original; or say why that did not come about.

        The process has ended then, in any case.
        """
        words = pickle.dumps(order.slim(), pickle.HIGHEST_PROTOCOL)
        if self._process is not None and self._process.poll() is not None:
            self.close()  # what it died of while it waited says nothing of this workbook
        try:
            process = self._process = self._process or _start(self._limits)
            content, _ = process.communicate(words, timeout=self._limits.wall_s)
        except subprocess.TimeoutExpired:
            return NotCarried.HEAVY
        except OSError:
            return NotCarried.ODD
        finally:
            self.close()
        return content if process.returncode == 0 and content else _reason(process.returncode)

    def close(self) -> None:
        """End the process, if it still is there, and wait for it: no zombie stays."""
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
