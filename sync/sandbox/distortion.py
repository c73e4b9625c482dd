"""What a fault makes of an honest answer, and how the result then travels; no socket is touched here."""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, TypeAlias, assert_never

from sync.sandbox import answers, faults
from sync.sandbox.answers import Answer
from sync.sandbox.listing import HONEST, Distortion

_BLOCK: Final = 2**20


@dataclass(frozen=True, slots=True)
class Whole:
    """The answer arrives."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Nothing arrives; the connection is closed, or reset, after some seconds of silence."""

    seconds: float = 0
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Truncated:
    """The head and the first bytes of the body arrive, then the connection closes."""

    size: int


@dataclass(frozen=True, slots=True)
class Slow:
    """The body arrives at this pace."""

    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Padded:
    """The body is followed by filling up to this size, without a declared length."""

    size: int


Delivery: TypeAlias = Whole | Cut | Truncated | Slow | Padded


def reading(reply: faults.Reply | None) -> Distortion:
    """Return how a fault bends what is read from the records."""
    match reply:
        case faults.IgnoreFilter():
            return Distortion(ignore_filter=True)
        case faults.DuplicatePage():
            return Distortion(page_shift=1)
        case _:
            return HONEST


def delivery(reply: faults.Reply | None) -> Delivery:
    """Return how the answer travels."""
    match reply:
        case faults.LoseAnswer(mode="truncate", bytes=size):
            return Truncated(size)
        case faults.LoseAnswer(mode="slow", bytes_per_s=pace):
            return Slow(pace)
        case faults.LoseAnswer(mode=mode, seconds=seconds) | faults.LoseRequest(mode=mode, seconds=seconds):
            return Cut(seconds if mode == "hang" else 0, reset=mode == "reset")
        case faults.ApplyLate(mode=mode, hang_s=seconds):
            return Cut(seconds if mode == "hang" else 0, reset=mode == "reset")
        case faults.Huge(bytes=size):
            return Padded(size)
        case _:
            return Whole()


def distorted(reply: faults.Reply | None, answer: Answer) -> Answer:  # noqa: C901, PLR0911, PLR0912 -- one flat table
    """Return the answer that a fault makes of an honest one."""
    match reply:
        case None | faults.LoseAnswer() | faults.LoseRequest() | faults.ApplyLate():
            return answer
        case faults.IgnoreFilter() | faults.DuplicatePage():
            return answer
        case faults.Status():
            return Answer(reply.status, reply.body.encode(), reply.content_type, reply.headers, reply.reason)
        case faults.Html():
            return answers.html_answer(answers.LOGIN_PAGE)
        case faults.Empty():
            return replace(answer, status=HTTPStatus.OK, body=b"")
        case faults.HalfJson():
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case faults.WrongId(id=given):
            return _altered(answer, lambda payload: _other_id(payload, given))
        case faults.WrongContentType(content_type=content_type):
            return replace(answer, content_type=content_type)
        case faults.NotSuccessful(message=text, errors=errors):
            return answers.json_answer({"Message": text, "Value": None, "Errors": errors, "WasSuccessful": False})
        case faults.Huge():
            return Answer(HTTPStatus.OK, b'{"Message": "')
        case faults.GzipBomb(bytes=size):
            return Answer(HTTPStatus.OK, gzip_of_spaces(size), headers=(("Content-Encoding", "gzip"),))
        case faults.Redirect(status=status, location=location):
            return Answer(status, headers=(("Location", location),), content_type="")
        case faults.Throttle(status=status, retry_after=given_header):
            given_headers = (given_header,) if isinstance(given_header, str) else given_header or ()
            return answers.throttle(given_headers, status)
        case faults.ShortPage(drop=drop):
            return _altered(answer, lambda payload: _shortened(payload, drop))
        case faults.WrongTotal(by=by):
            return _altered(answer, lambda payload: _recounted(payload, by))
        case faults.EmptyList():
            return _altered(replace(answer, status=HTTPStatus.OK), _emptied)
        case _:
            assert_never(reply)


def gzip_of_spaces(size: int) -> bytes:
    """Compress so many spaces, a block at a time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * _BLOCK
    packed = [packer.compress(block) for _ in range(size // _BLOCK)]
    return b"".join([*packed, packer.compress(block[: size % _BLOCK]), packer.flush()])


def _altered(answer: Answer, change: Callable[[object], object]) -> Answer:
    try:
        payload = json.loads(answer.body)
    except ValueError:
        return answer
    return replace(answer, body=answers.encode(change(payload)))


def _other_id(payload: object, given: int | None) -> object:
    if isinstance(payload, list):
        return [_other_id(one, given) for one in payload[:1]] + payload[1:]
    if not isinstance(payload, dict):
        return payload
    match payload:
        case {"Id": int() as key}:
            return {**payload, "Id": key + 1 if given is None else given}
        case {"Value": dict() as value}:
            return {**payload, "Value": _other_id(value, given)}
        case {"Records": list() as records}:
            return {**payload, "Records": _other_id(records, given)}
        case _:
            return payload


def _shortened(payload: object, drop: int) -> object:
    if isinstance(payload, dict) and "Records" in payload:
        return {**payload, "Records": payload["Records"][:-drop]}
    return payload[:-drop] if isinstance(payload, list) else payload


def _recounted(payload: object, by: int) -> object:
    if isinstance(payload, dict) and "TotalItems" in payload:
        return {**payload, "TotalItems": payload["TotalItems"] + by}
    return payload


def _emptied(payload: object) -> object:
    if isinstance(payload, dict) and "Records" in payload:
        nothing = {"FirstItem": 0, "LastItem": 0, "TotalItems": 0, "TotalPages": 0, "HasNextPage": False}
        return {**payload, "Records": [], **nothing}
    return [] if isinstance(payload, list) else payload
