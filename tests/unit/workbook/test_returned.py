"""What held a row holds it again when a report or its failed rows come back as they are; nothing is lost on the way."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
import xlsxwriter
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook import results
from sync.adapters.workbook.own_task import NotCarried
from sync.adapters.workbook.results import failed_workbook
from sync.adapters.workbook.source import SheetSource
from sync.headings import RESULT_HEADINGS
from sync.model import (
    CheckedSheet,
    Edit,
    InvalidRow,
    Issue,
    Label,
    Outcome,
    RowNumber,
    RunReport,
    Source,
    Status,
    TableRow,
)
from tests.workbooks import checked_at, opened, remarks_of, report_of, report_on, report_workbook


def values_only(report: RunReport, source: SheetSource) -> bytes:
    return results.report_workbook(report, source, carry=lambda _: NotCarried.ODD)


Make = Callable[[RunReport, SheetSource], bytes | None]
every_workbook = pytest.mark.parametrize(
    "make",
    [
        pytest.param(report_workbook, id="report"),
        pytest.param(values_only, id="values-only"),
        pytest.param(failed_workbook, id="failed"),
    ],
)


def returned(make: Make, path: Path) -> tuple[CheckedSheet, Worksheet]:
    """Judge the sheet, make its report, and judge that as it is."""
    checked = checked_at(path)
    content = make(report_on(checked), SheetSource.of(checked))
    back = path.with_name("returned.xlsx")
    back.write_bytes(content or b"")
    return checked_at(back), opened(content)


def held(checked: CheckedSheet) -> Mapping[str, set[str]]:
    """The codes of the errors by Id, as the sheet has it."""
    return {row.label.id: {issue.code for issue in row.issues} for row in checked.rows if isinstance(row, InvalidRow)}


@every_workbook
def test_a_formula_without_a_value_holds_its_row_and_can_be_mended(tmp_path: Path, make: Make) -> None:
    """In a column of ours an error with the formula in its comment; in another the formula's text, as text."""
    workbook = Workbook()
    for row in (["Id", "Title", "My notes"], ["200", "=A1&A2", "=1+1"], ["300", "b", None]):
        workbook.worksheets[0].append(row)
    workbook.save(tmp_path / "a.xlsx")

    again, sheet = returned(make, tmp_path / "a.xlsx")

    assert held(again) == {"200": {"cell.error_value"}}
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("#VALUE!", "e")
    assert "=A1&A2" in sheet["B2"].comment.text
    assert (sheet["C2"].value, sheet["C2"].data_type, sheet["C2"].quotePrefix) == ("=1+1", "s", True)


@every_workbook
def test_merged_cells_stay_merged(tmp_path: Path, make: Make) -> None:
    """What a merged value is meant for is as unclear as before, so its rows are held as before."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in (["Id", "Title", "SectionContents"], ["100", "z", "y"], ["200", "a", None], ["300", "b", "c"], ["400"]):
        sheet.append(row)
    sheet.merge_cells("B3:C3")
    sheet.merge_cells("B4:B5")
    workbook.save(tmp_path / "a.xlsx")

    again, _ = returned(make, tmp_path / "a.xlsx")

    assert held(again) == {"200": {"cell.merged"}, "300": {"cell.merged"}, "400": {"cell.merged"}}


def test_a_cell_that_lost_its_merged_neighbours_is_an_error(tmp_path: Path) -> None:
    """The other row of the range is left out of the failed rows: one cell is no merged range any more."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in (["Command", "Id", "Title"], ["", "200", "a"], ["skip", "300"]):
        sheet.append(row)
    sheet.merge_cells("C2:C3")
    workbook.save(tmp_path / "a.xlsx")

    again, _ = returned(failed_workbook, tmp_path / "a.xlsx")

    assert held(again) == {"200": {"cell.error_value"}}


