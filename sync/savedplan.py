"""The saved plan: what was reviewed is what is applied, or it is refused. Pure; the file itself is not read here.

`plan.json` is JSON that people and `jq` can read, written in one way only: a version, the plan with a row a line, and
a seal: HMAC-SHA256 over every byte before it, with a key of the state directory. So any changed byte shows, and
`sha256sum plan.json` is the checksum that a reviewer notes. Records are in it as digests only.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Final

from sync.diff import digest
from sync.errors import InternalError, PlanRefused
from sync.model import ChangeKind, Edit, InputFacts, Label, PlannedRow, RowNumber, SectionId, ToUpdate
from sync.normalize import normal
from sync.preview import shown
from sync.section import ACTIONS, Json, Record
from sync.times import utc

VERSION: Final = 1
EXPIRES_AFTER_S: Final = 24 * 3600.0
KEY_BYTES: Final = 32
"""The least length of a key."""
_MARK: Final = "coursesync_plan"
_END: Final = re.compile(r'\n"seal":"([0-9a-f]{64})"\}\n\Z')
_AGAIN: Final = "Make a new plan with `coursesync plan`."


@dataclass(frozen=True, slots=True)
class SavedChange:
    """One field that is to be sent."""

    field: str
    before: str
    """The digest of what the server held: it stands as the base when the plan is applied."""
    after: Json
    kind: ChangeKind = ChangeKind.EDIT


@dataclass(frozen=True, slots=True)
class SavedRow:
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


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan that waits for its approval."""

    account: str
    base_url: str
    input: InputFacts
    plan_hash: str
    created_at: str
    """ISO 8601 in UTC, as `times.utc` writes it; `expires_at` too."""
    expires_at: str
    rows: tuple[SavedRow, ...]


def expiry(created_wall: float, *, after_s: float = EXPIRES_AFTER_S) -> tuple[str, str]:
    """`created_at` and `expires_at` of a plan that is made now."""
    return utc(created_wall), utc(created_wall + after_s)


def live_digest(names: Iterable[str], record: Record) -> str:
    """One digest, as 64 hex digits, of what `record` holds in the named fields, and of its `UpdatedOn`."""
    held = {name: normal(name, record.get(name)) for name in (*names, "UpdatedOn")}
    return hashlib.sha256(_canonical(held).encode()).hexdigest()


def saved_row(planned: PlannedRow, *, unique_id: str | None, live: str) -> SavedRow:
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
    return SavedRow(planned.row, planned.edit.id, unique_id, planned.label, changes, tuple(planned.edit.values), live)


def seal(plan: SavedPlan, key: bytes) -> str:
    """Write `plan` as the text of `plan.json`, sealed with `key`.

    Raises:
        InternalError: the key is too short, or a value of the plan would not come back as it is.
    """
    for row in plan.rows:
        _check_values(row)
    text = _text(_plan_json(plan))
    return f'{text}\n"seal":"{_seal(text, key)}"}}\n'


def _check_values(row: SavedRow) -> None:
    for change in row.changes:
        if isinstance(change.after, str | int | None):
            continue
        try:
            same = _parse(_canonical(change.after)) == change.after
        except ValueError:
            same = False
        if not same:
            raise InternalError(f"Row {row.row}: JSON does not give this {change.field} back as it is.")


def open_sealed(text: str, key: bytes, *, now: float, account: str, base_url: str) -> SavedPlan:
    """Read what `seal` wrote; `now` in seconds since the epoch, `account` and `base_url` as this profile has them.

    Raises:
        PlanRefused: it is no plan, of another version, for another account or server, edited, or expired.
        InternalError: the key is too short.
    """
    body = _opened(text)
    if (body.get("account"), body.get("base_url")) != (account, base_url):
        raise PlanRefused(
            f"This plan is for {_named(body.get('base_url'), body.get('account'))},"
            f" and this profile is {_named(base_url, account)}.",
            remedy=f"Choose the profile that it was made with, or: {_AGAIN}",
        )
    end = _END.search(text)
    if end is None or not hmac.compare_digest(_seal(text[: end.start()], key), end.group(1)):
        raise PlanRefused(
            "This plan was edited after it was made, or was made with another state directory.",
            remedy=f"Plans are not edited by hand: mend the sheet. {_AGAIN}",
        )
    plan = _plan_of(body)
    if now >= datetime.fromisoformat(plan.expires_at).timestamp():
        raise PlanRefused(
            f"This plan was made at {plan.created_at} and expired at {plan.expires_at}: much may have changed since.",
            remedy=_AGAIN,
        )
    return plan


