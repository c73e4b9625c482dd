"""What a reviewer decides about rows: left out, or a word for a conflict."""

from pathlib import Path

import pytest

from sync.choosing import LEFT_OUT, with_decisions
from sync.errors import ConfigError
from sync.model import CheckedSheet, Edit, InvalidRow, Label, LoadedFile, RowNumber, SectionId, SkippedRow, Table

FILE = LoadedFile(Path("a.xlsx"), "0" * 64, "xlsx", (Table("Sections", ()),))
ROWS = (
    Edit(RowNumber(2), SectionId(7), {"Title": "A"}, Label("7")),
    InvalidRow(RowNumber(3), Label("x"), ()),
    SkippedRow(RowNumber(4), Label("8")),
    Edit(RowNumber(5), SectionId(9), {"Title": "B"}, Label("9"), command="live"),
)
SHEET = CheckedSheet(FILE, "Sections", RowNumber(1), {}, ROWS)


def test_rows_that_are_left_out_are_skipped_and_say_why() -> None:
    """Valid or not; the others stay as they were."""
    decided = with_decisions(SHEET, left_out={RowNumber(2), RowNumber(3), RowNumber(4)}, choices={})

    assert [type(row) for row in decided.rows] == [SkippedRow, SkippedRow, SkippedRow, Edit]
    assert [issue.code for row in decided.rows[:2] for issue in row.issues] == [LEFT_OUT, LEFT_OUT]
    assert decided.rows[3] == ROWS[3]


def test_a_word_stands_as_if_it_stood_in_the_cell() -> None:
    """It outweighs the row's own; a row without an edit has no use for one."""
    decided = with_decisions(SHEET, left_out=(), choices={RowNumber(5): "sheet", RowNumber(3): "sheet"})

    assert [row.command for row in decided.rows if isinstance(row, Edit)] == [None, "sheet"]
    assert decided.rows[1] == ROWS[1]


def test_a_row_that_is_not_there_is_no_decision() -> None:
    """Nothing is guessed: the whole is refused."""
    with pytest.raises(ConfigError, match="no row 6"):
        with_decisions(SHEET, left_out={RowNumber(6)}, choices={})
