"""An export takes the sections that were asked for, and leaves none out that might be among them."""

import pytest

from sync.errors import ConfigError
from sync.section import Json
from sync.selection import Selection


def takes(selection: Selection, **values: Json) -> bool:
    record: dict[str, Json] = {"Id": 1, "CourseId": 7, "Active": True, "UpdatedOn": "2025-01-15T10:30:00Z"}
    return selection.takes(record | values)


def since(text: str) -> Selection:
    return Selection.of((), active=None, changed_since=text)


def test_without_a_word_every_section_is_taken() -> None:
    """Nothing is left out that nobody left out."""
    assert takes(Selection(), Active=None, UpdatedOn=None, CourseId=None)


def test_courses_are_compared_locally() -> None:
    """Whatever the server's filter made of it."""
    assert (takes(Selection((7, 8))), takes(Selection((8,)))) == (True, False)


@pytest.mark.parametrize(("live", "active"), [(True, True), (False, False), (None, False)])
def test_every_section_is_either_active_or_not(live: Json, active: bool) -> None:  # noqa: FBT001 - a parameter
    """Both choices together are all sections: what is not surely visible counts as inactive."""
    assert takes(Selection(active=True), Active=live) is active
    assert takes(Selection(active=False), Active=live) is not active


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        pytest.param("2025-01-15", True, id="the-day"),
        pytest.param("2025-01-16", False, id="the-day-after"),
        pytest.param("2025-01-15T10:30", True, id="the-very-minute"),
        pytest.param("2025-01-15T10:30:01Z", False, id="a-second-later"),
        pytest.param("2025-01-15 10:29:59.5", True, id="a-second-before"),
    ],
)
def test_changed_since_is_held_against_the_servers_own_clock(asked: str, taken: bool) -> None:  # noqa: FBT001 - the same
    """To the second, the moment itself included."""
    assert takes(since(asked)) is taken


@pytest.mark.parametrize("updated_on", [None, "", "yesterday", "2025-02-30T10:00:00Z", 17, "2025-01-15T10:30:00+02:00"])
def test_a_section_that_does_not_say_when_it_changed_is_taken(updated_on: Json) -> None:
    """What could not be read is not "nothing there"."""
    assert takes(since("2030-01-01"), UpdatedOn=updated_on)


@pytest.mark.parametrize(
    "asked", ["", "today", "15.1.2025", "2025-13-01", "2025-01-15T25:00", "2025-01-15T10:30+02:00"]
)
def test_a_date_that_cannot_be_read_is_refused(asked: str) -> None:
    """With a sentence that shows one that can."""
    with pytest.raises(ConfigError, match="such as 2025-01-15"):
        since(asked)
