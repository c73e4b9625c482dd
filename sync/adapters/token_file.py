"""The file that keeps a sign-in between runs: private, replaced in one step, guarded by a lock of its own."""

import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.adapters.secret import Secret
from sync.errors import ConfigError, StoppedEarly
from sync.frozen import Frozen

_LOCK_WAIT_S = 120.0
_LOCK_POLL_S = 0.05
_SIGN_IN_ANEW = "Run `coursesync logout`, then sign in again."


class StoredToken(Frozen):
    """What a sign-in gave, and for whom."""

    access_token: Secret
    refresh_token: Secret | None
    expires_at: float
    """Seconds since the epoch, by our own clock."""
    lifetime_s: float
    """How long the token was good for when it was issued."""
    client_id: str
    """What the refresh token is bound to."""
    base_url: str
    username: str | None


class TokenFile:
    """`token.json` in the state directory of one account."""

    def __init__(self, state_dir: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Name the files; none is touched yet."""
        self._path = state_dir / "token.json"
        self._new_path = state_dir / "token.json.new"
        self._lock_path = state_dir / "token.lock"
        self._sleep = sleep

    def load(self) -> StoredToken | None:
        """Read the stored sign-in; `None` where there is none.

        Raises:
            ConfigError: the file is a link, another user's, readable for others, or damaged.
        """
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise ConfigError(
                f"{self._path} cannot be read: {exc.strerror}.", remedy="It has to be a plain file of your own."
            ) from exc
        with open(handle, encoding="utf-8") as file:  # noqa: PTH123 - a path could lead to another file by now
            _check_private(os.fstat(file.fileno()), self._path)
            try:
                stored = _read(json.load(file))
            except (ValueError, KeyError, TypeError):
                stored = None
        if stored is None:
            raise ConfigError(f"{self._path} is damaged.", remedy=_SIGN_IN_ANEW)
        return stored

    def save(self, token: StoredToken) -> None:
        """Put `token` into the file, on the disk before this returns; only while `locked`.

        Raises:
            StoppedEarly: the disk does not take it.
        """
        try:
            self._new_path.unlink(missing_ok=True)
            handle = os.open(self._new_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - opened above with its mode
                json.dump(_written(token), file)
                file.flush()
                os.fsync(file.fileno())
            self._new_path.replace(self._path)
            self._sync_directory()
        except OSError as exc:
            raise StoppedEarly(
                f"The sign-in cannot be stored in {self._path}: {exc.strerror}.",
                remedy="Make room or mend the rights of the folder, then resume.",
            ) from exc

    def delete(self) -> bool:
        """Remove the stored sign-in and say whether there was one; only while `locked`."""
        self._new_path.unlink(missing_ok=True)
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        self._sync_directory()
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from renewing meanwhile. Not for two threads of one process.

        Raises:
            ConfigError: the folder cannot be written.
            StoppedEarly: another process holds the lock for longer than any renewal takes.
        """
        try:
            self._lock_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Not inherited (PEP 446), or a child would hold the lock after our death.
            handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as exc:
            raise ConfigError(
                f"{self._lock_path} cannot be written: {exc.strerror}.", remedy="Choose another state directory."
            ) from exc
        try:
            self._wait_for(handle)
            yield
        finally:
            os.close(handle)

    def _wait_for(self, handle: int) -> None:
        for _ in range(int(_LOCK_WAIT_S / _LOCK_POLL_S)):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._sleep(_LOCK_POLL_S)
            else:
                return
        raise StoppedEarly(
            "Another process has been renewing the sign-in for two minutes.", remedy="End it, then resume."
        )

    def _sync_directory(self) -> None:
        handle = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _check_private(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise ConfigError(f"{path} is not a plain file of your own.", remedy=_SIGN_IN_ANEW)
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{path} is open to other users ({stat.S_IMODE(status.st_mode):o}).",
            remedy=f"Others may have read it: {_SIGN_IN_ANEW}",
        )


def _written(token: StoredToken) -> dict[str, str | float | None]:
    return {
        "access_token": token.access_token.reveal(),
        "refresh_token": token.refresh_token.reveal() if token.refresh_token else None,
        "expires_at": token.expires_at,
        "lifetime_s": token.lifetime_s,
        "client_id": token.client_id,
        "base_url": token.base_url,
        "username": token.username,
    }


def _read(content: dict[str, str]) -> StoredToken:
    refresh_token = content["refresh_token"]
    return StoredToken(
        access_token=Secret(str(content["access_token"])),
        refresh_token=Secret(refresh_token) if refresh_token else None,
        expires_at=float(content["expires_at"]),
        lifetime_s=float(content["lifetime_s"]),
        client_id=str(content["client_id"]),
        base_url=str(content["base_url"]),
        username=content["username"],
    )
