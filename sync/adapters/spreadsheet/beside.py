"""calamine at work while our own pass goes through the XML: it needs no interpreter, and a second processor is idle.

Only after the checks that protect the process; and the sheets not before it is known that none reaches too far. What
either finds is told in the order in which they would be asked one after the other.
"""

import threading
from typing import Final, Self

from python_calamine import CalamineSheet

from sync.adapters.spreadsheet.values import Book, open_book

_PATIENCE_S: Final = 5.0
"""For a thread whose result nobody asks for any more."""


class Beside:
    """One workbook that is being opened, and its first sheet read, by a thread of ours; whoever begins it closes it."""

    def __init__(self, data: bytes, file: str) -> None:
        """Begin nothing yet."""
        self._data = data
        self._file = file
        self._found: tuple[Book, CalamineSheet | None] | BaseException = RuntimeError("nothing was begun")
        self._is_at_work = threading.Event()
        self._is_decided = threading.Event()
        self._may_read = False
        self._thread = threading.Thread(target=self._run, name="values", daemon=True)

    def begin(self) -> Self:
        """Open the workbook, and come back when that needs no interpreter any more.

        Raises:
            RuntimeError: no memory for a thread.
        """
        self._thread.start()
        self._is_at_work.wait()
        return self

    def go_on(self) -> None:
        """Read the first sheet as well: none reaches further than there may be room for."""
        self._may_read = True
        self._is_decided.set()

    def result(self) -> tuple[Book, CalamineSheet | None]:
        """Wait for the book, and for its first sheet if that was begun.

        Raises:
            InputError: `file.damaged`.
        """
        self._is_decided.set()
        self._thread.join()
        found = self._let_go()
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None:
        """Let the thread end, and go of what it has read."""
        self._is_decided.set()
        self._thread.join(_PATIENCE_S)
        self._let_go()

    def _let_go(self) -> tuple[Book, CalamineSheet | None] | BaseException:
        found, self._found = self._found, RuntimeError("it was handed over")
        return found

    def _run(self) -> None:
        try:
            book = open_book(self._data, self._file, self._is_at_work.set)
            self._is_at_work.set()  # a reader that does not ask for an end of the bytes has them all the same
            self._is_decided.wait()
            self._found = book, book.sheet(book.names[0]) if self._may_read else None
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result is told
            self._found = error
        finally:
            self._is_at_work.set()
