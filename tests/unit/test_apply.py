"""Sending, from the row's point of view: each line of the table "Sending", held against the server and the journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync.departures import ApplySettings
from sync.diff import digest
from sync.errors import Interrupted, OutOfAllowance, StoppedEarly
from sync.exchange import ApiError, Put, Throttled
from sync.frozen import replace
from sync.model import Status, Unchanged
from sync.ports import DesiredValue
from sync.section import Json
from sync.windows import Limit, Scope
from tests.simulation import ROBOT, Fault, Killed, SimulatedSenders
from tests.world import World

SOON = ApplySettings(settle_after_s=120.0)


def world(folder: Path, rows: int = 1, *faults: Fault, **settings: object) -> World:
    """Rows that each ask for a new title; the server obeys `faults`."""
    made = World(
        folder / "state",
        {number: {"Title": f"New {number}"} for number in range(1, rows + 1)},
        settings=replace(SOON, **settings),  # type: ignore[arg-type]  # named settings of any type
    )
    made.server.script += faults
    return made


def answers(made: World, section_id: int = 1) -> list[object]:
    """How the intents of a section ended, as the journal has it."""
    found = made.ask(f"SELECT answer FROM intents WHERE section_id = {section_id} ORDER BY number")  # noqa: S608 - a number
    return [answer for (answer,) in found]


@dataclass(frozen=True)
class Line:
    """A line of the table: what the server does, and what becomes of the row."""

    faults: Sequence[Fault]
    status: Status
    attempts: int
    http_status: int | None
    codes: Sequence[str]
    puts: int
    intents: Sequence[str]
    exit_code: int = 0


TABLE = {
    "success": Line([], Status.UPDATED, 1, 200, [], 1, ["accepted"]),
    "not delivered": Line([Fault("undelivered")], Status.UPDATED, 2, 200, [], 2, ["not_applied", "accepted"]),
    "never delivered": Line(
        [Fault("undelivered", times=9)], Status.FAILED, 3, None, ["sync.gave_up"], 3, ["not_applied"] * 3, 4
    ),
    "throttled": Line([Fault("throttle", retry_after_s=7)], Status.UPDATED, 1, 200, [], 2, ["turned_away", "accepted"]),
    "throttled without a word": Line(
        [Fault("throttle", times=5)], Status.UPDATED, 1, 200, [], 6, ["turned_away"] * 5 + ["accepted"]
    ),
    "5xx, applied": Line([Fault("broken_applied")], Status.UPDATED, 1, 500, [], 1, ["applied"]),
    "5xx, not applied": Line([Fault("broken")], Status.UPDATED, 2, 200, [], 2, ["not_applied", "accepted"]),
    "5xx for ever": Line(
        [Fault("broken", times=9, http_status=503)], Status.FAILED, 3, 503, ["sync.gave_up"], 3, ["not_applied"] * 3, 4
    ),
    "time-out, applied": Line([Fault("lost_applied")], Status.UPDATED, 1, None, [], 1, ["applied"]),
    "time-out, not applied": Line([Fault("lost")], Status.UPDATED, 2, 200, [], 2, ["not_applied", "accepted"]),
    "time-out, applied late": Line([Fault("late", delay_s=60.0)], Status.UPDATED, 1, None, [], 1, ["applied"]),
    "2xx that is no success": Line([Fault("odd")], Status.UPDATED, 2, 200, [], 2, ["not_applied", "accepted"]),
    "half of it is there": Line(
        [Fault("lost"), Fault("edit", of="read", skip=1, fields={"Title": "Theirs"})],
        Status.UNKNOWN, 1, None, ["sync.unknown", "sync.unknown_field"], 1, ["undecided"], 4,
    ),
    "only UpdatedOn has moved": Line(
        [Fault("lost"), Fault("edit", of="read", skip=1, fields={"DisplayOrder": 9})],
        Status.UNKNOWN, 1, None, ["sync.unknown", "sync.unknown_field"], 1, ["undecided"], 4,
    ),
    "rejected": Line(
        [Fault("refuse", errors=(ApiError("Title", "is taken", "New 1"), ApiError("Title", "is too long")))],
        Status.REJECTED, 1, 400, ["api.rejected", "api.rejected"], 1, ["rejected"], 4,
    ),
    "rejected for a field that the sheet does not name": Line(
        [Fault("refuse", errors=(ApiError("CustomFields", "may not be sent"),))],
        Status.REJECTED, 1, 400, ["api.rejected", "api.field_not_named"], 1, ["rejected"], 4,
    ),
    "404": Line([Fault("gone")], Status.REJECTED, 1, 404, ["api.not_found"], 1, ["rejected"], 4),
    "401 once": Line([Fault("unauthorised")], Status.UPDATED, 1, 200, [], 2, ["turned_away", "accepted"]),
    "401 twice": Line(
        [Fault("unauthorised", times=9)], Status.NOT_ATTEMPTED, 0, None, [], 2, ["turned_away"] * 2, 5
    ),
    "403 before any success": Line(
        [Fault("forbidden")], Status.NOT_ATTEMPTED, 0, None, [], 1, ["turned_away"], 5
    ),
    "redirected": Line([Fault("misdirected")], Status.NOT_ATTEMPTED, 0, None, [], 1, ["turned_away"], 5),
}  # fmt: skip


@pytest.mark.parametrize("line", TABLE.values(), ids=TABLE.keys())
def test_each_answer_leads_to_the_status_that_the_table_gives_it(tmp_path: Path, line: Line) -> None:
    """Status, attempts, issues and PUTs; the journal holds every intent with its end; no promise is broken."""
    made = world(tmp_path, 1, *line.faults)

    ending = made.apply()

    outcome = made.outcomes()[1]
    assert (outcome.status, outcome.attempts, outcome.http_status) == (line.status, line.attempts, line.http_status)
    assert [issue.code for issue in outcome.issues] == list(line.codes)
    assert (made.sent(1), answers(made), ending.exit_code) == (line.puts, list(line.intents), line.exit_code)
    assert made.broken_promises() == []


def test_an_updated_row_says_when_by_whom_and_what_was_changed(tmp_path: Path) -> None:
    """The server's own words, verified by a read, and the fields that were sent; what was made so is remembered."""
    made = world(tmp_path)
    made.apply()

    outcome, record = made.outcomes()[1], made.server.records[1]
    assert [(change.field, change.before, change.after) for change in outcome.changes] == [
        ("Title", "Section 1", "New 1")
    ]
    assert (outcome.updated_on, outcome.updated_by, outcome.verified) == (record["UpdatedOn"], ROBOT, "yes")
    assert outcome.started_at is not None
    assert outcome.finished_at is not None
    assert outcome.started_at < outcome.finished_at
    kept = made.ask("SELECT section_id, field, sent, stored FROM desired")
    assert kept == [(1, "Title", digest("Title", "New 1"), digest("Title", "New 1"))]


