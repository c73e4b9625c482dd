"""Read the live state whole, before anything is decided: batches of full records through the line."""

from collections.abc import Callable, Iterable, Iterator
from math import inf

from sync.errors import CourseSyncError
from sync.exchange import ReadBatch, ReadOne
from sync.line import Departure, Line
from sync.model import SectionId
from sync.ports import Clock
from sync.reading import Reader, Sight
from sync.windows import Scope

NOT_REACHED = "Nothing was sent; try again later."


def read_live(
    ids: Iterable[SectionId],
    line: Line,
    clock: Clock,
    *,
    ids_per_request: int,
    wait_max_s: float,
    stop_asked: Callable[[], CourseSyncError | None] = lambda: None,
) -> Iterator[Sight]:
    """Give every Id's full record, or that the server says it is gone; in the order in which answers come.

    Raises:
        StoppedEarly: the read is not complete, so nothing may be decided on it.
        SignInError: the server does not accept the token.
        ConfigError: this is not the API's address.
    """
    reader = Reader(ids_per_request)
    reader.want(ids)
    try:
        while not reader.idle:
            stop = stop_asked() or line.why_not(Scope.ALL, wait_max_s=wait_max_s, remedy=NOT_REACHED)
            if stop is not None:
                raise stop
            _ask(reader, line, clock)
            for heard in line.arrivals(_wake_at(reader, line, clock)):
                request = heard.arrival.request
                if isinstance(request, ReadBatch | ReadOne):
                    yield from reader.take(
                        request, heard.arrival.answer, heard.arrival.arrived_at, token_renewed=heard.token_renewed
                    )
        line.settle_debts()
    finally:
        line.let_go()


def _ask(reader: Reader, line: Line, clock: Clock) -> None:
    """Let leave what may leave now; what is owed is committed in any case."""
    now, departures = clock.boot(), list[Departure]()
    while (
        len(departures) < min(line.places, line.ledger.at_once)
        and line.earliest(Scope.ALL, now) <= now
        and (request := reader.next_request(now)) is not None
    ):
        departures.append(Departure(request))
    if departures:
        for left in line.depart(departures):
            if isinstance(left.request, ReadBatch | ReadOne):
                reader.put_back(left.request)
    else:
        line.settle_debts()


def _wake_at(reader: Reader, line: Line, clock: Clock) -> float:
    now = clock.boot()
    ready_at = reader.ready_at(now)
    if ready_at is None or line.places == 0:
        return inf
    return max(ready_at, line.earliest(Scope.ALL, now))
