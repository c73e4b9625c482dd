"""The reading of a file that is begun while the caller still loads what it needs itself: half a second of a command.

What a text is encoded in, a profile may say, and that is read later: a CSV has its process begun, and no more.
"""

import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sync.adapters.confined import Limits
from sync.adapters.spreadsheet.child import LIMITS, ReadingProcess
from sync.adapters.spreadsheet.container import Content, Kind, read_content
from sync.model import LoadedFile

_BY_NAME: Final = {".xlsx": Kind.XLSX, ".xlsm": Kind.XLSX, ".ods": Kind.ODS, ".csv": Kind.CSV}
"""What the file probably is; what it is, its content alone says."""
_PATIENCE_S: Final = 5.0
"""For a thread whose process was ended; a disk may hold it longer."""


class ReadingAhead:
    """One file, read in a process of its own by a thread of ours; whoever asks for it closes it."""

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        """Begin nothing yet."""
        self._path = path
        self._process = ReadingProcess(limits)
        self._found: Future[LoadedFile | Content] = Future()
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
        kind = _BY_NAME.get(self._path.suffix.lower())
        if kind is not None:
            self._process.begin(kind)
        if kind is not None and kind is not Kind.CSV:
            self._thread = threading.Thread(target=self._read, name="reading", daemon=True)
            self._thread.start()
        return self

    def result(self, *, encoding: str | None = None) -> LoadedFile:
        """Wait for the file, or read it now; `encoding` is what a text is in that is not UTF-8.

        Raises:
            InputError: as `spreadsheet.load`.
            InternalError: as `spreadsheet.load`.
        """
        found = read_content(self._path) if self._thread is None else self._found.result()
        if isinstance(found, Content):
            found = self._process.read(found, encoding=encoding, is_last=True)
        self.close()
        return found

    def close(self) -> None:
        """End the process, whatever it is at, and wait for the thread: neither outlives the command."""
        self._process.kill()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
        self._process.close()

    def _read(self) -> None:
        try:
            content = read_content(self._path)
            is_text = content.kind is Kind.CSV
            self._found.set_result(content if is_text else self._process.read(content, is_last=True))
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result is told
            self._found.set_exception(error)
