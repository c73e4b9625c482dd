"""The workbooks of a report: the operator's own sheet with results on it, and the rows that failed."""

import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.spreadsheet import load_here
from sync.adapters.workbook.export import write_export
from sync.adapters.workbook.own_task import NotCarried
from sync.adapters.workbook.results import failed_workbook, write_results
from sync.adapters.workbook.source import SheetSource
from sync.adapters.workbook.styles import ERROR_FILL
from sync.base import read_base
from sync.frozen import replace
from sync.headings import RESULT_HEADINGS
from sync.model import (
    CellValue,
    Edit,
    FieldChange,
    Flaw,
    FlawKind,
    InputFacts,
    Issue,
    Label,
    Outcome,
    RowNumber,
    RunId,
    RunReport,
    Source,
    Status,
    TableRow,
    Verified,
)
from sync.validate import check_sheet
from tests.sections import ORIGIN
from tests.workbooks import report_on, report_workbook

NOT_A_NUMBER = Issue(
    "cell.not_a_number", "must be a whole number", "DisplayOrder", attempted_value="soon", cell="Edits!C4"
)
REQUIRED = Issue("api.rejected", "is a required field", "Title", Source.API)
NOWHERE = Issue("api.unavailable", "the server did not answer", source=Source.SYNC)
CLASH = (FieldChange("Title", "live title", "my title", "old title"),)


def outcome(row: int, status: Status = Status.UPDATED, *issues: Issue, changes: Sequence[FieldChange] = ()) -> Outcome:
    return Outcome(
        RowNumber(row), Label(str(row * 100), "1", "T"), status, changes=tuple(changes), issues=issues, attempts=1
    )


def report_of(*outcomes: Outcome) -> RunReport:
    facts = InputFacts("edits.xlsx", "", "Edits", len(outcomes))
    return RunReport(RunId("r1"), "apply", "p", "http://127.0.0.1/api", facts, outcomes, "t0", "t1", 4)


