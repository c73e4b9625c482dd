"""Answers as values, and the bodies that the API's documentation prints."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from sync.sandbox.windows import Throttled

JSON_TYPE: Final = "application/json; charset=utf-8"
HTML_TYPE: Final = "text/html; charset=utf-8"
THROTTLE_REASON: Final = "You must wait before accessing this url again."
LOGIN_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head>"
    '<body><form method="post"><input name="email"></form></body></html>'
)
NOT_FOUND_PAGE: Final = "<!DOCTYPE html><html><head><title>404</title></head><body>Page not found</body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: what would be sent if nothing went wrong on the way."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    reason: str | None = None
    """The reason phrase, where it is not the usual one."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of `Errors`."""

    property_name: str
    message: str
    attempted_value: object = None

    def as_json(self) -> Mapping[str, object]:
        """Return the entry in the API's words."""
        return {
            "AttemptedValue": self.attempted_value,
            "Message": self.message,
            "PropertyName": self.property_name,
        }


def encode(payload: object) -> bytes:
    """Write JSON as the API does: UTF-8, not escaped, except where a lone surrogate forces it."""
    text = json.dumps(payload, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(payload).encode()


def json_answer(payload: object, status: int = HTTPStatus.OK) -> Answer:
    """Wrap a payload."""
    return Answer(status, encode(payload))


def html_answer(page: str, status: int = HTTPStatus.OK) -> Answer:
    """Wrap a page."""
    return Answer(status, page.encode(), HTML_TYPE)


def updated(section_id: int, updated_on: object, updated_by: object) -> Answer:
    """The documented answer to an accepted PUT; it carries the Id, not the record."""
    return json_answer(
        {
            "Status": 200,
            "Message": "CourseSection was successfully updated.",
            "Value": {"Id": section_id},
            "OpenInDialog": False,
            "OpenInWindow": False,
            "RedirectURL": None,
            "JavaScript": None,
            "UpdatedOn": updated_on,
            "UpdatedBy": updated_by,
            "Errors": None,
            "WasSuccessful": True,
        }
    )


def refused(errors: Sequence[FieldError], status: int) -> Answer:
    """The documented answer to a PUT that breaks rules: every broken rule at once."""
    return json_answer(
        {
            "Message": "; ".join(f"{error.property_name}: {error.message}" for error in errors),
            "Value": None,
            "Errors": [error.as_json() for error in errors],
            "WasSuccessful": False,
        },
        status,
    )


def message(text: str, status: int) -> Answer:
    """A refusal without `Errors`."""
    return json_answer({"Message": text, "Value": None, "Errors": None, "WasSuccessful": False}, status)


def throttle(retry_after: Sequence[str], status: int = HTTPStatus.CONFLICT) -> Answer:
    """An empty answer that asks to wait, with no, one or several Retry-After headers."""
    headers = tuple(("Retry-After", value) for value in retry_after)
    return Answer(status, content_type="", headers=headers, reason=THROTTLE_REASON)


def throttled(refusal: Throttled, status: int, *, verbatim: str | None, silent: bool) -> Answer:
    """The answer to a request over a limit; `verbatim` replaces the seconds, `silent` leaves the header out."""
    return throttle(() if silent else (verbatim if verbatim is not None else refusal.retry_after,), status)
