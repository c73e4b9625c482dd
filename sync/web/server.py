"""The page as a process: judges where it may listen, says its address, serves, and ends quietly on a signal."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import urlsplit

import uvicorn

from sync.adapters.clock import SystemClock
from sync.adapters.store.opening import STORE_NAME
from sync.config import Settings
from sync.errors import ConfigError
from sync.frozen import Frozen
from sync.jobs.carrying import Carrier
from sync.jobs.prepared import Desk
from sync.web.access import Access
from sync.web.app import create_app
from sync.web.heads import TimedHeads
from sync.web.site import Site

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
DEFAULT_PORT: Final = 8765


class Listening(Frozen):
    """Where the page is to be served, and what stands before it."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    public_url: str | None = None
    """Where people find it, if a proxy with TLS stands before it."""
    tls_cert: Path | None = None
    tls_key: Path | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        with contextlib.suppress(ValueError):
            return ip_address(self.host).is_loopback
        return False

    @property
    def has_tls(self) -> bool:
        """Whether what people type goes over TLS."""
        return self.tls_cert is not None or (self.public_url or "").startswith("https://")

    def hosts(self, port: int) -> frozenset[str]:
        """The names, with ports, that the server answers under."""
        names = {f"{self.host}:{port}"}
        if self.is_loopback:
            names |= {f"127.0.0.1:{port}", f"localhost:{port}"}
        if self.public_url is not None:
            names.add(urlsplit(self.public_url).netloc.lower())
        return frozenset(names)


def check_listening(listening: Listening, *, has_people: bool) -> None:
    """Refuse to be reached from elsewhere without people, or without TLS.

    Raises:
        ConfigError: what is missing.
    """
    if (listening.tls_cert is None) != (listening.tls_key is None):
        raise ConfigError("TLS takes both a certificate and its key.", remedy="Give --tls-cert and --tls-key.")
    if listening.public_url is not None:
        parts = urlsplit(listening.public_url)
        if parts.scheme != "https" or not parts.netloc or parts.path.strip("/"):
            raise ConfigError(
                f"--public-url takes an address such as https://sections.example.com, not {listening.public_url!r}.",
                remedy="Only a proxy with TLS may stand before the page.",
            )
    if listening.is_loopback and listening.public_url is None:
        return
    if not has_people:
        raise ConfigError(
            "The page cannot be reached from elsewhere while nobody has a password.",
            remedy="Add people first: coursesync users add NAME --role approver",
        )
    if not listening.has_tls:
        raise ConfigError(
            f"The page is not served on {listening.host} without TLS.",
            remedy="Give --tls-cert and --tls-key, or --public-url of the proxy that has them.",
        )


class _Server(uvicorn.Server):
    """A uvicorn server that says its address once it serves, and does not die of the signal that ends it."""

    def __init__(self, config: uvicorn.Config, say: Callable[[], None]) -> None:
        super().__init__(config)
        self._say = say

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def stop(_number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._stop)

        before = {number: signal.signal(number, stop) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self) -> None:
        self.should_exit = True


def serve(
    settings: Settings, listening: Listening, *, words: tuple[str, ...], four_eyes: bool, say: Callable[[str], None]
) -> None:
    """Serve until a signal comes; `say` is told the address, and the one-time link where there are no people.

    Raises:
        ConfigError: it may not, or cannot, listen there.
    """
    clock = SystemClock()
    access = Access.of(settings, clock)
    with closing(access.reading()) as store:
        has_people = access.has_people(store)
    check_listening(listening, has_people=has_people)
    desk = Desk(settings.state_dir, words)
    site = Site(settings, clock, access, desk, Carrier(desk, clock), four_eyes=four_eyes, secure=listening.has_tls)
    if not (settings.state_dir / STORE_NAME).is_file():
        raise ConfigError(f"There is no store in {settings.state_dir}.", remedy="Choose another with --state-dir.")
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    # With its protocol named, or asyncio leaves Nagle at work, and each answer waits 40 ms for an acknowledgement.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((listening.host, listening.port))
        except OSError as exc:
            raise ConfigError(
                f"{listening.host}:{listening.port} cannot be listened on: {exc.strerror}.",
                remedy="Choose another --port.",
            ) from exc
        port = int(listener.getsockname()[1])
        scheme = "https" if listening.tls_cert is not None else "http"
        address = listening.public_url or f"{scheme}://{listening.host}:{port}"
        link = address if has_people else f"{address}/sign-in?link={access.link}"
        config = uvicorn.Config(
            create_app(site, hosts=listening.hosts(port)),
            loop="asyncio",
            http=TimedHeads,
            ws="none",
            interface="asgi3",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=listening.public_url is not None,
            timeout_graceful_shutdown=2,
            limit_concurrency=1_000,
            ssl_certfile=listening.tls_cert,
            ssl_keyfile=listening.tls_key,
        )
        asyncio.run(_Server(config, lambda: say(link)).serve([listener]))
