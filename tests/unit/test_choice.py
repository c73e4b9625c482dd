"""The choice that a row makes about its conflict: what it decides, how long it holds, and what the operator reads."""

from itertools import product

import pytest

from sync.diff import Known, decide, decide_again, digest
from sync.frozen import replace
from sync.model import Conflict, Decision, Edit, FieldChange, ToUpdate, Unchanged
from sync.ongoing import conflict_issues
from sync.origin import Seen
from sync.pipeline import Policies
from sync.section import Json
from tests.sections import base_of, edit, made, section

NEVER = "it was not shown to you before this sheet was made"
SEEN_ON = "2025-01-15T10:30:00Z"
MINE, THEIRS, BASE, LATER = "mine", "theirs", "base", "theirs, later"
CHANGE = FieldChange("Title", THEIRS, MINE, BASE)


def row(command: str | None, **values: Json) -> Edit:
    return replace(edit({"Title": MINE, **values}), command=command)


def known(shown: str | None = None, **policies: object) -> Known:
    showings = {} if shown is None else {"Title": digest("Title", shown)}
    return replace(base_of({"Title": BASE, "DisplayOrder": 1}), shown=showings, **policies)  # type: ignore[arg-type]  # as they are


@pytest.mark.parametrize(
    ("command", "shown", "policy", "decision"),
    [
        (command, shown, policy, decision)
        for command, shown, policy in product(
            (None, "sheet", "live"), (None, THEIRS, LATER), ("refuse", "sheet", "live")
        )
        for decision in [
            {"refuse": Conflict((CHANGE,)), "sheet": ToUpdate((CHANGE,), SEEN_ON), "live": Unchanged()}[
                policy if command is None else command if shown == THEIRS else "refuse"
            ]
        ]
    ],
)
def test_a_choice_holds_for_what_was_shown_and_outweighs_the_profile(
    command: str | None, shown: str | None, policy: str, decision: Decision
) -> None:
    """The row's own word where there is one, and only while live is still what the operator looked at."""
    assert decide(row(command), section(Title=THEIRS), known(shown, on_conflict=policy)) == decision


@pytest.mark.parametrize("command", ["sheet", "live"])
def test_a_choice_on_a_row_without_conflict_says_nothing(command: str) -> None:
    """Changed, as asked, or not touched: the same as without it."""
    for live, asked in ((BASE, MINE), (MINE, MINE), (THEIRS, BASE)):
        asks = replace(edit({"Title": asked}), command=command)

        assert decide(asks, section(Title=live), known()) == decide(
            replace(asks, command=None), section(Title=live), known()
        )


@pytest.mark.parametrize(
    ("command", "fields"), [("sheet", ["Title", "DisplayOrder"]), ("live", ["DisplayOrder"])], ids=["sheet", "live"]
)
def test_the_other_changes_of_the_row_go_through(command: str, fields: list[str]) -> None:
    """The choice is about the fields in conflict; the rest of the row was never in question."""
    decision = decide(row(command, DisplayOrder=9), section(Title=THEIRS), known(THEIRS))

    assert isinstance(decision, ToUpdate)
    assert [change.field for change in decision.changes] == fields


def test_one_field_that_was_not_shown_holds_the_row() -> None:
    """What was looked at stays decided; the new one is shown now."""
    decision = decide(row("sheet", DisplayOrder=9), section(Title=THEIRS, DisplayOrder=5), known(THEIRS))

    assert decision == Conflict((FieldChange("DisplayOrder", 5, 9, 1),))


@pytest.mark.parametrize(
    ("known_of_title", "live"),
    [
        pytest.param(Known(desired={"Title": made("Title", BASE)}), {}, id="by the desired value"),
        pytest.param(Known(), {"UpdatedOn": "later"}, id="by UpdatedOn"),
    ],
)
def test_a_choice_decides_conflicts_of_every_kind(known_of_title: Known, live: dict[str, Json]) -> None:
    """Also where the sheet has no base."""
    asks = replace(row("sheet"), seen_updated_on=SEEN_ON)
    shown = replace(known_of_title, shown={"Title": digest("Title", THEIRS)})

    assert isinstance(decide(asks, section(Title=THEIRS, **live), known_of_title), Conflict)
    assert isinstance(decide(asks, section(Title=THEIRS, **live), shown), ToUpdate)


