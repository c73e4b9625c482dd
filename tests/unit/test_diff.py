"""One row decided: the rule of the house as a table over every combination, written down a second time by hand."""

from itertools import product
from typing import Literal

import pytest

from sync.diff import Known, decide, decide_again, digest, read_only_warnings
from sync.frozen import replace
from sync.model import (
    ChangeKind,
    Conflict,
    Decision,
    Edit,
    FieldChange,
    Label,
    RowNumber,
    SectionId,
    Severity,
    ToUpdate,
    Unchanged,
)
from sync.ports import Desired
from sync.section import Json
from tests.sections import ABSENT, base_of, edit, made, section

SEEN = "2025-01-15T10:30:00Z"
URL, OTHER_URL = "https://example.com/a.png", "https://example.com/b.png"

Policy = Literal["refuse", "sheet", "live"]


def by_the_rule(e: Json, live: Json, base: Json, desired: Json, *, keep: bool, moved: bool) -> str:
    """The four rules for one field, in the order in which they are written down."""
    if e is ABSENT or e == live:
        return "nothing"
    if base is not ABSENT:
        if e == base:
            return "nothing"
        return "change" if live == base else "conflict"
    if desired is not ABSENT:
        if live == desired:
            return "change"
        if e == desired:
            return "nothing" if keep else "restore"
        return "conflict"
    return "conflict" if moved else "change"


def expected(name: str, values: tuple[Json, ...], *, keep: bool, moved: bool, on_conflict: Policy) -> Decision:
    """The decision on a row that names one field, policies included."""
    after, before, base, _ = values
    ruled = by_the_rule(*values, keep=keep, moved=moved)
    if ruled == "conflict" and on_conflict != "refuse":
        ruled = {"sheet": "change", "live": "nothing"}[on_conflict]
    if ruled == "nothing":
        return Unchanged()
    if ruled == "restore":
        change = FieldChange(name, before, after, base=after, kind=ChangeKind.RESTORE)
        return ToUpdate((change,), SEEN)
    change = FieldChange(name, before, after, base=None if base is ABSENT else base)
    return Conflict((change,)) if ruled == "conflict" else ToUpdate((change,), SEEN)


def decided(
    name: str, values: tuple[Json, ...], *, keep: bool, seen_updated_on: str | None, on_conflict: Policy
) -> Decision:
    after, before, base, desired = values
    known = Known(
        base={} if base is ABSENT else {name: digest(name, base)},
        base_shown={} if base is ABSENT else {name: base},
        desired={} if desired is ABSENT else {name: made(name, desired)},
        restore_drift=not keep,
        on_conflict=on_conflict,
    )
    row = edit({} if after is ABSENT else {name: after}, seen_updated_on=seen_updated_on)
    return decide(row, section(**{name: before}), known)


@pytest.mark.parametrize("on_conflict", ["refuse", "sheet", "live"])
@pytest.mark.parametrize("keep", [pytest.param(False, id="restore"), pytest.param(True, id="keep")])
@pytest.mark.parametrize(
    "seen_updated_on",
    [
        pytest.param(None, id="no-witness"),
        pytest.param(SEEN, id="not-moved"),
        pytest.param("2024-12-31T00:00:00Z", id="moved"),
    ],
)
@pytest.mark.parametrize(
    ("name", "pool"),
    [
        pytest.param("Title", ("A", "B", "C"), id="text"),
        pytest.param("SectionContents", ("", "0", "C"), id="text-with-empty"),
        pytest.param("DisplayOrder", (0, 1, 2), id="number-with-zero"),
        pytest.param("Active", (False, True), id="boolean"),
    ],
)
def test_every_combination_of_edit_live_base_and_desired_follows_the_rule(
    name: str, pool: tuple[Json, ...], seen_updated_on: str | None, *, keep: bool, on_conflict: Policy
) -> None:
    """Rules 1 to 4 and the policies, for all values that the four can have, or not have, beside one another."""
    moved = seen_updated_on not in (None, SEEN)
    everything = list(product((*pool, ABSENT), pool, (*pool, ABSENT), (*pool, ABSENT)))

    got = [decided(name, v, keep=keep, seen_updated_on=seen_updated_on, on_conflict=on_conflict) for v in everything]

    assert got == [expected(name, v, keep=keep, moved=moved, on_conflict=on_conflict) for v in everything]


