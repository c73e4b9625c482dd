"""Files that are no sheets: refused in one line that says what they are and what to do."""

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.e2e.command_line import SAMPLES, Shell, refused
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

DEMO = str(SAMPLES / "demo.xlsx")
TITLES = str(SAMPLES / "translate_titles.xlsx")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _zip(path: Path, **parts: str) -> None:
    with ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)


def _half(path: Path) -> None:
    data = Path(DEMO).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _with_doctype(path: Path) -> None:
    with ZipFile(DEMO) as demo, ZipFile(path, "w") as archive:
        for name in demo.namelist():
            part = demo.read(name)
            if name == "xl/workbook.xml":
                part = part.replace(b"<workbook", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook', 1)
            archive.writestr(name, part)


BROKEN_FILES: list[tuple[str, Callable[[Path], object], str]] = [
    ("nothing.xlsx", lambda path: path, "There is no file"),
    ("folder.xlsx", lambda path: path.mkdir(), "is a folder, not a file"),
    ("empty.xlsx", lambda path: path.write_bytes(b""), "empty.xlsx is empty"),
    ("blank.csv", lambda path: path.write_bytes(b" \r\n \r\n"), "blank.csv is empty"),
    ("huge.csv", lambda path: path.write_bytes(b"x" * 20_000_001), "is larger than 20 MB"),
    ("paper.xlsx", lambda path: path.write_bytes(b"%PDF-1.7\n%%EOF"), "is a PDF, not a sheet"),
    ("picture.xlsx", lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50)), "is an image, not a sheet"),
    ("page.xls", lambda path: path.write_text("<html><table></table></html>"), "is a web page (HTML)"),
    ("feed.csv", lambda path: path.write_text('<?xml version="1.0"?><a/>'), "is an XML file"),
    ("letter.csv", lambda path: path.write_text("{\\rtf1 hello}"), "is a text document (RTF)"),
    ("old.xls", lambda path: path.write_bytes(OLE + bytes(600)), "old Excel format (.xls)"),
    (
        "locked.xlsx",
        lambda path: path.write_bytes(OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le")),
        "is password-protected. Open it",
    ),
    ("half.xlsx", _half, "is damaged: it cannot be read as a workbook"),
    ("zip.xlsx", lambda path: _zip(path, **{"readme.txt": "hello"}), "is an archive or another kind of document"),
    (
        "text.xlsx",
        lambda path: _zip(path, **{"[Content_Types].xml": "<x/>", "word__document.xml": "<x/>"}),
        "not an Excel workbook",
    ),
    ("trap.xlsx", _with_doctype, "contains a document type declaration (DTD)"),
    ("nul.csv", lambda path: path.write_bytes(b"Id,Title\n1,a\x00b\n"), "there is a NUL character on line 2"),
    (
        "latin.csv",
        lambda path: path.write_bytes("Id,Title\n1,Übung\n".encode("cp1252")),
        "is not encoded as UTF-8: the byte at offset 11 (line 2)",
    ),
    (
        "quote.csv",
        lambda path: path.write_text('Id,Title\n1,"open\n2,b\n'),
        "a quotation mark out of place in the row",
    ),
    ("prose.csv", lambda path: path.write_text("once upon a time\n"), "has no header with our headings"),
    ("header.csv", lambda path: path.write_text("Id,Title\n"), "has no rows below its header"),
    ("no_id.csv", lambda path: path.write_text("Title,Active\na,yes\n"), "has no Id column"),
    ("twice.csv", lambda path: path.write_text("Id,Title,title\n1,a,b\n"), "The column Title is there twice"),
]
broken_files = pytest.mark.parametrize(
    ("name", "make", "text"), [pytest.param(name, make, text, id=name) for name, make, text in BROKEN_FILES]
)


@broken_files
def test_a_file_that_is_no_sheet_is_refused(
    shell: Shell, sandbox: SandboxProcess, name: str, make: Callable[[Path], object], text: str
) -> None:
    """Exit code 3 from every command that takes a sheet, in the same line; no request, and no run in the history."""
    make(shell.folder / name)

    checked, planned, applied = shell("check", name), shell("plan", name), shell("apply", name, "--yes")

    refused(checked, 3, text, name.split(".", maxsplit=1)[0])
    assert checked == planned == applied
    assert checked.out == ""
    assert sandbox.log() == []
    assert "No runs yet" in shell("history").out


def test_the_reports_own_table_is_no_input(shell: Shell) -> None:
    """`report.csv` is guarded against formulas, so its text is no longer the operator's."""
    shell("check", TITLES, "--out", "out")

    refused(shell("apply", "out/report.csv", "--yes"), 3, "report.xlsx or failed.xlsx that lies beside it")