# between plan and PUT ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "kind"),
    [(THEIRS, ToUpdate), (MINE, Unchanged), (LATER, Conflict)],
    ids=["as shown", "as asked", "moved again"],
)
def test_the_sheets_value_is_sent_over_nothing_else_than_was_shown(live: str, kind: type[Decision]) -> None:
    """A resumed run knows what the plan saw, and needs no showing for it."""
    planned = decide(row("sheet"), section(Title=THEIRS), known(THEIRS))

    assert isinstance(planned, ToUpdate)
    assert isinstance(decide_again(row("sheet"), planned, section(Title=live), known()), kind)


@pytest.mark.parametrize("live", [THEIRS, BASE, LATER])
def test_a_field_that_the_plan_left_alone_stays_so_in_every_case(live: str) -> None:
    """By choice, as it was as asked, or not touched: the approved plan did not name it."""
    for at_plan, command in ((THEIRS, "live"), (MINE, None)):
        asks = row(command, DisplayOrder=9)
        planned = decide(asks, section(Title=at_plan), known(THEIRS))

        assert isinstance(planned, ToUpdate)
        assert decide_again(asks, planned, section(Title=live), known()) == planned


def test_a_cell_as_exported_asks_for_nothing() -> None:
    """Also where a desired value, or nothing at all, would make a change of it."""
    seen = Seen("u", "then", untouched=frozenset({"Title"}))

    for desired in ({}, {"Title": made("Title", MINE)}, {"Title": made("Title", THEIRS)}):
        assert decide(row(None), section(Title=THEIRS), Policies().known(desired, seen)) == Unchanged()


# what the operator reads -------------------------------------------------------------------------------------------

EXPORTED = "2026-03-02T09:14:07.250Z"


def said(asks: Edit, *shown: str, before: Json = THEIRS) -> str:
    (issue,) = conflict_issues(Conflict((replace(CHANGE, before=before),)), asks, shown=shown)
    assert (issue.code, issue.field, issue.attempted_value) == ("conflict.moved", "Title", MINE)
    return issue.message


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        pytest.param(
            Seen("u", EXPORTED, {"Title": "d"}, {"Title": BASE}),
            "was “base” when exported on 2026-03-02, is “theirs” now, and the sheet says “mine”",
            id="base",
        ),
        pytest.param(
            Seen("u", EXPORTED, {"Title": "d"}, {"Title": None}),
            "was (empty) when exported on 2026-03-02, is “theirs” now, and the sheet says “mine”",
            id="empty base",
        ),
        pytest.param(
            Seen("u", EXPORTED, {"Title": "d"}),
            "was changed since your export of 2026-03-02: is “theirs” now, and the sheet says “mine”",
            id="base too long to be kept",
        ),
        pytest.param(
            None,
            "was changed by somebody else since this sheet was made: is “theirs” now, and the sheet says “mine”",
            id="no base",
        ),
    ],
)
def test_a_conflict_names_base_live_and_sheet(seen: Seen | None, says: str) -> None:
    """In one line, the operator sees all that there is to decide on."""
    assert said(replace(row(None), base=seen)) == f"{says}; nothing was sent for this row"


def test_long_values_are_named_shortly() -> None:
    """A page of HTML does not fit into a line."""
    assert "is “xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…” (5000 characters) now" in said(row(None), before="x" * 5000)


@pytest.mark.parametrize(
    ("command", "shown", "says"),
    [
        pytest.param(
            "sheet",
            (),
            f"; Command sheet does not hold: {NEVER}",
            id="never shown",
        ),
        pytest.param(
            "live",
            ("Title",),
            "; Command live does not hold: it has changed again since it was shown to you",
            id="moved",
        ),
        pytest.param(None, ("Title",), "; nothing was sent for this row", id="no choice"),
    ],
)
def test_a_choice_that_does_not_hold_says_why(command: str | None, shown: tuple[str, ...], says: str) -> None:
    """Else the operator would write it again and again."""
    assert said(row(command), *shown).endswith(says)
