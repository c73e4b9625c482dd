"""F15 to F18 and F21: requests and answers that are lost, late or answered with a server's error."""

import random
import socket

import pytest

from tests.faults.desk import Desk, put_of, rule

pytestmark = pytest.mark.e2e

LOST = ["close", "reset", "hang"]


@pytest.mark.parametrize("mode", [*LOST, "truncate", "slow"])
def test_a_lost_answer_is_settled_by_reading(mode: str, desk: Desk) -> None:
    """Applied, and the answer lost on its way: `updated` after a read, one effect, never sent again."""
    desk.profile(timeout_s=0.5)
    desk.rename(3)
    desk.sandbox.faults([rule("lose_answer", put_of(), mode=mode, seconds=4)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 3, []), ended
    assert len(desk.puts()) == 1


@pytest.mark.parametrize("mode", LOST)
def test_a_lost_request_is_sent_again_after_a_read(mode: str, desk: Desk) -> None:
    """Never applied: the read shows the record as before, and it is sent once more."""
    desk.profile(timeout_s=0.5)
    desk.rename(3)
    desk.sandbox.faults([rule("lose_request", put_of(), mode=mode, seconds=4)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 3, []), ended
    assert [entry["applied"] for entry in desk.puts()] == [False, True]


def test_a_late_effect_is_waited_for(desk: Desk) -> None:
    """The server gives up the connection, then applies the PUT: the settling read comes late enough to see it."""
    desk.profile(settle_after_s=1.0)
    desk.rename(2)
    desk.sandbox.faults([rule("apply_late", put_of(), seconds=0.4)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), ended
    assert len(desk.puts()) == 1


@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not-applied"])
@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 409, 418])
def test_a_servers_error_is_unknown_until_it_is_read(status: int, desk: Desk, *, applied: bool) -> None:
    """Any status that says neither yes nor no: a read decides whether it is sent again."""
    desk.rename(2)
    desk.sandbox.faults([rule("status", put_of(), status=status, body='{"Message": "Oops"}', applied=applied)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), ended
    assert len(desk.puts()) == (1 if applied else 2)


def test_an_error_for_ever_ends_as_failed(desk: Desk) -> None:
    """Three attempts, a read after each, then the row is `failed` and the others are done: exit 4."""
    desk.rename(3)
    desk.sandbox.faults([rule("status", put_of(from_nth=1), status=500)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["failed", "updated", "updated"], []), ended
    assert len(desk.puts()) == 3


def test_nobody_listens(desk: Desk) -> None:
    """A refused connection: exit 5, nothing sent, and the reason in one line."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    desk.profile(base_url=f"http://127.0.0.1:{port}/api", timeout_s=0.5)
    desk.rename(2)
    ended = desk.apply()

    assert (ended.code, desk.broken()) == (5, []), ended
    assert ended.stderr.strip().splitlines()[-1].startswith("coursesync: The live sections could not be read")


def test_somebody_else_listens(desk: Desk) -> None:
    """A server that does not speak HTTP: exit 5, nothing sent."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        desk.profile(base_url=f"http://127.0.0.1:{mute.getsockname()[1]}/api", timeout_s=0.3)
        desk.rename(2)
        ended = desk.apply()

    assert (ended.code, desk.broken()) == (5, []), ended


TROUBLES: list[tuple[str, dict[str, object]]] = [
    ("lose_answer", {"mode": "close"}),
    ("lose_answer", {"mode": "truncate"}),
    ("lose_request", {"mode": "reset"}),
    ("status", {"status": 500, "applied": True}),
    ("status", {"status": 503}),
    ("throttle", {"retry_after": "1"}),
    ("half_json", {}),
    ("html", {}),
    ("empty", {}),
    ("wrong_id", {}),
    ("delay", {"seconds": 0.05}),
]


def stormy(desk: Desk, chance: random.Random, *, rows: int) -> None:
    """Some PUTs go wrong, each in a way of its own; every row may still be settled or sent again."""
    desk.rename(rows)
    unlucky = chance.sample(range(rows), max(2, rows // 6))
    troubles = [(number, *chance.choice(TROUBLES)) for number in unlucky]
    desk.sandbox.faults([rule(action, put_of(number), **parameters) for number, action, parameters in troubles])


@pytest.mark.parametrize("number", range(6))
def test_a_storm_of_troubles_breaks_no_promise(number: int, desk: Desk) -> None:
    """Seeded mixtures of all that can go wrong with a PUT: every row is updated in the end, each with one effect."""
    stormy(desk, random.Random(number), rows=30)
    ended = desk.apply()

    assert (ended.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), (number, ended)


@pytest.mark.parametrize("number", range(4))
def test_a_storm_with_deaths_in_it_breaks_no_promise(number: int, desk: Desk) -> None:
    """The same, killed at random points, until it is done."""
    chance = random.Random(number)
    stormy(desk, chance, rows=12)
    last = desk.apply(failpoint=f"*:{chance.randrange(30, 120)}")
    while last.was_killed:
        last = desk.go_on(failpoint=f"*:{chance.randrange(20, 250)}")

    assert (last.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), (number, last)
    desk.apply_again_sends_nothing()
    assert desk.broken() == []
