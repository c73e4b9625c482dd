"""Commands that parse their sheet in their own process: for tests of many of them, on plain sheets."""

from typing import Self

from sync.adapters.spreadsheet import ReadingAhead


class NotAhead(ReadingAhead):
    """Begins nothing, so that no process is started for a file that is read here."""

    def begin(self) -> Self:
        """Leave it."""
        return self
