"""The reading of a file that is begun while the caller still loads what it needs itself: half a second of a command.

What a text is encoded in, a profile may say, and that is read later: a CSV has its process begun, and no more.
"""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from sync.adapters.confined import Limits
from sync.adapters.spreadsheet.starting import LIMITS, Kind, kind_by_name, start

if TYPE_CHECKING:
    import subprocess
    import threading
    from concurrent.futures import Future

    from sync.adapters.spreadsheet.child import ReadingProcess
    from sync.adapters.spreadsheet.container import Content
    from sync.model import LoadedFile

_PATIENCE_S: Final = 5.0
"""For a thread whose process was ended; a disk may hold it longer."""


class ReadingAhead:
    """One file, read in a process of its own by a thread of ours; whoever asks for it closes it."""

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        """Begin nothing yet."""
        self._path = path
        self._limits = limits
        self._process: ReadingProcess | None = None
        self._found: Future[LoadedFile | Content] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Close it at the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End thread and process."""
        self.close()

    def begin(self) -> Self:
        """Begin, if the file's name is one of a sheet."""
        if (kind := kind_by_name(self._path)) is None:
            return self
        self._process = process = _process(self._limits, start(self._limits, kind))
        if kind is not Kind.CSV:
            self._read_in_a_thread(process)
        return self

    def result(self, *, encoding: str | None = None) -> "LoadedFile":
        """Wait for the file, or read it now; `encoding` is what a text is in that is not UTF-8.

        Raises:
            InputError: as `spreadsheet.load`.
            InternalError: as `spreadsheet.load`.
        """
        from sync.adapters.spreadsheet.container import Content, read_content  # noqa: PLC0415 - after the process

        found = read_content(self._path) if self._found is None else self._found.result()
        if isinstance(found, Content):
            self._process = self._process or _process(self._limits)
            found = self._process.read(found, encoding=encoding, is_last=True)
        self.close()
        return found

    def close(self) -> None:
        """End the process, whatever it is at, and wait for the thread: neither outlives the command."""
        if self._process is None:
            return
        self._process.kill()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
        self._process.close()

    def _read_in_a_thread(self, process: "ReadingProcess") -> None:
        import threading  # noqa: PLC0415 - after the process
        from concurrent.futures import Future  # noqa: PLC0415 - the same

        found = self._found = Future()
        self._thread = threading.Thread(target=_read, args=(self._path, process, found), name="reading", daemon=True)
        self._thread.start()


def _process(limits: Limits, begun: "subprocess.Popen[bytes] | None" = None) -> "ReadingProcess":
    from sync.adapters.spreadsheet.child import ReadingProcess  # noqa: PLC0415 - after the process

    return ReadingProcess(limits, begun)


def _read(path: Path, process: "ReadingProcess", found: "Future[LoadedFile | Content]") -> None:
    from sync.adapters.spreadsheet.container import read_content  # noqa: PLC0415 - after the process

    try:
        content = read_content(path)
        is_text = content.kind is Kind.CSV
        found.set_result(content if is_text else process.read(content, is_last=True))
    except BaseException as error:  # noqa: BLE001 - whoever asks for the result is told
        found.set_exception(error)
