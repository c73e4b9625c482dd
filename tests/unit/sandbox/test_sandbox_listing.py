"""List and batch answers."""

from typing import Any

import pytest

from sync.sandbox.listing import Distortion, batch, envelope
from sync.sandbox.options import SandboxOptions
from sync.sandbox.seed import BUILT_IN

SECTIONS = BUILT_IN.sections


def search(options: SandboxOptions | None = None, distortion: Distortion | None = None, **query: str) -> dict[str, Any]:
    found = envelope(SECTIONS.values(), query, "CourseSection", options or SandboxOptions(), distortion or Distortion())
    return dict(found)


def ids(answer: dict[str, Any]) -> list[int]:
    return [record["Id"] for record in answer["Records"]]


def test_the_envelope_of_a_middle_page() -> None:
    """All documented keys, counted from one."""
    answer = search(page="2", size="2", orderBy="Id")
    del answer["Records"]

    assert answer == {
        "CurrentPage": 2,
        "CurrentPageSize": 2,
        "CurrentOrderField": "Id",
        "CurrentSortDirection": 1,
        "FirstItem": 3,
        "LastItem": 4,
        "TotalItems": 6,
        "TotalPages": 3,
        "HasNextPage": True,
        "HasPreviousPage": True,
        "PageNumber": 2,
        "PageSize": 2,
    }


def test_pages_hold_each_record_once() -> None:
    """Reading all pages gives everything, in order."""
    assert [ids(search(page=str(page), size="4")) for page in (1, 2, 3)] == [[1001, 1002, 1003, 1004], [1005, 1006], []]


def test_list_records_are_partial() -> None:
    """The fields that the switch names are missing, not null."""
    assert "SectionContents" not in search()["Records"][0]
    assert "SectionContents" in search(SandboxOptions(list_missing=frozenset()))["Records"][0]


def test_size_has_a_default_and_a_largest() -> None:
    """More than the largest is not granted, and said so in the envelope."""
    options = SandboxOptions(list_size=3, list_size_max=4)

    assert [search(options, size=size)["CurrentPageSize"] for size in ("", "2", "1000", "x", "-1")] == [3, 2, 4, 3, 3]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({"CourseSection_Course": "102"}, [1003, 1004], id="course"),
        pytest.param({"CourseSection_Title": "ROOM"}, [1003], id="title"),
        pytest.param({"CourseSection_Active": "false"}, [1006], id="active"),
        pytest.param({"CourseSection_Course": "102", "CourseSection_Title": "sell"}, [1004], id="both"),
        pytest.param({"from_CourseSection_UpdatedOn": "2025-01-15T10:30:00Z"}, [*SECTIONS], id="from"),
        pytest.param({"from_CourseSection_UpdatedOn": "2025-01-15T10:30:01Z"}, [], id="from-later"),
        pytest.param({"to_CourseSection_UpdatedOn": "2025-01-15T10:29:59Z"}, [], id="to-earlier"),
        pytest.param({"CourseSection_Colour": "red"}, [*SECTIONS], id="unknown-ignored"),
        pytest.param({"CourseSection_Course": ""}, [*SECTIONS], id="empty-ignored"),
    ],
)
def test_filters(query: dict[str, str], found: list[int]) -> None:
    """A filter narrows; one that is unknown or empty does not."""
    assert ids(search(**query)) == found


@pytest.mark.parametrize(("meaning", "first"), [("normal", 1006), ("opposite", 1001)])
def test_dir_means_one_thing_or_the_other(meaning: str, first: int) -> None:
    """The published pages contradict each other, so there is a switch."""
    assert ids(search(SandboxOptions(dir_meaning=meaning), dir="1"))[0] == first


def test_ordering_by_a_text_field() -> None:
    """Any field orders."""
    assert ids(search(orderBy="Title"))[:2] == [1003, 1001]


def test_distorted_readings() -> None:
    """A filter that is ignored, and a page that is served twice."""
    assert len(ids(search(None, Distortion(ignore_filter=True), CourseSection_Course="102"))) == 6
    assert ids(search(None, Distortion(page_shift=1), page="2", size="2")) == [1001, 1002]


@pytest.mark.parametrize(
    ("options", "asked", "served"),
    [
        pytest.param(SandboxOptions(), [1003, 1001, 7, 1001], [1001, 1003], id="unknown-dropped"),
        pytest.param(SandboxOptions(batch_unknown="404"), [1003, 7], None, id="unknown-404"),
        pytest.param(SandboxOptions(batch_max=2), [1003, 1001, 1002], [1001, 1003], id="longest-batch"),
        pytest.param(SandboxOptions(), [], [], id="none-asked"),
    ],
)
def test_batches(options: SandboxOptions, asked: list[int], served: list[int] | None) -> None:
    """A batch serves full records of the ids it knows, once each."""
    found = batch(SECTIONS, asked, options)

    assert (None if found is None else [record["Id"] for record in found]) == served


def test_a_batch_can_hold_partial_records() -> None:
    """Only the ids that the switch names lack fields."""
    found = batch(SECTIONS, [1001, 1002], SandboxOptions(batch_partial=frozenset({1002})))

    assert found is not None
    assert ["SectionContents" in record for record in found] == [True, False]
