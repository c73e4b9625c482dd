"""Requests whose head is slow, endless or no head at all: none holds a connection, and nobody else waits for it."""

import socket
import time
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest

from sync.web.heads import HEAD_BYTES, HEAD_S
from tests.web.page_process import PageProcess, Visitor

pytestmark = pytest.mark.e2e

LATEST_S = HEAD_S * 4
"""By then the server has ended a connection, however busy the machine is."""


def line_to(site: PageProcess) -> socket.socket:
    address = urlsplit(site.base)
    return socket.create_connection((str(address.hostname), address.port), timeout=LATEST_S)


def trickled(line: socket.socket, first: bytes, then: bytes) -> tuple[float, bytes]:
    """Send `first`, then a byte of `then` again and again: after how long the server ended it, and what it said."""
    began, said = time.monotonic(), b""
    line.settimeout(0.3)
    with suppress(BrokenPipeError, ConnectionResetError):
        line.sendall(first)
        while time.monotonic() - began < LATEST_S:
            line.sendall(then)
            with suppress(TimeoutError):
                piece = line.recv(65_536)
                if not piece:
                    break
                said += piece
    return time.monotonic() - began, said


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"a", id="a-header-without-end"),
        pytest.param(b"", b"\r\n", id="only-line-ends"),
        pytest.param(b"GET /", b"a", id="an-address-without-end"),
        pytest.param(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n", id="line-ends-after-an-answer"),
        pytest.param(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\nGET /", b"a", id="a-second-head"),
    ],
)
def test_a_head_that_does_not_end_is_ended(site: PageProcess, visitor: Visitor, first: bytes, then: bytes) -> None:
    """Within its time and a little, with 408 where nothing was answered; others are served meanwhile."""
    with closing(line_to(site)) as line:
        took, said = trickled(line, first, then)

    assert took < LATEST_S
    assert b" 408 " in said or b" 403 " in said or said == b""
    assert visitor.get("/").status_code == 200


def test_who_says_nothing_is_not_waited_for(site: PageProcess) -> None:
    """A connection without a byte is closed as well."""
    with closing(line_to(site)) as line:
        began = time.monotonic()
        said = line.recv(1000)
        with suppress(ConnectionResetError):
            while line.recv(1000):
                pass

        assert time.monotonic() - began < LATEST_S
        assert said.startswith(b"HTTP/1.1 408 ")


def test_a_head_without_bounds_is_refused(site: PageProcess) -> None:
    """However fast it comes: it is not kept in memory."""
    with closing(line_to(site)) as line:
        said = b""
        with suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
            for _ in range(100):
                line.sendall(b"a" * HEAD_BYTES)
        with suppress(ConnectionResetError):
            said = line.recv(1000)

    assert said == b"" or said.startswith(b"HTTP/1.1 431 ")


def test_slow_heads_harm_nobody_else(site: PageProcess, visitor: Visitor) -> None:
    """A hundred of them at once: pages come as ever, and all of them are ended."""
    lines = [line_to(site) for _ in range(100)]
    try:
        for line in lines:
            line.sendall(b"GET / HTTP/1.1\r\nHost: ")
        until = time.monotonic() + LATEST_S
        assert visitor.get("/").status_code == 200
        for line in lines:
            line.settimeout(max(1.0, until - time.monotonic()))
            assert line.recv(1000).startswith(b"HTTP/1.1 408 ")
    finally:
        for line in lines:
            line.close()


def test_a_body_after_its_answer_is_drained(site: PageProcess, visitor: Visitor) -> None:
    """Who sends a file without being signed in hears so, however much of it is still on its way."""
    stranger = site.stranger()
    answer = stranger.client.post("/uploads", files={"sheet": ("a.xlsx", b"x" * 15_000_000)})

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert visitor.get("/").status_code == 200


def test_a_line_that_is_used_again_is_not_cut_off(visitor: Visitor) -> None:
    """Requests one after the other on the same connection, each with its own time."""
    for _ in range(4):
        assert visitor.get("/").status_code == 200
        time.sleep(HEAD_S / 4 + 0.5)
