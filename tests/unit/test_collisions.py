"""Two sections in one place of a course after the plan: who is warned, and who is not."""

import pytest

from sync.collisions import Places
from sync.model import Conflict, Gone, Held, Label, PlannedRow, RowNumber, SectionId, Severity, Status, ToUpdate
from sync.plan import planned
from sync.reading import Found
from sync.section import Json
from tests.sections import edit, section

Live = tuple[int, Json, Json]
"""Id, course and place as the server holds them."""


def warned(
    live: list[Live], asked: dict[int, dict[str, Json]], *, only_read: frozenset[int] = frozenset()
) -> dict[int, str]:
    """By Id, what the rows of a sheet are warned of; `only_read` are sections that are no row of it."""
    places, rows = Places(), list[PlannedRow]()
    for row, (number, course, order) in enumerate(live, start=2):
        record = section(number, CourseId=course, DisplayOrder=order)
        places.saw(SectionId(number), record)
        if number not in only_read:
            asks = edit(asked.get(number, {"Active": True}), number=number, row=row)
            rows.append(planned(asks, Found(SectionId(number), record)))
    found = {}
    for row_after in places.with_warnings(rows):
        for issue in row_after.issues:
            assert (issue.code, issue.field, issue.severity) == ("order.collision", "DisplayOrder", Severity.WARNING)
            assert row_after.edit is not None
            found[int(row_after.edit.id)] = issue.message
    return found


@pytest.mark.parametrize(
    ("live", "asked", "expected"),
    [
        pytest.param(
            [(1, 12, 1), (2, 12, 2)],
            {1: {"DisplayOrder": 2}},
            {
                1: "would be 2 in course 12, as that of section 2 (row 3)",
                2: "would be 2 in course 12, as that of section 1 (row 2)",
            },
            id="moved onto another",
        ),
        pytest.param([(1, 12, 1), (2, 12, 2)], {1: {"DisplayOrder": 2}, 2: {"DisplayOrder": 1}}, {}, id="a swap"),
        pytest.param(
            [(1, 12, 1), (2, 12, 2), (3, 12, 3)],
            {1: {"DisplayOrder": 2}, 2: {"DisplayOrder": 3}, 3: {"DisplayOrder": 1}},
            {},
            id="a round",
        ),
        pytest.param([(1, 12, 1), (2, 13, 2)], {1: {"DisplayOrder": 2}}, {}, id="another course"),
        pytest.param(
            [(1, 12, 2), (2, 13, 2)],
            {1: {"CourseId": 13}},
            {
                1: "would be 2 in course 13, as that of section 2 (row 3)",
                2: "would be 2 in course 13, as that of section 1 (row 2)",
            },
            id="moved to another course",
        ),
        pytest.param([(1, 12, 2), (2, 12, 2)], {1: {"Title": "A"}}, {}, id="stood already"),
        pytest.param([(1, 12, 2), (2, 12, 2)], {1: {"DisplayOrder": 3}}, {}, id="mended"),
        pytest.param([(1, 12, 2.0), (2, 12, 1)], {2: {"DisplayOrder": 3}}, {}, id="nothing shared"),
        pytest.param([(1, 12, None), (2, 12, 1)], {1: {"DisplayOrder": 1}}, {}, id="no place known"),
    ],
)
def test_who_is_warned(live: list[Live], asked: dict[int, dict[str, Json]], expected: dict[int, str]) -> None:
    """Only what this plan brings about, and all who share the place."""
    assert warned(live, asked) == expected


def test_a_section_that_is_no_row_of_the_sheet_is_named() -> None:
    """It was read, so it is known to stand there."""
    found = warned([(1, 12, 1), (2, 12, 2)], {1: {"DisplayOrder": 2}}, only_read=frozenset({2}))

    assert found == {1: "would be 2 in course 12, as that of section 2"}


def test_many_in_one_place_are_counted() -> None:
    """A message stays readable."""
    live: list[Live] = [(number, 12, number) for number in range(1, 7)]

    found = warned(live, {number: {"DisplayOrder": 9} for number in range(1, 7)})

    assert found[1] == "would be 9 in course 12, as that of sections 2 (row 3), 3 (row 4), 4 (row 5) and 2 more"


@pytest.mark.parametrize("decision", [Conflict(()), Gone(), Held(Status.INVALID)], ids=["conflict", "gone", "invalid"])
def test_a_row_that_is_not_sent_stays_where_it_is(decision: Conflict | Gone | Held) -> None:
    """Its wish brings nothing about; its place of now still counts."""
    places = Places()
    places.saw(SectionId(1), section(1, DisplayOrder=1))
    places.saw(SectionId(2), section(2, DisplayOrder=2))
    held = PlannedRow(RowNumber(2), Label("1"), decision, edit({"DisplayOrder": 2}, number=1))
    moves = planned(edit({"DisplayOrder": 1}, number=2, row=3), Found(SectionId(2), section(2, DisplayOrder=2)))

    assert isinstance(moves.decision, ToUpdate)
    assert [[issue.code for issue in row.issues] for row in places.with_warnings([held, moves])] == [
        ["order.collision"],
        ["order.collision"],
    ]
    assert places.with_warnings([held]) == (held,)