def test_the_body_is_the_whole_record_with_the_changes_laid_over_it(tmp_path: Path) -> None:
    """Fields that no page names are echoed; `body_omit` alone leaves one out."""
    made = world(tmp_path, 1, body_omit=frozenset({"SystemId"}))
    before = dict(made.server.records[1])
    made.apply()

    (put,) = made.server.puts
    assert isinstance(put.request, Put)
    assert put.request.body == {name: value for name, value in before.items() if name != "SystemId"} | {
        "Title": "New 1"
    }


# settling ----------------------------------------------------------------------------------------------------------


def test_an_unheard_row_is_settled_only_after_the_time_in_which_it_could_still_be_applied(tmp_path: Path) -> None:
    """A read before that would prove nothing; the read that settles also verifies, and is not repeated."""
    made = world(tmp_path, 1, Fault("lost_applied", delay_s=30.0))
    made.apply()

    (put,), (_, settling) = made.server.puts, made.server.reads
    assert settling.sent_at == pytest.approx(put.answered_at + 120.0)
    assert made.outcomes()[1].verified == "yes"


def test_other_rows_go_on_while_one_waits_to_be_settled(tmp_path: Path) -> None:
    """Two minutes of one row cost the others nothing."""
    made = world(tmp_path, 40, Fault("broken_applied", id=3))
    made.apply()

    assert set(made.statuses().values()) == {Status.UPDATED}
    assert max(put.at for put in made.server.puts) < 1010.0
    assert made.sent(3) == 1


def test_an_unknown_row_shows_before_asked_and_now(tmp_path: Path) -> None:
    """What a person needs to settle it: the three values of every changed field."""
    made = world(tmp_path, 1, Fault("lost"), Fault("edit", of="read", skip=1, fields={"Title": "Theirs"}))
    made.apply()

    said = [issue.message for issue in made.outcomes()[1].issues]
    assert said == [
        "may or may not have been applied: read time-out",
        "before “Section 1”, asked “New 1”, now “Theirs”",
    ]


@pytest.mark.parametrize(("times", "status"), [(1, Status.UPDATED), (9, Status.FAILED)])
def test_the_words_of_an_undocumented_answer_are_quoted_in_the_row_and_in_no_log(
    tmp_path: Path, times: int, status: Status
) -> None:
    """Once, as a note, whatever becomes of the row: a person may know what they mean."""
    made = world(tmp_path, 1, Fault("strange", times=times, said="Section 1 is locked by Ann"))
    made.apply()

    outcome = made.outcomes()[1]
    said = [issue.message for issue in outcome.issues if issue.code == "api.said"]
    assert (outcome.status, said) == (status, ["the server answered an attempt with: Section 1 is locked by Ann"])
    assert "Ann" not in str(made.heard.events)


