"""A run that is stopped for good: what is on its way is heard, what is open is settled, and nothing goes on with it."""

import pytest

from tests.faults.desk import Desk, put_of, rule
from tests.faults.evidence import read_journal

pytestmark = pytest.mark.e2e

ROWS = 20


def run_of(desk: Desk) -> str:
    """The one run of the journal."""
    (run_id,) = read_journal(desk.state_dir).states
    return run_id


def slow(desk: Desk, **keys: object) -> None:
    """One request at a time, and a server that takes its time."""
    desk.profile(in_flight=1, **keys)
    desk.sandbox.options(latency_ms=100)
    desk.rename(ROWS)


def test_a_run_at_work_ends_with_nothing_in_the_open(desk: Desk) -> None:
    """An answer that was lost just before is settled by reading; the rest is not attempted; exit code 4, no resume."""
    slow(desk, settle_after_s=3)
    desk.sandbox.faults([rule("lose_answer", put_of(2), mode="close")])
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(4)

    asked = desk.run("stop", run_of(desk))
    ended = desk.note(running.ended())

    assert (asked.code, ended.code, desk.broken()) == (0, 4, []), ended
    statuses = desk.statuses()
    assert statuses[:3] == ["updated"] * 3
    assert set(statuses[3:]) == {"updated", "not_attempted"}
    sent = len(desk.sandbox.puts())
    resumed = desk.run("resume", run_of(desk))
    assert (resumed.code, len(desk.sandbox.puts())) == (2, sent)
    assert "has ended" in resumed.stderr
    again = desk.run("stop", run_of(desk))
    assert again.code == 2


def test_a_run_that_died_is_settled_and_ended_without_a_put(desk: Desk) -> None:
    """Killed between a PUT and its answer: the stop reads, sends nothing, and the report says what became of each."""
    slow(desk)
    died = desk.start("apply", str(desk.sheet), "--yes", failpoint="Put.answered:3").ended()
    sent = len(desk.sandbox.puts())

    ended = desk.run("stop", run_of(desk))

    assert died.was_killed
    assert (ended.code, desk.broken()) == (4, []), ended
    assert desk.statuses().count("updated") == sent == len(desk.sandbox.puts())
    assert desk.statuses().count("not_attempted") == ROWS - sent


def test_what_cannot_be_settled_keeps_the_run_from_ending(desk: Desk) -> None:
    """An outage: the run stays as it is and can be resumed; but whoever takes it up afterwards ends it for good."""
    slow(desk)
    desk.start("apply", str(desk.sheet), "--yes", failpoint="Put.answered:3").ended()
    sent = len(desk.sandbox.puts())
    desk.profile(wait_max_s=1, timeout_s=1)
    desk.sandbox.faults([rule("status", {"method": "GET", "from_nth": 1}, status=500)])

    hindered = desk.run("stop", run_of(desk))

    assert hindered.code == 5, hindered
    assert read_journal(desk.state_dir).states[run_of(desk)][0] != "finished"
    desk.sandbox.faults([])
    desk.profile()
    ended = desk.run("stop", run_of(desk))
    assert (ended.code, len(desk.sandbox.puts()), desk.broken()) == (4, sent, []), ended


def test_the_same_sheet_begins_a_run_of_its_own(desk: Desk) -> None:
    """It is not picked up; what was done is unchanged, what was not reached is sent, and both reports are whole."""
    slow(desk)
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(3)
    desk.run("stop", run_of(desk))
    first = desk.note(running.ended())
    desk.sandbox.options(latency_ms=0)

    again = desk.apply()

    assert (first.code, again.code, desk.broken()) == (4, 0, []), again
    assert set(desk.statuses()) == {"unchanged", "updated"}
    assert len(read_journal(desk.state_dir).states) == 2
    desk.apply_again_sends_nothing()
    assert desk.broken() == []
