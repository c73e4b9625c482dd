"""Be the only run of a profile, keep a copy of its sheet, and clear away what a killed one left half written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.adapters.lock import run_lock
from sync.adapters.whole_file import place_copy, sweep
from sync.bootstrap import Session
from sync.errors import InputError
from sync.frozen import replace
from sync.model import CheckedSheet
from sync.times import utc

INPUTS = "inputs"


@contextmanager
def only_run(session: Session, *, holds: str) -> Iterator[None]:
    """Hold the lock of the profile while the block runs; `holds` names the sheet or the command.

    Raises:
        LockHeld: another process holds it; the message names who.
    """
    state_dir = session.settings.state_dir
    with run_lock(state_dir / "run.lock", since=utc(session.clock.wall()), holds=holds):
        _clear_away(state_dir / INPUTS)
        yield


def _clear_away(folder: Path) -> None:
    """Remove what is half a copy; version 0.1.0 called it `.partial`."""
    sweep(folder)
    for part in folder.glob("*.partial"):
        part.unlink(missing_ok=True)


def keep_copy(checked: CheckedSheet, state_dir: Path) -> Path:
    """Keep the sheet as it was read, so that the run and its report need the operator's file no more.

    Raises:
        InputError: `sheet.changed`: the file is no longer what was read.
        FileNotWritten: the disk does not take it.
    """
    folder = state_dir / INPUTS
    folder.mkdir(mode=0o700, exist_ok=True)
    copy = folder / f"{checked.file.sha256}.{checked.file.format}"
    if not copy.exists() and not place_copy(checked.file.path, copy, sha256=checked.file.sha256):
        raise InputError(
            f"{checked.file.path.name} was changed while it was read.",
            code="sheet.changed",
            remedy="Nothing was sent. Save it, then apply it again.",
        )
    return copy


def called_so(checked: CheckedSheet, name: str) -> CheckedSheet:
    """The sheet under the name that its owner knows it by: its copy is kept, and nothing is read under this name."""
    return replace(checked, file=replace(checked.file, path=Path(name)))
