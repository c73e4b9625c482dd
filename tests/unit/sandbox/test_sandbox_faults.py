"""Which requests a fault script hits, and what it makes of their answers."""

import json
import zlib
from http import HTTPStatus
from typing import Any

import pytest

from sync.sandbox import distortion, faults
from sync.sandbox.answers import Answer, json_answer, updated
from sync.sandbox.distortion import Cut, Padded, Slow, Truncated, Whole

PUTS = "/api/content/coursesections"


def hits(match: dict[str, Any], requests: int = 6) -> list[int]:
    script = faults.FaultScript(faults.parse([{"match": match, "action": "empty"}]))
    return [n for n in range(1, requests + 1) if script.fire("PUT", PUTS, [n]).reply]


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"from_nth": 5}, [5, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 2}, [1, 3, 5]),
        ({"from_nth": 2, "every": 3}, [2, 5]),
        ({"from_nth": 2, "times": 1}, [2]),
        ({"id": 4}, [4]),
        ({"id": 4, "nth": 1}, [4]),
        ({"method": "put", "path_prefix": "/api/content"}, [1, 2, 3, 4, 5, 6]),
        ({"method": "GET"}, []),
        ({"path_prefix": "/api/token"}, []),
    ],
    ids=str,
)
def test_which_requests_a_rule_hits(match: dict[str, Any], hit: list[int]) -> None:
    """Counting is per rule, over the requests that match the rest of it."""
    assert hits(match) == hit


def test_the_first_rule_decides_and_side_effects_add_up() -> None:
    """Edits by others and delays happen besides; of answers only the first."""
    script = faults.FaultScript(
        faults.parse(
            [
                {"match": {}, "action": "edit_record", "fields": {"Title": "x"}},
                {"match": {"nth": 1}, "action": "html"},
                {"match": {}, "action": "status", "status": 500},
                {"match": {}, "action": "delay", "seconds": 1},
            ]
        )
    )

    assert [script.fire("PUT", PUTS, [1]).name for _ in range(2)] == [
        "edit_record+delay+html",
        "edit_record+delay+status",
    ]


def test_a_request_that_no_rule_matches_goes_right() -> None:
    """Without a fault there is no name for it."""
    assert faults.FaultScript().fire("GET", PUTS, []).name is None


@pytest.mark.parametrize(
    "rule",
    [
        {"match": {}, "action": "nonsense"},
        {"match": {}, "action": "status"},
        {"match": {}, "action": "status", "status": 99},
        {"match": {}, "action": "empty", "sizes": 1},
        {"match": {"verb": "PUT"}, "action": "empty"},
        {"match": {"nth": 0}, "action": "empty"},
        {"match": {}},
        "empty",
    ],
    ids=str,
)
def test_a_rule_that_means_nothing_is_refused(rule: object) -> None:
    """A fault that would never happen makes a test that never fails."""
    with pytest.raises(ValueError, match=r"."):
        faults.parse([rule])


def test_a_script_is_a_list() -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="list"):
        faults.parse({"action": "empty"})


def reply(**rule: object) -> faults.Reply:
    fired = faults.FaultScript(faults.parse([rule])).fire("GET", "/", []).reply
    assert fired is not None
    return fired


def payload(answer: Answer) -> Any:  # noqa: ANN401 -- JSON
    return json.loads(answer.body)


PUT_ANSWER = updated(5, "t", "u")
PAGE = json_answer({"Records": [{"Id": 1}, {"Id": 2}], "TotalItems": 2})
BATCH = json_answer([{"Id": 1}, {"Id": 2}])


@pytest.mark.parametrize(
    ("rule", "travel"),
    [
        ({"action": "lose_answer"}, Cut()),
        ({"action": "lose_answer", "mode": "reset"}, Cut(reset=True)),
        ({"action": "lose_answer", "mode": "hang", "seconds": 2}, Cut(2)),
        ({"action": "lose_answer", "mode": "truncate", "bytes": 3}, Truncated(3)),
        ({"action": "lose_answer", "mode": "slow", "bytes_per_s": 5}, Slow(5)),
        ({"action": "lose_request", "mode": "hang", "seconds": 2}, Cut(2)),
        ({"action": "apply_late", "seconds": 9, "mode": "hang", "hang_s": 2}, Cut(2)),
        ({"action": "huge", "bytes": 7}, Padded(7)),
        ({"action": "html"}, Whole()),
    ],
    ids=str,
)
def test_how_an_answer_travels(rule: dict[str, Any], travel: distortion.Delivery) -> None:
    """Only some faults touch the connection."""
    assert distortion.delivery(reply(**rule)) == travel