@pytest.mark.parametrize(
    ("e", "live", "base", "desired", "outcome"),
    [
        pytest.param("A", "A", "B", "C", Unchanged, id="1 as asked already, whoever made it so"),
        pytest.param("A", "B", "A", ABSENT, Unchanged, id="2 not touched by the operator"),
        pytest.param("A", "B", "B", ABSENT, ToUpdate, id="2 touched by the operator alone"),
        pytest.param("A", "B", "C", ABSENT, Conflict, id="2 touched by both"),
        pytest.param("A", "B", "A", "B", Unchanged, id="2 a base outweighs the desired value"),
        pytest.param("A", "B", ABSENT, "B", ToUpdate, id="3 live is as the last run made it"),
        pytest.param("A", "B", ABSENT, "A", ToUpdate, id="3 drift"),
        pytest.param("A", "B", ABSENT, "C", Conflict, id="3 touched by both"),
        pytest.param("A", "B", ABSENT, ABSENT, ToUpdate, id="4 nothing is known"),
    ],
)
def test_the_rule_by_example(e: Json, live: Json, base: Json, desired: Json, outcome: type) -> None:
    """The same rule, each sentence once, for people."""
    assert type(decided("Title", (e, live, base, desired), keep=False, seen_updated_on=None, on_conflict="refuse")) is (
        outcome
    )


def test_one_conflict_holds_the_whole_row() -> None:
    """Half a row is never sent: the conflict names the fields that moved, and those alone."""
    row = edit({"Title": "mine", "DisplayOrder": 9})
    known = base_of({"Title": "seen", "DisplayOrder": 1})

    assert decide(row, section(Title="theirs", DisplayOrder=1), known) == Conflict(
        (FieldChange("Title", "theirs", "mine", base="seen"),)
    )


def test_a_row_that_keeps_what_is_live_sends_its_other_fields() -> None:
    """`on_conflict = "live"` gives way in the fields that moved, not in the row."""
    known = Known(base=base_of({"Title": "seen"}).base, on_conflict="live")

    assert decide(edit({"Title": "mine", "DisplayOrder": 9}), section(Title="theirs"), known) == ToUpdate(
        (FieldChange("DisplayOrder", 1, 9),), SEEN
    )


@pytest.mark.parametrize(
    ("known", "not_as_made", "older_sheet"),
    [
        pytest.param(Known(base={"Title": digest("Title", "seen")}), frozenset(), frozenset(), id="export"),
        pytest.param(
            Known(base={"Title": digest("Title", "seen")}, desired={"Title": made("Title", "ours")}),
            frozenset(),
            frozenset(),
            id="export before a run",
        ),
        pytest.param(Known(desired={"Title": made("Title", "ours")}), frozenset({"Title"}), frozenset(), id="run"),
        pytest.param(Known(), frozenset(), frozenset({"Title"}), id="UpdatedOn alone"),
    ],
)
def test_a_conflict_says_what_it_was_held_against_and_who_was_last(
    known: Known, not_as_made: frozenset[str], older_sheet: frozenset[str]
) -> None:
    """So that the operator is told no more than is known."""
    row = edit({"Title": "mine"}, seen_updated_on="before")

    decision = decide(row, section(Title="theirs"), known)

    assert isinstance(decision, Conflict)
    assert (decision.against.not_as_made, decision.against.older_sheet) == (not_as_made, older_sheet)
    assert (decision.against.updated_by, decision.against.updated_on) == ("admin@example.com", SEEN)


def test_changes_stand_in_the_order_of_the_sheet() -> None:
    """What a plan shows follows the columns."""
    row = edit({"Active": False, "Title": "B", "CourseId": 12, "DisplayOrder": 4})

    assert decide(row, section()) == ToUpdate(
        (FieldChange("Active", True, False), FieldChange("Title", "Yoga", "B"), FieldChange("DisplayOrder", 1, 4)),
        SEEN,
    )


