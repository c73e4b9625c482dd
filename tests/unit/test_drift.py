"""Drift: what somebody changed after us, and nothing that was merely read."""

import pytest

from sync.diff import decide_again, digest
from sync.drift import DesiredField, plan_drift
from sync.frozen import replace
from sync.model import (
    ChangeKind,
    Conflict,
    Edit,
    FieldChange,
    Gone,
    Label,
    PlannedRow,
    RowNumber,
    RunId,
    SectionId,
    Severity,
    ToUpdate,
    Unchanged,
)
from sync.reading import Found, Missing
from sync.section import Json
from tests.sections import section

OURS = "2025-01-15T10:30:00Z"
THEIRS = "2025-02-01T09:00:00Z"
EVE = "eve@example.com"
RUN = RunId("r1")


def desired(name: str, value: Json, stored: Json = None, *, updated_on: str | None = OURS) -> DesiredField:
    kept = value if stored is None else stored
    return DesiredField(value, digest(name, value), digest(name, kept), updated_on, RUN)


def found(number: int = 7, **fields: Json) -> Found:
    return Found(SectionId(number), section(number, **{"UpdatedOn": THEIRS, "UpdatedBy": EVE, **fields}))


def one(sight: Found | Missing, **fields: DesiredField) -> PlannedRow:
    (row,) = plan_drift({sight.id: fields}, [sight])
    return row


def test_a_drifted_field_is_a_change_back_marked_as_one() -> None:
    """From live to desired, with who changed the section last and when; the row is named as live has it."""
    row = one(found(Title="Flow"), Title=desired("Title", "Yoga"), DisplayOrder=desired("DisplayOrder", 1))

    label = Label("7", "12", "Flow")
    assert replace(row, issues=()) == PlannedRow(
        RowNumber(2),
        label,
        ToUpdate((FieldChange("Title", "Flow", "Yoga", base="Yoga", kind=ChangeKind.RESTORE),), THEIRS),
        Edit(RowNumber(2), SectionId(7), {"Title": "Yoga"}, label),
    )
    assert [(issue.code, issue.severity, str(issue)) for issue in row.issues] == [
        (
            "drift.changed",
            Severity.WARNING,
            f"Title: desired “Yoga” since run r1, live “Flow”; the section was last changed by {EVE} on {THEIRS}",
        )
    ]


@pytest.mark.parametrize(
    ("name", "value", "live"),
    [
        pytest.param("Title", "Yoga", "Yoga", id="same"),
        pytest.param("SectionContents", "a\ncaf\u00e9", "a\r\ncafe\u0301", id="noise"),
        pytest.param("SectionContents", "", None, id="empty"),
        pytest.param("DisplayOrder", 5, 5.0, id="number"),
        pytest.param("NewImageUrl", "https://example.com/a.png", None, id="image"),
        pytest.param("ClearImageFile", True, None, id="cleared image"),
    ],
)
def test_noise_and_images_never_drift(name: str, value: Json, live: Json) -> None:
    """Equality is on normal forms, and an image order is no state."""
    assert one(found(**{name: live}), **{name: desired(name, value)}).decision == Unchanged()


def test_what_the_server_is_known_to_store_is_no_drift() -> None:
    """Its rewriting was read after our PUT; a third value is drift."""
    field = desired("SectionContents", "<b>A", "<b>A</b>")

    assert one(found(SectionContents="<b>A</b>"), SectionContents=field).decision == Unchanged()
    assert one(found(SectionContents="<b>A"), SectionContents=field).decision == Unchanged()
    assert isinstance(one(found(SectionContents="<i>A</i>"), SectionContents=field).decision, ToUpdate)


@pytest.mark.parametrize(
    ("updated_on", "codes"),
    [
        pytest.param(THEIRS, ["drift.rewritten"], id="our own"),
        pytest.param(OURS, ["drift.changed"], id="another"),
        pytest.param(None, ["drift.changed"], id="not known"),
    ],
)
def test_under_our_own_updated_on_nobody_can_have_changed_anything(updated_on: str | None, codes: list[str]) -> None:
    """A value that no read confirmed, in the server's form: restoring it on every run would never end."""
    row = one(found(Title="YOGA"), Title=desired("Title", "Yoga", updated_on=updated_on))

    assert [issue.code for issue in row.issues] == codes
    assert isinstance(row.decision, Unchanged) == (codes == ["drift.rewritten"])


