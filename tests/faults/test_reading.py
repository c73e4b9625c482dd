"""F26 to F28: reads that are not whole are no ground to decide on, and never "there is no such section"."""

import json

import pytest

from tests.faults.desk import FIRST_ID, Desk, rule, seed

pytestmark = pytest.mark.e2e

GET = {"method": "GET"}
BATCH = {"method": "GET", "nth": 1}


def body(records: object) -> dict[str, object]:
    return {"status": 200, "body": json.dumps(records)}


TWICE = [seed(2)["sections"][0]] * 2

INCOMPLETE: list[tuple[str, dict[str, object]]] = [
    ("half_json", {}),
    ("empty", {}),
    ("wrong_content_type", {}),
    ("lose_answer", {"mode": "close"}),
    ("lose_answer", {"mode": "truncate"}),
    ("lose_request", {"mode": "reset"}),
    ("ignore_filter", {}),
    ("huge", {"bytes": 80_000_000}),
    ("gzip_bomb", {"bytes": 50_000_000}),
    ("status", {"status": 500}),
    ("status", {"status": 400, "body": '{"Message": "no"}'}),
    ("status", body(TWICE)),
    ("status", body({"Records": []})),
    ("status", body([{"Title": "no Id"}])),
    ("status", body([{"Id": FIRST_ID}])),
]
IDS = [f"{number}-{action}" for number, (action, _) in enumerate(INCOMPLETE)]


@pytest.mark.parametrize(("action", "parameters"), INCOMPLETE, ids=IDS)
def test_a_read_that_stays_incomplete_sends_nothing(action: str, parameters: dict[str, object], desk: Desk) -> None:
    """Exit 5, no PUT, no run: nothing is decided on half a read."""
    desk.rename(2)
    desk.sandbox.faults([rule(action, GET, **parameters)])
    ended = desk.apply()

    assert (ended.code, desk.sandbox.puts(), desk.broken()) == (5, [], []), ended


@pytest.mark.parametrize(("action", "parameters"), INCOMPLETE[:10], ids=IDS[:10])
def test_a_read_that_fails_once_is_asked_again(action: str, parameters: dict[str, object], desk: Desk) -> None:
    """One bad answer is no reason to give up."""
    desk.rename(2)
    desk.sandbox.faults([rule(action, BATCH, **parameters)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), ended


def test_a_page_for_people_is_the_wrong_address(desk: Desk) -> None:
    """HTML in answer to a read: exit 2, nothing sent."""
    desk.rename(2)
    desk.sandbox.faults([rule("html", GET)])
    ended = desk.apply()

    assert (ended.code, desk.sandbox.puts(), desk.broken()) == (2, [], []), ended


@pytest.mark.parametrize(
    ("action", "parameters"), [("empty_list", {}), ("short_page", {"drop": 2})], ids=["empty", "short"]
)
def test_sections_left_out_of_a_batch_are_asked_singly(action: str, parameters: dict[str, object], desk: Desk) -> None:
    """A batch that leaves sections out says nothing about them."""
    desk.rename(5)
    desk.sandbox.faults([rule(action, BATCH, **parameters)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 5, []), ended


@pytest.mark.parametrize(
    "options", [{"batch_max": 2}, {"batch_unknown": "404"}, {"batch_partial": [FIRST_ID, FIRST_ID + 3]}], ids=str
)
def test_whatever_a_batch_does_the_rows_are_found(options: dict[str, object], desk: Desk) -> None:
    """Small batches, one unknown Id that spoils the batch, partial records: only the unknown row is rejected."""
    edits: list[dict[str, object]] = [{"Id": FIRST_ID + number, "Title": f"New {number}"} for number in range(5)]
    desk.write([*edits, {"Id": 99, "Title": "Nowhere"}])
    desk.sandbox.options(**options)
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["updated"] * 5 + ["rejected"], []), ended


def test_a_partial_record_is_never_sent_back(desk: Desk) -> None:
    """A single read that lacks a field is no ground for a PUT either: exit 5, nothing sent."""
    desk.rename(2)
    record = {name: value for name, value in desk.before[FIRST_ID].items() if name != "CustomFields"}
    single = {"method": "GET", "path_prefix": f"/api/content/coursesections/{FIRST_ID}"}
    desk.sandbox.options(batch_partial=[FIRST_ID])
    desk.sandbox.faults([rule("status", single, **body(record))])
    ended = desk.apply()

    assert (ended.code, desk.sandbox.puts(), desk.broken()) == (5, [], []), ended


def test_reads_that_fail_in_the_middle_end_the_run(desk: Desk) -> None:
    """After the plan was read well: exit 5, and `resume` goes on."""
    desk.rename(3)
    desk.sandbox.faults([rule("status", {"method": "GET", "from_nth": 2}, status=500)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (5, ["not_attempted"] * 3, []), ended
    desk.sandbox.faults([])
    again = desk.resume()
    assert (again.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 3, []), again


def test_verifying_reads_that_fail_leave_rows_updated(desk: Desk) -> None:
    """A success was answered: `updated`, not verified, with a warning."""
    desk.rename(3)
    desk.sandbox.faults([rule("status", {"method": "GET", "from_nth": 3}, status=500)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 3, []), ended
    assert {line["verified"] for line in desk.lines()} == {"no"}


def test_unknown_fields_are_sent_back_as_they_came(desk: Desk) -> None:
    """Fields of no documentation, that appear between two runs: null, nested, huge, tiny."""
    strange = {"Brand_new": {"a": [1, 1.5, None, 10**30]}, "Float": 1e22, "Negative": -0.5, "Text": " é\u2028"}
    desk.rename(2)
    desk.sandbox.edit(FIRST_ID, **strange)
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), ended
    assert {name: desk.puts()[0]["body"][name] for name in strange} == strange