# noise and rewritings ----------------------------------------------------------------------------------------------

NOISE = [
    pytest.param("SectionContents", "a\nb", "a\r\nb", id="line-ends"),
    pytest.param("SectionContents", "a\nb", "a\rb", id="old-line-ends"),
    pytest.param("Title", "caf\u00e9", "cafe\u0301", id="composed-letters"),
    pytest.param("SectionContents", "", None, id="empty-and-null"),
    pytest.param("DisplayOrder", 5, 5.0, id="whole-number-with-point"),
]


@pytest.mark.parametrize(("name", "one", "other"), NOISE)
def test_noise_is_no_change(name: str, one: Json, other: Json) -> None:
    """Two forms of one value are equal, whichever side has which."""
    assert decide(edit({name: one}), section(**{name: other})) == Unchanged()
    assert decide(edit({name: other}), section(**{name: one})) == Unchanged()


@pytest.mark.parametrize(("name", "one", "other"), NOISE)
def test_noise_is_neither_a_touched_cell_nor_a_conflict(name: str, one: Json, other: Json) -> None:
    """A base and a desired value are compared in normal form, too."""
    third: Json = 77 if name == "DisplayOrder" else "third"
    row, moved = edit({name: third}), section(**{name: other})

    assert decide(edit({name: one}), section(**{name: third}), base_of({name: other})) == Unchanged()
    assert isinstance(decide(row, moved, base_of({name: one})), ToUpdate)
    assert isinstance(decide(row, moved, Known(desired={name: made(name, one)})), ToUpdate)


@pytest.mark.parametrize(
    ("name", "asked", "live"),
    [
        pytest.param("Active", True, 1, id="true-is-not-1"),
        pytest.param("Title", "5", 5, id="text-is-no-number"),
        pytest.param("Title", "A", "A ", id="white-space-counts"),
        pytest.param("Title", "Yoga", "yoga", id="case-counts"),
        pytest.param("DisplayOrder", 0, None, id="zero-is-not-null"),
        pytest.param("Active", False, None, id="false-is-not-null"),
    ],
)
def test_what_differs_is_a_change(name: str, asked: Json, live: Json) -> None:
    """Nothing beyond the named noise is taken for the same."""
    assert decide(edit({name: asked}), section(**{name: live})) == ToUpdate((FieldChange(name, live, asked),), SEEN)


@pytest.mark.parametrize(
    ("e", "live", "verdict"),
    [
        pytest.param("sent", "stored", "unchanged", id="the known rewriting"),
        pytest.param("stored", "stored", "unchanged", id="the server's form, asked for"),
        pytest.param("new", "stored", "change", id="a new wish"),
        pytest.param("new", "sent", "change", id="a new wish, kept as sent after all"),
        pytest.param("sent", "foreign", "restore", id="drift"),
        pytest.param("new", "foreign", "conflict", id="both touched it"),
    ],
)
def test_a_value_that_the_server_rewrites_does_not_come_back(e: str, live: str, verdict: str) -> None:
    """`sent` became `stored` once: that is as asked, and a base for the next wish."""
    decision = decide(
        edit({"Title": e}), section(Title=live), Known(desired={"Title": made("Title", "sent", "stored")})
    )

    match decision:
        case Unchanged():
            got = "unchanged"
        case ToUpdate(changes=(FieldChange(kind=kind),)):
            got = "restore" if kind is ChangeKind.RESTORE else "change"
        case _:
            got = "conflict"

    assert got == verdict


@pytest.mark.parametrize(
    ("live", "verdict"), [("SEEN", ToUpdate), ("theirs", Conflict), ("seen", ToUpdate)], ids=["ours", "theirs", "base"]
)
def test_what_the_server_made_of_the_exported_value_is_nobodys_change(live: str, verdict: type) -> None:
    """A run was undone, and the server keeps what was put back in its own form: the export is still a base."""
    known = replace(base_of({"Title": "seen"}), desired={"Title": made("Title", "seen", "SEEN")})

    assert isinstance(decide(edit({"Title": "mine"}), section(Title=live), known), verdict)


