"""The store on a real disk: durable, whole, refused where it cannot be trusted; and what goes in comes out."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from sync.adapters.store import QuotaLedger, RunJournal, Store, open_store
from sync.adapters.store.history import (
    begin_run,
    end_run,
    find_run,
    open_rows,
    outcomes_of,
    recent_runs,
    unfinished_runs,
    unheard_sections,
)
from sync.adapters.store.journal import known_desired
from sync.adapters.store.opening import STORE_NAME, file_system_of
from sync.adapters.store.rowtext import edit_json, edit_of, outcome_json, outcome_of, outcome_text, read, text
from sync.adapters.store.schema import SCHEMA_VERSION
from sync.errors import ConfigError, StoppedEarly
from sync.frozen import replace
from sync.model import (
    ChangeKind,
    Edit,
    FieldChange,
    Held,
    InputFacts,
    Issue,
    Label,
    Outcome,
    PlannedRow,
    QuotaUse,
    RequestCounts,
    RowNumber,
    RunFacts,
    RunId,
    SectionId,
    Severity,
    Source,
    Status,
    ToUpdate,
    Verified,
)
from sync.pipeline import first_outcomes, unsent_outcomes
from sync.ports import PROGRAM_ENDED, Batch, DesiredValue, Intent, Stamp
from tests.built import built
from tests.simulation import FakeClock, section

RUN = RunId("20260302-091407-abcd")
OF_VERSION_4 = (
    ("runs", "reported_wall"),
    ("intents", "boot_id"),
    ("intents", "at_boot"),
    ("intents", "heard_boot"),
    ("pauses", "asked_s"),
)
CHANGE = FieldChange("Title", "Old", "New")
FACTS = RunFacts(
    run_id=RUN,
    command="apply",
    profile="test",
    base_url="https://127.0.0.1/api",
    account="mine",
    input=InputFacts("sheet.xlsx", "0" * 64, "Sections", 3),
    input_copy="inputs/0.xlsx",
    input_format="xlsx",
    header_row=RowNumber(1),
    started_wall=1000.0,
    user="me",
    issues=(Issue("heading.unknown", "is no field"),),
    plan_hash="f" * 64,
)


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    with closing(open_store(folder, FakeClock())) as store:
        yield store


def journal_of(store: Store, run_id: RunId | None = RUN) -> RunJournal:
    return RunJournal(store, QuotaLedger((), store.clock, owner="me", give_up_s=60.0), run_id)


def planned(number: int) -> PlannedRow:
    edit = Edit(RowNumber(number), SectionId(number), {"Title": "New"}, Label(str(number)))
    return PlannedRow(edit.row, Label(str(number), "7", "Old"), ToUpdate((CHANGE,), "2026"), edit)


def begin(store: Store, *, rows: int = 3, facts: RunFacts = FACTS) -> None:
    begin_run(store, facts, first_outcomes([planned(number) for number in range(2, rows + 2)]))


def updated(number: int) -> Outcome:
    return Outcome(RowNumber(number), Label(str(number)), Status.UPDATED, SectionId(number), (CHANGE,), attempts=1)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def write(store: Store, *effects: Callable[[Batch], object]) -> None:
    """All of these in one transaction."""
    with journal_of(store).batch() as batch:
        for effect in effects:
            effect(batch)


def intent(number: int, attempt: int = 1) -> Intent:
    return Intent(SectionId(number), attempt, (CHANGE,), section(number))


# opening -----------------------------------------------------------------------------------------------------------


def test_what_is_committed_is_on_disk(tmp_path: Path) -> None:
    """Write-ahead log and full synchronisation are really set: a commit survives the loss of power."""
    with opened(tmp_path) as store:
        asked = {
            name: store.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous")
        }

    assert asked == {"journal_mode": "wal", "synchronous": 2}


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """The folder is made 0700, the store and what SQLite puts beside it 0600, whatever the umask."""
    folder = tmp_path / "state"
    before = os.umask(0)
    try:
        with opened(folder) as store:
            store.set_meta("account", "mine")
            rights = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    finally:
        os.umask(before)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert set(rights) > {STORE_NAME}
    assert set(rights.values()) == {0o600}


def test_a_store_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """Nothing is read and nothing is written, not even a missing table."""
    with opened(tmp_path) as store:
        store.set_meta("schema_version", str(SCHEMA_VERSION + 1))
        store.connection.exec_driver_sql("DROP TABLE desired")

    with pytest.raises(
        ConfigError, match=rf"newer coursesync \(version {SCHEMA_VERSION + 1}\).*another state"
    ) as refusal:
        open_store(tmp_path, FakeClock())

    assert refusal.value.exit_code == 2
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as raw:
        assert raw.execute("SELECT count(*) FROM sqlite_master WHERE name = 'desired'").fetchone() == (0,)


def test_a_file_that_is_no_database_is_refused_with_the_way_on(tmp_path: Path) -> None:
    """A damaged store is never started anew by itself."""
    (tmp_path / STORE_NAME).write_bytes(b"not a database, but long enough to be looked at" * 100)

    with pytest.raises(ConfigError, match=r"damaged.*restore it from a copy, or move it away"):
        open_store(tmp_path, FakeClock())

    assert (tmp_path / STORE_NAME).read_bytes().startswith(b"not a database")


@pytest.mark.parametrize("keeps", [0.3, 0.6, 0.9], ids=["third", "two-thirds", "most"])
def test_a_store_that_was_cut_off_is_refused(tmp_path: Path, keeps: float) -> None:
    """Wherever the end is missing, the damage is met when the rows are read, and named as such."""
    with opened(tmp_path) as store:
        begin(store, rows=300)
    whole = (tmp_path / STORE_NAME).read_bytes()
    (tmp_path / STORE_NAME).write_bytes(whole[: int(len(whole) * keeps) // 4096 * 4096])

    with pytest.raises(ConfigError, match="damaged"), opened(tmp_path) as store:
        outcomes_of(store, RUN)


def test_flipped_bytes_are_found_when_the_store_is_opened(tmp_path: Path) -> None:
    """Not only when the damaged page is needed, in the middle of a run."""
    with opened(tmp_path) as store:
        begin(store, rows=300)
    content = bytearray((tmp_path / STORE_NAME).read_bytes())
    page = len(content) // 2 // 4096 * 4096
    content[page : page + 64] = b"\xff" * 64
    (tmp_path / STORE_NAME).write_bytes(content)

    with pytest.raises(ConfigError, match=r"damaged.*restore it"):
        open_store(tmp_path, FakeClock())


def test_an_emptied_store_is_refused_where_runs_have_left_their_traces(tmp_path: Path) -> None:
    """An empty file is a new store only in a folder that has never been used."""
    (tmp_path / STORE_NAME).touch()
    open_store(tmp_path, FakeClock()).close()
    (tmp_path / STORE_NAME).write_bytes(b"")
    (tmp_path / "inputs").mkdir()

    with pytest.raises(ConfigError, match="empty, though it has been used"):
        open_store(tmp_path, FakeClock())


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """Its tables are left alone, and none of ours are put beside them."""
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as raw:
        raw.execute("CREATE TABLE theirs (a)")
        raw.commit()

    with pytest.raises(ConfigError, match="no store of coursesync"):
        open_store(tmp_path, FakeClock())

    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    """Whoever owns the folder could exchange the store."""
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, 12345, 12345)

    with pytest.raises(ConfigError, match="is not yours"):
        open_store(folder, FakeClock())


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A file in its place is said, not overwritten."""
    (tmp_path / "state").write_text("a file")

    with pytest.raises(ConfigError, match=r"cannot be made.*--state-dir"):
        open_store(tmp_path / "state", FakeClock())


