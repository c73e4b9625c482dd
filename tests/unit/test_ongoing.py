"""A row on its way through a run, and the line of the report that follows."""

import pytest

from sync.diff import Known, decide, digest
from sync.frozen import replace
from sync.model import (
    ChangeKind,
    Conflict,
    FieldChange,
    Issue,
    Label,
    Outcome,
    PlannedRow,
    RowNumber,
    SectionId,
    Severity,
    Source,
    Status,
    ToUpdate,
    Unchanged,
    Verified,
)
from sync.ongoing import (
    Row,
    conflict_issues,
    conflict_on_the_way,
    failed_issue,
    gone_issue,
    made_so,
    set_aside_issue,
    unknown_issues,
    unverified,
    verified_outcome,
)
from sync.origin import Against
from sync.origin import Seen as Exported
from sync.ports import DesiredValue
from sync.reactions import Done
from sync.verify import Seen, Verification
from tests.sections import edit, section

NEVER = "it was not shown to you before this sheet was made"
PLANNED = FieldChange("Title", "Yoga", "Pilates")
SENT = FieldChange("DisplayOrder", 1, 2)
WARNING = Issue("cell.white_space", "counts as blank", "Title", severity=Severity.WARNING)
NOTE = Issue("sync.note", "happened on the way", source=Source.SYNC, severity=Severity.NOTE)


def row(**facts: object) -> Row:
    plan, asked = ToUpdate((PLANNED,), "then"), edit({"Title": "Pilates"}, number=7, row=5)
    planned = PlannedRow(RowNumber(5), Label("7", "12", "Yoga"), plan, asked, (WARNING,))
    return Row(planned, asked, plan, **facts)  # type: ignore[arg-type]  # facts as they are


def updated(**facts: object) -> Outcome:
    return Outcome(RowNumber(5), Label("7"), Status.UPDATED, changes=(PLANNED,), issues=(WARNING,), **facts)  # type: ignore[arg-type]  # the same


def test_an_outcome_says_all_that_is_known() -> None:
    """What was sent, what the API answered, when, and every issue: the sheet's, the way's, the end's."""
    sent = row(changes=(SENT,), attempts=2, started_at="10:00", http_status=502, notes=[NOTE])
    api = Issue("api.rejected", "is wrong", "Title", Source.API)

    assert sent.outcome(Done(Status.REJECTED, (api,), 400, "now", "me"), finished_at="10:01") == Outcome(
        row=RowNumber(5),
        label=Label("7", "12", "Yoga"),
        status=Status.REJECTED,
        section_id=SectionId(7),
        changes=(SENT,),
        issues=(WARNING, NOTE, api),
        http_status=400,
        attempts=2,
        updated_on="now",
        updated_by="me",
        started_at="10:00",
        finished_at="10:01",
    )


def test_a_row_that_was_never_sent_shows_what_was_planned() -> None:
    """The operator sees what is still to come, and nothing about an answer."""
    outcome = row().outcome(Done(Status.NOT_ATTEMPTED), finished_at="10:01")

    assert (outcome.changes, outcome.http_status, outcome.attempts, outcome.started_at) == ((PLANNED,), None, 0, None)


def test_a_row_that_is_as_asked_by_now_shows_no_change() -> None:
    """Somebody else did the same meanwhile: nothing of ours happened."""
    assert row().outcome(Done(Status.UNCHANGED), finished_at="10:01").changes == ()


def test_a_status_that_was_heard_before_is_kept() -> None:
    """A settled row still says which answer could not be trusted."""
    assert row(http_status=502).outcome(Done(Status.UNKNOWN), finished_at="10:01").http_status == 502


def test_rows_are_told_apart_by_themselves() -> None:
    """Two rows that ask the same are two rows."""
    assert row() != row()


# what the operator reads -------------------------------------------------------------------------------------------


def test_each_field_of_a_conflict_is_an_error_with_the_value_asked_for() -> None:
    """In the sheet's order, so that each cell can be marked."""
    issues = conflict_issues(Conflict((PLANNED, SENT)))

    assert [(issue.code, issue.field, issue.attempted_value, issue.severity) for issue in issues] == [
        ("conflict.moved", "Title", "Pilates", Severity.ERROR),
        ("conflict.moved", "DisplayOrder", 2, Severity.ERROR),
    ]


EXPORT = Exported(
    "unique-7",
    "2026-03-01T08:00:00.000Z",
    digests={"Title": digest("Title", "Tai Chi"), "SectionContents": digest("SectionContents", "long")},
    shown={"Title": "Tai Chi"},
)