def test_a_known_rewriting_is_unchanged_beside_a_base_as_well() -> None:
    """The workbook was exported before the run; the sheet is uploaded again after it."""
    known = Known(base=base_of({"Title": "before"}).base, desired={"Title": made("Title", "sent", "stored")})

    assert decide(edit({"Title": "sent"}), section(Title="stored"), known) == Unchanged()


# images ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "image", "desired", "fields"),
    [
        pytest.param({"NewImageUrl": URL}, None, {}, ["NewImageUrl"], id="no image yet"),
        pytest.param({"NewImageUrl": URL}, "", {}, ["NewImageUrl"], id="no image yet, empty name"),
        pytest.param({"NewImageUrl": URL}, "a.png", {}, ["NewImageUrl"], id="an image, not known whose"),
        pytest.param({"NewImageUrl": URL}, "a.png", {"NewImageUrl": made("NewImageUrl", URL)}, [], id="sent before"),
        pytest.param(
            {"NewImageUrl": URL},
            "a.png",
            {"NewImageUrl": made("NewImageUrl", OTHER_URL)},
            ["NewImageUrl"],
            id="new one",
        ),
        pytest.param(
            {"NewImageUrl": URL}, None, {"NewImageUrl": made("NewImageUrl", URL)}, ["NewImageUrl"], id="since removed"
        ),
        pytest.param({"ClearImageFile": True}, "a.png", {}, ["ClearImageFile"], id="removed"),
        pytest.param({"ClearImageFile": True}, None, {}, [], id="nothing to remove"),
        pytest.param(
            {"ClearImageFile": True},
            "b.png",
            {"ClearImageFile": made("ClearImageFile", True)},
            ["ClearImageFile"],
            id="removed again",
        ),
        pytest.param({"ClearImageFile": False}, "a.png", {}, [], id="not to be removed"),
    ],
)
def test_images_are_orders_and_no_state(
    values: dict[str, Json], image: str | None, desired: Desired, fields: list[str]
) -> None:
    """An address is sent when it is not the last one confirmed, or no image is there; a removal where there is one."""
    decision = decide(edit(values), section(ImageFileName=image), Known(desired=desired))

    assert [change.field for change in getattr(decision, "changes", ())] == fields


@pytest.mark.parametrize("policy", ["refuse", "sheet", "live"])
def test_an_image_is_never_a_conflict(policy: Policy) -> None:
    """No read gives the address back, so nobody can have changed it: base, witness and policy do not matter."""
    known = Known(base={"NewImageUrl": digest("NewImageUrl", OTHER_URL)}, on_conflict=policy)
    row = edit({"NewImageUrl": URL}, seen_updated_on="long ago")

    assert decide(row, section(), known) == ToUpdate((FieldChange("NewImageUrl", None, URL),), SEEN)


# between plan and PUT ----------------------------------------------------------------------------------------------


def test_a_field_that_moved_between_plan_and_put_is_a_conflict() -> None:
    """For all values: as asked by now → nothing; as planned → the planned change; else somebody's work is kept."""
    pool = ("A", "B", "")
    got = {}
    for asked, at_plan, at_put in product(pool, repeat=3):
        row = edit({"Title": asked})
        planned = decide(row, section(Title=at_plan))
        if isinstance(planned, ToUpdate):
            got[asked, at_plan, at_put] = decide_again(row, planned, section(Title=at_put, UpdatedOn="later"))

    assert got == {
        (asked, at_plan, at_put): Unchanged()
        if at_put == asked
        else ToUpdate((FieldChange("Title", at_plan, asked),), "later")
        if at_put == at_plan
        else Conflict((FieldChange("Title", at_put, asked, base=at_plan),))
        for asked, at_plan, at_put in product(pool, repeat=3)
        if asked != at_plan
    }


