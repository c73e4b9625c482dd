"""Answers of HTTP to answers of ours: the table of what each status and body means, in one pure place.

For a PUT the question is whether it was applied. Only the documented success says yes, only a documented refusal
says no; whatever else comes back is `Unheard`, and a read has to tell. For a read the rule is that an answer which is
not whole and exactly as documented is never "nothing there".
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import assert_never

from sync.adapters import exact_json
from sync.adapters.http_answer import HttpAnswer, pointed_at, retry_after_s
from sync.exchange import (
    Absent,
    Accepted,
    Answer,
    ApiError,
    Forbidden,
    Misdirected,
    OneRecord,
    Put,
    ReadBatch,
    ReadOne,
    ReadPage,
    Records,
    Refused,
    Request,
    Throttled,
    Unauthorised,
    Unheard,
)
from sync.model import SectionId
from sync.section import Json, Record

THROTTLE_STATUSES: frozenset[int] = frozenset({HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})
_SAID_MOST = 500
"""Characters of an answer's words that are quoted."""
_THROTTLE_PHRASE = "you must wait before accessing this url again"
_REFUSAL_CODES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "api.rejected",
    HTTPStatus.NOT_FOUND: "api.not_found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "api.too_large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "api.too_large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "api.unprocessable",
}


def answer_to(
    request: Request,
    *,
    status: int,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    wall_now: float,
    token_generation: int,
    reason: str = "",
    throttle_statuses: frozenset[int] = THROTTLE_STATUSES,
) -> Answer:
    """Say what an HTTP answer to `request` means.

    Args:
        request: what was asked.
        status: the HTTP status.
        headers: name and value, a repeated header as several pairs.
        body: the whole body, decoded from any transfer coding.
        wall_now: seconds since the epoch, for a `Retry-After` that is a date.
        token_generation: of the token that was sent, for `Unauthorised`.
        reason: the words behind the status, in which an old throttle speaks.
        throttle_statuses: what throttles. A 409 among them needs a sign of it (`Retry-After`, the phrase, an empty
            body); 429 always throttles.
    """
    heard = HttpAnswer(status, tuple(headers), body, reason)
    if _throttles(heard, throttle_statuses):
        return Throttled(retry_after_s(heard, wall_now=wall_now), status)
    if status == HTTPStatus.UNAUTHORIZED:
        return Unauthorised(token_generation)
    if status == HTTPStatus.FORBIDDEN:
        return Forbidden()
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Misdirected(
            f"The server redirects ({status}) to {pointed_at(heard)}: base_url is not the address of the API."
        )
    match request:
        case Put(id=section_id):
            return _answer_to_put(section_id, heard)
        case ReadOne() | ReadBatch() | ReadPage():
            return _answer_to_read(request, heard)
        case _:
            assert_never(request)


def _throttles(heard: HttpAnswer, throttle_statuses: frozenset[int]) -> bool:
    if heard.status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    if heard.status not in throttle_statuses:
        return False
    if heard.status != HTTPStatus.CONFLICT or heard.is_empty or any(True for _ in heard.values("retry-after")):
        return True
    return _THROTTLE_PHRASE in f"{heard.reason} {heard.body.decode(errors='replace')}".lower()


def _answer_to_put(section_id: SectionId, heard: HttpAnswer) -> Accepted | Refused | Unheard:
    if heard.status in _REFUSAL_CODES:
        return _refusal(heard)
    if heard.status != HTTPStatus.OK:
        return Unheard(f"status {heard.status}", heard.status, _said(heard))
    try:
        payload = _object(_json(heard))
    except ValueError as exc:
        return Unheard(str(exc), heard.status)
    errors = _errors(payload)
    match payload.get("WasSuccessful"):
        case False if errors:
            return Refused(errors, heard.status, "api.rejected")
        case True if not payload.get("Errors"):
            if _changed_id(payload) != section_id:
                return Unheard("a success that names another section, or none", heard.status, _said(heard))
            return Accepted(section_id, _text(payload, "UpdatedOn"), _text(payload, "UpdatedBy"), heard.status)
        case _:
            return Unheard("an answer that is not the documented success", heard.status, _said(heard))


def _said(heard: HttpAnswer) -> str | None:
    """The words of an answer that means nothing to us, for a person who may make something of them."""
    try:
        payload = _object(exact_json.parse(heard.body))
    except ValueError:
        return None
    message = (_text(payload, "Message") or "").strip()
    return (message if len(message) <= _SAID_MOST else f"{message[:_SAID_MOST]}…") or None


def _answer_to_read(
    request: ReadOne | ReadBatch | ReadPage, heard: HttpAnswer
) -> OneRecord | Records | Absent | Refused | Unheard | Misdirected:
    if heard.is_html and (
        heard.status == HTTPStatus.NOT_FOUND or HTTPStatus.OK <= heard.status < HTTPStatus.MULTIPLE_CHOICES
    ):
        return Misdirected(f"The server answers with a page for people ({heard.status}): base_url is not of the API.")
    if heard.status == HTTPStatus.NOT_FOUND:
        return _not_found(request, heard)
    if heard.status in _REFUSAL_CODES:
        return _refusal(heard)
    if heard.status != HTTPStatus.OK:
        return Unheard(f"status {heard.status}", heard.status)
    try:
        content = _json(heard)
        match request:
            case ReadOne(id=section_id):
                return OneRecord(_record_of(section_id, content))
            case ReadBatch(ids=ids):
                return Records(_batch_of(frozenset(ids), content))
            case ReadPage():
                return _page_of(request, content)
            case _:
                assert_never(request)
    except ValueError as exc:
        return Unheard(str(exc), heard.status)


