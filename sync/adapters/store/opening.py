"""Open the store of a profile: trust in its folder, durable settings, the version of its shape."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, NullPool, create_engine, event, insert, select, update

from sync.adapters.store.attended import know_attended_work
from sync.adapters.store.schema import (
    SCHEMA_VERSION,
    desired,
    intents_by_time,
    intents_open,
    meta,
    metadata,
    rewritings,
    rows_by_status,
    shown,
)
from sync.adapters.store.unattended import chain_the_audit_log, know_unattended_work
from sync.errors import ConfigError, CourseSyncError, StoreNotWritten
from sync.failpoints import reach
from sync.ports import Clock

STORE_NAME = "store.sqlite3"
BUSY_S = 30
CHECKED_UP_TO = 64 * 2**20
"""Bytes of a store that is looked through when it is opened: a tenth of a second at most."""
_MOUNTS = Path("/proc/mounts")
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph"})

Migration = Callable[[Connection], None]


def _know_showings(connection: Connection) -> None:
    """Version 2 keeps what was shown of each conflict; the edits of open runs may carry a base from now on."""
    shown.create(connection, checkfirst=True)


def _keep_values(connection: Connection) -> None:
    """Version 3 keeps the desired values themselves, and what the server made of each run's; digests stay alone."""
    columns = connection.exec_driver_sql("SELECT name FROM pragma_table_info('desired')").scalars()
    if desired.c.value_json.name not in set(columns):
        connection.exec_driver_sql("ALTER TABLE desired ADD COLUMN value_json TEXT")
    rewritings.create(connection, checkfirst=True)


_NEW_IN_4 = {
    "runs": ("reported_wall FLOAT",),
    "intents": ("boot_id VARCHAR", "at_boot FLOAT", "heard_boot FLOAT"),
    "pauses": ("asked_s FLOAT",),
}


def _know_the_boot_clock(connection: Connection) -> None:
    """Version 4 keeps the boot clock of each intent, what a pause was asked for, and which reports are written.

    Runs that have ended are taken to have theirs: what an older program left out it has said, and once.
    """
    for table, columns in _NEW_IN_4.items():
        known = {row.name for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")}
        for column in columns:
            if column.split()[0] not in known:
                connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column}")
    connection.exec_driver_sql("UPDATE runs SET reported_wall = finished_wall WHERE state = 'finished'")


def _know_what_was_answered(connection: Connection) -> None:
    """Version 7 keeps with a conflict that was shown which sheet it answered; of older ones nobody knows."""
    columns = connection.exec_driver_sql("SELECT name FROM pragma_table_info('shown')").scalars()
    if shown.c.input_sha256.name not in set(columns):
        connection.exec_driver_sql("ALTER TABLE shown ADD COLUMN input_sha256 VARCHAR")


def _know_standings(connection: Connection) -> None:
    """Version 8 knows by indexes alone how a run stands: who watches one reads no row of it."""
    for index in (rows_by_status, intents_by_time, intents_open):
        index.create(connection, checkfirst=True)


_MIGRATIONS: Mapping[int, Migration] = {
    1: _know_showings,
    2: _keep_values,
    3: _know_the_boot_clock,
    4: know_unattended_work,
    5: know_attended_work,
    6: _know_what_was_answered,
    7: _know_standings,
    8: chain_the_audit_log,
}
"""From each older version to the next one."""

