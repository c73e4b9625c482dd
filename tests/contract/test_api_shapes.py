"""What `SectionApi` sends, and what it makes of the exceptions of httpx, without a network."""

import gzip
import json
import ssl
from collections.abc import Callable

import httpx
import pytest

from sync.adapters.api import SectionApi
from sync.adapters.connection import Connection
from sync.adapters.secret import Secret
from sync.adapters.tokens import ReadyToken
from sync.errors import ConfigError, InternalError
from sync.exchange import (
    Accepted,
    Answer,
    Misdirected,
    NotDelivered,
    OneRecord,
    Put,
    ReadBatch,
    ReadOne,
    ReadPage,
    Records,
    Request,
    Throttled,
    Unauthorised,
    Unheard,
)
from sync.model import SectionId

BASE = "https://spaces.example.com/api"
CANARY = "canary-7f3a"
SEVEN = SectionId(7)
PUT = Put(SEVEN, {"Id": 7, "Title": "é"})
SUCCESS = {"Value": {"Id": 7}, "WasSuccessful": True, "UpdatedOn": "x", "UpdatedBy": "y"}

Handler = Callable[[httpx.Request], httpx.Response]


def exchange(request: Request, handler: Handler, *, max_answer_bytes: int = 1000, base_url: str = BASE) -> Answer:
    with SectionApi(
        base_url,
        ReadyToken(Secret(CANARY)),
        timeout_s=1,
        transport=httpx.MockTransport(handler),
        max_answer_bytes=max_answer_bytes,
        max_batch_bytes=2 * max_answer_bytes,
        wall=lambda: 1_700_000_000.0,
    ) as api:
        return api.exchange(request)


@pytest.mark.parametrize(
    ("request_", "method", "url", "body"),
    [
        pytest.param(PUT, "PUT", "/content/coursesections", b'{"Id":7,"Title":"\\u00e9"}', id="put"),
        pytest.param(ReadOne(SEVEN), "GET", "/content/coursesections/7", b"", id="one"),
        pytest.param(ReadBatch((SEVEN, SectionId(8))), "GET", "/content/coursesections/?id=[7,8]", b"", id="batch"),
        pytest.param(
            ReadPage("courses", 1, 25, (("a", "b c"),)),
            "GET",
            "/content/courses?page=1&size=25&orderBy=Id&a=b%20c",
            b"",
            id="page",
        ),
    ],
)
def test_a_request_goes_out_as_documented(request_: Request, method: str, url: str, body: bytes) -> None:
    """Method, address, body and headers, the token among them; no compression is asked for."""
    seen: list[httpx.Request] = []

    exchange(request_, lambda request: (seen.append(request), httpx.Response(500))[1])

    (sent,) = seen
    assert (sent.method, str(sent.url), sent.content) == (method, BASE + url, body)
    assert {name: value for name, value in sent.headers.items() if name != "connection"} == {
        "host": "spaces.example.com",
        "user-agent": "coursesync/0.1.0",
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {CANARY}",
    } | ({"content-type": "application/json", "content-length": str(len(body))} if body else {})


@pytest.mark.parametrize(
    ("request_", "answer", "expected"),
    [
        pytest.param(PUT, httpx.Response(200, json=SUCCESS), Accepted(SEVEN, "x", "y", 200), id="put"),
        pytest.param(ReadOne(SEVEN), httpx.Response(200, json={"Id": 7}), OneRecord({"Id": 7}), id="one"),
        pytest.param(ReadBatch((SEVEN,)), httpx.Response(200, json=[{"Id": 7}]), Records(({"Id": 7},)), id="batch"),
        pytest.param(
            ReadPage("courses", 1, 25),
            httpx.Response(200, json={"Records": [{"Id": 1}], "TotalItems": 1, "HasNextPage": False}),
            Records(({"Id": 1},), 1),
            id="page",
        ),
        pytest.param(ReadOne(SEVEN), httpx.Response(401), Unauthorised(1), id="401"),
        pytest.param(PUT, httpx.Response(429, headers={"Retry-After": "4"}), Throttled(4.0, 429), id="429"),
        pytest.param(
            PUT,
            httpx.Response(
                409, text="x", extensions={"reason_phrase": b"You must wait before accessing this url again."}
            ),
            Throttled(None, 409),
            id="reason-phrase",
        ),
    ],
)
def test_an_answer_comes_back_as_what_it_means(request_: Request, answer: httpx.Response, expected: Answer) -> None:
    """Status, reason, headers and body all reach the table of answers."""
    assert exchange(request_, lambda _: answer) == expected


def _raising(error: Exception) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


