"""Laws of reading: what Excel can hold comes back as the same edits, from a workbook and from a CSV."""

import csv
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.adapters.spreadsheet import load_here
from sync.cells import is_error_word
from sync.model import Edit, InvalidRow, Severity
from sync.normalize import as_sent, equal, normal
from sync.section import BY_NAME, Json
from sync.validate import check_sheet

HEADINGS = ("Id", "CourseId", "Title", "DisplayOrder", "UnlockType", "UnlockAfterDays", "Active", "SectionContents")

characters = st.characters(
    codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co"), exclude_characters="\ufffd\ufffe\uffff"
) | st.sampled_from("\n\t\"',;|=#·<>&_")
texts = st.text(characters, max_size=30).filter(
    lambda text: text.strip().casefold() != "[clear]" and not is_error_word(text) and not text.startswith("=")
)
numbers = st.integers(0, 10**15 - 1)

rows = st.fixed_dictionaries(
    {},
    optional={
        "CourseId": numbers.map(lambda number: number + 1).filter(lambda number: number < 10**15),
        "Title": texts,
        "DisplayOrder": numbers,
        "UnlockType": st.integers(1, 3),
        "UnlockAfterDays": numbers,
        "Active": st.booleans(),
        "SectionContents": texts,
    },
)
anything = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t_=+-@'#"), max_size=40)
    | st.sampled_from(["{=1}", "http://example.com", " a ", "a\n", "#N/A", "NULL", "1e5", "'=1", "00123", "TRUE"])
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
).filter(lambda value: not (isinstance(value, str) and (value.startswith(("=", "{=")) or "_x" in value)))
"""Without formulas, which are no values, and escapes (`_x000D_`), which these writers do not escape in turn."""
sheets = st.dictionaries(st.integers(1, 10**15 - 1), rows, min_size=1, max_size=6)
Sheet = dict[int, dict[str, Json]]


def expected(sheet: Sheet) -> list[tuple[int, dict[str, Json]]]:
    """What the rows ask for: all that is not blank, line ends as they are sent."""
    return [
        (
            number,
            {
                name: as_sent(value) if isinstance(value, str) else value
                for name, value in fields.items()
                if not (isinstance(value, str) and is_blank(value))
            },
        )
        for number, fields in sheet.items()
    ]


def is_blank(text: str) -> bool:
    return not text.strip().strip(" \t\r\n\u00a0\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")


def read_back(data: bytes) -> list[tuple[int, dict[str, Json]]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet"
        path.write_bytes(data)
        checked = check_sheet(load_here(path), aliases={})
    wrong = [issue for row in checked.rows for issue in row.issues if issue.severity is Severity.ERROR]
    assert wrong == []
    return [(edit.id, dict(edit.values)) for edit in checked.rows if isinstance(edit, Edit)]


def by_openpyxl(table: Sequence[Sequence[Json]], rows_above: int, columns_left: int) -> bytes:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    for down, cells in enumerate(table, start=1 + rows_above):
        for right, cell in enumerate(cells, start=1 + columns_left):
            page.cell(down, right, cell)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def by_xlsxwriter(table: Sequence[Sequence[Json]], rows_above: int, columns_left: int, *, in_cells: bool) -> bytes:
    """With texts in one part for all, or in their cells."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "constant_memory": in_cells, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        page = book.add_worksheet()
        for down, cells in enumerate(table, start=rows_above):
            for right, cell in enumerate(cells, start=columns_left):
                page.write(down, right, cell)
    return buffer.getvalue()


WRITERS: Mapping[str, Callable[[Sequence[Sequence[Json]], int, int], bytes]] = {
    "openpyxl": by_openpyxl,
    "XlsxWriter": partial(by_xlsxwriter, in_cells=False),
    "XlsxWriter, texts in their cells": partial(by_xlsxwriter, in_cells=True),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@settings(max_examples=40)
@given(sheet=sheets, rows_above=st.integers(0, 3), columns_left=st.integers(0, 3))
def test_a_workbook_gives_back_what_was_written(
    writer: Callable[[Sequence[Sequence[Json]], int, int], bytes], sheet: Sheet, rows_above: int, columns_left: int
) -> None:
    """Any values, anywhere on the sheet, whoever wrote it: the edits are the same."""
    table = [HEADINGS, *((number, *(fields.get(name) for name in HEADINGS[1:])) for number, fields in sheet.items())]

    assert read_back(writer(table, rows_above, columns_left)) == expected(sheet)


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@settings(max_examples=40)
@given(values=st.lists(anything, min_size=1, max_size=6))
def test_every_value_that_excel_can_hold_is_an_edit_or_holds_its_row(
    writer: Callable[[Sequence[Sequence[Json]], int, int], bytes], values: list[Json]
) -> None:
    """Any text, number or truth value under any heading: what is sent is what was written, or nothing is."""
    table = [("Id", "Title"), *((number, value) for number, value in enumerate(values, start=1))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet"
        path.write_bytes(writer(table, 0, 0))
        rows = {row.row: row for row in check_sheet(load_here(path), aliases={}).rows}

    for number, value in enumerate(values, start=2):
        row = rows[number]
        if isinstance(row, Edit):
            assert row.values.get("Title") in {None, as_written(value)}
            assert "Title" in row.values or value is None or is_blank(str(value)) or value == "[clear]"
        else:
            assert isinstance(row, InvalidRow)
            assert [issue.field for issue in row.issues] == ["Title"]


def as_written(value: Json) -> str | None:
    """The text that a value asks for; `None` where it could be meant in several ways."""
    if isinstance(value, str):
        return as_sent(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer():
        return str(int(value))
    return None


@settings(max_examples=60)
@given(
    sheets, st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.sampled_from(["\n", "\r\n"])
)
def test_a_csv_gives_back_what_was_written(sheet: Sheet, delimiter: str, encoding: str, line_end: str) -> None:
    """Any values, any of the delimiters, encodings and line ends: the edits are the same."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(HEADINGS)
    for number, fields in sheet.items():
        writer.writerow([number, *(fields.get(name) for name in HEADINGS[1:])])

    assert read_back(buffer.getvalue().encode(encoding)) == expected(sheet)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*BY_NAME, "SomethingNew"]), json_values)
def test_a_normal_form_is_stable_and_equal_to_its_value(field: str, value: Json) -> None:
    """Normalising twice is normalising once, and a value equals its own normal form."""
    once = normal(field, value)

    assert normal(field, once) == once
    assert equal(field, value, once)
