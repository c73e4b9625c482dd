"""Read a list whole: page after page, and counted, since rows can shift between two pages.

A list's records may be partial: what is wanted from here is their Ids (and the titles of courses).
"""

from collections.abc import Callable, Sequence
from math import inf

from sync.errors import CourseSyncError
from sync.exchange import (
    Forbidden,
    Misdirected,
    NotDelivered,
    ReadPage,
    Records,
    Throttled,
    Unauthorised,
    Unheard,
)
from sync.line import Departure, Heard, Line
from sync.live import NOT_REACHED
from sync.ports import Clock
from sync.reading import incomplete, refused_sign_in, wrong_address
from sync.section import Record
from sync.windows import Scope

PAGE_SIZE = 200
PAGES_AT_MOST = 10_000
TRIES = 3
PAUSE_S = 0.5


def read_list(
    entity: str,
    line: Line,
    clock: Clock,
    *,
    filters: Sequence[tuple[str, str]] = (),
    stop_asked: Callable[[], CourseSyncError | None] = lambda: None,
) -> tuple[Record, ...]:
    """Give every record of the list, each Id once, in the order of Ids.

    Raises:
        StoppedEarly: the pages did not add up to the whole list, twice; or a page could not be read.
        SignInError: the server does not accept the token.
        ConfigError: this is not the API's address.
    """
    for last_try in (False, True):
        records, total = _read_pages(entity, tuple(filters), line, clock, stop_asked)
        by_id = {record["Id"]: record for record in records if isinstance(record.get("Id"), int)}
        if total is None or len(by_id) == total == len(records):
            return tuple(by_id[key] for key in sorted(by_id, key=str))
        if last_try:
            raise incomplete(
                f"the list of {entity} has {total} entries, but its pages gave {len(by_id)} different ones"
            )
    raise AssertionError


def _read_pages(
    entity: str,
    filters: tuple[tuple[str, str], ...],
    line: Line,
    clock: Clock,
    stop_asked: Callable[[], CourseSyncError | None],
) -> tuple[list[Record], int | None]:
    collected: list[Record] = []
    for number in range(1, PAGES_AT_MOST):
        page = read_page(ReadPage(entity, number, PAGE_SIZE, filters), line, clock, stop_asked)
        collected += page.records
        if not page.has_next or not page.records:
            line.settle_debts()
            return collected, page.total
    raise incomplete(f"the list of {entity} does not end")


def read_page(
    request: ReadPage,
    line: Line,
    clock: Clock,
    stop_asked: Callable[[], CourseSyncError | None] = lambda: None,
) -> Records:
    """Give one page, as it came.

    Raises:
        StoppedEarly: it could not be read.
        SignInError: the server does not accept the token.
        ConfigError: this is not the API's address.
    """
    tries = 0
    while True:
        heard = _exchange(request, line, clock, stop_asked)
        match heard.arrival.answer:
            case Records() as page:
                return page
            case Throttled():
                continue
            case Unauthorised() if heard.token_renewed:
                continue
            case Unauthorised() | Forbidden() as refusal:
                raise refused_sign_in(refusal)
            case Misdirected(reason=reason):
                raise wrong_address(reason)
            case NotDelivered(reason=reason) | Unheard(reason=reason):
                tries += 1
                if tries >= TRIES:
                    raise incomplete(reason)
                clock.sleep(PAUSE_S * 2 ** (tries - 1))
            case answer:
                raise incomplete(f"the server answered a page with {type(answer).__name__}")


def _exchange(request: ReadPage, line: Line, clock: Clock, stop_asked: Callable[[], CourseSyncError | None]) -> Heard:
    waiting = [Departure(request)]
    while True:
        wait_max_s = line.breaker.wait_max_s
        stop = stop_asked() or line.why_not(Scope.ALL, wait_max_s=wait_max_s, remedy=NOT_REACHED)
        if stop is not None:
            raise stop
        now = clock.boot()
        earliest = line.earliest(Scope.ALL, now)
        if waiting and line.places and earliest <= now:
            waiting = list(line.depart(waiting))
        line.settle_debts()
        for heard in line.arrivals(inf if not waiting or earliest == inf else earliest):
            return heard
