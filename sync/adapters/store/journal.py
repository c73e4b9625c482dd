"""The journal of one run: what was planned, what was about to be sent, what came of it; on disk before it counts."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from sync.adapters.store.opening import Store
from sync.adapters.store.quota import QuotaLedger
from sync.adapters.store.rowtext import changes_json, changes_of, outcome_json, read, text
from sync.adapters.store.schema import desired, intents, rows, runs
from sync.errors import InternalError
from sync.failpoints import reach
from sync.model import Outcome, RunId, SectionId
from sync.ports import Clock, Desired, DesiredValue, Intent, OpenIntent
from sync.windows import Scope

_FINISH = (
    update(rows)
    .where(rows.c.run_id == bindparam("of_run"), rows.c.row == bindparam("of_row"))
    .values(status=bindparam("status"), outcome_json=bindparam("outcome_json"))
)


@dataclass(slots=True)
class StoreBatch:
    """One transaction of the store (`ports.Batch`)."""

    connection: Connection
    ledger: QuotaLedger
    clock: Clock
    run_id: RunId | None

    def reserve(self, scope: Scope) -> int | None:
        """Take a place in every window now."""
        return self.ledger.reserve(self.connection, scope)

    def answered(self, slot: int, at: float) -> None:
        """The answer of a reserved request arrived."""
        self.ledger.answered(self.connection, slot, at)

    def pause(self, until: float, *, widen: bool) -> None:
        """Let the whole profile wait."""
        self.ledger.pause(self.connection, until, widen=widen)

    def intend(self, intent: Intent) -> int:
        """Write down what is about to be sent."""
        result = self.connection.execute(
            insert(intents).values(
                run_id=self._run(),
                section_id=intent.section_id,
                attempt=intent.attempt,
                changes_json=text(changes_json(intent.changes)),
                before_json=text(intent.before),
                at_wall=self.clock.wall(),
                pid=os.getpid(),
            )
        )
        reach("intent.written")
        return int(result.lastrowid)

    def close_intent(self, number: int, *, answer: str, http_status: int | None) -> None:
        """Write down how the intent ended."""
        self.connection.execute(
            update(intents)
            .where(intents.c.number == number)
            .values(answer=answer, http_status=http_status, heard_wall=self.clock.wall())
        )

    def unheard(self, number: int, *, reason: str, http_status: int | None) -> None:
        """Write down that no answer came; the intent stays open."""
        self.connection.execute(
            update(intents)
            .where(intents.c.number == number)
            .values(unheard=reason, http_status=http_status, heard_wall=self.clock.wall())
        )

    def finish(self, outcome: Outcome) -> None:
        """Write down what became of a row."""
        self.connection.execute(
            _FINISH,
            {
                "of_run": self._run(),
                "of_row": outcome.row,
                "status": outcome.status.value,
                "outcome_json": text(outcome_json(outcome)),
            },
        )
        reach("outcome.written")

    def remember(self, section_id: SectionId, values: Desired) -> None:
        """Keep what was made so."""
        self.forget(section_id, tuple(values))
        self.connection.execute(
            insert(desired),
            [
                {
                    "section_id": section_id,
                    "field": name,
                    "sent": value.sent,
                    "stored": value.stored,
                    "updated_on": value.updated_on,
                    "run_id": self._run(),
                }
                for name, value in values.items()
            ],
        )

    def forget(self, section_id: SectionId, fields: Sequence[str]) -> None:
        """What was kept of these fields does not hold."""
        self.connection.execute(delete(desired).where(desired.c.section_id == section_id, desired.c.field.in_(fields)))

    def _run(self) -> RunId:
        if self.run_id is None:
            msg = "only a run writes rows and intents"
            raise InternalError(msg)
        return self.run_id


@dataclass(slots=True)
class RunJournal:
    """The journal of one run, or of a command that only reads (`run_id` is `None`) (`ports.Journal`)."""

    store: Store
    ledger: QuotaLedger
    run_id: RunId | None = None

    @contextmanager
    def batch(self) -> Iterator[StoreBatch]:
        """Begin a transaction."""
        with self.store.transaction() as connection:
            yield StoreBatch(connection, self.ledger, self.store.clock, self.run_id)

    def open_intents(self) -> Mapping[SectionId, Sequence[OpenIntent]]:
        """Intents of this run without an end, oldest first."""
        query = (
            select(intents)
            .where(intents.c.run_id == self.run_id, intents.c.answer.is_(None))
            .order_by(intents.c.number)
        )
        found: dict[SectionId, list[OpenIntent]] = {}
        for row in self.store.connection.execute(query):
            section_id = SectionId(row.section_id)
            intent = Intent(section_id, row.attempt, changes_of(read(row.changes_json)), read(row.before_json))
            opened = OpenIntent(intent, row.number, row.at_wall, heard=row.heard_wall is not None)
            found.setdefault(section_id, []).append(opened)
        return found

    def count(self, *, reads: int, writes: int, throttled: int, retried: int) -> None:
        """Add to the run's request counts."""
        if self.run_id is None:
            return
        with self.store.transaction() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.run_id == self.run_id)
                .values(
                    reads=runs.c.reads + reads,
                    writes=runs.c.writes + writes,
                    throttled=runs.c.throttled + throttled,
                    retried=runs.c.retried + retried,
                )
            )


def known_desired(store: Store, ids: Iterable[SectionId]) -> Mapping[SectionId, Desired]:
    """What earlier runs made so, for these sections."""
    wanted = set(ids)
    found: dict[SectionId, dict[str, DesiredValue]] = {}
    for row in store.connection.execute(select(desired)):
        if row.section_id in wanted:
            values = found.setdefault(SectionId(row.section_id), {})
            values[row.field] = DesiredValue(row.sent, row.stored, row.updated_on)
    return found