@pytest.mark.parametrize("make", [values_only, failed_workbook], ids=["report", "failed"])
def test_a_csv_row_with_too_many_or_too_few_cells_stays_held(tmp_path: Path, make: Make) -> None:
    """Its values may stand in wrong columns: a word in `Command` holds it until a person has looked."""
    text = "Id,Title,DisplayOrder\n200,Hello, 5,6\n300,short\n400,fine,7\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")

    again, sheet = returned(make, tmp_path / "a.csv")

    assert held(again) == {"200": {"command.unknown"}, "300": {"command.unknown"}}
    assert [type(row) for row in again.rows if row.label.id == "400"] == [Edit]
    commands = {cell.value: cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value == "mend"}
    assert "then clear this cell" in commands["mend"].comment.text


@pytest.mark.parametrize("make", [values_only, failed_workbook], ids=["report", "failed"])
def test_an_error_word_of_a_csv_stays_an_error(tmp_path: Path, make: Make) -> None:
    """In a CSV `#N/A` is an error of Excel; typed into a workbook it would be a text, and be sent."""
    (tmp_path / "a.csv").write_text("Id,Title\n200,#N/A\n300,#NV\n400,b\n", encoding="utf-8")

    again, _ = returned(make, tmp_path / "a.csv")

    assert held(again) == {"200": {"cell.error_value"}, "300": {"cell.error_value"}}


@pytest.mark.parametrize("number", [1e20, 2.0**53 + 2, 1.5e300])
@every_workbook
def test_a_large_number_stays_a_number(tmp_path: Path, make: Make, number: float) -> None:
    """As text it would be another value of a text field than the rounded number that holds the row."""
    workbook = Workbook()
    for row in (["Id", "Title", "DisplayOrder"], ["200", number, number]):
        workbook.worksheets[0].append(row)
    workbook.save(tmp_path / "a.xlsx")

    before = checked_at(tmp_path / "a.xlsx")
    again, _ = returned(make, tmp_path / "a.xlsx")

    assert held(again) == held(before)


@every_workbook
def test_a_text_as_long_as_a_cell_holds_its_row_as_before(tmp_path: Path, make: Make) -> None:
    """Nobody can tell whether it was cut: the row is held, and the text is still there to be looked at."""
    workbook = Workbook()
    for row in (["Id", "SectionContents"], ["200", "é" * 32_767]):
        workbook.worksheets[0].append(row)
    workbook.save(tmp_path / "a.xlsx")

    before = checked_at(tmp_path / "a.xlsx")
    again, sheet = returned(make, tmp_path / "a.xlsx")

    assert held(again) == held(before) != {}
    assert sheet["B2"].value == "é" * 32_767


def test_hidden_rows_stay_hidden_in_a_report_of_values(tmp_path: Path) -> None:
    """A row that was passed over because nobody saw it is not taken when the report comes back."""
    workbook = Workbook()
    for row in (["Id", "Title"], ["200", "a"], ["300", "b"]):
        workbook.worksheets[0].append(row)
    workbook.save(tmp_path / "a.xlsx")
    source = SheetSource.of(checked_at(tmp_path / "a.xlsx"))
    loaded = load_workbook(tmp_path / "a.xlsx")
    loaded.worksheets[0].row_dimensions[3].hidden = True
    loaded.save(tmp_path / "a.xlsx")
    from sync.adapters.spreadsheet import load_here

    rows = load_here(tmp_path / "a.xlsx").tables[0].rows
    source = SheetSource(source.path, "xlsx", source.sheet, 1, rows, source.columns)

    sheet = opened(values_only(report_of([Outcome(RowNumber(2), Label("200"), Status.UPDATED)]), source))

    assert [sheet.row_dimensions[row].hidden for row in (2, 3)] == [False, True]


