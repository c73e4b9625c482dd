"""Runs that take hours or weeks, on a simulated clock: the real coordinator, windows and store, a simulated server."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sync.adapters.addresses import split_ids
from sync.adapters.store import QuotaLedger, RunJournal, open_store
from sync.breaker import Breaker
from sync.departures import ApplySettings
from sync.line import Line
from sync.live import read_live
from sync.model import SectionId
from sync.windows import Limit, Scope, least_makespan_s
from tests.bench.parties import FOLDER
from tests.bench.sections import FIRST_ID
from tests.simulation import FakeClock, FakeTokens, SimulatedSenders, SimulatedServer, Timeline, section
from tests.world import DOCUMENTED, World, server_limits

BASE_URL = "https://spaces.nexudus.com/api"


@dataclass(frozen=True, slots=True)
class Simulated:
    """How long a work took on the simulated clock, the least possible, and how often the server had to refuse."""

    seconds: float
    least_s: float
    throttled: int
    requests: int

    @property
    def ratio(self) -> float:
        return self.seconds / self.least_s


def simulated_apply(rows: int, *, latency_s: float) -> Simulated:
    """Every row changed, under the documented limits: from the first PUT to the last, stops over night included."""
    ids = range(FIRST_ID, FIRST_ID + rows)
    edits: Mapping[int, Mapping[str, str]] = {number: {"Title": f"New {number}"} for number in ids}
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        settings = ApplySettings(ids_per_request=ids_per_request())
        world = World(Path(folder), edits, limits=DOCUMENTED, latency_s=latency_s, settings=settings)
        ending = world.apply()
        if ending.stopped is not None:
            world.resume_until_finished(lives=3 + rows // 1_000)
        sent = [put.at for put in world.server.puts]
    return Simulated(
        max(sent) - min(sent),
        least_makespan_s(DOCUMENTED, rows),
        len(world.server.throttled),
        len(world.server.seen),
    )


def simulated_reading(rows: int, *, latency_s: float) -> Simulated:
    """The live state of every row, under the documented limits: from the first request to the last."""
    ids = [SectionId(number) for number in range(FIRST_ID, FIRST_ID + rows)]
    clock = FakeClock()
    server = SimulatedServer(
        Timeline(clock), [section(number) for number in ids], limits=server_limits(DOCUMENTED), latency_s=latency_s
    )
    tokens = FakeTokens()
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        store = open_store(Path(folder), clock)
        ledger = QuotaLedger(DOCUMENTED, clock, owner="bench", give_up_s=180.0)
        line = Line(
            senders=SimulatedSenders(server, tokens),
            journal=RunJournal(store, ledger, None),
            ledger=ledger,
            tokens=tokens,
            clock=clock,
            random=lambda: 0.5,
            breaker=Breaker(wait_max_s=900.0),
        )
        found = sum(1 for _ in read_live(ids, line, clock, ids_per_request=ids_per_request(), wait_max_s=900.0))
        store.close()
    assert found == rows
    sent = [served.at for served in server.seen]
    least_s = least_makespan_s([limit for limit in DOCUMENTED if limit.scope is Scope.ALL], len(sent))
    return Simulated(max(sent) - min(sent), least_s, len(server.throttled), len(sent))


def ids_per_request() -> int:
    """How many Ids of ten digits fit into one URL."""
    return len(split_ids([SectionId(FIRST_ID + number) for number in range(1_000)], BASE_URL)[0])


def peer_under(limits: tuple[Limit, ...], rows: int, *, latency_s: float) -> float:
    """What the plain peer's loop takes: a PUT, its answer, a second's sleep; and the next day, where it must."""
    windows = [limit for limit in limits if limit.scope is Scope.WRITE]
    at, sent = 0.0, list[float]()
    for number in range(rows):
        for limit in windows:
            if number >= limit.count:
                at = max(at, sent[number - limit.count] + limit.seconds)
        sent.append(at)
        at += latency_s + 1.0
    return sent[-1]
