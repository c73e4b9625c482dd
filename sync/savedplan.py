"""The saved plan as a value: what would be sent, row by row, what stays as it is, and both as JSON and back. Pure.

Of what the server held there are digests only. `sealing.py` makes a text of it that nobody can edit.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sync.diff import digest
from sync.errors import InternalError
from sync.frozen import Frozen
from sync.model import (
    ChangeKind,
    Edit,
    Held,
    InputFacts,
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
)
from sync.normalize import normal
from sync.ports import Desired
from sync.section import ACTIONS, Json, Record
from sync.times import utc

EXPIRES_AFTER_S: Final = 24 * 3600.0
CARRIED_OUT: Final = "plan.carried_out"
FIRST_ROW: Final = RowNumber(1)


class SavedChange(Frozen):
    """One field that is to be sent."""

    field: str
    before: str
    """The digest of what the server held: it stands as the base when the plan is applied."""
    after: Json
    kind: ChangeKind = ChangeKind.EDIT


class Accepted(Frozen):
    """One field whose live value a reviewer, or the sheet, has accepted in place of what runs had made so."""

    field: str
    value: Json
    """What is desired once the plan is carried out, if it is live still."""
    made: str
    """The digest of what was desired until then: where a run has made another value so since, nothing is accepted."""


class SavedRow(Frozen):
    """One row that is to be sent."""

    row: RowNumber
    id: SectionId
    unique_id: str | None
    label: Label
    changes: tuple[SavedChange, ...]
    named: tuple[str, ...]
    """Every field that the row names, those that are as asked already included."""
    live: str
    """The `live_digest` of the named fields, as the server held them."""
    issues: tuple[Issue, ...] = ()
    """Warnings and notes, as the plan had them."""
    accepted: tuple[Accepted, ...] = ()

    @property
    def edit(self) -> Edit:
        """What is to be sent, as an edit like any other."""
        return Edit(self.row, self.id, {change.field: change.after for change in self.changes}, self.label)

    @property
    def base(self) -> Mapping[str, str]:
        """The digests that `diff.Known.base` takes: a field that moved since the plan was made is a conflict."""
        return {change.field: change.before for change in self.changes if change.field not in ACTIONS}

    def moved(self, record: Record) -> bool:
        """Whether a named field, or `UpdatedOn`, is no longer as it was when the plan was made."""
        return live_digest(self.named, record) != self.live

    def is_other(self, record: Record) -> bool:
        """Whether `record` is another section that only has the same Id."""
        return self.unique_id is not None and record.get("UniqueId") != self.unique_id


class RestingRow(Frozen):
    """A row that is not sent, with what the plan found of it: so that the report names every row of the sheet."""

    row: RowNumber
    id: SectionId | None
    label: Label
    status: Status
    issues: tuple[Issue, ...] = ()
    accepted: tuple[Accepted, ...] = ()

    @property
    def planned(self) -> PlannedRow:
        """As a row of a plan, on which the live state has no say any more: nothing is accepted yet."""
        edit = None if self.id is None else Edit(self.row, self.id, {}, self.label)
        return PlannedRow(self.row, self.label, Held(self.status), edit, self.issues)


class SavedPlan(Frozen):
    """A plan that waits for its approval."""

    account: str
    base_url: str
    input: InputFacts
    plan_hash: str
    created_at: str
    """ISO 8601 in UTC, as `times.utc` writes it; `expires_at` too."""
    expires_at: str
    rows: tuple[SavedRow, ...]
    """What would be sent, in the sheet's order."""
    rest: tuple[RestingRow, ...] = ()
    """The other rows of the sheet."""
    allowed: tuple[str, ...] = ()
    """The rails that were lifted when it was made: what is applied is no more than what was counted then."""
    input_format: str = "xlsx"
    header_row: RowNumber = FIRST_ROW


def expiry(created_wall: float, *, after_s: float = EXPIRES_AFTER_S) -> tuple[str, str]:
    """`created_at` and `expires_at` of a plan that is made now."""
    return utc(created_wall), utc(created_wall + after_s)


