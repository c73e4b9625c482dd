"""What each answer to a PUT means for its row and for the run: the table "Sending", entry by entry."""

from typing import get_args

import pytest

from sync.exchange import (
    Absent,
    Accepted,
    Answer,
    ApiError,
    Forbidden,
    Misdirected,
    NotDelivered,
    OneRecord,
    Recalled,
    Records,
    Refused,
    Throttled,
    Unauthorised,
    Unheard,
)
from sync.model import Issue, SectionId, Severity, Source, Status
from sync.reactions import (
    FORBIDDEN_IN_A_ROW,
    ROLES,
    Again,
    Done,
    Reaction,
    Settle,
    Standing,
    Stop,
    react,
    rejection_issues,
    same_reason,
)
from tests.sections import edit, section

ROW = edit({"Title": "B", "DisplayOrder": 3})
FRESH = Standing(succeeded=False, forbidden_in_a_row=0, token_renewed=False)


def standing(*, succeeded: bool = False, forbidden: int = 0, renewed: bool = False) -> Standing:
    return Standing(succeeded, forbidden, renewed)


REACTIONS = [
    pytest.param(
        Accepted(SectionId(7), "now", "me", 200),
        Done(Status.UPDATED, http_status=200, updated_on="now", updated_by="me"),
        id="accepted",
    ),
    pytest.param(
        Refused((ApiError("Title", "is too long", "B"),), 400, "api.rejected"),
        Done(Status.REJECTED, (Issue("api.rejected", "is too long", "Title", Source.API, attempted_value="B"),), 400),
        id="refused",
    ),
    pytest.param(
        Refused((), 404, "api.not_found"),
        Done(Status.REJECTED, (Issue("api.not_found", "there is no section with this Id", source=Source.API),), 404),
        id="gone",
    ),
    pytest.param(Throttled(3.0, 409), Again(costs_attempt=False, reason="throttled"), id="throttled-409"),
    pytest.param(Throttled(None, 429), Again(costs_attempt=False, reason="throttled"), id="throttled-429"),
    pytest.param(Recalled(), Again(costs_attempt=False, reason="recalled"), id="recalled"),
    pytest.param(NotDelivered("refused"), Again(costs_attempt=True, reason="refused"), id="not-delivered"),
    pytest.param(Unheard("timed out"), Settle("timed out", None), id="unheard"),
    pytest.param(Unheard("status 502", 502), Settle("status 502", 502), id="unheard-with-a-status"),
    pytest.param(Records(()), Settle("the answer does not belong to an update", None), id="a-list"),
    pytest.param(OneRecord(section()), Settle("the answer does not belong to an update", None), id="a-record"),
    pytest.param(Absent(SectionId(7)), Settle("the answer does not belong to an update", None), id="absent"),
]


@pytest.mark.parametrize(("answer", "reaction"), REACTIONS)
@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(FRESH, id="at the start"),
        pytest.param(standing(succeeded=True, forbidden=9, renewed=True), id="later"),
    ],
)
def test_an_answer_about_the_row_means_the_same_at_any_time(answer: Answer, reaction: Reaction, seen: Standing) -> None:
    """Applied → done; surely not applied → again or rejected; else only a read can tell."""
    assert react(answer, ROW, seen) == reaction


def test_every_answer_has_a_reaction() -> None:
    """The table above and the tests below leave none out."""
    below = {Unauthorised, Forbidden, Misdirected}

    assert {type(param.values[0]) for param in REACTIONS} | below == set(get_args(Answer))


def test_a_401_is_tried_once_more_with_a_new_token_and_then_ends_the_run() -> None:
    """It costs the row nothing; the words name the roles, since the API does not tell a token from a role."""
    renewed, refused = (react(Unauthorised(1), ROW, standing(renewed=renewed)) for renewed in (True, False))

    assert renewed == Again(costs_attempt=False, reason="token renewed")
    assert isinstance(refused, Stop)
    assert "401" in refused.message
    assert ROLES in refused.remedy


