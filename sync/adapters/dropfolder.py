"""A drop folder on disk: what lies in it, taking a file, and moving it with its report. Watchfiles' only home.

Each file that is taken gets a folder of its own below `work`, and everything about it stays in there, its report
included. So each step is one rename, which happens or does not: a process that dies loses nothing.
"""

import hashlib
import os
import stat
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync.adapters.whole_file import Disk, place
from sync.errors import ConfigError
from sync.failpoints import reach
from sync.frozen import Frozen
from sync.inbox import Place, Sight, is_temporary, readable

REPORT: Final = "report"
WHY: Final = "why.txt"
_OWNER: Final = ".coursesync-profile"
_WITH_AN_END: Final = (".xlsx", ".xlsm", ".ods")
_BLOCK: Final = 1 << 20


class DropFolder(Frozen):
    """The folder that files are dropped into, and the folders beside them."""

    root: Path

    def prepare(self, *, owner: str) -> None:
        """Make the folders; `owner` names the account that this one is for, and no other uses it.

        Raises:
            ConfigError: it is not there, cannot be written, or is another account's.
        """
        if not self.root.is_dir():
            raise ConfigError(f"There is no folder {self.root}.", remedy="Make it, or name another.")
        try:
            for each in Place:
                if not (self.root / each).is_dir():
                    (self.root / each).mkdir()
                    (self.root / each).chmod(self._mode)
            mark = self.root / Place.WORK / _OWNER
            if not mark.exists():
                place(mark, f"{owner}\n".encode())
            known = mark.read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise ConfigError(
                f"The folder {self.root} cannot be used: {exc.strerror}.", remedy="Mend its permissions."
            ) from exc
        if known != owner:
            raise ConfigError(
                f"The folder {self.root} is used for {known}, not for {owner}.", remedy="Use a folder for each account."
            )

    @property
    def _mode(self) -> int:
        """Who may drop files may fetch them, whatever the mask of this process is."""
        return stat.S_IMODE(self.root.stat().st_mode)

    def look(self, *, wall: float) -> tuple[Sight, ...]:
        """Everything that lies in the folder now."""
        found = []
        with os.scandir(self.root) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    found.append(_sight(entry, wall))
        return tuple(found)

    def at_work(self) -> tuple[str, ...]:
        """The deliveries that are not done with, the first first; folders that nothing got into are removed."""
        names = []
        for folder in sorted((self.root / Place.WORK).iterdir()):
            if folder.is_dir():
                with suppress(OSError):
                    folder.rmdir()
                    continue
                names.append(folder.name)
        return tuple(names)

    def claim(self, sight: Sight, delivery: str) -> str | None:
        """Take a file, so that no other process does; its name here, or `None` where another was faster.

        A name that is no UTF-8 (an old disk's, a strange archive's) cannot be written down: the file gets one that can.
        """
        home = self.root / Place.WORK / delivery
        home.mkdir(mode=0o700)
        reach("claim.made")
        try:
            (self.root / sight.name).rename(home / readable(sight.name))
        except FileNotFoundError:
            home.rmdir()
            return None
        reach("claim.taken")
        _flush(home, self.root)
        return readable(sight.name)

    def sheet_of(self, delivery: str, *, named: str | None = None) -> Path | None:
        """The file of a delivery at work; `named` is what it was called when it was taken. `None` where it is gone.

        A file manager or a sync client may have left files of its own beside it.
        """
        home = self.root / Place.WORK / delivery
        files = {path.name: path for path in home.iterdir() if path.is_file() and not path.is_symlink()}
        if named is not None:
            return files.get(named)
        ours = [path for name, path in files.items() if not is_temporary(name)]
        if len(ours) != 1:
            return None
        (path,) = ours
        return path if path.name == readable(path.name) else path.rename(home / readable(path.name))

    def report_folder(self, delivery: str) -> Path:
        """Where the report of a delivery at work is written: away from a sheet that may itself be called `report`."""
        return self.root / Place.WORK / delivery / REPORT

    def say_why(self, delivery: str, words: str) -> None:
        """Put a sentence with the report; without words, take away what an earlier pass had to say.

        Raises:
            FileNotWritten: the disk is full.
        """
        folder = self.report_folder(delivery)
        if not words:
            (folder / WHY).unlink(missing_ok=True)
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        place(folder / WHY, f"{words}\n".encode())

    def move(self, delivery: str, to: Place, *, source: Place = Place.WORK) -> Path:
        """Move a delivery with everything beside it; where it went."""
        self._open_as_the_sheet(self.root / source / delivery)
        goal = self.root / to / delivery
        (self.root / source / delivery).rename(goal)
        reach("delivery.moved")
        _flush(self.root / source, self.root / to)
        return goal

    def _open_as_the_sheet(self, home: Path) -> None:
        """Let those read the report who may read the sheet, and nobody else; where that cannot be, it stays closed."""
        sheet = next((path for path in home.iterdir() if path.is_file() and not path.is_symlink()), None)
        if sheet is None:
            return
        readers = stat.S_IMODE(sheet.stat().st_mode)
        closed = (0 if readers & 0o040 else 0o070) | (0 if readers & 0o004 else 0o007)
        for path in (home, *home.rglob("*")):
            with suppress(OSError):
                if path.is_dir():
                    path.chmod(self._mode & ~closed)
                elif path != sheet and not path.is_symlink():
                    path.chmod((readers & self._mode & 0o666) | 0o600)

    def old(self, *, before_wall: float) -> tuple[Path, ...]:
        """Deliveries that were done with before then: in `done`, `attention` and `refused`."""
        return tuple(
            sorted(
                folder
                for each in (Place.DONE, Place.ATTENTION, Place.REFUSED)
                if (self.root / each).is_dir()
                for folder in (self.root / each).iterdir()
                if folder.is_dir() and folder.stat().st_ctime < before_wall
            )
        )

    def changes(self, stop: threading.Event, *, at_most_s: float) -> Iterator[None]:
        """Yield whenever something happens in the folder, and every `at_most_s` seconds, until `stop` is set.

        Raises:
            ConfigError: watchfiles is not installed.
        """
        try:
            from watchfiles import watch  # noqa: PLC0415 - an extra
        except ImportError as exc:
            raise ConfigError(
                "--watch needs watchfiles, which is not installed.",
                remedy="Install the extra: pip install 'coursesync[watch]' (pins: requirements-unattended.txt).",
            ) from exc
        for _changes in watch(
            self.root,
            watch_filter=None,
            recursive=False,
            stop_event=stop,
            rust_timeout=int(at_most_s * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
        ):
            yield


def digest_of(path: Path) -> str:
    """The SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sight(entry: "os.DirEntry[str]", wall: float) -> Sight:
    is_file = entry.is_file(follow_symlinks=False)
    facts = entry.stat(follow_symlinks=False)
    return Sight(
        entry.name,
        is_file,
        facts.st_size,
        facts.st_mtime,
        (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns),
        whole=not is_file or _is_whole(Path(entry.path), facts.st_size),
        unchanged_s=wall - max(facts.st_mtime, facts.st_ctime),
    )


def _is_whole(path: Path, size: int) -> bool:
    """Whether a file has its end, as far as its kind has one."""
    if size == 0:
        return False
    if path.suffix.casefold() not in _WITH_AN_END:
        return True
    try:
        with path.open("rb") as file:
            return file.read(2) != b"PK" or zipfile.is_zipfile(file)
    except OSError:
        return True


def _flush(*folders: Path) -> None:
    """A file system that cannot do so is no reason to stop."""
    disk = Disk()
    for folder in folders:
        with suppress(OSError):
            disk.flush_directory(folder)
