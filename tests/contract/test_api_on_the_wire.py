"""`SectionApi` against real sockets on loopback: redirects, slow and broken answers, certificates."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pytest
import trustme

from sync.adapters.api import SectionApi
from sync.adapters.secret import Secret
from sync.adapters.tokens import ReadyToken
from sync.errors import ConfigError
from sync.exchange import Accepted, Answer, Misdirected, NotDelivered, OneRecord, Put, ReadOne, Request, Unheard
from sync.model import SectionId

CANARY = "canary-51c9"
SEVEN = SectionId(7)
PUT = Put(SEVEN, {"Id": 7, "SectionContents": "x" * 100_000})
ONE = ReadOne(SEVEN)
BOTH = [pytest.param(PUT, id="put"), pytest.param(ONE, id="read")]
RECORD = b'{"Id":7}'
SUCCESS = b'{"Value":{"Id":7},"WasSuccessful":true}'

Behaviour = Callable[["RawServer", socket.socket], None]


def http(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    told = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {told}\r\n{headers}\r\n"
    return head.encode() + body


class RawServer:
    """Says byte for byte what it is told to; counts connections and keeps what it heard."""

    def __init__(self, behave: Behaviour, context: ssl.SSLContext | None = None) -> None:
        """Listen already; answer from `with` on."""
        self.heard: list[bytes] = []
        self.connections = 0
        self.over = threading.Event()
        self._behave = behave
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._pool = ThreadPoolExecutor(20)

    def __enter__(self) -> Self:
        """Start to answer."""
        self._pool.submit(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """End, whatever the clients do."""
        self.over.set()
        with closing(socket.create_connection(("127.0.0.1", self.port))):
            pass
        self._pool.shutdown()
        self._socket.close()

    def read_request(self, connection: socket.socket) -> bytes:
        """Read one request to its end; empty when the client has left."""
        data = b""
        while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(body) < int(line.partition(b":")[2]) and (piece := connection.recv(65536)):
                    body += piece
        if data:
            self.heard.append(head)
        return data

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self.over.is_set():
                connection.close()
                return
            self.connections += 1
            self._pool.submit(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                if self._context is None:
                    self._behave(self, connection)
                else:
                    with self._context.wrap_socket(connection, server_side=True) as secure:
                        self._behave(self, secure)
            except OSError:
                pass  # the client left, as it should


def saying(*answers: bytes) -> Behaviour:
    """One answer a request, on one connection, then hang up."""

    def behave(server: RawServer, connection: socket.socket) -> None:
        for answer in answers:
            if not server.read_request(connection):
                return
            connection.sendall(answer)

    return behave


def dripping(head: bytes, drop: bytes) -> Behaviour:
    """`head` at once, then `drop` again and again, each well within the time-out."""

    def behave(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(head)
        for _ in range(80):  # four seconds: a client without a deadline fails, and does not hang
            if server.over.wait(0.05):
                return
            connection.sendall(drop)

    return behave


def silent(server: RawServer, connection: socket.socket) -> None:
    server.read_request(connection)
    server.over.wait(5)


def deaf(server: RawServer, connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server.over.wait(5)


def resetting(server: RawServer, connection: socket.socket) -> None:
    server.read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def endless(server: RawServer, connection: socket.socket) -> None:
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not server.over.is_set():
        connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")


@contextmanager
def api_for(
    server: RawServer, *, scheme: str = "http", ca_file: Path | None = None, deadline_s: float | None = None
) -> Iterator[SectionApi]:
    with SectionApi(
        f"{scheme}://127.0.0.1:{server.port}/api",
        ReadyToken(Secret(CANARY)),
        timeout_s=0.4,
        deadline_s=deadline_s,
        ca_file=ca_file,
        max_answer_bytes=1_000_000,
    ) as api:
        yield api


def exchange(request: Request, server: RawServer, *, scheme: str = "http", ca_file: Path | None = None) -> Answer:
    with api_for(server, scheme=scheme, ca_file=ca_file) as api:
        return api.exchange(request)


def test_a_whole_answer_is_heard() -> None:
    """The ground on which the faults below stand."""
    with RawServer(saying(http(SUCCESS), http(RECORD))) as server, api_for(server) as api:
        heard = [api.exchange(PUT), api.exchange(ONE)]

    assert heard == [Accepted(SEVEN, None, None, 200), OneRecord({"Id": 7})]
    assert server.connections == 1


@pytest.mark.parametrize("request_", BOTH)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(request_: Request, status: int) -> None:
    """The other server gets no request, and so never sees the token."""
    with RawServer(silent) as other:
        location = f"Location: http://127.0.0.1:{other.port}/steal?token={CANARY}\r\n"
        with RawServer(saying(http(b"", status=f"{status} Moved", headers=location))) as server:
            heard = exchange(request_, server)

    assert heard == Misdirected(
        f"The server redirects ({status}) to http://127.0.0.1:{other.port}: base_url is not the address of the API."
    )
    assert (other.connections, len(server.heard)) == (0, 1)


@pytest.mark.parametrize("request_", BOTH)
@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(silent, id="no-answer"),
        pytest.param(saying(b""), id="hung-up"),
        pytest.param(resetting, id="reset"),
        pytest.param(saying(http(SUCCESS, length=500)), id="cut-off"),
        pytest.param(saying(http(SUCCESS)[:60]), id="cut-off-in-the-headers"),
        pytest.param(saying(b"SSH-2.0-OpenSSH\r\n"), id="no-http"),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), id="cut-off-chunk"),
        pytest.param(saying(http(b"") + http(SUCCESS)), id="empty-then-more"),
        pytest.param(dripping(b"", b"H"), id="drips-a-status-line"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"), id="drips-headers"),
        pytest.param(dripping(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), id="drips-hints"),
        pytest.param(dripping(http(b"{", length=1_000_000), b" "), id="drips-a-body"),
        pytest.param(endless, id="endless-body"),
        pytest.param(
            saying(http(gzip.compress(b" " * 10_000_000), headers="Content-Encoding: gzip\r\n")), id="gzip-bomb"
        ),
    ],
)
def test_an_answer_that_does_not_come_whole_is_unheard_in_time(request_: Request, behave: Behaviour) -> None:
    """Whatever the server does after the request, the exchange ends, and says that nobody knows."""
    with RawServer(behave) as server:
        began = time.monotonic()
        heard = exchange(request_, server)
        took_s = time.monotonic() - began

    assert isinstance(heard, Unheard)
    assert CANARY not in repr(heard)
    assert took_s < 3
    assert len(server.heard) == 1, "sent once"


def test_a_server_that_does_not_read_does_not_hold_us() -> None:
    """Writing, too, ends in time."""
    body = {"Id": 7, "SectionContents": "x" * 30_000_000}
    with RawServer(deaf) as server:
        heard = exchange(Put(SEVEN, body), server)

    assert heard == Unheard("no whole answer in time")


def test_the_deadline_holds_for_each_request_anew() -> None:
    """A connection that is used again has its whole time again."""

    def slow(server: RawServer, connection: socket.socket) -> None:
        while server.read_request(connection):
            server.over.wait(0.25)
            connection.sendall(http(RECORD))

    with RawServer(slow) as server, api_for(server, deadline_s=0.4) as api:
        heard = [api.exchange(ONE) for _ in range(3)]

    assert heard == [OneRecord({"Id": 7})] * 3


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy and no .netrc of the environment is heeded."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login canary password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(silent) as proxy, RawServer(saying(http(RECORD))) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

        heard = exchange(ONE, server)

    assert heard == OneRecord({"Id": 7})
    assert proxy.connections == 0
    assert f"authorization: bearer {CANARY}".encode() in server.heard[0].lower()


def test_nobody_listening_is_not_delivered() -> None:
    """A refused connection surely carried nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with SectionApi(f"http://127.0.0.1:{port}", ReadyToken(Secret(CANARY)), timeout_s=1) as api:
        assert isinstance(api.exchange(PUT), NotDelivered)