@pytest.mark.parametrize("honest", [PUT_ANSWER, PAGE, BATCH, Answer(200)], ids=["put", "page", "batch", "empty"])
@pytest.mark.parametrize("action", ["lose_answer", "lose_request", "ignore_filter", "duplicate_page"])
def test_faults_elsewhere_leave_the_answer_alone(action: str, honest: Answer) -> None:
    """What goes wrong on the way, or in the reading, is not done twice."""
    assert distortion.distorted(reply(action=action), honest) == honest


def test_another_id() -> None:
    """An answer about the next record, or the one given, in every shape of answer."""
    wrong, given = reply(action="wrong_id"), reply(action="wrong_id", id=99)

    assert payload(distortion.distorted(wrong, PUT_ANSWER))["Value"] == {"Id": 6}
    assert payload(distortion.distorted(given, json_answer({"Id": 1}))) == {"Id": 99}
    assert payload(distortion.distorted(given, BATCH)) == [{"Id": 99}, {"Id": 2}]
    assert payload(distortion.distorted(given, PAGE))["Records"] == [{"Id": 99}, {"Id": 2}]
    assert payload(distortion.distorted(wrong, json_answer({"Message": "x"}))) == {"Message": "x"}
    assert payload(distortion.distorted(wrong, json_answer(7))) == 7


def test_lists_that_lie() -> None:
    """A short page keeps its totals; an empty list is empty in all of them."""
    short, total, empty = reply(action="short_page"), reply(action="wrong_total", by=-1), reply(action="empty_list")

    assert payload(distortion.distorted(short, PAGE)) == {"Records": [{"Id": 1}], "TotalItems": 2}
    assert payload(distortion.distorted(short, BATCH)) == [{"Id": 1}]
    assert payload(distortion.distorted(total, PAGE))["TotalItems"] == 1
    assert payload(distortion.distorted(empty, PAGE))["TotalItems"] == 0
    assert payload(distortion.distorted(empty, BATCH)) == []


@pytest.mark.parametrize("action", ["short_page", "wrong_total", "empty_list"])
@pytest.mark.parametrize("body", [b"7", b"<html>"])
def test_what_is_no_list_cannot_lie_like_one(action: str, body: bytes) -> None:
    """Such a fault leaves other answers alone."""
    assert distortion.distorted(reply(action=action), Answer(200, body)).body == body


def test_answers_that_are_no_success() -> None:
    """Each is what it says."""
    cut = distortion.distorted(reply(action="half_json"), PUT_ANSWER)
    refused = distortion.distorted(reply(action="not_successful", errors=[{"Message": "m"}]), PUT_ANSWER)
    moved = distortion.distorted(reply(action="redirect", status=307, location="https://x.example/"), PUT_ANSWER)

    assert PUT_ANSWER.body.startswith(cut.body)
    assert len(cut.body) == len(PUT_ANSWER.body) // 2
    assert (refused.status, payload(refused)["Errors"], payload(refused)["WasSuccessful"]) == (
        200,
        [{"Message": "m"}],
        False,
    )
    assert (moved.status, moved.headers) == (307, (("Location", "https://x.example/"),))
    assert distortion.distorted(reply(action="empty"), PUT_ANSWER).body == b""
    assert distortion.distorted(reply(action="html"), PUT_ANSWER).content_type.startswith("text/html")
    assert distortion.distorted(reply(action="wrong_content_type"), PUT_ANSWER).content_type == "text/plain"


@pytest.mark.parametrize(
    ("given", "headers"),
    [("soon", ("soon",)), (None, ()), (["1", "9"], ("1", "9"))],
    ids=["raw", "none", "two"],
)
def test_a_scripted_throttle_says_retry_after_in_any_way(given: object, headers: tuple[str, ...]) -> None:
    """Word for word, not at all, or twice."""
    answer = distortion.distorted(reply(action="throttle", status=429, retry_after=given), PUT_ANSWER)

    assert (answer.status, answer.body) == (HTTPStatus.TOO_MANY_REQUESTS, b"")
    assert tuple(value for name, value in answer.headers if name == "Retry-After") == headers


def test_a_gzip_bomb_is_small_and_inflates_to_its_size() -> None:
    """A reader without a cap gets all of it."""
    size = 3 * 2**20 + 17

    packed = distortion.distorted(reply(action="gzip_bomb", bytes=size), Answer(200)).body

    assert len(packed) < size / 500
    assert len(zlib.decompress(packed, 31)) == size
