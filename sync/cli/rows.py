"""Rows as they are named on the command line: `4,7-9`, `14=sheet`."""

import re
from typing import TYPE_CHECKING

from sync.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sync.choosing import Choice
    from sync.model import RowNumber

_RANGE = re.compile(r"(\d{1,7})(?:\s*[-\u2013]\s*(\d{1,7}))?")
_CHOICE = re.compile(r"(\d{1,7})\s*=\s*(sheet|live)")


def row_numbers(text: str | None, *, option: str) -> "frozenset[RowNumber] | None":
    """Read row numbers and ranges of them; `None` where none were given.

    Raises:
        ConfigError: it is neither.
    """
    if text is None:
        return None
    from sync.model import RowNumber  # noqa: PLC0415 - only where rows are named

    rows: set[RowNumber] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise ConfigError(f"{option} takes row numbers such as 4,7-9, not {text!r}.")
        first = int(match[1])
        last = int(match[2] or first)
        if last < first:
            raise ConfigError(f"{option} takes a range from its lower end: {last}-{first}, not {part.strip()!r}.")
        rows |= {RowNumber(row) for row in range(first, last + 1)}
    return frozenset(rows)


def choices_of(texts: "Iterable[str]", *, option: str) -> "dict[RowNumber, Choice]":
    """Read the words for rows in conflict, each `14=sheet` or `14=live`, several with commas between them.

    Raises:
        ConfigError: one is neither.
    """
    from sync.model import RowNumber  # noqa: PLC0415 - only where rows are named

    found: dict[RowNumber, Choice] = {}
    for text in texts:
        for part in text.split(","):
            match = _CHOICE.fullmatch(part.strip())
            if match is None:
                raise ConfigError(f"{option} takes words such as 14=sheet or 14=live, not {text!r}.")
            found[RowNumber(int(match[1]))] = "sheet" if match[2] == "sheet" else "live"
    return found