def test_eight_senders_share_the_connections() -> None:
    """Each thread gets the answer to its own request."""

    def echo(server: RawServer, connection: socket.socket) -> None:
        while request := server.read_request(connection):
            number = request.split(b" ")[1].rpartition(b"/")[2]
            connection.sendall(http(b'{"Id":' + number + b"}"))

    ids = [SectionId(n) for n in range(1, 201)]
    with RawServer(echo) as server, api_for(server) as api, ThreadPoolExecutor(8) as senders:
        heard = list(senders.map(lambda section_id: api.exchange(ReadOne(section_id)), ids))

    assert heard == [OneRecord({"Id": section_id}) for section_id in ids]
    assert server.connections <= 8


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def test_a_certificate_of_a_named_authority_is_trusted(authority: trustme.CA, ca_file: Path) -> None:
    """`ca_file` adds an authority; nothing switches the check off."""
    context = server_context(authority.issue_cert("127.0.0.1"))
    with RawServer(saying(http(SUCCESS)), context) as server:
        assert isinstance(exchange(PUT, server, scheme="https", ca_file=ca_file), Accepted)


@pytest.mark.parametrize("flaw", ["expired", "not yet valid", "wrong host", "unknown authority", "self-signed"])
def test_a_certificate_that_fails_stops_before_anything_is_sent(
    authority: trustme.CA, ca_file: Path, flaw: str
) -> None:
    """The sentence names the certificate; the server hears nothing."""
    match flaw:
        case "expired":
            leaf = authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
        case "not yet valid":
            leaf = authority.issue_cert("127.0.0.1", not_before=datetime(2999, 1, 1, tzinfo=UTC))
        case "wrong host":
            leaf = authority.issue_cert("other.example.com")
        case "unknown authority":
            leaf = trustme.CA().issue_cert("127.0.0.1")
        case _:
            leaf = None
    context = server_context(leaf) if leaf else self_signed_context()
    with RawServer(saying(http(SUCCESS)), context) as server:
        heard = exchange(PUT, server, scheme="https", ca_file=ca_file)

    assert isinstance(heard, Misdirected)
    assert "certificate of 127.0.0.1" in heard.reason
    assert server.heard == []


