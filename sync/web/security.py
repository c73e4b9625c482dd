"""What stands before every page: host, origin, the size and time of a body, headers on each answer, error ids.

Everything here happens before a page's own code is asked. It is written on ASGI itself: nothing is buffered.
"""

import asyncio
import secrets
from collections.abc import Collection
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync.frozen import Frozen
from sync.logs import get_logger

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
NO_STORE: Final = (b"cache-control", b"no-store")
ERROR_ID: Final = "coursesync.error_id"
_OURS: Final = frozenset({b"same-origin", b"none"})
"""What a browser says of a request that this very site, or the person, has begun."""


class Limits(Frozen):
    """How much is taken of a request, and how long is waited for it."""

    upload_bytes: int = 21_000_000
    """A little more than the largest sheet that is read."""
    form_bytes: int = 256_000
    upload_s: float = 300.0
    form_s: float = 20.0
    uploads_at_once: int = 2


def broken(scope: Scope) -> str:
    """Log what is being handled, and give the number by which the log knows it."""
    scope[ERROR_ID] = secrets.token_hex(4)
    get_logger().exception("page.broken", error_id=scope[ERROR_ID], path=scope["path"])
    return str(scope[ERROR_ID])


class TooLarge(HTTPException):
    """The body is larger than what is taken; the rest of it was not read."""

    def __init__(self) -> None:
        """Say so as HTTP does."""
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


class Guard:
    """The outermost application: judges a request, then hands it on, and looks after what comes back."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], limits: Limits) -> None:
        """`hosts` are the names, with their ports, under which this server may be asked."""
        self._app = app
        self._hosts = frozenset(hosts)
        self._limits = limits
        self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}  # the server leaves the body out; no page may take it for a form
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = _with_ours(message["headers"])
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await _plain(with_headers, *refusal)
            return
        is_upload = scope["method"] == "POST" and scope["path"] == "/uploads"
        if is_upload and self._uploads >= self._limits.uploads_at_once:
            await _plain(with_headers, HTTPStatus.SERVICE_UNAVAILABLE, "Other files are being uploaded: try it again.")
            return
        self._uploads += is_upload
        try:
            await self._app(scope, self._bounded(scope, receive, is_upload=is_upload), with_headers)
        except Exception:  # noqa: BLE001 - the last place before the browser: an id, never a traceback
            if ERROR_ID not in scope:
                error_id = broken(scope)
                if not started:
                    words = f"Something went wrong here. Its number: {error_id}"
                    await _plain(with_headers, HTTPStatus.INTERNAL_SERVER_ERROR, words)
        finally:
            self._uploads -= is_upload

    def _refusal(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        headers = dict(scope["headers"])
        names = [value for name, value in scope["headers"] if name == b"host"]
        if len(names) != 1 or names[0].decode("latin-1").lower() not in self._hosts:
            return HTTPStatus.FORBIDDEN, "This server does not answer under that name."
        if scope["method"] == "GET":
            return None
        if scope["method"] != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED, "That is not done here."
        site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
        if site is not None and site not in _OURS:
            return HTTPStatus.FORBIDDEN, "Another site asked for this: nothing was done."
        # Since our pages name no referrer, browsers say "null" of their forms; then the other header has to vouch.
        vouched = site is not None and origin == b"null"
        if origin is not None and not vouched and urlsplit(origin.decode("latin-1")).netloc.lower() not in self._hosts:
            return HTTPStatus.FORBIDDEN, "Another site asked for this: nothing was done."
        if site is None and origin is None:
            return HTTPStatus.FORBIDDEN, "It cannot be told which site asked for this: nothing was done."
        length = headers.get(b"content-length")
        if length is not None and (not length.isdigit() or int(length) > self._most(scope)):
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is more than is taken here."
        return None

    def _most(self, scope: Scope) -> int:
        return self._limits.upload_bytes if scope["path"] == "/uploads" else self._limits.form_bytes

    def _bounded(self, scope: Scope, receive: Receive, *, is_upload: bool) -> Receive:
        most, taken, ended = self._most(scope), 0, False
        until = asyncio.get_running_loop().time() + (self._limits.upload_s if is_upload else self._limits.form_s)

        async def bounded() -> Message:
            nonlocal taken, ended
            if ended:
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from None
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                ended = not message.get("more_body", False)
                if taken > most:
                    raise TooLarge
            return message

        return bounded


def _with_ours(theirs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in theirs if name.lower() != b"server"]
    names = {name.lower() for name, _ in kept}
    return [*kept, *HEADERS, *([] if NO_STORE[0] in names else [NO_STORE])]


async def _plain(send: Send, status: HTTPStatus, words: str) -> None:
    body = words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    headers += [(b"connection", b"close")] if status >= HTTPStatus.BAD_REQUEST else []
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
