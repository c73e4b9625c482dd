"""How a run stands, and which of its rows are found, by the journal alone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync.adapters.finding import Filter
from sync.adapters.store.history import begin_run
from sync.adapters.store.journal import RunJournal
from sync.adapters.store.opening import STORE_NAME, Store, open_store
from sync.adapters.store.progress import pace_of, progress_of
from sync.adapters.store.quota import QuotaLedger
from sync.adapters.store.run_rows import RunRows, outcomes_at
from sync.adapters.store.schema import SCHEMA_VERSION
from sync.adapters.store.standing import counts_by_status
from sync.frozen import replace
from sync.model import (
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
    Unchanged,
)
from sync.plan import outcome_of
from sync.ports import Intent
from tests.sections import edit, section
from tests.simulation import FakeClock

RUN = RunId("r1")
TITLE = FieldChange("Title", "Yoga", "Pilates")
CONTENTS = FieldChange("SectionContents", "<p>A</p>", "<b>Straße</b>")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, FakeClock())
    yield opened
    opened.close()


def planned() -> list[PlannedRow]:
    """Three rows to be sent, and one that is as asked."""
    rows = []
    for row, (number, course, change) in enumerate(((7, "12", TITLE), (8, "12", CONTENTS), (9, "3", TITLE)), start=2):
        asked = edit({change.field: change.after}, number=number, row=row)
        label = Label(str(number), course, f"Lesson {number}")
        rows.append(PlannedRow(asked.row, label, ToUpdate((change,), "then"), asked))
    asked = edit({"Title": "Yoga"}, number=10, row=5)
    return [*rows, PlannedRow(asked.row, Label("10", "12", "Lesson 10"), Unchanged(), asked)]


def begin(store: Store, rows: list[PlannedRow]) -> RunJournal:
    facts = RunFacts(
        RUN, "apply", "p", "u", "a", InputFacts("f", "0" * 64, "S", len(rows)), "", "xlsx", RowNumber(1), 0.0, "me"
    )
    begin_run(store, facts, [(row, outcome_of(row, to_update=Status.NOT_ATTEMPTED)) for row in rows])
    return RunJournal(store, QuotaLedger((), store.clock, owner="me", give_up_s=60.0), RUN)


def finished(row: PlannedRow, status: Status, *issues: Issue) -> Outcome:
    return replace(outcome_of(row, to_update=status), issues=issues)


def test_a_run_stands_where_its_rows_and_intents_stand(store: Store) -> None:
    """A row whose answer is open is `unknown`, and left; what was to be sent from the start never changes."""
    rows = planned()
    journal = begin(store, rows)
    with journal.batch() as batch:
        first = batch.intend(Intent(SectionId(7), 1, (TITLE,), section(7)))
        batch.intend(Intent(SectionId(8), 1, (CONTENTS,), section(8)))
        batch.close_intent(first, answer="accepted", http_status=200)
        batch.finish(finished(rows[0], Status.UPDATED))

    progress = progress_of(store, RUN)

    assert progress is not None
    assert progress.counts == {"not_attempted": 1, "unchanged": 1, "unknown": 1, "updated": 1}
    assert (progress.to_send, progress.left, progress.done) == (3, 2, 1)
    assert (progress.unheard, progress.last_minute) == (1, 2)
    assert [count for _minute, count in pace_of(store, RUN)] == [2]
    assert progress_of(store, "no such run") is None


def test_rows_are_found_while_the_run_is_at_work(store: Store) -> None:
    """By status, field, course, code and words, whatever their case; what has moved since is taken in."""
    rows = planned()
    journal = begin(store, rows)
    found = RunRows.of(store, RUN)

    assert (found.fields, found.courses) == (("SectionContents", "Title"), ("3", "12"))
    assert found.find(Filter()) == [2, 3, 4, 5]
    assert found.find(Filter(field="Title", course="12")) == [2]
    assert found.find(Filter(words="STRASSE lesson")) == [3]
    assert found.find(Filter(words="10")) == [5]
    assert found.find(Filter(status="updated")) == []
    with journal.batch() as batch:
        batch.finish(finished(rows[0], Status.UPDATED))
        batch.finish(finished(rows[2], Status.REJECTED, Issue("api.rejected", "is too long", "Title")))
    found.follow(store)

    assert found.find(Filter(status="updated")) == [2]
    assert found.find(Filter(code="api.rejected")) == found.find(Filter(words="too long")) == [4]
    assert [outcome.status for outcome in outcomes_at(store, RUN, [4, 2])] == [Status.UPDATED, Status.REJECTED]


def test_who_looks_how_a_run_stands_reads_none_of_its_rows(store: Store) -> None:
    """Rows and before-images may be long, and many watch: indexes say it all, but for the few with an open intent."""
    with begin(store, planned()).batch() as batch:
        batch.intend(Intent(SectionId(8), 1, (CONTENTS,), section(8)))
    said = []
    store.connection.connection.dbapi_connection.set_trace_callback(said.append)  # type: ignore[union-attr]  # SQLite's
    counts_by_status(store, RUN)
    pace_of(store, RUN)
    store.connection.connection.dbapi_connection.set_trace_callback(None)  # type: ignore[union-attr]  # the same

    plans = [
        row[3]
        for statement in said
        for row in store.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
        if "SEARCH" in row[3]
    ]

    assert len(said) == 4
    assert [plan for plan in plans if "COVERING INDEX" not in plan] == [
        "SEARCH rows USING INDEX rows_by_section (run_id=? AND section_id=?)"
    ], plans


def test_a_store_of_the_seventh_version_learns_to_stand(tmp_path: Path) -> None:
    """What it holds stays; only the indexes are new."""
    with closing(open_store(tmp_path, FakeClock())) as store:
        begin(store, planned())
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as old:
        for index in ("rows_by_status", "intents_by_time", "intents_open"):
            old.execute(f"DROP INDEX {index}")
        old.execute("UPDATE meta SET value = '7' WHERE key = 'schema_version'")
        old.commit()

    with closing(open_store(tmp_path, FakeClock())) as store:
        assert store.get_meta("schema_version") == str(SCHEMA_VERSION)
        assert counts_by_status(store, RUN) == {"not_attempted": 3, "unchanged": 1}
        names = store.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'index'").scalars().all()
        assert {"rows_by_status", "intents_by_time", "intents_open"} <= set(names)
