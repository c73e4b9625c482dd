"""`WireTransport` against a network in memory, and beside the transport that httpx brings."""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.adapters.wire import BARREN, KEEPALIVE_S, WireTransport

URL = "http://127.0.0.1:9/api/content/coursesections"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TIMEOUT = {"timeout": httpx.Timeout(1.0).as_dict()}

Said = Sequence[bytes | Exception]


class FakeNetwork(httpcore.NetworkBackend):
    """One script a connection: pieces to be read, or errors; then the server hangs up (`httpcore.NetworkBackend`)."""

    def __init__(self, *scripts: Said) -> None:
        self.scripts = list(scripts)
        self.connections: list[FakeStream] = []

    def connect_tcp(self, *_args: object, **_more: object) -> httpcore.NetworkStream:
        self.connections.append(FakeStream(self.scripts[len(self.connections)]))
        return self.connections[-1]


class FakeStream(httpcore.NetworkStream):
    """A connection on which the server says its script, whatever it hears."""

    def __init__(self, script: Said) -> None:
        self.script = list(script)
        self.heard: list[bytes] = []
        self.is_closed = self.has_hung_up = False
        self.deaf: Exception | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del max_bytes, timeout
        piece = self.script.pop(0) if self.script else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        if self.deaf is not None:
            raise self.deaf
        self.heard.append(buffer)

    def close(self) -> None:
        self.is_closed = True

    def get_extra_info(self, info: str) -> object:
        assert info == "is_readable"
        return self.has_hung_up


def put(content: bytes = b"{}", **headers: str) -> httpx.Request:
    told = {"Host": "127.0.0.1:9", "Content-Length": str(len(content)), **headers}
    return httpx.Request("PUT", URL, headers=told, stream=httpx.ByteStream(content), extensions=TIMEOUT)


def answer(transport: httpx.BaseTransport, request: httpx.Request | None = None) -> httpx.Response:
    """The answer, read to its end."""
    response = transport.handle_request(request or put())
    try:
        response.read()
    finally:
        response.close()
    return response


def over(*scripts: Said) -> tuple[WireTransport, FakeNetwork]:
    network = FakeNetwork(*scripts)
    return WireTransport(None, network), network


def outcome(transport: httpx.BaseTransport) -> object:
    """What a caller makes of the answer."""
    try:
        response = answer(transport)
    except httpx.TransportError as exc:
        return type(exc)
    return response.status_code, response.reason_phrase, response.headers.raw, response.content


def test_head_and_body_leave_in_one_piece() -> None:
    """One call of the system, one packet; then `sent` is called, before anything is read."""
    transport, network = over([OK])
    request, heard_before_reading = put(b'{"Id":7}', Authorization="Bearer x"), list[int]()
    request.extensions["sent"] = lambda: heard_before_reading.append(len(network.connections[0].script))

    answer(transport, request)

    (heard,) = network.connections[0].heard
    head, _, body = heard.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"PUT /api/content/coursesections HTTP/1.1",
        b"Host: 127.0.0.1:9",
        b"Content-Length: 8",
        b"Authorization: Bearer x",
    ]
    assert body == b'{"Id":7}'
    assert heard_before_reading == [1]


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\0b", "a\rb"])
def test_a_header_that_would_end_its_line_does_not_leave(value: str) -> None:
    """Nothing of such a request leaves, and the error does not quote it."""
    transport, network = over([OK])

    with pytest.raises(httpx.LocalProtocolError, match=r"^no request that may leave$"):
        answer(transport, put(Authorization=value))
    assert network.connections == []


