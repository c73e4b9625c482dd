"""A connection whose request's head does not come to its end: timed and bounded, as bodies are by `security.Guard`.

uvicorn waits for a head as long as bytes trickle in, and keeps as much of it as comes; the application is asked only
afterwards. The rest of a body that comes after its answer is drained for a while, so that its sender hears the answer.
"""

from asyncio import TimerHandle, Transport
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_S: Final = 10.0
"""From the first sign of a request to the end of its head."""
HEAD_BYTES: Final = 64_000
REST_S: Final = 300.0
"""For what is left of a body once its request was answered: as long as the largest upload may take."""
_ANSWER: Final = "HTTP/1.1 {}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class TimedHeads(HttpToolsProtocol):
    """One connection."""

    _timer: TimerHandle | None = None
    _taken = 0
    """Bytes of the head that is awaited, and a little of what follows it."""
    _in_body = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for the first head from now on."""
        super().connection_made(transport)
        self._wait(HEAD_S)

    def data_received(self, data: bytes) -> None:
        """Take some bytes: while no request is being answered they are of a head, or of a body that nobody reads."""
        if self._is_idle:
            self._wait(REST_S if self._in_body else HEAD_S)
            self._taken += 0 if self._in_body else len(data)
        super().data_received(data)
        if self._taken > HEAD_BYTES:
            self._refuse("431 Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        """The head is there: its request is timed by the application."""
        self._in_body = True
        self._rest()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Its body is there as well."""
        self._in_body = False
        self._rest()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._rest()
        super().connection_lost(exc)

    @property
    def _is_idle(self) -> bool:
        cycle = self._answering()
        return cycle is None or cycle.response_complete

    def _answering(self) -> RequestResponseCycle | None:
        """The last request of this connection; before the first there is none, whatever uvicorn's types say."""
        return self.cycle

    def _wait(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._refuse, "408 Request Timeout")

    def _rest(self) -> None:
        self._taken = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: str) -> None:
        """End the connection; into a message that has had its answer none is written."""
        self._rest()
        if self._is_idle and not self._in_body and not self.transport.is_closing():
            self.transport.write(_ANSWER.format(status).encode())
        self.transport.close()
