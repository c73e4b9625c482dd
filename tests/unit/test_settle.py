"""What a read says about a PUT whose answer nobody heard."""

import pytest

from sync.model import FieldChange
from sync.ports import Desired
from sync.section import Json
from sync.settle import Settled, settle
from tests.sections import made, section

APPLIED, NOT_APPLIED, UNDECIDED = Settled.APPLIED, Settled.NOT_APPLIED, Settled.UNDECIDED

TITLE = FieldChange("Title", "Yoga", "Pilates")
ORDER = FieldChange("DisplayOrder", 1, 2)
IMAGE = FieldChange("NewImageUrl", None, "https://example.com/a.png")
CLEAR = FieldChange("ClearImageFile", None, True)


@pytest.mark.parametrize(
    ("changes", "live", "verdict"),
    [
        pytest.param([TITLE], {"Title": "Pilates", "UpdatedOn": "later"}, APPLIED, id="as asked"),
        pytest.param([TITLE], {"Title": "Pilates"}, APPLIED, id="as asked, UpdatedOn does not move here"),
        pytest.param([TITLE], {}, NOT_APPLIED, id="as before"),
        pytest.param([TITLE], {"UpdatedOn": "later"}, UNDECIDED, id="as before, but somebody wrote"),
        pytest.param([TITLE], {"Title": "third", "UpdatedOn": "later"}, UNDECIDED, id="a third value"),
        pytest.param([TITLE], {"Title": "third"}, UNDECIDED, id="a third value, UpdatedOn unmoved"),
        pytest.param([TITLE, ORDER], {"Title": "Pilates", "DisplayOrder": 2, "UpdatedOn": "later"}, APPLIED, id="both"),
        pytest.param([TITLE, ORDER], {"Title": "Pilates", "UpdatedOn": "later"}, UNDECIDED, id="half"),
        pytest.param([TITLE, ORDER], {"Title": "Pilates"}, UNDECIDED, id="half, UpdatedOn unmoved"),
        pytest.param([TITLE], {"DisplayOrder": 5}, NOT_APPLIED, id="another field moved, which does not count"),
        pytest.param(
            [TITLE], {"Title": "Pilates", "DisplayOrder": 5, "UpdatedOn": "later"}, APPLIED, id="only ours count"
        ),
    ],
)
def test_the_changed_fields_and_updated_on_decide(
    changes: list[FieldChange], live: dict[str, Json], verdict: Settled
) -> None:
    """All as asked → applied; all as before and `UpdatedOn` unmoved → it may be sent again; else nobody knows."""
    assert settle(changes, before=section(), live=section(**live)) is verdict


@pytest.mark.parametrize(
    ("change", "stored", "verdict"),
    [
        pytest.param(FieldChange("SectionContents", "old", "a\nb"), "a\r\nb", APPLIED, id="line-ends as asked"),
        pytest.param(FieldChange("SectionContents", "old", ""), None, APPLIED, id="cleared to null"),
        pytest.param(FieldChange("DisplayOrder", 1, 2), 2.0, APPLIED, id="number with a point"),
        pytest.param(FieldChange("SectionContents", "a\nb", "new"), "a\r\nb", NOT_APPLIED, id="line ends as before"),
    ],
)
def test_noise_does_not_blur_the_verdict(change: FieldChange, stored: Json, verdict: Settled) -> None:
    """Both comparisons are on normal forms."""
    before = section(**{change.field: change.before})

    assert settle([change], before=before, live=section(**{change.field: stored})) is verdict


@pytest.mark.parametrize(
    ("rewritings", "verdict"),
    [
        pytest.param({"Title": made("Title", "Pilates", "PILATES")}, APPLIED, id="known"),
        pytest.param({"Title": made("Title", "Pilates", "pilates")}, UNDECIDED, id="another form"),
        pytest.param({"Title": made("Title", "Other", "PILATES")}, UNDECIDED, id="of another value"),
        pytest.param({"SectionContents": made("Title", "Pilates", "PILATES")}, UNDECIDED, id="of another field"),
        pytest.param({}, UNDECIDED, id="none known"),
        pytest.param(None, UNDECIDED, id="none given"),
    ],
)
def test_the_known_rewriting_counts_as_asked(rewritings: Desired | None, verdict: Settled) -> None:
    """What the server made of this very value before is what it makes of it now."""
    live = section(Title="PILATES", UpdatedOn="later")

    assert settle([TITLE], before=section(), live=live, rewritings=rewritings) is verdict


@pytest.mark.parametrize(
    ("change", "before", "live", "verdict"),
    [
        pytest.param(IMAGE, None, {"ImageFileName": "a.png", "UpdatedOn": "later"}, APPLIED, id="image came"),
        pytest.param(IMAGE, "b.png", {"ImageFileName": "a.png", "UpdatedOn": "later"}, APPLIED, id="image replaced"),
        pytest.param(IMAGE, None, {}, NOT_APPLIED, id="no image came"),
        pytest.param(IMAGE, "b.png", {"ImageFileName": "b.png"}, NOT_APPLIED, id="image stayed"),
        pytest.param(
            IMAGE, "b.png", {"ImageFileName": "b.png", "UpdatedOn": "later"}, UNDECIDED, id="same name, written since"
        ),
        pytest.param(IMAGE, None, {"ImageFileName": "a.png"}, UNDECIDED, id="image came, UpdatedOn unmoved"),
        pytest.param(IMAGE, "b.png", {"UpdatedOn": "later"}, UNDECIDED, id="image went instead"),
        pytest.param(CLEAR, "b.png", {"UpdatedOn": "later"}, APPLIED, id="image removed"),
        pytest.param(CLEAR, "b.png", {"ImageFileName": "", "UpdatedOn": "later"}, APPLIED, id="removed, empty name"),
        pytest.param(CLEAR, "b.png", {"ImageFileName": "b.png"}, NOT_APPLIED, id="image not removed"),
        pytest.param(CLEAR, "b.png", {"ImageFileName": "c.png", "UpdatedOn": "later"}, UNDECIDED, id="another image"),
    ],
)
def test_image_file_name_bears_witness_for_image_orders(
    change: FieldChange, before: str | None, live: dict[str, Json], verdict: Settled
) -> None:
    """Their own fields are null in every read."""
    assert settle([change], before=section(ImageFileName=before), live=section(**live)) is verdict