def test_a_known_rewriting_settles_a_row_as_applied(tmp_path: Path) -> None:
    """The server's own form of what was sent before is no third value."""
    made = World(tmp_path / "state", {1: {"SectionContents": "<b>New"}}, settings=SOON)
    made.server.rewrite = lambda name, value: f"{value}</b>" if name == "SectionContents" else value
    made.server.script.append(Fault("lost_applied"))
    rows, known = (
        made.plan(),
        DesiredValue(digest("SectionContents", "<b>New"), digest("SectionContents", "<b>New</b>"), "2026"),
    )
    ending = made.apply_rows(rows, {rows[0].edit.id: {"SectionContents": known}} if rows[0].edit else {})

    assert (made.outcomes()[1].status, made.outcomes()[1].verified, ending.exit_code) == (Status.UPDATED, "differs", 0)


def test_a_put_that_is_applied_after_all_before_it_is_sent_again_is_not_sent_again(tmp_path: Path) -> None:
    """Settled as not applied, then delayed, then read anew: the row is found as asked, and is `updated`."""
    made = world(
        tmp_path, 2,
        Fault("late", id=1, delay_s=200.0),
        Fault("throttle", of="read", skip=2, retry_after_s=1.0),
        Fault("throttle", id=2, skip=0, times=1, retry_after_s=121.0),
        Fault("throttle", id=1, retry_after_s=100.0),
    )  # fmt: skip
    made.apply()

    applied = [put for put in made.server.puts_of(1) if not isinstance(put.answer, Throttled)]
    assert made.outcomes()[1].status is Status.UPDATED
    assert len(applied) == 1
    assert made.broken_promises() == []


# rows that moved ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "status", "puts"),
    [
        pytest.param({"Title": "Theirs"}, Status.CONFLICT, 0, id="the-same-field"),
        pytest.param({"Title": "New 1"}, Status.UNCHANGED, 0, id="the-same-value"),
        pytest.param({"DisplayOrder": 99}, Status.UPDATED, 1, id="another-field"),
    ],
)
def test_a_row_that_moved_between_plan_and_put_is_decided_again(
    tmp_path: Path, theirs: dict[str, Json], status: Status, puts: int
) -> None:
    """Somebody's edit is a conflict, or makes the row unchanged, or is kept beside ours; never written over."""
    made = world(tmp_path)
    made.server.edit_at(1000.05, 1, **theirs)
    made.apply()

    assert (made.outcomes()[1].status, made.sent(1)) == (status, puts)
    assert theirs.items() <= made.server.records[1].items()
    assert made.broken_promises() == []


def test_a_section_that_was_deleted_since_the_plan_is_rejected(tmp_path: Path) -> None:
    """Only a 404 to this very Id says so; nothing is sent."""
    made = world(tmp_path, 2)
    made.timeline.at(1000.05, lambda: made.server.records.pop(1))
    made.server.batch_at_most = 1

    made.apply()

    outcome = made.outcomes()[1]
    assert (outcome.status, outcome.http_status, [issue.code for issue in outcome.issues], made.sent(1)) == (
        Status.REJECTED, 404, ["api.not_found"], 0,
    )  # fmt: skip


def test_no_put_is_built_on_a_record_older_than_it_may_be(tmp_path: Path) -> None:
    """A wait in between, and the row is read again: here a pause of 100 s with 60 s allowed."""
    made = world(tmp_path, 5, Fault("throttle", skip=2, retry_after_s=100.0))
    made.apply()

    assert len(made.server.reads) >= 3
    assert set(made.statuses().values()) == {Status.UPDATED}
    assert made.broken_promises() == []


# verifying ---------------------------------------------------------------------------------------------------------


def test_a_success_that_was_not_stored_is_failed(tmp_path: Path) -> None:
    """The server said yes, and holds what it held: nothing is remembered, and a person must look."""
    made = world(tmp_path, 1, Fault("ignore"))
    ending = made.apply()

    outcome = made.outcomes()[1]
    assert (outcome.status, outcome.verified, [issue.code for issue in outcome.issues], ending.exit_code) == (
        Status.FAILED, "differs", ["api.not_stored"], 4,
    )  # fmt: skip
    assert made.ask("SELECT * FROM desired") == []


