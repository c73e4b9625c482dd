"""F3 and F4: signals, a second signal, and readers that go away."""

import signal
import time

import pytest

from tests.faults.desk import Desk, put_of, rule

pytestmark = pytest.mark.e2e

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
ROWS = 20


def slow(desk: Desk, *, latency_ms: int = 100) -> None:
    """One request at a time, and a server that takes its time."""
    desk.profile(in_flight=1)
    desk.sandbox.options(latency_ms=latency_ms)
    desk.rename(ROWS)


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_signal_ends_the_run_in_good_order(number: signal.Signals, desk: Desk) -> None:
    """What is in flight is heard, the report is whole, the exit code is 128 and the signal; `resume` does the rest."""
    slow(desk)
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(3)
    running.signal(number)
    began = time.monotonic()
    ended = desk.note(running.ended())

    assert (ended.code, desk.broken()) == (CODES[number], []), ended
    assert time.monotonic() - began < 5
    assert set(desk.statuses()) == {"updated", "not_attempted"}
    desk.sandbox.options(latency_ms=0)
    again = desk.resume()
    assert (again.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), again


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_signal_while_reading_ends_with_nothing_sent(number: signal.Signals, desk: Desk) -> None:
    """Before anything is planned: the same exit code, no PUT, no run to resume."""
    slow(desk, latency_ms=1500)
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_requests(1)
    running.signal(number)
    ended = desk.note(running.ended())

    assert (ended.code, desk.sandbox.puts(), desk.broken()) == (CODES[number], [], []), ended
    assert ended.stderr.rstrip().endswith("Give the same command again."), ended


def test_an_unheard_put_at_the_time_of_a_signal_is_settled_by_resume(desk: Desk) -> None:
    """What could not be settled any more is `unknown` in the report, open in the journal, and settled by `resume`."""
    slow(desk)
    desk.profile(in_flight=1, settle_after_s=8, timeout_s=1)
    desk.sandbox.faults([rule("lose_answer", put_of(2), mode="close")])
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(5)
    running.signal(signal.SIGTERM)
    ended = desk.note(running.ended())

    assert (ended.code, desk.broken()) == (143, []), ended
    assert desk.statuses()[2] == "unknown"
    desk.profile()
    desk.sandbox.options(latency_ms=0)
    again = desk.resume()
    assert (again.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), again


def test_a_second_signal_ends_at_once(desk: Desk) -> None:
    """It says so and how to go on; the journal stays consistent, and `resume` settles what was under way."""
    slow(desk)
    desk.profile(in_flight=1, timeout_s=30)
    desk.sandbox.faults([rule("lose_answer", put_of(2), mode="hang", seconds=6)])
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(3)
    running.signal(signal.SIGTERM)
    assert running.commands.wait(running.pid, 0.5) is None, "it waits for what is in flight"
    running.signal(signal.SIGTERM)
    began = time.monotonic()
    ended = running.ended()

    assert (ended.code, time.monotonic() - began < 1) == (143, True), ended
    assert ended.stderr.endswith("Go on with `coursesync resume`.\n"), ended
    desk.profile()
    desk.sandbox.options(latency_ms=0)
    again = desk.resume()
    assert (again.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), again


def test_a_reader_that_has_gone_away_changes_nothing(desk: Desk) -> None:
    """Standard output closed: the run goes to its end, the report is whole, and the exit code is the report's."""
    desk.rename(2)
    desk.sandbox.faults([rule("status", put_of(from_nth=1), status=422)])
    ended = desk.start("apply", str(desk.sheet), "--yes", closed_stdout=True).ended()
    (out,) = (desk.state_dir / "reports").iterdir()

    assert ended.code == 4, ended
    assert {path.name for path in out.iterdir()} >= {"report.xlsx", "report.csv", "report.jsonl", "summary.json"}
    assert desk.broken() == []
