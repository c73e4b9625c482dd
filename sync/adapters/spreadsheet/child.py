"""Reading in a process of its own, under limits: whatever a file does to its reader, the caller lives and can say it.

The process is started afresh (never forked), gets the bytes on its standard input and no other descriptor, none of
our secrets in its environment, and is ended by its own id. A limit of memory or processor time is the system's, set
by the process on itself before it loads a reader (not on Windows, which has none: there the clock alone limits).
"""

import marshal
import signal
import subprocess
import sys
import threading
from types import TracebackType
from typing import Final, Self

from sync.adapters.confined import Limits
from sync.adapters.spreadsheet.container import SAVE_AS, Content
from sync.adapters.spreadsheet.frames import receive, send
from sync.adapters.spreadsheet.parts import join
from sync.adapters.spreadsheet.starting import LIMITS, Kind, start
from sync.adapters.spreadsheet.wire import unpack
from sync.errors import InputError, InternalError
from sync.model import LoadedFile

START_S: Final = 60.0
"""How long the process may take to load its first reader, on a machine that is busy or whose disk is cold."""

_OUT_OF_MEMORY: Final = (b"memory allocation of", b"MemoryError", b"Cannot allocate memory", b"out of memory")
_LESS: Final = "Copy the one sheet with the sections into a new workbook, or split it, and use that file."


class ReadingProcess:
    """A process that reads one file after the other; started when first asked, and again after a death."""

    def __init__(self, limits: Limits = LIMITS, begun: "subprocess.Popen[bytes] | None" = None) -> None:
        """Start nothing yet; `begun` is the process where it was started already, under these limits."""
        self._limits = limits
        self._process = begun
        self._is_ready = False

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

    def begin(self, first: Kind) -> "subprocess.Popen[bytes]":
        """Start it without waiting for it: it loads the reader of this kind while the caller goes on."""
        self._process, self._is_ready = start(self._limits, first), False
        return self._process

    def read(self, content: Content, *, encoding: str | None = None, is_last: bool = False) -> LoadedFile:
        """Read the tables of a file; after the last one the process is ended first, so that both never hold all of it.

        Raises:
            InputError: what the reader says of the file; or `file.crashed`, `file.too_slow`, `file.too_much_memory`.
            InternalError: the process cannot be started.
        """
        process = self._running(content.kind)
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        clock = threading.Timer(self._limits.wall_s, give_up)
        clock.daemon = True
        clock.start()
        try:
            answer = _ask(process, marshal.dumps((str(content.path), encoding)), content.data)
        finally:
            clock.cancel()
        if answer is None:
            raise self._bury(process, content.path.name, late=late.is_set())
        if not is_last:
            return self._take(answer, content)
        process.kill()  # the system takes its memory back while the answer is made into a table here
        try:
            return self._take(answer, content)
        finally:
            self.close()

    def kill(self) -> None:
        """End the process from another thread, which may be in the middle of a file: that one is told of a crash."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process and wait for it: no zombie stays."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _running(self, first: Kind) -> "subprocess.Popen[bytes]":
        """Give the process, started and ready for a file of the kind that comes first."""
        process = self._process or self.begin(first)
        if self._is_ready:
            return process
        clock = threading.Timer(START_S, process.kill)
        clock.daemon = True
        clock.start()
        try:
            ready = process.stdout is not None and receive(process.stdout) is not None
        finally:
            clock.cancel()
        if not ready:
            self._process = None
            said = _end(process).decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise InternalError(
                f"The process that reads sheets cannot be started: {said or f'exit code {process.returncode}'}."
            )
        self._is_ready = True
        return process

    def _take(self, answer: bytes, content: Content) -> LoadedFile:
        what, *rest = marshal.loads(answer)  # noqa: S302 - plain values only, from a process of our own
        if what == "tables":
            return join(map(unpack, rest[0]), content.path)
        if what == "refused":
            message, code, remedy = rest
            raise InputError(message, code=code, remedy=remedy)
        if what == "broken":
            raise InternalError(f"The process that reads sheets lacks a library: {rest[0]}.")
        self.close()  # what was being loaded when the memory ended may be there by half
        raise self._too_much_memory(content.path.name)

    def _bury(self, process: "subprocess.Popen[bytes]", name: str, *, late: bool) -> InputError:
        """Say what a process died of."""
        self._process = None
        # It closes its output before it is dead: what it died of is known only then.
        said = _end(process, patience_s=0.0 if late else 5.0)
        code = process.returncode
        if late:
            return _too_slow(name, f"{self._limits.wall_s:g} s")
        if sys.platform != "win32" and code == -signal.SIGXCPU:
            return _too_slow(name, f"{self._limits.cpu_s} s of processor time")
        if sys.platform != "win32" and code == -signal.SIGKILL:
            # Nobody but the system kills so: it had no memory left.
            return self._too_much_memory(name)
        if any(sign in said for sign in _OUT_OF_MEMORY):
            return self._too_much_memory(name)
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2].partition(":")[0]
        cause = f"signal {-code}" if code < 0 else (last or f"exit code {code}")
        return InputError(
            f"{name} made its reader crash ({cause}). It was read in a process of its own: nothing else was harmed.",
            code="file.crashed",
            remedy=SAVE_AS,
        )

    def _too_much_memory(self, name: str) -> InputError:
        return InputError(
            f"{name} needs more memory than the {self._limits.memory_bytes // 1_000_000:,} MB that its reader may use.",
            code="file.too_much_memory",
            remedy=_LESS,
        )


def _ask(process: "subprocess.Popen[bytes]", words: bytes, data: bytes) -> bytes | None:
    """Hand a file over and wait for the answer; `None` when the process is gone."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        send(process.stdin, words)
        send(process.stdin, data)
    except OSError:
        return None
    return receive(process.stdout)


def _end(process: "subprocess.Popen[bytes]", *, patience_s: float = 0.0) -> bytes:
    """Kill the process unless it ends by itself, reap it, and give what it said on standard error."""
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
    finally:
        said = _close(process)
    return said


def _close(process: "subprocess.Popen[bytes]") -> bytes:
    said = b""
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is None:
            continue
        try:
            if pipe is process.stderr:
                said = pipe.read()
            pipe.close()
        except OSError:
            continue  # bytes that nobody takes any more
    return said


def _too_slow(name: str, limit: str) -> InputError:
    return InputError(f"{name} takes its reader longer than the limit of {limit}.", code="file.too_slow", remedy=_LESS)
