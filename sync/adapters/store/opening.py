"""Open the store of a profile: trust in its folder, durable settings, the version of its shape."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, insert, select, update
from sqlalchemy.exc import DatabaseError

from sync.adapters.store.schema import SCHEMA_VERSION, meta, metadata
from sync.errors import ConfigError, StoppedEarly
from sync.failpoints import reach
from sync.ports import Clock

STORE_NAME = "store.sqlite3"
BUSY_S = 30
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph"})

Migration = Callable[[Connection], None]
_MIGRATIONS: Mapping[int, Migration] = {}
"""From each older version to the next one."""


@dataclass(slots=True)
class Store:
    """One open store; used by one coordinator."""

    path: Path
    connection: Connection
    clock: Clock

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Begin at once as the only writer, and commit durably when the block ends without an error.

        Raises:
            StoppedEarly: the disk is full, or the store cannot be written; nothing of the block is kept.
        """
        connection = self.connection
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            reach("store.committing")
            connection.exec_driver_sql("COMMIT")
            reach("store.committed")
        except DatabaseError as exc:
            self._give_up()
            raise StoppedEarly(
                f"The store {self.path} could not be written: {exc.orig}.",
                remedy="Free some disk space or mend its permissions, then `coursesync resume`.",
            ) from exc

    def _give_up(self) -> None:
        if self.connection.connection.dbapi_connection is not None and self._in_transaction():
            self.connection.exec_driver_sql("ROLLBACK")

    def _in_transaction(self) -> bool:
        raw: Any = self.connection.connection.dbapi_connection
        return bool(raw.in_transaction)

    def get_meta(self, key: str) -> str | None:
        """One of the store's own facts."""
        return self.connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar_one_or_none()

    def set_meta(self, key: str, value: str) -> None:
        """Keep one of the store's own facts."""
        with self.transaction() as connection:
            _put_meta(connection, key, value)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
        self.connection.engine.dispose()


def open_store(state_dir: Path, clock: Clock) -> Store:
    """Open the store in `state_dir`, making both if they are not there.

    Raises:
        ConfigError: the folder cannot be trusted, or the store is damaged, newer than this program, or not a store.
    """
    _trust(state_dir)
    path = state_dir / STORE_NAME
    engine = create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT")
    event.listen(engine, "connect", _configure)
    try:
        connection = engine.connect()
        store = Store(path, connection, clock)
        _shape(store)
    except DatabaseError as exc:
        raise ConfigError(
            f"The store {path} cannot be used: {exc.orig}.",
            remedy="It is never started anew by itself: restore it from a copy, or move it away and plan again.",
        ) from exc
    path.chmod(0o600)
    return store


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _shape(store: Store) -> None:
    with store.transaction() as connection:
        metadata.create_all(connection)
        found = connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar_one_or_none()
        version = SCHEMA_VERSION if found is None else int(found)
        if version > SCHEMA_VERSION:
            raise ConfigError(
                f"The store {store.path} was written by a newer coursesync (version {version}).",
                remedy="Use that version, or another state directory.",
            )
        for older in range(version, SCHEMA_VERSION):
            _MIGRATIONS[older](connection)
        _put_meta(connection, "schema_version", str(SCHEMA_VERSION))


def _put_meta(connection: Connection, key: str, value: str) -> None:
    if connection.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount == 0:
        connection.execute(insert(meta).values(key=key, value=value))


def _trust(state_dir: Path) -> None:
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = state_dir.stat()
    except OSError as exc:
        raise ConfigError(
            f"The state directory {state_dir} cannot be made: {exc.strerror}.",
            remedy="Choose another with --state-dir.",
        ) from exc
    if not state_dir.is_dir() or facts.st_uid != os.geteuid():
        raise ConfigError(f"The state directory {state_dir} is not yours.", remedy="Choose another with --state-dir.")
    if not os.access(state_dir, os.W_OK | os.X_OK):
        raise ConfigError(
            f"The state directory {state_dir} cannot be written.", remedy="Mend its permissions, or use --state-dir."
        )
    kind = file_system_of(state_dir, Path("/proc/mounts"))
    if kind in _NETWORK_FILE_SYSTEMS:
        raise ConfigError(
            f"The state directory {state_dir} lies on a network file system ({kind}), where locks cannot be trusted.",
            remedy="Choose a local one with --state-dir.",
        )


def file_system_of(folder: Path, mounts: Path) -> str | None:
    """The kind of file system that `folder` lies on, by the longest mount point above it; `None` if none tells."""
    try:
        lines: Sequence[str] = mounts.read_text().splitlines()
    except OSError:
        return None
    where = str(folder.resolve())
    best, kind = "", None
    for line in lines:
        _device, point, found, *_rest = line.split()
        inside = where == point or where.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, found
    return kind