def test_a_value_that_the_server_rewrites_is_updated_and_does_not_come_back(tmp_path: Path) -> None:
    """It differs, is remembered as the server's form, and a second run sends nothing."""
    made = World(tmp_path / "state", {1: {"SectionContents": "<b>New"}}, settings=SOON)
    made.server.rewrite = lambda name, value: f"{value}</b>" if name == "SectionContents" else value
    ending = made.apply()

    outcome = made.outcomes()[1]
    assert (outcome.status, outcome.verified, ending.exit_code) == (Status.UPDATED, "differs", 0)
    assert [issue.code for issue in outcome.issues] == ["api.rewritten"]
    assert [row.decision for row in made.plan(made.desired())] == [Unchanged()]


def test_a_value_that_somebody_changed_after_us_is_a_conflict(tmp_path: Path) -> None:
    """The PUT was accepted, and the read after it shows a third value under another UpdatedOn."""
    made = world(tmp_path)
    made.server.script.append(Fault("edit", of="read", skip=1, fields={"Title": "Theirs"}))
    ending = made.apply()

    outcome = made.outcomes()[1]
    assert (outcome.status, outcome.verified, ending.exit_code) == (Status.CONFLICT, "differs", 4)
    assert [issue.code for issue in outcome.issues] == ["conflict.moved_on"]


def test_a_verification_that_does_not_come_about_leaves_the_row_updated(tmp_path: Path) -> None:
    """`verified` says no, with a warning; all rows of the failed read are treated alike, whatever else is under way."""
    made = world(
        tmp_path,
        4,
        Fault("broken", of="read", id=3, skip=2, times=99),
        Fault("slow", of="read", id=4, skip=2, delay_s=20.0),
    )

    def leave_out_of_batches_from_now_on(senders: SimulatedSenders) -> None:
        senders.witness = lambda request: setattr(made.server, "batch_at_most", 2) if isinstance(request, Put) else None

    made.prepare = leave_out_of_batches_from_now_on
    ending = made.apply()

    found = made.outcomes()
    assert {number: (outcome.status, outcome.verified) for number, outcome in found.items()} == {
        1: (Status.UPDATED, "yes"), 2: (Status.UPDATED, "yes"), 3: (Status.UPDATED, "no"), 4: (Status.UPDATED, "no"),
    }  # fmt: skip
    assert {issue.code for outcome in found.values() for issue in outcome.issues} == {"sync.not_verified"}
    assert ending.exit_code == 0


def test_without_verification_nothing_is_read_after_the_put(tmp_path: Path) -> None:
    """One read, one PUT; `verified` stays empty."""
    made = world(tmp_path, 1, verify=False)
    made.apply()

    assert (len(made.server.reads), len(made.server.puts), made.outcomes()[1].verified) == (1, 1, "")


# the end of a run --------------------------------------------------------------------------------------------------


def test_rows_rejected_for_the_same_reason_one_after_the_other_end_the_run(tmp_path: Path) -> None:
    """It is not the rows: the rest is `not_attempted`, and a resume goes on."""
    made = world(tmp_path, 30, Fault("refuse", times=99), stop_after=5)
    made.places = 1
    ending = made.apply()

    statuses = list(made.statuses().values())
    assert ending.exit_code == 5
    assert str(ending.stopped).startswith("5 rows in a row were rejected for the same reason.")
    assert (statuses.count(Status.REJECTED), statuses.count(Status.NOT_ATTEMPTED)) == (5, 25)


def test_a_success_or_another_reason_in_between_starts_the_count_anew(tmp_path: Path) -> None:
    """Nineteen bad rows of a thousand are nothing but bad rows."""
    made = world(
        tmp_path, 9,
        *(Fault("refuse", id=number) for number in (1, 2, 4, 5)),
        *(Fault("refuse", id=number, errors=(ApiError("Title", f"is wrong {number}"),)) for number in (6, 7, 8, 9)),
        stop_after=3,
    )  # fmt: skip
    made.places = 1
    ending = made.apply()

    assert (ending.stopped, ending.exit_code) == (None, 4)


def test_three_times_403_in_a_row_end_the_run_even_after_a_success(tmp_path: Path) -> None:
    """The first two are rejections of their rows; the third says that the role is gone."""
    made = world(tmp_path, 6, Fault("forbidden", skip=1, times=99))
    made.places = 1
    ending = made.apply()

    assert list(made.statuses().values()) == [
        Status.UPDATED, Status.REJECTED, Status.REJECTED, *[Status.NOT_ATTEMPTED] * 3,
    ]  # fmt: skip
    assert ending.exit_code == 5
    assert "CourseSection-Edit" in str(ending.stopped)


