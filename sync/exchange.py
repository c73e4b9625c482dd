"""What is asked of the API and everything that can come back, as closed unions.

`adapters/answers.py` turns HTTP into an `Answer`; `apply.py` and `live.py` match on it. Whether a PUT was applied
is what tells the answers apart: `Accepted` yes; `Refused`, `Throttled`, `NotDelivered`, `Unauthorised`,
`Forbidden`, `Misdirected` and `Recalled` no; `Unheard` nobody knows until a read says so.
"""

from collections.abc import Mapping
from typing import TypeAlias

from sync.frozen import Frozen
from sync.model import SectionId
from sync.section import Json, Record


class ReadBatch(Frozen):
    """Full records of many sections: `GET /content/coursesections/?id=[…]`."""

    ids: tuple[SectionId, ...]


class ReadOne(Frozen):
    """The full record of one section: `GET /content/coursesections/{id}`."""

    id: SectionId


class ReadPage(Frozen):
    """A page of a list, records perhaps partial: `GET /content/{entity}?page=&size=&orderBy=Id`."""

    entity: str
    """`coursesections` or `courses`."""
    page: int
    """From 1."""
    size: int
    filters: tuple[tuple[str, str], ...] = ()


class Put(Frozen):
    """The update of one section: the whole record in the body."""

    id: SectionId
    body: Mapping[str, Json]


Read: TypeAlias = ReadBatch | ReadOne | ReadPage
Request: TypeAlias = Read | Put


class Accepted(Frozen):
    """The documented success of a PUT: status, content type, shape and `Value.Id` all as they must be."""

    id: SectionId
    updated_on: str | None
    updated_by: str | None
    http_status: int


class ApiError(Frozen):
    """One entry of the API's `Errors`, word for word."""

    property: str | None
    message: str
    attempted_value: Json = None


class Refused(Frozen):
    """The API said no to this record; nothing was applied, and asking again would be the same."""

    errors: tuple[ApiError, ...]
    http_status: int
    code: str
    """`api.rejected`, `api.not_found`, `api.too_large` or `api.unprocessable`."""


class Records(Frozen):
    """The answer to a read of many: the records, in the server's order."""

    records: tuple[Record, ...]
    total: int | None = None
    """`TotalItems` of a list page; `None` for a batch."""
    has_next: bool = False


class OneRecord(Frozen):
    """The answer to a read of one."""

    record: Record


class Absent(Frozen):
    """A 404 on `/{id}`: no section with this Id. The only answer that means so."""

    id: SectionId


class Throttled(Frozen):
    """409 or 429 that throttles: nothing was applied; the whole profile waits."""

    retry_after_s: float | None
    """Seconds to wait from now; `None` where the header is missing, past or cannot be read."""
    http_status: int


class NotDelivered(Frozen):
    """The request surely did not reach the server: refused, DNS, connect or pool time-out."""

    reason: str


class Unheard(Frozen):
    """No answer that can be trusted came back: a PUT may or may not have been applied."""

    reason: str
    http_status: int | None = None
    said: str | None = None
    """The `Message` of the answer, where it has one: for the row's issue, and for no log."""


class Unauthorised(Frozen):
    """401: a bad or expired token, or a missing role; the API does not tell which."""

    token_generation: int
    """The generation of the token that was sent, so that a token is renewed once, not once a request."""


class Forbidden(Frozen):
    """403: not documented, read as a missing role."""


class Misdirected(Frozen):
    """A redirect, a certificate that fails, or a page for people: this is not the API's address. Never retried."""

    reason: str


class Recalled(Frozen):
    """No answer of the server: we took the request back before its first byte left."""


Answer: TypeAlias = (
    Accepted
    | Refused
    | Records
    | OneRecord
    | Absent
    | Throttled
    | NotDelivered
    | Unheard
    | Unauthorised
    | Forbidden
    | Misdirected
    | Recalled
)


def is_yes(answer: Answer) -> bool:
    """Whether the server gave what was asked for; after anything else nobody sends on without a second thought."""
    return isinstance(answer, Accepted | Records | OneRecord | Absent)