def live_digest(names: Iterable[str], record: Record) -> str:
    """One digest, as 64 hex digits, of what `record` holds in the named fields, and of its `UpdatedOn`."""
    held = {name: normal(name, record.get(name)) for name in (*names, "UpdatedOn")}
    return hashlib.sha256(canonical(held).encode()).hexdigest()


def saved_row(planned: PlannedRow, *, unique_id: str | None, live: str, accepted: Sequence[Accepted] = ()) -> SavedRow:
    """A row that would be sent, as it is saved; `live` is the `live_digest` of the fields that its edit names.

    Raises:
        InternalError: the row would not be sent.
    """
    if not isinstance(planned.decision, ToUpdate) or planned.edit is None:
        raise InternalError(f"Row {planned.row} would not be sent, and has no place in a saved plan.")
    changes = tuple(
        SavedChange(change.field, digest(change.field, change.before), change.after, change.kind)
        for change in planned.decision.changes
    )
    named = tuple(planned.edit.values)
    return SavedRow(
        planned.row, planned.edit.id, unique_id, planned.label, changes, named, live, planned.issues, tuple(accepted)
    )


def plan_issue(checksum: str, created_at: str) -> Issue:
    """What the facts of a run say of the plan that it carries out."""
    message = f"carries out the plan that was saved on {created_at[:16].replace('T', ' at ')} UTC, checksum {checksum}"
    return Issue(CARRIED_OUT, message, source=Source.SYNC, severity=Severity.NOTE, attempted_value=checksum)


def plan_checksum(issues: Iterable[Issue]) -> str | None:
    """The plan that a run carries out, by the issues of its facts; `None` where it was begun with a sheet."""
    return next((str(issue.attempted_value) for issue in issues if issue.code == CARRIED_OUT), None)


def resting_row(outcome: Outcome, accepted: Sequence[Accepted] = ()) -> RestingRow:
    """A row that would not be sent, as it is saved, by the line that the plan's report gives it."""
    return RestingRow(outcome.row, outcome.section_id, outcome.label, outcome.status, outcome.issues, tuple(accepted))


def accepted_by(planned: PlannedRow, desired: Desired) -> tuple[Accepted, ...]:
    """What a row of a plan accepts, as it is saved; `desired` is what runs had made so of its section."""
    return tuple(
        Accepted(name, value, desired[name].sent) for name, value in planned.accepted.items() if name in desired
    )


def still_accepted(accepted: Iterable[Accepted], record: Record, desired: Desired) -> dict[str, Json]:
    """What of it holds: live is still what was accepted, and no run has made another value so since."""
    return {
        each.field: each.value
        for each in accepted
        if digest(each.field, record.get(each.field)) == digest(each.field, each.value)
        and each.field in desired
        and desired[each.field].sent == each.made
    }