def test_an_allowance_that_is_used_up_ends_the_run_and_a_resume_goes_on(tmp_path: Path) -> None:
    """No row is failed by it: five a day, twelve rows, three days."""
    made = World(
        tmp_path / "state",
        {number: {"Title": f"New {number}"} for number in range(1, 13)},
        limits=(Limit(Scope.WRITE, 5, 86_400),),
        settings=SOON,
    )
    ending = made.apply()

    assert isinstance(ending.stopped, OutOfAllowance)
    assert ending.exit_code == 5
    assert list(made.statuses().values()) == [Status.UPDATED] * 5 + [Status.NOT_ATTEMPTED] * 7
    assert {outcome.verified for outcome in made.outcomes().values()} == {"yes", ""}
    assert made.resume_until_finished(lives=3).exit_code == 0
    assert (set(made.statuses().values()), len(made.server.puts), made.server.throttled) == (
        {Status.UPDATED}, 12, [],
    )  # fmt: skip


def test_a_throttle_that_asks_for_more_than_the_run_waits_ends_it(tmp_path: Path) -> None:
    """The wait is respected by the next start as well, which says what the server asked for."""
    made = world(tmp_path, 2, Fault("throttle", retry_after_s=20_000.0))
    made.places = 1
    ending = made.apply()

    assert (ending.exit_code, set(made.statuses().values())) == (5, {Status.NOT_ATTEMPTED})
    assert "asked to wait 5 h 34 min" in str(ending.stopped)
    assert made.heard.of("run.waiting") == [], "a run that ends does not say that it waits"
    again = made.resume()
    assert isinstance(again.stopped, OutOfAllowance)
    assert again.stopped.wait_s == pytest.approx(20_000.0, abs=1.0)
    made.clock.sleep(again.stopped.wait_s)
    assert made.resume().exit_code == 0


def test_an_absurd_wait_ends_the_run_and_locks_nobody_out(tmp_path: Path) -> None:
    """A resume says what was asked, waits a quarter of an hour at most, and goes on."""
    made = world(tmp_path, 2, Fault("throttle", retry_after_s=10.0**10))
    made.places = 1
    ending = made.apply()
    stopped_at = made.clock.boot()

    assert (ending.exit_code, set(made.statuses().values())) == (5, {Status.NOT_ATTEMPTED})
    assert made.resume().exit_code == 0
    assert "asked to wait 115741 days" in str(made.heard.of("run.waiting")[0]["why"])
    assert made.server.puts[1].sent_at == pytest.approx(stopped_at + 900.0, abs=5.0)


def test_an_interruption_waits_for_what_is_in_flight_and_sends_nothing_more(tmp_path: Path) -> None:
    """Rows whose answer comes within the grace have their status; the others were not attempted."""
    made = world(tmp_path, 40)
    made.stop_asked = lambda: (
        Interrupted("told to end", signal_number=15) if made.lives == 1 and made.clock.boot() >= 1000.35 else None
    )
    ending = made.apply()

    statuses = list(made.statuses().values())
    assert ending.exit_code == 143
    assert (statuses.count(Status.UPDATED), statuses.count(Status.NOT_ATTEMPTED)) == (8, 32)
    assert {outcome.verified for outcome in made.outcomes().values() if outcome.status is Status.UPDATED} == {"yes"}
    assert made.resume().exit_code == 0
    assert len(made.server.puts) == 40


def test_what_is_not_heard_within_the_grace_is_unknown_until_a_resume_settles_it(tmp_path: Path) -> None:
    """The run ends within half a minute; the intent stays open, and no second PUT leaves before a read."""
    made = world(tmp_path, 2, Fault("lost_applied", id=1, delay_s=60.0))
    made.stop_asked = lambda: (
        Interrupted("told to end", signal_number=2) if made.lives == 1 and made.clock.boot() >= 1000.35 else None
    )
    ending = made.apply()

    assert (ending.exit_code, made.clock.boot() <= 1030.0) == (130, True)
    assert (made.statuses()[1], answers(made)) == (Status.UNKNOWN, [None])
    assert made.resume().exit_code == 0
    assert (made.statuses()[1], made.sent(1), answers(made)) == (Status.UPDATED, 1, ["applied"])
    assert made.broken_promises() == []


def test_a_stop_asked_for_before_the_first_request_sends_nothing(tmp_path: Path) -> None:
    """Every row is `not_attempted`, and is in the journal as such."""
    made = world(tmp_path, 3)
    made.stop_asked = lambda: Interrupted("told to end", signal_number=1)
    ending = made.apply()

    assert (ending.exit_code, made.server.seen, set(made.statuses().values())) == (129, [], {Status.NOT_ATTEMPTED})


