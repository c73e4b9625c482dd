"""Take an uploaded sheet: kept under a name that nobody has chosen, and handed to a process that plans it."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO, Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sync.errors import CourseSyncError
from sync.jobs.prepared import About, Kind
from sync.web.visits import Visit, to

LEAST_FREE: Final = 200 * 2**20
"""Bytes of the disk that an upload leaves for journals and reports."""
LONGEST_NAME: Final = 100
_PIECE: Final = 1 << 16
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def upload(visit: Visit) -> Response:
    """Keep the file and begin to plan it."""
    given = visit.form.get("sheet")
    if not isinstance(given, UploadFile) or not given.filename:
        raise HTTPException(400, detail="error.file")
    site = visit.site
    if shutil.disk_usage(site.settings.state_dir).free < LEAST_FREE:
        raise HTTPException(507, detail="error.room")
    about = About(Kind.PLAN, shown_name(given.filename), visit.person.name, site.clock.wall())
    prepared = site.desk.new(about)
    try:
        sha256, size = _kept(given.file, prepared.sheet)
        visit.note("uploaded", file=about.called, sha256=sha256, bytes=size, plan=prepared.name)
        begun = site.desk.plan(prepared)
    except (OSError, CourseSyncError):
        shutil.rmtree(prepared.folder, ignore_errors=True)
        raise
    return to(f"/plans/{begun.name}")


def _kept(given: BinaryIO, sheet: Path) -> tuple[str, int]:
    """Write the file where it is to lie: its digest and its bytes."""
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(sheet, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - opened above with its mode
        while piece := given.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
    return digest.hexdigest(), size


def shown_name(given: str) -> str:
    """A file's name as a text for people: its last part, without what cannot be seen, and not long."""
    import unicodedata  # noqa: PLC0415 - only here

    last = given.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char for char in last if unicodedata.category(char) not in _UNSEEN).strip()
    return seen[:LONGEST_NAME].lstrip("-") or "sheet"
