"""The audit log: who did what, when, to which sheet, and what came of it; added to, and never changed.

The store refuses any other statement. Whoever goes around that by hand breaks the chain: each entry holds a digest of
itself and of the one before it.
"""

import hashlib
import json
import socket
from collections.abc import Mapping
from typing import Final

from sqlalchemy import insert, select

from sync.adapters.store.opening import Store
from sync.adapters.store.rowtext import read, text
from sync.adapters.store.unattended import audit
from sync.frozen import Frozen
from sync.section import Json

LONGEST: Final = 300
"""Characters of one text; what is longer is cut."""
_CHAINED: Final = ("at_wall", "at_boot", "boot_id", "user", "host", "action", "run_id", "facts_json")
_ONE_LINE = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")


class Entry(Frozen):
    """One line of the audit log."""

    number: int
    at_wall: float
    user: str
    host: str
    action: str
    """`run.ended`, `run.held`, `run.approved`, `delivery.moved`, `purged` …"""
    run_id: str | None
    facts: Mapping[str, Json]


def write_audit(store: Store, action: str, *, user: str, facts: Mapping[str, Json], run_id: str | None = None) -> None:
    """Add one entry, durably; line breaks become spaces. No secret may be among the facts.

    Raises:
        StoreNotWritten: the store cannot be written.
    """
    clock = store.clock
    values = {
        "at_wall": clock.wall(),
        "at_boot": clock.boot(),
        "boot_id": clock.boot_id,
        "user": one_line(user),
        "host": socket.gethostname(),
        "action": action,
        "run_id": run_id,
        "facts_json": text({key: _plain(value) for key, value in facts.items()}),
    }
    with store.transaction() as connection:
        last = select(audit.c.chain).order_by(audit.c.number.desc()).limit(1)
        before = connection.execute(last).scalar_one_or_none()
        connection.execute(insert(audit).values(**values, chain=_link(before, values)))


def audit_entries(store: Store, *, at_most: int = 200) -> tuple[Entry, ...]:
    """The latest entries, newest first."""
    query = select(audit).order_by(audit.c.number.desc()).limit(at_most)
    return tuple(
        Entry(row.number, row.at_wall, row.user, row.host, row.action, row.run_id, read(row.facts_json))
        for row in store.connection.execute(query)
    )


def first_changed(store: Store) -> int | None:
    """The number of the first entry that is not as it was written, or is gone; `None` where the log is whole."""
    before, number = None, 0
    for found in store.connection.execute(select(audit).order_by(audit.c.number)).mappings():
        row: dict[str, object] = {str(name): value for name, value in found.items()}
        number += 1
        is_older = before is None and row["chain"] is None
        if row["number"] != number or not (is_older or row["chain"] == _link(before, row)):
            return number
        before = str(row["chain"]) if row["chain"] is not None else None
    given = store.connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").scalar()
    return None if number == (given or 0) else number + 1


def _link(before: str | None, values: Mapping[str, object]) -> str:
    """The digest that chains an entry to the one before it."""
    return hashlib.sha256(json.dumps([before, *(values[name] for name in _CHAINED)]).encode()).hexdigest()


def one_line(words: str) -> str:
    """A text that cannot begin a line of its own in a log."""
    return words.translate(_ONE_LINE)[:LONGEST]


def _plain(value: Json) -> Json:
    match value:
        case str():
            return one_line(value)
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {one_line(str(key)): _plain(each) for key, each in value.items()}
        case _:
            return value
