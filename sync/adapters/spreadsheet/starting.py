"""Start the process that reads: all that is loaded before it, so that it loads its libraries while a command does."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sync.adapters.confined import ROOT, Limits, command, environment

if TYPE_CHECKING:
    import subprocess

ENTRY: Final = "sync.adapters.spreadsheet.entry"
LIMITS: Final = Limits()


class Kind(StrEnum):
    """The shapes that can be read."""

    XLSX = "xlsx"
    """Also .xlsm: its macros stay where they are."""
    ODS = "ods"
    CSV = "csv"


_BY_NAME: Final = {".xlsx": Kind.XLSX, ".xlsm": Kind.XLSX, ".ods": Kind.ODS, ".csv": Kind.CSV}


def kind_by_name(path: Path) -> Kind | None:
    """What the file probably is; what it is, its content alone says. `None` where its name is that of no sheet."""
    return _BY_NAME.get(path.suffix.lower())


def start(limits: Limits, first: Kind) -> "subprocess.Popen[bytes]":
    """Start the process without waiting for it: it loads the reader of this kind while the caller goes on."""
    import subprocess  # noqa: PLC0415 - the process that is started has no use for it

    return subprocess.Popen(  # noqa: S603 - this very Python, and words of our own
        [*command(ENTRY, limits), first.value],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
        close_fds=True,
        start_new_session=True,  # Ctrl-C is for us: the process ends when we end it
    )