@pytest.mark.parametrize(
    ("field", "base", "words"),
    [
        pytest.param(
            "Title", EXPORT, "was “Tai Chi” when exported on 2026-03-01, is “live” now", id="kept in the base"
        ),
        pytest.param(
            "SectionContents",
            EXPORT,
            "was changed since your export of 2026-03-01: is “live” now",
            id="too long to keep",
        ),
        pytest.param(
            "DisplayOrder",
            EXPORT,
            "was changed by somebody else since this sheet was made: is “live” now",
            id="not there",
        ),
        pytest.param(
            "Title", None, "was changed by somebody else since this sheet was made: is “live” now", id="no base"
        ),
    ],
)
def test_a_conflict_shows_what_was_exported_what_is_live_and_what_the_sheet_says(
    field: str, base: Exported | None, words: str
) -> None:
    """The three values in one line, as far as they are known."""
    asked = replace(edit({field: "mine"}), base=base)

    (issue,) = conflict_issues(Conflict((FieldChange(field, "live", "mine"),)), asked)

    assert issue.message == f"{words}, and the sheet says “mine”; nothing was sent for this row"


@pytest.mark.parametrize(
    ("conflict", "words"),
    [
        pytest.param(
            Conflict((PLANNED,), Against(not_as_made=frozenset({"Title"}))),
            "is no longer as a run made it: ",
            id="desired",
        ),
        pytest.param(
            Conflict((PLANNED,), Against(older_sheet=frozenset({"Title"}))),
            "may have been changed by somebody else, for the sheet shows another UpdatedOn than live: ",
            id="UpdatedOn",
        ),
    ],
)
def test_a_conflict_without_an_export_claims_no_more_than_is_known(conflict: Conflict, words: str) -> None:
    """A sheet may be younger than the change, and the change may be in another field of the section."""
    (issue,) = conflict_issues(conflict)

    assert issue.message.startswith(words)


@pytest.mark.parametrize("edits", [ChangeKind.EDIT, ChangeKind.RESTORE])
def test_a_conflict_names_who_changed_the_section_last(edits: ChangeKind) -> None:
    """As the server says it: whom to ask, before one value or the other is taken."""
    sent = row()
    sent.plan = replace(sent.plan, changes=tuple(replace(change, kind=edits) for change in sent.plan.changes))
    moved = Conflict((PLANNED,), Against(updated_by="ines@example.com", updated_on="2026-01-02T03:04:05Z"))

    for issue in (*conflict_issues(moved), *conflict_on_the_way(sent, moved)):
        assert "; the section was last changed by ines@example.com on 2026-01-02T03:04:05Z" in issue.message


@pytest.mark.parametrize(
    ("command", "shown", "words"),
    [
        pytest.param(None, ["Title"], "", id="no choice"),
        pytest.param(
            "sheet",
            ["Title"],
            "; Command sheet does not hold: it has changed again since it was shown to you",
            id="moved",
        ),
        pytest.param(
            "live",
            [],
            f"; Command live does not hold: {NEVER}",
            id="never shown",
        ),
        pytest.param(
            "live",
            ["Active"],
            f"; Command live does not hold: {NEVER}",
            id="another field shown",
        ),
    ],
)
def test_a_choice_that_does_not_hold_says_why(command: str | None, shown: list[str], words: str) -> None:
    """The operator chose, and is told what the choice was worth."""
    asked = replace(edit({"Title": "Pilates"}), command=command)

    (issue,) = conflict_issues(Conflict((PLANNED,)), asked, shown=shown)

    assert issue.message.partition("; nothing was sent for this row")[2] == words


def test_a_conflict_on_the_way_was_shown_with_the_plan() -> None:
    """The plan showed the planned fields as they were then."""
    sent = row()
    sent.edit = replace(sent.edit, command="sheet")

    assert ["changed again" in issue.message for issue in conflict_on_the_way(sent, Conflict((PLANNED, SENT)))] == [
        True,
        False,
    ]


def test_a_row_that_the_program_did_not_survive_is_set_aside() -> None:
    """It may have been applied: an error that says how often."""
    issue = set_aside_issue(3)

    assert (issue.code, issue.severity) == ("sync.set_aside", Severity.ERROR)
    assert "3 times" in issue.message


def test_a_missing_section_is_an_error_at_the_id() -> None:
    """The cell to mend is the Id."""
    issue = gone_issue()

    assert (issue.code, issue.field, issue.source, issue.severity) == (
        "api.not_found",
        "Id",
        Source.API,
        Severity.ERROR,
    )


def test_giving_up_says_why_and_after_how_many_attempts() -> None:
    """Surely not applied: the operator may simply send it again."""
    assert str(failed_issue("refused", 3)) == "not applied after 3 attempts: refused"


