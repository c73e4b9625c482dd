"""The comments of a report: what is said at a cell, and how those of a former report are told. Pure."""

import re
from typing import Final

from sync.frozen import Frozen
from sync.model import Severity

MARK_AUTHOR: Final = "coursesync result"
"""The author of our marks on rows: by it, those of a report that came back are known and taken off."""
_KEPT: Final = re.compile(r"\n\nBefore that, a comment of (?P<author>[^\n]*) stood here:\n(?P<text>.*)", re.DOTALL)
UNCACHED: Final = "#VALUE!"
"""What stands for a formula that was never calculated: an error, so that its row stays held until it is mended."""
UNCACHED_NOTE_START: Final = "A formula that was never calculated stood here:\n"
UNCACHED_NOTE: Final = UNCACHED_NOTE_START + "{formula}"

Place = tuple[int, int]
"""Row from 1, column from 0."""


class Mark(Frozen):
    """What is to be said at one cell."""

    severity: Severity
    text: str


def over(mark: str, author: str, text: str) -> str:
    """Put a mark over a comment that is there, whose text and author stand below it."""
    return f"{mark}\n\nBefore that, a comment of {' '.join(author.split()) or 'somebody'} stood here:\n{text}"


def under(mark: str) -> tuple[str, str] | None:
    """Give author and text of the comment that a mark was put over; `None` where there was none."""
    kept = _KEPT.search(mark)
    return None if kept is None else (kept["author"], kept["text"])
