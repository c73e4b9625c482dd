"""F40: an undo restores exactly what is still as its run wrote it, lists the rest, and is resumed like any run."""

import json
from pathlib import Path

import pytest

from tests.faults.commands import Commands, Ended
from tests.faults.desk import FIRST_ID, Desk, rule
from tests.faults.evidence import Asked, Record
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

AUDIT = {"UpdatedOn", "UpdatedBy"}
POINTS = range(1, 200, 11)
"""Every eleventh point of an undo; the other steps are those of any run, see `test_crash_points.py`."""


def applied(desk: Desk, sections: int) -> str:
    """Rename so many sections, and turn the page: from here on their rows ask for what was before."""
    first = desk.sandbox.records()
    desk.rename(sections)
    assert desk.apply().code == 0
    assert desk.broken() == []
    asked = [Asked(row.row, row.id, {name: first[row.id][name] for name in row.values}) for row in desk.asked]
    desk.turn_the_page(asked)
    runs = json.loads(desk.run("history", "--json").stdout)
    return str(runs[0]["run_id"])


def undo(desk: Desk, run: str, *, failpoint: str | None = None) -> Ended:
    return desk.run("undo", run, "--yes", failpoint=failpoint)


def content(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in AUDIT}


def as_before(desk: Desk, first: dict[int, Record]) -> bool:
    return [content(record) for record in desk.sandbox.records().values()] == [content(one) for one in first.values()]


def test_apply_and_undo_is_the_identity(desk: Desk) -> None:
    """Where nobody else wrote: exactly, the numbers of unknown fields included."""
    first = desk.sandbox.records()
    ended = undo(desk, applied(desk, 3))

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 3, []), ended
    assert as_before(desk, first)


def test_what_others_wrote_since_stays_and_is_listed(desk: Desk) -> None:
    """One field of two, both, a field that the run did not name, and a section that is gone."""
    first = desk.sandbox.records()
    run = applied(desk, 4)
    desk.sandbox.edit(FIRST_ID, Title="Theirs")
    desk.sandbox.edit(FIRST_ID + 1, Title="Theirs", DisplayOrder=7)
    desk.sandbox.edit(FIRST_ID + 2, SectionContents="<p>Theirs</p>")
    desk.sandbox.delete(FIRST_ID + 3)
    ended = undo(desk, run)

    live = desk.sandbox.records()
    issues = [[(issue["code"], issue["property"]) for issue in line["issues"]] for line in desk.lines()]
    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["updated", "conflict", "updated", "rejected"], [])
    assert (live[FIRST_ID]["Title"], live[FIRST_ID]["DisplayOrder"]) == ("Theirs", first[FIRST_ID]["DisplayOrder"])
    assert (live[FIRST_ID + 1]["Title"], live[FIRST_ID + 1]["DisplayOrder"]) == ("Theirs", 7)
    assert live[FIRST_ID + 2]["SectionContents"] == "<p>Theirs</p>"
    assert live[FIRST_ID + 2]["Title"] == first[FIRST_ID + 2]["Title"]
    since = "undo.changed_since"
    assert issues == [[(since, "Title")], [(since, "Title"), (since, "DisplayOrder")], [], [("api.not_found", "Id")]]


def test_an_edit_while_the_undo_is_under_way_stays(desk: Desk) -> None:
    """Between its plan and its PUT: decided once more, a conflict, and nothing is sent for that section."""
    run = applied(desk, 2)
    batch = {"method": "GET", "path_prefix": "/api/content/coursesections", "from_nth": 3, "times": 1}
    desk.sandbox.faults([rule("edit_record", batch, id=FIRST_ID, fields={"Title": "Theirs"})])
    ended = undo(desk, run)

    assert (ended.code, desk.statuses(), desk.broken()) == (4, ["conflict", "updated"], []), ended
    assert desk.sandbox.records()[FIRST_ID]["Title"] == "Theirs"


@pytest.mark.parametrize("action", ["lose_answer", "lose_request"])
def test_a_lost_answer_of_an_undo_is_settled(action: str, desk: Desk) -> None:
    """As that of any PUT."""
    first = desk.sandbox.records()
    run = applied(desk, 2)
    desk.sandbox.faults([rule(action, {"method": "PUT", "id": FIRST_ID, "nth": 1})])
    ended = undo(desk, run)

    assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), ended
    assert as_before(desk, first)


def test_an_undo_survives_its_death_at_any_point(sandbox: SandboxProcess, commands: Commands, tmp_path: Path) -> None:
    """Resumed, or begun if it had not: everything is as before, no promise is broken, nothing is sent twice."""
    deaths = 0
    for point in POINTS:
        sandbox.reset()
        (tmp_path / str(point)).mkdir()
        desk = Desk(tmp_path / str(point), sandbox, commands)
        first = desk.sandbox.records()
        run = applied(desk, 2)
        killed = undo(desk, run, failpoint=f"*:{point}")
        deaths += killed.was_killed
        desk.resume()
        again = undo(desk, run)

        assert (again.code, desk.broken()) == (0, []), (point, again)
        assert set(desk.statuses()) <= {"updated", "unchanged"}, point
        assert as_before(desk, first), point
        if not killed.was_killed:
            break
    assert deaths > 5
