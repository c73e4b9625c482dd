"""What a run wrote and what was made so come back whole: values, before-images, and the server's own forms."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync.adapters.clock import SystemClock
from sync.adapters.store.history import begin_run
from sync.adapters.store.journal import RunJournal, known_desired
from sync.adapters.store.made import desired_state, keep_accepted, no_longer_desired, written_by
from sync.adapters.store.opening import STORE_NAME, Store, open_store
from sync.adapters.store.quota import QuotaLedger
from sync.adapters.store.schema import SCHEMA_VERSION
from sync.diff import digest
from sync.drift import DesiredField
from sync.model import (
    FieldChange,
    InputFacts,
    PlannedRow,
    RowNumber,
    RunFacts,
    RunId,
    SectionId,
    Status,
    ToUpdate,
    Unchanged,
)
from sync.ongoing import made_so
from sync.plan import outcome_of
from sync.ports import Batch, Intent
from sync.section import Json
from tests.sections import edit, section

RUN = RunId("r1")
TITLE = FieldChange("Title", "Yoga", "Pilates")
CONTENTS = FieldChange("SectionContents", "<p>A</p>", "<b>B")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path, SystemClock())
    yield opened
    opened.close()


def begin(store: Store, *ids: int, run_id: RunId = RUN) -> RunJournal:
    """Begin a run with a row for each section, row 2 being the last of them."""
    rows = []
    for row, number in enumerate(reversed(ids), start=2):
        asked = edit({"Title": "Pilates"}, number=number, row=row)
        rows.append(PlannedRow(asked.row, asked.label, ToUpdate((TITLE,), "then"), asked))
    facts = RunFacts(
        run_id, "apply", "p", "u", "a", InputFacts("f", "0" * 64, "S", len(ids)), "", "xlsx", RowNumber(1), 0.0, "me"
    )
    begin_run(store, facts, [(row, outcome_of(row, to_update=Status.NOT_ATTEMPTED)) for row in rows])
    return RunJournal(store, QuotaLedger((), store.clock, owner="me", give_up_s=60.0), run_id)


def intend(batch: Batch, number: int, answer: str | None, *, attempt: int = 1, before: str = "Yoga") -> None:
    """An intent, and how it ended; without an answer it is open."""
    intent = batch.intend(Intent(SectionId(number), attempt, (TITLE, CONTENTS), section(number, Title=before)))
    if answer is not None:
        batch.close_intent(intent, answer=answer, http_status=200)


def test_what_a_run_wrote_is_what_the_server_took(store: Store) -> None:
    """The intent that was accepted or found applied, with its own before-image; a refused one wrote nothing."""
    journal = begin(store, 7, 8, 9, 10, 11)
    with journal.batch() as batch:
        intend(batch, 7, "not_applied", before="seen first")
        intend(batch, 7, "accepted", attempt=2, before="seen last")
        intend(batch, 8, "rejected")
        intend(batch, 9, "applied")
        intend(batch, 10, "undecided")
        intend(batch, 11, None)

    wrote = written_by(store, RUN)

    assert [(each.row, each.id, each.certain, each.before["Title"]) for each in wrote] == [
        (2, 11, False, "Yoga"),
        (3, 10, False, "Yoga"),
        (4, 9, True, "Yoga"),
        (6, 7, True, "seen last"),
    ]
    assert wrote[-1].changes == (TITLE, CONTENTS)
    assert wrote[-1].label.id == "7"
    assert written_by(store, RunId("r2")) == ()


def test_what_the_server_made_of_a_value_stays_known_to_its_run(store: Store) -> None:
    """Also once a later run has made another value of it: whoever undoes both is told the truth about each."""
    first, second = begin(store, 7), begin(store, 7, run_id=RunId("r2"))
    stored = {"SectionContents": digest("SectionContents", "<b>B</b>")}
    with first.batch() as batch:
        intend(batch, 7, "accepted")
        batch.remember(SectionId(7), made_so((TITLE, CONTENTS), "t1"))
        batch.remember(SectionId(7), made_so((TITLE, CONTENTS), "t1", section(SectionContents="<b>B</b>")))
        batch.remember(SectionId(7), made_so((TITLE, CONTENTS), "t1", section(SectionContents="<b>B</b>")))
    with second.batch() as batch:
        batch.remember(SectionId(7), made_so((FieldChange("SectionContents", "<b>B</b>", "C"),), "t2"))

    (wrote,) = written_by(store, RUN)

    assert wrote.stored["SectionContents"] == stored["SectionContents"]


@pytest.mark.parametrize("value", ["<b>B", "", None, 5, False, "a\u2028b", {"deep": [1, 2.5]}])
def test_a_desired_value_comes_back_as_it_was_sent(store: Store, value: Json) -> None:
    """Exactly, with its run and its time: drift puts it back. `None` is a value."""
    change = FieldChange("SectionContents", "x", value)
    with begin(store, 7).batch() as batch:
        batch.remember(SectionId(7), made_so((change,), "t1"))
        batch.remember(SectionId(7), {})

    sent = digest("SectionContents", value)
    assert desired_state(store) == {7: {"SectionContents": DesiredField(value, sent, sent, "t1", RUN)}}


def test_what_is_given_up_is_forgotten_of_its_run_alone(store: Store) -> None:
    """An undo ends what its own run made so; what a later run has made of the field since stays desired."""
    first, second = begin(store, 7, 8), begin(store, 7, run_id=RunId("r2"))
    with first.batch() as batch:
        batch.remember(SectionId(7), made_so((TITLE, CONTENTS), "t1"))
        batch.remember(SectionId(8), made_so((TITLE,), "t1"))
    with second.batch() as batch:
        batch.remember(SectionId(7), made_so((FieldChange("Title", "Pilates", "Flow"),), "t2"))

    no_longer_desired(store, RUN, {SectionId(7): ("Title", "SectionContents"), SectionId(9): ("Title",)})

    assert {number: list(fields) for number, fields in desired_state(store).items()} == {7: ["Title"], 8: ["Title"]}
    assert desired_state(store)[SectionId(7)]["Title"].value == "Flow"


def test_an_accepted_value_takes_the_place_of_what_was_made_so(store: Store) -> None:
    """And of nothing else: a field that no run has named does not become desired by being looked at."""
    with begin(store, 7).batch() as batch:
        batch.remember(SectionId(7), made_so((TITLE, CONTENTS), "t1"))
    asked = edit({"Title": "Pilates", "Active": True})
    row = PlannedRow(asked.row, asked.label, Unchanged(), asked, accepted={"Title": "Theirs", "Active": False})

    keep_accepted(store, RunId("r2"), [row])

    fields = desired_state(store)[SectionId(7)]
    theirs = digest("Title", "Theirs")
    assert fields.keys() == {"Title", "SectionContents"}
    assert fields["Title"] == DesiredField("Theirs", theirs, theirs, None, RunId("r2"))


def test_a_store_that_knew_digests_only_is_carried_on(tmp_path: Path) -> None:
    """What it remembers still decides, and its drift can be told; the values themselves it never had."""
    store = open_store(tmp_path, SystemClock())
    with begin(store, 7).batch() as batch:
        intend(batch, 7, "accepted")
        batch.remember(SectionId(7), made_so((CONTENTS,), "t1", section(SectionContents="<b>B</b>")))
    store.close()
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as raw, raw:
        raw.execute("ALTER TABLE desired DROP COLUMN value_json")
        raw.execute("DROP TABLE rewritings")
        raw.execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'")

    with closing(open_store(tmp_path, SystemClock())) as store:
        (field,) = desired_state(store)[SectionId(7)].values()
        (wrote,) = written_by(store, RUN)

        assert store.get_meta("schema_version") == str(SCHEMA_VERSION)
        assert (field.value, field.value_kept, field.run_id) == (None, False, RUN)
        assert known_desired(store, [SectionId(7)])[SectionId(7)].keys() == {"SectionContents"}
        assert wrote.stored == {"SectionContents": digest("SectionContents", "<b>B</b>")}