OUTCOMES = (
    outcome(3),
    outcome(4, Status.INVALID, NOT_A_NUMBER),
    outcome(5, Status.REJECTED, REQUIRED),
    outcome(6, Status.FAILED, NOWHERE),
    outcome(7, Status.CONFLICT, changes=CLASH),
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A workbook as operators make them: a title above the heading, notes of their own, another sheet."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "Edits"
    sheet.append(["My sections, spring"])
    sheet.append(["Id", "Title", "DisplayOrder", "My notes"])
    for row in range(3, 8):
        sheet.append([str(row * 100), f"Section {row}", row, f"note {row}"])
    sheet["C4"] = "soon"
    sheet["B3"].fill = PatternFill("solid", fgColor="FF00FF00")
    sheet["D3"].comment = Comment("mine", "me")
    sheet.column_dimensions["B"].width = 55
    sheet.merge_cells("A1:D1")
    workbook.create_sheet("Other")["A1"] = "kept"
    path = tmp_path / "edits.xlsx"
    workbook.save(path)
    return path


def source_of(path: Path) -> SheetSource:
    return SheetSource.of(check_sheet(load_here(path), aliases={}))


def opened(content: bytes | None) -> Worksheet:
    assert content is not None
    workbook = load_workbook(BytesIO(content))
    assert all(cell.data_type != "f" for sheet in workbook.worksheets for row in sheet.iter_rows() for cell in row)
    return workbook.worksheets[0]


def column(sheet: Worksheet, heading: str, *, header_row: int = 2) -> list[CellValue]:
    position = [cell.value for cell in sheet[header_row]].index(heading) + 1
    return [sheet.cell(row, position).value for row in range(header_row + 1, sheet.max_row + 1)]


def test_results_stand_beside_the_operators_own_columns(own: Path) -> None:
    """Titles, unknown columns, row numbers, formats, comments and other sheets stay; the results follow."""
    sheet = opened(report_workbook(report_of(*OUTCOMES), source_of(own)))

    assert sheet["A1"].value == "My sections, spring"
    assert [cell.value for cell in sheet[2]] == ["Id", "Title", "DisplayOrder", "My notes", "Command", *RESULT_HEADINGS]
    assert column(sheet, "My notes") == [f"note {row}" for row in range(3, 8)]
    assert column(sheet, "Result: Status") == ["updated", "invalid", "rejected", "failed", "conflict"]
    assert column(sheet, "Result: Row") == [3, 4, 5, 6, 7]
    assert (sheet.column_dimensions["B"].width, sheet["B3"].fill.fgColor.rgb) == (55, "FF00FF00")
    assert sheet["D3"].comment.text == "mine"
    assert sheet.parent["Other"]["A1"].value == "kept"
    assert (sheet.auto_filter.ref, sheet.freeze_panes) == ("A2:N7", "A3")


@pytest.mark.parametrize(
    ("make", "shift"), [pytest.param(report_workbook, 0, id="report"), pytest.param(failed_workbook, -1, id="failed")]
)
def test_the_failing_cell_is_marked_and_says_why(
    own: Path, make: Callable[[RunReport, SheetSource], bytes | None], shift: int
) -> None:
    """At its cell, else at its field's column, else at the status: colour, message and attempted value."""
    sheet = opened(make(report_of(*OUTCOMES), source_of(own)))

    marked = {
        cell.coordinate: cell.comment.text
        for row in sheet.iter_rows(min_row=3)
        for cell in row
        if cell.comment and cell.comment.author == "coursesync result"
    }

    assert marked == {
        f"C{4 + shift}": "DisplayOrder: must be a whole number\nValue: soon",
        f"B{5 + shift}": "Title: is a required field",
        f"F{6 + shift}": "the server did not answer",
        f"B{7 + shift}": (
            "Title was changed by somebody else.\nWhen exported: old title\nIn this sheet: my title\nLive: live title\n"
            "Write sheet or live into the Command column to say which one holds."
        ),
    }
    assert sheet[f"C{4 + shift}"].fill.fgColor.rgb == "FFFFC7CE"
    assert sheet[f"B{7 + shift}"].fill.fgColor.rgb == "FFFFEB9C"


def test_each_status_has_its_colour(own: Path) -> None:
    """Whether the workbook was kept or its values written, a status looks the same."""
    statuses = (Status.UPDATED, Status.INVALID, Status.NOT_ATTEMPTED, Status.UNCHANGED, Status.UNKNOWN)
    report = report_of(*(outcome(row, status) for row, status in enumerate(statuses, start=3)))
    gone = replace(source_of(own), path=own.with_name("gone.xlsx"))

    sheets = [opened(report_workbook(report, source)) for source in (source_of(own), gone)]

    for sheet in sheets:
        assert [sheet.cell(row, 5).fill.fgColor.rgb for row in range(3, 8)] == [
            "FFC6EFCE",
            "FFFFC7CE",
            "FFFFEB9C",
            "FFEDEDED",
            "FFFFEB9C",
        ]


def test_failed_holds_the_rows_that_need_attention_and_can_be_sent(own: Path, tmp_path: Path) -> None:
    """Title rows and heading are kept, the other rows are gone, and the loader takes the file as it is."""
    content = failed_workbook(report_of(*OUTCOMES), source_of(own))
    sheet = opened(content)
    path = tmp_path / "failed.xlsx"
    path.write_bytes(content or b"")

    checked = check_sheet(load_here(path), aliases={})

    assert sheet["A1"].value == "My sections, spring"
    assert column(sheet, "Id") == ["400", "500", "600", "700"]
    assert column(sheet, "Result: Row") == [4, 5, 6, 7]
    assert [type(row) is Edit for row in checked.rows] == [False, True, True, True]


def test_there_is_no_failed_workbook_without_failed_rows(own: Path) -> None:
    """Unchanged and skipped rows never need attention."""
    report = report_of(outcome(3), outcome(4, Status.UNCHANGED), outcome(5, Status.SKIPPED))

    assert failed_workbook(report, source_of(own)) is None


@pytest.mark.parametrize("is_large", [False, True], ids=["own-workbook", "values-only"])
def test_a_report_that_comes_back_is_not_doubled(
    own: Path,
    tmp_path: Path,
    is_large: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """Old result columns are replaced, old marks taken off, the old summary gone."""
    first = tmp_path / "report.xlsx"
    write_results(first, report_of(*OUTCOMES), source_of(own))
    source = source_of(first)
    if is_large:
        source = SheetSource(tmp_path / "gone.xlsx", "xlsx", source.sheet, 2, source.rows, source.columns)

    sheet = opened(report_workbook(report_of(*(outcome(row) for row in range(3, 8))), source))

    assert [cell.value for cell in sheet[2]] == ["Id", "Title", "DisplayOrder", "My notes", "Command", *RESULT_HEADINGS]
    assert column(sheet, "Result: Status") == ["updated"] * 5
    assert column(sheet, "Result: Messages") == [None] * 5
    marks = [cell for row in sheet.iter_rows(min_row=3) for cell in row if cell.comment and cell.value != "note 3"]
    assert marks == []
    assert sheet["C4"].fill.fgColor.rgb in ("00000000", "FFFFFFFF")
    assert [name for name in sheet.parent.sheetnames if name.startswith("Summary")] == ["Summary"]


def test_a_comment_under_a_mark_comes_back_when_the_cell_is_mended(own: Path, tmp_path: Path) -> None:
    """What the operator said of a cell is never lost to what we say of it, however often the report goes round."""
    workbook = load_workbook(own)
    workbook["Edits"]["C4"].comment = Comment("ask Anna first\n" + "x" * 2_000, "me")
    workbook.save(own)
    path, said = own, workbook["Edits"]["C4"].comment.text

    for number in range(3):
        content = report_workbook(report_of(*OUTCOMES), source_of(path))
        marked = opened(content)["C4"].comment
        assert marked.text.startswith("DisplayOrder: ")
        assert marked.text.endswith(said)
        assert marked.text.count(said) == 1
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(content)
    mended = opened(report_workbook(report_of(*(outcome(row) for row in range(3, 8))), source_of(path)))["C4"].comment

    assert (mended.text, mended.author) == (said, "me")


def test_the_text_of_an_uncached_formula_stays_beside_its_error(tmp_path: Path) -> None:
    """However often the report goes round; and it is gone once there is a value."""
    path = tmp_path / "0.xlsx"
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in (["Id", "Title"], ["200", "=B9&C9"]):
        sheet.append(row)
    workbook.save(path)
    for number in range(1, 4):
        checked = check_sheet(load_here(path), aliases={})
        content = report_workbook(report_on(checked), SheetSource.of(checked))
        assert opened(content)["B2"].comment.text.endswith("=B9&C9")
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(content)
    workbook = load_workbook(path)
    workbook.worksheets[0]["B2"].value = "A title"
    workbook.save(path)

    assert opened(report_workbook(report_of(outcome(2)), source_of(path)))["B2"].comment is None


def test_formulas_are_written_as_their_values_and_uncached_ones_stay_errors(tmp_path: Path) -> None:
    """No formula leaves the house; one that had no value still holds its row when the report comes back."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(["Id", "Title"])
    sheet.append(["200", "=1+1"])
    path = tmp_path / "edits.xlsx"
    workbook.save(path)
    rows = (
        TableRow(RowNumber(1), ("Id", "Title")),
        TableRow(RowNumber(2), ("200", None), {1: Flaw(FlawKind.UNCACHED_FORMULA, "=1+1")}),
    )
    source = SheetSource(path, "xlsx", "Sheet", 1, rows)

    kept = opened(report_workbook(report_of(outcome(2, Status.INVALID)), source))
    failed = opened(failed_workbook(report_of(outcome(2, Status.INVALID)), source))

    assert [(sheet["B2"].value, sheet["B2"].data_type) for sheet in (kept, failed)] == [("#VALUE!", "e")] * 2


@pytest.mark.parametrize("damage", ["not-a-zip", "sheet-gone"])
def test_a_workbook_that_cannot_be_carried_still_gets_its_report(own: Path, damage: str) -> None:
    """The values are written instead, and the summary says so."""
    source = source_of(own)
    if damage == "not-a-zip":
        own.write_bytes(b"damaged since")
    else:
        source = SheetSource(own, "xlsx", "Renamed", source.header_row, source.rows, source.columns)

    sheet = opened(report_workbook(report_of(*OUTCOMES), source))

    remarks = [row[0] for row in sheet.parent["Summary"].iter_rows(values_only=True)]
    assert column(sheet, "My notes") == [f"note {row}" for row in range(3, 8)]
    assert NotCarried.ODD in remarks


def test_a_csv_gets_a_workbook_of_its_values(tmp_path: Path) -> None:
    """The result columns follow the values; a name that no sheet can have is changed."""
    path = tmp_path / "a[1].csv"
    path.write_text("Id,Title,DisplayOrder\n300,=1+1,1\n400,b,2\n", encoding="utf-8")

    sheet = opened(report_workbook(report_of(outcome(2), outcome(3)), source_of(path)))

    assert (sheet.title, sheet["B2"].value, sheet["B2"].quotePrefix) == ("a_1_", "=1+1", True)
    assert column(sheet, "Result: Status", header_row=1) == ["updated", "updated"]


def test_a_text_longer_than_a_cell_is_never_cut(tmp_path: Path) -> None:
    """From a CSV such a text becomes an error cell: half of it must not be sent when the report comes back."""
    rows = (TableRow(RowNumber(1), ("Id", "SectionContents")), TableRow(RowNumber(2), ("200", "x" * 40_000)))

    sheet = opened(report_workbook(report_of(outcome(2)), SheetSource(tmp_path / "a.csv", "csv", "a", 1, rows)))

    assert (sheet["B2"].value, sheet["B2"].data_type) == ("#VALUE!", "e")


def test_dates_stay_dates_even_where_they_are_marked(tmp_path: Path) -> None:
    """A date without its format would come back as a number."""
    moment = datetime(2025, 1, 15, 10, 30)  # noqa: DTZ001 - a cell has no time zone
    rows = (TableRow(RowNumber(1), ("Id", "Title")), TableRow(RowNumber(2), ("200", moment)))
    source = SheetSource(tmp_path / "a.csv", "csv", "a", 1, rows)

    sheet = opened(report_workbook(report_of(outcome(2, Status.REJECTED, REQUIRED)), source))

    assert (sheet["B2"].value, sheet["B2"].is_date) == (moment, True)
    assert sheet["B2"].fill.fgColor.rgb == ERROR_FILL.fgColor.rgb


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(date(2025, 1, 15), id="date"),
        pytest.param(time(10, 30), id="time"),
        pytest.param(timedelta(hours=30), id="duration"),
        pytest.param(1.5, id="number"),
        pytest.param(True, id="boolean"),
        pytest.param(12345678901234567890, id="more-digits-than-excel-keeps"),
    ],
)
def test_values_of_every_kind_are_written(tmp_path: Path, value: CellValue) -> None:
    """A value comes back as it was; a number that Excel would round comes back as text."""
    rows = (TableRow(RowNumber(1), ("Id", "Extra")), TableRow(RowNumber(2), ("200", value)))

    sheet = opened(report_workbook(report_of(outcome(2)), SheetSource(tmp_path / "a.csv", "csv", "a", 1, rows)))

    found = sheet["B2"].value
    shown = found.date() if isinstance(found, datetime) else found
    assert shown == (str(value) if isinstance(value, int) and value > 2**53 else value)


def test_text_that_looks_like_a_formula_stays_text_in_the_own_workbook(own: Path) -> None:
    """Typing Enter in such a cell must not make a formula of it."""
    workbook = load_workbook(own)
    workbook["Edits"]["D4"].value = "=1+1"
    workbook["Edits"]["D4"].data_type = "s"
    workbook.save(own)

    cell = opened(report_workbook(report_of(*OUTCOMES), source_of(own)))["D4"]

    assert (cell.value, cell.data_type, cell.quotePrefix) == ("=1+1", "s", True)


def test_an_inflated_workbook_is_not_opened(own: Path) -> None:
    """A part of tens of megabytes would take openpyxl minutes and gigabytes: the values are written instead."""
    source = source_of(own)
    with zipfile.ZipFile(own, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/padding.bin", bytes(41_000_000))

    summary = opened(report_workbook(report_of(*OUTCOMES), source)).parent["Summary"]

    assert NotCarried.ODD in [row[0] for row in summary.iter_rows(values_only=True)]


def test_without_a_file_the_sections_are_named(tmp_path: Path) -> None:
    """A run that came from no sheet (drift, undo) has a report too."""
    write_results(tmp_path / "report.xlsx", report_of(outcome(2), outcome(3, Status.FAILED)), None)

    sheet = opened((tmp_path / "report.xlsx").read_bytes())

    assert [cell.value for cell in sheet[2]][:4] == ["200", "1", "T", "updated"]


def test_the_summary_says_what_an_operator_reads_first(own: Path) -> None:
    """Counts that add up, and the grouped problems with their rows."""
    workbook = load_workbook(BytesIO(report_workbook(report_of(*OUTCOMES), source_of(own))))

    rows = [tuple(cell for cell in row if cell is not None) for row in workbook["Summary"].iter_rows(values_only=True)]

    assert workbook.sheetnames == ["Edits", "Summary", "Other"]
    assert rows[1] == ("5 rows read: 1 updated, 1 invalid, 1 rejected, 1 conflict, 1 failed.",)
    assert ("cell.not_a_number", "DisplayOrder", "must be a whole number", "4", 1) in rows
    assert ("rows read", 5) in rows


def test_the_base_of_an_export_travels_with_its_failed_rows(tmp_path: Path) -> None:
    """What the operator saw is still known when the mended rows come back."""
    records = [
        {"Id": key, "Title": "T", "DisplayOrder": key, "CourseId": 1, "UniqueId": f"u{key}"} for key in (100, 200, 300)
    ]
    placed, _ = write_export(tmp_path / "e.xlsx", records, origin=ORIGIN)
    report = report_of(outcome(2), outcome(3, Status.FAILED), outcome(4))
    report_path = tmp_path / "failed.xlsx"
    outcomes = tuple(Outcome(each.row, Label(str((each.row - 1) * 100)), each.status) for each in report.outcomes)
    report_path.write_bytes(failed_workbook(report_of(*outcomes), source_of(placed.path)) or b"")

    base = next(table for table in load_here(report_path).tables if table.name == "Base")

    assert base.hidden
    assert [row.cells[:2] for row in base.rows[1:]] == [("Base: Id", "Base: UniqueId"), ("200", 'v"u200"')]
    assert read_base(base) is not None


def test_a_table_of_excel_keeps_its_own_filter(own: Path) -> None:
    """Two filters over one range would make Excel repair the file."""
    workbook = load_workbook(own)
    workbook["Edits"].add_table(ExcelTable(displayName="Edits1", ref="A2:D7"))
    workbook.save(own)

    sheet = opened(report_workbook(report_of(*OUTCOMES), source_of(own)))

    assert (sheet.auto_filter.ref, list(sheet.tables)) == (None, ["Edits1"])


def test_values_hold_no_formula_element(own: Path) -> None:
    """The sheet of values is text: not one `<f>` in it."""
    content = failed_workbook(report_of(*OUTCOMES), source_of(own)) or b""

    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_verified_and_attempts_are_shown(own: Path) -> None:
    """The evidence stands beside the status."""
    shown = Outcome(RowNumber(3), Label("300"), Status.UPDATED, attempts=2, verified=Verified.YES, updated_by="=me")

    sheet = opened(report_workbook(report_of(shown), source_of(own)))

    assert (column(sheet, "Result: Verified")[0], column(sheet, "Result: Attempts")[0]) == ("yes", 2)
    assert column(sheet, "Result: Updated by")[0] == "=me"
