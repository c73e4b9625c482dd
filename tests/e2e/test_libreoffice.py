"""Every file that we write goes through LibreOffice: opened, saved as three formats, read again to the same rows."""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from sync.adapters.spreadsheet import load_here
from sync.adapters.workbook import results
from sync.adapters.workbook.export import write_export
from sync.adapters.workbook.own_task import NotCarried
from sync.adapters.workbook.results import failed_workbook
from sync.adapters.workbook.source import SheetSource
from sync.adapters.workbook.styles import storable
from sync.adapters.workbook.template import write_template
from sync.errors import InputError
from sync.model import CheckedRow, Edit, InvalidRow, Severity, Status
from sync.section import Json, Record
from sync.table_cells import FORMULA_STARTS
from tests.libreoffice import FILTERS, converted
from tests.programs import needs
from tests.sections import ORIGIN
from tests.workbooks import checked_at, report_on, report_workbook

pytestmark = [pytest.mark.e2e, needs("soffice")]

WORKBOOKS = ("template", "export", "plan", "report", "values", "failed")
COURSES = ((123, "First steps"), (124, "=A1 & <b>"))
CONSTANTS = {"TRUE()", "FALSE()", "#VALUE!", "#N/A", "#REF!", "#DIV/0!"}
"""How LibreOffice spells truth values and errors when it saves them: as formulas without anything to work out."""
ODD = (
    *(f"{start}cmd|' /C calc'!A0" for start in (*FORMULA_STARTS, "'", "'=")),
    '=HYPERLINK("http://127.0.0.1")',
    "00123",
    "1E5",
    "1/2/2025",
    "TRUE",
    "123 · 4",
    "_x0041_ literally",
    "a\nb",
    "  two  spaces \u00a0",
    "é 😀 \u202e",
    "x" * 32_766,
    '<p>Tom &amp; "Jerry"</p>',
)


def live(key: int, text: str) -> Record:
    values: dict[str, Json] = {
        "Id": key,
        "CourseId": 123,
        "CourseTitle": "=First",
        "Title": text,
        "DisplayOrder": key,
        "UnlockType": 3,
        "UnlockAfterDays": 0,
        "Active": key % 2 == 0,
        "SectionContents": text,
        "UniqueId": f"u{key}",
        "UpdatedOn": "2025-01-15T10:30:00Z",
    }
    return values


def edits_at(path: Path) -> None:
    """A sheet with everything that holds a row, and texts that a spreadsheet would like to run."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "Edits"
    sheet.append(["My sections"])
    sheet.append(["Id", "Title", "DisplayOrder", "Active", "SectionContents", "My notes"])
    for key, text in enumerate(ODD, start=100):
        sheet.append([str(key), "", key, True, "", ""])
        for column in (2, 5, 6):
            cell = sheet.cell(sheet.max_row, column)
            cell.value = storable(text)
            cell.data_type = "s"
    sheet.append(["300", "not a number", "soon", False, "c"])
    sheet.append(["400", "=A1&A2", 1, True, None, "=1+1"])
    sheet.append(["500", "merged", 2])
    sheet.append(["600", None, 3])
    sheet.merge_cells(f"B{sheet.max_row - 1}:B{sheet.max_row}")
    workbook.save(path)


def write_all(folder: Path) -> None:
    write_template(folder / "template.xlsx", courses=COURSES)
    write_export(
        folder / "export.xlsx", [live(key, text) for key, text in enumerate(ODD, 1)], origin=ORIGIN, courses=COURSES
    )
    edits_at(folder / "edits.xlsx")
    checked = checked_at(folder / "edits.xlsx")
    source, report = SheetSource.of(checked), report_on(checked)
    contents = {
        "plan": report_workbook(report_on(checked, status=Status.TO_UPDATE), source),
        "report": report_workbook(report, source),
        "values": results.report_workbook(report, source, carry=lambda _: NotCarried.ODD),
        "failed": failed_workbook(report, source) or b"",
    }
    for name, content in contents.items():
        (folder / f"{name}.xlsx").write_bytes(content)


@dataclass(frozen=True, slots=True)
class Made:
    """The workbooks, and in a folder for each format what LibreOffice made of them."""

    folder: Path
    said: Mapping[str, str]

    def ours(self, name: str) -> Path:
        return self.folder / f"{name}.xlsx"

    def theirs(self, name: str, kind: str) -> Path:
        return self.folder / kind / f"{name}.{kind}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Everything is written and converted once: three starts of LibreOffice."""
    folder = tmp_path_factory.mktemp("libreoffice")
    write_all(folder)
    return Made(folder, {kind: converted(folder, folder / "profile", WORKBOOKS, kind) for kind in FILTERS})


