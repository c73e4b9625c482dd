"""Undo: what a run wrote is put back where nobody wrote after it, and the rest is named."""

from collections.abc import Mapping

import pytest

from sync.diff import digest
from sync.model import (
    ChangeKind,
    Conflict,
    Decision,
    Edit,
    FieldChange,
    Gone,
    Label,
    PlannedRow,
    RowNumber,
    RunId,
    SectionId,
    Severity,
    Status,
    ToUpdate,
    Unchanged,
)
from sync.plan import outcome_of
from sync.reading import Found, Missing
from sync.section import Json
from sync.undo import Written, given_up, ids_to_undo, plan_undo, undo_issue, undone, undone_run
from tests.sections import made, section

LABEL = Label("7", "12", "Pilates")
NOW = "2025-02-01T09:00:00Z"
TITLE = FieldChange("Title", "Yoga", "Pilates")
ORDER = FieldChange("DisplayOrder", 1, 5)
IMAGE = FieldChange("NewImageUrl", None, "https://example.com/a.png")


def written(
    *changes: FieldChange, stored: Mapping[str, str] | None = None, certain: bool = True, row: int = 4, number: int = 7
) -> Written:
    return Written(
        RowNumber(row), SectionId(number), LABEL, changes, section(number), stored=stored or {}, certain=certain
    )


def back(name: str, before: Json, after: Json) -> FieldChange:
    return FieldChange(name, before, after, kind=ChangeKind.UNDO)


def live(**fields: Json) -> Found:
    return Found(SectionId(7), section(7, **{"UpdatedOn": NOW, "UpdatedBy": "eve@example.com", **fields}))


def said(row: PlannedRow) -> list[tuple[str, str | None, Severity]]:
    return [(issue.code, issue.field, issue.severity) for issue in row.issues]


def test_a_field_that_is_as_we_wrote_it_is_put_back() -> None:
    """The value of the before-image, as an ordinary change from live, under the run's own row."""
    assert undone(written(TITLE, ORDER), live(Title="Pilates", DisplayOrder=5)) == PlannedRow(
        RowNumber(4),
        LABEL,
        ToUpdate((back("Title", "Pilates", "Yoga"), back("DisplayOrder", 5, 1)), NOW),
        Edit(RowNumber(4), SectionId(7), {"Title": "Yoga", "DisplayOrder": 1}, LABEL),
    )


@pytest.mark.parametrize(
    ("now", "decision"),
    [
        pytest.param("Pilates", ToUpdate((back("Title", "Pilates", "Yoga"),), NOW), id="ours"),
        pytest.param("PILATES", ToUpdate((back("Title", "PILATES", "Yoga"),), NOW), id="the server's form"),
        pytest.param("Yoga", Unchanged(), id="as before"),
        pytest.param("Flow", Conflict((FieldChange("Title", "Flow", "Yoga", base="Pilates"),)), id="changed since"),
        pytest.param(None, Conflict((FieldChange("Title", None, "Yoga", base="Pilates"),)), id="lost since"),
    ],
)
def test_only_our_own_writing_is_undone(now: Json, decision: Decision) -> None:
    """Live as we wrote it, or as the server is known to have stored it; never what somebody else wrote."""
    asked = written(TITLE, stored={"Title": digest("Title", "PILATES")})

    assert undone(asked, live(Title=now)).decision == decision


def test_a_value_that_was_put_back_and_rewritten_is_as_before() -> None:
    """Undone once more, it is nobody's change: the server keeps in its own form what the first undo sent."""
    again = {"Title": made("Title", "Yoga", "YOGA")}

    assert undone(written(TITLE), live(Title="YOGA"), desired=again).decision == Unchanged()
    assert isinstance(undone(written(TITLE), live(Title="Flow"), desired=again).decision, Conflict)


def test_the_before_image_is_what_is_put_back() -> None:
    """Not what the plan thought to be there: the record may have been read anew before it was sent."""
    row = undone(written(FieldChange("Title", "seen in the plan", "Pilates")), live(Title="Pilates"))

    assert row.decision == ToUpdate((back("Title", "Pilates", "Yoga"),), NOW)


def test_noise_is_no_change() -> None:
    """Line ends and composed letters do not make a text another one, on either side."""
    change = FieldChange("SectionContents", None, "a\ncafe\u0301")

    row = undone(written(change), live(SectionContents="a\r\ncaf\u00e9"))

    assert isinstance(row.decision, ToUpdate)