def _not_found(request: ReadOne | ReadBatch | ReadPage, heard: HttpAnswer) -> Absent | Refused | Unheard | Misdirected:
    """Tell "no such section" from "no such address"; a batch tells neither, and has to be asked singly."""
    if isinstance(request, ReadPage) or not (heard.is_json or heard.is_empty):
        return Misdirected("The server knows no such address (404): base_url is not the address of the API.")
    if not heard.is_empty:
        try:
            exact_json.parse(heard.body)
        except ValueError as exc:
            return Unheard(f"no JSON that can be trusted: {exc}", heard.status)
    return Absent(request.id) if isinstance(request, ReadOne) else _refusal(heard)


def _refusal(heard: HttpAnswer) -> Refused | Unheard:
    """The refusal with all that the API says about it; only a 400 has to say something to be believed."""
    errors: tuple[ApiError, ...] = ()
    try:
        payload = _object(exact_json.parse(heard.body))
    except ValueError:
        payload = {}
    if payload.get("WasSuccessful") is not True:
        errors = _errors(payload)
        if not errors and (message := _text(payload, "Message")):
            errors = (ApiError(None, message),)
    if heard.status == HTTPStatus.BAD_REQUEST and not errors:
        return Unheard("status 400 without a word about what is wrong", heard.status)
    return Refused(errors, heard.status, _REFUSAL_CODES[heard.status])


def _errors(payload: Record) -> tuple[ApiError, ...]:
    errors = payload.get("Errors")
    return tuple(map(_error, errors)) if isinstance(errors, list) else ()


def _error(entry: Json) -> ApiError:
    if not isinstance(entry, dict):
        return ApiError(None, entry if isinstance(entry, str) else exact_json.dumps(entry))
    message = entry.get("Message")
    return ApiError(
        _text(entry, "PropertyName") or None,
        message if isinstance(message, str) else exact_json.dumps(entry),
        entry.get("AttemptedValue"),
    )


def _json(heard: HttpAnswer) -> Json:
    """The content of an answer that calls itself JSON.

    Raises:
        ValueError: it is something else, or JSON that cannot be kept exactly; the text says so.
    """
    if heard.is_html:
        raise ValueError("a page for people, no JSON")
    if heard.is_empty:
        raise ValueError("an empty answer")
    if not heard.is_json:
        raise ValueError("an answer that does not call itself JSON")
    try:
        return exact_json.parse(heard.body)
    except ValueError as exc:
        raise ValueError(f"no JSON that can be trusted: {exc}") from None


def _object(content: Json) -> Record:
    if not isinstance(content, dict):
        raise ValueError("JSON, but no object")  # noqa: TRY004 - what is wrong is an answer, not a type of ours
    return content


def _text(payload: Record, name: str) -> str | None:
    value = payload.get(name)
    return value if isinstance(value, str) else None


def _integer(payload: Record, name: str) -> int | None:
    value = payload.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _changed_id(payload: Record) -> int | None:
    value = payload.get("Value")
    return _integer(value, "Id") if isinstance(value, dict) else None


def _record_of(section_id: SectionId, content: Json) -> Record:
    record = _object(content)
    if _integer(record, "Id") != section_id:
        raise ValueError("a record of another Id than was asked for, or of none")
    return record


def _records(content: Json) -> tuple[Record, ...]:
    if not isinstance(content, list):
        raise ValueError("JSON, but no list of records")  # noqa: TRY004 - an answer is wrong, not a type of ours
    records = tuple(map(_object, content))
    ids = [_integer(record, "Id") for record in records]
    if None in ids:
        raise ValueError("a record without an Id")
    if len(set(ids)) != len(ids):
        raise ValueError("two records of one Id")
    return records


def _batch_of(asked: frozenset[SectionId], content: Json) -> tuple[Record, ...]:
    records = _records(content)
    if any(record["Id"] not in asked for record in records):
        raise ValueError("records that were not asked for: the server does not heed the Ids")
    return records


def _page_of(request: ReadPage, content: Json) -> Records:
    payload = _object(content)
    records = _records(payload.get("Records"))
    total = _integer(payload, "TotalItems")
    has_next = payload.get("HasNextPage")
    if _integer(payload, "CurrentPage") not in (None, request.page):
        raise ValueError("another page than was asked for")
    if not isinstance(has_next, bool):
        pages = _integer(payload, "TotalPages")
        if pages is None and total is None:
            raise ValueError("a page that does not say whether it is the last")
        has_next = request.page < pages if pages is not None else request.page * request.size < (total or 0)
    if (has_next and not records) or (total is not None and total < len(records)):
        raise ValueError("a page that contradicts itself")
    return Records(records, total, has_next)