@pytest.mark.parametrize(
    ("on_conflict", "decision"),
    [
        pytest.param("sheet", ToUpdate((FieldChange("Title", "C", "A"),), SEEN), id="sheet"),
        pytest.param("live", Unchanged(), id="live"),
    ],
)
def test_what_the_operator_decided_about_conflicts_holds_until_the_put(on_conflict: Policy, decision: Decision) -> None:
    """The policy is asked again on the record that was read just now."""
    planned = ToUpdate((FieldChange("Title", "B", "A"),), SEEN)

    assert decide_again(edit({"Title": "A"}), planned, section(Title="C"), Known(on_conflict=on_conflict)) == decision


def test_a_field_that_the_plan_left_alone_stays_alone() -> None:
    """The operator approved what the plan showed: a field that was as asked then is not sent because it moved since."""
    row = edit({"Title": "A", "DisplayOrder": 1})
    planned = decide(row, section(Title="B", DisplayOrder=1))

    assert isinstance(planned, ToUpdate)
    assert decide_again(row, planned, section(Title="B", DisplayOrder=5)) == ToUpdate(
        (FieldChange("Title", "B", "A"),), SEEN
    )


@pytest.mark.parametrize(
    ("values", "at_plan", "at_put", "desired"),
    [
        pytest.param({"ClearImageFile": True}, None, "theirs.png", {}, id="an image that came since is not removed"),
        pytest.param(
            {"NewImageUrl": URL},
            "mine.png",
            None,
            {"NewImageUrl": made("NewImageUrl", URL)},
            id="an image that went since is not sent again",
        ),
    ],
)
def test_an_image_order_that_the_plan_left_out_is_not_given(
    values: dict[str, Json], at_plan: str | None, at_put: str | None, desired: Desired
) -> None:
    """Images cannot be undone: none is touched that the approved plan did not name."""
    row, known = edit({"Title": "A", **values}), Known(desired=desired)
    planned = decide(row, section(Title="B", ImageFileName=at_plan), known)

    assert isinstance(planned, ToUpdate)
    assert decide_again(row, planned, section(Title="B", ImageFileName=at_put), known) == ToUpdate(
        (FieldChange("Title", "B", "A"),), SEEN
    )


def test_a_planned_image_order_is_given() -> None:
    """It is judged anew on the live record, like every other change."""
    row = edit({"ClearImageFile": True})
    planned = decide(row, section(ImageFileName="a.png"))

    assert isinstance(planned, ToUpdate)
    assert decide_again(row, planned, section(ImageFileName="a.png")) == planned
    assert decide_again(row, planned, section(ImageFileName=None)) == Unchanged()


def test_drift_stays_marked_until_it_is_sent() -> None:
    """A restored field counts as one in the plan, in the journal and for the rails alike."""
    row, known = edit({"Title": "A"}), Known(desired={"Title": made("Title", "A")})
    planned = decide(row, section(Title="B"), known)

    assert planned == ToUpdate((FieldChange("Title", "B", "A", base="A", kind=ChangeKind.RESTORE),), SEEN)
    assert decide_again(row, planned, section(Title="B"), known) == planned


def test_kept_drift_is_not_sent_after_all() -> None:
    """`on_drift = "keep"` holds at the PUT as it did in the plan, also for drift that came between the two."""
    row = edit({"Title": "A", "DisplayOrder": 2})
    known = Known(desired={"Title": made("Title", "A")}, restore_drift=False)
    planned = decide(row, section(Title="B"), known)

    assert planned == ToUpdate((FieldChange("DisplayOrder", 1, 2),), SEEN)
    assert decide_again(row, planned, section(Title="B"), known) == planned
    assert decide_again(row, planned, section(Title="C"), known) == planned


def test_the_base_of_the_workbook_outlives_the_plan() -> None:
    """What the operator saw when the sheet was exported stays the measure: the report shows it as the base."""
    row, known = edit({"Title": "A"}), base_of({"Title": "B"})
    planned = decide(row, section(Title="B"), known)

    assert planned == ToUpdate((FieldChange("Title", "B", "A", base="B"),), SEEN)
    assert decide_again(row, planned, section(Title="B"), known) == planned
    assert decide_again(row, planned, section(Title="C"), known) == Conflict(
        (FieldChange("Title", "C", "A", base="B"),)
    )


