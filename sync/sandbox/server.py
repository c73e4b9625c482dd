"""The sandbox as a process: binds loopback, says where it listens, serves, and ends quietly on a signal."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Final

import uvicorn

from sync.sandbox.app import create_app
from sync.sandbox.options import SandboxOptions, parse
from sync.sandbox.service import Sandbox
from sync.sandbox.wire import SandboxProtocol

HOST: Final = "127.0.0.1"
KEEP_ALIVE_S: Final = 75
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """A uvicorn server that says its address once it serves, and does not die of the signal that ends it."""

    def __init__(self, config: uvicorn.Config, sandbox: Sandbox, line: str) -> None:
        super().__init__(config)
        self._sandbox = sandbox
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(self._line + "\n")
        sys.stdout.flush()
        if self._sandbox.options.until_stdin_closes:
            loop = asyncio.get_running_loop()
            threading.Thread(target=self._watch_stdin, args=(loop,), daemon=True).start()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def stop(_number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.stop)

        before = {number: signal.signal(number, stop) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """End: let go of everything that waits, and say nothing of what is cut short."""
        logging.getLogger("uvicorn.error").disabled = True
        self._sandbox.close()
        self.should_exit = True

    def _watch_stdin(self, loop: asyncio.AbstractEventLoop) -> None:
        while os.read(0, 1024):
            pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self.stop)


def main(argv: Sequence[str] | None = None, prog: str = "coursesync sandbox") -> int:
    """Serve until a signal comes; return 0 then, and 2 when it could not start.

    Raises:
        SystemExit: the words are wrong, or ask for help.
    """
    options = parse(sys.argv[1:] if argv is None else argv, prog)
    try:
        return asyncio.run(_serve(options))
    except (OSError, ValueError) as exc:
        sys.stderr.write(f"sandbox: {exc}\n")
        return 2


async def _serve(options: SandboxOptions) -> int:
    sandbox = Sandbox(options)
    # The protocol is named because asyncio turns Nagle's delay off only where it is: 40 ms an answer otherwise.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, options.port))
        scheme = "https" if options.tls_cert else "http"
        line = f"listening on {scheme}://{HOST}:{listener.getsockname()[1]}/api"
        config = uvicorn.Config(
            create_app(sandbox),
            http=SandboxProtocol,
            loop="asyncio",
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
            ssl_certfile=options.tls_cert,
            ssl_keyfile=options.tls_key,
        )
        try:
            await _Server(config, sandbox, line).serve([listener])
        finally:
            sandbox.close()
    return 0
