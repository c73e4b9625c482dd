"""Turn Ids into reads and answers into records, without ever taking "could not read" for "nothing there". Pure state.

A batch that leaves Ids out proves nothing: they are asked singly, and only a 404 on `/{id}` means that a section is
gone. If a single read finds one, the server's batches are smaller than ours: they shrink, and the rest is asked again.
A record that lacks a field of the table is partial and read singly; one that is partial even so ends the run.

How many Ids are asked singly has no bound: each row has a right to its own 404. At most twenty of a batch are, before
the rest is asked as a batch again, so that a server with smaller batches costs twenty requests and not a hundred. A
sheet of another account is stopped earlier, by `strangers.py`, and a long row of single requests is told as it goes.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from sync.errors import ConfigError, SignInError, StoppedEarly
from sync.exchange import (
    Absent,
    Accepted,
    Answer,
    Forbidden,
    Misdirected,
    NotDelivered,
    OneRecord,
    Read,
    ReadBatch,
    ReadOne,
    ReadPage,
    Recalled,
    Records,
    Refused,
    Throttled,
    Unauthorised,
    Unheard,
)
from sync.frozen import Frozen
from sync.model import SectionId
from sync.reactions import ROLES
from sync.section import Record, missing_fields

SINGLES_A_BATCH = 20
PAUSE_FIRST_S = 0.5
PAUSE_MAX_S = 30.0


class Found(Frozen):
    """A full record."""

    id: SectionId
    record: Record


class Missing(Frozen):
    """The server said 404 to this very Id."""

    id: SectionId


Sight: TypeAlias = Found | Missing


@dataclass(slots=True)
class _Asked:
    request: ReadBatch | ReadOne
    tries: int = 0
    not_before: float = 0.0
    smaller_batch: int | None = None
    """A batch left this Id out: if it is found, batches of this size are what the server answers whole."""


@dataclass(slots=True)
class Reader:
    """What is still to be read, and what has come of it; asks nothing by itself."""

    ids_per_request: int
    attempts: int = 3
    _wanted: deque[SectionId] = field(default_factory=deque)
    _again: deque[_Asked] = field(default_factory=deque)
    _in_flight: dict[ReadBatch | ReadOne, _Asked] = field(default_factory=dict)

    def want(self, ids: Iterable[SectionId]) -> None:
        """Add Ids to what is to be read, in order."""
        self._wanted.extend(ids)

    @property
    def idle(self) -> bool:
        """Whether nothing is left to ask or to hear."""
        return not (self._wanted or self._again or self._in_flight)

    @property
    def waiting(self) -> int:
        """How many Ids are still to be asked."""
        return len(self._wanted) + sum(_size(asked.request) for asked in self._again)

    def ready_at(self, now: float) -> float | None:
        """When the next request may be taken as far as this reader is concerned; `None` if there is none to take."""
        if self._wanted:
            return now
        return min((asked.not_before for asked in self._again), default=None)

    def next_request(self, now: float) -> ReadBatch | ReadOne | None:
        """Take the next request: a repeated one that is due, else the next batch of Ids."""
        if not (self._again or self._wanted):
            return None  # asked for each PUT that leaves
        asked = next((asked for asked in self._again if asked.not_before <= now), None)
        if asked is not None:
            self._again.remove(asked)
        elif self._wanted:
            count = min(self.ids_per_request, len(self._wanted))
            asked = _Asked(ReadBatch(tuple(self._wanted.popleft() for _ in range(count))))
        else:
            return None
        self._in_flight[asked.request] = asked
        return asked.request

    def put_back(self, request: ReadBatch | ReadOne) -> None:
        """The request did not leave after all: it comes next."""
        self._again.appendleft(self._in_flight.pop(request))

    def take(self, request: Read, answer: Answer, now: float, *, token_renewed: bool) -> tuple[Sight, ...]:
        """Take in the answer to `request` and give the Ids that it settles; the rest is asked again.

        Raises:
            StoppedEarly: the read cannot be completed.
            SignInError: the server does not accept the token.
            ConfigError: this is not the API's address.
        """
        if isinstance(request, ReadPage):
            msg = "a page of a list is not read here"
            raise TypeError(msg)
        asked = self._in_flight.pop(request)
        match answer:
            case Records(records=records):
                return self._batch(asked, records)
            case OneRecord(record=record):
                return self._single(asked, record)
            case Absent(id=section_id) if asked.request == ReadOne(section_id):
                return (Missing(section_id),)
            case Absent():
                raise incomplete("the server answered 404 to another section than the one that was asked for")
            case Refused(http_status=404) if isinstance(asked.request, ReadBatch):
                return self._halve(asked.request.ids)
            case Throttled() | Recalled():
                self._again.appendleft(asked)
                return ()
            case NotDelivered(reason=reason) | Unheard(reason=reason):
                self._once_more(asked, reason, now)
                return ()
            case Unauthorised() if token_renewed:
                self._again.appendleft(asked)
                return ()
            case Unauthorised() | Forbidden():
                raise refused_sign_in(answer)
            case Misdirected(reason=reason):
                raise wrong_address(reason)
            case Refused(http_status=status):
                raise incomplete(f"the server refused a read (HTTP {status})")
            case Accepted():
                raise incomplete("the server answered a read as if it were an update")
            case _:
                assert_never(answer)

    def _once_more(self, asked: _Asked, reason: str, now: float) -> None:
        asked.tries += 1
        if asked.tries >= self.attempts:
            raise incomplete(reason)
        asked.not_before = now + min(PAUSE_MAX_S, PAUSE_FIRST_S * 2 ** (asked.tries - 1))
        self._again.append(asked)

    def _batch(self, asked: _Asked, records: tuple[Record, ...]) -> tuple[Sight, ...]:
        if not isinstance(asked.request, ReadBatch):
            raise incomplete("the server answered a read of one section with a list")
        by_id: dict[SectionId | None, Record] = {_id_of(record): record for record in records}
        whole, left_out = list[Sight](), list[SectionId]()
        for section_id in asked.request.ids:
            record = by_id.get(section_id)
            if record is None:
                left_out.append(section_id)
            elif missing_fields(record):
                self._again.append(_Asked(ReadOne(section_id)))
            else:
                whole.append(Found(section_id, record))
        self._ask_singly(tuple(left_out), smaller_batch=max(1, len(by_id) or len(asked.request.ids) // 2))
        return tuple(whole)

    def _ask_singly(self, left_out: tuple[SectionId, ...], *, smaller_batch: int | None) -> None:
        for section_id in left_out[:SINGLES_A_BATCH]:
            self._again.append(_Asked(ReadOne(section_id), smaller_batch=smaller_batch))
        self._wanted.extend(left_out[SINGLES_A_BATCH:])

    def _halve(self, ids: tuple[SectionId, ...]) -> tuple[Sight, ...]:
        """Some servers answer 404 to a whole batch for one unknown Id: find it by halves."""
        if len(ids) <= SINGLES_A_BATCH:
            self._ask_singly(ids, smaller_batch=None)
        else:
            middle = len(ids) // 2
            self._again.extend((_Asked(ReadBatch(ids[:middle])), _Asked(ReadBatch(ids[middle:]))))
        return ()

    def _single(self, asked: _Asked, record: Record) -> tuple[Sight, ...]:
        if not isinstance(asked.request, ReadOne) or _id_of(record) != asked.request.id:
            raise incomplete("the server answered with another section than the one that was asked for")
        lacking = missing_fields(record)
        if lacking:
            raise incomplete(
                f"the record of section {asked.request.id} lacks {', '.join(lacking)} and cannot be sent back whole"
            )
        if asked.smaller_batch is not None:
            self.ids_per_request = min(self.ids_per_request, asked.smaller_batch)
        return (Found(asked.request.id, record),)


def _size(request: ReadBatch | ReadOne) -> int:
    return len(request.ids) if isinstance(request, ReadBatch) else 1


def _id_of(record: Record) -> SectionId | None:
    value = record.get("Id")
    return SectionId(value) if isinstance(value, int) and not isinstance(value, bool) else None


def incomplete(reason: str) -> StoppedEarly:
    """The live state could not be read whole, so nothing is decided on it."""
    return StoppedEarly(
        f"The live sections could not be read: {reason}.", remedy="Nothing was decided on it; try again later."
    )


def refused_sign_in(answer: Unauthorised | Forbidden) -> SignInError:
    """The server does not accept the token, or the user lacks a role; the API does not tell which."""
    status = 401 if isinstance(answer, Unauthorised) else 403
    return SignInError(
        f"The server refused the sign-in ({status}): the token is wrong or has expired, or the user lacks a role.",
        remedy=f"Sign in with `coursesync login`, or give the user the roles {ROLES}.",
    )


def wrong_address(reason: str) -> ConfigError:
    """Whatever answers there, it is not the API."""
    return ConfigError(
        f"This is not the API's address: {reason.rstrip('.')}.", remedy="Check `base_url` in the profile."
    )
