"""The law of the operator's workbook: whatever rows are not opened, the copy is as if all of them were."""

import tempfile
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from sync.adapters.spreadsheet import load_here
from sync.adapters.workbook.own_sheet import as_a_whole, in_stream
from sync.adapters.workbook.source import SheetSource
from sync.frozen import replace
from sync.model import FieldChange, Issue, Label, Outcome, RowNumber, Source, Status
from tests.alike import differences
from tests.built import built
from tests.workbooks import order_on, report_of

HEADINGS = ("Command", "Id", "Title", "SectionContents", "My notes")
LOOKS: Sequence[dict[str, Any]] = (
    {},
    {"bold": True},
    {"num_format": "dd/mm/yyyy"},
    {"num_format": "[h]:mm"},
    {"locked": False, "bg_color": "#00FF00"},
)

texts = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
    st.text(st.sampled_from("=+-@'\"\t\n\r_x0041F#N/A!<&> é😀\x01\ufffe\u00a0"), max_size=10),
    st.sampled_from(["sheet", " LIVE ", "skip", "_x0041_", "_x005F_x0041_", "#N/A", "TRUE", "00123"]),
)
runs = st.lists(  # of nothing but white space, openpyxl loses it, and what is no character xlsxwriter does not escape
    texts.filter(lambda text: text.strip() != "" and text.isprintable()), min_size=2, max_size=3
)
anything = st.one_of(
    st.none(),
    texts,
    runs,
    st.booleans(),
    st.integers(-(10**17), 10**17),
    st.floats(allow_nan=False, allow_infinity=False),
    st.tuples(st.just("=A1"), st.integers(0, 99) | st.sampled_from(["=1", "text", "#DIV/0!", ""])),
)
times = st.one_of(
    st.floats(0, 2_900_000),
    st.integers(0, 2_900_000),
    st.datetimes(datetime(1900, 3, 1), datetime(9000, 1, 1)),  # noqa: DTZ001 - a cell has no time zone
)
cells = st.one_of(
    st.tuples(anything, st.sampled_from([0, 0, 1, 4])), st.tuples(texts | times, st.integers(0, len(LOOKS) - 1))
)
rows = st.tuples(
    st.tuples(*(cells for _ in HEADINGS)),
    st.sampled_from([(None, None, False), (None, None, False), (40, None, False), (None, 1, True), (12, 4, False)]),
)
issues = built(Issue, st.just("api.rejected"), texts, st.sampled_from([None, "Title"]), st.just(Source.API))
outcomes = built(
    Outcome,
    row=st.just(RowNumber(0)),
    label=st.just(Label("1")),
    status=st.sampled_from(Status),
    changes=st.sampled_from([(), (), (FieldChange("Title", "live", "mine", "old"),)]),
    issues=st.lists(issues, max_size=1).map(tuple),
    attempts=st.integers(0, 3),
    updated_on=st.none() | texts,
    updated_by=st.none() | texts,
)


def write(path: Path, table: Sequence[tuple[Any, Any]]) -> None:
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        looks = [workbook.add_format(look) for look in LOOKS]
        sheet = workbook.add_worksheet("Edits")
        sheet.write_row(0, 0, HEADINGS)
        for at, (row, (height, look, hidden)) in enumerate(table, start=1):
            if height or look or hidden:
                sheet.set_row(at, height, None if look is None else looks[look], {"hidden": hidden})
            for column, (value, number) in enumerate(row):
                _write(sheet, (at, column), value, looks[number] if number else None, looks[1])


def _write(sheet: Worksheet, place: tuple[int, int], value: object, look: Format | None, bold: Format) -> None:
    match value:
        case None:
            sheet.write_blank(*place, None, look)
        case bool():
            sheet.write_boolean(*place, value, look)
        case int() | float():
            sheet.write_number(*place, value, look)
        case str():
            sheet.write_string(*place, value, look)
        case (str(formula), cached):
            sheet.write_formula(*place, formula, look, cached)
        case [*runs]:
            sheet.write_rich_string(*place, bold, *map(str, runs))
        case _:
            sheet.write_datetime(*place, value, look)


@settings(deadline=None, max_examples=40)
@given(
    table=st.lists(rows, min_size=1, max_size=8),
    said=st.lists(outcomes, min_size=10, max_size=10),
    again=st.lists(outcomes, min_size=10, max_size=10),
)
def test_the_copy_is_as_if_all_of_it_were_opened(
    table: list[tuple[Any, Any]], said: list[Outcome], again: list[Outcome]
) -> None:
    """For openpyxl and for our own reader, of a sheet and of its report that comes back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0.xlsx"
        write(path, table)
        for number, each in enumerate((said, again), start=1):
            rows = load_here(path).tables[0].rows
            report = report_of([replace(one, row=row.number) for one, row in zip(each, rows[1:], strict=False)])
            task = order_on(report, SheetSource(path, "xlsx", "Edits", 1, rows)).slim()
            with path.open("rb") as file, zipfile.ZipFile(file) as archive:
                streamed, whole = in_stream(task, archive), as_a_whole(task, archive)
            path = Path(folder) / f"{number}.xlsx"
            other = Path(folder) / f"{number} whole.xlsx"
            path.write_bytes(streamed)
            other.write_bytes(whole)

            assert differences(streamed, whole) == []
            assert load_here(path).tables == load_here(other).tables
