"""The record of what reached the server and what became of it; no token and no password is ever in it."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TextIO

from sync.sandbox.fields import Record


@dataclass(slots=True)
class Entry:
    """One request."""

    n: int
    """Counts arrivals from 1."""
    method: str
    path: str
    query: str
    ids: list[int]
    arrived: float
    """Monotonic seconds of the server, when the request's first byte was read."""
    arrived_wall: float
    """Seconds since 1970."""
    user_agent: str | None
    has_token: bool
    answered_wall: float | None = None
    """When the answer was decided; it may be sent later, or never."""
    status: int | None = None
    """The status decided; None when the request got no answer at all."""
    lost: bool = False
    """The answer did not leave, or not whole."""
    throttled: bool = False
    window: str | None = None
    """The limit that was full, as `scope:count:seconds`, or `fault`."""
    applied: bool = False
    id: int | None = None
    body: object = None
    """The JSON body of a PUT, as received."""
    body_sha256: str | None = None
    before: Record | None = None
    """The section as the request found it."""
    after: Record | None = None
    """The section as the request left it, when it was applied."""
    updated_on: object = None
    change: int | None = None
    """The number of the change in the store's history, when it was applied."""
    fault: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the entry with its own names as keys."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class RequestLog:
    """Keeps entries in memory, and as JSON lines in a file when one is named."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file for appending.

        Raises:
            OSError: it cannot be opened.
        """
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None
        self._unwritten: dict[int, Entry] = {}
        self.entries: list[Entry] = []

    def record(self, entry: Entry) -> None:
        """Keep an entry whose answer is decided, and write its line."""
        self.entries.append(entry)
        self._write(entry)

    def record_pending(self, entry: Entry) -> None:
        """Keep an entry whose effect is still to come; its line waits for `settled`."""
        self.entries.append(entry)
        self._unwritten[entry.n] = entry

    def settled(self, entry: Entry) -> None:
        """Write the line of a pending entry, once."""
        if self._unwritten.pop(entry.n, None):
            self._write(entry)

    def clear(self) -> None:
        """Forget the entries in memory; lines written stay."""
        self.entries.clear()

    def close(self) -> None:
        """Write what is pending and close the file."""
        for entry in list(self._unwritten.values()):
            self.settled(entry)
        if self._file:
            self._file.close()
            self._file = None

    def _write(self, entry: Entry) -> None:
        if self._file:
            self._file.write(json.dumps(entry.as_json()) + "\n")
            self._file.flush()
