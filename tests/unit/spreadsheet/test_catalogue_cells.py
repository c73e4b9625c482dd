"""The catalogue of bad input, C23 to C37: what a cell of a workbook holds, and what is made of it."""

import datetime as dt
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from sync.adapters.spreadsheet import load_here
from sync.model import CellValue, CheckedRow, Edit, InvalidRow
from sync.section import Json
from sync.validate import check_sheet

MakeWorkbook = Callable[..., Path]
HEADER = (
    '<row r="1">'
    + "".join(
        f'<c r="{letter}1" t="inlineStr"><is><t>{name}</t></is></c>'
        for letter, name in zip("ABCDE", ("Id", "Title", "DisplayOrder", "Active", "NewImageUrl"), strict=True)
    )
    + "</row>"
)
COLUMNS = {"Title": "B", "DisplayOrder": "C", "Active": "D", "NewImageUrl": "E"}
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONSHIPS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
URL = "https://example.com/a.png"


@pytest.fixture
def of_xml(make_workbook: MakeWorkbook) -> Callable[..., CheckedRow]:
    """Judge a row with Id 7 and one cell, given as XML without its reference."""

    def judge(column: str, cell: str, extra: Mapping[str, str] | None = None, around: str = "") -> CheckedRow:
        place = cell.replace("<c", f'<c r="{COLUMNS[column]}2"', 1)
        rows = HEADER + f'<row r="2"><c r="A2"><v>7</v></c>{place}</row>'
        sheet = (
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
            'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            f"<sheetData>{rows}</sheetData>{around}</worksheet>"
        )
        path = make_workbook("", extra={"xl/worksheets/sheet1.xml": sheet, **(extra or {})})
        (row,) = check_sheet(load_here(path), aliases={}).rows
        return row

    return judge


def of_value(tmp_path: Path, column: str, value: object, *, number_format: str | None = None) -> CheckedRow:
    """Judge a row with Id 7 and one value, as openpyxl writes it."""
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(("Id", column))
    sheet.append((7, None))
    sheet["B2"].value = value
    if number_format is not None:
        sheet["B2"].number_format = number_format
    workbook.save(tmp_path / "a.xlsx")
    (row,) = check_sheet(load_here(tmp_path / "a.xlsx"), aliases={}).rows
    return row


def codes(row: CheckedRow) -> list[str]:
    return [issue.code for issue in row.issues]


def value_of(row: CheckedRow, column: str) -> Json:
    assert isinstance(row, Edit), row.issues
    return row.values.get(column)


def test_c23_a_formula_counts_by_its_value_and_is_marked(of_xml: Callable[..., CheckedRow]) -> None:
    """C23: what Excel shows is meant; that it was calculated is said, and holds nothing."""
    row = of_xml("DisplayOrder", "<c><f>2+1</f><v>3</v></c>")

    assert (value_of(row, "DisplayOrder"), codes(row)) == (3, ["cell.formula"])
    assert (row.issues[0].severity.value, row.issues[0].attempted_value) == ("note", "=2+1")


