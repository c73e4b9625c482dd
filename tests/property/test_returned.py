"""The law of what comes back: a report or its failed rows, sent again as they are, ask for what the sheet asked for."""

import tempfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter.worksheet import Worksheet

from sync.adapters.workbook import results
from sync.adapters.workbook.own_task import NotCarried
from sync.adapters.workbook.results import failed_workbook
from sync.adapters.workbook.source import SheetSource
from sync.model import CheckedSheet, Edit, InvalidRow, RunReport, Severity
from tests.workbooks import checked_at, opened, report_on, report_workbook

HEADINGS = ("Command", "Id", "CourseId", "Title", "DisplayOrder", "UnlockType", "Active", "SectionContents", "My notes")

texts = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    st.text(st.sampled_from("=+-@'\"\t\n\r_x0041F#N/A!<&> é😀\x01\ufffe\u00a0"), max_size=14),
    st.sampled_from(
        [
            "_x0041_",
            "_x005F_x0041_",
            "_x000D_\n",
            "x005F_",
            "'=1",
            "#N/A",
            "[clear]",
            "TRUE",
            "00123",
            "1E5",
            "1/2/2025",
        ]
    ),
)
moments = st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31)).map(lambda value: value.replace(microsecond=0))  # noqa: DTZ001 - a cell has no time zone
values = st.one_of(
    st.none(),
    texts,
    st.booleans(),
    st.integers(-(10**16), 10**16),
    st.floats(allow_nan=False, allow_infinity=False),
    moments,
    moments.map(datetime.date),
    st.times().map(lambda value: value.replace(microsecond=0)),
    st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds)),
    st.tuples(st.just("=A1"), st.integers(0, 99) | st.sampled_from(["=1", "text", "#DIV/0!"])),
)
rows = st.lists(st.tuples(*(values for _ in HEADINGS[2:])), min_size=1, max_size=3)


def write(path: Path, table: list[tuple[object, ...]]) -> None:
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Edits")
        formats = {
            datetime: workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            date: workbook.add_format({"num_format": "yyyy-mm-dd"}),
            time: workbook.add_format({"num_format": "hh:mm:ss"}),
            timedelta: workbook.add_format({"num_format": "[h]:mm:ss"}),
        }
        sheet.write_row(0, 0, HEADINGS)
        for at, cells in enumerate(table, start=1):
            sheet.write_string(at, 1, str(100 + at))
            for column, value in enumerate(cells, start=2):
                _write(sheet, at, column, value, formats)


def _write(sheet: Worksheet, row: int, column: int, value: object, formats: dict[type, object]) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case int() | float():
            sheet.write_number(row, column, value)
        case str():
            sheet.write_string(row, column, value)
        case (str(formula), cached):
            sheet.write_formula(row, column, formula, None, cached)
        case _:
            sheet.write_datetime(row, column, value, formats[type(value)])


def meaning(checked: CheckedSheet) -> dict[str, object]:
    """What each row asks for, or which errors hold it; of times to the second."""
    found: dict[str, object] = {}
    for row in checked.rows:
        match row:
            case Edit():
                found[row.label.id] = dict(row.values)
            case InvalidRow():
                codes = {(issue.field, issue.code) for issue in row.issues if issue.severity is Severity.ERROR}
                found[row.label.id] = codes
            case _:
                found[row.label.id] = "skipped"
    return found


def values_only(report: RunReport, source: SheetSource) -> bytes:
    return results.report_workbook(report, source, carry=lambda _: NotCarried.ODD)


@pytest.mark.parametrize("make", [report_workbook, values_only, failed_workbook], ids=["report", "values", "failed"])
@settings(deadline=None, max_examples=12)
@given(table=rows)
def test_what_comes_back_asks_for_the_same(
    make: Callable[[RunReport, SheetSource], bytes | None], table: list[tuple[object, ...]]
) -> None:
    """Whatever the cells hold: every edit and every held row is as before, and no cell is a formula."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        write(path, table)
        checked = checked_at(path)
        content = make(report_on(checked), SheetSource.of(checked))
        opened(content)
        back = Path(folder) / "back.xlsx"
        back.write_bytes(content or b"")

        again = checked_at(back)

    assert meaning(again) == meaning(checked)
