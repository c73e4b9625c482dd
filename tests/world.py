"""A whole run in the simulated world: plan, real store and ledger, line and coordinator; die, resume, be judged."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sync.adapters.store import QuotaLedger, RunJournal, open_store
from sync.adapters.store.history import begin_run, find_run, open_rows, outcomes_of
from sync.adapters.store.journal import known_desired
from sync.adapters.store.opening import STORE_NAME
from sync.apply import Application
from sync.breaker import Breaker
from sync.canary import canary_issue
from sync.departures import ApplySettings
from sync.errors import CourseSyncError, OutOfAllowance
from sync.exchange import Accepted, OneRecord, Put, Records, Request
from sync.jobs.canaries import Stages, go_past, stages_of
from sync.line import Line
from sync.model import Edit, InputFacts, Label, Outcome, PlannedRow, RowNumber, RunFacts, RunId, SectionId, Status
from sync.normalize import equal
from sync.pipeline import Ending, Policies, ending_code, first_outcomes, rows_to_send
from sync.plan import planned
from sync.ports import Desired
from sync.reading import Found, Missing
from sync.sandbox.windows import Limit as ServersLimit
from sync.section import Json
from sync.windows import Limit, Scope
from tests.simulation import (
    ROBOT,
    FakeClock,
    FakeTokens,
    Killed,
    Served,
    SimulatedSenders,
    SimulatedServer,
    Timeline,
    section,
)

DOCUMENTED = (
    Limit(Scope.WRITE, 60, 60),
    Limit(Scope.WRITE, 5_000, 86_400),
    Limit(Scope.ALL, 1, 0.1),
    Limit(Scope.ALL, 120, 60),
    Limit(Scope.ALL, 5_000, 3_600),
    Limit(Scope.ALL, 200_000, 86_400),
)
RUN = RunId("20260302-091407-abcd")
GIVE_UP_S = 180.0


@dataclass(slots=True)
class Heard:
    """Collects what the run says (`ports.Events`)."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    look: Callable[[], None] = lambda: None

    def emit(self, event: str, /, **facts: object) -> None:
        self.look()
        self.events.append((event, facts))

    def of(self, event: str) -> list[dict[str, object]]:
        return [facts for name, facts in self.events if name == event]


def server_limits(limits: Iterable[Limit]) -> list[ServersLimit]:
    """The same limits as the server writes them."""
    return [
        ServersLimit("write" if limit.scope is Scope.WRITE else "all", limit.count, limit.seconds) for limit in limits
    ]