def test_a_value_that_goes_back_to_the_base_may_be_overwritten() -> None:
    """Against the base of the workbook it is just what the operator saw: no conflict, though the plan saw another."""
    row = edit({"Title": "A"})
    known = replace(base_of({"Title": "B"}), on_conflict="sheet")
    planned = decide(row, section(Title="C"), known)

    assert isinstance(planned, ToUpdate)
    assert decide_again(row, planned, section(Title="B"), replace(known, on_conflict="refuse")) == ToUpdate(
        (FieldChange("Title", "B", "A", base="B"),), SEEN
    )


def test_our_own_update_meanwhile_does_not_trip_the_witness() -> None:
    """At the PUT the plan is the base: an `UpdatedOn` that moved for other fields' sake is no conflict."""
    row = edit({"Title": "A"}, seen_updated_on=SEEN)
    planned = decide(row, section(Title="B"))

    assert isinstance(planned, ToUpdate)
    assert decide_again(row, planned, section(Title="B", UpdatedOn="later")) == ToUpdate(planned.changes, "later")


# what the operator said about this very row ------------------------------------------------------------------------


@pytest.mark.parametrize("on_conflict", ["refuse", "sheet", "live"])
@pytest.mark.parametrize("command", [None, "sheet", "live"])
def test_a_choice_in_the_row_decides_the_conflict_that_was_shown_and_nothing_else(
    command: str | None, on_conflict: Policy
) -> None:
    """It outweighs the profile, good as long as live is what was shown; without a conflict it says nothing."""
    pool = ("A", "B", "C")
    got, by_hand = [], []
    for values in product((*pool, ABSENT), pool, (*pool, ABSENT), (*pool, ABSENT)):
        for shown in (*pool, ABSENT):
            after, live, base, desired = values
            known = Known(
                base={} if base is ABSENT else {"Title": digest("Title", base)},
                desired={} if desired is ABSENT else {"Title": made("Title", desired)},
                on_conflict=on_conflict,
                shown={} if shown is ABSENT else {"Title": digest("Title", shown)},
            )
            row = replace(edit({} if after is ABSENT else {"Title": after}), command=command)
            got.append(type(decide(row, section(Title=live), known)))
            chosen = on_conflict if command is None else command if shown == live else "refuse"
            ruled = by_the_rule(*values, keep=False, moved=False)
            if command == "live" and ruled == "change" and base is ABSENT and desired == live == shown:
                ruled = "nothing"  # it was accepted before, and is what is desired since
            ruled = {"sheet": "change", "live": "nothing", "refuse": ruled}[chosen] if ruled == "conflict" else ruled
            by_hand.append({"nothing": Unchanged, "change": ToUpdate, "restore": ToUpdate, "conflict": Conflict}[ruled])

    assert got == by_hand


@pytest.mark.parametrize(
    ("at_put", "decision"),
    [
        pytest.param("B", ToUpdate((FieldChange("Title", "B", "A", base="seen"),), SEEN), id="still as shown"),
        pytest.param("A", Unchanged(), id="as asked by now"),
        pytest.param("C", Conflict((FieldChange("Title", "C", "A", base="seen"),)), id="moved since"),
    ],
)
def test_a_choice_in_the_row_holds_until_the_put_unless_live_moves(at_put: str, decision: Decision) -> None:
    """Whoever chose the sheet's value chose it over what was shown, and over nothing that came later."""
    row = replace(edit({"Title": "A"}), command="sheet")
    known = replace(base_of({"Title": "seen"}), shown={"Title": digest("Title", "B")})
    planned = decide(row, section(Title="B"), known)

    assert planned == ToUpdate((FieldChange("Title", "B", "A", base="seen"),), SEEN)
    assert decide_again(row, planned, section(Title=at_put), known) == decision


