"""Secrets of a profile: where they are read from. Never from an option, and never from the profile itself.

The order: the service manager's credentials folder, then a file of our own, then the environment. A secret that is
given twice on the same level is refused, since nobody could tell which of the two is meant.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from sync.adapters.secret import Secret
from sync.errors import ConfigError

SECRET_MAX_BYTES = 64 * 1024
"""A longer file is something else than a secret."""


def read_secret(environ: Mapping[str, str], variable: str, *, many: bool = False) -> Secret | None:
    """Find the secret that `variable` (`COURSESYNC_TOKEN`) names.

    Looks for `$CREDENTIALS_DIRECTORY/coursesync_token`, then the file that `COURSESYNC_TOKEN_FILE` names, then
    `COURSESYNC_TOKEN` itself. An empty variable counts as absent. With `many`, it may stand on several lines.

    Raises:
        ConfigError: A file that cannot be read, is a link or is open to others; a secret that is empty, holds white
            space or control characters inside, or is given both as a file and as a variable.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    if folder:
        credential = Path(folder) / variable.lower()
        if os.path.lexists(credential):
            return _secret(_read(credential, ours=False), str(credential), variable, many=many)
    path, text = environ.get(f"{variable}_FILE", ""), environ.get(variable, "")
    if path and text:
        raise ConfigError(f"{variable} and {variable}_FILE are both set.", remedy="Keep one of them.")
    if path:
        return _secret(_read(Path(path), ours=True), path, variable, many=many)
    return _secret(text, f"the variable {variable}", variable, many=many) if text else None


def _read(path: Path, *, ours: bool) -> str:
    """Read a secret's file; one of `ours` has to be closed to others, the service manager guards its own."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if path.is_symlink():
            raise ConfigError(f"The secret's file {path} is a link.", remedy="Name the file itself.")
        descriptor = os.open(path, flags)
        try:
            _refuse_open_file(path, os.fstat(descriptor), ours=ours)
            content = os.read(descriptor, SECRET_MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise ConfigError(
            f"The secret's file {path} cannot be read: {exc.strerror}.", remedy="Check its name and owner."
        ) from exc
    if len(content) > SECRET_MAX_BYTES:
        raise ConfigError(f"The secret's file {path} is too long for a secret.", remedy="Check its name.")
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ConfigError(f"The secret's file {path} is not text.", remedy="Save it as UTF-8.") from None


def _refuse_open_file(path: Path, facts: os.stat_result, *, ours: bool) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise ConfigError(f"The secret's file {path} is no regular file.", remedy="Name a file.")
    if not ours or os.name != "posix":
        return
    if facts.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"The secret's file {path} belongs to another user.", remedy=f"chown it, then chmod 600 {path}"
        )
    if facts.st_mode & 0o077:
        raise ConfigError(
            f"The secret's file {path} is open to other users (mode {stat.S_IMODE(facts.st_mode):04o}).",
            remedy=f"chmod 600 {path}",
        )


def _secret(text: str, place: str, variable: str, *, many: bool) -> Secret:
    """Wrap what was found; a token travels in a header, where only visible ASCII can stand."""
    if not text:
        raise ConfigError(f"The secret in {place} is empty.", remedy="Write it there, or take the setting away.")
    if many:
        text = " ".join(text.split())
    is_header = variable.endswith("_TOKEN")
    if not text.isprintable() or (is_header and (" " in text or not text.isascii())):
        raise ConfigError(
            f"The secret in {place} holds a line break or another character that it cannot have.",
            remedy="Copy the bare secret, on one line.",
        )
    return Secret(text)
