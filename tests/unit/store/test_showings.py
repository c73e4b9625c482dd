"""What the store keeps for the three-way comparison: the base of open rows, what was shown of conflicts."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync.adapters.clock import SystemClock
from sync.adapters.store.history import begin_run, open_rows
from sync.adapters.store.opening import STORE_NAME, Store, open_store
from sync.adapters.store.schema import SCHEMA_VERSION
from sync.adapters.store.showings import keep_showings, known_showings
from sync.diff import digest
from sync.frozen import replace
from sync.model import (
    Edit,
    FieldChange,
    InputFacts,
    Issue,
    Label,
    Outcome,
    PlannedRow,
    RowNumber,
    RunFacts,
    RunId,
    SectionId,
    Status,
    ToUpdate,
)
from sync.origin import Seen
from sync.plan import outcome_of
from tests.sections import edit

RUN = RunId("r1")
SEVEN = SectionId(7)
SEEN = Seen(
    "unique-7",
    "2026-03-02T09:14:07.250Z",
    digests={"Title": digest("Title", "Yoga"), "SectionContents": digest("SectionContents", "long"), "Active": "d"},
    shown={"Title": "Yoga", "Active": None},
)
MOVED = Issue("conflict.moved", "moved", "Title")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, SystemClock())
    yield opened
    opened.close()


def begin(store: Store, asked: Edit) -> None:
    decision = ToUpdate((FieldChange("Title", "Yoga", "Tai Chi", "Yoga"),), "then")
    row = PlannedRow(asked.row, asked.label, decision, asked)
    facts = RunFacts(
        RUN, "apply", "p", "u", "a", InputFacts("f", "0" * 64, "Sections", 1), "", "xlsx", RowNumber(1), 0.0, "me"
    )
    begin_run(store, facts, [(row, outcome_of(row, to_update=Status.NOT_ATTEMPTED))])


def conflict(live: str, *, section: int = 7, issue: Issue = MOVED, status: Status = Status.CONFLICT) -> Outcome:
    change = FieldChange("Title", live, "mine", "Yoga")
    return Outcome(RowNumber(2), Label(str(section)), status, SectionId(section), (change,), (issue,))


def test_an_open_row_keeps_what_the_operator_saw(store: Store) -> None:
    """A resumed run decides by the same base: digests, and the values that were kept, `None` among them."""
    asked = replace(edit({"Title": "Tai Chi", "Active": True}), base=SEEN, command="sheet")
    begin(store, asked)

    (row,) = open_rows(store, RUN)

    assert row.edit == asked


def test_a_store_of_the_first_version_is_carried_on(tmp_path: Path) -> None:
    """Its open rows knew no base, and nothing was shown: both are readable, and the store is of this version then."""
    store = open_store(tmp_path, SystemClock())
    begin(store, edit({"Title": "Tai Chi"}))
    store.close()
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as raw, raw:
        (written,) = raw.execute("SELECT edit_json FROM rows").fetchone()
        first = {name: value for name, value in json.loads(written).items() if name != "base"}
        raw.execute("UPDATE rows SET edit_json = ?", (json.dumps(first),))
        raw.execute("DROP TABLE shown")
        raw.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")

    store = open_store(tmp_path, SystemClock())
    (row,) = open_rows(store, RUN)
    keep_showings(store, [conflict("theirs")], by="p1")

    assert row.edit == edit({"Title": "Tai Chi"})
    assert known_showings(store, [SEVEN]) == {7: {"Title": digest("Title", "theirs")}}
    assert store.get_meta("schema_version") == str(SCHEMA_VERSION)
    store.close()


def test_the_last_showing_counts(store: Store) -> None:
    """Whoever made it: what was live then, field by field, of the sections that are asked for."""
    keep_showings(store, [conflict("theirs"), conflict("other", section=8)], by="p1")
    keep_showings(store, [conflict("theirs, again")], by="r2")

    assert known_showings(store, [SEVEN]) == {7: {"Title": digest("Title", "theirs, again")}}
    assert known_showings(store, []) == {}
    assert known_showings(store, [SectionId(9)]) == {}


def test_what_answered_this_very_sheet_was_not_shown_before_it_was_made(store: Store) -> None:
    """A run is known by its sheet, a plan says its own; another sheet may follow what was shown."""
    begin(store, edit({"Title": "Tai Chi"}))
    keep_showings(store, [conflict("theirs")], by=RUN)
    keep_showings(store, [conflict("other", section=8)], by="p1", input_sha256="1" * 64)
    ids = [SEVEN, SectionId(8)]

    assert known_showings(store, ids, to_sheet="0" * 64) == {8: {"Title": digest("Title", "other")}}
    assert known_showings(store, ids, to_sheet="1" * 64) == {7: {"Title": digest("Title", "theirs")}}
    assert set(known_showings(store, ids, to_sheet="2" * 64)) == {7, 8}


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(conflict("x", status=Status.UPDATED), id="no conflict"),
        pytest.param(conflict("x", issue=Issue("conflict.moved_on", "then changed")), id="changed after our PUT"),
        pytest.param(replace(conflict("x"), section_id=None), id="no section"),
    ],
)
def test_nothing_else_counts_as_shown(store: Store, outcome: Outcome) -> None:
    """A value that was not shown as live can never be overwritten by a choice."""
    keep_showings(store, [outcome], by="p1")

    assert known_showings(store, [SEVEN]) == {}