def test_a_store_that_cannot_be_opened_for_writing_is_refused(tmp_path: Path) -> None:
    """A folder in its place stands for every reason why the file cannot be written: root is stopped by no mode bits."""
    (tmp_path / STORE_NAME).mkdir()

    with pytest.raises(ConfigError, match=r"cannot be written.*permissions"):
        open_store(tmp_path, FakeClock())


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        pytest.param("/dev/a / ext4 rw 0 0\nserver:/x {home} nfs4 rw 0 0\n", "nfs4", id="network"),
        pytest.param("/dev/a / ext4 rw 0 0\nserver:/x {home}x nfs4 rw 0 0\n", "ext4", id="a-name-that-begins-so"),
        pytest.param("server:/x / nfs rw 0 0\ntmpfs {home} tmpfs rw 0 0\n", "tmpfs", id="the-longest-wins"),
    ],
)
def test_the_kind_of_file_system_is_that_of_the_nearest_mount(tmp_path: Path, mounts: str, kind: str) -> None:
    """On a network file system locks cannot be trusted, so it must be told from a local one."""
    (tmp_path / "home").mkdir()
    (tmp_path / "mounts").write_text(mounts.format(home=tmp_path / "home"))

    assert file_system_of(tmp_path / "home", tmp_path / "mounts") == kind


