"""Requests byte by byte, as no client library would form them."""

import http.client
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: its status, its headers by lower-case names, its body."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    base: str, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes = b"", *, length: bool = True
) -> Answer:
    """Send exactly these headers, and the body's length unless told not to; a stream is read no further than its start.

    A server that closes the line before all of the body went is heard nevertheless.
    """
    address = urlsplit(base)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=LONGEST_S)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value.encode("latin-1", "replace"))
        if body and length:
            connection.putheader("Content-Length", str(len(body)))
        with suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough; its answer is on the line
            connection.endheaders(body or None)
        answer = connection.getresponse()
        is_stream = str(answer.headers.get("Content-Type", "")).startswith("text/event-stream")
        content = answer.readline() if is_stream else answer.read()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)
    finally:
        connection.close()


def send(base: str, data: bytes) -> bytes:
    """Send bytes that need be no HTTP at all; give the first of what comes back, which may be nothing."""
    address = urlsplit(base)
    with socket.create_connection((str(address.hostname), address.port), timeout=LONGEST_S) as line:
        try:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            return line.recv(65_536)
        except OSError:  # hung up: before all of it was taken, before its end was told, or instead of an answer
            return b""
