"""Rows of one sheet that name the same section: whether they ask for the same, and how they name one another."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from sync.model import CheckedRow, Edit, RowNumber
from sync.normalize import equal

_ROWS_NAMED: Final = 5


def ask_the_same(rows: Sequence[CheckedRow]) -> bool:
    """Whether all are valid, name the same fields with the same values and choose the same."""
    first = rows[0]
    return isinstance(first, Edit) and all(
        isinstance(row, Edit)
        and row.command == first.command
        and row.values.keys() == first.values.keys()
        and all(equal(name, value, first.values[name]) for name, value in row.values.items())
        for row in rows[1:]
    )


def also_on(row: RowNumber, rows: Sequence[RowNumber]) -> str:
    """Say on which other ones of the `rows` its section stands, the first few by number."""
    others = len(rows) - 1
    named = ", ".join(map(str, islice((other for other in rows if other != row), _ROWS_NAMED)))
    more = f" and {others - _ROWS_NAMED} more" if others > _ROWS_NAMED else ""
    return f"is also on {'row' if others == 1 else 'rows'} {named}{more}"
