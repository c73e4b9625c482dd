"""The order to the process that opens the operator's workbook says what the report says, and little of it twice."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest

from sync.adapters.workbook.layout import Layout
from sync.adapters.workbook.own_order import Order
from sync.adapters.workbook.source import SheetSource
from sync.frozen import replace
from sync.model import FieldChange, Issue, Label, Outcome, RowNumber, Status, Verified
from sync.report import result_cells
from tests.workbooks import report_of

SOURCE = SheetSource(Path(), "xlsx", "Edits", 1)
OUTCOME = Outcome(RowNumber(1), Label("1"), Status.UPDATED)
EVERY = [
    replace(OUTCOME, status=status, verified=verified, attempts=attempts, updated_on=when, updated_by=who)
    for status, verified, attempts, when, who in product(
        (Status.UPDATED, Status.UNCHANGED), (Verified.YES, Verified.NO), (0, 1), (None, "2026"), (None, "me")
    )
]
SAID = [
    replace(OUTCOME, changes=(FieldChange("Title", "a", "b", None),)),
    replace(OUTCOME, issues=(Issue("a.b", "c"),)),
]


@pytest.mark.parametrize("outcomes", [EVERY, 3 * EVERY, [*EVERY, *SAID, OUTCOME, *SAID, OUTCOME]])
def test_of_each_row_the_order_says_what_the_report_says(outcomes: Sequence[Outcome]) -> None:
    """However many others are alike."""
    report = report_of([replace(outcome, row=RowNumber(row)) for row, outcome in enumerate(outcomes, start=2)])

    results = Order(report, SOURCE, Layout({}, frozenset()), {}).slim().results

    assert {row: results.of(row) for row in results.rows} == {
        outcome.row: result_cells(outcome, run_id=report.run_id) for outcome in report.outcomes
    }
    assert results.of(1) is None


def test_what_thousands_of_rows_have_in_common_is_said_once() -> None:
    """An order of a hundred thousand unchanged rows is half a megabyte, and made in a moment."""
    report = report_of([replace(OUTCOME, row=RowNumber(row), status=Status.UNCHANGED) for row in range(2, 5_000)])

    results = Order(report, SOURCE, Layout({}, frozenset()), {}).slim().results

    assert (len(results.rows), len(results.said)) == (4_998, 1)