@pytest.mark.parametrize(("formula", "value"), [("TRUE()", True), ("FALSE()", False)])
def test_c23_a_truth_value_as_libreoffice_saves_it_is_no_formula(
    of_xml: Callable[..., CheckedRow],
    formula: str,
    value: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """C23: else every row of a sheet that LibreOffice saved would carry a note; a true formula still does."""
    row = of_xml("Active", f'<c t="b"><f aca="false">{formula}</f><v>{int(value)}</v></c>')
    calculated = of_xml("Active", '<c t="b"><f>B1=B2</f><v>1</v></c>')

    assert (value_of(row, "Active"), codes(row)) == (value, [])
    assert codes(calculated) == ["cell.formula"]


def test_c24_a_formula_without_a_value_holds_the_row(tmp_path: Path) -> None:
    """C24: as programs write it that cannot calculate; the way on is in the text."""
    row = of_value(tmp_path, "Title", "=A2&1")

    assert codes(row) == ["cell.uncached_formula"]
    assert "open the file in Excel and save it" in row.issues[0].message


@pytest.mark.parametrize(
    "word", ["#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#BUSY!"]
)
def test_c25_an_error_holds_the_row(of_xml: Callable[..., CheckedRow], word: str) -> None:
    """C25: neither the word nor a blank is sent."""
    row = of_xml("Title", f'<c t="e"><v>{word}</v></c>')

    assert (type(row), codes(row)) == (InvalidRow, ["cell.error_value"])
    assert word in row.issues[0].message


@pytest.mark.parametrize("word", ["#N/A", "NULL", "None", "N/A", "-", "nan"])
def test_c26_such_a_word_typed_as_text_is_text_with_a_warning(tmp_path: Path, word: str) -> None:
    """C26: clearing has a word of its own."""
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(("Id", "Title"))
    sheet.append((7, "x"))
    sheet["B2"].value = word
    sheet["B2"].data_type = "s"
    workbook.save(tmp_path / "a.xlsx")
    (row,) = check_sheet(load_here(tmp_path / "a.xlsx"), aliases={}).rows

    assert (value_of(row, "Title"), codes(row)) == (word, ["cell.suspicious_word"])


@pytest.mark.parametrize("cell", ["<c/>", '<c s="0"/>', "<c><v></v></c>", '<c t="inlineStr"><is><t></t></is></c>'])
def test_c27_a_blank_cell_leaves_the_field_alone(of_xml: Callable[..., CheckedRow], cell: str) -> None:
    """C27: however it is written."""
    row = of_xml("Title", cell)

    assert isinstance(row, Edit)
    assert row.values == {}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param("<c><v>5.0</v></c>", 5, id="float that is whole"),
        pytest.param("<c><v>1.0E2</v></c>", 100, id="with an exponent"),
        pytest.param("<c><v>123456789012345</v></c>", 123_456_789_012_345, id="15 digits"),
        pytest.param('<c t="inlineStr"><is><t>00123</t></is></c>', 123, id="text with zeros"),
        pytest.param(
            '<c t="inlineStr"><is><t>1234567890123456</t></is></c>', 1_234_567_890_123_456, id="16 digits as text"
        ),
    ],
)
def test_c28_whole_numbers_are_integers(of_xml: Callable[..., CheckedRow], cell: str, expected: int) -> None:
    """C28: a number in Excel is a float; what is whole is an integer."""
    assert value_of(of_xml("DisplayOrder", cell), "DisplayOrder") == expected


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        pytest.param("<c><v>1234567890123456</v></c>", "cell.rounded", id="16 digits"),
        pytest.param("<c><v>12345678901234567890</v></c>", "cell.rounded", id="20 digits"),
        pytest.param("<c><v>1.23E+15</v></c>", "cell.rounded", id="shown with an exponent"),
        pytest.param("<c><v>5.5</v></c>", "cell.not_a_number", id="half"),
        pytest.param('<c t="inlineStr"><is><t>1.23E+15</t></is></c>', "cell.not_a_number", id="exponent as text"),
        pytest.param('<c t="inlineStr"><is><t>9007199254740993</t></is></c>', "cell.rounded", id="beyond 2^53 as text"),
    ],
)
def test_c28_numbers_that_excel_may_have_rounded_hold_the_row(
    of_xml: Callable[..., CheckedRow], cell: str, code: str
) -> None:
    """C28: an id of 16 digits ends in a zero that nobody typed."""
    assert codes(of_xml("DisplayOrder", cell)) == [code]


@pytest.mark.parametrize("number_format", ["yyyy-mm-dd", "d-mmm", "h:mm", "[h]:mm", "mmm\\ d"])
@pytest.mark.parametrize("column", ["Title", "DisplayOrder"])
@pytest.mark.parametrize("serial", [1, 59, 60, 61, 45_000, 0.5])
def test_c29_a_date_holds_the_row(tmp_path: Path, number_format: str, column: str, serial: float) -> None:
    """C29: no field is a date, so Excel has made one of `1-2` or `MAR1`; what it shows is in the text."""
    row = of_value(tmp_path, column, serial, number_format=number_format)

    assert codes(row) == ["cell.date"]