def checksum(text: str) -> str:
    """The checksum of a saved plan, which `sha256sum plan.json` gives too: 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_checksum(text: str, expected: str) -> None:
    """Hold a plan against the checksum that was reviewed.

    Raises:
        PlanRefused: it is another plan.
    """
    found = checksum(text)
    if expected.strip().lower() != found:
        raise PlanRefused(
            f"This is not the plan that was reviewed: its checksum is {found}, not {expected}.",
            remedy="Review this plan, or apply the one that was reviewed.",
        )


def _opened(text: str) -> Mapping[str, Json]:
    """The plan's JSON, not believed yet."""
    try:
        outer = _parse(text)
    except (ValueError, RecursionError) as exc:
        raise _no_plan() from exc
    if not isinstance(outer, Mapping) or _MARK not in outer:
        raise _no_plan()
    version, body = outer[_MARK], outer.get("plan")
    if isinstance(version, bool) or version != VERSION:
        raise PlanRefused(
            f"This plan has version {shown(version)}, and this program reads version {VERSION}.", remedy=_AGAIN
        )
    if not isinstance(body, Mapping):
        raise _no_plan()
    return body


def _no_plan() -> PlanRefused:
    return PlanRefused("This file is not a plan that `coursesync plan` has saved.", remedy=_AGAIN)


def _named(base_url: Json, account: Json) -> str:
    return f"{shown(base_url)} ({shown(account)})" if account else shown(base_url)


def _seal(text: str, key: bytes) -> str:
    if len(key) < KEY_BYTES:
        raise InternalError(f"The key that seals plans has {len(key)} bytes; it takes {KEY_BYTES}.")
    return hmac.new(key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _canonical(value: Json) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _text(body: Mapping[str, Json]) -> str:
    """The one way to write all but the seal: the facts on a line, each row on its own."""
    head = _canonical({name: value for name, value in body.items() if name != "rows"})
    rows = ",\n".join(map(_canonical, _list(body["rows"])))
    return f'{{"{_MARK}":{VERSION},"plan":{head[:-1]},"rows":[\n{rows}\n]}},'


def _parse(text: str) -> Json:
    parsed: Json = json.loads(text, parse_float=_finite, parse_constant=_finite)
    return parsed


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number


def _plan_json(plan: SavedPlan) -> Mapping[str, Json]:
    given = plan.input
    return {
        "account": plan.account,
        "base_url": plan.base_url,
        "input": {"path": given.path, "sha256": given.sha256, "sheet": given.sheet, "rows": given.rows},
        "plan_hash": plan.plan_hash,
        "created_at": plan.created_at,
        "expires_at": plan.expires_at,
        "rows": [_row_json(row) for row in plan.rows],
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
    }


def _plan_of(body: Mapping[str, Json]) -> SavedPlan:
    """The plan of a body whose seal holds: it has the shape that `_plan_json` gave it."""
    given = _mapping(body["input"])
    return SavedPlan(
        account=str(body["account"]),
        base_url=str(body["base_url"]),
        input=InputFacts(str(given["path"]), str(given["sha256"]), str(given["sheet"]), _whole(given["rows"])),
        plan_hash=str(body["plan_hash"]),
        created_at=str(body["created_at"]),
        expires_at=str(body["expires_at"]),
        rows=tuple(_row_of(_mapping(row)) for row in _list(body["rows"])),
    )


def _row_of(row: Mapping[str, Json]) -> SavedRow:
    unique_id = row["unique_id"]
    return SavedRow(
        row=RowNumber(_whole(row["row"])),
        id=SectionId(_whole(row["id"])),
        unique_id=None if unique_id is None else str(unique_id),
        label=Label(*map(str, _list(row["label"]))),
        changes=tuple(_change_of(_mapping(change)) for change in _list(row["changes"])),
        named=tuple(map(str, _list(row["named"]))),
        live=str(row["live"]),
    )


def _change_of(change: Mapping[str, Json]) -> SavedChange:
    return SavedChange(str(change["field"]), str(change["before"]), change["after"], ChangeKind(str(change["kind"])))


def _mapping(value: Json) -> Mapping[str, Json]:
    if isinstance(value, Mapping):
        return value
    raise InternalError("A sealed plan does not have the shape that it was sealed with.")


def _list(value: Json) -> Sequence[Json]:
    if isinstance(value, list):
        return value
    raise InternalError("A sealed plan does not have the shape that it was sealed with.")


def _whole(value: Json) -> int:
    if isinstance(value, int):
        return value
    raise InternalError("A sealed plan does not have the shape that it was sealed with.")