def judged(path: Path) -> dict[str, Any] | str:
    """What each row asks for, or which errors hold it, by Id; or why the file is refused."""
    try:
        checked = checked_at(path)
    except InputError as exc:
        return exc.code
    return {row.label.id: _meaning(row) for row in checked.rows}


def _meaning(row: CheckedRow) -> object:
    match row:
        case Edit():
            return dict(row.values), row.seen_updated_on, None if row.base is None else row.base.untouched
        case InvalidRow():
            return {issue.code for issue in row.issues if issue.severity is Severity.ERROR}
        case _:
            return "skipped"


@pytest.mark.parametrize("kind", FILTERS)
def test_libreoffice_opens_everything_without_complaint(made: Made, kind: str) -> None:
    """Every file is there, and nothing was said of an error."""
    assert made.said[kind] == ""
    assert [made.theirs(name, kind).is_file() for name in WORKBOOKS] == [True] * len(WORKBOOKS)


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_saved_workbook_asks_for_the_same(made: Made, name: str, kind: str) -> None:
    """Edits, held rows and the hidden base of an export: all as before."""
    ours = judged(made.ours(name))

    assert judged(made.theirs(name, kind)) == ours
    assert ours == "file.no_rows" if name == "template" else len(ours) > 3


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_saved_csv_asks_for_the_same_or_holds_the_row(made: Made, name: str) -> None:
    """A CSV knows no merged cells and no hidden base; all else is as before, and no row asks for anything else."""
    ours, theirs = judged(made.ours(name)), judged(made.theirs(name, "csv"))
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs == "file.no_rows"
        return

    merged = {"500", "600"}
    assert theirs.keys() == ours.keys()
    assert {key: _without_base(value) for key, value in theirs.items() if key not in merged} == {
        key: _without_base(value) for key, value in ours.items() if key not in merged
    }


def _without_base(meaning: Any) -> object:  # noqa: ANN401 - as judged
    return meaning[:2] if isinstance(meaning, tuple) else meaning


@pytest.mark.parametrize("name", WORKBOOKS)
def test_no_cell_of_a_saved_workbook_is_a_formula(made: Made, name: str) -> None:
    """Text stays text, whatever it begins with; what LibreOffice spells as a formula is a constant."""
    workbook = load_workbook(made.theirs(name, "xlsx"))
    formulas = {
        str(cell.value).removeprefix("=")
        for sheet in workbook.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }
    with zipfile.ZipFile(made.theirs(name, "ods")) as archive:
        content = archive.read("content.xml").decode()
    formulas |= {found.removeprefix("of:=") for found in re.findall(r'table:formula="([^"]*)"', content)}

    assert formulas - CONSTANTS == set()


@pytest.mark.parametrize("name", ["plan", "report", "values", "failed"])
@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_what_is_told_is_told_after_libreoffice_too(made: Made, name: str, kind: str) -> None:
    """Result columns, the operator's own notes and the summary hold the same texts."""
    before, after = (_texts(path) for path in (made.ours(name), made.theirs(name, kind)))

    assert after == before
    assert any("must be a whole number" in text for text in before)


def _texts(path: Path) -> list[str]:
    return sorted(
        str(
            int(cell) if isinstance(cell, bool) else cell
        )  # saved as xlsx, a truth value in a column of ours is a number
        for table in load_here(path).tables
        for row in table.rows
        for cell in row.cells
        if cell is not None
    )


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_an_export_of_many_odd_texts_comes_back_through_libreoffice(tmp_path: Path, seed: int) -> None:
    """2,000 sections of texts put together from everything that programs have tripped over."""
    random = Random(seed)
    pieces = (
        *ODD[:-2],
        "=",
        "+",
        "-",
        "@",
        "\t",
        "\n",
        '"',
        "'",
        ",",
        ";",
        "#N/A",
        "_x000D_",
        "_x005F_",
        "\u2028",
        "<b>",
    )
    records = [live(key, "".join(random.choices(pieces, k=random.randint(1, 6)))) for key in range(1, 2_001)]
    write_export(tmp_path / "export.xlsx", records, origin=ORIGIN)
    for kind in ("xlsx", "ods"):
        assert converted(tmp_path, tmp_path / "profile", ("export",), kind) == ""

    ours = judged(tmp_path / "export.xlsx")

    assert len(ours) == len(records)
    assert judged(tmp_path / "xlsx" / "export.xlsx") == ours
    assert _tabs_aside(judged(tmp_path / "ods" / "export.ods")) == _tabs_aside(ours)


def _tabs_aside(judged_rows: dict[str, Any] | str) -> object:
    """LibreOffice saves a text of several lines in an .ods without its tabs: still no cell counts as edited."""
    assert isinstance(judged_rows, dict)
    return {
        key: ({name: str(value).replace("\t", "") for name, value in row[0].items()}, *row[1:])
        if isinstance(row, tuple)
        else row
        for key, row in judged_rows.items()
    }