@pytest.mark.parametrize("serial", [-1, 1e15])
def test_c29_serials_beyond_the_calendar_hold_the_row(tmp_path: Path, serial: float) -> None:
    """C29: Excel shows hashes for them."""
    assert isinstance(of_value(tmp_path, "DisplayOrder", serial, number_format="yyyy-mm-dd"), InvalidRow)


def test_c29_a_workbook_of_1904_holds_its_dates_too(tmp_path: Path) -> None:
    """C29: whichever calendar counts."""
    workbook = openpyxl.Workbook()
    workbook.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    sheet = workbook.worksheets[0]
    sheet.append(("Id", "Title"))
    sheet.append((7, dt.date(2024, 1, 2)))
    workbook.save(tmp_path / "a.xlsx")
    (row,) = check_sheet(load_here(tmp_path / "a.xlsx"), aliases={}).rows

    assert (codes(row), "2024-01-02" in row.issues[0].message) == (["cell.date"], True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        ("TRUE", True),
        ("false", False),
        (1, True),
        (0, False),
        ("Yes", True),
        ("no", False),
    ],
)
def test_c30_booleans_are_those_of_the_list(tmp_path: Path, value: CellValue, expected: bool) -> None:  # noqa: FBT001 - a value
    """C30: TRUE and FALSE, yes and no, 1 and 0."""
    assert value_of(of_value(tmp_path, "Active", value), "Active") is expected


@pytest.mark.parametrize("value", ["WAHR", "FALSCH", "VRAI", "FAUX", "x", "ja", "2", 3, 0.5, "on"])
def test_c30_other_words_hold_the_row(tmp_path: Path, value: CellValue) -> None:
    """C30: `FALSCH` is no truth because it is not empty."""
    assert codes(of_value(tmp_path, "Active", value)) == ["cell.not_a_boolean"]


@pytest.mark.parametrize(
    "text", ["1,234", "1.234", "1 234", "1\u00a0234", "1'234", "12%", "€12", "12,0", "1e3", "٣", "½"]
)
def test_c31_separators_and_signs_hold_the_row(tmp_path: Path, text: str) -> None:
    """C31: `1,234` is a thousand here and one there."""
    assert codes(of_value(tmp_path, "DisplayOrder", text)) == ["cell.not_a_number"]


@pytest.mark.parametrize(("value", "expected"), [(1, 1), ("2", 2), ("Timed", 3), ("SEQUENTIAL", 2), (3.0, 3)])
def test_c32_a_choice_goes_by_name_or_number(tmp_path: Path, value: CellValue, expected: int) -> None:
    """C32: both are in use."""
    assert value_of(of_value(tmp_path, "UnlockType", value), "UnlockType") == expected


