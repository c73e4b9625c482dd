"""The Nexudus API as one call: a request goes out once, and one answer of a closed union comes back.

Nothing is decided here: no waiting, no retry, no sign-in anew. That is the coordinator's, which alone knows the
windows, the journal and the other rows.
"""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sync.adapters.addresses import target_of
from sync.adapters.answers import THROTTLE_STATUSES, answer_to
from sync.adapters.connection import USER_AGENT, Connection
from sync.adapters.exact_json import dump_body
from sync.adapters.http_answer import HttpAnswer
from sync.adapters.tokens import TokenSource
from sync.errors import InternalError
from sync.exchange import Answer, Put, ReadOne, Request

if TYPE_CHECKING:
    import httpx

RECORD_BYTES = 8 * 1024 * 1024
"""The longest answer about one section."""
BATCH_BYTES = 64 * 1024 * 1024
"""The longest answer about many."""


class SectionApi:
    """Sections of one account; safe to use from several threads at once."""

    def __init__(
        self,
        base_url: str,
        tokens: TokenSource,
        *,
        timeout_s: float,
        deadline_s: float | None = None,
        ca_file: Path | None = None,
        transport: "httpx.BaseTransport | None" = None,
        max_answer_bytes: int = RECORD_BYTES,
        max_batch_bytes: int = BATCH_BYTES,
        throttle_statuses: frozenset[int] = THROTTLE_STATUSES,
        user_agent: str = USER_AGENT,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Prepare the way; nothing is sent yet. Arguments that are not named here are those of `Connection`.

        Args:
            base_url: the address of the API, as in `https://spaces.nexudus.com/api`.
            tokens: where each request takes its token from.
            timeout_s: see `Connection`.
            deadline_s: see `Connection`.
            ca_file: see `Connection`.
            transport: see `Connection`.
            max_answer_bytes: a longer answer about one section is `Unheard`.
            max_batch_bytes: the same for an answer about many.
            throttle_statuses: see `answer_to`.
            user_agent: see `Connection`.
            wall: the time of day in seconds since the epoch.

        Raises:
            ConfigError: the base URL or the certificate file is wrong.
        """
        self._connection = Connection(
            base_url,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            ca_file=ca_file,
            transport=transport,
            user_agent=user_agent,
        )
        self._tokens = tokens
        self._max_answer_bytes = max_answer_bytes
        self._max_batch_bytes = max_batch_bytes
        self._throttle_statuses = throttle_statuses
        self._wall = wall

    @property
    def base_url(self) -> str:
        """The base URL in its normal form: what reports and `split_ids` use."""
        return self._connection.origin.base_url

    def exchange(self, request: Request, on_sent: Callable[[], None] | None = None) -> Answer:
        """Send `request` once and say what came of it; `on_sent` is called when its last byte has left.

        Raises:
            ConfigError: there is no token, as `TokenSource.in_hand` raises it.
            StoppedEarly: a token had to be fetched, and the server could not be reached.
            InternalError: the body of a PUT is not that of its section.
        """
        headers: dict[str, str] = {}
        content = None
        if isinstance(request, Put):
            if request.body.get("Id") != request.id:
                raise InternalError(f"The body of the PUT for section {request.id} is another section's.")
            content = dump_body(request.body)
            headers["Content-Type"] = "application/json"
        token = self._tokens.in_hand()
        headers["Authorization"] = f"Bearer {token.value.reveal()}"
        one = isinstance(request, (Put, ReadOne))
        answer = self._connection.send(
            "GET" if content is None else "PUT",
            target_of(request),
            headers=headers,
            content=content,
            max_bytes=self._max_answer_bytes if one else self._max_batch_bytes,
            on_sent=on_sent,
        )
        if not isinstance(answer, HttpAnswer):
            return answer
        return answer_to(
            request,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            reason=answer.reason,
            wall_now=self._wall(),
            token_generation=token.generation,
            throttle_statuses=self._throttle_statuses,
        )

    def close(self) -> None:
        """Close every connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Use as a context that closes itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()