_TRACES = ("inputs",)
"""What only runs leave beside the store: a report may also come from a check, which needs none."""
_IS_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_IS_RIGHTS = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")
_IS_TROUBLE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL", "SQLITE_NOMEM")
_DAMAGED = "It is never started anew by itself: restore it from a copy, or move it away and plan again."
_RIGHTS = "Mend its permissions, or choose another folder with --state-dir."


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
            StoreNotWritten: the disk is full, or the store cannot be written; nothing of the block is kept.
            ConfigError: the store is damaged; nothing of the block is kept.
        """
        connection = self.connection
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            reach("store.committing")
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        reach("store.committed")

    def _roll_back(self) -> None:
        """Undo what is left of the transaction: after some errors SQLite has done so by itself."""
        raw: Any = self.connection.connection.dbapi_connection
        if raw is not None and raw.in_transaction:
            with suppress(CourseSyncError):
                self.connection.exec_driver_sql("ROLLBACK")

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


def open_store(state_dir: Path, clock: Clock, *, mounts: Path = _MOUNTS) -> Store:
    """Open the store in `state_dir`, making both if they are not there.

    `mounts` is where the system says what is mounted where.

    Raises:
        ConfigError: the folder cannot be trusted, or the store is damaged, newer than this program, or not a store.
        StoreNotWritten: the disk is full, or another process keeps the store for itself.
    """
    _trust(state_dir, mounts)
    path = state_dir / STORE_NAME
    _make_file(path)
    # Parameters are hidden: an error's text ends in logs, and they hold what sections hold.
    engine = create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT", hide_parameters=True, module=sqlite3)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "handle_error", partial(_say, path))
    with ExitStack() as undo:
        undo.callback(engine.dispose)
        connection = engine.connect()
        undo.callback(connection.close)
        store = Store(path, connection, clock)
        _look_for_damage(store)
        _shape(store)
        undo.pop_all()
    return store


def open_for_reading(state_dir: Path, clock: Clock) -> Store:
    """Open once more a store that this process has opened before: to look at it, without a word to the disk.

    Raises:
        ConfigError: it is gone, or damaged.
    """
    path = state_dir / STORE_NAME
    if not path.is_file():
        raise ConfigError(f"The store {path} is gone.", remedy=_DAMAGED)
    return Store(path, _engine_for_reading(path).connect(), clock)


@lru_cache(maxsize=4)
def _engine_for_reading(path: Path) -> Engine:
    """One for all looks at a store: it knows the statements that it has built; each look has its own connection."""
    engine = create_engine(
        f"sqlite:///{path}", isolation_level="AUTOCOMMIT", hide_parameters=True, module=sqlite3, poolclass=NullPool
    )
    event.listen(engine, "connect", _only_read)
    event.listen(engine, "handle_error", partial(_say, path))
    return engine


def _only_read(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _make_file(path: Path) -> None:
    """Make the file for its owner alone, before SQLite would; its companions get the same rights.

    One that is there is not opened here: with the first descriptor that is closed, the system takes from this process
    all locks on the file, those of other connections to it included, and others take it for unused.

    Raises:
        ConfigError: it cannot be written, or is empty though the folder has been used: it was cut off, and is never
            started anew by itself.
    """
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        path.chmod(0o600)
        if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as exc:
        raise ConfigError(f"The store {path} cannot be written: {exc.strerror}.", remedy=_RIGHTS) from exc
    if path.stat().st_size == 0 and any((path.parent / trace).exists() for trace in _TRACES):
        raise ConfigError(f"The store {path} is empty, though it has been used.", remedy=_DAMAGED)


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _say(path: Path, context: ExceptionContext) -> None:
    """Turn the driver's errors into ours, wherever a statement meets them."""
    error = context.original_exception
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_IS_DAMAGE):
        raise ConfigError(f"The store {path} is damaged: {error}.", remedy=_DAMAGED) from error
    if name.startswith(_IS_RIGHTS):
        raise ConfigError(f"The store {path} cannot be written: {error}.", remedy=_RIGHTS) from error
    if name.startswith(_IS_TROUBLE):
        raise StoreNotWritten(
            f"The store {path} could not be written: {error}.",
            remedy="Free some disk space, or wait for what else uses it, then give the same command again.",
        ) from error


def _look_for_damage(store: Store) -> None:
    """Look through the whole file, unless it is so large that every command would wait for it."""
    if store.path.stat().st_size > CHECKED_UP_TO:
        return
    found = str(store.connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    if found != "ok":
        raise ConfigError(f"The store {store.path} is damaged: {found.splitlines()[-1]}.", remedy=_DAMAGED)


def _shape(store: Store) -> None:
    with store.transaction() as connection:
        version = _version(connection, store.path)
        if version > SCHEMA_VERSION:
            raise ConfigError(
                f"The store {store.path} was written by a newer coursesync (version {version}).",
                remedy="Use that version, or another state directory.",
            )
        metadata.create_all(connection)
        for older in range(version, SCHEMA_VERSION):
            _MIGRATIONS[older](connection)
        _put_meta(connection, "schema_version", str(SCHEMA_VERSION))


def _version(connection: Connection, path: Path) -> int:
    """The version of the store's shape; this program's own for a file with nothing in it."""
    tables = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
    if not tables:
        return SCHEMA_VERSION
    found = None
    if meta.name in tables:
        found = connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar_one_or_none()
    if found is None or not found.isdecimal():
        raise ConfigError(f"{path} is no store of coursesync.", remedy="Choose another folder with --state-dir.")
    return int(found)


def _put_meta(connection: Connection, key: str, value: str) -> None:
    if connection.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount == 0:
        connection.execute(insert(meta).values(key=key, value=value))


def _trust(state_dir: Path, mounts: Path) -> None:
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
    kind = file_system_of(state_dir, mounts)
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
