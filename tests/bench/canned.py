"""A server that answers canned bytes: as little work for each request as Python allows, latency without a queue.

Started by `CannedServer` as `python -m tests.bench.canned`; says its address, then serves until standard input closes.
It judges nothing: a PUT's body becomes the record, the answer is always yes, and every arrival is noted with its time.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httptools

from tests.bench.sections import FIRST_ID, record

ROOT = Path(__file__).resolve().parents[2]
_ID = re.compile(rb'"Id": ?([0-9]+)')
_COURSES = {"Records": [{"Id": 7, "Title": "Course 7"}], "CurrentPage": 1, "TotalItems": 1, "HasNextPage": False}
_SUFFIX = (
    b',"Message":"CourseSection was successfully updated.","OpenInDialog":false,"OpenInWindow":false,'
    b'"RedirectURL":null,'
    b'"JavaScript":null,"UpdatedOn":"2026-03-02T00:00:00Z","UpdatedBy":"bench@space.example","Errors":null,'
    b'"WasSuccessful":true}'
)


class Answers:
    """The records as bytes, what PUTs made of them, and when each request arrived."""

    def __init__(self, rows: int) -> None:
        self._canned = {number: json.dumps(record(number)).encode() for number in range(FIRST_ID, FIRST_ID + rows)}
        self._pages: dict[tuple[int, int], bytes] = {}
        self.changed: dict[int, bytes] = {}
        self.arrivals: list[tuple[str, float]] = []

    def to(self, method: bytes, url: bytes, body: bytes) -> bytes:
        path, _, query = url.partition(b"?")
        if path.startswith(b"/_"):
            return self._control(path)
        self.arrivals.append((method.decode(), time.monotonic()))
        if method == b"PUT":
            found = _ID.search(body)
            assert found is not None
            self.changed[int(found[1])] = body
            return b'{"Status":200,"Value":{"Id":' + found[1] + b"}" + _SUFFIX
        if query.startswith(b"id=["):
            return b"[" + b",".join(map(self._held, map(int, query[4:-1].split(b",")))) + b"]"
        if query.startswith(b"id=%5B"):
            return b"[" + b",".join(map(self._held, map(int, query[6:-3].replace(b"%2C", b",").split(b",")))) + b"]"
        if path.endswith(b"/courses"):
            return json.dumps(_COURSES).encode()
        if query:
            words = dict(word.split(b"=") for word in query.split(b"&"))
            return self._page(int(words.get(b"page", 1)), int(words.get(b"size", 25)))
        return self._held(int(path.rpartition(b"/")[2]))

    def _held(self, number: int) -> bytes:
        return self.changed.get(number) or self._canned[number]

    def _page(self, page: int, size: int) -> bytes:
        if not self.changed and (page, size) in self._pages:
            return self._pages[page, size]
        first, total = FIRST_ID + (page - 1) * size, len(self._canned)
        last = min(first + size, FIRST_ID + total)
        rest = json.dumps({"CurrentPage": page, "TotalItems": total, "HasNextPage": last < FIRST_ID + total}).encode()
        records = b",".join(self._held(number) for number in range(first, last))
        made = b'{"Records":[' + records + b"]," + rest[1:]
        if not self.changed:
            self._pages[page, size] = made
        return made

    def _control(self, path: bytes) -> bytes:
        match path:
            case b"/_reset":
                self.changed.clear()
                self.arrivals.clear()
                return b"{}"
            case b"/_arrivals":
                return json.dumps(self.arrivals).encode()
            case _:
                titles = {number: json.loads(body)["Title"] for number, body in self.changed.items()}
                return json.dumps(titles).encode()


class Exchange(asyncio.Protocol):
    """One kept-alive connection; the answer leaves after the latency, and no other connection waits for it."""

    def __init__(self, answers: Answers, latency_s: float) -> None:
        self._answers, self._latency_s = answers, latency_s
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url, self._body = b"", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._body = b"", b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body = self._answers.to(self._parser.get_method(), self._url, self._body)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        if self._latency_s and not self._url.startswith(b"/_"):
            self._loop.call_later(self._latency_s, self._say, head + body)
        else:
            self._say(head + body)

    def _say(self, answer: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(answer)


class CannedServer:
    """The server in a process of its own; a context manager."""

    def __init__(self, rows: int, *, latency_ms: int = 0) -> None:
        self._words = [str(rows), "--latency-ms", str(latency_ms)]
        self.base_url = ""

    def __enter__(self) -> Self:
        """Start it, and wait for its address."""
        command = [sys.executable, "-m", "tests.bench.canned", *self._words]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        self.base_url = self._process.stdout.readline().strip() + "/api"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def reset(self) -> None:
        """Hold the records as at the start, nothing arrived."""
        self._ask("_reset")

    def arrivals(self) -> list[tuple[str, float]]:
        """Method and moment of every request since the last reset."""
        return [(method, at) for method, at in self._ask("_arrivals")]

    def titles(self) -> dict[str, str]:
        """The title of every section that a PUT has changed."""
        found: dict[str, str] = self._ask("_titles")
        return found

    def _ask(self, what: str) -> Any:  # noqa: ANN401 -- JSON
        with urllib.request.urlopen(f"{self.base_url.removesuffix('/api')}/{what}") as answer:  # noqa: S310 -- ours
            return json.load(answer)


async def serve(rows: int, latency_s: float) -> None:
    answers, closed = Answers(rows), asyncio.Event()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Exchange(answers, latency_s), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"http://{host}:{port}", flush=True)

    def wait_for_the_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(closed.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    await closed.wait()
    server.close()


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("rows", type=int)
    words.add_argument("--latency-ms", type=int, default=0)
    given = words.parse_args()
    asyncio.run(serve(given.rows, given.latency_ms / 1000))