class World:
    """One profile, one server, one run."""

    def __init__(
        self,
        state_dir: Path,
        edits: Mapping[int, Mapping[str, Json]],
        *,
        limits: Sequence[Limit] = (),
        latency_s: float = 0.2,
        jitter: Callable[[], float] = lambda: 0.0,
        settings: ApplySettings | None = None,
        policies: Policies | None = None,
        places: int = 8,
        canary: str | None = None,
    ) -> None:
        """`edits` says what the sheet asks for: fields by Id; sections 1 … are there for each of them."""
        self.state_dir, self.limits, self.places = state_dir, limits, places
        self.settings = settings or ApplySettings()
        self.policies = policies or Policies()
        self.canary = canary
        self.clock = FakeClock()
        self.timeline = Timeline(self.clock)
        self.server = SimulatedServer(
            self.timeline,
            [section(section_id) for section_id in edits],
            limits=server_limits(limits),
            latency_s=latency_s,
            jitter=jitter,
        )
        self.tokens = FakeTokens()
        self.heard = Heard()
        self.edits = {
            section_id: Edit(RowNumber(row), SectionId(section_id), fields, Label(str(section_id), "7", "A section"))
            for row, (section_id, fields) in enumerate(edits.items(), start=2)
        }
        self.stop_asked: Callable[[], CourseSyncError | None] = lambda: None
        self.prepare: Callable[[SimulatedSenders], None] = lambda _: None
        """Done to the senders of each start, before it begins."""
        self.intents_missing: list[int] = []
        """Sections of which a PUT left without a committed intent of its own."""
        self.lives = 0
        """Processes so far."""
        self.put_left: dict[int, int] = {}
        self.senders = SimulatedSenders(self.server, self.tokens, places=places)
        self.application: Application | None = None

    # the run ----------------------------------------------------------------------------------------------------

    def plan(self, desired: Mapping[SectionId, Desired] | None = None) -> tuple[PlannedRow, ...]:
        """Plan every edit on what the server holds now, without asking it."""
        return tuple(
            planned(
                edit,
                Found(edit.id, dict(self.server.records[edit.id]))
                if edit.id in self.server.records
                else Missing(edit.id),
                self.policies.known((desired or {}).get(edit.id, {})),
            )
            for edit in self.edits.values()
        )

    def apply(self) -> Ending:
        """Plan and carry out."""
        desired = self.desired()
        return self.apply_rows(self.plan(desired), desired)

    def apply_rows(self, rows: Sequence[PlannedRow], desired: Mapping[SectionId, Desired]) -> Ending:
        """Carry out this plan."""
        with self._open() as life:
            begin_run(life.store, self.facts(len(rows)), first_outcomes(rows))
            return life.carry_out(rows, desired)

    def resume(self) -> Ending:
        """Go on in a new process."""
        with self._open() as life:
            rows = tuple(row.planned for row in open_rows(life.store, RUN))
            return life.carry_out(rows, known_desired(life.store, [row.edit.id for row in rows if row.edit]))

    def apply_until_dead(self) -> Ending | None:
        """`apply`, or `None` if the process was killed meanwhile."""
        try:
            return self.apply()
        except Killed:
            return None

    def resume_until_finished(self, *, lives: int = 8) -> Ending:
        """Resume until a run ends by itself; stops and deaths in between are allowed."""
        for _ in range(lives):
            try:
                ending = self.resume()
            except Killed:
                continue
            if ending.stopped is None:
                return ending
            pause_s = ending.stopped.wait_s if isinstance(ending.stopped, OutOfAllowance) else 60.0
            self.timeline.run_until(self.clock.now + pause_s)
        raise AssertionError(f"not finished after {lives} resumes")

    def forget_the_run(self) -> None:
        """Make room for another run of the same sheet, in which the desired state is known."""
        with closing(sqlite3.connect(self.state_dir / STORE_NAME)) as connection:
            for table in ("runs", "rows", "intents"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
            connection.commit()

    def facts(self, rows: int) -> RunFacts:
        return RunFacts(
            run_id=RUN,
            command="apply",
            profile="test",
            base_url="https://127.0.0.1/api",
            account="test",
            input=InputFacts("sheet.xlsx", "0" * 64, "Sections", rows),
            input_copy="",
            input_format="xlsx",
            header_row=RowNumber(1),
            started_wall=self.clock.wall(),
            user="tester",
            issues=() if self.canary is None else (canary_issue(self.canary),),
        )

    def _open(self) -> "_Life":
        self.lives += 1
        return _Life(self)

    def go_past_the_canary(self) -> None:
        """The operator has looked at what did not go well."""
        with closing(open_store(self.state_dir, self.clock)) as store:
            facts = find_run(store, RUN)
            assert facts is not None
            go_past(store, facts)

    # looking ----------------------------------------------------------------------------------------------------

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """What another process sees in the store."""
        with closing(sqlite3.connect(self.state_dir / STORE_NAME)) as connection:
            return connection.execute(query).fetchall()

    def outcomes(self) -> dict[int, Outcome]:
        """By section: what the journal holds."""
        with closing(open_store(self.state_dir, self.clock)) as store:
            found = outcomes_of(store, RUN)
        return {outcome.section_id: outcome for outcome in found if outcome.section_id is not None}

    def desired(self) -> Mapping[SectionId, Desired]:
        """What was made so."""
        with closing(open_store(self.state_dir, self.clock)) as store:
            return known_desired(store, [edit.id for edit in self.edits.values()])

    def statuses(self) -> dict[int, Status]:
        return {section_id: outcome.status for section_id, outcome in self.outcomes().items()}

    def sent(self, section_id: int) -> int:
        """PUTs of this section that the server saw."""
        return len(self.server.puts_of(section_id))

    # judging ----------------------------------------------------------------------------------------------------

    def broken_promises(self) -> list[str]:
        """What is not as promised: intents (I1), true statuses (I2), bodies (I4), reads between PUTs (I5)."""
        return [
            *(f"I1: section {section_id}: a PUT left without its intent" for section_id in self.intents_missing),
            *self._untrue_statuses(),
            *self._wrong_bodies(),
        ]

    def _untrue_statuses(self) -> Iterable[str]:
        outcomes = self.outcomes()
        if set(outcomes) != set(self.edits):
            yield f"I3: rows of sections {sorted(set(outcomes) ^ set(self.edits))}"
        for section_id, outcome in outcomes.items():
            record, said_yes = self.server.records[section_id], self._said_yes(section_id)
            was_asked = self._as_asked(section_id, record)
            made_so = any(
                by == ROBOT and self._as_asked(section_id, then)
                for _, changed, by, then in self.server.history
                if changed == section_id
            )
            match outcome.status:
                case Status.UPDATED:
                    true = made_so or (said_yes and outcome.verified.value != "yes")
                case Status.UNCHANGED:
                    true = was_asked
                case Status.REJECTED | Status.NOT_ATTEMPTED:
                    true = not made_so
                case Status.FAILED:
                    true = not made_so or not was_asked
                case Status.CONFLICT:
                    true = not was_asked
                case _:
                    true = outcome.status is Status.UNKNOWN
            if not true:
                yield f"I2: section {section_id} is {outcome.status}, made so: {made_so}, as asked: {was_asked}"

    def _as_asked(self, section_id: int, record: Mapping[str, Json]) -> bool:
        fields = self.edits[section_id].values
        return all(equal(name, record[name], self.server.rewrite(name, value)) for name, value in fields.items())

    def _said_yes(self, section_id: int) -> bool:
        return any(isinstance(put.answer, Accepted) for put in self.server.puts_of(section_id))

    def _wrong_bodies(self) -> Iterable[str]:
        last_read: dict[int, tuple[Served, Mapping[str, Json]]] = {}
        last_put: dict[int, Served] = {}
        for served in sorted(self.server.seen, key=lambda served: served.sent_at):
            if not isinstance(served.request, Put):
                for record in _records_of(served):
                    last_read[int(str(record["Id"]))] = (served, record)
                continue
            section_id = served.request.id
            yield from self._wrong_body(served, last_read.get(section_id), last_put.get(section_id))
            last_put[section_id] = served

    def _wrong_body(
        self, put: Served, read: tuple[Served, Mapping[str, Json]] | None, before: Served | None
    ) -> Iterable[str]:
        assert isinstance(put.request, Put)
        section_id = put.request.id
        if read is None or read[0].answered_at > put.sent_at:
            yield f"I4: section {section_id} was sent without a read"
            return
        if put.sent_at - read[0].sent_at > self.settings.fresh_for_s:
            yield f"I4: section {section_id} was sent on a record {put.sent_at - read[0].sent_at} s old"
        unnamed = {name: value for name, value in put.request.body.items() if name not in self.edits[section_id].values}
        held = {name: value for name, value in read[1].items() if name not in self.edits[section_id].values}
        if unnamed != held:
            yield f"I4: section {section_id} was sent with another {unnamed.items() ^ held.items()}"
        if before is not None and not before.surely_not_applied and read[0].sent_at < before.at:
            yield f"I5: section {section_id} was sent twice without a read between"


def _records_of(served: Served) -> tuple[Mapping[str, Json], ...]:
    match served.answer:
        case Records(records=records):
            return records
        case OneRecord(record=record):
            return (record,)
        case _:
            return ()


class _Life:
    """One process of the run, from its opening of the store to its end, in good order or not."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = open_store(world.state_dir, world.clock)
        # Deaths are simulated here, the machine stays up: waiting for the disk would be nearly all of the test's time.
        self.store.connection.exec_driver_sql("PRAGMA synchronous = OFF")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def carry_out(self, rows: Sequence[PlannedRow], desired: Mapping[SectionId, Desired]) -> Ending:
        world = self.world
        line = self._line()
        sending = rows_to_send(
            rows,
            desired=desired,
            policies=world.policies,
            open_intents=line.journal.open_intents(),
            attempts=line.journal.attempts(),
            settle_after_s=world.settings.settle_after_s,
            clock=world.clock,
        )
        facts = find_run(self.store, RUN)
        stages = Stages() if facts is None else stages_of(self.store, facts)
        application = Application(
            sending,
            line,
            world.clock,
            world.settings,
            world.heard,
            world.stop_asked,
            stages.canary,
            stages.unverified,
        )
        world.application = application
        application.run()
        code = ending_code(application.outcomes.values(), application.stopped)
        return Ending(application.outcomes, application.stopped, code)

    def _line(self) -> Line:
        world = self.world
        ledger = QuotaLedger(world.limits, world.clock, owner=f"process-{world.lives}", give_up_s=GIVE_UP_S)
        with self.store.transaction() as connection:
            ledger.forget_old(connection)
            ledger.catch_up(connection)
        world.senders = SimulatedSenders(world.server, world.tokens, places=world.places)
        world.senders.witness = self._look_for_the_intent
        world.prepare(world.senders)
        return Line(
            senders=world.senders,
            journal=RunJournal(self.store, ledger, RUN),
            ledger=ledger,
            tokens=world.tokens,
            clock=world.clock,
            random=lambda: 0.5,
            breaker=Breaker(wait_max_s=world.settings.wait_max_s),
        )

    def _look_for_the_intent(self, request: Request) -> None:
        if isinstance(request, Put):
            world = self.world
            left = world.put_left[request.id] = world.put_left.get(request.id, 0) + 1
            ((kept,),) = world.ask(f"SELECT count(*) FROM intents WHERE section_id = {request.id}")  # noqa: S608 - a number
            if int(str(kept)) < left:
                world.intents_missing.append(request.id)
