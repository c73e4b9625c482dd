"""A line with everything around it, on a real store and a simulated server: for tests of what uses a line."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sync.adapters.store import QuotaLedger, RunJournal, open_store
from sync.breaker import Breaker
from sync.exchange import Put, ReadOne
from sync.line import Departure, Heard, Line
from sync.model import SectionId
from sync.ports import Intent
from sync.windows import Limit, Scope
from tests.simulation import FakeClock, FakeTokens, Fault, SimulatedSenders, SimulatedServer, Timeline, section
from tests.world import RUN


@dataclass
class Desk:
    """A line with everything around it."""

    clock: FakeClock
    server: SimulatedServer
    senders: SimulatedSenders
    tokens: FakeTokens
    ledger: QuotaLedger
    journal: RunJournal
    line: Line

    def put(self, number: int = 1) -> Departure:
        record = section(number)
        return Departure(Put(SectionId(number), record), Intent(SectionId(number), 1, (), record))

    def read(self, number: int = 1) -> Departure:
        return Departure(ReadOne(SectionId(number)))

    def hear(self, wait_s: float = 60.0) -> list[Heard]:
        """The next answers, over whatever wakes the line before."""
        until = self.clock.boot() + wait_s
        while not (heard := list(self.line.arrivals(until))) and self.clock.boot() < until:
            pass
        return heard

    def answers(self, wait_s: float = 60.0) -> list[object]:
        return [heard.arrival.answer for heard in self.hear(wait_s)]

    def wait_s(self, scope: Scope = Scope.ALL) -> float:
        return self.line.earliest(scope, self.clock.boot()) - self.clock.boot()


@contextmanager
def desk(
    folder: Path,
    *faults: Fault,
    limits: Sequence[Limit] = (),
    clock: FakeClock | None = None,
    latency_s: float = 0.2,
    sections: int = 8,
) -> Iterator[Desk]:
    clock = clock or FakeClock()
    server = SimulatedServer(
        Timeline(clock), [section(number) for number in range(1, sections + 1)], latency_s=latency_s
    )
    server.script += faults
    tokens = FakeTokens()
    senders = SimulatedSenders(server, tokens, places=4)
    with closing(open_store(folder / "state", clock)) as store:
        store.connection.exec_driver_sql("PRAGMA synchronous = OFF")  # no test here loses power
        ledger = QuotaLedger(limits, clock, owner=str(id(server)), give_up_s=180.0)
        journal = RunJournal(store, ledger, RUN)
        line = Line(senders, journal, ledger, tokens, clock, lambda: 0.5, Breaker(wait_max_s=900.0))
        journal.refresh()
        yield Desk(clock, server, senders, tokens, ledger, journal, line)