def test_one_field_changed_since_does_not_keep_the_others() -> None:
    """The row is sent for what is still ours, and warns of the rest."""
    row = undone(written(TITLE, ORDER, IMAGE), live(Title="Flow", DisplayOrder=5))

    assert row.decision == ToUpdate((back("DisplayOrder", 5, 1),), NOW)
    assert row.edit is not None
    assert row.edit.values == {"DisplayOrder": 1}
    assert said(row) == [
        ("undo.changed_since", "Title", Severity.WARNING),
        ("undo.image", "NewImageUrl", Severity.WARNING),
    ]
    assert str(row.issues[0]) == (
        "Title: was changed since (the section last by eve@example.com on 2025-02-01T09:00:00Z); it stays as it is"
    )


def test_a_row_of_which_nothing_can_be_put_back_needs_attention() -> None:
    """Its status is `conflict`, and an error says why."""
    row = undone(written(TITLE, ORDER), live(Title="Flow", DisplayOrder=1))

    assert said(row) == [("undo.changed_since", "Title", Severity.ERROR)]
    assert outcome_of(row, to_update=Status.TO_UPDATE).status is Status.CONFLICT


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("old.png", "NewImageUrl: cannot be undone; the image before was old.png", id="there was one"),
        pytest.param(None, "NewImageUrl: cannot be undone; there was no image before", id="there was none"),
    ],
)
def test_an_image_is_named_and_never_put_back(name: str | None, message: str) -> None:
    """The API gives no image back, so a person has to."""
    before = section(7, ImageFileName=name)
    asked = Written(RowNumber(4), SectionId(7), LABEL, (IMAGE,), before)

    row = undone(asked, live(ImageFileName="a.png"))

    assert isinstance(row.decision, Conflict)
    assert [str(issue) for issue in row.issues] == [message]


def test_what_nobody_knows_to_be_ours_is_left_alone() -> None:
    """An update without a verdict is named where live is as it asked, and not where it is as before."""
    asked = written(TITLE, ORDER, certain=False)

    row = undone(asked, live(Title="Pilates", DisplayOrder=1))

    assert isinstance(row.decision, Conflict)
    assert said(row) == [("undo.unknown", "Title", Severity.ERROR)]
    assert undone(asked, live()).decision == Unchanged()


def test_a_section_that_is_gone_is_reported() -> None:
    """There is nothing to put anything back into."""
    row = undone(written(TITLE), Missing(SectionId(7)))

    assert (row.decision, said(row)) == (Gone(), [("api.not_found", "Id", Severity.ERROR)])


def test_an_undo_can_be_limited_to_rows_and_fields() -> None:
    """Rows outside of the limit are left out, those without one of the fields too; and nobody reads them."""
    run = [written(TITLE, ORDER, row=2, number=7), written(ORDER, row=3, number=8), written(TITLE, row=4, number=9)]
    now = {
        SectionId(number): Found(SectionId(number), section(number, Title="Pilates", DisplayOrder=5))
        for number in (7, 8, 9)
    }

    def changed(rows: set[int] | None, fields: set[str] | None) -> list[tuple[int, list[str]]]:
        chosen = None if rows is None else {RowNumber(row) for row in rows}
        plan = plan_undo(run, now.values(), rows=chosen, fields=fields)
        assert ids_to_undo(run, rows=chosen, fields=fields) == tuple(row.edit.id for row in plan if row.edit)
        return [(row.row, list(row.edit.values)) for row in plan if row.edit]

    assert changed(None, None) == [(2, ["Title", "DisplayOrder"]), (3, ["DisplayOrder"]), (4, ["Title"])]
    assert changed({2, 4}, None) == [(2, ["Title", "DisplayOrder"]), (4, ["Title"])]
    assert changed(None, {"DisplayOrder"}) == [(2, ["DisplayOrder"]), (3, ["DisplayOrder"])]
    assert changed({3}, {"Title"}) == []


def test_what_stays_is_not_desired_any_more() -> None:
    """Changed since, or as before by another hand; not what is put back, an image, or what nobody knows to be ours."""
    run = [
        written(TITLE, ORDER, IMAGE),
        written(TITLE, row=5, number=8),
        written(TITLE, row=6, number=9, certain=False),
    ]
    now = [
        live(Title="Flow", DisplayOrder=5),
        Found(SectionId(8), section(8)),
        Found(SectionId(9), section(9, Title="Flow")),
    ]
    plan = plan_undo(run, now)

    assert given_up(run, plan) == {7: ("Title",), 8: ("Title",)}
    assert given_up(run, plan, fields={"DisplayOrder"}) == {}
    assert given_up(run, plan_undo(run, [Missing(SectionId(8))])) == {}


def test_the_facts_of_an_undo_name_the_run() -> None:
    """And those of another run name none."""
    assert undone_run([undo_issue(RunId("r1"))]) == "r1"
    assert undone_run([]) is None
