"""F14 and F19: throttles of every kind cost no row anything; too long a wait ends the run, to be resumed."""

import time

import pytest

from tests.faults.desk import Desk, put_of, rule

pytestmark = pytest.mark.e2e

PAST = "Wed, 15 Jan 2025 10:30:00 GMT"


@pytest.mark.parametrize("status", [409, 429])
@pytest.mark.parametrize(
    "retry_after",
    [
        pytest.param("0.2", id="seconds"),
        pytest.param("1", id="one"),
        pytest.param(None, id="none"),
        pytest.param("0", id="zero"),
        pytest.param("-5", id="negative"),
        pytest.param("", id="empty"),
        pytest.param("soon", id="garbage"),
        pytest.param(PAST, id="past-date"),
        pytest.param(["0.1", "0.3"], id="two-headers"),
    ],
)
def test_a_throttle_costs_a_row_nothing(status: int, retry_after: object, desk: Desk) -> None:
    """Whatever `Retry-After` says, or if it says nothing: waited, sent again, `updated` at the first attempt."""
    desk.rename(2)
    desk.sandbox.faults([rule("throttle", put_of(), status=status, retry_after=retry_after)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), ended
    assert [line["attempts"] for line in desk.lines()] == [1, 1]


def test_every_second_put_throttled(desk: Desk) -> None:
    """A storm: twenty rows, every second PUT refused; all are updated, none counts an attempt for it."""
    desk.rename(20)
    match = {"method": "PUT", "every": 2}
    desk.sandbox.faults([rule("throttle", match, status=429, retry_after="0.05")])
    ended = desk.apply()

    assert (ended.code, desk.broken()) == (0, []), ended
    assert {(line["status"], line["attempts"]) for line in desk.lines()} == {("updated", 1)}


def test_a_wait_within_the_cap_is_kept(desk: Desk) -> None:
    """No request leaves while the server asked for silence."""
    desk.profile(in_flight=1)
    desk.rename(2)
    desk.sandbox.faults([rule("throttle", put_of(), retry_after="1")])
    desk.apply()
    log = desk.sandbox.log()
    throttled = next(place for place, entry in enumerate(log) if entry["throttled"])

    assert log[throttled + 1]["arrived"] - log[throttled]["arrived"] >= 1.0
    assert desk.broken() == []


def test_a_wait_beyond_the_cap_ends_the_run(desk: Desk) -> None:
    """Exit 5, the rest `not_attempted`; going on at once does not ask the server before its time, and says why."""
    desk.rename(3)
    desk.profile(in_flight=1)
    desk.sandbox.faults([rule("throttle", put_of(1), retry_after="3600")])
    ended = desk.apply()
    asked = len(desk.sandbox.log())
    again, status, doctor = desk.resume(), desk.run("status"), desk.run("doctor")

    assert (ended.code, desk.broken()) == (5, []), ended
    assert desk.statuses()[1:] == ["not_attempted", "not_attempted"]
    assert (again.code, doctor.code, len(desk.sandbox.log())) == (5, 5, asked), again
    for said in (ended.stderr, again.stderr, status.stdout, doctor.stdout):
        assert "The server throttled, and asked to wait 60 min; the next request may leave in 6" in said


@pytest.mark.parametrize("retry_after", ["9999999999", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_absurd_wait_ends_the_run_and_locks_nobody_out(retry_after: str, desk: Desk) -> None:
    """Exit 5; going on waits no longer than a run waits, says for what, and finishes."""
    desk.rename(3)
    desk.profile(in_flight=1, wait_max_s=3)
    desk.sandbox.faults([rule("throttle", put_of(1), retry_after=retry_after)])
    ended, again = desk.apply(), desk.resume()

    assert (ended.code, "which no limit explains" in ended.stderr) == (5, True), ended
    assert (again.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 3, []), again
    assert "The server throttled, and asked to wait " in again.stderr


def test_throttles_without_an_end_end_the_run(desk: Desk) -> None:
    """A server that throttles everything: exit 5 once the next wait is too long, no row `failed`; later it goes on."""
    desk.profile(wait_max_s=1.5)
    desk.rename(3)
    desk.sandbox.faults([rule("throttle", {"method": "PUT"}, status=429, retry_after=None)])
    began = time.monotonic()
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (5, ["not_attempted"] * 3, []), ended
    assert time.monotonic() - began < 10
    desk.sandbox.faults([])
    desk.profile()
    again = desk.resume()
    assert (again.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 3, []), again


@pytest.mark.parametrize("ours", [True, False], ids=["known-to-us", "unknown-to-us"])
def test_a_server_with_limits(desk: Desk, *, ours: bool) -> None:
    """Limits of the server: known to us, it never has to refuse; unknown, its refusals are waited out."""
    limit = {"scope": "write", "count": 6, "seconds": 1.5}
    desk.profile(limits=[limit] if ours else [])
    desk.rename(12)
    desk.sandbox.options(limits=["write:6:1.5"])
    ended = desk.apply()
    throttled = sum(entry["throttled"] for entry in desk.sandbox.log())

    assert (ended.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), ended
    assert (throttled == 0) == ours