def test_results_stand_clear_of_wide_columns_and_merged_cells(tmp_path: Path) -> None:
    """One width for a run of columns is split, merged cells are taken apart: Excel repairs what overlaps."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in (["Id", "Title"], ["200", "a"], ["300", "b"]):
        sheet.append(row)
    sheet.merge_cells("B3:BZ3")
    run = sheet.column_dimensions["B"]
    run.min, run.max, run.width = 2, 16384, 33
    workbook.save(tmp_path / "a.xlsx")
    checked = checked_at(tmp_path / "a.xlsx")

    content = report_workbook(report_on(checked), SheetSource.of(checked))
    result = opened(content)

    runs = sorted((each.min, each.max) for each in result.column_dimensions.values())
    assert all(before[1] < after[0] for before, after in pairwise(runs)), runs
    assert result.column_dimensions["B"].width == 33
    status = [cell.value for cell in result[1]].index("Result: Status") + 1
    assert [result.cell(row, status).value for row in (2, 3)] == ["failed", "invalid"]
    assert result["B3"].value == "b"


@every_workbook
def test_a_message_longer_than_a_cell_is_cut_and_says_where_it_stands_whole(tmp_path: Path, make: Make) -> None:
    """The row stays readable; report.csv and report.jsonl have every character."""
    workbook = Workbook()
    for row in (["Id", "Title"], ["200", "a"]):
        workbook.worksheets[0].append(row)
    workbook.save(tmp_path / "a.xlsx")
    source = SheetSource.of(checked_at(tmp_path / "a.xlsx"))
    issues = (Issue("api.rejected", "long \x01" + "😀é" * 30_000, "Title", Source.API),)

    sheet = opened(make(report_of([Outcome(RowNumber(2), Label("200"), Status.REJECTED, issues=issues)]), source))

    cell = sheet.cell(2, [each.value for each in sheet[1]].index("Result: Messages") + 1)
    assert cell.data_type in {"s", "inlineStr"}
    assert str(cell.value).startswith("Title: long _x0001_😀é😀é")
    assert str(cell.value).endswith("(cut to what a cell holds; report.csv and report.jsonl have all of it)")
    assert 32_700 < len(str(cell.value).encode("utf-16-le")) // 2 < 32_767


def test_formats_within_a_text_are_kept(tmp_path: Path) -> None:
    """A bold word stays bold, and the text is the same."""
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
        sheet = workbook.add_worksheet("Edits")
        sheet.write_row(0, 0, ["Id", "Title"])
        sheet.write_string(1, 0, "200")
        sheet.write_rich_string(1, 1, "=plain ", workbook.add_format({"bold": True}), " bold ", " end ")
    checked = checked_at(tmp_path / "a.xlsx")

    content = report_workbook(report_on(checked), SheetSource.of(checked))
    back = tmp_path / "back.xlsx"
    back.write_bytes(content)
    rich = load_workbook(back, rich_text=True)["Edits"]["B2"]

    assert (str(rich.value), len(rich.value), rich.quotePrefix) == ("=plain  bold  end ", 3, True)
    assert [row.values for row in checked_at(back).rows if isinstance(row, Edit)] == [
        row.values for row in checked.rows if isinstance(row, Edit)
    ]


@pytest.mark.parametrize("rich", [False, True], ids=["plain", "rich"])
@every_workbook
def test_a_text_that_looks_like_an_escape_is_not_decoded_twice(
    tmp_path: Path,
    make: Make,
    rich: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """A typed `_x0041_` is no `A`, and a control character is what it was; openpyxl alone would mix them up."""
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
        sheet = workbook.add_worksheet("Edits")
        sheet.write_row(0, 0, ["Id", "Title"])
        sheet.write_string(1, 0, "200")
        if rich:
            sheet.write_rich_string(1, 1, "_x0041_ ", workbook.add_format({"bold": True}), "=_x005F_ _x000D_")
        else:
            sheet.write_string(1, 1, "=_x0041_ _x005F_ _x000D_")
    before = checked_at(tmp_path / "a.xlsx")

    again, _ = returned(make, tmp_path / "a.xlsx")

    (row,), (same,) = before.rows, again.rows
    assert isinstance(row, Edit)
    assert isinstance(same, Edit)
    assert rich or row.values == {"Title": "=_x0041_ _x005F_ _x000D_"}
    assert same.values == row.values


def test_a_sheet_of_opendocument_is_told_that_its_formats_are_not_kept() -> None:
    """The report is a workbook of values, and says so."""
    sheet = opened(
        values_only(
            report_of([]), SheetSource(Path("a.ods"), "ods", "Edits", 1, (TableRow(RowNumber(1), ("Id", "Title")),))
        )
    )

    assert any("OpenDocument" in each for each in remarks_of(sheet))
    assert [cell.value for cell in sheet[1]][-len(RESULT_HEADINGS) :] == list(RESULT_HEADINGS)