def test_a_folder_on_a_network_file_system_is_refused(tmp_path: Path) -> None:
    """F10: its locks cannot be trusted, so nothing is written there, not even an empty store."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n")

    with pytest.raises(ConfigError, match=r"network file system \(nfs4\).*--state-dir"):
        open_store(tmp_path / "state", FakeClock(), mounts=mounts)
    assert list((tmp_path / "state").iterdir()) == []


def test_a_store_that_is_opened_once_more_stays_locked_for_the_first(tmp_path: Path) -> None:
    """Another process that closes it is not the last one: what is in the write-ahead log stays there for who reads."""
    code = (
        "import sys; from pathlib import Path; from sync.adapters.clock import SystemClock;"
        "from sync.adapters.store import open_store;"
        "store = open_store(Path(sys.argv[1]), SystemClock()); store.set_meta('b', '2'); store.close()"
    )
    with opened(tmp_path) as first:
        first.set_meta("a", "1")
        open_store(tmp_path, FakeClock()).close()
        words = [sys.executable, "-c", code, str(tmp_path)]
        subprocess.run(words, cwd=Path(__file__).parents[2], check=True, timeout=60)

        assert (tmp_path / f"{STORE_NAME}-wal").is_file()
        assert (first.get_meta("a"), first.get_meta("b")) == ("1", "2")


def test_several_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    """Whoever comes first makes it, the others wait."""
    code = (
        "import sys; from pathlib import Path; from sync.adapters.clock import SystemClock;"
        "from sync.adapters.store import open_store; sys.stdin.read();"
        "open_store(Path(sys.argv[1]), SystemClock()).close()"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "state")]
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(words, cwd=root, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None

    assert [(process.communicate(timeout=60)[1], process.returncode) for process in processes] == [("", 0)] * 4


def test_a_store_of_the_third_version_is_carried_on(tmp_path: Path) -> None:
    """Its open intent is settled by the wall clock, all that it kept; ended runs are taken to have a report."""
    ended = replace(FACTS, run_id=RunId("20260301-091407-abcd"))
    with opened(tmp_path) as store:
        begin(store)
        begin(store, facts=ended)
        end_run(store, ended.run_id, state="finished", exit_code=0, finished_wall=2000.0, quota=(), stop=None)
        write(store, lambda batch: batch.intend(intent(2)))
        for table, column in OF_VERSION_4:
            store.connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
        store.set_meta("schema_version", "3")

    with opened(tmp_path) as store:
        clock = FakeClock()
        (opened_intent,) = journal_of(store).open_intents()[SectionId(2)]
        clock.sleep(50.0)
        assert (opened_intent.lost.boot, opened_intent.lost.age_s(clock)) == (None, 50.0)
        assert store.get_meta("schema_version") == str(SCHEMA_VERSION)
        assert [facts.run_id for facts in unfinished_runs(store)] == [RUN]
        reported = store.connection.exec_driver_sql("SELECT run_id, reported_wall FROM runs ORDER BY run_id").all()
        assert [tuple(row) for row in reported] == [(ended.run_id, 2000.0), (RUN, None)]


def test_the_age_of_a_moment_of_another_boot_is_bounded_by_this_boot() -> None:
    """A wall clock that was set forward while the machine was off makes nothing older than the boot."""
    clock = FakeClock()
    stamp = Stamp(clock.wall(), clock.boot(), clock.boot_id)
    clock.reboot(off_s=5.0)
    clock.jump(86_400.0)

    assert stamp.age_s(clock) == 10.0
    clock.sleep(30.0)
    assert stamp.age_s(clock) == 40.0


# transactions ------------------------------------------------------------------------------------------------------


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    """What was written before an error is gone with it, and the store goes on."""
    with opened(tmp_path) as store:
        begin(store)
        with pytest.raises(ZeroDivisionError):
            write(store, lambda batch: batch.intend(intent(2)), lambda batch: batch.finish(updated(2)), lambda _: 1 / 0)

        assert journal_of(store).open_intents() == {}
        assert {outcome.status for outcome in outcomes_of(store, RUN)} == {Status.NOT_ATTEMPTED}
        with journal_of(store).batch() as batch:
            batch.finish(updated(2))
        assert outcomes_of(store, RUN)[0] == updated(2)


def test_a_full_disk_stops_the_run_and_leaves_nothing_half_known(tmp_path: Path) -> None:
    """The run stops before anything leaves, in words that say what to do; a resume finds the last commit."""
    with opened(tmp_path) as store:
        begin(store)
        pages = store.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        store.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        big = replace(intent(2), before=section(2, SectionContents="x" * 50_000))

        with pytest.raises(StoppedEarly, match=r"full.*disk space.*same command again") as stop:
            write(store, lambda batch: batch.finish(updated(2)), lambda batch: batch.intend(big))

        assert stop.value.exit_code == 5
        assert journal_of(store).open_intents() == {}
        assert {outcome.status for outcome in outcomes_of(store, RUN)} == {Status.NOT_ATTEMPTED}
        store.connection.exec_driver_sql("PRAGMA max_page_count = 100000")
        with journal_of(store).batch() as batch:
            batch.intend(big)
        assert list(journal_of(store).open_intents()) == [2]


def test_an_error_of_the_store_quotes_no_contents(tmp_path: Path) -> None:
    """What a section holds, and what a server said, stay out of messages and tracebacks."""
    with opened(tmp_path) as store:
        begin(store)
        store.connection.exec_driver_sql("PRAGMA max_page_count = 1")
        big = replace(intent(2), before=section(2, SectionContents="secret" * 10_000))

        with pytest.raises(StoppedEarly) as stop:
            write(store, lambda batch: batch.intend(big))

        with pytest.raises(IntegrityError) as twice:
            begin(store, facts=replace(FACTS, user="secret"))

    for error in (*chain(stop.value), *chain(twice.value)):
        assert "secret" not in str(error)


# what goes in comes out --------------------------------------------------------------------------------------------

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
issues = st.lists(
    built(
        Issue,
        words,
        words,
        st.none() | words,
        st.sampled_from(Source),
        st.sampled_from(Severity),
        json_values,
        st.none() | words,
    ),
    max_size=3,
).map(tuple)
changes = st.lists(
    built(FieldChange, words, json_values, json_values, json_values, st.sampled_from(ChangeKind)), max_size=3
).map(tuple)
labels = built(Label, words, words, words)
maybe = st.none() | words
outcomes = built(
    Outcome,
    row=st.integers(1, 2**40).map(RowNumber),
    label=labels,
    status=st.sampled_from(Status),
    section_id=st.none() | st.integers(1, 2**60).map(SectionId),
    changes=changes,
    issues=issues,
    http_status=st.none() | st.integers(100, 599),
    attempts=st.integers(0, 9),
    verified=st.sampled_from(Verified),
    updated_on=maybe,
    updated_by=maybe,
    started_at=maybe,
    finished_at=maybe,
)
edits = built(
    Edit,
    row=st.integers(1, 2**40).map(RowNumber),
    id=st.integers(1, 2**60).map(SectionId),
    values=st.dictionaries(words, json_values, max_size=3),
    label=labels,
    seen_updated_on=maybe,
    read_only=st.dictionaries(words, words, max_size=3),
    command=maybe,
    issues=issues,
)


@given(outcomes)
def test_an_outcome_comes_out_as_it_went_in(outcome: Outcome) -> None:
    """Every status, every issue, every value, exactly: the report is written from this alone."""
    assert outcome_of(read(outcome_text(outcome))) == outcome
    assert outcome_text(outcome) == text(outcome_json(outcome))


@given(edits)
def test_an_edit_comes_out_as_it_went_in(edit: Edit) -> None:
    """A resume decides on the same edit as the run that began."""
    assert edit_of(read(text(edit_json(edit)))) == edit


@settings(max_examples=20)
@given(st.lists(outcomes, min_size=1, max_size=4, unique_by=lambda outcome: outcome.row))
def test_the_journal_gives_back_every_outcome_in_the_sheets_order(
    tmp_path_factory: pytest.TempPathFactory, found: list[Outcome]
) -> None:
    """Through a real file, closed and opened again in between."""
    folder = tmp_path_factory.mktemp("state")
    with opened(folder) as store:
        rows = [PlannedRow(outcome.row, outcome.label, Held(Status.SKIPPED)) for outcome in found]
        begin_run(store, FACTS, first_outcomes(rows))
        with journal_of(store).batch() as batch:
            for outcome in found:
                batch.finish(outcome)

    with opened(folder) as store:
        assert outcomes_of(store, RUN) == tuple(sorted(found, key=lambda outcome: outcome.row))


def test_outcomes_that_are_known_are_given_beside_those_that_are_read(tmp_path: Path) -> None:
    """Who has just begun the run need not read back what nothing becomes of: the whole is the same, in its order."""
    with opened(tmp_path) as store:
        held = [PlannedRow(RowNumber(row), Label(), Held(Status.SKIPPED)) for row in (2, 4, 7)]
        first = tuple(first_outcomes([*held[:2], planned(5), planned(3), held[2]]))
        begin_run(store, FACTS, first)
        with journal_of(store).batch() as batch:
            batch.finish(updated(3))

        outcomes = outcomes_of(store, RUN, unsent=unsent_outcomes(first))

        assert [outcome.row for outcome in outcomes] == [2, 3, 4, 5, 7]
        assert outcomes == outcomes_of(store, RUN)
        assert outcomes[1] == updated(3)


def test_an_intent_is_open_until_it_is_closed(tmp_path: Path) -> None:
    """Open, heard without an answer, closed: and the before-image comes back number for number."""
    record = section(2, Price=0.1, Big=2**70, Unknown=[1, 1.5, None])
    with opened(tmp_path) as store:
        begin(store)
        journal = journal_of(store)
        with journal.batch() as batch:
            first = batch.intend(Intent(SectionId(2), 1, (CHANGE,), record))
            second = batch.intend(intent(3))
        with journal.batch() as batch:
            batch.unheard(first, reason="read time-out", http_status=None)
            batch.close_intent(second, answer="accepted", http_status=200)

    with opened(tmp_path) as store:
        (opened_intent,) = journal_of(store).open_intents()[SectionId(2)]
        assert (opened_intent.intent, opened_intent.number, opened_intent.heard, opened_intent.deaths) == (
            Intent(SectionId(2), 1, (CHANGE,), record),
            first,
            True,
            0,
        )
        assert unheard_sections(store, RUN) == {2}
        assert [row.edit.id for row in open_rows(store, RUN)] == [2, 3, 4]


def test_intents_are_numbered_on_from_the_last_whoever_wrote_it(tmp_path: Path) -> None:
    """Two processes in turn, several intents in a transaction: each number is given once, and names what it was for."""
    given = {}
    with opened(tmp_path) as store, opened(tmp_path) as other:
        begin(store, rows=6)
        for journal, sections in (
            (journal_of(store), (2, 3)),
            (journal_of(other), (4, 5)),
            (journal_of(store), (6, 7)),
        ):
            with journal.batch() as batch:
                given |= {batch.intend(intent(number)): number for number in sections}
        kept = {opened.number: number for number, (opened,) in journal_of(other).open_intents().items()}

    assert given == kept == {number - 1: number for number in range(2, 8)}


def test_a_transaction_that_fails_uses_up_no_number(tmp_path: Path) -> None:
    """The next one gives it again: nothing of the first is there."""
    with opened(tmp_path) as store:
        begin(store)
        with pytest.raises(ZeroDivisionError):
            write(store, lambda batch: batch.intend(intent(2)), lambda _: 1 / 0)
        with journal_of(store).batch() as batch:
            assert batch.intend(intent(3)) == 1

        assert list(journal_of(store).open_intents()) == [3]


def test_deaths_are_counted_over_all_intents_of_a_row(tmp_path: Path) -> None:
    """An intent that nobody ever heard of, and those that an earlier resume found so, each tell of one death."""
    with opened(tmp_path) as store:
        begin(store)
        journal = journal_of(store)
        with journal.batch() as batch:
            for attempt, reason in enumerate((PROGRAM_ENDED, "read time-out", PROGRAM_ENDED), start=1):
                number = batch.intend(intent(2, attempt))
                batch.unheard(number, reason=reason, http_status=None)
                batch.close_intent(number, answer="not_applied", http_status=None)
            batch.intend(intent(2, 4))
            batch.intend(intent(3))

        found = journal.open_intents()

    assert {section_id: [item.deaths for item in items] for section_id, items in found.items()} == {2: [3], 3: [1]}


def test_a_resumed_row_is_named_as_the_plan_named_it(tmp_path: Path) -> None:
    """Course and title may come from the live record, where the sheet was silent."""
    with opened(tmp_path) as store:
        begin(store)

        assert [row.planned for row in open_rows(store, RUN)] == [planned(2), planned(3), planned(4)]


def test_a_row_that_has_its_end_is_not_open(tmp_path: Path) -> None:
    """Rejected, failed, unknown and settled: a resume leaves them alone; an open intent brings a row back."""
    with opened(tmp_path) as store:
        begin(store, rows=4)
        with journal_of(store).batch() as batch:
            for number, status in ((2, Status.REJECTED), (3, Status.UNKNOWN), (4, Status.UNKNOWN)):
                batch.finish(replace(updated(number), status=status))
            batch.intend(intent(4))

        assert [row.edit.id for row in open_rows(store, RUN)] == [4, 5]


def test_desired_values_are_kept_field_by_field_and_forgotten_so(tmp_path: Path) -> None:
    """Many sections at once, each with what was made so last."""
    value, later = DesiredValue("a" * 64, "b" * 64, "2026"), DesiredValue("c" * 64, "c" * 64)
    ids = [SectionId(number) for number in range(1, 1201)]
    with opened(tmp_path) as store:
        with journal_of(store).batch() as batch:
            for section_id in ids:
                batch.remember(section_id, {"Title": value, "Active": value})
            batch.remember(ids[0], {"Title": later})
            batch.remember(ids[0], {})
            batch.forget(ids[1], ("Title",))
            batch.forget(ids[1], ())
        found = known_desired(store, ids)

    assert len(found) == 1200
    assert found[ids[0]] == {"Title": later, "Active": value}
    assert found[ids[1]] == {"Active": value}


# runs --------------------------------------------------------------------------------------------------------------


def test_a_run_is_found_by_its_name_or_by_a_beginning_that_no_other_has(tmp_path: Path) -> None:
    """A beginning that two runs share finds neither; an exact name always wins."""
    other = replace(FACTS, run_id=RunId(f"{RUN}2"), started_wall=2000.0)
    with opened(tmp_path) as store:
        begin(store)
        begin(store, facts=other)

        assert find_run(store, RUN) == FACTS
        assert find_run(store, f"{RUN}2") == other
        assert find_run(store, "20260302") is None
        assert find_run(store, "1999") is None
        assert find_run(store, "%") is None
        assert [facts.run_id for facts in recent_runs(store)] == [other.run_id, RUN]


def test_a_finished_run_keeps_what_it_used_and_why_it_stopped(tmp_path: Path) -> None:
    """Counts add up over the lives of a run; the end is what the last one says."""
    stop = Issue("run.stopped", "The allowance is used up.", source=Source.SYNC, severity=Severity.NOTE)
    with opened(tmp_path) as store:
        begin(store)
        for reads in (1, 2):
            journal_of(store).count(reads=reads, writes=3, throttled=0, retried=1)
            end_run(store, RUN, state="stopped", exit_code=5, finished_wall=5.0, quota=[QuotaUse("w", 1, 2)], stop=stop)
        assert unfinished_runs(store) == recent_runs(store)
        (facts,) = recent_runs(store)
        end_run(store, RUN, state="finished", exit_code=0, finished_wall=6.0, quota=[], stop=None)
        assert unfinished_runs(store) == ()

    assert (facts.state, facts.exit_code, facts.stop) == ("stopped", 5, stop)
    assert facts.requests == RequestCounts(reads=3, writes=6, throttled=0, retried=2)
    assert facts.quota == (QuotaUse("w", 1, 2),)
