"""A sheet file to tables: the only home of pandas' readers, of calamine, and of every check of a file as a file."""

from pathlib import Path
from typing import TYPE_CHECKING

from sync.adapters.confined import Limits
from sync.adapters.spreadsheet.ahead import ReadingAhead
from sync.adapters.spreadsheet.starting import LIMITS

if TYPE_CHECKING:
    from sync.model import LoadedFile

# What reads is loaded where it is used: the process that reads loads this file, too, and is waited for.

__all__ = ["LIMITS", "Limits", "ReadingAhead", "load", "load_here"]


def load(
    path: Path, *, encoding: str | None = None, limits: Limits = LIMITS, ahead: ReadingAhead | None = None
) -> "LoadedFile":
    """Read the whole file at `path`: every sheet, every row, cells as the file holds them.

    The file is looked at here and parsed in a process of its own: whatever a file does to its reader, the caller lives.

    Args:
        path: the file.
        encoding: what a text is in that is neither UTF-8 nor marked (`cp1252`); without it such a text is refused.
        limits: what the reading process may use.
        ahead: where the reading of this file was begun already, with limits of its own; it has ended afterwards.

    Raises:
        InputError: the file is missing, too large, damaged, or not a sheet; its code and its sentence say which.
        InternalError: the reading process cannot be started at all.
    """
    from sync.adapters.spreadsheet.child import ReadingProcess  # noqa: PLC0415 - see above
    from sync.adapters.spreadsheet.container import read_content  # noqa: PLC0415 - see above

    if ahead is not None:
        return ahead.result(encoding=encoding)
    content = read_content(path)
    with ReadingProcess(limits) as reading:
        return reading.read(content, encoding=encoding, is_last=True)


def load_here(path: Path, *, encoding: str | None = None, ahead: ReadingAhead | None = None) -> "LoadedFile":
    """Read as `load` does, but in this process and without limits: for tests, on small files of their own making.

    Raises:
        InputError: as `load`.
    """
    from sync.adapters.spreadsheet.container import read_content  # noqa: PLC0415 - see above
    from sync.adapters.spreadsheet.parts import join  # noqa: PLC0415 - see above
    from sync.adapters.spreadsheet.tables import read_parts  # noqa: PLC0415 - see above

    if ahead is not None:
        ahead.close()
    return join(read_parts(read_content(path), encoding=encoding), path)
