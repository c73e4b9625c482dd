"""What stands before every page, alone: how much is taken, how long is waited, how many upload at once."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from sync.web.security import Guard, Limits

HOST = "127.0.0.1:8765"
SMALL = Limits(upload_bytes=100, form_bytes=50, upload_s=0.05, form_s=0.05, uploads_at_once=2)
"""Limits that a test reaches at once."""


def scope(method: str = "POST", path: str = "/sign-in", **headers: str) -> Scope:
    said = {"host": HOST, "origin": f"http://{HOST}", "sec-fetch-site": "same-origin"} | headers
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in said.items()]
    return {"type": "http", "method": method, "path": path, "headers": pairs, "query_string": b""}


async def swallow(_scope: Scope, receive: Receive, send: Send) -> None:
    """A page that reads all of a body, and says how much it was; a refusal on the way is its answer."""
    status, taken = 200, 0
    try:
        while True:
            message = await receive()
            taken += len(message.get("body", b""))
            if not message.get("more_body", False):
                break
    except HTTPException as refused:
        status = refused.status_code
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": str(taken).encode()})


async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """A page with a fault."""
    raise ZeroDivisionError("secret=hunter2")


def asked(
    app: Callable[..., object], what: Scope, pieces: Sequence[bytes] = (b"",), *, ends: bool = True
) -> tuple[int, bytes]:
    """Ask once; a body that does not end keeps the server waiting."""
    said: list[Message] = []
    left = [
        {"type": "http.request", "body": piece, "more_body": at + 1 < len(pieces) or not ends}
        for at, piece in enumerate(pieces)
    ]

    async def receive() -> Message:
        if left:
            return left.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(Guard(app, hosts={HOST}, limits=SMALL)(what, receive, send))  # type: ignore[arg-type]
    names = {name for name, _ in said[0]["headers"]}
    assert {b"content-security-policy", b"x-content-type-options", b"cache-control"} <= names
    return said[0]["status"], b"".join(message.get("body", b"") for message in said)


def test_s10_a_body_is_read_to_its_limit_and_no_further() -> None:
    """S10: what fits comes whole; what grows beyond it ends with 413, whether it said its size or not."""
    assert asked(swallow, scope(), [b"x" * 25, b"x" * 25]) == (200, b"50")
    assert asked(swallow, scope(), [b"x" * 25] * 40)[0] == 413
    assert asked(swallow, scope(content_length="51"))[0] == 413
    assert asked(swallow, scope(content_length="-1"))[0] == 413
    assert asked(swallow, scope(path="/uploads"), [b"x" * 25] * 4) == (200, b"100")


@pytest.mark.parametrize("path", ["/sign-in", "/uploads"])
def test_s10_a_body_that_does_not_come_to_its_end_is_given_up(path: str) -> None:
    """S10: after its time the answer is 408, and nobody waits for the rest."""
    assert asked(swallow, scope(path=path), [b"x"], ends=False)[0] == 408


def test_s10_so_many_upload_at_once_and_no_more() -> None:
    """S10: the third waits for nobody: it is told so, and the place of one that has ended is free again."""

    async def three() -> tuple[list[int], int]:
        go, statuses = asyncio.Event(), list[int]()

        async def slow(inner: Scope, receive: Receive, send: Send) -> None:
            await go.wait()
            await swallow(inner, receive, send)

        guard = Guard(slow, hosts={HOST}, limits=SMALL)

        async def one() -> None:
            async def receive() -> Message:
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    statuses.append(message["status"])

            await guard(scope(path="/uploads"), receive, send)

        first = [asyncio.create_task(one()), asyncio.create_task(one())]
        await asyncio.sleep(0)
        await one()
        go.set()
        await asyncio.gather(*first)
        at_once = list(statuses)
        await one()
        return at_once, statuses[-1]

    assert asyncio.run(three()) == ([503, 200, 200], 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"origin": "https://evil.test", "sec_fetch_site": "cross-site"}, 403, id="another-site"),
        pytest.param({"origin": f"http://{HOST}", "sec_fetch_site": "cross-site"}, 403, id="they-disagree"),
        pytest.param({"origin": "null", "sec_fetch_site": "same-origin"}, 200, id="our-own-without-a-referrer"),
        pytest.param({"host": "evil.test"}, 403, id="rebound"),
        pytest.param({"host": HOST.upper()}, 200, id="upper-case"),
    ],
)
def test_s8_s9_who_may_send_a_form(headers: dict[str, str], status: int) -> None:
    """S8 and S9: our own pages under our own names, and nobody else."""
    assert asked(swallow, scope(**headers))[0] == status


def test_s8_two_hosts_are_none() -> None:
    """S8: which of them the router means nobody knows."""
    twice = scope()
    twice["headers"].append((b"host", HOST.encode()))

    assert asked(swallow, twice)[0] == 403


def test_s22_what_breaks_outside_of_every_page_is_a_number_too() -> None:
    """S22: the last place before the browser shows an id, and nothing of the fault."""
    status, words = asked(broken, scope())

    assert status == 500
    assert b"Its number: " in words
    assert b"hunter2" not in words
    assert b"Zero" not in words
