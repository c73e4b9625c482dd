"""What a file is, told by its content and never by its name: a workbook, plain text, or refused in one sentence."""

import hashlib
import re
from pathlib import Path
from typing import Final

from sync.adapters.spreadsheet.package import Package, open_package, password
from sync.adapters.spreadsheet.starting import Kind
from sync.errors import InputError
from sync.frozen import Frozen

MAX_FILE_BYTES: Final = 20_000_000
SAVE_AS: Final = "Save it in Excel as an Excel workbook (.xlsx) or as CSV UTF-8, and use that file."

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_NO_BOOKS: Final = tuple(name.encode("utf-16-le") for name in ("WordDocument", "PowerPoint Document"))
"""The streams by which an old container is told to be something else than a workbook."""
_MADE_FROM: Final = "Use the sheet that it was made from, saved as an Excel workbook (.xlsx) or as CSV UTF-8."
_EMPTY: Final = "Save the sheet again, or choose the one that holds the rows."
_UNPACK: Final = "Unpack it, and use the sheet that is in it."
_FLAT: Final = b"office:document"
"""The first element of LibreOffice's workbook in one XML file."""
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_BYTE_ORDER_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_FOREIGN: Final = (
    (b"%PDF-", "file.pdf", "a PDF", _MADE_FROM),
    (b"{\\rtf", "file.not_a_sheet", "a text document (RTF)", _MADE_FROM),
    (b"\x89PNG\r\n", "file.image", "an image", _MADE_FROM),
    (b"\xff\xd8\xff", "file.image", "an image", _MADE_FROM),
    (b"GIF87a", "file.image", "an image", _MADE_FROM),
    (b"GIF89a", "file.image", "an image", _MADE_FROM),
    (b"II*\x00", "file.image", "an image", _MADE_FROM),
    (b"MM\x00*", "file.image", "an image", _MADE_FROM),
    (b"\x1f\x8b", "file.not_a_sheet", "a compressed archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "file.not_a_sheet", "a compressed archive", _UNPACK),
    (b"Rar!\x1a\x07", "file.not_a_sheet", "a compressed archive", _UNPACK),
)
_BIFF: Final = re.compile(rb"\A\x09[\x00\x02\x04]\x06\x00|\A\x09\x08[\x08\x10]\x00")
"""A bare BIFF stream: an Excel file from before the OLE container."""
_HTML: Final = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|div)\b", re.IGNORECASE | re.DOTALL
)
_JSON: Final = re.compile(rb'\s*(?:\{\s*"[^"\r\n]*"\s*:|\[\s*\{\s*")')
_SNIFFED_BYTES: Final = 4096


class Content(Frozen):
    """A file's bytes, read once, and what they are."""

    path: Path
    data: bytes
    sha256: str
    kind: Kind
    package: Package | None
    """The parts of the workbook; `None` for text."""


def read_content(path: Path) -> Content:
    """Read the file at `path` once and tell what it is.

    Raises:
        InputError: `file.missing`, `file.directory`, `file.unreadable`, `file.name`, `file.empty`, `file.too_large`, or
            the code of what it is instead of a sheet (`file.password`, `file.xls`, `file.xlsb`, `file.pdf` …).
    """
    return content_of(path, _read(path))


def content_of(path: Path, data: bytes) -> Content:
    """Tell what `data`, the bytes of the file at `path`, is.

    Raises:
        InputError: as `read_content`, for what is no sheet.
    """
    name = path.name
    package = open_package(data, name) if data.startswith(_ZIP) else None
    if package is None:
        _refuse_foreign(data, name)
        kind = Kind.CSV
    else:
        kind = Kind.ODS if package.is_open_document else Kind.XLSX
    return Content(path, data, hashlib.sha256(data).hexdigest(), kind, package)


def _refuse_unwritable_name(path: str) -> None:
    """The name goes into the journal and into reports, which are UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError as exc:
        shown = path.encode(errors="surrogateescape").decode(errors="replace")
        raise InputError(
            f"The name {shown} holds bytes that are no text.", code="file.name", remedy="Rename the file or its folder."
        ) from exc


def _read(path: Path) -> bytes:
    if not path.exists():
        raise InputError(f"There is no file {path}.", code="file.missing", remedy="Check the name and the folder.")
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file.", code="file.directory", remedy="Name the sheet itself.")
    if not path.is_file():
        raise InputError(f"{path} is no ordinary file.", code="file.unreadable", remedy="Name the sheet itself.")
    _refuse_unwritable_name(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise InputError(
            f"{path} cannot be read: {exc.strerror}.",
            code="file.unreadable",
            remedy="Close it in other programs and check its permissions.",
        ) from exc
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"{path.name} is larger than {MAX_FILE_BYTES // 1_000_000} MB.",
            code="file.too_large",
            remedy="Split it into several sheets, or remove images and other sheets from it.",
        )
    if not data.strip():
        raise InputError(f"{path.name} is empty.", code="file.empty", remedy=_EMPTY)
    return data


def _refuse_foreign(data: bytes, name: str) -> None:
    """Refuse what is neither a zip nor plain text."""
    if data.startswith(_OLE):
        _refuse_ole(data, name)
    if _BIFF.match(data):
        raise InputError(f"{name} is in an old Excel format (.xls).", code="file.xls", remedy=SAVE_AS)
    for start, code, what, remedy in _FOREIGN:
        if data.startswith(start):
            raise InputError(f"{name} is {what}, not a sheet.", code=code, remedy=remedy)
    head = _head_as_ascii(data)
    if _HTML.match(head):
        raise InputError(f"{name} is a web page (HTML), not a sheet.", code="file.html", remedy=SAVE_AS)
    if head.lstrip().startswith(b"<?xml"):
        if _FLAT in head:
            raise InputError(
                f"{name} is a workbook in flat XML (.fods), which is not read.",
                code="file.xml",
                remedy="Save it in LibreOffice as .xlsx or .ods, and use that file.",
            )
        raise InputError(f"{name} is an XML file, not a sheet.", code="file.xml", remedy=SAVE_AS)
    if _JSON.match(head):
        raise InputError(
            f"{name} is JSON, not a sheet.",
            code="file.json",
            remedy="A saved plan is carried out with `coursesync apply`; else use the sheet that it was made from.",
        )


def _refuse_ole(data: bytes, name: str) -> None:
    if _ENCRYPTED in data:
        raise password(name)
    if any(stream in data for stream in _NO_BOOKS):
        raise InputError(f"{name} is an old Office document, not a sheet.", code="file.not_a_sheet", remedy=_MADE_FROM)
    raise InputError(f"{name} is in the old Excel format (.xls).", code="file.xls", remedy=SAVE_AS)


def _head_as_ascii(data: bytes) -> bytes:
    """Give the first bytes without byte order mark and NULs, so that markup shows in UTF-16 as well."""
    head = data[:_SNIFFED_BYTES]
    for mark in _BYTE_ORDER_MARKS:
        head = head.removeprefix(mark)
    return head.replace(b"\x00", b"")
