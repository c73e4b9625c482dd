"""The journal of one run: what was planned, what was about to be sent, what came of it; on disk before it counts."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from sync.adapters.store.many import Many
from sync.adapters.store.opening import Store
from sync.adapters.store.quota import QuotaLedger
from sync.adapters.store.rowtext import changes_json, changes_of, outcome_json, read, text
from sync.adapters.store.schema import desired, intents, rewritings, rows, runs
from sync.adapters.store.showings import write_showing
from sync.errors import InternalError
from sync.failpoints import reach
from sync.model import Outcome, RunId, SectionId
from sync.ports import PROGRAM_ENDED, TURNED_AWAY, Clock, Desired, DesiredValue, Intent, OpenIntent, Pause, Stamp
from sync.windows import Scope

IDS_A_QUERY = 500

# Statements are built once: building one costs more than carrying it out.
_FINISH = Many(
    update(rows)
    .where(rows.c.run_id == bindparam("of_run"), rows.c.row == bindparam("of_row"))
    .values(status=bindparam("status"), outcome_json=bindparam("outcome_json"))
)
_INTEND = Many(
    insert(intents),
    *(
        "number",
        "run_id",
        "section_id",
        "attempt",
        "changes_json",
        "before_json",
        "at_wall",
        "boot_id",
        "at_boot",
        "pid",
    ),
)
_LAST_INTENT = "SELECT coalesce(max(number), 0) FROM intents"
_CLOSE = Many(
    update(intents)
    .where(intents.c.number == bindparam("of_intent"))
    .values(answer=bindparam("answer"), http_status=bindparam("http_status"), heard_wall=bindparam("heard_wall"))
)
_UNHEARD = Many(
    update(intents)
    .where(intents.c.number == bindparam("of_intent"))
    .values(
        unheard=bindparam("unheard"),
        http_status=bindparam("http_status"),
        heard_wall=bindparam("heard_wall"),
        heard_boot=bindparam("heard_boot"),
    )
)
_FORGET = Many(
    delete(desired).where(desired.c.section_id == bindparam("of_section"), desired.c.field == bindparam("of_field"))
)
_REMEMBER = Many(insert(desired).prefix_with("OR REPLACE"), *desired.c.keys())
_REWRITTEN = insert(rewritings).prefix_with("OR REPLACE")


@dataclass(slots=True)
class StoreBatch:
    """One transaction of the store (`ports.Batch`).

    What nothing in the transaction reads again is gathered and written at its end, all of a kind at once: a statement
    costs far more by itself than as one of many.
    """

    connection: Connection
    ledger: QuotaLedger
    clock: Clock
    run_id: RunId | None
    caught_up: bool = False
    """Nobody else writes while this transaction lasts: what they wrote is read once."""
    _number: int | None = None
    """Of the last intent, once one is to be written."""
    _intended: list[dict[str, object]] = field(default_factory=list)
    _finished: list[dict[str, object]] = field(default_factory=list)
    _unheard: list[dict[str, object]] = field(default_factory=list)
    _closed: list[dict[str, object]] = field(default_factory=list)
    _desired: dict[tuple[SectionId, str], dict[str, object] | None] = field(default_factory=dict)
    """By section and field what is to be kept of it, or nothing; the last word counts."""

    def reserve(self, scope: Scope) -> int | None:
        """Take a place in every window now."""
        if not self.caught_up:
            self.ledger.catch_up(self.connection)
            self.caught_up = True
        return self.ledger.reserve(self.connection, scope)

    def answered(self, slot: int, at: float) -> None:
        """Write down that the answer of a reserved request arrived."""
        self.ledger.keep_answer(self.connection, slot, at)

    def pause(self, pause: Pause) -> None:
        """Let every process of the profile wait."""
        self.ledger.keep_pause(self.connection, pause)

    def intend(self, intent: Intent) -> int:
        """Write down what is about to be sent."""
        number = self._next_number()
        self._intended.append(
            {
                "number": number,
                "run_id": self._run(),
                "section_id": intent.section_id,
                "attempt": intent.attempt,
                "changes_json": text(changes_json(intent.changes)),
                "before_json": text(intent.before),
                "at_wall": self.clock.wall(),
                "boot_id": self.clock.boot_id,
                "at_boot": self.clock.boot(),
                "pid": os.getpid(),
            }
        )
        return number

    def close_intent(self, number: int, *, answer: str, http_status: int | None) -> None:
        """Write down how the intent ended."""
        self._closed.append(
            {"of_intent": number, "answer": answer, "http_status": http_status, "heard_wall": self.clock.wall()}
        )

    def unheard(self, number: int, *, reason: str, http_status: int | None) -> None:
        """Write down that no answer came; the intent stays open."""
        self._unheard.append(
            {
                "of_intent": number,
                "unheard": reason,
                "http_status": http_status,
                "heard_wall": self.clock.wall(),
                "heard_boot": self.clock.boot(),
            }
        )

    def finish(self, outcome: Outcome) -> None:
        """Write down what became of a row."""
        self._finished.append(
            {
                "of_run": self._run(),
                "of_row": outcome.row,
                "status": outcome.status.value,
                "outcome_json": text(outcome_json(outcome)),
            }
        )
        write_showing(self.connection, outcome, by=self._run(), at_wall=self.clock.wall())
        reach("outcome.written")

    def remember(self, section_id: SectionId, values: Desired) -> None:
        """Keep what was made so."""
        for name, value in values.items():
            self._desired[section_id, name] = {
                "section_id": section_id,
                "field": name,
                "sent": value.sent,
                "stored": value.stored,
                "updated_on": value.updated_on,
                "run_id": self._run(),
                "value_json": text(value.value) if value.has_value else None,
            }
        rewritten = [
            {"run_id": self._run(), "section_id": section_id, "field": name, "stored": value.stored}
            for name, value in values.items()
            if value.stored != value.sent
        ]
        if rewritten:
            self.connection.execute(_REWRITTEN, rewritten)

    def forget(self, section_id: SectionId, fields: Sequence[str]) -> None:
        """What was kept of these fields does not hold."""
        self._desired |= dict.fromkeys(((section_id, name) for name in fields), None)

    def write(self) -> None:
        """Write what was gathered: an intent that was said to be unheard before is closed after that."""
        _INTEND.run(self.connection, self._intended)
        for _ in self._intended:
            reach("intent.written")
        _UNHEARD.run(self.connection, self._unheard)
        _CLOSE.run(self.connection, self._closed)
        _FINISH.run(self.connection, self._finished)
        gone = [key for key, values in self._desired.items() if values is None]
        _FORGET.run(self.connection, [{"of_section": section_id, "of_field": name} for section_id, name in gone])
        _REMEMBER.run(self.connection, [values for values in self._desired.values() if values is not None])

    def _next_number(self) -> int:
        """The number that the store would give the next intent: nobody else writes while this transaction lasts."""
        if self._number is None:
            self._number = int(self.connection.exec_driver_sql(_LAST_INTENT).scalar_one())
        self._number += 1
        return self._number

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
            batch = StoreBatch(connection, self.ledger, self.store.clock, self.run_id)
            yield batch
            batch.write()

    def refresh(self) -> None:
        """Take in what other processes of the profile have counted."""
        self.ledger.catch_up(self.store.connection)

    def open_intents(self) -> Mapping[SectionId, Sequence[OpenIntent]]:
        """Intents of this run without an end, oldest first."""
        query = (
            select(intents)
            .where(intents.c.run_id == self.run_id, intents.c.answer.is_(None))
            .order_by(intents.c.number)
        )
        deaths = self._deaths()
        found: dict[SectionId, list[OpenIntent]] = {}
        for row in self.store.connection.execute(query):
            section_id = SectionId(row.section_id)
            intent = Intent(section_id, row.attempt, changes_of(read(row.changes_json)), read(row.before_json))
            at = Stamp(row.at_wall, row.at_boot, row.boot_id)
            heard = row.heard_wall is not None and row.unheard != PROGRAM_ENDED
            # What is heard is heard by the process that sent it: in the same boot.
            lost = Stamp(row.heard_wall, row.heard_boot, row.boot_id) if heard else at
            opened = OpenIntent(intent, row.number, at, lost, heard=heard, deaths=deaths.get(section_id, 0))
            found.setdefault(section_id, []).append(opened)
        return found

    def attempts(self) -> Mapping[SectionId, int]:
        """Attempts that the rows of this run have used up, in all its processes."""
        counts = intents.c.answer.is_(None) | (intents.c.answer != TURNED_AWAY)
        query = select(intents.c.section_id, func.max(intents.c.attempt)).where(intents.c.run_id == self.run_id, counts)
        found = self.store.connection.execute(query.group_by(intents.c.section_id))
        return {SectionId(section_id): int(attempts) for section_id, attempts in found}

    def _deaths(self) -> Mapping[int, int]:
        """By section: PUTs of this run whose process died before it heard anything."""
        died = (intents.c.unheard == PROGRAM_ENDED) | intents.c.heard_wall.is_(None)
        query = select(intents.c.section_id, func.count()).where(intents.c.run_id == self.run_id, died)
        found = self.store.connection.execute(query.group_by(intents.c.section_id))
        return {int(section_id): int(deaths) for section_id, deaths in found}

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
    wanted = sorted(set(ids))
    found: dict[SectionId, dict[str, DesiredValue]] = {}
    for start in range(0, len(wanted), IDS_A_QUERY):
        query = select(desired).where(desired.c.section_id.in_(wanted[start : start + IDS_A_QUERY]))
        for row in store.connection.execute(query):
            values = found.setdefault(SectionId(row.section_id), {})
            values[row.field] = DesiredValue(row.sent, row.stored, row.updated_on)
    return found
