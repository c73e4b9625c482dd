"""F22 and F23: answers that are not the documented one, and answers that lead elsewhere."""

import socket

import pytest

from tests.faults.desk import Desk, put_of, rule

pytestmark = pytest.mark.e2e

ODD: list[tuple[str, dict[str, object]]] = [
    ("html", {}),
    ("empty", {}),
    ("half_json", {}),
    ("wrong_id", {}),
    ("wrong_content_type", {}),
    ("not_successful", {}),
    ("huge", {"bytes": 20_000_000}),
    ("gzip_bomb", {"bytes": 50_000_000}),
    ("status", {"status": 200, "body": "[]"}),
    ("status", {"status": 200, "body": '{"WasSuccessful": "true"}'}),
    ("status", {"status": 201, "body": "{}"}),
    ("status", {"status": 204}),
    ("status", {"status": 400, "body": ""}),
]
IDS = [f"{action}{parameters.get('status', '')}-{number}" for number, (action, parameters) in enumerate(ODD)]


@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not-applied"])
@pytest.mark.parametrize(("action", "parameters"), ODD, ids=IDS)
def test_only_a_read_makes_it_updated(action: str, parameters: dict[str, object], desk: Desk, *, applied: bool) -> None:
    """None of these is a success: the read finds it applied, or as before, and then it is sent once more."""
    desk.rename(2)
    desk.sandbox.faults([rule(action, put_of(), applied=applied, **parameters)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), ended
    assert len(desk.puts()) == (1 if applied else 2)


@pytest.mark.parametrize(("action", "parameters"), [ODD[0], ODD[5], ODD[9]], ids=["html", "not-successful", "almost"])
def test_an_odd_answer_for_ever_is_never_updated(action: str, parameters: dict[str, object], desk: Desk) -> None:
    """Nothing is ever applied, whatever the answers look like: `failed` after three attempts, exit 4."""
    desk.rename(2)
    desk.sandbox.faults([rule(action, put_of(from_nth=1), applied=False, **parameters)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["failed", "updated"], []), ended


ERRORS = '{"Message": "Title: is taken", "Errors": [{"PropertyName": "Title", "Message": "is taken"}]}'


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, ERRORS), (404, "{}"), (413, ""), (422, ""), (422, ERRORS)],
    ids=["400", "404", "413", "422", "422-with-errors"],
)
def test_a_refusal_is_reported_and_not_repeated(status: int, body: str, desk: Desk) -> None:
    """`rejected`, sent once; the other rows go on."""
    desk.rename(3)
    desk.sandbox.faults([rule("status", put_of(1), status=status, body=body)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["updated", "rejected", "updated"], []), ended
    assert len(desk.puts(1)) == 1


def test_a_refusal_under_200_is_a_refusal(desk: Desk) -> None:
    """`WasSuccessful: false` with `Errors` in an answer of status 200."""
    desk.rename(2)
    errors = [{"AttemptedValue": None, "Message": "is taken", "PropertyName": "Title"}]
    desk.sandbox.faults([rule("not_successful", put_of(), errors=errors)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["rejected", "updated"], []), ended


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_redirect_is_never_followed(status: int, method: str, desk: Desk) -> None:
    """The run stops: 2 while nothing was sent, 5 afterwards; nobody is seen where the redirect leads."""
    desk.profile(in_flight=1)
    desk.rename(3)
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        location = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/api/content/coursesections"
        desk.sandbox.faults([rule("redirect", {"method": method}, status=status, location=location)])
        ended = desk.apply()
        with pytest.raises(BlockingIOError):
            elsewhere.accept()

    assert (ended.code, desk.broken()) == (2 if method == "GET" else 5, []), ended
    assert len(desk.sandbox.log()) == {"GET": 1, "PUT": 3}[method]
    if method == "PUT":
        assert desk.statuses() == ["not_attempted"] * 3


def test_a_redirect_in_the_middle_can_be_resumed(desk: Desk) -> None:
    """What was done stays done; the rest follows when the address is right again."""
    desk.profile(in_flight=1)
    desk.rename(3)
    desk.sandbox.faults([rule("redirect", put_of(1), location="/elsewhere")])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (5, ["updated", "not_attempted", "not_attempted"], []), ended
    again = desk.resume()
    assert (again.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 3, []), again


def test_rows_rejected_for_one_reason_stop_the_run(desk: Desk) -> None:
    """It is not the rows: exit 5, the rest `not_attempted`."""
    desk.profile(stop_after=3, in_flight=1)
    desk.rename(8)
    desk.sandbox.faults([rule("status", {"method": "PUT"}, status=400, body=ERRORS)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (5, ["rejected"] * 3 + ["not_attempted"] * 5, []), ended
