"""What a reviewer decides about rows of a sheet: left out of the plan, or a word for a conflict. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from sync.errors import ConfigError
from sync.frozen import replace
from sync.model import CheckedRow, CheckedSheet, Edit, InvalidRow, Issue, RowNumber, Severity, SkippedRow, Source
from sync.report import row_ranges

Choice = Literal["sheet", "live"]
LEFT_OUT: Final = "row.left_out"
_NOTE: Final = Issue(LEFT_OUT, "left out when the plan was reviewed", source=Source.SYNC, severity=Severity.NOTE)


def with_decisions(
    checked: CheckedSheet, *, left_out: Collection[RowNumber], choices: Mapping[RowNumber, Choice]
) -> CheckedSheet:
    """Take out of a sheet the rows that were left out, and give the others their word, as if it stood in `Command`.

    Raises:
        ConfigError: a row is not in the sheet.
    """
    there = {row.row for row in checked.rows}
    if missing := sorted({*left_out, *choices} - there):
        raise ConfigError(
            f"The sheet has no row {row_ranges(missing, most=5)}.",
            remedy="Rows are named by the number that Excel shows.",
        )
    return replace(checked, rows=tuple(_decided(checked.rows, left_out, choices)))


def _decided(
    rows: Iterable[CheckedRow], left_out: Collection[RowNumber], choices: Mapping[RowNumber, Choice]
) -> Iterable[CheckedRow]:
    for row in rows:
        match row:
            case Edit() | InvalidRow() if row.row in left_out:
                yield SkippedRow(row.row, row.label, (_NOTE,))
            case Edit() if row.row in choices:
                yield replace(row, command=choices[row.row])
            case _:
                yield row
