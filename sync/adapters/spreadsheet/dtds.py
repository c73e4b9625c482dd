"""Document type declarations: looked for in every part of a workbook that is XML, before any reader sees one."""

import io
import zipfile
from collections.abc import Iterator
from typing import Final

from sync.adapters.spreadsheet.package import DAMAGE, Package, damaged, dtd_refusal

_XML: Final = (".xml", ".rels", ".vml")
_SHEETS: Final = ("xl/worksheets/", "content.xml")
"""The starts of the names of parts that hold cells."""
_SCAN_BYTES: Final = 1_000_000
_DTD: Final = tuple(
    pattern
    for word in ("<!DOCTYPE", "<!ENTITY")
    # Big-endian text holds the little-endian form as well, one byte further on.
    for pattern in (word.encode("ascii"), word.encode("utf-16-le"))
)
_RARE: Final = b"!"
"""A byte of each of them; to look for one byte costs next to nothing."""
_OVERLAP: Final = max(len(pattern) for pattern in _DTD) - 1


def refuse_dtds(package: Package) -> None:
    """Look through every part that is XML for a document type declaration; the largest sheet is kept inflated.

    Raises:
        InputError: `file.dtd`, `file.damaged`.
    """
    names = {stored: name for name, stored in package.names.items()}
    entries = [entry for entry in package.archive.infolist() if entry.filename.lower().endswith(_XML)]
    sheets = [entry for entry in entries if names[entry.filename].startswith(_SHEETS)]
    largest = max(sheets, key=lambda entry: entry.file_size, default=None)
    for entry in entries:
        if entry is largest:
            # It grows in place: joined from pieces, it would be there twice.
            whole = io.BytesIO()
            whole.writelines(_free_of_dtds(package, entry))
            package.kept[names[entry.filename]] = whole.getvalue()
        else:
            for _ in _free_of_dtds(package, entry):
                pass


def _free_of_dtds(package: Package, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Inflate a part in pieces, refusing declarations that no spreadsheet program writes and that attacks need."""
    tail = b""
    try:
        with package.archive.open(entry) as part:
            while piece := part.read(_SCAN_BYTES):
                window = tail + piece
                if _RARE in window and any(pattern in window for pattern in _DTD):
                    raise dtd_refusal(package.file)
                tail = window[-_OVERLAP:]
                yield piece
    except DAMAGE as exc:
        raise damaged(package.file) from exc
