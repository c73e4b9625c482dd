"""The parts of a workbook's zip: held against limits and scanned for DTDs before any reader sees them."""

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sync.errors import InputError

MAX_INFLATED_BYTES: Final = 200_000_000
MAX_PARTS: Final = 2_000

_SAVE_AGAIN: Final = "Open it in Excel, save it as an Excel workbook (.xlsx), and use that file."
_SCAN_BYTES: Final = 1_000_000
_DTD: Final = tuple(
    pattern
    for word in ("<!DOCTYPE", "<!ENTITY")
    # Big-endian text holds the little-endian form as well, one byte further on.
    for pattern in (word.encode("ascii"), word.encode("utf-16-le"))
)
_OVERLAP: Final = max(len(pattern) for pattern in _DTD) - 1
_DAMAGE: Final = (
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


@dataclass(frozen=True, slots=True)
class Package:
    """A checked zip that holds a workbook."""

    file: str
    """The file's name, for messages."""
    archive: zipfile.ZipFile
    names: Mapping[str, str]
    """Part names in lower case with `/`, each with its name in the zip."""

    def part(self, name: str) -> bytes | None:
        """Inflate one part, whatever its case; `None` where there is none.

        Raises:
            InputError: `file.damaged`.
        """
        stored = self.names.get(name.lower())
        if stored is None:
            return None
        try:
            return self.archive.read(stored)
        except _DAMAGE as exc:
            raise damaged(self.file) from exc

    @property
    def has_macros(self) -> bool:
        """Whether the workbook carries a VBA project; it is never run."""
        return any(name.endswith("vbaproject.bin") for name in self.names)


def open_package(data: bytes, file: str) -> Package:
    """Open the zip in `data` and check it as a whole.

    Raises:
        InputError: `file.damaged`, `file.too_large`, `file.xlsb`, `file.ods`, `file.not_a_sheet`, `file.dtd`.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except _DAMAGE as exc:
        raise damaged(file) from exc
    _check_sizes(entries, file)
    names = {entry.filename.replace("\\", "/").lstrip("/").lower(): entry.filename for entry in entries}
    if len(names) != len(entries):
        # Two parts of one name: two readers would see two different workbooks.
        raise damaged(file)
    package = Package(file, archive, names)
    _check_kind(package)
    for entry in entries:
        if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
            _refuse_dtd(package, entry)
    return package


def _check_sizes(entries: list[zipfile.ZipInfo], file: str) -> None:
    """Hold the declared sizes against the limits; zipfile gives no byte more than is declared."""
    if len(entries) > MAX_PARTS:
        raise InputError(
            f"{file} consists of {len(entries):,} parts; at most {MAX_PARTS:,} are read.",
            code="file.too_large",
            remedy="Copy the one sheet with the sections into a new workbook.",
        )
    inflated = sum(entry.file_size for entry in entries)
    if inflated > MAX_INFLATED_BYTES:
        raise InputError(
            f"{file} would unpack to {inflated // 1_000_000:,} MB; at most {MAX_INFLATED_BYTES // 1_000_000} MB are "
            "read.",
            code="file.too_large",
            remedy="Copy the one sheet with the sections into a new workbook.",
        )


def _check_kind(package: Package) -> None:
    """Tell a workbook from the other things that are zips."""
    if "xl/workbook.xml" in package.names:
        return
    if "xl/workbook.bin" in package.names:
        raise InputError(f"{package.file} is a binary workbook (.xlsb).", code="file.xlsb", remedy=_SAVE_AGAIN)
    if (package.part("mimetype") or b"").startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        raise InputError(
            f"{package.file} is an OpenDocument sheet (.ods).",
            code="file.ods",
            remedy="Save it as an Excel workbook (.xlsx), and use that file.",
        )
    raise InputError(
        f"{package.file} is an archive or another kind of document, not an Excel workbook.",
        code="file.not_a_sheet",
        remedy=_SAVE_AGAIN,
    )


def _refuse_dtd(package: Package, entry: zipfile.ZipInfo) -> None:
    """Refuse declarations that no spreadsheet program writes and that attacks on XML readers need."""
    tail = b""
    try:
        with package.archive.open(entry) as part:
            while chunk := part.read(_SCAN_BYTES):
                window = tail + chunk
                if any(pattern in window for pattern in _DTD):
                    raise dtd_refusal(package.file)
                tail = window[-_OVERLAP:]
    except _DAMAGE as exc:
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
