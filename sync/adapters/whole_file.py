"""A file appears whole or not at all: written beside its place, flushed to the disk, then renamed into it."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sync.errors import CourseSyncError
from sync.failpoints import reach
from sync.frozen import Frozen

_PART_PREFIX = ".coursesync-"
_PART_SUFFIX = ".part"
_OTHER_NAMES = range(2, 10)


FileContent = bytes | Iterable[bytes]
"""Of a file: whole, or piece by piece, so that nobody holds all of it."""


class Disk:
    """The effects on the file system, in one place, so that a test can hand in a disk that fails."""

    def create(self, directory: Path) -> tuple[int, Path]:
        """Open a new file of its own name in `directory`, for its owner only (0600)."""
        descriptor, name = tempfile.mkstemp(prefix=_PART_PREFIX, suffix=_PART_SUFFIX, dir=directory)
        return descriptor, Path(name)

    def write(self, descriptor: int, content: memoryview) -> int:
        """Write what the system takes at once; return how many bytes that were."""
        return os.write(descriptor, content)

    def flush(self, descriptor: int) -> None:
        """Wait until the file's content is on the disk."""
        os.fsync(descriptor)

    def rename(self, part: Path, path: Path) -> None:
        """Put the part in its place, over a file that is there."""
        part.replace(path)

    def flush_directory(self, directory: Path) -> None:
        """Wait until the new name is on the disk; a system that cannot do so (Windows) is left alone."""
        if os.name == "nt":
            return
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Remove a file; one that is not there is no error."""
        path.unlink(missing_ok=True)


class FileNotWritten(CourseSyncError):  # noqa: N818 - reads as what happened
    """A file could not be written under any name; what lay there before is untouched."""

    def __init__(self, path: Path, reason: OSError) -> None:
        """Say which file and what the system said."""
        said = reason.strerror or str(reason)
        super().__init__(
            f"{path} could not be written: {said}.",
            remedy="Make room or choose another folder with --out, then ask for the report again.",
        )
        self.path = path
        self.reason = reason


class Placed(Frozen):
    """Where a file ended up."""

    path: Path
    note: str | None = None
    """A sentence, where it is not the place that was asked for."""


def place(path: Path, content: FileContent, *, disk: Disk | None = None) -> Placed:
    """Write `content` to `path` as a whole; where `path` cannot be replaced (open in Excel, a folder), beside it.

    Raises:
        FileNotWritten: The disk is full or fails, or no other name could be taken either. No part is left behind.
    """
    disk = disk or Disk()
    try:
        return _place(path, content, disk)
    except OSError as exc:
        raise FileNotWritten(path, exc) from exc


def place_copy(source: Path, path: Path, *, sha256: str, disk: Disk | None = None) -> bool:
    """Copy `source` to `path` as a whole; False, and nothing is there, if it is not the file that `sha256` names.

    Raises:
        FileNotWritten: The disk is full or fails, or `source` is gone. No part is left behind.
    """
    disk = disk or Disk()
    try:
        content = source.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            return False
        try:
            _place(path, content, disk)
        except FileNotFoundError:  # a run that begins in this folder now took the part for a dead process's
            _place(path, content, disk)
    except OSError as exc:
        raise FileNotWritten(path, exc) from exc
    return True


def sweep(directory: Path, *, disk: Disk | None = None) -> None:
    """Remove the parts that a killed process left in `directory`."""
    disk = disk or Disk()
    for part in directory.glob(f"{_PART_PREFIX}*{_PART_SUFFIX}"):
        with suppress(OSError):
            disk.remove(part)


def _place(path: Path, content: FileContent, disk: Disk) -> Placed:
    descriptor, part = disk.create(path.parent)
    try:
        try:
            _write_all(descriptor, content, disk)
            reach("file.flushed")
        finally:
            os.close(descriptor)
        placed = _rename(part, path, disk)
        reach("file.renamed")
        disk.flush_directory(path.parent)
    finally:
        with suppress(OSError):
            disk.remove(part)
    return placed


def _write_all(descriptor: int, content: FileContent, disk: Disk) -> None:
    for piece in (content,) if isinstance(content, bytes) else content:
        rest = memoryview(piece)
        while rest:
            rest = rest[disk.write(descriptor, rest) :]
    reach("file.written")
    disk.flush(descriptor)


def _rename(part: Path, path: Path, disk: Disk) -> Placed:
    try:
        disk.rename(part, path)
    except OSError as exc:
        refusal = exc
    else:
        return Placed(path)
    for number in _OTHER_NAMES:
        other = path.with_name(f"{path.stem} ({number}){path.suffix}")
        with suppress(OSError):
            disk.rename(part, other)
            said = refusal.strerror or str(refusal)
            return Placed(other, f"{path.name} could not be replaced ({said}): the new one is {other.name}.")
    raise refusal