@pytest.mark.parametrize("request_", [pytest.param(PUT, id="put"), pytest.param(ReadOne(SEVEN), id="read")])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(httpx.ConnectError("[Errno 111] Connection refused"), NotDelivered, id="refused"),
        pytest.param(httpx.ConnectError("[Errno -2] Name or service not known"), NotDelivered, id="dns"),
        pytest.param(httpx.ConnectTimeout("t"), NotDelivered, id="connect-timeout"),
        pytest.param(httpx.PoolTimeout("t"), NotDelivered, id="pool-timeout"),
        pytest.param(httpx.ReadTimeout(CANARY), Unheard, id="read-timeout"),
        pytest.param(httpx.WriteTimeout(CANARY), Unheard, id="write-timeout"),
        pytest.param(httpx.ReadError(CANARY), Unheard, id="read"),
        pytest.param(httpx.WriteError(CANARY), Unheard, id="write"),
        pytest.param(httpx.CloseError(CANARY), Unheard, id="close"),
        pytest.param(httpx.RemoteProtocolError(CANARY), Unheard, id="remote-protocol"),
        pytest.param(httpx.LocalProtocolError(CANARY), Unheard, id="local-protocol"),
        pytest.param(httpx.ProxyError(CANARY), Unheard, id="proxy"),
        pytest.param(httpx.UnsupportedProtocol(CANARY), Unheard, id="protocol"),
    ],
)
def test_a_failed_exchange_is_an_answer(request_: Request, error: Exception, expected: type[Answer]) -> None:
    """Only what surely failed before sending is `NotDelivered`; no text of httpx that could quote a header gets out."""
    heard = exchange(request_, _raising(error))

    assert type(heard) is expected
    assert CANARY not in repr(heard)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        pytest.param(ssl.SSLCertVerificationError("bad"), Misdirected, id="certificate"),
        pytest.param(ssl.SSLError("no protocols available"), Misdirected, id="no-common-version"),
        pytest.param(ssl.SSLEOFError("eof"), NotDelivered, id="cut-off"),
    ],
)
def test_a_failed_handshake_is_told_from_a_failed_network(cause: Exception, expected: type[Answer]) -> None:
    """A certificate does not get better by trying again; a network does."""
    error = httpx.ConnectError("handshake")
    error.__cause__ = cause
    if isinstance(cause, ssl.SSLCertVerificationError):
        cause.verify_message = "certificate has expired"

    assert type(exchange(PUT, _raising(error))) is expected


class _CutOff(httpx.SyncByteStream):
    def __iter__(self):  # noqa: ANN204 - of a stub
        yield b'{"Value":'
        raise httpx.ReadError("gone")


def test_an_answer_that_breaks_off_keeps_its_status() -> None:
    """The status is known, and still proves nothing."""
    heard = exchange(PUT, lambda _: httpx.Response(200, stream=_CutOff()))

    assert heard == Unheard("the connection broke", 200)


def test_an_answer_has_a_size_that_it_may_not_exceed() -> None:
    """A batch may be longer than one record; both are cut off in the middle."""
    body = json.dumps([{"Id": 7, "Title": "x" * 1500}])

    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=body, headers={"Content-Type": "application/json"})

    assert exchange(ReadOne(SEVEN), handler) == Unheard("an answer of more than 1000 bytes", 200)
    assert isinstance(exchange(ReadBatch((SEVEN,)), handler), Records)
    assert exchange(ReadBatch((SEVEN,)), handler, max_answer_bytes=700) == Unheard(
        "an answer of more than 1400 bytes", 200
    )


def test_a_compressed_answer_is_not_opened() -> None:
    """Nobody asked for it, and it can be a bomb."""
    bomb = gzip.compress(b" " * 1_000_000)

    heard = exchange(
        ReadOne(SEVEN),
        lambda _: httpx.Response(200, stream=httpx.ByteStream(bomb), headers={"Content-Encoding": "gzip"}),
    )

    assert heard == Unheard("an answer that is compressed, though we asked for none", 200)


def test_no_cookie_is_kept() -> None:
    """The token is all that we say about ourselves."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"Id": 7}, headers={"Set-Cookie": f"a={CANARY}; Path=/"})

    with SectionApi(BASE, ReadyToken(Secret("t")), timeout_s=1, transport=httpx.MockTransport(handler)) as api:
        api.exchange(ReadOne(SEVEN))
        api.exchange(ReadOne(SEVEN))

    assert [request.headers.get("cookie") for request in seen] == [None, None]


def test_the_body_of_another_section_is_never_sent() -> None:
    """The Id in the body is what the server acts on."""
    seen: list[httpx.Request] = []

    with pytest.raises(InternalError):
        exchange(Put(SEVEN, {"Id": 8}), lambda request: (seen.append(request), httpx.Response(500))[1])

    assert seen == []


@pytest.mark.parametrize("target", ["@evil.example.com/x", ".evil.example.com/x", ":444/x", ":x@evil.example.com/"])
def test_a_request_for_another_server_never_leaves(target: str) -> None:
    """Scheme, host and port are checked before the token is attached."""
    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(lambda request: (seen.append(request), httpx.Response(200))[1])

    with (
        Connection("https://spaces.example.com", timeout_s=1, transport=transport) as connection,
        pytest.raises(InternalError),
    ):
        connection.send("GET", target, headers={"Authorization": CANARY}, max_bytes=10)

    assert seen == []


def test_http_is_refused_beyond_loopback() -> None:
    """The token could be read on the way."""
    with pytest.raises(ConfigError):
        exchange(PUT, lambda _: httpx.Response(500), base_url="http://spaces.example.com/api")


@pytest.mark.parametrize("text", ["", " ", "a b", "a\nb", "ä"], ids=repr)
def test_a_token_that_no_header_can_carry_is_refused(text: str) -> None:
    """Refused at the start, and not repeated."""
    with pytest.raises(ConfigError) as caught:
        ReadyToken(Secret(text))

    assert not text.strip() or text not in str(caught.value)


def test_a_ready_token_is_trimmed_and_cannot_be_renewed() -> None:
    """A file's last line end is no part of the token."""
    tokens = ReadyToken(Secret(f"{CANARY}\n"))

    assert (tokens.current().value, tokens.renew(1)) == (Secret(CANARY), False)
    assert CANARY not in f"{tokens.current()!r} {tokens.current().value} {[tokens.current()]} {tokens!r}"
