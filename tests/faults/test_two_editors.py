"""F9, F29 to F31: other hands at the same sections, and a server that stores something else than it was sent."""

from pathlib import Path

import pytest

from sync.frozen import replace
from tests.faults.commands import Commands
from tests.faults.desk import FIRST_ID, Desk, put_of, rule
from tests.faults.evidence import Json
from tests.faults.promises import check

pytestmark = pytest.mark.e2e

BATCH = {"method": "GET", "path_prefix": "/api/content/coursesections"}
PLAN, FRESH = {**BATCH, "nth": 1}, {**BATCH, "nth": 2}
THEIRS = {"id": FIRST_ID, "fields": {"Title": "Theirs"}}
ELSEWHERE = {"id": FIRST_ID, "fields": {"SectionContents": "<p>Theirs</p>"}}


def title(desk: Desk) -> Json:
    return desk.sandbox.records()[FIRST_ID]["Title"]


def codes(desk: Desk, row: int = 0) -> list[str]:
    return [issue["code"] for issue in desk.lines()[row]["issues"]]


# F9 ----------------------------------------------------------------------------------------------------------------


def test_two_hosts_lose_nothing_of_each_other(desk: Desk, commands: Commands, tmp_path: Path) -> None:
    """No lock reaches the other host: its writing is seen by the read before each PUT, and is a conflict.

    As long as it comes before that read: `fresh_for_s` says how old a record may be, and is short here.
    """
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other", desk.sandbox, commands)
    desk.rename(3)
    desk.profile(limits=[{"scope": "write", "count": 1, "seconds": 2}], fresh_for_s=0.5)
    other.write([{"Id": FIRST_ID + 2, "Title": "Theirs"}])

    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(1)
    theirs = other.apply()
    ours = desk.note(running.ended())

    log = desk.sandbox.log()
    put_by_other = [entry["n"] for entry in log if (entry["body"] or {}).get("Title") == "Theirs"]
    assert (theirs.code, ours.code) == (0, 4), (theirs, ours)
    assert desk.statuses() == ["updated", "updated", "conflict"]
    assert codes(desk, 2) == ["conflict.moved"]
    assert "Theirs" in desk.lines()[2]["issues"][0]["message"]
    assert desk.sandbox.records()[FIRST_ID + 2]["Title"] == "Theirs"
    assert check(replace(desk.evidence(), log=[entry for entry in log if entry["n"] not in put_by_other])) == []
    own = [entry for entry in log if entry["method"] != "PUT" or entry["n"] in put_by_other]
    assert check(replace(other.evidence(), log=own)) == []


# F29 ---------------------------------------------------------------------------------------------------------------


def test_an_edit_between_plan_and_put_is_a_conflict(desk: Desk) -> None:
    """Decided once more on the record that is read just before: nothing of the row is sent, their edit is kept."""
    desk.rename(2)
    desk.sandbox.faults([rule("edit_record", FRESH, **THEIRS)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["conflict", "updated"], []), ended
    assert (title(desk), desk.puts(0)) == ("Theirs", [])
    assert codes(desk) == ["conflict.moved"]


def test_an_edit_of_another_field_between_plan_and_put_goes_along(desk: Desk) -> None:
    """The body is built on what is there now, and not on what the plan saw."""
    desk.rename(2)
    desk.sandbox.faults([rule("edit_record", FRESH, **ELSEWHERE)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), ended
    assert desk.sandbox.records()[FIRST_ID]["SectionContents"] == "<p>Theirs</p>"


def test_an_edit_after_the_put_is_kept_and_told(desk: Desk) -> None:
    """The read that verifies sees another hand's value: the row was updated, and is not as asked any more."""
    desk.rename(2)
    desk.sandbox.faults([rule("edit_record", put_of(), fields={"Title": "Theirs"}, when="after")])
    ended = desk.apply()

    assert (ended.code, desk.statuses()) == (4, ["conflict", "updated"]), ended
    assert codes(desk) == ["conflict.moved_on"]
    assert (title(desk), desk.broken()) == ("Theirs", [])


def test_an_edit_between_the_read_and_the_put_leaves_no_trace(desk: Desk) -> None:
    """A limit, shown as it is: what comes between the last read and the PUT is overwritten, and no answer tells of it.

    The API takes whole records and knows no condition. All that can be done is to keep the read close to the PUT.
    """
    desk.rename(1)
    desk.sandbox.faults([rule("edit_record", put_of(), **ELSEWHERE)])
    ended = desk.apply()

    reads = [entry for entry in desk.sandbox.log() if entry["method"] == "GET"]
    (put,) = desk.puts(0)
    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"], []), ended
    assert put["arrived"] - reads[1]["arrived"] < 1
    assert desk.sandbox.records()[FIRST_ID]["SectionContents"] != "<p>Theirs</p>"


@pytest.mark.parametrize("when", [pytest.param(FRESH, id="before the read"), pytest.param(put_of(), id="after it")])
def test_a_section_that_is_deleted_meanwhile_is_rejected(when: dict[str, object], desk: Desk) -> None:
    """It is said to be gone, and the others go on."""
    desk.rename(2)
    desk.sandbox.faults([rule("delete_record", when, id=FIRST_ID)])
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["rejected", "updated"], []), ended
    assert codes(desk) == ["api.not_found"]
    assert FIRST_ID not in desk.sandbox.records()


# F30, F31 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["trim", "rewrite"])
def test_what_the_server_rewrites_is_sent_once(how: str, desk: Desk) -> None:
    """`updated`, and a note that it differs; the second and the third run send nothing."""
    desk.sandbox.options(html=how)
    desk.write([{"Id": FIRST_ID, "SectionContents": " <P Title='b' Class='a'>New<BR>text "}])
    first = desk.apply()
    line = desk.lines()[0]
    desk.apply_again_sends_nothing()
    desk.apply_again_sends_nothing()

    assert (first.code, line["status"], line["verified"]) == (0, "updated", "differs"), first
    assert [issue["code"] for issue in line["issues"]] == ["api.rewritten"]
    assert (len(desk.puts(0)), desk.broken()) == (1, [])


def test_what_is_accepted_and_not_stored_is_failed(desk: Desk) -> None:
    """One field of two: the server said yes and holds the former value; a person must look."""
    desk.sandbox.options(ignored_fields=["Title"])
    desk.rename(2)
    ended = desk.apply()

    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["failed"] * 2, []), ended
    assert {(line["verified"], line["issues"][0]["code"]) for line in desk.lines()} == {("differs", "api.not_stored")}
    assert "Title" in desk.lines()[0]["issues"][0]["message"]


def test_a_field_that_is_reset_because_it_was_left_out_is_told(desk: Desk) -> None:
    """`body_omit` leaves a field out, and the server empties it: a warning on the row. The checker sees it as well."""
    desk.profile(body_omit=["SystemId"])
    desk.rename(1)
    ended = desk.apply()

    (line,) = desk.lines()
    broken = desk.broken()
    assert (ended.code, line["status"], line["verified"]) == (0, "updated", "yes"), ended
    assert [(issue["code"], issue["severity"]) for issue in line["issues"]] == [("api.side_effect", "warning")]
    assert "SystemId" in line["issues"][0]["message"]
    assert [promise[:2] for promise in broken] == ["I4"], broken
