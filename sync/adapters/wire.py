"""A transport of httpx over one connection: a request leaves in one piece, its answer is read as it comes.

The transport that httpx brings does this with a pool of connections and a parser in Python, which took more of the
processor than all else that an update needs. Here each thread has its one connection, and llhttp parses (`httptools`,
strict as it is). The network and its time-outs stay those of httpcore. The only module that imports httptools.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

import httpcore
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from sync.lean import without

with without("httpx._main"):  # its command line
    import httpx

KEEPALIVE_S = 4.0
"""An idle connection is dropped sooner than servers usually do (5 s and more): a PUT that goes out on a connection
which the server is just closing has no answer, and has to be settled by reading."""
BARREN = 100 * 1024
"""Bytes of an answer that may come without any of its body: its head, hints that precede it, what trails it."""
_PIECE = 64 * 1024
_FIRST_FINAL_STATUS = 200
_HEAD = re.compile(rb"[A-Z]+ /[!-~]* HTTP/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*\r\n)+\r\n")
"""What may leave; that no value ends its line and begins another, the number of lines says."""
_NAMES: Final[dict[type[BaseException], type[httpx.TransportError]]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.WriteError: httpx.WriteError,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.ReadError: httpx.ReadError,
}
"""What httpx calls the errors of the network."""


class WireTransport(httpx.BaseTransport):
    """One connection to one server, opened when it is needed, and anew when it is spent; for one thread."""

    def __init__(
        self,
        context: ssl.SSLContext | None,
        backend: httpcore.NetworkBackend,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect over `backend`, without TLS where there is no `context`."""
        self._context = context
        self._backend = backend
        self._monotonic = monotonic
        self._stream: httpcore.NetworkStream | None = None
        self._idle_since: float | None = None
        """`None` while an answer is still to be heard to its end."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`, and give its answer once the head is there; the body comes as it is asked for.

        The request has every header that is to be sent. Where it brings an extension `sent`, that is called once its
        last byte was handed to the system.

        Raises:
            httpx.TransportError: nothing was sent, or nobody knows what became of it.
        """
        timeouts = request.extensions["timeout"]
        message = _written(request)
        try:
            stream = self._connected(request.url, timeouts["connect"])
            if _is_sent(stream, message, timeouts["write"]) and (on_sent := request.extensions.get("sent")) is not None:
                on_sent()
            answer = _Answer(stream, timeouts["read"])
            answer.read_head()
        except BaseException as exc:  # noqa: BLE001 - whatever it is, the connection is spent, and it goes on
            self.close()
            _raise_by_name(exc)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(self, answer),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": answer.reason},
        )

    def close(self) -> None:
        """Hang up."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def keep(self) -> None:
        """The connection is good for another request: the answer was heard to its end, and nothing came behind it."""
        self._idle_since = self._monotonic()

    def _connected(self, url: httpx.URL, timeout_s: float | None) -> httpcore.NetworkStream:
        since, self._idle_since = self._idle_since, None
        if self._stream is not None:
            is_fresh = since is not None and self._monotonic() - since <= KEEPALIVE_S
            if is_fresh and not self._stream.get_extra_info("is_readable"):  # it is where the server has hung up
                return self._stream
            self.close()
        host = url.raw_host.decode("ascii")
        self._stream = self._backend.connect_tcp(host, url.port or (443 if self._context else 80), timeout_s)
        if self._context is not None:
            self._stream = self._stream.start_tls(self._context, host, timeout_s)
        return self._stream


class _Answer:
    """What has come of an answer so far; llhttp calls it by the names that begin with `on_`."""

    def __init__(self, stream: httpcore.NetworkStream, timeout_s: float | None) -> None:
        self.status = 0
        self.reason = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: list[bytes] = []
        self.is_whole = False
        self.keeps_connection = False
        self._stream, self._timeout_s = stream, timeout_s
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._has_head = False
        self._ends_with_connection = False
        self._barren = 0

    def read_head(self) -> None:
        """Read until the head is there; with it comes what is there of the body."""
        while not self._has_head:
            self.read_on()

    def read_on(self) -> None:
        """Take the next piece from the network."""
        piece = self._stream.read(_PIECE, self._timeout_s)
        if piece:
            self._feed(piece)
        elif self._has_head and self._ends_with_connection:
            self.is_whole = True
        else:
            raise httpx.RemoteProtocolError("the server hung up in the middle of its answer")
        if self.is_whole:
            self._parser = None  # it refers back: without this the two would wait for the garbage collector

    def _feed(self, piece: bytes) -> None:
        if self._parser is None:
            raise httpx.RemoteProtocolError("something came behind the end of the answer")
        known = len(self.chunks)
        try:
            self._parser.feed_data(piece)
        except (HttpParserError, HttpParserUpgrade):
            if not self.is_whole:
                raise httpx.RemoteProtocolError("no HTTP that can be read") from None
            self.keeps_connection = False  # what follows nobody asked for
        if len(self.chunks) == known:
            self._barren += len(piece)
            if self._barren > BARREN and not self.is_whole:
                raise httpx.RemoteProtocolError("a head or a tail without an end")

    # by llhttp --------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.is_whole:
            self.keeps_connection = False  # what follows nobody asked for

    def on_status(self, reason: bytes) -> None:
        if not self.is_whole:
            self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:  # what trails a body means nothing here
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._has_head or self._parser is None:
            return
        self.status = self._parser.get_status_code()
        self._has_head = self.status >= _FIRST_FINAL_STATUS
        self.keeps_connection = self._parser.should_keep_alive()
        names = {name.lower() for name, _ in self.headers}
        self._ends_with_connection = names.isdisjoint((b"content-length", b"transfer-encoding"))

    def on_body(self, chunk: bytes) -> None:
        if not self.is_whole:
            self.chunks.append(chunk)

    def on_message_complete(self) -> None:
        if self._has_head:
            self.is_whole = True
        else:  # a hint that precedes the answer
            self.reason = b""
            self.headers.clear()


class _Body(httpx.SyncByteStream):
    """The body of an answer, piece by piece; closed before its end, it takes the connection with it."""

    def __init__(self, transport: WireTransport, answer: _Answer) -> None:
        self._transport = transport
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        answer = self._answer
        while True:
            chunks, answer.chunks = answer.chunks, []
            yield from chunks
            if answer.is_whole:
                return
            try:
                answer.read_on()
            except (httpcore.NetworkError, httpcore.TimeoutException) as exc:
                _raise_by_name(exc)

    def close(self) -> None:
        answer = self._answer
        if answer.is_whole and answer.keeps_connection:
            self._transport.keep()
        else:
            self._transport.close()


def _written(request: httpx.Request) -> bytes:
    """The request as it goes over the wire, head and body in one.

    Raises:
        httpx.LocalProtocolError: a header holds what none may hold; the message does not quote it.
    """
    raw = request.headers.raw
    lines = b"".join([b"%b: %b\r\n" % line for line in raw])
    head = b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method.encode("ascii"), request.url.raw_path, lines)
    is_sound = _HEAD.fullmatch(head) is not None and head.count(b"\n") == len(raw) + 2
    if not is_sound or not isinstance(request.stream, httpx.SyncByteStream):
        raise httpx.LocalProtocolError("no request that may leave")
    return head + b"".join(request.stream)


def _is_sent(stream: httpcore.NetworkStream, message: bytes, timeout_s: float | None) -> bool:
    """Hand `message` to the system; False where the server hung up: it may have heard enough, and answered already."""
    try:
        stream.write(message, timeout_s)
    except httpcore.WriteError:
        return False
    return True


def _raise_by_name(error: BaseException) -> NoReturn:
    """Raise an error of the network by the name that httpx has for it, any other as it is."""
    name = _NAMES.get(type(error))
    if name is None:
        raise error
    raise name(str(error)) from error