WHOLE = {
    "by-its-length": ([OK], 200, "OK", b"{}"),
    "in-pieces": ([OK[at : at + 1] for at in range(len(OK))], 200, "OK", b"{}"),
    "in-chunks": ([CHUNKED, b"1\r\n{\r\n", b"1;x=y\r\n}\r\n0\r\nTrailer: t\r\n\r\n"], 200, "OK", b"{}"),
    "to-the-end": ([b"HTTP/1.1 200 OK\r\n\r\n{", b"}"], 200, "OK", b"{}"),
    "old": ([b"HTTP/1.0 200 OK\r\n\r\n{}"], 200, "OK", b"{}"),
    "without-a-reason": ([b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n"], 404, "", b""),
    "without-a-body": ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, "No Content", b""),
    "after-hints": ([b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 100 Go on\r\n\r\n" + OK], 200, "OK", b"{}"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "status", "reason", "body"), WHOLE.values(), ids=WHOLE.keys())
def test_a_whole_answer_is_heard_however_it_is_framed(script: Said, status: int, reason: str, body: bytes) -> None:
    """Length, chunks or the end of the connection; hints before it and what trails it leave no mark on it."""
    transport, _ = over(script)
    response = answer(transport)

    assert (response.status_code, response.reason_phrase, response.content) == (status, reason, body)
    assert "link" not in response.headers
    assert "trailer" not in response.headers


def test_a_header_that_comes_twice_is_kept_twice() -> None:
    """In the server's order and spelling."""
    transport, _ = over([b"HTTP/1.1 429 x\r\nRetry-After: 3\r\nretry-after: 9\r\nContent-Length: 0\r\n\r\n"])

    assert answer(transport).headers.raw[:2] == [(b"Retry-After", b"3"), (b"retry-after", b"9")]


BROKEN = {
    "hung-up": [],
    "cut-off-in-the-head": [OK[:30]],
    "cut-off-in-the-body": [OK[:-1]],
    "cut-off-in-a-chunk": [CHUNKED, b"5\r\nab"],
    "cut-off-before-the-last-chunk": [CHUNKED, b"2\r\n{}\r\n"],
    "no-http": [b"SSH-2.0-OpenSSH\r\n"],
    "two-lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
    "a-length-and-chunks": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    "no-length-at-all": [b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}"],
    "another-protocol": [b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + OK],
    "a-head-without-an-end": [
        b"HTTP/1.1 200 OK\r\n",
        *[b"X: " + b"y" * 1000 + b"\r\n"] * (BARREN // 1000 + 1),
        b"\r\n",
    ],
    "hints-without-an-end": [*[b"HTTP/1.1 103 x\r\n\r\n"] * (BARREN // 18 + 1), OK],
    "a-tail-without-an-end": [CHUNKED, b"0\r\nX: ", *[b"y" * 1000] * (BARREN // 1000 + 1), b"\r\n\r\n"],
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
def test_an_answer_that_is_not_whole_is_none(script: Said) -> None:
    """Whoever asked is told so, and the connection is not used again."""
    transport, network = over(script, [OK])

    assert outcome(transport) is httpx.RemoteProtocolError
    assert network.connections[0].is_closed
    assert answer(transport).content == b"{}"


@pytest.mark.parametrize(
    ("error", "named"),
    [
        pytest.param(httpcore.ReadTimeout("x"), httpx.ReadTimeout, id="time-out"),
        pytest.param(httpcore.ReadError("x"), httpx.ReadError, id="reset"),
    ],
)
@pytest.mark.parametrize("before", [b"", OK[:40], OK[:-1]], ids=["at-once", "in-the-head", "in-the-body"])
def test_errors_of_the_network_bear_the_names_of_httpx(
    before: bytes, error: Exception, named: type[httpx.TransportError]
) -> None:
    """Wherever in an answer they come; the connection is closed."""
    transport, network = over([*([before] if before else []), error])

    assert outcome(transport) is named
    assert network.connections[0].is_closed


def test_a_server_that_answers_before_it_has_heard_all_is_heard() -> None:
    """A body that is too large is refused while it is still being sent; `sent` is not called for it."""
    transport, network = over([OK, OK])
    answer(transport)
    network.connections[0].deaf = httpcore.WriteError("broken pipe")
    request, sent = put(), list[str]()
    request.extensions["sent"] = lambda: sent.append("sent")

    assert answer(transport, request).status_code == 200
    assert sent == []


def closes(head: bytes) -> bytes:
    return head.replace(b"Content-Type", b"Connection: close\r\nContent-Type")


AFTERWARDS: dict[str, tuple[Said, Callable[[FakeStream], object], float, int]] = {
    "all-is-well": ([OK, OK], lambda _: None, 0.0, 1),
    "the-server-says-so": ([closes(OK), OK], lambda _: None, 0.0, 2),
    "an-old-server": ([OK.replace(b"1.1", b"1.0"), OK], lambda _: None, 0.0, 2),
    "something-behind-the-answer": ([OK + b"x", OK], lambda _: None, 0.0, 2),
    "another-answer-behind-the-answer": ([OK + OK.replace(b"{}", b"[]"), OK], lambda _: None, 0.0, 2),
    "the-server-has-hung-up": ([OK, OK], lambda stream: setattr(stream, "has_hung_up", True), 0.0, 2),
    "idle-for-a-while": ([OK, OK], lambda _: None, KEEPALIVE_S - 0.1, 1),
    "idle-for-too-long": ([OK, OK], lambda _: None, KEEPALIVE_S + 0.1, 2),
}


@pytest.mark.parametrize(("script", "then", "idle_s", "connections"), AFTERWARDS.values(), ids=AFTERWARDS.keys())
def test_a_connection_is_used_again_only_where_nothing_speaks_against_it(
    script: Said, then: Callable[[FakeStream], object], idle_s: float, connections: int
) -> None:
    """No answer is ever taken for that to another request."""
    network, now = FakeNetwork(script, [OK]), [100.0]
    transport = WireTransport(None, network, monotonic=lambda: now[0])
    first = answer(transport)
    then(network.connections[0])
    now[0] += idle_s
    second = answer(transport)

    assert (first.content, second.content, len(network.connections)) == (b"{}", b"{}", connections)
    assert [stream.is_closed for stream in network.connections[:-1]] == [True] * (connections - 1)


def test_an_answer_that_nobody_read_to_its_end_takes_its_connection_with_it() -> None:
    """What is left of it would come first with the next one; even if nobody closed it."""
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"
    for closing in (True, False):
        transport, network = over([large, b"x" * 1000], [OK])
        response = transport.handle_request(put())
        if closing:
            response.close()

        assert answer(transport).content == b"{}"
        assert len(network.connections) == 2


# laws ---------------------------------------------------------------------------------------------------------

bodies = st.binary(max_size=40)
statuses = st.sampled_from(
    [b"200 OK", b"400 Bad Request", b"409 ", b"429 Slow down", b"500 x", b"204 Nothing", b"304 x"]
)
values = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=10).map(str.encode)
headers = st.lists(st.tuples(st.sampled_from([b"Date", b"Retry-After", b"x-a", b"X-B"]), values), max_size=3)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """An answer by the rules, framed in one of three ways."""
    status, body = draw(statuses), draw(bodies)
    if status[:3] in (b"204", b"304"):
        body = b""
    lines = b"".join(b"%b: %b\r\n" % line for line in draw(headers))
    match draw(st.sampled_from(["length", "chunks", "end"])):
        case "length":
            lines, framed = lines + b"Content-Length: %d\r\n" % len(body), body
        case "chunks" if status[:3] not in (b"204", b"304"):
            parts = [part for part in draw(pieces_of(body)) if part]
            lines += b"Transfer-Encoding: chunked\r\n"
            framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        case _:
            framed = body
    return b"HTTP/1.1 " + status + b"\r\n" + lines + b"\r\n" + framed


def pieces_of(text: bytes) -> st.SearchStrategy[list[bytes]]:
    """`text` cut anywhere."""

    def cut(sizes: Iterable[int]) -> list[bytes]:
        ends = [0, *accumulate(sizes), len(text)]
        return [text[start:end] for start, end in pairwise(ends) if text[start:end]]

    return st.lists(st.integers(1, 30), max_size=6).map(cut)


def as_httpx_hears(script: Iterable[bytes]) -> object:
    """The outcome by the transport of httpx, with its own parser."""
    transport = httpx.HTTPTransport(trust_env=False)
    transport._pool = httpcore.ConnectionPool(network_backend=httpcore.MockBackend([*script]))
    return outcome(transport)


@given(st.data())
def test_it_hears_what_the_transport_of_httpx_hears(data: st.DataObject) -> None:
    """The same status, words, headers and body, wherever the network cuts the answer."""
    script = data.draw(answers().flatmap(pieces_of))
    transport, _ = over(script)

    assert outcome(transport) == as_httpx_hears(script)


@given(st.data())
def test_whatever_comes_back_is_an_answer_or_an_error_of_the_transport(data: st.DataObject) -> None:
    """Bytes changed, left out and added: never another exception, and never an answer of what followed."""
    whole = bytearray(data.draw(answers()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    transport, network = over(data.draw(pieces_of(bytes(whole))), [OK])
    heard = outcome(transport)

    assert isinstance(heard, tuple) or heard is httpx.RemoteProtocolError
    assert network.connections[0].is_closed or not network.connections[0].script
