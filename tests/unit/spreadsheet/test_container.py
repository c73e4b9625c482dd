"""What a file is, by its content: one clear refusal with a stable code for everything that is no sheet."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.adapters.spreadsheet import load_here
from sync.adapters.spreadsheet.container import MAX_FILE_BYTES
from sync.errors import InputError

MakeWorkbook = Callable[..., Path]


def zip_of(**parts: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "file.empty", id="empty"),
        pytest.param(b" \r\n\n", "file.empty", id="blank lines alone"),
        pytest.param(OLE, "file.xls", id="old workbook"),
        pytest.param(b"\x09\x08\x10\x00\x00\x06\x05\x00", "file.xls", id="old workbook without container"),
        pytest.param(OLE + "EncryptedPackage".encode("utf-16-le"), "file.password", id="password"),
        pytest.param(zip_of(**{"xl__workbook.bin": ""}), "file.xlsb", id="binary workbook"),
        pytest.param(OLE + "WordDocument".encode("utf-16-le"), "file.not_a_sheet", id="old text document"),
        pytest.param(
            zip_of(mimetype="application/vnd.oasis.opendocument.text", content=""),
            "file.not_a_sheet",
            id="OpenDocument text",
        ),
        pytest.param(zip_of(**{"Index__Document.iwa": ""}), "file.numbers", id="Numbers"),
        pytest.param(b'{"plan": 1, "rows": []}', "file.json", id="JSON"),
        pytest.param(zip_of(word__document=""), "file.not_a_sheet", id="another document"),
        pytest.param(zip_of(**{"xl__workbook.xml": "<workbook/>"})[:-30], "file.damaged", id="zip cut off"),
        pytest.param(b"%PDF-1.7\n", "file.pdf", id="PDF"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00", "file.image", id="PNG"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x10JFIF", "file.image", id="JPEG"),
        pytest.param(b"GIF89a\x01\x00", "file.image", id="GIF"),
        pytest.param(b"\xef\xbb\xbf <!DOCTYPE html><table>", "file.html", id="HTML"),
        pytest.param("\ufeff<html><table>".encode("utf-16-le"), "file.html", id="HTML in UTF-16"),
        pytest.param(b'<?xml version="1.0"?><Workbook/>', "file.xml", id="XML"),
        pytest.param(b"\x1f\x8b\x08\x00", "file.not_a_sheet", id="gzip"),
        pytest.param(b"Id,Title\n1,\x00\n", "file.binary", id="NUL in text"),
        pytest.param(b"a" * (MAX_FILE_BYTES + 1), "file.too_large", id="too large"),
    ],
)
@pytest.mark.parametrize("name", ["sections.xlsx", "sections.csv"])
def test_what_is_no_sheet_is_refused_by_its_content(tmp_path: Path, data: bytes, code: str, name: str) -> None:
    """The name plays no part: the same bytes get the same code, and a remedy."""
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(InputError) as caught:
        load_here(path)

    assert caught.value.code == code
    assert caught.value.remedy
    assert name in caught.value.message


@pytest.mark.parametrize(
    ("data", "does"),
    [
        pytest.param(b"%PDF-1.7\n", "sheet that it was made from", id="PDF"),
        pytest.param(b"\x1f\x8b\x08\x00", "Unpack it", id="gzip"),
        pytest.param(b'<?xml version="1.0"?>\n<office:document a="b">', "in LibreOffice as .xlsx or .ods", id="fods"),
    ],
)
def test_a_remedy_can_be_followed(tmp_path: Path, data: bytes, does: str) -> None:
    """Excel opens neither of these, so "save it in Excel" would send somebody round in circles."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)

    with pytest.raises(InputError) as caught:
        load_here(path)

    assert does in (caught.value.remedy or "")
    assert "in Excel" not in (caught.value.remedy or "")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """There must be a file to read."""
    codes = []
    for path in (tmp_path / "none.xlsx", tmp_path):
        with pytest.raises(InputError) as caught:
            load_here(path)
        codes.append(caught.value.code)

    assert codes == ["file.missing", "file.directory"]


def test_a_workbook_with_a_csv_name_is_read_as_a_workbook(make_workbook: MakeWorkbook) -> None:
    """Content decides, not the name."""
    assert load_here(make_workbook('<row r="1"><c r="A1"><v>1</v></c></row>', name="a.csv")).format == "xlsx"


