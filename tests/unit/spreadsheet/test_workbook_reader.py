"""Workbooks: rows and columns as Excel numbers them, cells as the file holds them, flaws where the values lie."""

import datetime as dt
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from sync.adapters.spreadsheet import load_here
from sync.errors import InputError
from sync.model import CellValue, Flaw, FlawKind, Table

MakeWorkbook = Callable[..., Path]


def found(table: Table) -> dict[str, CellValue]:
    """Give every cell that is not blank under its name in Excel."""
    return {
        f"{openpyxl.utils.get_column_letter(column)}{row.number}": cell
        for row in table.rows
        for column, cell in enumerate(row.cells, start=1)
        if cell is not None
    }


def flaws(table: Table) -> dict[str, Flaw]:
    """Give every flaw under its cell's name in Excel."""
    return {
        f"{openpyxl.utils.get_column_letter(column + 1)}{row.number}": flaw
        for row in table.rows
        for column, flaw in row.flaws.items()
    }


def test_cells_stay_where_excel_shows_them(tmp_path: Path) -> None:
    """Leading blank rows and columns count; kinds are kept; trailing blank rows are dropped."""
    book = openpyxl.Workbook()
    sheet = book.active
    values: dict[str, CellValue] = {
        "C4": "Id",
        "D4": " Title ",
        "C6": 5,
        "D6": "00123",
        "E6": True,
        "F6": 2.5,
        "G6": dt.datetime(2024, 1, 2, 3, 4, tzinfo=None),  # noqa: DTZ001 - Excel knows no zones
        "H6": dt.time(3, 4),
        "C8": "NA",
        "D8": "None",
        "E8": False,
        "F8": 0,
        "D9": "   ",
    }
    for name, value in values.items():
        sheet[name] = value
    sheet["C40"].font = openpyxl.styles.Font(bold=True)
    book.save(tmp_path / "a.xlsx")

    table = load_here(tmp_path / "a.xlsx").tables[0]

    assert found(table) == values
    assert {name: type(cell) for name, cell in found(table).items()} == {n: type(v) for n, v in values.items()}
    assert [row.number for row in table.rows] == list(range(1, 10))


def test_the_file_is_named_by_its_digest(make_workbook: MakeWorkbook) -> None:
    """The report can tell which bytes a run was made from."""
    path = make_workbook('<row r="1"><c r="A1"><v>1</v></c></row>')

    assert load_here(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_numbers_that_excel_stores_as_floats_are_whole_again(make_workbook: MakeWorkbook) -> None:
    """`5.0`, `5` and `5E0` are one number in Excel; a long one keeps the digits that the file gives."""
    row = '<row r="1"><c r="A1"><v>5.0</v></c><c r="B1"><v>5E0</v></c><c r="C1"><v>1234567890123456</v></c></row>'

    assert found(load_here(make_workbook(row)).tables[0]) == {"A1": 5, "B1": 5, "C1": 1234567890123456}


def test_a_workbook_is_read_without_pandas(make_workbook: MakeWorkbook) -> None:
    """It takes a sixth of a second and 45 MB, on the way of every command that reads a sheet; texts need it."""
    path = make_workbook('<row r="1"><c r="A1"><v>1.5</v></c><c r="B1" t="d"><v>2024-01-02T03:04:05</v></c></row>')
    command = (
        "import sys, pathlib, sync.adapters.spreadsheet as reader;"
        "reader.load_here(pathlib.Path(sys.argv[1])); print('pandas' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", command, path], capture_output=True, text=True, check=True).stdout

    assert shown.strip() == "False"


def test_escaped_characters_are_decoded_exactly_once(make_workbook: MakeWorkbook) -> None:
    """`_x000D_` is a line end; `_x005F_x000D_` is the text `_x000D_`."""
    cell = '<c r="A1" t="inlineStr"><is><t>a_x000D_\nb_x005F_x000D_</t></is></c>'

    assert found(load_here(make_workbook(f'<row r="1">{cell}</row>')).tables[0]) == {"A1": "a\r\nb_x000D_"}


