"""What a read says about a PUT that the server accepted."""

import pytest

from sync.model import FieldChange
from sync.section import Json
from sync.verify import Seen, Verification, verify
from tests.sections import section

OURS, BEFORE = "2025-02-02T00:00:00Z", "2025-01-15T10:30:00Z"
TITLE = FieldChange("Title", "Yoga", "Pilates")
ORDER = FieldChange("DisplayOrder", 1, 2)


def read(changes: list[FieldChange], *, put_updated_on: str | None = OURS, live: dict[str, Json]) -> Verification:
    """What is seen when the server holds `live`, under the `UpdatedOn` of our PUT unless it says otherwise."""
    return verify(
        changes, before=section(), live=section(**({"UpdatedOn": OURS} | live)), put_updated_on=put_updated_on
    )


@pytest.mark.parametrize(
    ("live", "seen", "differs"),
    [
        pytest.param({"Title": "Pilates"}, Seen.AS_ASKED, {}, id="as asked"),
        pytest.param({"Title": "Pilates", "UpdatedOn": "later"}, Seen.AS_ASKED, {}, id="as asked, written since"),
        pytest.param({}, Seen.NOT_STORED, {"Title": "Yoga"}, id="as before under our UpdatedOn"),
        pytest.param({"UpdatedOn": BEFORE}, Seen.NOT_STORED, {"Title": "Yoga"}, id="as before, nothing moved"),
        pytest.param({"Title": "PILATES"}, Seen.REWRITTEN, {"Title": "PILATES"}, id="third value, our UpdatedOn"),
        pytest.param({"Title": "x", "UpdatedOn": "later"}, Seen.MOVED_ON, {"Title": "x"}, id="third value, another"),
        pytest.param({"UpdatedOn": "later"}, Seen.MOVED_ON, {"Title": "Yoga"}, id="put back by somebody"),
    ],
)
def test_values_and_updated_on_tell_the_four_cases_apart(
    live: dict[str, Json], seen: Seen, differs: dict[str, Json]
) -> None:
    """As asked; still as before; a third value of the server's making; a third value of somebody else's."""
    assert read([TITLE], live=live) == Verification(seen, differs)


@pytest.mark.parametrize(
    ("live", "seen"),
    [
        pytest.param({"Title": "PILATES"}, Seen.MOVED_ON, id="third value"),
        pytest.param({"UpdatedOn": BEFORE}, Seen.NOT_STORED, id="as before and unmoved"),
        pytest.param({}, Seen.MOVED_ON, id="as before and moved"),
        pytest.param({"Title": "Pilates"}, Seen.AS_ASKED, id="as asked"),
    ],
)
def test_without_an_updated_on_in_the_answer_nothing_is_taken_for_ours(live: dict[str, Json], seen: Seen) -> None:
    """A rewriting is remembered for ever: never on a guess."""
    assert read([TITLE], put_updated_on=None, live=live).seen is seen


@pytest.mark.parametrize(
    ("live", "seen", "differs"),
    [
        pytest.param({"Title": "Pilates", "DisplayOrder": 2}, Seen.AS_ASKED, {}, id="both as asked"),
        pytest.param({"Title": "Pilates"}, Seen.NOT_STORED, {"DisplayOrder": 1}, id="one stored, one not"),
        pytest.param(
            {"Title": "PILATES"}, Seen.NOT_STORED, {"Title": "PILATES", "DisplayOrder": 1}, id="one rewritten, one not"
        ),
        pytest.param(
            {"Title": "PILATES", "DisplayOrder": 3}, Seen.REWRITTEN, {"Title": "PILATES", "DisplayOrder": 3}, id="both"
        ),
        pytest.param({"Title": "PILATES", "DisplayOrder": 2}, Seen.REWRITTEN, {"Title": "PILATES"}, id="one rewritten"),
    ],
)
def test_one_field_that_was_not_stored_fails_the_row(
    live: dict[str, Json], seen: Seen, differs: dict[str, Json]
) -> None:
    """Remembered as a rewriting, a field that the server ignores would count as done for ever."""
    assert read([TITLE, ORDER], live=live) == Verification(seen, differs)


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        pytest.param(FieldChange("SectionContents", "old", "a\nb"), "a\r\nb", id="line-ends"),
        pytest.param(FieldChange("SectionContents", "old", ""), None, id="cleared"),
        pytest.param(FieldChange("Title", "Yoga", "cafe\u0301"), "caf\u00e9", id="letters"),
    ],
)
def test_noise_is_as_asked(change: FieldChange, stored: Json) -> None:
    """The comparison is on normal forms."""
    assert read([change], live={change.field: stored}) == Verification(Seen.AS_ASKED)


def test_two_missing_updated_ons_are_no_proof_that_the_put_was_ours() -> None:
    """Nothing equals nothing: a record without an `UpdatedOn` says nothing about who wrote it."""
    live = section(Title="PILATES", UpdatedOn=None)

    assert verify([TITLE], before=section(), live=live, put_updated_on=None).seen is Seen.MOVED_ON


def test_image_orders_are_not_looked_for() -> None:
    """No read gives them back; what moves with them is no side effect."""
    changes = [FieldChange("NewImageUrl", None, "https://example.com/a.png"), TITLE]

    assert read(changes, live={"Title": "Pilates", "ImageFileName": "a.png"}) == Verification(Seen.AS_ASKED)


@pytest.mark.parametrize(
    ("changes", "live", "touched"),
    [
        pytest.param(
            [TITLE], {"CustomFields": None, "Active": False}, ("Active", "CustomFields"), id="reset by the PUT"
        ),
        pytest.param([TITLE], {"Fresh": 1}, ("Fresh",), id="came with it"),
        pytest.param(
            [TITLE], {"UpdatedBy": "me", "ToStringText": "Pilates", "IsNew": True}, (), id="what moves with every PUT"
        ),
        pytest.param([TITLE], {"CourseTitle": "Sports"}, ("CourseTitle",), id="course title by itself"),
        pytest.param(
            [TITLE, FieldChange("CourseId", 12, 13)],
            {"CourseId": 13, "CourseTitle": "Sports"},
            (),
            id="with its course",
        ),
        pytest.param([TITLE], {"Active": False, "UpdatedOn": "later"}, (), id="not under our UpdatedOn"),
    ],
)
def test_fields_that_nobody_asked_to_change_are_named(
    changes: list[FieldChange], live: dict[str, Json], touched: tuple[str, ...]
) -> None:
    """Under our own `UpdatedOn` only our PUT can have changed them; sorted, so that reports are stable."""
    assert read(changes, live={"Title": "Pilates", **live}) == Verification(Seen.AS_ASKED, touched=touched)


def test_a_field_that_the_record_no_longer_has_is_named() -> None:
    """A field that vanished under our PUT is as bad as one that was reset."""
    live = {name: value for name, value in section(Title="Pilates", UpdatedOn=OURS).items() if name != "SomethingNew"}

    assert verify([TITLE], before=section(), live=live, put_updated_on=OURS).touched == ("SomethingNew",)


def test_side_effects_are_named_whatever_became_of_the_rest() -> None:
    """A PUT that was not stored and reset another field has done both."""
    assert read([TITLE], live={"Active": False}) == Verification(Seen.NOT_STORED, {"Title": "Yoga"}, ("Active",))
