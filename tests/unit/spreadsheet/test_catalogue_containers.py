"""The catalogue of bad input, C1 to C12: files that are hostile, or something else than their name says."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.adapters.spreadsheet import load_here
from sync.errors import InputError
from sync.hints import HintKind

MakeWorkbook = Callable[..., Path]
ROW = '<row r="1"><c r="A1"><v>1</v></c></row>'
SPACES = 120_000_000


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load_here(path)
    assert caught.value.remedy
    assert path.name in caught.value.message
    return caught.value


def patched(path: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize(
    ("size", "named"),
    [
        pytest.param(100_000_001, "100 MB", id="more than a part may have"),
        pytest.param(20_100_000, "100 times", id="a hundredfold of its packed size, beyond 20 MB"),
    ],
)
def test_c1_a_part_of_spaces_is_refused_before_it_is_unpacked(
    make_workbook: MakeWorkbook, size: int, named: str
) -> None:
    """C1: a bomb declares itself; the limit is in the message."""
    bomb = f"<worksheet><sheetData>{' ' * size}</sheetData></worksheet>"
    error = refused(make_workbook(ROW, extra={"xl/worksheets/sheet1.xml": bomb}))

    assert (error.code, named in error.message) == ("file.too_large", True)


def test_c1_a_high_ratio_alone_is_no_bomb(make_workbook: MakeWorkbook) -> None:
    """C1: genuine sheets of equal cells pack well too; below 20 MB the ratio does not count."""
    sheet = f"<worksheet><sheetData>{ROW}</sheetData>{' ' * 10_000_000}</worksheet>"

    assert len(load_here(make_workbook(ROW, extra={"xl/worksheets/sheet1.xml": sheet})).tables) == 1


def test_c2_one_huge_text_is_refused(make_workbook: MakeWorkbook) -> None:
    """C2: the same limits hold for every part, shared strings too."""
    strings = f"<sst><si><t>{'x' * SPACES}</t></si></sst>"

    assert refused(make_workbook(ROW, extra={"xl/sharedStrings.xml": strings})).code == "file.too_large"


@pytest.mark.parametrize("declared", [10, 1_000])
def test_c3_sizes_that_are_forged_are_damage(make_workbook: MakeWorkbook, declared: int) -> None:
    """C3: a part that unpacks to more than its directory says is refused, and no more of it is unpacked."""
    path = make_workbook("".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 500)))
    name = b"xl/worksheets/sheet1.xml"

    def forge(data: bytearray) -> None:
        for start, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
            place = data.find(start)
            while place >= 0:
                if name in data[place : place + 80]:
                    struct.pack_into("<I", data, place + offset, declared)
                place = data.find(start, place + 4)

    assert refused(patched(path, forge)).code == "file.damaged"


def test_c4_parts_that_overlap_are_refused(make_workbook: MakeWorkbook) -> None:
    """C4: many entries on the same bytes unpack to any amount; no program writes them."""
    path = make_workbook(ROW, ROW)

    def overlap(data: bytearray) -> None:
        places = []
        place = data.find(b"PK\x01\x02")
        while place >= 0:
            places.append(place)
            place = data.find(b"PK\x01\x02", place + 4)
        first, second = places[-2:]
        data[second + 16 : second + 28] = data[first + 16 : first + 28]
        data[second + 42 : second + 46] = data[first + 42 : first + 46]

    assert refused(patched(path, overlap)).code == "file.overlapping_parts"


def test_c4_an_entry_that_reaches_into_the_directory_is_damage(make_workbook: MakeWorkbook) -> None:
    """C4: the bytes of a part end where the directory begins."""
    path = make_workbook(ROW)

    def stretch(data: bytearray) -> None:
        last = data.rfind(b"PK\x01\x02")
        struct.pack_into("<I", data, last + 20, 100_000)

    assert refused(patched(path, stretch)).code == "file.damaged"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "dtd",
    [
        pytest.param('<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>', id="billion laughs"),
        pytest.param('<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>', id="external entity"),
        pytest.param('<!DOCTYPE s PUBLIC "-//X" "http://127.0.0.1/x.dtd">', id="external DTD"),
    ],
)
def test_c5_declarations_are_refused_in_any_encoding(make_workbook: MakeWorkbook, dtd: str, encoding: str) -> None:
    """C5: the text says why, since some genuine old files carry a DTD too."""
    strings = f'<?xml version="1.0" encoding="{encoding}"?>{dtd}<sst><si><t>x</t></si></sst>'
    error = refused(make_workbook(ROW, extra={"xl/sharedStrings.xml": strings.encode(encoding)}))

    assert (error.code, "DTD" in error.message) == ("file.dtd", True)


def test_c5_an_encoding_that_hides_declarations_is_refused(make_workbook: MakeWorkbook) -> None:
    """C5: UTF-7 writes `<` in other bytes; the parser does not know it, and so nobody is misled."""
    sheet = b'<?xml version="1.0" encoding="UTF-7"?>+ADw-!DOCTYPE a+AD4-<worksheet/>'

    assert refused(make_workbook("", extra={"xl/worksheets/sheet1.xml": sheet})).code == "file.damaged"


@pytest.mark.parametrize(
    "row",
    [
        pytest.param('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', id="in its own row"),
        pytest.param('<row r="1"><c r="XFD1048576"><v>1</v></c></row>', id="in another row's element"),
        pytest.param('<row r="1"><c r="XFD1048576"><f>1</f></c></row>', id="a formula without a value"),
        pytest.param('<row r="1048576"><c r="XFD1048576" t="e"><v>#N/A</v></c></row>', id="an error"),
    ],
)
def test_c7_a_cell_in_the_last_corner_is_refused(make_workbook: MakeWorkbook, row: str) -> None:
    """C7: a reader would make room for 17 thousand million cells; the corner is named."""
    error = refused(make_workbook(ROW + row))

    assert (error.code, "XFD" in error.message) == ("file.too_large", True)


def test_c8_formatted_rows_without_values_are_passed_over_and_counted(make_workbook: MakeWorkbook) -> None:
    """C8: whoever has formatted a whole column gets the rows with values, and is told of the others."""
    rows = ROW + "".join(f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(2, 60_002))

    file = load_here(make_workbook(rows))

    assert len(file.tables[0].rows) == 1
    assert ["60,000 rows below row 1" in note for note in file.notes] == [True]


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1"><c r="XFE1"><v>1</v></c></row>',
        '<row r="16777217"><c r="A16777217"><v>1</v></c></row>',
        '<row r="1048577"><c r="A1048577"><v>1</v></c></row>',
    ],
)
def test_c9_cells_outside_of_the_grid_are_refused(make_workbook: MakeWorkbook, row: str) -> None:
    """C9: there is no such cell, and readers fill the memory on the way to it."""
    assert refused(make_workbook(row)).code == "file.too_large"


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)


def test_c10_a_password_is_named(tmp_path: Path) -> None:
    """C10: a protected workbook is another container; the way on is in the text."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(OLE + "EncryptedPackage".encode("utf-16-le"))
    error = refused(path)

    assert (error.code, "password" in error.remedy) == ("file.password", True)