def test_cells_without_references_follow_one_another(make_workbook: MakeWorkbook) -> None:
    """Some writers leave `r` out; then position counts, for values and for flaws alike."""
    rows = '<row><c><v>1</v></c></row><row r="3"><c r="C3"><v>2</v></c><c t="e"><v>#N/A</v></c></row>'

    table = load_here(make_workbook(rows)).tables[0]

    assert found(table) == {"A1": 1, "C3": 2}
    assert flaws(table) == {"D3": Flaw(FlawKind.ERROR_VALUE, "#N/A")}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param('<c r="B2" t="e"><v>#REF!</v></c>', Flaw(FlawKind.ERROR_VALUE, "#REF!"), id="error"),
        pytest.param("<c r=\"B2\" t='e'><v>#REF!</v></c>", Flaw(FlawKind.ERROR_VALUE, "#REF!"), id="single quotes"),
        pytest.param(
            '<c r="B2"><x:f xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">A1</x:f></c>',
            Flaw(FlawKind.UNCACHED_FORMULA, "=A1"),
            id="prefix",
        ),
        pytest.param("<c r='B2' t = 'e'><v>#REF!</v></c>", Flaw(FlawKind.ERROR_VALUE, "#REF!"), id="other quotes"),
        pytest.param(
            '<c r="B2" t="e"><f>A1/0</f><v>#DIV/0!</v></c>', Flaw(FlawKind.ERROR_VALUE, "#DIV/0!"), id="error formula"
        ),
        pytest.param('<c r="B2"><f>A1+1</f></c>', Flaw(FlawKind.UNCACHED_FORMULA, "=A1+1"), id="no value"),
        pytest.param('<c r="B2"><f>A1+1</f><v></v></c>', Flaw(FlawKind.UNCACHED_FORMULA, "=A1+1"), id="empty value"),
        pytest.param('<c r="B2"><f>A1+1</f><v/></c>', Flaw(FlawKind.UNCACHED_FORMULA, "=A1+1"), id="empty tag"),
        pytest.param(
            '<c r="B2"><f t="shared" si="0"/></c>', Flaw(FlawKind.UNCACHED_FORMULA, "a formula"), id="shared formula"
        ),
        pytest.param('<c r="B2"><f>A1+1</f><v>2</v></c>', None, id="cached number"),
        pytest.param('<c r="B2" t="str"><f>""</f><v></v></c>', None, id="cached empty text"),
        pytest.param('<c r="B2" t="inlineStr"><is><t>#N/A</t></is></c>', None, id="error word as text"),
        pytest.param('<c r="B2" s="1"/>', None, id="format alone"),
    ],
)
def test_flaws_are_told_at_their_cell(make_workbook: MakeWorkbook, cell: str, expected: Flaw | None) -> None:
    """A reader shows blank for an error and for a formula that was never calculated: neither may pass as blank."""
    table = load_here(make_workbook(f'<row r="1"><c r="A1"><v>1</v></c></row><row r="2">{cell}</row>')).tables[0]

    assert flaws(table) == ({} if expected is None else {"B2": expected})


def test_flaws_below_and_right_of_all_values_make_rows(make_workbook: MakeWorkbook) -> None:
    """The reader's table ends at the last value; a row with nothing but a flaw is a row all the same."""
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="4"><c r="C4"><f>1</f></c></row>'
    footer = "<headerFooter><oddHeader>text</oddHeader></headerFooter>"
    path = make_workbook(
        "", extra={"xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{rows}</sheetData>{footer}</worksheet>"}
    )

    table = load_here(path).tables[0]

    assert flaws(table) == {"C4": Flaw(FlawKind.UNCACHED_FORMULA, "=1")}
    assert [row.number for row in table.rows] == [1, 2, 3, 4]
    assert table.rows[3].cells == (None, None, None)


