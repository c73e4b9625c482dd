"""What the store keeps of unattended work: states that were told, figures, and an audit log that is only added to."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync.adapters.store.audit import audit_entries, write_audit
from sync.adapters.store.opening import STORE_NAME, Store, open_store
from sync.adapters.store.schema import SCHEMA_VERSION
from sync.adapters.store.standing import keep_look, keep_state, known_states, last_look
from sync.adapters.store.unattended import TABLES
from sync.alerts import WELL, Event, Known
from tests.simulation import FakeClock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, FakeClock())
    yield opened
    opened.close()


def test_a_state_comes_back_as_it_was_kept(store: Store) -> None:
    """The later one holds; what was never in trouble leaves no trace."""
    held = Known(Event.HELD, "plan-1", 5.0, told=True)
    keep_state(store, "a", Known(Event.REFUSED, "m", 1.0, told=False))
    keep_state(store, "a", held)
    keep_state(store, "b", WELL)
    keep_state(store, "c", Known(None, "", 9.0, told=False))

    assert known_states(store) == {"a": held, "c": Known(None, "", 9.0, told=False)}


def test_the_last_look_is_remembered(store: Store) -> None:
    """By the wall clock, for people and monitors."""
    assert last_look(store) is None
    keep_look(store)

    assert last_look(store) == store.clock.wall()


def test_the_audit_log_can_only_be_added_to(store: Store) -> None:
    """Neither we nor anybody else with the file open can change or remove an entry by a plain statement."""
    write_audit(store, "run.ended", user="ada", run_id="r1", facts={"exit_code": 0})

    for statement in ("DELETE FROM audit", "UPDATE audit SET user = 'eve'"):
        with (
            closing(sqlite3.connect(store.path)) as other,
            pytest.raises(sqlite3.IntegrityError, match="only added to"),
        ):
            other.execute(statement)
    assert [(entry.user, entry.action) for entry in audit_entries(store)] == [("ada", "run.ended")]


def test_an_entry_stays_on_its_line(store: Store) -> None:
    """A user or a file name with line breaks cannot forge a second entry."""
    write_audit(store, "x", user="ada\r\nroot", facts={"file": "a\nb", "rails": ["a\rb"], "n": {"k\n": 1}})

    (entry,) = audit_entries(store)
    assert (entry.user, entry.facts) == ("ada  root", {"file": "a b", "rails": ["a b"], "n": {"k ": 1}})


def test_an_older_store_learns_of_unattended_work(tmp_path: Path) -> None:
    """A store of version 4 gets the tables, and the audit log its guards."""
    open_store(tmp_path, FakeClock()).close()
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as old:
        for table in TABLES:
            old.execute(f"DROP TABLE {table.name}")
        old.execute("UPDATE meta SET value = '4' WHERE key = 'schema_version'")
        old.commit()

    with closing(open_store(tmp_path, FakeClock())) as store:
        write_audit(store, "x", user="u", facts={})
        assert store.get_meta("schema_version") == str(SCHEMA_VERSION)
        with closing(sqlite3.connect(store.path)) as other, pytest.raises(sqlite3.IntegrityError):
            other.execute("DELETE FROM audit")
