"""What is asked of the API and everything that can come back, as closed unions.

`adapters/answers.py` turns HTTP into an `Answer`; `apply.py` and `live.py` match on it. Whether a PUT was applied
is what tells the answers apart: `Accepted` yes; `Refused`, `Throttled`, `NotDelivered`, `Unauthorised`,
`Forbidden`, `Misdirected` and `Recalled` no; `Unheard` nobody knows until a read says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sync.model import SectionId
from sync.section import Json, Record


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Full records of many sections: `GET /content/coursesections/?id=[…]`."""

    ids: tuple[SectionId, ...]


@dataclass(frozen=True, slots=True)
class ReadOne:
    """The full record of one section: `GET /content/coursesections/{id}`."""

    id: SectionId


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page of a list, records perhaps partial: `GET /content/{entity}?page=&size=&orderBy=Id`."""

    entity: str
    """`coursesections` or `courses`."""
    page: int
    """From 1."""
    size: int
    filters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Put:
    """The update of one section: the whole record in the body."""

    id: SectionId
    body: Mapping[str, Json]


Read: TypeAlias = ReadBatch | ReadOne | ReadPage
Request: TypeAlias = Read | Put


@dataclass(frozen=True, slots=True)
class Accepted:
    """The documented success of a PUT: status, content type, shape and `Value.Id` all as they must be."""

    id: SectionId
    updated_on: str | None
    updated_by: str | None
    http_status: int


@dataclass(frozen=True, slots=True)
class ApiError:
    """One entry of the API's `Errors`, word for word."""

    property: str | None
    message: str
    attempted_value: Json = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The API said no to this record; nothing was applied, and asking again would be the same."""

    errors: tuple[ApiError, ...]
    http_status: int
    code: str
    """`api.rejected`, `api.not_found`, `api.too_large` or `api.unprocessable`."""


@dataclass(frozen=True, slots=True)
class Records:
    """The answer to a read of many: the records, in the server's order."""

    records: tuple[Record, ...]
    total: int | None = None
    """`TotalItems` of a list page; `None` for a batch."""
    has_next: bool = False


@dataclass(frozen=True, slots=True)
class OneRecord:
    """The answer to a read of one."""

    record: Record


@dataclass(frozen=True, slots=True)
class Absent:
    """A 404 on `/{id}`: no section with this Id. The only answer that means so."""

    id: SectionId


@dataclass(frozen=True, slots=True)
class Throttled:
    """409 or 429 that throttles: nothing was applied; the whole profile waits."""

    retry_after_s: float | None
    """Seconds to wait from now; `None` where the header is missing, past or cannot be read."""
    http_status: int


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """The request surely did not reach the server: refused, DNS, connect or pool time-out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unheard:
    """No answer that can be trusted came back: a PUT may or may not have been applied."""

    reason: str
    http_status: int | None = None
    said: str | None = None
    """The `Message` of the answer, where it has one: for the row's issue, and for no log."""


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """401: a bad or expired token, or a missing role; the API does not tell which."""

    token_generation: int
    """The generation of the token that was sent, so that a token is renewed once, not once a request."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """403: not documented, read as a missing role."""


@dataclass(frozen=True, slots=True)
class Misdirected:
    """A redirect, a certificate that fails, or a page for people: this is not the API's address. Never retried."""

    reason: str


@dataclass(frozen=True, slots=True)
class Recalled:
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
