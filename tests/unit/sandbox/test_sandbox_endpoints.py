"""Paths, methods, roles and the answers they get."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sync.sandbox.endpoints import Call, Endpoints, ids_of
from sync.sandbox.options import SandboxOptions
from sync.sandbox.records import RecordStore
from sync.sandbox.seed import BUILT_IN
from sync.sandbox.tokens import TokenDesk

SECTIONS = "/api/content/coursesections"
COURSES = "/api/content/courses"
TOKEN = "Bearer sandbox-token"


@pytest.fixture
def api() -> Endpoints:
    return Endpoints(RecordStore(BUILT_IN, lambda: datetime(2026, 1, 1, tzinfo=UTC)), TokenDesk(lambda: 0.0))


def call(
    api: Endpoints,
    method: str,
    path: str,
    options: SandboxOptions | None = None,
    **facts: Any,  # noqa: ANN401 -- of Call
) -> tuple[int, Any]:
    facts = {"query": {}, "authorization": TOKEN, **facts}
    answer = api.handle(Call(method, path, **facts), options or SandboxOptions()).answer
    return answer.status, json.loads(answer.body) if answer.content_type.startswith("application/json") else answer.body


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("GET", SECTIONS, {}, 200),
        ("GET", SECTIONS + "/", {"id": "[1001]"}, 200),
        ("GET", SECTIONS, {"id": "[1001]"}, 200),
        ("GET", SECTIONS, {"id": "1001"}, 400),
        ("GET", SECTIONS, {"id": "[1,'x']"}, 400),
        ("GET", SECTIONS + "/1001", {}, 200),
        ("GET", SECTIONS + "/9", {}, 404),
        ("GET", SECTIONS + "/x", {}, 404),
        ("GET", SECTIONS + "/" + "9" * 5000, {}, 404),
        ("GET", COURSES, {}, 200),
        ("GET", COURSES + "/101", {}, 200),
        ("GET", COURSES, {"id": "[101,102]"}, 200),
        ("PATCH", SECTIONS, {}, 405),
        ("PUT", COURSES, {}, 401),
        ("PUT", SECTIONS + "/1001", {}, 405),
        ("DELETE", SECTIONS + "/1001", {}, 405),
        ("GET", "/api/content/coursesectionsx", {}, 404),
        ("GET", "/api/token", {}, 404),
        ("GET", "/api", {}, 404),
    ],
)
def test_what_each_path_answers(api: Endpoints, method: str, path: str, query: dict[str, str], status: int) -> None:
    """Known paths answer JSON; an unknown one a page."""
    assert call(api, method, path, query=query)[0] == status


def test_a_missing_record_is_a_json_404_and_an_unknown_path_a_page(api: Endpoints) -> None:
    """The two kinds of 404 can be told apart."""
    assert call(api, "GET", SECTIONS + "/9")[1]["WasSuccessful"] is False
    assert call(api, "GET", "/api/nowhere")[1].startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (BUILT_IN.sections[1001], 200),
        ({**BUILT_IN.sections[1001], "Title": ""}, 400),
        ({**BUILT_IN.sections[1001], "Id": 9}, 404),
        ({"Title": "no id"}, 400),
        ({"Id": True}, 400),
        ({"Id": "1001"}, 400),
        ([], 400),
        (None, 400),
    ],
    ids=["ok", "invalid", "unknown", "no-id", "bool-id", "text-id", "no-object", "no-json"],
)
def test_what_a_put_answers(api: Endpoints, body: object, status: int) -> None:
    """Accepted, refused by rule, unknown, or not understood."""
    assert call(api, "PUT", SECTIONS, body=body)[0] == status


def test_the_documented_refusal(api: Endpoints) -> None:
    """Word for word as the documentation prints it."""
    assert call(api, "PUT", SECTIONS, body={**BUILT_IN.sections[1001], "Title": None}) == (
        400,
        {
            "Message": "Title: is a required field",
            "Value": None,
            "Errors": [{"AttemptedValue": None, "Message": "is a required field", "PropertyName": "Title"}],
            "WasSuccessful": False,
        },
    )


def test_a_refusal_can_come_as_200(api: Endpoints) -> None:
    """Only WasSuccessful tells then."""
    options = SandboxOptions(refusal_status=200)

    status, told = call(api, "PUT", SECTIONS, options, body={**BUILT_IN.sections[1001], "Title": ""})

    assert (status, told["WasSuccessful"]) == (200, False)


@pytest.mark.parametrize(
    ("request_line", "query", "role"),
    [
        (("GET", SECTIONS), {}, "List"),
        (("GET", SECTIONS + "/1001"), {}, "Read"),
        (("GET", SECTIONS), {"id": "[1001]"}, "Read"),
        (("PUT", SECTIONS), {}, "Edit"),
    ],
    ids=["list", "one", "batch", "put"],
)
@pytest.mark.parametrize("missing_status", [401, 403])
def test_each_call_needs_its_role(
    api: Endpoints, *, request_line: tuple[str, str], query: dict[str, str], role: str, missing_status: int
) -> None:
    """Without the one role the call is denied, and with it alone it is served."""
    body = BUILT_IN.sections[1001]
    without = SandboxOptions(roles=frozenset({"List", "Read", "Edit"} - {role}), missing_role_status=missing_status)
    alone = SandboxOptions(roles=frozenset({role}))

    assert call(api, *request_line, without, query=query, body=body)[0] == missing_status
    assert call(api, *request_line, alone, query=query, body=body)[0] == 200


def test_a_bad_token_is_401(api: Endpoints) -> None:
    """Before any role is looked at."""
    assert call(api, "GET", SECTIONS, SandboxOptions(missing_role_status=403), authorization="Bearer no")[0] == 401


def test_html_comes_back_where_json_was_not_asked_for(api: Endpoints) -> None:
    """Under the switch, the Accept header decides."""
    options = SandboxOptions(html_without_accept=True)

    assert isinstance(call(api, "GET", SECTIONS, options, accept="*/*")[1], bytes)
    assert isinstance(call(api, "GET", SECTIONS, options, accept="application/json")[1], dict)


@pytest.mark.parametrize(
    ("path", "query", "body", "ids"),
    [
        (SECTIONS, {"id": "[3, 1]"}, None, (3, 1)),
        (SECTIONS + "/7", {}, None, (7,)),
        (SECTIONS + "/7/", {}, None, (7,)),
        (SECTIONS, {}, {"Id": 5}, (5,)),
        (SECTIONS, {}, {"Id": True}, ()),
        (SECTIONS, {"id": "[true]"}, None, ()),
        (SECTIONS, {}, None, ()),
    ],
    ids=str,
)
def test_the_ids_of_a_request(path: str, query: dict[str, str], body: object, ids: tuple[int, ...]) -> None:
    """Query, path or body name them."""
    assert ids_of(path, query, body) == ids
