"""The way to one server over HTTP: pinned, verified, timed and capped. The only module that runs httpx.

What comes back is an `HttpAnswer`, or one of our own answers where there is none. No exception of httpx leaves this
module, since some of them quote the request, and the request carries the token.
"""

import ssl
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import sync
from sync.adapters.addresses import parse_base_url
from sync.adapters.deadline import Deadline, DeadlineBackend
from sync.adapters.http_answer import HttpAnswer
from sync.adapters.wire import WireTransport
from sync.errors import ConfigError, InternalError
from sync.exchange import Misdirected, NotDelivered, Unheard
from sync.frozen import replace
from sync.lean import without

with without("httpx._main"):  # its command line
    import httpx

USER_AGENT = f"coursesync/{sync.__version__}"

NoAnswer: TypeAlias = NotDelivered | Unheard | Misdirected


class _Mine(threading.local):
    """What belongs to one thread."""

    transport: httpx.BaseTransport | None = None


class Connection:
    """Sends requests to one origin and to no other; each thread that sends has a connection of its own."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float,
        deadline_s: float | None = None,
        ca_file: Path | None = None,
        transport: httpx.BaseTransport | None = None,
        user_agent: str = USER_AGENT,
    ) -> None:
        """Prepare the way; nothing is sent yet.

        Args:
            base_url: as `parse_base_url` takes it.
            timeout_s: the longest wait for a connection, for one piece of an answer, or for one piece to be taken.
            deadline_s: the longest time for a request and its whole answer; twice `timeout_s` unless given. Only the
                look-up of the host's name is beyond its reach.
            ca_file: certificates (PEM) to trust beside the usual ones. There is no way to switch the check off.
            transport: takes the place of the network, in tests.
            user_agent: how we name ourselves.

        Raises:
            ConfigError: the base URL or the certificate file is wrong.
        """
        self.origin = parse_base_url(base_url)
        self._timeout_s = timeout_s
        self._deadline_s = 2 * timeout_s if deadline_s is None else deadline_s
        self._deadline = Deadline()
        self._mine = _Mine()
        self._url = lru_cache(maxsize=8)(self._pinned)
        """Every PUT of a run goes to the same address."""
        self._is_closed = False
        self._transports: list[httpx.BaseTransport] = []
        if transport is None:
            self._context = _tls_context(ca_file) if self.origin.scheme == "https" else None
        else:
            self._transports.append(transport)
        self._is_given = transport is not None
        self._headers = {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "identity"}
        self._timeouts = {"timeout": httpx.Timeout(timeout_s).as_dict()}

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        max_bytes: int,
        on_sent: Callable[[], None] | None = None,
    ) -> HttpAnswer | NoAnswer:
        """Send one request, once, and read its answer to the end.

        Args:
            method: of HTTP.
            target: path and query, behind the base URL.
            headers: with the token, which is attached only after the address was checked.
            content: the body, if there is one.
            max_bytes: a longer answer is `Unheard`.
            on_sent: called once the request's last byte was handed to the system.

        Raises:
            InternalError: `target` leads to another server than the base URL.
        """
        status: int | None = None
        request = self._request(method, target, headers, content, on_sent)
        self._deadline.begin(self._deadline_s)
        try:
            response = self._transport().handle_request(request)
            status = response.status_code
            return _heard(response, max_bytes)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            return self._not_delivered(exc)
        except (httpx.TransportError, httpx.StreamError) as exc:
            return Unheard(_lost_because(exc), status)
        finally:
            self._deadline.end()
            if self._is_closed and self._mine.transport is not None:
                self._mine.transport.close()  # `close` did not wait for this thread

    def close(self) -> None:
        """Close every connection; sending is over: a thread that still waits for an answer closes its own then."""
        self._is_closed = True
        for transport in self._transports:
            transport.close()

    def __enter__(self) -> Self:
        """Use as a context that closes itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        content: bytes | None,
        on_sent: Callable[[], None] | None,
    ) -> httpx.Request:
        """The request with every header that it has: httpx adds none where the body is a stream."""
        url = self._url(target)
        length = {} if content is None else {"Content-Length": str(len(content))}
        return httpx.Request(
            method,
            url,
            headers={"Host": url.netloc.decode("ascii"), **self._headers, **headers, **length},
            stream=httpx.ByteStream(content or b""),
            extensions=self._timeouts if on_sent is None else {**self._timeouts, "sent": on_sent},
        )

    def _transport(self) -> httpx.BaseTransport:
        """The way of this thread alone: nobody waits for a pool, and none is searched for a free connection."""
        if self._is_given:
            return self._transports[0]
        if self._mine.transport is None:
            self._mine.transport = WireTransport(self._context, DeadlineBackend(self._deadline))
            self._transports.append(self._mine.transport)
        return self._mine.transport

    def _pinned(self, target: str) -> httpx.URL:
        url = httpx.URL(self.origin.base_url + target)
        port = url.port if url.port is not None else {"http": 80, "https": 443}.get(url.scheme)
        if (url.scheme, url.host, port) != (self.origin.scheme, self.origin.host, self.origin.port) or url.userinfo:
            raise InternalError("A request was about to leave for another server than that of base_url.")
        return url

    def _not_delivered(self, error: httpx.TransportError) -> NotDelivered | Misdirected:
        place = f"{self.origin.host}:{self.origin.port}"
        match error:
            case httpx.PoolTimeout():
                return NotDelivered("no connection became free in time")
            case httpx.ConnectTimeout():
                return NotDelivered(f"no connection to {place} within {self._timeout_s:g} s")
            case _:
                cause = _tls_failure(error)
                if isinstance(cause, ssl.SSLCertVerificationError):
                    return Misdirected(
                        f"The certificate of {place} is not to be trusted: {cause.verify_message}. "
                        "If it is your own authority's, name its certificate as ca_file."
                    )
                if cause is not None:
                    why = getattr(cause, "reason", None) or "the handshake fails"
                    return Misdirected(f"No secure connection to {place} (TLS 1.2 or newer): {why}.")
                return NotDelivered(f"no connection to {place}: {error}")


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context(verify=True, trust_env=False)
    context.set_alpn_protocols(["http/1.1"])
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as exc:
            raise ConfigError(
                f"The certificate file {ca_file} cannot be used: {exc.strerror or 'it holds no certificate'}.",
                remedy="Set ca_file to a PEM file with the certificate of your authority.",
            ) from exc
    return context