def test_a_choice_is_not_for_a_value_that_was_shown_before_the_plan() -> None:
    """At the PUT only what the plan saw counts: a value of an older report that is back was not in it."""
    row = replace(edit({"Title": "A"}), command="sheet")
    known = replace(base_of({"Title": "B"}), shown={"Title": digest("Title", "C")})
    planned = decide(row, section(Title="B"), known)

    assert isinstance(planned, ToUpdate)
    assert decide_again(row, planned, section(Title="C"), known) == Conflict(
        (FieldChange("Title", "C", "A", base="B"),)
    )


@pytest.mark.parametrize(
    ("desired", "seen_updated_on"),
    [
        pytest.param({}, None, id="nothing else is known"),
        pytest.param({"Title": made("Title", "A")}, None, id="it would be drift"),
        pytest.param({"Title": made("Title", "B")}, None, id="it would be a change"),
        pytest.param({"Title": made("Title", "C")}, None, id="it would be a conflict"),
        pytest.param({}, "long ago", id="the record moved"),
    ],
)
def test_a_cell_that_is_still_as_exported_asks_for_nothing(desired: Desired, seen_updated_on: str | None) -> None:
    """The operator did not touch it, whatever became of the section since."""
    row = edit({"Title": "A"}, seen_updated_on=seen_updated_on)
    known = Known(desired=desired, untouched=frozenset({"Title"}))

    assert decide(row, section(Title="B"), known) == Unchanged()
    assert decide(edit({"Title": "A", "DisplayOrder": 4}), section(Title="B"), known) == ToUpdate(
        (FieldChange("DisplayOrder", 1, 4),), SEEN
    )


# read-only cells ---------------------------------------------------------------------------------------------------


def shown_row(**read_only: str) -> Edit:
    return Edit(RowNumber(2), SectionId(7), {}, Label("7"), read_only=read_only)


def test_a_changed_read_only_cell_is_a_warning_that_names_the_column_to_edit() -> None:
    """The operator may have meant to move the section, or to change its image."""
    warnings = read_only_warnings(shown_row(CourseTitle="Sports", ImageFileName="b.png", ToStringText="x"), section())

    assert [(issue.code, issue.field, issue.severity, issue.attempted_value) for issue in warnings] == [
        ("cell.read_only", "CourseTitle", Severity.WARNING, "Sports"),
        ("cell.read_only", "ImageFileName", Severity.WARNING, "b.png"),
        ("cell.read_only", "ToStringText", Severity.WARNING, "x"),
    ]
    assert [issue.message.partition("; ")[2] for issue in warnings] == [
        "edit CourseId instead",
        "edit NewImageUrl instead",
        "",
    ]


@pytest.mark.parametrize(
    ("name", "cell", "live"),
    [
        pytest.param("CourseTitle", "Health", "Health", id="as it is"),
        pytest.param("CourseTitle", "Health", " Health\n", id="white space around"),
        pytest.param("CourseTitle", "cafe\u0301", "caf\u00e9", id="composed letters"),
        pytest.param("IsNew", "FALSE", False, id="boolean in Excel's words"),
        pytest.param("CourseTitle", "2024", "2024", id="digits"),
        pytest.param("UpdatedOn", "2024-12-31", SEEN, id="aged UpdatedOn"),
        pytest.param("UpdatedBy", "somebody", "admin@example.com", id="aged UpdatedBy"),
        pytest.param("CreatedOn", "2024-01-01T00:00:00", "2024-01-01T00:00:00Z", id="CreatedOn as Excel has it"),
    ],
)
def test_a_read_only_cell_as_exported_is_no_warning(name: str, cell: str, live: Json) -> None:
    """An untouched export warns of nothing, noise and age aside."""
    assert read_only_warnings(shown_row(**{name: cell}), section(**{name: live})) == ()


def test_a_digest_is_as_good_as_the_value() -> None:
    """64 hex digits, the same for noise, another for every other value or type."""
    values: tuple[Json, ...] = (0, 1, "", "0", "1", False, True, None, 1.5, "a", [], {}, [None])

    digests = [digest("CustomFields", value) for value in values]

    assert len(set(digests)) == len(values)
    assert {len(each) for each in digests} == {64}
    assert digest("Title", None) == digest("Title", "")
    assert digest("DisplayOrder", 5.0) == digest("DisplayOrder", 5)
