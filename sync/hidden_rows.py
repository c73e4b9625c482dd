"""Rows that nobody sees on the screen: taken, left out, or asked about; never one of them without a word."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, assert_never

from sync.errors import InputError
from sync.model import Issue, RowNumber, Severity

_ROWS_NAMED: Final = 5


class HiddenRows(StrEnum):
    """What becomes of rows that nobody sees: people filter a sheet to narrow the edit, or forget that they did."""

    ASK = "ask"
    """Refuse the sheet, with their number and the ways on."""
    INCLUDE = "include"
    LEAVE_OUT = "leave_out"


def decide(
    policy: HiddenRows, hidden: Sequence[RowNumber], *, of: int, sheet: str
) -> tuple[Issue, frozenset[RowNumber]]:
    """Say what becomes of the `hidden` ones (at least one) of a sheet's rows, and which of them are left out.

    Raises:
        InputError: `file.hidden_rows`: nobody has said what becomes of them.
    """
    what = f"{len(hidden):,} of {of:,} rows of sheet {sheet!r} are hidden ({_named(hidden)})"
    match policy:
        case HiddenRows.ASK:
            raise InputError(
                f"{what}: it cannot be told whether they are meant.",
                code="file.hidden_rows",
                remedy="Show them in Excel (clear the filter, unhide the rows) and save; or say in the "
                'profile hidden_rows = "include" to take them like the others, or hidden_rows = "leave_out" to pass '
                "them over.",
            )
        case HiddenRows.INCLUDE:
            return _note(f"{what} and are taken like the others"), frozenset()
        case HiddenRows.LEAVE_OUT:
            return _note(f"{what} and are left out"), frozenset(hidden)
        case _:
            assert_never(policy)


def _note(message: str) -> Issue:
    return Issue("row.hidden", message, severity=Severity.NOTE)


def _named(rows: Sequence[RowNumber]) -> str:
    """Name the first few rows, and count the others."""
    more = f" and {len(rows) - _ROWS_NAMED:,} more" if len(rows) > _ROWS_NAMED else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows[:_ROWS_NAMED]))}{more}"
