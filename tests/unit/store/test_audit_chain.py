"""S17: the audit log tells when it was changed by hand, around the store that refuses to change it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync.adapters.store.audit import audit_entries, first_changed, write_audit
from sync.adapters.store.opening import Store, open_store
from sync.adapters.store.schema import SCHEMA_VERSION
from tests.simulation import FakeClock

ENTRIES = 5


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, FakeClock())
    for number in range(ENTRIES):
        write_audit(opened, "page.approved", user="ada", run_id=f"r{number}", facts={"rows": number, "rails": ["x"]})
    yield opened
    opened.close()


def by_hand(store: Store, *statements: str) -> None:
    """What somebody does who can write to the file and knows how to take the guards away."""
    with closing(sqlite3.connect(store.path)) as other, other:
        for guard in ("audit_without_update", "audit_without_delete"):
            other.execute(f"DROP TRIGGER IF EXISTS {guard}")
        for statement in statements:
            other.execute(statement)


def test_s17_a_log_that_was_only_added_to_is_whole(store: Store) -> None:
    """S17: whatever was written, by one process or by several; an empty one too."""
    with closing(open_store(store.path.parent, FakeClock())) as another:
        write_audit(another, "x", user="eve", facts={"text": "ä\u2028\n", "n": 1.5, "none": None})

    assert first_changed(store) is None
    assert len(audit_entries(store)) == ENTRIES + 1


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        pytest.param("UPDATE audit SET user = 'eve' WHERE number = 3", 3, id="another-name"),
        pytest.param("UPDATE audit SET facts_json = '{}' WHERE number = 1", 1, id="other-facts"),
        pytest.param("UPDATE audit SET at_wall = at_wall + 1 WHERE number = 5", 5, id="another-time"),
        pytest.param("UPDATE audit SET chain = NULL WHERE number = 4", 4, id="out-of-the-chain"),
        pytest.param("DELETE FROM audit WHERE number = 2", 2, id="one-less"),
        pytest.param("DELETE FROM audit WHERE number = 1", 1, id="the-first"),
        pytest.param("DELETE FROM audit WHERE number = 5", 5, id="the-last"),
        pytest.param("DELETE FROM audit", 1, id="all"),
        pytest.param(
            "INSERT INTO audit SELECT 6, at_wall, at_boot, boot_id, user, host, action, run_id, facts_json, chain"
            " FROM audit WHERE number = 5",
            6,
            id="one-more",
        ),
    ],
)
def test_s17_what_is_changed_by_hand_is_found(store: Store, statement: str, changed: int) -> None:
    """S17: an entry that is another, is gone, or was put in; wherever it stands."""
    by_hand(store, statement)

    assert first_changed(store) == changed


def test_s17_entries_of_an_older_version_stay_and_the_chain_begins_after_them(tmp_path: Path) -> None:
    """S17: what was written without a chain cannot be judged; what is written from then on can."""
    with closing(open_store(tmp_path, FakeClock())) as store:
        write_audit(store, "old", user="ada", facts={})
        by_hand(store, "ALTER TABLE audit DROP COLUMN chain")
        store.set_meta("schema_version", str(SCHEMA_VERSION - 1))

    with closing(open_store(tmp_path, FakeClock())) as store:
        write_audit(store, "new", user="ada", facts={})
        assert first_changed(store) is None
        by_hand(store, "UPDATE audit SET action = 'other' WHERE number = 2")
        assert first_changed(store) == 2
