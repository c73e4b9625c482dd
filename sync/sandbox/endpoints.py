"""Which path does what: the API's own behaviour when no fault interferes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from sync.sandbox import answers, listing
from sync.sandbox.answers import Answer
from sync.sandbox.fields import Record
from sync.sandbox.listing import HONEST, Distortion
from sync.sandbox.options import SandboxOptions
from sync.sandbox.records import Change, RecordStore
from sync.sandbox.tokens import GrantRequest, Identity, TokenDesk
from sync.sandbox.validation import broken_rules

TOKEN: Final = "/api/token"  # noqa: S105 -- a path
SECTIONS: Final = "/api/content/coursesections"
COURSES: Final = "/api/content/courses"
LONGEST_KEY: Final = 20
DENIED: Final = "Authorization has been denied for this request."


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read completely."""

    method: str
    path: str
    query: Mapping[str, str]
    body: object = None
    """The JSON body of a PUT, or None when it is no JSON."""
    accept: str = ""
    authorization: str | None = None
    grant: GrantRequest | None = None
    ids: tuple[int, ...] = field(default=())
    """The ids that it names, in query, path or body."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request led to."""

    answer: Answer
    change: Change | None = None


class Endpoints:
    """Routes calls to records and tokens."""

    def __init__(self, store: RecordStore, desk: TokenDesk) -> None:
        """Serve this store, with these tokens."""
        self._store = store
        self._desk = desk

    def handle(self, call: Call, options: SandboxOptions, distortion: Distortion = HONEST) -> Outcome:
        """Carry out a call, records and all."""
        if options.html_without_accept and "application/json" not in call.accept:
            return Outcome(answers.html_answer(answers.LOGIN_PAGE))
        path = call.path.rstrip("/")
        if path == TOKEN and call.method == "POST" and call.grant:
            return Outcome(self._desk.grant(call.grant, options))
        for base, entity, records, roles in (
            (SECTIONS, "CourseSection", self._store.sections, options.roles),
            (COURSES, "Course", self._store.courses, options.course_roles),
        ):
            if path == base or path.startswith(base + "/"):
                identity = self._desk.identify(call.authorization, options)
                if identity is None:
                    return Outcome(answers.message(DENIED, HTTPStatus.UNAUTHORIZED))
                if _role(call, path, base) not in roles:
                    return Outcome(answers.message(DENIED, options.missing_role_status))
                if call.method == "GET":
                    return Outcome(
                        _read(call, path.removeprefix(base), entity, records, options=options, distortion=distortion)
                    )
                if call.method == "PUT" and path == base == SECTIONS:
                    return self._put(call.body, identity, options)
                return Outcome(
                    answers.message(
                        "The requested resource does not support this method.", HTTPStatus.METHOD_NOT_ALLOWED
                    )
                )
        return Outcome(answers.html_answer(answers.NOT_FOUND_PAGE, HTTPStatus.NOT_FOUND))

    def _put(self, body: object, identity: Identity, options: SandboxOptions) -> Outcome:
        if not isinstance(body, dict):
            return Outcome(answers.message("The request is invalid.", HTTPStatus.BAD_REQUEST))
        key = body.get("Id")
        if type(key) is not int:
            error = answers.FieldError("Id", "is a required field", key)
            return Outcome(answers.refused([error], options.refusal_status))
        before = self._store.sections.get(key)
        if before is None:
            return Outcome(_not_found(key))
        if errors := broken_rules(body, before, self._store.courses, options):
            return Outcome(answers.refused(errors, options.refusal_status))
        change = self._store.put(body, identity.user, options)
        after: Record = change.after or {}
        return Outcome(answers.updated(key, after["UpdatedOn"], after["UpdatedBy"]), change)


def ids_of(path: str, query: Mapping[str, str], body: object) -> tuple[int, ...]:
    """Return the ids that a request names: a batch in the query, one in the path, or the body's."""
    if batch := parse_batch(query.get("id", "")):
        return tuple(batch)
    if (last := _key(path.rstrip("/").rpartition("/")[2])) is not None:
        return (last,)
    key = body.get("Id") if isinstance(body, dict) else None
    return (key,) if type(key) is int else ()


def parse_batch(text: str) -> Sequence[int] | None:
    """Read `[1,2,3]`; None when it is not such a list."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, list) and all(type(one) is int for one in value) else None


def _role(call: Call, path: str, base: str) -> str:
    if call.method != "GET":
        return "Edit"
    return "List" if path == base and "id" not in call.query else "Read"


def _read(
    call: Call,
    rest: str,
    entity: str,
    records: Mapping[int, Record],
    *,
    options: SandboxOptions,
    distortion: Distortion,
) -> Answer:
    if rest:
        key = _key(rest.removeprefix("/"))
        record = None if key is None else records.get(key)
        return _not_found(rest.removeprefix("/")) if record is None else answers.json_answer(record)
    if "id" not in call.query:
        return answers.json_answer(listing.envelope(records.values(), call.query, entity, options, distortion))
    ids = parse_batch(call.query["id"])
    if ids is None:
        return answers.message("id is not a list of numbers", HTTPStatus.BAD_REQUEST)
    found = listing.batch(records, ids, options, distortion)
    return _not_found(call.query["id"]) if found is None else answers.json_answer(found)


def _key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_KEY else None


def _not_found(key: object) -> Answer:
    return answers.message(f"No record was found with the Id {key}.", HTTPStatus.NOT_FOUND)
