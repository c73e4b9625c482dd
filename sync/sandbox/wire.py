"""How an answer leaves: whole, cut, slow or never; the one place that reaches for the connection itself."""

import asyncio
import socket
import struct
import time
from typing import TYPE_CHECKING, Final, assert_never, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sync.sandbox.answers import Answer
from sync.sandbox.distortion import Cut, Delivery, Padded, Slow, Truncated, Whole

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_CHUNK: Final = b"x" * 65_536
_TICK_S: Final = 0.05


class NamedTransport:
    """A transport that can give the next answer another reason phrase; uvicorn knows only the usual ones."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Stand before this transport."""
        self._transport = transport
        self.reason: str | None = None

    def write(self, data: bytes) -> None:
        """Write, with the reason phrase put in where an answer begins."""
        if self.reason is not None:
            line, _, rest = data.partition(b"\r\n")
            data = b" ".join([*line.split(b" ", 2)[:2], self.reason.encode("latin-1")]) + b"\r\n" + rest
            self.reason = None
        self._transport.write(data)

    def __getattr__(self, name: str) -> object:
        """Leave everything else to the transport."""
        return getattr(self._transport, name)


class SandboxProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also tells the application its connection and the time of arrival."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent does
        """Put the renaming transport in the place of the real one."""
        super().connection_made(cast("asyncio.Transport", NamedTransport(transport)))

    def on_message_begin(self) -> None:
        """Note when the first byte of a request was read."""
        super().on_message_begin()
        self.scope["state"] |= {"arrived": time.monotonic(), "connection": self}

    def name_next_answer(self, reason: str) -> None:
        """Give the next answer another reason phrase."""
        cast("NamedTransport", self.transport).reason = reason

    def cut(self, *, reset: bool) -> None:
        """Close the connection after what was written, or reset it at once."""
        if not reset:
            self.transport.close()
            return
        plain: socket.socket | None = self.transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Sending:
    """An ASGI application that sends one answer in one way, then is done."""

    def __init__(self, answer: Answer, delivery: Delivery, closing: asyncio.Event) -> None:
        """`closing` is set when the server ends: whatever waits then stops waiting."""
        self._answer = answer
        self._delivery = delivery
        self._closing = closing

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Send the answer."""
        connection: SandboxProtocol = scope["state"]["connection"]
        body = self._answer.body
        match self._delivery:
            case Whole():
                await self._head(connection, send, len(body))
                await send({"type": "http.response.body", "body": body})
            case Cut(seconds=seconds, reset=reset):
                await self._pause(seconds)
                connection.cut(reset=reset)
                await _gone(receive)
            case Truncated(size=size):
                await self._head(connection, send, len(body))
                await send({"type": "http.response.body", "body": body[: min(size, len(body) - 1)], "more_body": True})
                connection.cut(reset=False)
                await _gone(receive)
            case Slow(bytes_per_s=pace):
                await self._head(connection, send, len(body))
                await self._drip(send, body, pace)
            case Padded(size=size):
                await self._head(connection, send, None)
                await self._pour(send, body, size)
            case _:
                assert_never(self._delivery)

    async def _head(self, connection: SandboxProtocol, send: "Send", length: int | None) -> None:
        answer = self._answer
        if answer.reason is not None:
            connection.name_next_answer(answer.reason)
        headers = list(answer.headers)
        if answer.content_type:
            headers.append(("Content-Type", answer.content_type))
        if length is not None:
            headers.append(("Content-Length", str(length)))
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})

    async def _drip(self, send: "Send", body: bytes, pace: float) -> None:
        step = max(1, int(pace * _TICK_S))
        for start in range(0, len(body), step):
            await self._pause(step / pace)
            await send({"type": "http.response.body", "body": body[start : start + step], "more_body": True})
        await send({"type": "http.response.body"})

    async def _pour(self, send: "Send", start: bytes, size: int) -> None:
        await send({"type": "http.response.body", "body": start, "more_body": True})
        left = size - len(start)
        while left > 0 and not self._closing.is_set():
            await send({"type": "http.response.body", "body": _CHUNK[:left], "more_body": True})
            left -= len(_CHUNK)
            await asyncio.sleep(0)
        await send({"type": "http.response.body"})

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await pause(self._closing, seconds)


async def pause(closing: asyncio.Event, seconds: float) -> None:
    """Wait so many seconds, or until the server ends."""
    try:
        await asyncio.wait_for(closing.wait(), seconds)
    except TimeoutError:
        return


async def _gone(receive: "Receive") -> None:
    """Wait until the connection is seen to be closed, so that nothing more is tried on it."""
    while (await receive())["type"] != "http.disconnect":
        pass
