"""Workbooks as other programs write them, rightly or not: the same table, or one refusal; never other cells."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.adapters.spreadsheet import load_here
from sync.errors import InputError
from sync.model import CellValue

MakeWorkbook = Callable[..., Path]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
PLAIN = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Id</t></is></c><c r="B1" t="inlineStr"><is><t>Title</t></is></c></row>'
    '<row r="2"><c r="A2"><v>7</v></c><c r="B2" t="inlineStr"><is><t>x</t></is></c></row>'
)
TABLE: list[tuple[CellValue, ...]] = [("Id", "Title"), (7, "x")]


def cells(path: Path) -> list[tuple[CellValue, ...]]:
    return [row.cells for row in load_here(path).tables[0].rows]


def cells_or_code(path: Path) -> list[tuple[CellValue, ...]] | str:
    try:
        return cells(path)
    except InputError as exc:
        return exc.code


def sheet(rows: str, *, namespace: str = MAIN, prefix: str = "") -> str:
    colon = f":{prefix}" if prefix else ""
    tag = f"{prefix}:" if prefix else ""
    return f'<{tag}worksheet xmlns{colon}="{namespace}"><{tag}sheetData>{rows}</{tag}sheetData></{tag}worksheet>'


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param(sheet(PLAIN, namespace=STRICT), id="strict namespace"),
        pytest.param(
            sheet(PLAIN.replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:"), prefix="x"), id="prefixes"
        ),
        pytest.param(sheet(PLAIN).replace(' r="A1"', "").replace(' r="B1"', ""), id="cells without references"),
        pytest.param(sheet(PLAIN.replace(' r="1"', "").replace(' r="2"', "")), id="rows without numbers"),
        pytest.param(sheet(PLAIN.replace('"', "'")).replace("\n", ""), id="single quotes"),
        pytest.param('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n' + sheet(PLAIN), id="declaration"),
        pytest.param("\ufeff" + sheet(PLAIN), id="byte order mark"),
        pytest.param(sheet(PLAIN.replace("<row", "<!-- c --><row")), id="comments"),
        pytest.param(sheet(PLAIN.replace("<t>x</t>", "<t><![CDATA[x]]></t>")), id="CDATA"),
        pytest.param(sheet(PLAIN.replace("<t>x</t>", "<r><t>x</t></r><r><t></t></r>")), id="runs"),
        pytest.param(sheet(PLAIN.replace("><c", ">\n  <c").replace("><row", ">\n<row")), id="indented"),
    ],
)
def test_the_same_cells_in_other_xml_are_the_same_table(make_workbook: MakeWorkbook, xml: str) -> None:
    """What the standard allows, or readers forgive, changes no cell."""
    assert cells(make_workbook("", extra={"xl/worksheets/sheet1.xml": xml})) == TABLE


def test_rows_out_of_order_are_read_in_their_places_or_refused(make_workbook: MakeWorkbook) -> None:
    """No row is lost and none moves, whatever the order in which they are written."""
    first, second = PLAIN.split("</row>")[:2]

    assert cells_or_code(make_workbook(f"{second}</row>{first}</row>")) in (TABLE, "file.damaged", "file.ambiguous")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("whole", [True, False], ids=["all parts", "the sheet alone"])
def test_parts_in_utf_16_are_read(make_workbook: MakeWorkbook, encoding: str, *, whole: bool) -> None:
    """Phones have written such workbooks."""
    plain = make_workbook(PLAIN)
    with zipfile.ZipFile(plain) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    written = {
        name: (
            ("\ufeff" if encoding != "utf-16" else "")
            + '<?xml version="1.0" encoding="UTF-16" standalone="yes"?>'
            + part
        ).encode(encoding)
        for name, part in parts.items()
        if whole or "worksheets" in name
    }

    assert cells(make_workbook("", extra=written)) == TABLE


def test_a_sheet_of_old_macros_is_left_out_and_noted(make_workbook: MakeWorkbook) -> None:
    """It holds no rows, the other sheets are read, and nothing in it is run."""
    kind = "http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet"
    plain = make_workbook(PLAIN, PLAIN)
    with zipfile.ZipFile(plain) as archive:
        rels = archive.read("xl/_rels/workbook.xml.rels").decode()
    second = rels.index("rId2")
    rels = rels[:second] + rels[second:].replace(f"{OFFICE}/worksheet", kind).replace("worksheets/", "macrosheets/")
    macros = sheet(PLAIN).replace("worksheet", "macrosheet")
    file = load_here(
        make_workbook(PLAIN, PLAIN, extra={"xl/_rels/workbook.xml.rels": rels, "xl/macrosheets/sheet2.xml": macros})
    )

    assert [table.name for table in file.tables] == ["S1"]
    assert [row.cells for row in file.tables[0].rows] == TABLE
    assert ["macros" in note for note in file.notes] == [True]


@pytest.mark.parametrize("target", ["/xl/worksheets/sheet1.xml", "worksheets/sheet1.xml"])
def test_relationships_may_be_absolute(make_workbook: MakeWorkbook, target: str) -> None:
    """Both ways of naming a part lead to the same facts: an error there is found."""
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="{target}"/>'
        "</Relationships>"
    )
    error = PLAIN.replace('<c r="A2"><v>7</v></c>', '<c r="A2" t="e"><v>#N/A</v></c>')
    path = make_workbook(error, extra={"xl/_rels/workbook.xml.rels": rels})
    (table,) = load_here(path).tables

    assert 0 in table.rows[1].flaws


def repacked(path: Path, *, zip64: bool = False, streamed: bool = False, bits: int = 0) -> Path:
    """Write the same parts in another way: sizes in 64 bits, sizes behind the data, flags of encryption."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object, /) -> int:
            piece = bytes(data)  # type: ignore[call-overload]
            self.data += piece
            return len(piece)

    stream = Stream()
    with zipfile.ZipFile(stream if streamed else (buffer := io.BytesIO()), "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, data in parts.items():
            with archive.open(name, "w", force_zip64=zip64) as part:
                part.write(data)
    written = bytearray(stream.data if streamed else buffer.getvalue())
    if bits:
        for sign, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
            place = written.find(sign)
            while place >= 0:
                written[place + offset] |= bits
                place = written.find(sign, place + 4)
    path.write_bytes(bytes(written))
    return path


@pytest.mark.parametrize("streamed", [False, True], ids=["", "data descriptors"])
@pytest.mark.parametrize("zip64", [False, True], ids=["", "zip64"])
def test_zips_of_other_programs_are_read(make_workbook: MakeWorkbook, *, zip64: bool, streamed: bool) -> None:
    """Sizes in 64 bits or behind the data are how streams are written."""
    assert cells(repacked(make_workbook(PLAIN), zip64=zip64, streamed=streamed)) == TABLE


def test_a_zip_with_encrypted_parts_is_refused(make_workbook: MakeWorkbook) -> None:
    """A password of the zip itself is no way that a spreadsheet program knows."""
    with pytest.raises(InputError) as caught:
        load_here(repacked(make_workbook(PLAIN), bits=1))

    assert caught.value.code in {"file.password", "file.damaged"}


@pytest.mark.parametrize(
    "part", ["xl/chartsheets/sheet1.xml", "xl/dialogsheets/sheet1.xml", "xl/macrosheets/sheet1.xml"]
)
def test_sheets_that_hold_no_table_do_no_harm(make_workbook: MakeWorkbook, part: str) -> None:
    """A chart, a dialog or an old macro beside the table: the table is read."""
    assert cells(make_workbook(PLAIN, extra={part: "<chartsheet/>"})) == TABLE


def test_names_of_sheets_may_hold_any_sign(make_workbook: MakeWorkbook) -> None:
    """Apostrophes, quotes and signs of XML: values and facts meet under the same name."""
    book = (
        f'<workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="Tom\'s &quot;a&amp;b&quot; ä" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    error = PLAIN.replace('<c r="A2"><v>7</v></c>', '<c r="A2" t="e"><v>#N/A</v></c>')
    (table,) = load_here(make_workbook(error, extra={"xl/workbook.xml": book})).tables

    assert table.name == 'Tom\'s "a&b" ä'
    assert 0 in table.rows[1].flaws