def self_signed_context() -> ssl.SSLContext:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with authority.private_key_pem.tempfile() as key, authority.cert_pem.tempfile() as certificate:
        context.load_cert_chain(certificate, key)
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_server_of_old_tls_is_refused(authority: trustme.CA, ca_file: Path) -> None:
    """TLS 1.2 at least."""
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with RawServer(saying(http(SUCCESS)), context) as server:
        heard = exchange(PUT, server, scheme="https", ca_file=ca_file)

    assert isinstance(heard, Misdirected)
    assert "TLS 1.2" in heard.reason
    assert server.heard == []


def test_a_server_without_tls_is_refused() -> None:
    """Not an outage: a wrong address."""

    def plain(_: RawServer, connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(http(b"", status="400 Bad Request"))

    with RawServer(plain) as server:
        assert isinstance(exchange(PUT, server, scheme="https"), Misdirected)


def test_a_server_that_hangs_up_in_the_handshake_is_not_delivered() -> None:
    """An outage: worth another attempt."""
    with RawServer(lambda _, connection: connection.recv(10) and None) as server:
        assert isinstance(exchange(PUT, server, scheme="https"), NotDelivered)


def test_a_handshake_that_never_ends_is_not_delivered() -> None:
    """Nothing was sent yet when the time was over."""
    with RawServer(deaf) as server:
        assert isinstance(exchange(PUT, server, scheme="https"), NotDelivered)


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    """A wrong `ca_file` is a matter of configuration, found before anything is sent."""
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match=path.name):
            SectionApi("https://127.0.0.1", ReadyToken(Secret(CANARY)), timeout_s=1, ca_file=path)