@pytest.mark.parametrize(
    ("succeeded", "forbidden", "stops"),
    [
        pytest.param(False, 1, True, id="before any success"),
        pytest.param(True, 1, False, id="one row"),
        pytest.param(True, FORBIDDEN_IN_A_ROW - 1, False, id="two in a row"),
        pytest.param(True, FORBIDDEN_IN_A_ROW, True, id="three in a row"),
    ],
)
def test_a_403_ends_the_run_unless_it_is_this_rows_alone(forbidden: int, *, succeeded: bool, stops: bool) -> None:
    """Before any success, or three in a row, a role is missing; otherwise the section is refused."""
    reaction = react(Forbidden(), ROW, standing(succeeded=succeeded, forbidden=forbidden))

    if stops:
        assert isinstance(reaction, Stop)
        assert ROLES in reaction.remedy
    else:
        assert isinstance(reaction, Done)
        assert (reaction.status, reaction.http_status) == (Status.REJECTED, 403)
        assert [issue.code for issue in reaction.issues] == ["api.forbidden"]


@pytest.mark.parametrize("renewed", [False, True])
def test_a_wrong_address_ends_the_run(*, renewed: bool) -> None:
    """A redirect, a certificate or a page for people is never followed and never retried."""
    reaction = react(Misdirected("it redirects"), ROW, standing(succeeded=True, renewed=renewed))

    assert isinstance(reaction, Stop)
    assert "it redirects" in reaction.message
    assert "base_url" in reaction.remedy


# rejections --------------------------------------------------------------------------------------------------------


def test_all_errors_are_told_word_for_word_in_their_order() -> None:
    """The operator reads what the API said, with the value that it would not take."""
    errors = (
        ApiError("DisplayOrder", "must be positive", -1),
        ApiError("Title", "is  a\nrequired field"),
        ApiError(None, "Nope."),
    )

    assert rejection_issues(Refused(errors, 400, "api.rejected"), ROW) == (
        Issue("api.rejected", "must be positive", "DisplayOrder", Source.API, attempted_value=-1),
        Issue("api.rejected", "is  a\nrequired field", "Title", Source.API),
        Issue("api.rejected", "Nope.", None, Source.API),
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param("api.not_found", "there is no section with this Id", id="404"),
        pytest.param("api.too_large", "the section is too large for the server (413)", id="413"),
        pytest.param("api.unprocessable", "the server cannot process the section (422)", id="422"),
        pytest.param("api.rejected", "the server rejected the update", id="400"),
    ],
)
def test_a_refusal_without_words_gets_ours(code: str, words: str) -> None:
    """No row is rejected without a message."""
    assert rejection_issues(Refused((), 400, code), ROW) == (Issue(code, words, source=Source.API),)


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        pytest.param(["Title", "DisplayOrder"], "", id="fields of the sheet"),
        pytest.param(["ToStringText"], "ToStringText", id="a field that the sheet does not name"),
        pytest.param(["Title", "IsNew", "CreatedOn"], "CreatedOn, IsNew", id="two of them among others"),
        pytest.param(["Id"], "", id="the Id"),
        pytest.param([None, ""], "", id="no property"),
    ],
)
def test_an_error_on_a_field_that_the_sheet_did_not_name_hints_at_body_omit(
    properties: list[str | None], named: str
) -> None:
    """It comes from echoing the record: a note, after the API's own words, says what to do about it."""
    errors = tuple(ApiError(name, "is wrong") for name in properties)

    issues = rejection_issues(Refused(errors, 400, "api.rejected"), ROW)
    notes = issues[len(errors) :]

    assert [(note.code, note.severity, note.source) for note in notes] == (
        [("api.field_not_named", Severity.NOTE, Source.SYNC)] if named else []
    )
    assert all(f"objects to {named}, " in note.message and "body_omit" in note.message for note in notes)


def test_two_rejections_are_the_same_when_the_api_says_the_same() -> None:
    """Codes, fields and words; not the value that differs from row to row, nor our own notes."""
    one, other = (
        rejection_issues(Refused((ApiError(field, "is wrong", value),), 400, "api.rejected"), ROW)
        for field, value in (("IsNew", 1), ("IsNew", 2))
    )
    elsewhere = rejection_issues(Refused((ApiError("Title", "is wrong", 1),), 400, "api.rejected"), ROW)

    assert same_reason(one) == same_reason(other) == (("api.rejected", "IsNew", "is wrong"),)
    assert same_reason(elsewhere) != same_reason(one)