def canonical(value: Json) -> str:
    """JSON in one way only: the same value is the same text."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))


def plan_json(plan: SavedPlan) -> Mapping[str, Json]:
    """The plan as the object that is sealed."""
    given = plan.input
    return {
        "account": plan.account,
        "base_url": plan.base_url,
        "input": {"path": given.path, "sha256": given.sha256, "sheet": given.sheet, "rows": given.rows},
        "plan_hash": plan.plan_hash,
        "created_at": plan.created_at,
        "expires_at": plan.expires_at,
        "input_format": plan.input_format,
        "header_row": plan.header_row,
        "allowed": list(plan.allowed),
        "rows": [_row_json(row) for row in plan.rows],
        "rest": [_rest_json(row) for row in plan.rest],
    }


def _row_json(row: SavedRow) -> Json:
    return {
        "row": row.row,
        "id": row.id,
        "unique_id": row.unique_id,
        "label": [row.label.id, row.label.course_id, row.label.title],
        "changes": [
            {"field": change.field, "before": change.before, "after": change.after, "kind": change.kind.value}
            for change in row.changes
        ],
        "named": list(row.named),
        "live": row.live,
        "issues": [_issue_json(issue) for issue in row.issues],
        **_accepted_json(row.accepted),
    }


def _rest_json(row: RestingRow) -> Json:
    return {
        "row": row.row,
        "id": row.id,
        "label": [row.label.id, row.label.course_id, row.label.title],
        "status": row.status.value,
        "issues": [_issue_json(issue) for issue in row.issues],
        **_accepted_json(row.accepted),
    }


def _accepted_json(accepted: Sequence[Accepted]) -> dict[str, Json]:
    """Only where there is something: a plan that accepts nothing is written as it always was."""
    values = [{"field": each.field, "value": each.value, "made": each.made} for each in accepted]
    return {"accepted": values} if values else {}


def _issue_json(issue: Issue) -> Json:
    attempted = issue.attempted_value
    return {
        "code": issue.code,
        "message": issue.message,
        "field": issue.field,
        "source": issue.source.value,
        "severity": issue.severity.value,
        "attempted_value": attempted if isinstance(attempted, str | int | None) else str(attempted),
        "cell": issue.cell,
    }


def plan_of(body: Mapping[str, Json]) -> SavedPlan:
    """The plan of a body whose seal holds: it has the shape that `plan_json` gave it."""
    given = _mapping(body["input"])
    return SavedPlan(
        account=str(body["account"]),
        base_url=str(body["base_url"]),
        input=InputFacts(str(given["path"]), str(given["sha256"]), str(given["sheet"]), _whole(given["rows"])),
        plan_hash=str(body["plan_hash"]),
        created_at=str(body["created_at"]),
        expires_at=str(body["expires_at"]),
        rows=tuple(_row_of(_mapping(row)) for row in entries(body["rows"])),
        rest=tuple(_rest_of(_mapping(row)) for row in entries(body["rest"])),
        allowed=tuple(map(str, entries(body["allowed"]))),
        input_format=str(body["input_format"]),
        header_row=RowNumber(_whole(body["header_row"])),
    )


def _row_of(row: Mapping[str, Json]) -> SavedRow:
    unique_id = row["unique_id"]
    return SavedRow(
        row=RowNumber(_whole(row["row"])),
        id=SectionId(_whole(row["id"])),
        unique_id=None if unique_id is None else str(unique_id),
        label=Label(*map(str, entries(row["label"]))),
        changes=tuple(_change_of(_mapping(change)) for change in entries(row["changes"])),
        named=tuple(map(str, entries(row["named"]))),
        live=str(row["live"]),
        issues=_issues_of(row["issues"]),
        accepted=_accepted_of(row),
    )


def _rest_of(row: Mapping[str, Json]) -> RestingRow:
    return RestingRow(
        row=RowNumber(_whole(row["row"])),
        id=None if row["id"] is None else SectionId(_whole(row["id"])),
        label=Label(*map(str, entries(row["label"]))),
        status=Status(str(row["status"])),
        issues=_issues_of(row["issues"]),
        accepted=_accepted_of(row),
    )


def _accepted_of(row: Mapping[str, Json]) -> tuple[Accepted, ...]:
    values = (_mapping(each) for each in entries(row.get("accepted", [])))
    return tuple(Accepted(str(each["field"]), each["value"], str(each["made"])) for each in values)


def _issues_of(value: Json) -> tuple[Issue, ...]:
    return tuple(_issue_of(_mapping(issue)) for issue in entries(value))


def _issue_of(issue: Mapping[str, Json]) -> Issue:
    return Issue(
        code=str(issue["code"]),
        message=str(issue["message"]),
        field=_optional(issue["field"]),
        source=Source(str(issue["source"])),
        severity=Severity(str(issue["severity"])),
        attempted_value=issue["attempted_value"],
        cell=_optional(issue["cell"]),
    )


def _optional(value: Json) -> str | None:
    return None if value is None else str(value)


def _change_of(change: Mapping[str, Json]) -> SavedChange:
    return SavedChange(str(change["field"]), str(change["before"]), change["after"], ChangeKind(str(change["kind"])))


def _mapping(value: Json) -> Mapping[str, Json]:
    if isinstance(value, Mapping):
        return value
    raise InternalError("A sealed plan does not have the shape that it was sealed with.")


def entries(value: Json) -> Sequence[Json]:
    """The entries of a list, in a body whose seal holds.

    Raises:
        InternalError: it is no list.
    """
    if isinstance(value, list):
        return value
    raise InternalError("A sealed plan does not have the shape that it was sealed with.")


def _whole(value: Json) -> int:
    if isinstance(value, int):
        return value
    raise InternalError("A sealed plan does not have the shape that it was sealed with.")