def test_a_fresh_read_that_fails_ends_the_run_and_loses_no_row(tmp_path: Path) -> None:
    """Nothing is decided on it: rows not read are `not_attempted`, a row to be settled is `unknown`."""
    made = world(tmp_path, 4, Fault("broken", id=2), Fault("broken", of="read", skip=2, times=99), ids_per_request=2)
    made.places = 1
    ending = made.apply()

    assert ending.exit_code == 5
    assert list(made.statuses().values()).count(Status.UNKNOWN) <= 1
    assert Status.FAILED not in made.statuses().values()
    made.server.script.clear()
    assert made.resume_until_finished().exit_code == 0
    assert set(made.statuses().values()) == {Status.UPDATED}
    assert made.broken_promises() == []


def test_a_refused_read_names_the_roles(tmp_path: Path) -> None:
    """The token is renewed once; then the run stops, resumable, and says which roles are needed."""
    made = world(tmp_path, 2, Fault("unauthorised", of="read", times=99))
    ending = made.apply()

    assert ending.exit_code == 5
    assert "CourseSection-Read" in str(ending.stopped)
    assert set(made.statuses().values()) == {Status.NOT_ATTEMPTED}


# tokens, retries, outages ------------------------------------------------------------------------------------------


def test_a_token_that_expires_is_renewed_once_for_all_that_is_in_flight(tmp_path: Path) -> None:
    """Eight answers of 401 are one renewal; no row loses an attempt by it."""
    made = world(tmp_path, 30)

    def expire() -> None:
        made.server.token_generation = 2

    made.timeline.at(1000.35, expire)
    made.apply()

    assert made.tokens.generation == 2
    assert {(outcome.status, outcome.attempts) for outcome in made.outcomes().values()} == {(Status.UPDATED, 1)}


def test_a_missing_role_is_not_mistaken_for_an_old_token_while_reads_succeed(tmp_path: Path) -> None:
    """PUTs are refused with every token, other requests are not: one renewal, one more try, and the run stops."""
    made = world(tmp_path, 30, Fault("unauthorised", times=999), ids_per_request=1)
    ending = made.apply()

    assert ending.exit_code == 5
    assert made.tokens.generation <= 3
    assert max(made.sent(number) for number in range(1, 31)) <= 2


def test_a_sign_in_that_cannot_be_renewed_costs_no_row_an_attempt(tmp_path: Path) -> None:
    """The run stops; rows that could not be sent for want of a token are `not_attempted` with no attempt."""
    made = world(tmp_path, 3)
    lost = StoppedEarly("There is no sign-in.", remedy="Sign in.")

    def lose(senders: SimulatedSenders) -> None:
        senders.witness = lambda request: setattr(senders, "no_sign_in", lost if isinstance(request, Put) else None)

    made.prepare = lose
    ending = made.apply()

    assert (ending.stopped, ending.exit_code) == (lost, 5)
    assert {(outcome.status, outcome.attempts) for outcome in made.outcomes().values()} == {(Status.NOT_ATTEMPTED, 0)}


def test_retries_are_at_most_a_tenth_of_all_requests_but_never_fewer_than_ten(tmp_path: Path) -> None:
    """Beyond the budget the run stops rather than add to the server's trouble."""
    made = world(tmp_path, 60, *(Fault("undelivered", id=number) for number in range(1, 61, 2)), stop_after=99)
    made.places = 1
    ending = made.apply()

    assert str(ending.stopped).startswith("Too many requests had to be repeated.")
    assert made.application is not None
    assert made.application.line.counts.retried == 10
    assert made.resume_until_finished().exit_code == 0


def test_what_a_death_left_undone_is_repeated_whatever_the_budget_of_retries(tmp_path: Path) -> None:
    """Many rows can be under way when the program dies: that they did not come about is no trouble of the server."""
    made = world(tmp_path, 60, stop_after=99)
    made.places = 30

    def die_at_once(senders: SimulatedSenders) -> None:
        def look(request: object) -> None:
            if isinstance(request, Put):
                raise Killed

        senders.witness = look

    made.prepare = die_at_once
    assert made.apply_until_dead() is None
    assert made.ask("SELECT count(*) FROM intents WHERE answer IS NULL") == [(30,)]
    made.prepare = lambda _: None
    ending = made.resume()

    assert (ending.stopped, ending.exit_code) == (None, 0)
    assert made.application is not None
    assert made.application.line.counts.retried == 30
    assert made.broken_promises() == []


def test_an_outage_opens_the_breaker_and_ends_the_run(tmp_path: Path) -> None:
    """A handful of requests meet it, a few probes look whether it is over; hundreds of rows are not burnt on it."""
    made = world(tmp_path, 200, Fault("undelivered", of="any", skip=20, times=999))
    ending = made.apply()

    assert (ending.exit_code, str(ending.stopped).startswith("The server could not be reached")) == (5, True)
    assert len([request for request in made.server.seen if request.at > 1000.0]) < 45
    assert Status.FAILED not in made.statuses().values()
    made.server.script.clear()
    assert made.resume().exit_code == 0
    assert set(made.statuses().values()) == {Status.UPDATED}


