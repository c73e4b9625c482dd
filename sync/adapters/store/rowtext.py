"""Rows, edits, changes and outcomes as JSON text, and back: what the journal keeps must come back as it went."""

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring_ascii as _quoted
from operator import attrgetter
from typing import Any

from sync.adapters.exact_json import dumps, parse_own
from sync.model import (
    ChangeKind,
    Edit,
    FieldChange,
    Issue,
    Label,
    Outcome,
    RowNumber,
    SectionId,
    Severity,
    Source,
    Status,
    Verified,
)
from sync.origin import Seen
from sync.section import Json

_STATUSES: Mapping[str, Status] = {status.value: status for status in Status}
_VERIFIED: Mapping[str, Verified] = {verified.value: verified for verified in Verified}
_PERHAPS = ("http_status", "updated_on", "updated_by", "started_at", "finished_at")
_perhaps = attrgetter(*_PERHAPS)
_NOTHING = (None,) * len(_PERHAPS)


def text(value: Json) -> str:
    """Any JSON value, numbers exact."""
    return dumps(value)


def read(written: str) -> Any:  # noqa: ANN401 - JSON read back from our own text
    """What `text` wrote."""
    return parse_own(written)


def issue_json(issue: Issue) -> Json:
    """One issue, as short as it can be."""
    return [
        issue.code,
        issue.message,
        issue.field,
        issue.source.value,
        issue.severity.value,
        issue.attempted_value,
        issue.cell,
    ]


def issue_of(value: Sequence[Any]) -> Issue:
    """What `issue_json` wrote."""
    code, message, name, source, severity, attempted, cell = value
    return Issue(code, message, name, Source(source), Severity(severity), attempted, cell)


def issues_json(issues: Sequence[Issue]) -> Json:
    """Several issues, in their order."""
    return [issue_json(issue) for issue in issues]


def issues_of(value: Sequence[Any]) -> tuple[Issue, ...]:
    """What `issues_json` wrote."""
    return tuple(issue_of(item) for item in value)


def label_json(label: Label) -> Json:
    """How the report names a row."""
    return [label.id, label.course_id, label.title]


def label_of(value: Sequence[str]) -> Label:
    """What `label_json` wrote."""
    return Label(*value)


def changes_json(changes: Sequence[FieldChange]) -> Json:
    """Field changes, in their order."""
    return [[change.field, change.before, change.after, change.base, change.kind.value] for change in changes]


def changes_of(value: Sequence[Any]) -> tuple[FieldChange, ...]:
    """What `changes_json` wrote."""
    return tuple(FieldChange(name, before, after, base, ChangeKind(kind)) for name, before, after, base, kind in value)


def edit_json(edit: Edit) -> Json:
    """A valid row, whole."""
    return {
        "row": edit.row,
        "id": edit.id,
        "values": dict(edit.values),
        "label": label_json(edit.label),
        "seen": edit.seen_updated_on,
        "read_only": dict(edit.read_only),
        "command": edit.command,
        "base": None if edit.base is None else _seen_json(edit.base),
        "issues": issues_json(edit.issues),
    }


def edit_of(value: Mapping[str, Any]) -> Edit:
    """What `edit_json` wrote; the first version of the store knew no base."""
    return Edit(
        row=RowNumber(value["row"]),
        id=SectionId(value["id"]),
        values=value["values"],
        label=label_of(value["label"]),
        seen_updated_on=value["seen"],
        read_only=value["read_only"],
        command=value["command"],
        base=None if (base := value.get("base")) is None else _seen_of(base),
        issues=issues_of(value["issues"]),
    )


def _seen_json(seen: Seen) -> Json:
    """What the operator saw of the fields that the row touches; the others play no part once the row is planned."""
    fields = {
        name: [digest, seen.shown[name]] if name in seen.shown else [digest] for name, digest in seen.digests.items()
    }
    return [seen.unique_id, seen.exported_at, fields]


def _seen_of(value: Sequence[Any]) -> Seen:
    unique_id, exported_at, fields = value
    return Seen(
        unique_id,
        exported_at,
        digests={name: digest for name, (digest, *_) in fields.items()},
        shown={name: shown for name, (_, *rest) in fields.items() for shown in rest},
    )


def outcome_json(outcome: Outcome) -> Json:
    """A line of the report, whole; what a row has nothing of is left out, which most rows of most runs do."""
    written: dict[str, Json] = {
        "row": outcome.row,
        "label": label_json(outcome.label),
        "status": outcome.status.value,
        "section_id": outcome.section_id,
        "verified": outcome.verified.value,
    }
    if outcome.changes:
        written["changes"] = changes_json(outcome.changes)
    if outcome.issues:
        written["issues"] = issues_json(outcome.issues)
    if outcome.attempts:
        written["attempts"] = outcome.attempts
    for name in _PERHAPS:
        if (value := getattr(outcome, name)) is not None:
            written[name] = value
    return written


def outcome_text(outcome: Outcome) -> str:
    """The `text` of `outcome_json`, for most rows of most runs without making an object of it first."""
    if outcome.changes or outcome.issues or outcome.attempts or _perhaps(outcome) != _NOTHING:
        return text(outcome_json(outcome))
    label, section_id = outcome.label, outcome.section_id
    return (
        f'{{"row":{outcome.row},"label":[{_quoted(label.id)},{_quoted(label.course_id)},{_quoted(label.title)}],'
        f'"status":"{outcome.status.value}","section_id":{"null" if section_id is None else section_id},'
        f'"verified":"{outcome.verified.value}"}}'
    )


def outcome_of(value: Mapping[str, Any]) -> Outcome:
    """What `outcome_json` wrote."""
    rest = {name: value[name] for name in _PERHAPS if name in value}
    return Outcome(
        row=RowNumber(value["row"]),
        label=label_of(value["label"]),
        status=_STATUSES[value["status"]],
        section_id=None if value["section_id"] is None else SectionId(value["section_id"]),
        changes=changes_of(value.get("changes", ())),
        issues=issues_of(value.get("issues", ())),
        attempts=value.get("attempts", 0),
        verified=_VERIFIED[value["verified"]],
        **rest,
    )
