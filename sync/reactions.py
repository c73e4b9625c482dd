"""What an answer to a PUT means for its row, by the table "Sending": done, again, settle, or the end of the run. Pure.

Here a 409 that throttles costs a row nothing, a 5xx is unknown rather than failed, and a 401 is tried once more.
What counts as which answer is `adapters/answers.py`'s; the waiting and the sending are `apply.py`'s.
"""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

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
from sync.frozen import Frozen
from sync.model import Edit, Issue, Severity, Source, Status

FORBIDDEN_IN_A_ROW = 3
ROLES = "CourseSection-List, CourseSection-Read and CourseSection-Edit"


class Done(Frozen):
    """The row has its status."""

    status: Status
    issues: tuple[Issue, ...] = ()
    http_status: int | None = None
    updated_on: str | None = None
    updated_by: str | None = None


class Again(Frozen):
    """Surely not applied, and worth another try."""

    costs_attempt: bool
    reason: str


class Settle(Frozen):
    """Nobody knows whether it was applied: a read must say so."""

    reason: str
    http_status: int | None
    said: str | None = None
    """The answer's own words."""


class Stop(Frozen):
    """The run ends here; the row itself was not applied."""

    message: str
    remedy: str
    sign_in: bool = False
    """Whether it is the sign-in that no longer holds."""


Reaction: TypeAlias = Done | Again | Settle | Stop


class Standing(Frozen):
    """What the run has seen so far, as far as a reaction hangs on it."""

    succeeded: bool
    """Whether any PUT of this run was accepted."""
    forbidden_in_a_row: int
    """403 answers since the last other answer, this one included."""
    token_renewed: bool
    """Whether the token was renewed since this request left."""


def react(answer: Answer, edit: Edit, standing: Standing) -> Reaction:
    """Give the reaction to the answer of the PUT for `edit`."""
    match answer:
        case Accepted():
            return Done(
                Status.UPDATED,
                http_status=answer.http_status,
                updated_on=answer.updated_on,
                updated_by=answer.updated_by,
            )
        case Refused():
            return Done(Status.REJECTED, issues=rejection_issues(answer, edit), http_status=answer.http_status)
        case Throttled():
            return Again(costs_attempt=False, reason="throttled")
        case Recalled():
            return Again(costs_attempt=False, reason="recalled")
        case NotDelivered():
            return Again(costs_attempt=True, reason=answer.reason)
        case Unheard():
            return Settle(answer.reason, answer.http_status, answer.said)
        case Unauthorised():
            return _unauthorised(standing)
        case Forbidden():
            return _forbidden(standing)
        case Misdirected():
            return Stop(f"The server's address is wrong: {answer.reason}.", "Check `base_url` in the profile.")
        case Records() | OneRecord() | Absent():
            return Settle("the answer does not belong to an update", None)
        case _:
            assert_never(answer)


def _unauthorised(standing: Standing) -> Reaction:
    if standing.token_renewed:
        return Again(costs_attempt=False, reason="token renewed")
    return Stop(
        "The server no longer accepts the sign-in (401).",
        f"Sign in again with `coursesync login`, and check that the user has the roles {ROLES}.",
        sign_in=True,
    )


def _forbidden(standing: Standing) -> Reaction:
    if not standing.succeeded or standing.forbidden_in_a_row >= FORBIDDEN_IN_A_ROW:
        return Stop("The server forbids updates (403).", f"Give the user the roles {ROLES}.", sign_in=True)
    issue = Issue(
        code="api.forbidden", message="the server forbids the update of this section (403)", source=Source.API
    )
    return Done(Status.REJECTED, issues=(issue,), http_status=403)


def rejection_issues(refused: Refused, edit: Edit) -> tuple[Issue, ...]:
    """The API's `Errors`, word for word and in their order, with a hint on fields that the sheet did not name."""
    errors = refused.errors or (ApiError(None, _WITHOUT_WORDS.get(refused.code, "the server rejected the update")),)
    issues = [
        Issue(
            code=refused.code,
            message=error.message,
            field=error.property or None,
            source=Source.API,
            attempted_value=error.attempted_value,
        )
        for error in errors
    ]
    strange = sorted({error.property for error in errors if error.property and error.property not in edit.values})
    if strange and strange != ["Id"]:
        names = ", ".join(strange)
        issues.append(
            Issue(
                code="api.field_not_named",
                message=f"the server objects to {names}, which this row does not name: if it may not be sent back,"
                " add it to `body_omit` in the profile",
                source=Source.SYNC,
                severity=Severity.NOTE,
            )
        )
    return tuple(issues)


_WITHOUT_WORDS = {
    "api.not_found": "there is no section with this Id",
    "api.too_large": "the section is too large for the server (413)",
    "api.unprocessable": "the server cannot process the section (422)",
}


def same_reason(issues: tuple[Issue, ...]) -> tuple[tuple[str, str | None, str], ...]:
    """What makes two rejections the same: codes, fields and words of the API's part."""
    return tuple((issue.code, issue.field, issue.message) for issue in issues if issue.source is Source.API)


@dataclass(slots=True)
class Streak:
    """How many rows in a row were rejected for the same reason: then it is not the rows."""

    length: int = 0
    reason: object = None

    def add(self, done: Done) -> int:
        """Take in the end of a row, and give the length of the streak."""
        if done.status is Status.UPDATED:
            self.length = 0
        else:
            reason = same_reason(done.issues)
            self.length, self.reason = self.length + 1 if reason == self.reason else 1, reason
        return self.length