def test_a_short_outage_is_waited_out(tmp_path: Path) -> None:
    """The breaker lets one probe through at a time, and all goes on when it is answered."""
    made = world(tmp_path, 40, Fault("undelivered", of="any", skip=10, times=7))
    ending = made.apply()

    assert (ending.exit_code, set(made.statuses().values())) == (0, {Status.UPDATED})


def test_a_storm_of_throttles_fails_no_row(tmp_path: Path) -> None:
    """Every second request for a while, with and without Retry-After: only time is lost."""
    made = world(
        tmp_path, 40, *(Fault("throttle", of="any", skip=1, retry_after_s=wait_s) for wait_s in (None, 1.0, 5.0) * 7)
    )
    ending = made.apply()

    assert (ending.exit_code, set(made.statuses().values())) == (0, {Status.UPDATED})
    assert {outcome.attempts for outcome in made.outcomes().values()} == {1}
    assert made.broken_promises() == []


# dying and resuming ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dies_at", range(1, 12))
@pytest.mark.parametrize("where", ["before it leaves", "before it is heard"])
def test_a_killed_run_is_finished_by_a_resume(tmp_path: Path, where: str, dies_at: int) -> None:
    """Wherever it dies, nothing is lost and nothing is sent twice without a read between."""
    made = world(tmp_path, 3)
    made.places = 2

    def die(senders: SimulatedSenders) -> None:
        if made.lives == 1 and where == "before it leaves":
            senders.dies_before = dies_at
        elif made.lives == 1:
            senders.dies_at_turn = dies_at

    made.prepare = die
    if made.apply_until_dead() is None:
        assert made.resume().exit_code == 0

    assert set(made.statuses().values()) == {Status.UPDATED}
    assert made.ask("SELECT count(*) FROM intents WHERE answer IS NULL") == [(0,)]
    assert made.broken_promises() == []


def test_a_row_that_kills_the_program_is_set_aside_after_three_times(tmp_path: Path) -> None:
    """The fourth start leaves it alone as `unknown`, with a word that says why, and finishes the others."""
    made = world(tmp_path, 5)

    def die_at_row_3(senders: SimulatedSenders) -> None:
        def look(request: object) -> None:
            if isinstance(request, Put) and request.id == 3:
                raise Killed

        senders.witness = look

    made.prepare = die_at_row_3
    assert made.apply_until_dead() is None
    for _ in range(2):
        with pytest.raises(Killed):
            made.resume()
    ending = made.resume()

    assert (ending.stopped, ending.exit_code) == (None, 4)
    assert made.statuses() == dict.fromkeys((1, 2, 4, 5), Status.UPDATED) | {3: Status.UNKNOWN}
    assert [issue.code for issue in made.outcomes()[3].issues] == ["sync.set_aside"]
    assert (made.sent(3), answers(made, 3)) == (0, ["not_applied", "not_applied", "undecided"])


def test_rows_that_were_under_way_with_the_one_that_kills_are_not_set_aside_with_it(tmp_path: Path) -> None:
    """A row with which the program died is sent alone from then on, so that the next death is laid to one row."""
    innocent = range(1, 4)
    made = world(tmp_path, 4, *(Fault("lost", id=number, times=3) for number in innocent), attempts=9)

    def die_at_row_4(senders: SimulatedSenders) -> None:
        def look(request: object) -> None:
            if isinstance(request, Put) and request.id == 4:
                raise Killed

        senders.witness = look

    made.prepare = die_at_row_4
    assert made.apply_until_dead() is None
    for _ in range(2):
        with pytest.raises(Killed):
            made.resume()

    assert made.resume().exit_code == 4
    assert made.statuses() == dict.fromkeys(innocent, Status.UPDATED) | {4: Status.UNKNOWN}
    assert made.broken_promises() == []


def test_a_row_in_flight_at_the_end_of_a_run_that_stopped_in_good_order_is_no_death(tmp_path: Path) -> None:
    """Stopping three times while its answer is outstanding does not set a row aside."""
    made = world(tmp_path, 1, Fault("lost", times=3, delay_s=60.0), attempts=9)
    made.stop_asked = lambda: (
        Interrupted("told to end", signal_number=15) if made.lives < 4 and made.sent(1) >= made.lives else None
    )

    def tell_soon_after_a_put(senders: SimulatedSenders) -> None:
        senders.witness = lambda request: (
            made.timeline.at(made.clock.boot() + 1.0, senders.wake) if isinstance(request, Put) else None
        )

    made.prepare = tell_soon_after_a_put
    for go in (made.apply, made.resume, made.resume):
        assert go().exit_code == 143

    assert made.resume().exit_code == 0
    assert made.statuses() == {1: Status.UPDATED}