def test_text_with_a_workbooks_name_is_read_as_text(tmp_path: Path) -> None:
    """Content decides, not the name."""
    path = tmp_path / "a.xlsx"
    path.write_text("Id,Title\n1,A\n", encoding="utf-8")

    assert load_here(path).format == "csv"


def test_a_zip_bomb_is_refused_by_its_declared_size(make_workbook: MakeWorkbook) -> None:
    """200 MB unpacked is the limit, before anything is unpacked."""
    path = make_workbook("", extra={"xl/media/a.bin": bytes(200_000_001)})

    with pytest.raises(InputError) as caught:
        load_here(path)

    assert caught.value.code == "file.too_large"


def test_too_many_parts_are_refused(make_workbook: MakeWorkbook) -> None:
    """2,000 parts is the limit."""
    path = make_workbook("", extra={f"xl/p{number}": "" for number in range(2_000)})

    with pytest.raises(InputError) as caught:
        load_here(path)

    assert caught.value.code == "file.too_large"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "docProps/app.xml"])
def test_a_dtd_in_any_part_is_refused(make_workbook: MakeWorkbook, part: str, encoding: str) -> None:
    """Entities are how XML readers are attacked; no workbook needs them, in whatever encoding."""
    text = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'

    with pytest.raises(InputError) as caught:
        load_here(make_workbook("", extra={part: text.encode(encoding)}))

    assert caught.value.code == "file.dtd"


def test_a_dtd_in_a_sheet_of_another_name_is_refused(make_workbook: MakeWorkbook) -> None:
    """The part that the workbook names as a sheet is XML, whatever it is called."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{kind}" Target="worksheets/sheet1.data"/></Relationships>'
    )
    sheet = '<!DOCTYPE a><worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>'
    path = make_workbook("", extra={"xl/_rels/workbook.xml.rels": rels, "xl/worksheets/sheet1.data": sheet})

    with pytest.raises(InputError) as caught:
        load_here(path)

    assert caught.value.code == "file.dtd"


def test_a_dtd_on_the_edge_of_two_chunks_is_found(make_workbook: MakeWorkbook) -> None:
    """The scan reads in pieces and must not lose a word between two of them."""
    text = "<a>" + " " * (1_000_000 - 7) + "<!DOCTYPE b>"

    with pytest.raises(InputError) as caught:
        load_here(make_workbook("", extra={"docProps/app.xml": text}))

    assert caught.value.code == "file.dtd"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row>"}, id="XML cut off"),
        pytest.param(
            {"xl/worksheets/sheet1.xml": '<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'},
            id="XML cut off between rows",
        ),
        pytest.param({"xl/workbook.xml": "no XML"}, id="workbook is no XML"),
        pytest.param({"xl/workbook.xml": '<?xml version="1.0" encoding="klingon"?><a/>'}, id="unknown encoding"),
        pytest.param({"XL/Worksheets/Sheet1.XML": "<worksheet/>"}, id="two parts of one name"),
    ],
)
def test_a_damaged_workbook_is_refused(make_workbook: MakeWorkbook, parts: dict[str, str]) -> None:
    """No traceback and no half table."""
    with pytest.raises(InputError) as caught:
        load_here(make_workbook('<row r="1"><c r="A1"><f>1</f><v>1</v></c></row>', extra=parts))

    assert caught.value.code == "file.damaged"


def test_a_part_with_a_wrong_checksum_is_refused(make_workbook: MakeWorkbook) -> None:
    """One flipped byte anywhere in the XML is damage, not data."""
    path = make_workbook("".join(f'<row r="{n}"><c r="A{n}"><v>{n * 7919}</v></c></row>' for n in range(1, 400)))
    data = bytearray(path.read_bytes())
    place = data.index(b"xl/worksheets/sheet1.xml") + 400
    data[place] ^= 0xFF
    path.write_bytes(bytes(data))

    with pytest.raises(InputError) as caught:
        load_here(path)

    assert caught.value.code == "file.damaged"


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Neither journal nor report can hold it: a refusal that shows it, and no error of the program's own."""
    path = tmp_path / "a\udcff.csv"
    path.write_text("Id,Title\n1,One\n", encoding="utf-8")

    with pytest.raises(InputError, match="holds bytes that are no text") as refused:
        load_here(path)

    assert refused.value.code == "file.name"
