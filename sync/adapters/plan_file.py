"""Saved plans on the disk: the key of the state directory that seals them, and the files themselves."""

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync.errors import ConfigError, PlanRefused
from sync.sealing import KEY_BYTES, MARKED_WITHIN, is_plan

KEY_NAME: Final = "plan.key"
_PART_PREFIX: Final = ".plan-key-"


def plan_key(state_dir: Path) -> bytes:
    """The key that seals the plans of this state directory, made at its first use: 0600, and never seen elsewhere.

    Raises:
        ConfigError: it cannot be made or read, is open to others, or is damaged.
    """
    path = state_dir / KEY_NAME
    try:
        if not path.exists():
            _make_key(path)
        _tidy_up(path.parent)
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, "rb") as file:  # noqa: PTH123 - a path could lead to another file by now
            status = os.fstat(file.fileno())
            key = file.read(2 * KEY_BYTES)
    except OSError as exc:
        raise ConfigError(
            f"{path} cannot be used: {exc.strerror}.", remedy="Mend the rights of the state directory."
        ) from exc
    if (
        not stat.S_ISREG(status.st_mode)
        or status.st_uid != os.geteuid()
        or status.st_mode & 0o077
        or len(key) < KEY_BYTES
    ):
        raise ConfigError(
            f"{path} is damaged, or open to other users.",
            remedy="Remove it: plans that it sealed are refused then, and have to be made anew.",
        )
    return key


def is_plan_file(path: Path) -> bool:
    """Whether this file is a saved plan, by its content; one that cannot be read is none."""
    try:
        with path.open("rb") as file:
            return is_plan(file.read(MARKED_WITHIN))
    except OSError:
        return False


def read_plan(path: Path) -> str:
    """The text of a saved plan, every byte of it.

    Raises:
        PlanRefused: it cannot be read, or is no text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise PlanRefused(f"The plan {path} cannot be read.", remedy="Make a new plan with `coursesync plan`.") from exc


def _make_key(path: Path) -> None:
    """Write a new key whole, or leave the one that another process was faster to write."""
    descriptor, name = tempfile.mkstemp(prefix=_PART_PREFIX, dir=path.parent)
    part = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - opened above with its mode
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError, FileNotFoundError):  # the key stands by now, and its maker has tidied up
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def _tidy_up(folder: Path) -> None:
    """Remove what a process that was killed while it made the key has left; once the key stands, nobody needs it."""
    for part in folder.glob(f"{_PART_PREFIX}*"):
        with suppress(OSError):
            part.unlink()
