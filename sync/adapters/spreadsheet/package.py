"""The parts of a workbook's zip: held against limits before any reader sees them."""

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sync.errors import InputError

MAX_INFLATED_BYTES: Final = 200_000_000
MAX_PART_BYTES: Final = 100_000_000
MAX_PARTS: Final = 2_000
MAX_RATIO: Final = 100
"""Unpacked to packed, of one part that unpacks to more than `RATIO_FROM_BYTES`: genuine sheets reach 69."""
RATIO_FROM_BYTES: Final = 20_000_000

_COPY: Final = "Copy the one sheet with the sections into a new workbook."
_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")
_WORKBOOK: Final = "xl/workbook.xml"
_CONTENT: Final = "content.xml"
_OPEN_DOCUMENT: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_SAVE_AGAIN: Final = "Open it in Excel, save it as an Excel workbook (.xlsx), and use that file."
DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,  # a compression method that no spreadsheet program uses
    RuntimeError,  # an encrypted part
    UnicodeDecodeError,
    ValueError,
)
"""What `zipfile` and the libraries below it end with over a part that is broken."""


@dataclass(slots=True)
class Package:
    """A checked zip that holds a workbook."""

    file: str
    """The file's name, for messages."""
    archive: zipfile.ZipFile
    names: Mapping[str, str]
    """Part names in lower case with `/`, each with its name in the zip."""
    kept: dict[str, bytes] = field(default_factory=dict)
    """Parts that were inflated for a check and will be asked for next, by their name in lower case."""

    def part(self, name: str) -> bytes | None:
        """Inflate one part, whatever its case; `None` where there is none. A kept one is handed over, once.

        Raises:
            InputError: `file.damaged`.
        """
        stored = self.names.get(name.lower())
        if stored is None:
            return None
        kept = self.kept.pop(name.lower(), None)
        if kept is not None:
            return kept
        try:
            return self.archive.read(stored)
        except DAMAGE as exc:
            raise damaged(self.file) from exc

    def holds(self, *, start: str = "", end: str = "") -> bool:
        """Whether a part's name, in lower case, starts and ends so."""
        return any(name.startswith(start) and name.endswith(end) for name in self.names)

    @property
    def is_open_document(self) -> bool:
        """Whether this is an .ods rather than a workbook of Excel."""
        return _WORKBOOK not in self.names


def open_package(data: bytes, file: str) -> Package:
    """Open the zip in `data` and check its directory; no part is inflated but the short one that names the kind.

    Raises:
        InputError: `file.damaged`, `file.too_large`, `file.overlapping_parts`, `file.xlsb`, `file.not_a_sheet`.
    """
    if data.count(_DIRECTORY_ENTRY) > 10 * MAX_PARTS:
        raise _too_many_parts(file)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except DAMAGE as exc:
        raise damaged(file) from exc
    _check_sizes(entries, file)
    _check_places(data, archive, file)
    names = {entry.filename.replace("\\", "/").lstrip("/").lower(): entry.filename for entry in entries}
    if len(names) != len(entries):
        # Two parts of one name: two readers would see two different workbooks.
        raise damaged(file)
    package = Package(file, archive, names)
    _check_kind(package)
    return package


def _too_many_parts(file: str) -> InputError:
    return InputError(
        f"{file} consists of more than {MAX_PARTS:,} parts, the most that are read.",
        code="file.too_large",
        remedy=_COPY,
    )


def _check_sizes(entries: list[zipfile.ZipInfo], file: str) -> None:
    """Hold the declared sizes against the limits; zipfile gives no byte more than is declared."""
    if len(entries) > MAX_PARTS:
        raise _too_many_parts(file)
    inflated = sum(entry.file_size for entry in entries)
    largest = max((entry.file_size for entry in entries), default=0)
    if inflated > MAX_INFLATED_BYTES or largest > MAX_PART_BYTES:
        raise InputError(
            f"{file} would unpack to {inflated // 1_000_000:,} MB, its largest part to {largest // 1_000_000:,} MB; at "
            f"most {MAX_INFLATED_BYTES // 1_000_000} MB and {MAX_PART_BYTES // 1_000_000} MB are read.",
            code="file.too_large",
            remedy=_COPY,
        )
    for entry in entries:
        if entry.file_size > RATIO_FROM_BYTES and entry.file_size > MAX_RATIO * entry.compress_size:
            raise InputError(
                f"{file} has a part that unpacks to {entry.file_size // 1_000_000:,} MB, more than {MAX_RATIO} times "
                f"its packed size; that is allowed up to {RATIO_FROM_BYTES // 1_000_000} MB.",
                code="file.too_large",
                remedy=_COPY,
            )


def _check_places(data: bytes, archive: zipfile.ZipFile, file: str) -> None:
    """Refuse parts that share bytes: a few of them unpack to any amount, whatever each of them declares."""
    end = 0
    for entry in sorted(archive.infolist(), key=lambda each: each.header_offset):
        start = entry.header_offset
        if start < end:
            raise InputError(
                f"{file} has parts that overlap, which no spreadsheet program writes and which can be an attack.",
                code="file.overlapping_parts",
                remedy=_SAVE_AGAIN,
            )
        try:
            magic, name_length, extra_length = _LOCAL_HEADER.unpack_from(data, start)
        except struct.error as exc:
            raise damaged(file) from exc
        end = start + _LOCAL_HEADER.size + name_length + extra_length + entry.compress_size
        if magic != b"PK\x03\x04" or end > archive.start_dir:
            raise damaged(file)


def _check_kind(package: Package) -> None:
    """Tell a workbook from the other things that are zips."""
    if _WORKBOOK in package.names:
        return
    if "xl/workbook.bin" in package.names:
        raise InputError(f"{package.file} is a binary workbook (.xlsb).", code="file.xlsb", remedy=_SAVE_AGAIN)
    kind = first_bytes(package, "mimetype")
    if kind.startswith(_OPEN_DOCUMENT) and _CONTENT in package.names:
        if b"encryption-data" in first_bytes(package, "meta-inf/manifest.xml", at_most=1_000_000):
            raise password(package.file)
        return
    if "index/document.iwa" in package.names or "index.zip" in package.names:
        raise InputError(
            f"{package.file} is a sheet of Numbers.",
            code="file.numbers",
            remedy="Export it in Numbers as Excel (.xlsx), and use that file.",
        )
    raise InputError(
        f"{package.file} is an archive or another kind of document, not an Excel workbook.",
        code="file.not_a_sheet",
        remedy=_SAVE_AGAIN,
    )


def first_bytes(package: Package, name: str, *, at_most: int = 200) -> bytes:
    """Inflate no more than the first bytes of a part; nothing where there is none."""
    stored = package.names.get(name)
    if stored is None:
        return b""
    try:
        with package.archive.open(stored) as part:
            return part.read(at_most)
    except DAMAGE as exc:
        raise damaged(package.file) from exc


def dtd_refusal(file: str) -> InputError:
    """The refusal of a document type declaration, for whoever finds one."""
    return InputError(
        f"{file} contains a document type declaration (DTD), which a workbook never needs and which can be an attack.",
        code="file.dtd",
        remedy=_SAVE_AGAIN,
    )


def damaged(file: str) -> InputError:
    """The refusal of a file that starts like a workbook and cannot be read to its end."""
    return InputError(f"{file} is damaged: it cannot be read as a workbook.", code="file.damaged", remedy=_SAVE_AGAIN)


def password(file: str) -> InputError:
    """The refusal of a file that only a password opens."""
    return InputError(
        f"{file} is password-protected.",
        code="file.password",
        remedy="Open it, save it without a password, and use that file.",
    )