def test_two_unknown_times_are_not_the_same_time() -> None:
    """A record without `UpdatedOn` says nothing about who wrote last."""
    row = one(found(Title="Flow", UpdatedOn=None), Title=desired("Title", "Yoga", updated_on=None))

    assert isinstance(row.decision, ToUpdate)
    assert row.decision.updated_on is None
    assert row.issues[0].message.endswith("was last changed by eve@example.com on an unknown day")


def test_a_field_that_no_sheet_named_cannot_drift() -> None:
    """Everything else of the record may be as it likes."""
    assert (
        one(found(Title="Flow", Active=False, CustomFields=None), DisplayOrder=desired("DisplayOrder", 1)).issues == ()
    )


def test_a_section_that_is_gone_is_reported() -> None:
    """It cannot be restored: creating sections is not done here."""
    row = one(Missing(SectionId(7)), Title=desired("Title", "Yoga"))

    assert (row.decision, row.label, [issue.code for issue in row.issues]) == (Gone(), Label("7"), ["api.not_found"])


def test_a_value_that_is_not_kept_is_reported_and_not_restored() -> None:
    """Alone it makes the row a conflict; beside another drifted field it is a warning."""
    lost = replace(desired("Title", "Yoga"), value=None, value_kept=False)

    alone = one(found(Title="Flow"), Title=lost)
    beside = one(found(Title="Flow", DisplayOrder=9), Title=lost, DisplayOrder=desired("DisplayOrder", 1))

    assert alone.decision == Conflict(())
    assert [(issue.code, issue.field, issue.severity) for issue in alone.issues] == [
        ("drift.value_lost", "Title", Severity.ERROR)
    ]
    assert isinstance(beside.decision, ToUpdate)
    assert [change.field for change in beside.decision.changes] == ["DisplayOrder"]
    assert [(issue.code, issue.severity) for issue in beside.issues] == [
        ("drift.changed", Severity.WARNING),
        ("drift.value_lost", Severity.WARNING),
    ]


def test_a_null_that_was_sent_is_a_value() -> None:
    """Null is what a field was made to be, not the lack of anything."""
    row = one(found(SectionContents="<p>A</p>"), SectionContents=desired("SectionContents", None))

    assert row.decision == ToUpdate(
        (FieldChange("SectionContents", "<p>A</p>", None, base=None, kind=ChangeKind.RESTORE),), THEIRS
    )


def test_every_section_of_the_desired_state_has_its_row_by_id() -> None:
    """Drifted or not, so that the counts add up; numbered as below a line of headings."""
    title = {"Title": desired("Title", "Yoga")}
    live = {
        SectionId(9): found(9, Title="Flow"),
        SectionId(3): found(3),
        SectionId(5): Missing(SectionId(5)),
    }

    plan = plan_drift(dict.fromkeys(live, title), live.values())

    assert [(row.row, row.label.id, type(row.decision)) for row in plan] == [
        (2, "3", Unchanged),
        (3, "5", Gone),
        (4, "9", ToUpdate),
    ]


def test_a_restored_field_is_decided_once_more_before_it_is_sent() -> None:
    """Put back meanwhile: unchanged. Changed once more: a conflict, as for any row."""
    row = one(found(Title="Flow"), Title=desired("Title", "Yoga"))
    assert isinstance(row.decision, ToUpdate)
    assert row.edit is not None

    def again(title: str) -> object:
        assert isinstance(row.decision, ToUpdate)
        assert row.edit is not None
        return decide_again(row.edit, row.decision, section(7, Title=title))

    assert again("Yoga") == Unchanged()
    assert again("Flow") == replace(row.decision, updated_on=OURS)
    assert isinstance(again("Zen"), Conflict)