@pytest.mark.parametrize("value", [0, 4, "Sofort", "1 Immediate", True])
def test_c32_an_unknown_choice_names_those_that_there_are(tmp_path: Path, value: CellValue) -> None:
    """C32: the list is in the text."""
    row = of_value(tmp_path, "UnlockType", value)

    assert (codes(row), "Sequential" in row.issues[0].message) == (["cell.unknown_choice"], True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a_x000D_&#10;b", "a\nb", id="CR LF as Excel writes it"),
        pytest.param("a&#13;&#10;b", "a\nb", id="CR LF as a reference"),
        pytest.param("a_x005F_x000D_b", "a_x000D_b", id="an escape that was typed"),
        pytest.param("a_x0009_b", "a\tb", id="tab"),
        pytest.param("a\u00a0b", "a\u00a0b", id="NBSP"),
        pytest.param("\u201ca\u201d e\u0301", "\u201ca\u201d e\u0301", id="quotes and a decomposed accent"),
        pytest.param("a\u200bb\u202ec", "a\u200bb\u202ec", id="zero-width and direction"),
    ],
)
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "inline"])
def test_c33_texts_are_decoded_once_and_sent_as_written(
    of_xml: Callable[..., CheckedRow], text: str, expected: str, *, shared: bool
) -> None:
    """C33: Excel's own escapes are undone, once; line ends are sent as one sign."""
    if shared:
        kinds = (("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"))
        rels = RELATIONSHIPS.format(
            "".join(
                f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
                for number, (kind, target) in enumerate(kinds, start=1)
            )
        )
        strings = f'<sst><si><t xml:space="preserve">{text}</t></si></sst>'
        row = of_xml(
            "Title",
            '<c t="s"><v>0</v></c>',
            extra={"xl/sharedStrings.xml": strings, "xl/_rels/workbook.xml.rels": rels},
        )
    else:
        row = of_xml("Title", f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>')

    assert value_of(row, "Title") == expected


@pytest.mark.parametrize("text", ["a_x0001_b", "a_x0000_b", "a\u0085\u0080b", "a\ufffdb"])
def test_c34_characters_that_are_no_text_hold_the_row(of_xml: Callable[..., CheckedRow], text: str) -> None:
    """C34: no server needs them, and a report could not show them."""
    row = of_xml("Title", f'<c t="inlineStr"><is><t>{text}</t></is></c>')

    assert isinstance(row, InvalidRow)
    assert codes(row)[0] in {"cell.control_character", "cell.replacement_character"}


@pytest.mark.parametrize(("length", "code"), [(32_766, []), (32_767, ["cell.cut"])])
def test_c35_a_cell_as_full_as_can_be_is_held(tmp_path: Path, length: int, code: list[str]) -> None:
    """C35: Excel cuts longer contents without a word, and the cut would be sent."""
    assert codes(of_value(tmp_path, "SectionContents", "x" * length)) == code


def test_c37_rich_text_is_the_text_that_is_shown(tmp_path: Path) -> None:
    """C37: runs of several formats are one text."""
    rich = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"), " end")

    assert value_of(of_value(tmp_path, "Title", rich), "Title") == "plain bold end"


def test_c37_phonetic_text_is_no_text_of_the_cell(of_xml: Callable[..., CheckedRow]) -> None:
    """C37: it stands above the characters as a help to read them."""
    row = of_xml(
        "Title", '<c t="inlineStr"><is><t>課</t><rPh sb="0" eb="1"><t>カ</t></rPh><phoneticPr fontId="1"/></is></c>'
    )

    assert value_of(row, "Title") == "課"


LINK = RELATIONSHIPS.format(
    f'<Relationship Id="rId1" Type="{OFFICE}/hyperlink" Target="{{target}}" TargetMode="External"/>'
)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("https://evil.example/b.png", ["cell.link_target"], id="elsewhere"),
        pytest.param(URL, [], id="the same"),
        pytest.param("HTTPS://EXAMPLE.com/a.png/", [], id="the same, written in another way"),
    ],
)
@pytest.mark.parametrize("formula", ["", "<f>1</f>"], ids=["plain sheet", "sheet with formulas"])
def test_c37_a_link_that_leads_elsewhere_is_a_warning(
    of_xml: Callable[..., CheckedRow], target: str, expected: list[str], formula: str
) -> None:
    """C37: what is shown counts, and the operator hears of the difference."""
    row = of_xml(
        "NewImageUrl",
        f'<c t="inlineStr"><is><t>{URL}</t></is></c><c r="Z2">{formula}<v>1</v></c>',
        extra={"xl/worksheets/_rels/sheet1.xml.rels": LINK.format(target=target)},
        around='<hyperlinks><hyperlink ref="E2" r:id="rId1"/></hyperlinks>',
    )

    assert (value_of(row, "NewImageUrl"), codes(row)) == (URL, expected)


def test_c37_comments_are_no_cells(tmp_path: Path) -> None:
    """C37: remarks on cells are passed over."""
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(("Id", "Title"))
    sheet.append((7, "A"))
    sheet["B2"].comment = openpyxl.comments.Comment("please change", "Tom")
    workbook.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert any("comment" in name for name in archive.namelist())

    assert value_of(check_sheet(load_here(tmp_path / "a.xlsx"), aliases={}).rows[0], "Title") == "A"
