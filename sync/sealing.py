"""Seal a plan: what was reviewed is what is applied, or it is refused. Pure; the file itself is not read here.

`plan.json` is JSON that people and `jq` can read, written in one way only: a version, the plan with a row a line, and
a seal: HMAC-SHA256 over every byte before it, with a key of the state directory. So any changed byte shows, and
`sha256sum plan.json` is the checksum that a reviewer notes.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from math import isfinite
from typing import Final

from sync.errors import InternalError, PlanRefused
from sync.model import RowNumber
from sync.preview import shown
from sync.savedplan import Accepted, SavedChange, SavedPlan, canonical, entries, plan_json, plan_of
from sync.section import Json

VERSION: Final = 1
KEY_BYTES: Final = 32
"""The least length of a key."""
MARKED_WITHIN: Final = 200
"""Bytes of a file in which a plan's mark is, if it is one."""
_MARK: Final = "coursesync_plan"
_LISTS: Final = ("rows", "rest")
"""What is written with an entry a line."""
_END: Final = re.compile(r'\n"seal":"([0-9a-f]{64})"\}\n\Z')
_AGAIN: Final = "Make a new plan with `coursesync plan`."


def is_plan(head: bytes) -> bool:
    """Whether a file that begins so is a saved plan, whole or not, rather than a sheet."""
    start = head[:MARKED_WITHIN].removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"{") and _MARK.encode() in start


def seal(plan: SavedPlan, key: bytes) -> str:
    """Write `plan` as the text of `plan.json`, sealed with `key`.

    Raises:
        InternalError: the key is too short, or a value of the plan would not come back as it is.
    """
    for row in plan.rows:
        _check_values(row.row, [*row.changes, *row.accepted])
    for rest in plan.rest:
        _check_values(rest.row, rest.accepted)
    text = _text(plan_json(plan))
    return f'{text}\n"seal":"{_seal(text, key)}"}}\n'


def _check_values(row: RowNumber, values: Iterable[SavedChange | Accepted]) -> None:
    for each in values:
        value = each.after if isinstance(each, SavedChange) else each.value
        if isinstance(value, str | int | None):
            continue
        try:
            same = _parse(canonical(value)) == value
        except ValueError:
            same = False
        if not same:
            raise InternalError(f"Row {row}: JSON does not give this {each.field} back as it is.")


def open_sealed(text: str, key: bytes, *, account: str, base_url: str) -> SavedPlan:
    """Read what `seal` wrote; `account` and `base_url` as this profile has them.

    Raises:
        PlanRefused: it is no plan, of another version, for another account or server, or edited.
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
    return plan_of(body)


def check_expiry(plan: SavedPlan, now: float) -> None:
    """Hold a plan against the time, `now` in seconds since the epoch: before its run begins, and never again.

    Raises:
        PlanRefused: it has expired.
    """
    if now >= datetime.fromisoformat(plan.expires_at).timestamp():
        raise PlanRefused(
            f"This plan was made at {plan.created_at} and expired at {plan.expires_at}: much may have changed since.",
            remedy=_AGAIN,
        )


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


def _text(body: Mapping[str, Json]) -> str:
    """The one way to write all but the seal: the facts on a line, each row on its own."""
    head = canonical({name: value for name, value in body.items() if name not in _LISTS})
    lists = "".join(_one_a_line(name, body[name]) for name in _LISTS)
    return f'{{"{_MARK}":{VERSION},"plan":{head[:-1]}{lists}}},'


def _one_a_line(name: str, value: Json) -> str:
    lines = ",\n".join(map(canonical, entries(value)))
    return f',"{name}":[\n{lines}\n]'


def _parse(text: str) -> Json:
    parsed: Json = json.loads(text, parse_float=_finite, parse_constant=_finite)
    return parsed


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number