def test_c10_a_protected_open_document_is_named_too(tmp_path: Path) -> None:
    """C10: its directory of parts says that they are encrypted."""
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest><file-entry><encryption-data/></file-entry></manifest>")
        archive.writestr("content.xml", "\x8f\x01")

    assert refused(path).code == "file.password"


def package(**parts: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        pytest.param("a.xls", OLE + "Workbook".encode("utf-16-le"), "file.xls", id="xls"),
        pytest.param("a.xlsx", b"\x09\x08\x10\x00\x00\x06\x05\x00", "file.xls", id="bare BIFF"),
        pytest.param("a.xlsb", package(**{"xl__workbook.bin": ""}), "file.xlsb", id="xlsb"),
        pytest.param(
            "a.numbers", package(Index__Document=".", **{"Index__Document.iwa": ""}), "file.numbers", id="numbers"
        ),
        pytest.param("a.fods", b'<?xml version="1.0"?><office:document/>', "file.xml", id="fods"),
        pytest.param("a.xls", b"<html><body><table><tr><td>Id</td></tr></table>", "file.html", id="HTML named xls"),
        pytest.param("a.csv", b"%PDF-1.4", "file.pdf", id="PDF named csv"),
        pytest.param("a.xlsx", b"\x89PNG\r\n\x1a\n", "file.image", id="image named xlsx"),
        pytest.param("a.xlsx", package(word__document="x"), "file.not_a_sheet", id="text document named xlsx"),
        pytest.param("a.xlsx", b"", "file.empty", id="no byte at all"),
        pytest.param("a.csv", b"\n\n \n", "file.empty", id="blank lines alone"),
        pytest.param("a.xlsx", b"PK\x03\x04", "file.damaged", id="first four bytes of a zip"),
    ],
)
def test_c11_what_is_no_sheet_gets_one_code_by_its_content(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    """C11: content decides, not the name; one typed error, with what to save it as."""
    path = tmp_path / name
    path.write_bytes(data)

    assert refused(path).code == code


@pytest.mark.parametrize("name", ["a.csv", "a.xlsm", "a.txt", "a"])
def test_c11_a_workbook_is_read_whatever_it_is_called(make_workbook: MakeWorkbook, name: str) -> None:
    """C11: content decides, not the name."""
    assert load_here(make_workbook(ROW, name=name)).format == "xlsx"


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.99])
def test_c11_a_file_that_was_cut_off_is_damaged(make_workbook: MakeWorkbook, kept: float) -> None:
    """C11: half a download is no sheet."""
    path = make_workbook(ROW * 50)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])

    assert refused(path).code == "file.damaged"


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ("xl/vbaProject.bin", "macros"),
        ("xl/macrosheets/sheet1.xml", "macros"),
        ("xl/externalLinks/externalLink1.xml", "other workbooks"),
        ("xl/embeddings/oleObject1.bin", "embedded"),
        ("xl/connections.xml", "connections"),
    ],
)
def test_c12_what_else_a_workbook_carries_is_noted(make_workbook: MakeWorkbook, part: str, word: str) -> None:
    """C12: read, never run, never refreshed, never opened; and said."""
    file = load_here(make_workbook(ROW, extra={part: "<x/>"}))

    assert [word in note for note in file.notes] == [True]


def test_c12_a_value_from_another_workbook_is_remarked_at_its_cell(make_workbook: MakeWorkbook) -> None:
    """C12: it is a copy from when that workbook was last read."""
    row = '<row r="1"><c r="A1"><f>[1]Sheet1!A1*2</f><v>4</v></c><c r="B1"><f>A1</f><v>4</v></c></row>'
    (cells,) = load_here(make_workbook(row)).tables[0].rows

    assert [hint.kind for hint in cells.hints.values()] == [HintKind.EXTERNAL_LINK, HintKind.FORMULA]
