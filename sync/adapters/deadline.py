"""A deadline for a whole exchange: the time-outs of httpcore begin anew with each byte that drips in."""

import encodings.idna  # noqa: F401 - for the host's name: loaded at leisure, not with the first connection
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from sync.failpoints import reach

_SLICE = 16_384
"""Bytes that are handed to the network between two looks at the clock."""


class Deadline(threading.local):
    """When the request of this thread has to be over, by the monotonic clock."""

    at: float | None = None
    """`None` while nothing is under way."""

    def begin(self, seconds: float) -> None:
        """Give this thread `seconds` from now."""
        self.at = time.monotonic() + seconds

    def end(self) -> None:
        """The request is over."""
        self.at = None

    def left(self, timeout_s: float | None) -> float | None:
        """The shorter of `timeout_s` and what is left; zero or less once it is over."""
        if self.at is None:
            return timeout_s
        left = self.at - time.monotonic()
        return left if timeout_s is None else min(left, timeout_s)


class DeadlineBackend(httpcore.SyncBackend):
    """Opens connections whose every wait ends with the deadline of the thread that waits."""

    def __init__(self, deadline: Deadline) -> None:
        """Heed `deadline`."""
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, as the port of httpcore has it. The look-up of the name takes as long as the system lets it.

        Raises:
            httpcore.ConnectTimeout: the deadline is over.
            httpcore.ConnectError: there is no connection to be had.
        """
        left = _still(self._deadline.left(timeout), httpcore.ConnectTimeout)
        stream = super().connect_tcp(host, port, left, local_address, socket_options)
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _still(self._deadline.left(timeout), httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _SLICE):
            left = _still(self._deadline.left(timeout), httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _SLICE], left)
            reach("bytes.sent")

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            left = _still(self._deadline.left(timeout), httpcore.ConnectTimeout)
        except httpcore.ConnectTimeout:
            self.close()  # whoever called has not got hold of it yet
            raise
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the port of httpcore says so
        return self._stream.get_extra_info(info)


def _still(left: float | None, over: type[httpcore.TimeoutException]) -> float | None:
    if left is not None and left <= 0:
        raise over("the deadline is over")
    return left