def _heard(response: httpx.Response, max_bytes: int) -> HttpAnswer | Unheard:
    """The answer with its body as it came: the stream of a transport is read, and nothing of it is decoded."""
    stream = response.stream
    if not isinstance(stream, httpx.SyncByteStream):
        raise TypeError("a transport for one thread gave a stream for many tasks")
    try:
        answer = HttpAnswer(response.status_code, tuple(response.headers.multi_items()), b"", response.reason_phrase)
        if any(coding.lower() not in ("", "identity") for coding in answer.values("content-encoding")):
            return Unheard("an answer that is compressed, though we asked for none", answer.status)
        body = bytearray()
        for chunk in stream:
            body += chunk
            if len(body) > max_bytes:
                return Unheard(f"an answer of more than {max_bytes} bytes", answer.status)
        return replace(answer, body=bytes(body))
    finally:
        stream.close()


def _lost_because(error: httpx.TransportError | httpx.StreamError) -> str:
    """In our own words: the text of a foreign exception can quote a header."""
    match error:
        case httpx.TimeoutException():
            return "no whole answer in time"
        case httpx.RemoteProtocolError():
            return "the server hung up before its answer was whole, or does not speak HTTP"
        case httpx.NetworkError():
            return "the connection broke"
        case _:
            return f"no answer ({type(error).__name__})"


def _tls_failure(error: BaseException) -> ssl.SSLError | None:
    """The failed handshake behind a failed connection; one that the network cut off is not one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            cut_off = isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError))
            return None if cut_off else cause
        cause = cause.__cause__ or cause.__context__
    return None
