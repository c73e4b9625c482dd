"""The application: the API below `/api`, and the controls for tests and demonstrations below `/_sandbox`."""

import json
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Final, TypeAlias

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sync.sandbox import faults, options
from sync.sandbox.answers import NOT_FOUND_PAGE, html_answer
from sync.sandbox.distortion import Whole
from sync.sandbox.records import Change
from sync.sandbox.service import Sandbox
from sync.sandbox.wire import Sending

_ELSE: Final = "someone@else.example"
Control: TypeAlias = Callable[[Request], Coroutine[None, None, Response]]


class _Api:
    """Everything below `/api`, any method."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = await self._sandbox.answer(Request(scope, receive))
        await sending(scope, receive, send)


class _Elsewhere:
    """Everything else."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Sending(html_answer(NOT_FOUND_PAGE, HTTPStatus.NOT_FOUND), Whole(), self._sandbox.closing)(
            scope, receive, send
        )


def create_app(sandbox: Sandbox) -> Starlette:
    """Make the application that serves one sandbox."""
    gets: dict[str, Callable[[], object]] = {
        "log": lambda: [entry.as_json() for entry in sandbox.log.entries],
        "records": lambda: list(sandbox.store.sections.values()),
        "history": lambda: [_change(change) for change in sandbox.store.history],
        "options": lambda: options.public(sandbox.options),
    }
    posts: dict[str, Callable[[object], object]] = {
        "edit": lambda body: _edit(sandbox, body),
        "delete": lambda body: _delete(sandbox, body),
        "faults": lambda body: sandbox.set_rules(faults.parse(body)),
        "options": lambda body: sandbox.set_options(options.changed(sandbox.options, _object(body))),
        "expire-tokens": lambda _: sandbox.expire_tokens(),
        "reset": lambda _: sandbox.reset(),
    }
    return Starlette(
        routes=[
            *(Route(f"/_sandbox/{name}", _get(read), methods=["GET"]) for name, read in gets.items()),
            *(Route(f"/_sandbox/{name}", _post(act), methods=["POST"]) for name, act in posts.items()),
            Route("/api", _Api(sandbox)),
            Route("/api/{rest:path}", _Api(sandbox)),
            Route("/{rest:path}", _Elsewhere(sandbox)),
        ]
    )


def _get(read: Callable[[], object]) -> Control:
    async def control(_: Request) -> Response:
        return _reply(read())

    return control


def _post(act: Callable[[object], object]) -> Control:
    async def control(request: Request) -> Response:
        raw = await request.body()
        try:
            return _reply(act(json.loads(raw) if raw else None))
        except ValidationError as exc:
            return JSONResponse({"error": options.told(exc)}, HTTPStatus.BAD_REQUEST)
        except (ValueError, TypeError, KeyError) as exc:
            return JSONResponse({"error": str(exc)}, HTTPStatus.BAD_REQUEST)

    return control


def _reply(payload: object) -> Response:
    return Response(json.dumps(payload), media_type="application/json")


def _edit(sandbox: Sandbox, body: object) -> object:
    asked = _object(body)
    fields = _object(asked.get("fields"))
    return _change(sandbox.store.edit(_key(asked), fields, str(asked.get("by", _ELSE))))


def _delete(sandbox: Sandbox, body: object) -> object:
    asked = _object(body)
    return _change(sandbox.store.delete(_key(asked), str(asked.get("by", _ELSE))))


def _key(asked: dict[str, object]) -> int:
    key = asked.get("id")
    if not isinstance(key, int):
        raise TypeError("expected the id of a section")
    return key


def _object(body: object) -> dict[str, object]:
    if not isinstance(body, dict):
        raise TypeError("expected an object")
    return body


def _change(change: Change) -> dict[str, object]:
    return {
        "number": change.number,
        "id": change.section_id,
        "by": change.by,
        "before": change.before,
        "after": change.after,
    }