@pytest.mark.parametrize("jump_s", [86_400.0, -86_400.0], ids=["forward", "back"])
def test_after_a_death_a_wall_clock_that_jumps_settles_neither_sooner_nor_later(tmp_path: Path, jump_s: float) -> None:
    """Within a boot the boot clock decides when a read may settle: the PUT of the dead process may yet be applied."""
    made = world(tmp_path, 1, Fault("late", delay_s=100.0))

    def die_under_way(senders: SimulatedSenders) -> None:
        def look(request: object) -> None:
            if isinstance(request, Put) and made.lives == 1:
                senders.dies_at_turn = senders.turns + 2

        senders.witness = look

    made.prepare = die_under_way
    assert made.apply_until_dead() is None
    made.timeline.run_until(made.clock.boot() + 60.0)
    made.clock.jump(jump_s)

    assert made.resume().exit_code == 0
    (put,), settling = made.server.puts, made.server.reads[-1]
    assert settling.sent_at == pytest.approx(put.sent_at + 120.0, abs=0.5)
    assert (made.statuses(), made.broken_promises()) == ({1: Status.UPDATED}, [])


def test_attempts_are_bounded_over_all_processes_of_a_run(tmp_path: Path) -> None:
    """A row that was tried twice before the run was stopped has one attempt left, not three."""
    made = world(tmp_path, 1, Fault("undelivered", times=99))
    made.stop_asked = lambda: (
        Interrupted("told to end", signal_number=15) if made.lives == 1 and made.sent(1) >= 2 else None
    )

    assert made.apply().exit_code == 143
    assert made.resume().exit_code == 4
    assert (made.sent(1), made.statuses(), made.outcomes()[1].attempts) == (3, {1: Status.FAILED}, 3)


def test_a_throttle_costs_no_attempt_in_a_later_process_either(tmp_path: Path) -> None:
    """Stopped by it again and again: no row is failed because of throttling."""
    made = world(tmp_path, 1, Fault("throttle", times=5, retry_after_s=1000.0))

    assert made.apply().exit_code == 5
    for _ in range(4):
        made.clock.sleep(1001.0)
        assert made.resume().exit_code == 5
    made.clock.sleep(1001.0)

    assert made.resume().exit_code == 0
    assert (made.statuses(), made.outcomes()[1].attempts) == ({1: Status.UPDATED}, 1)


# the coordinator itself --------------------------------------------------------------------------------------------


def test_every_outcome_is_committed_before_it_is_said(tmp_path: Path) -> None:
    """Whoever hears `row.finished` finds it in the journal."""
    made = world(tmp_path, 12, Fault("refuse", id=4))
    seen: list[tuple[object, ...]] = []
    made.heard.look = lambda: seen.append(made.ask("SELECT count(*) FROM rows WHERE status <> 'not_attempted'")[0])
    made.apply()

    said = [name == "row.finished" for name, _ in made.heard.events]
    assert all(int(str(kept)) >= sum(said[: place + 1]) for place, (kept,) in enumerate(seen))
    assert sum(said) == 12


def test_the_coordinator_never_turns_idly(tmp_path: Path) -> None:
    """Turns are bounded by requests and by minutes waited: no busy loop, whatever the faults."""
    made = World(
        tmp_path / "state",
        {number: {"Title": f"New {number}"} for number in range(1, 41)},
        limits=(Limit(Scope.WRITE, 7, 30), Limit(Scope.ALL, 1, 0.1)),
        settings=SOON,
    )
    made.server.script += [Fault("lost", id=5), Fault("throttle", skip=9), Fault("broken_applied", id=11)]
    made.apply()

    minutes = (made.clock.boot() - 1000.0) / 60
    assert made.senders.turns <= 4 * len(made.server.seen) + minutes + 20


def test_a_window_of_one_request_is_waited_for_and_not_forgotten(tmp_path: Path) -> None:
    """Each answer frees its place at once, though nothing leaves with which it could be committed."""
    made = World(tmp_path / "state", {1: {"Title": "New"}, 2: {"Title": "New"}}, limits=(Limit(Scope.ALL, 1, 30),))
    ending = made.apply()

    assert (ending.exit_code, set(made.statuses().values()), made.server.throttled) == (0, {Status.UPDATED}, [])


def test_at_most_so_many_requests_are_in_flight_as_there_are_places(tmp_path: Path) -> None:
    """Eight by default, and all of them are used where latency would waste the allowance."""
    made = world(tmp_path, 60)
    made.apply()

    assert made.senders.most_under_way == 8
