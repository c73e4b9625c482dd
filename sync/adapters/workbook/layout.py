"""Where the columns lie that a report adds to a sheet. Imports no openpyxl."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from sync.frozen import Frozen

if TYPE_CHECKING:
    from sync.adapters.workbook.source import SheetSource


class Layout(Frozen):
    """Where the columns that a report adds go, and which old ones it empties."""

    places: Mapping[str, int]
    """Heading to column, from 0."""
    emptied: frozenset[int]

    @classmethod
    def of(cls, source: "SheetSource", headings: Sequence[str]) -> Self:
        """Give each heading its old column where a report came back, else the next one to the right."""
        old = source.result_columns()
        places: dict[str, int] = {}
        for column, heading in old.items():
            if heading in headings:
                places.setdefault(heading, column)
        free = source.width()
        for heading in headings:
            if heading not in places:
                places[heading] = free
                free += 1
        return cls(places, frozenset(old))
