"""Rows that come in pieces are marked as if they had come at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.adapters.spreadsheet.facts import SheetFacts
from sync.adapters.spreadsheet.grid import Area
from sync.adapters.spreadsheet.marking import Marking
from sync.hints import Hint, HintKind
from sync.model import CellValue, Flaw, FlawKind, TableRow

ROWS = 12
COLUMNS = 3
CELLS = st.tuples(*[st.sampled_from([None, 1, "https://a.example/"])] * COLUMNS)
NUMBERS = st.integers(1, ROWS + 4)


@st.composite
def areas(draw: st.DrawFn) -> Area:
    top, left = draw(NUMBERS), draw(st.integers(1, COLUMNS))
    return Area(top, left, top + draw(st.integers(0, ROWS)), left + draw(st.integers(0, 1)))


@st.composite
def facts(draw: st.DrawFn) -> SheetFacts:
    columns = st.integers(0, COLUMNS + 1)
    marks = st.dictionaries(columns, st.just(Flaw(FlawKind.ERROR_VALUE, "#N/A")), min_size=1)
    hints = st.dictionaries(columns, st.just(Hint(HintKind.FORMULA, "=A1")), min_size=1)
    links = st.tuples(areas(), st.sampled_from(["https://a.example", "https://b.example", "https://c.example"]))
    return SheetFacts(
        "S",
        flaws=draw(st.dictionaries(NUMBERS, marks, max_size=3)),
        hints=draw(st.dictionaries(NUMBERS, hints, max_size=3)),
        hidden_rows=draw(st.frozensets(NUMBERS, max_size=3)),
        texts=draw(st.dictionaries(NUMBERS, st.dictionaries(st.integers(0, 2), st.just("a\nb")), max_size=2)),
        merged=tuple(draw(st.lists(areas(), max_size=2))),
        links=tuple(draw(st.lists(links, max_size=3))),
        last_row=ROWS,
        last_column=COLUMNS,
    )


def marked(told: SheetFacts, cells: list[tuple[CellValue, ...]], rows_at_once: int) -> tuple[list[TableRow], int]:
    marking = Marking(told, "a.xlsx")
    pieces = [cells[start : start + rows_at_once] for start in range(0, len(cells), rows_at_once)]
    return [row for rows in marking.rows(pieces) for row in rows], marking.width


@given(facts(), st.lists(CELLS, max_size=ROWS), st.integers(1, ROWS))
def test_where_a_piece_ends_makes_no_difference(
    told: SheetFacts, cells: list[tuple[CellValue, ...]], rows_at_once: int
) -> None:
    """Ranges and links that reach over the end of a piece, blank rows around it, rows below the last: all the same."""
    assert marked(told, cells, rows_at_once) == marked(told, cells, ROWS)


@pytest.mark.parametrize("rows_at_once", [1, 2, 5])
def test_a_merged_range_and_a_link_go_on_into_the_next_piece(rows_at_once: int) -> None:
    """What they cover is marked down to their last row, and the rows are numbered through."""
    link = "https://a.example"
    told = SheetFacts(
        "S",
        merged=(Area(1, 1, 3, 1),),
        links=((Area(1, 2, 3, 2), "https://b.example"),),
        last_row=4,
        last_column=2,
    )

    rows, width = marked(told, [(1, link), (None, link), (None, link), (2, None), (None, None)], rows_at_once)

    flaw, hint = Flaw(FlawKind.MERGED, "A1:A3"), Hint(HintKind.LINK_TARGET, "https://b.example")
    assert [(row.number, dict(row.merged), dict(row.hints)) for row in rows] == [
        (1, {0: flaw}, {1: hint}),
        (2, {0: flaw}, {1: hint}),
        (3, {0: flaw}, {1: hint}),
        (4, {}, {}),
    ]
    assert width == 2