def test_prefixed_xml_is_read_alike(make_workbook: MakeWorkbook) -> None:
    """Some writers put a prefix before every tag."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    inner = '<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c><x:c r="B1" t="e"><x:v>#N/A</x:v></x:c></x:row>'
    sheet = f'<x:worksheet xmlns:x="{main}"><x:sheetData>{inner}</x:sheetData></x:worksheet>'

    table = load_here(make_workbook("", extra={"xl/worksheets/sheet1.xml": sheet})).tables[0]

    assert found(table) == {"A1": 1}
    assert flaws(table) == {"B1": Flaw(FlawKind.ERROR_VALUE, "#N/A")}


def test_flaws_belong_to_their_sheet_whatever_its_part_is_called(make_workbook: MakeWorkbook) -> None:
    """The part is found through the relationships, not by its number."""
    flawed = '<worksheet><sheetData><row r="1"><c r="A1" t="e"><v>#N/A</v></c></row></sheetData></worksheet>'
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId2" Type="{kind}" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId1" Type="{kind}" Target="/xl/worksheets/Other.xml"/></Relationships>'
    )
    plain = '<row r="1"><c r="A1"><v>1</v></c></row>'
    path = make_workbook(plain, plain, extra={"xl/_rels/workbook.xml.rels": rels, "xl/worksheets/Other.xml": flawed})

    first, second = load_here(path).tables

    assert (set(flaws(first)), set(flaws(second))) == ({"A1"}, set())


def test_hidden_sheets_are_marked(make_workbook: MakeWorkbook) -> None:
    """Hidden and very hidden sheets are read, and known to be hidden."""
    row = '<row r="1"><c r="A1"><v>1</v></c></row>'

    tables = load_here(make_workbook(row, row, row, states=("visible", "hidden", "veryHidden"))).tables

    assert [(table.name, table.hidden) for table in tables] == [("S1", False), ("S2", True), ("S3", True)]


@pytest.mark.parametrize("attributes", ['r="1048576"', 'spans="1:1" r="1048576"'])
def test_a_stray_value_far_outside_is_refused(make_workbook: MakeWorkbook, attributes: str) -> None:
    """A reader would make room for all cells up to it."""
    with pytest.raises(InputError) as caught:
        load_here(make_workbook(f'<row {attributes}><c r="XFD1048576"><v>1</v></c></row>'))

    assert caught.value.code == "file.too_large"
    assert "XFD" in caught.value.message


@pytest.mark.parametrize("cell", ['<c r="XFE1"><v>1</v></c>', '<c r="ZZZZZZ1"><v>1</v></c>', '<c r="1"><f>1</f></c>'])
def test_cells_outside_of_the_grid_are_refused(make_workbook: MakeWorkbook, cell: str) -> None:
    """There is no such place in Excel."""
    with pytest.raises(InputError) as caught:
        load_here(make_workbook(f'<row r="1">{cell}</row>'))

    assert caught.value.code in {"file.too_large", "file.damaged"}


def test_rows_with_formats_alone_are_no_rows(make_workbook: MakeWorkbook) -> None:
    """Formatted blank cells far below cost nothing and refuse nothing."""
    far = "".join(f'<row r="{row}"><c r="XFD{row}" s="0"/></row>' for row in range(1_048_000, 1_048_577))

    table = load_here(make_workbook(f'<row r="1"><c r="A1"><v>1</v></c></row>{far}')).tables[0]

    assert found(table) == {"A1": 1}
    assert len(table.rows) == 1


def test_macros_are_mentioned(make_workbook: MakeWorkbook) -> None:
    """A workbook with macros is read; the note says that they were left alone."""
    path = make_workbook('<row r="1"><c r="A1"><v>1</v></c></row>', extra={"xl/vbaProject.bin": b"x"})

    assert ["macros" in note for note in load_here(path).notes] == [True]


def test_a_workbook_without_sheets_is_refused(make_workbook: MakeWorkbook) -> None:
    """No table would look like a table without rows."""
    with pytest.raises(InputError) as caught:
        load_here(make_workbook())

    assert caught.value.code == "file.damaged"


def test_a_sheet_of_several_thousand_rows_is_one_table_counted_from_a1(make_workbook: MakeWorkbook) -> None:
    """What the reader leaves out above and left of the first value is blank, and no row is lost between two pieces."""
    rows = "".join(f'<row r="{number}"><c r="C{number}"><v>{number}</v></c></row>' for number in range(3, 2_600))

    table = load_here(make_workbook(rows)).tables[0]

    assert [row.number for row in table.rows] == list(range(1, 2_600))
    assert [row.cells for row in table.rows[:2]] == [(None, None, None)] * 2
    assert [row.cells for row in table.rows[2:]] == [(None, None, number) for number in range(3, 2_600)]