def test_an_unknown_row_shows_before_asked_and_now() -> None:
    """The operator can tell by eye; long texts are cut, with their length."""
    long, changes = "x" * 50, (PLANNED, FieldChange("SectionContents", None, "x" * 50))
    head, *notes = unknown_issues(row(changes=changes), section(Title="third", SectionContents=long), "timed out")

    assert (head.code, head.severity) == ("sync.unknown", Severity.ERROR)
    assert head.message == "may or may not have been applied: timed out"
    assert [(note.code, note.field, note.severity, note.message) for note in notes] == [
        ("sync.unknown_field", "Title", Severity.NOTE, "before “Yoga”, asked “Pilates”, now “third”"),
        (
            "sync.unknown_field",
            "SectionContents",
            Severity.NOTE,
            f"before “None”, asked “{'x' * 40}…” (50 characters), now “{'x' * 40}…” (50 characters)",
        ),
    ]


def test_an_unknown_row_that_could_not_be_read_says_so_alone() -> None:
    """Nothing is claimed about a record that nobody has seen."""
    (issue,) = unknown_issues(row(changes=(PLANNED,)), None, "the run stopped")

    assert issue.code == "sync.unknown"


# after the PUT -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verification", "status", "verified", "issue"),
    [
        pytest.param(Verification(Seen.AS_ASKED), Status.UPDATED, Verified.YES, None, id="as asked"),
        pytest.param(
            Verification(Seen.NOT_STORED, {"Title": "Yoga"}),
            Status.FAILED,
            Verified.DIFFERS,
            ("api.not_stored", Severity.ERROR),
            id="not stored",
        ),
        pytest.param(
            Verification(Seen.REWRITTEN, {"Title": "PILATES"}),
            Status.UPDATED,
            Verified.DIFFERS,
            ("api.rewritten", Severity.NOTE),
            id="rewritten",
        ),
        pytest.param(
            Verification(Seen.MOVED_ON, {"Title": "x"}),
            Status.CONFLICT,
            Verified.DIFFERS,
            ("conflict.moved_on", Severity.ERROR),
            id="moved on",
        ),
    ],
)
@pytest.mark.parametrize("touched", [(), ("Active", "SystemId")])
def test_what_a_read_after_the_put_makes_of_an_updated_row(
    verification: Verification,
    status: Status,
    verified: Verified,
    issue: tuple[str, Severity] | None,
    touched: tuple[str, ...],
) -> None:
    """As asked, or with an issue that names the fields; side effects are a warning in any case."""
    seen = Verification(verification.seen, verification.differs, touched)
    outcome = verified_outcome(updated(), seen)

    expected = [("cell.white_space", Severity.WARNING)]
    expected += [("api.side_effect", Severity.WARNING)] if touched else []
    expected += [issue] if issue else []
    assert (outcome.status, outcome.verified) == (status, verified)
    assert [(each.code, each.severity) for each in outcome.issues] == expected
    assert all(name in outcome.issues[1].message for name in touched)
    assert all(name in outcome.issues[-1].message for name in verification.differs)


def test_an_update_that_could_not_be_read_again_stays_an_update() -> None:
    """The server said yes; that nobody looked is a warning."""
    outcome = unverified(updated())

    assert (outcome.status, outcome.verified) == (Status.UPDATED, Verified.NO)
    assert [(issue.code, issue.severity) for issue in outcome.issues[1:]] == [("sync.not_verified", Severity.WARNING)]


def test_what_was_sent_is_remembered_as_the_desired_value() -> None:
    """As sent and, where a read showed it, as the server stores it; an image order as sent alone."""
    changes = (
        PLANNED,
        FieldChange("SectionContents", None, "<p>a"),
        FieldChange("NewImageUrl", None, "https://example.com/a.png"),
    )
    live = section(Title="Pilates", SectionContents="<p>a</p>", NewImageUrl=None)
    url = digest("NewImageUrl", "https://example.com/a.png")

    assert made_so(changes, "now", live) == {
        "Title": DesiredValue(digest("Title", "Pilates"), digest("Title", "Pilates"), "now"),
        "SectionContents": DesiredValue(
            digest("SectionContents", "<p>a"), digest("SectionContents", "<p>a</p>"), "now"
        ),
        "NewImageUrl": DesiredValue(url, url, "now"),
    }
    assert {value.sent == value.stored for value in made_so(changes, None).values()} == {True}


def test_the_same_sheet_is_quiet_after_a_rewriting_was_remembered() -> None:
    """The server's own form does not come back as a change on every run."""
    asked = edit({"SectionContents": "<p>a"})
    live = section(SectionContents="<p>a</p>")
    desired = made_so((FieldChange("SectionContents", None, "<p>a"),), "now", live)

    assert decide(asked, live, Known(desired=desired)) == Unchanged()
