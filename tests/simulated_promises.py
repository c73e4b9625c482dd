"""The promises I1 to I5 of a simulated profile: watched as requests leave, read off its store after each command."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sync.adapters.store.opening import STORE_NAME
from sync.adapters.store.rowtext import changes_of, outcome_of, read
from sync.exchange import Accepted, OneRecord, Put, Records, Request, Throttled
from sync.model import Edit
from sync.normalize import equal
from sync.section import ACTIONS, Json, Record
from tests.simulated_profile import Profile
from tests.simulated_server import Served, ids_of

LAST = float("inf")
SERVERS_THROTTLE = 429
"""What the server's own windows answer with; its script throttles with 409."""
QUIET = frozenset({"updated", "unchanged", "skipped"})
NEVER_APPLIED = frozenset({"unchanged", "invalid", "rejected", "failed", "skipped"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A PUT that left, and the intent that was written down for it."""

    request: Put
    number: int
    run_id: str
    at: float


@dataclass(frozen=True, slots=True)
class _Row:
    run_id: str
    row: int
    section_id: int
    status: str
    verified: str
    codes: frozenset[str]
    changes: Mapping[str, Json]
    """What was asked, by field, of what was to be changed."""
    is_open: bool
    """Whether an intent of it has no end yet: nothing is said of it until a read settles it."""


@dataclass(slots=True)
class Watcher:
    """Looks at every request of a profile, and at what its commands leave behind."""

    profile: Profile
    before: Mapping[int, Record]
    """The server's records at the start."""
    sent: list[Sent] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """What was seen to be broken on the way."""
    began: dict[str, float] = field(default_factory=dict)
    """By run: the world's time at which its command was started."""
    misled: bool = False
    """The clock was set and the machine booted anew: no program can tell how old its stamps are."""

    # as requests leave ------------------------------------------------------------------------------------------

    def saw(self, request: Request) -> None:
        """Judge a request as it leaves: what must be on the disk by now?"""
        if isinstance(request, Put):
            self.broken += self._judge(request)

    def _judge(self, put: Put) -> Iterator[str]:
        taken = max((sent.number for sent in self.sent if sent.request.id == put.id), default=0)
        query = "SELECT * FROM intents WHERE section_id = ? AND answer IS NULL AND number > ? ORDER BY number DESC"
        intents = self._ask(query, put.id, taken)
        if not intents:
            yield f"I1: section {put.id}: a PUT left without a committed intent of its own"
            self.sent.append(Sent(put, taken, "", self.profile.now))
            return
        intent = intents[0]
        self.sent.append(Sent(put, intent["number"], intent["run_id"], self.profile.now))
        changes = {change.field: change.after for change in changes_of(read(intent["changes_json"]))}
        held = read(intent["before_json"])
        if any(put.body[name] != after for name, after in changes.items()):
            yield f"I1: section {put.id}: the PUT is not what its intent says"
        if {name: value for name, value in put.body.items() if name not in changes} != {
            name: value for name, value in held.items() if name not in changes
        }:
            yield f"I4: section {put.id}: the PUT is not the before-image with the changes laid over it"
        if not any(record == held for record in self._read_lately(put.id)):
            yield f"I4: section {put.id}: the before-image was not read within {self.profile.settings.fresh_for_s:g} s"
        if all(equal(name, held[name], after) for name, after in changes.items() if name not in ACTIONS):
            yield f"I5: section {put.id} was as asked, and was sent"

    def _read_lately(self, section_id: int) -> Iterator[Record]:
        oldest = self.profile.now - self.profile.settings.fresh_for_s
        for served in reversed(self.profile.server.seen):
            if served.at < oldest - 120:
                return
            if oldest <= served.sent_at and served.answered_at <= self.profile.now:
                yield from (record for record in _records_of(served) if record["Id"] == section_id)

    # after a command --------------------------------------------------------------------------------------------

    def promises(self) -> list[str]:
        """Name every promise that is broken by now."""
        if not (self.profile.settings.state_dir / STORE_NAME).exists():
            return self.broken
        return [
            *self.broken,
            *self._whole_runs(),
            *(said for row in self._rows() for said in self._true(row)),
            *self._sent_sparingly(),
            *self._never_throttled(),
        ]

    def _whole_runs(self) -> Iterator[str]:
        for run in self._ask("SELECT * FROM runs"):
            run_id = run["run_id"]
            self.began.setdefault(run_id, self.profile.now)
            asked = [edit.row for edit in self.profile.sheets[run["input_sha256"]].rows]
            rows = [row["row"] for row in self._ask("SELECT row FROM rows WHERE run_id = ? ORDER BY row", run_id)]
            if rows != asked:
                yield f"I3: run {run_id} has the rows {rows}, its sheet {asked}"
            if run["state"] != "finished":
                continue
            if self._ask("SELECT * FROM intents WHERE run_id = ? AND answer IS NULL", run_id):
                yield f"I2: run {run_id} is finished, and an intent of it is open"
            statuses = {row["status"] for row in self._ask("SELECT status FROM rows WHERE run_id = ?", run_id)}
            if run["exit_code"] != (0 if statuses <= QUIET else 4) or "not_attempted" in statuses:
                yield f"I7: run {run_id} is finished with {run['exit_code']} and the statuses {sorted(statuses)}"

    def _rows(self) -> Iterator[_Row]:
        query = """SELECT *, EXISTS (SELECT * FROM intents WHERE intents.run_id = rows.run_id
            AND intents.section_id = rows.section_id AND answer IS NULL) AS is_open FROM rows"""
        for row in self._ask(query):
            outcome = outcome_of(read(row["outcome_json"]))
            yield _Row(
                row["run_id"],
                row["row"],
                row["section_id"],
                row["status"],
                outcome.verified.value,
                frozenset(issue.code for issue in outcome.issues),
                {change.field: change.after for change in outcome.changes},
                bool(row["is_open"]),
            )

    def _true(self, row: _Row) -> Iterator[str]:
        """I2: what the journal says of a row, held against what the server did and held."""
        ours = [sent for sent in self.sent if sent.run_id == row.run_id and sent.request.id == row.section_id]
        effects = [put for put in self.profile.server.effects if any(put is sent.request for sent in ours)]
        where = f"I2: section {row.section_id} is {row.status} in run {row.run_id}"
        if row.is_open:
            return
        match row.status:
            case "updated":
                accepted = any(isinstance(served.answer, Accepted) for served in self._served(ours))
                since = min((sent.at for sent in ours), default=LAST)
                as_asked = self._was(row.section_id, row.changes, since)
                if not as_asked and not (accepted and row.verified != "yes"):
                    yield f"{where}, and was not so after {len(ours)} PUTs"
            case "unchanged":
                began = self.began.get(row.run_id, 0.0)
                if not self._was_in_parts(row.section_id, self._asked(row), began):
                    yield f"{where}, and was never as asked"
            case "conflict" | "not_attempted" if effects and "conflict.moved_on" not in row.codes:
                yield f"{where}, and was applied"
            case "unknown" if not self._ask(
                "SELECT * FROM intents WHERE run_id = ? AND section_id = ?", row.run_id, row.section_id
            ):
                yield f"{where}, and nothing was ever to be sent"
            case _:
                pass
        if row.status in NEVER_APPLIED and effects:
            yield f"{where}, and was applied"

    def _asked(self, row: _Row) -> Mapping[str, Json]:
        (run,) = self._ask("SELECT input_sha256 FROM runs WHERE run_id = ?", row.run_id)
        edits = self.profile.sheets[run["input_sha256"]].rows
        return next(edit.values for edit in edits if isinstance(edit, Edit) and edit.row == row.row)

    def _served(self, ours: list[Sent]) -> list[Served]:
        return [served for served in self.profile.server.seen if any(served.request is sent.request for sent in ours)]

    def _was(self, section_id: int, values: Mapping[str, Json], since: float) -> bool:
        """Whether the server held all these values at one moment since then."""
        return any(
            all(equal(name, record.get(name), value) for name, value in values.items() if name not in ACTIONS)
            for record in self._versions(section_id, since)
        )

    def _was_in_parts(self, section_id: int, values: Mapping[str, Json], since: float) -> bool:
        """Whether it held each of them at some moment since then: a field is left alone where the plan saw it so."""
        return all(self._was(section_id, {name: value}, since) for name, value in values.items())

    def _versions(self, section_id: int, since: float) -> Iterator[Record]:
        changes = [(at, record) for at, changed, _by, record in self.profile.server.history if changed == section_id]
        for (_, record), (until, _) in pairwise([(0.0, self.before[section_id]), *changes, (LAST, {})]):
            if until >= since:
                yield record

    def _sent_sparingly(self) -> Iterator[str]:
        """I5: a read between two PUTs whenever the first may have been applied; few PUTs, one effect a run."""
        reads = [served for served in self.profile.server.seen if not isinstance(served.request, Put)]
        runs = {(sent.run_id, sent.request.id) for sent in self.sent}
        for run_id, section_id in sorted(runs):
            ours = [sent for sent in self.sent if (sent.run_id, sent.request.id) == (run_id, section_id)]
            where = f"I5: section {section_id} in run {run_id}"
            puts = [served for served in self._served(ours) if not served.surely_not_applied]
            deaths = "SELECT * FROM intents WHERE run_id = ? AND section_id = ? AND heard_wall IS NULL"
            if len(puts) > self.profile.settings.attempts + len(self._ask(deaths, run_id, section_id)):
                yield f"{where} was sent {len(puts)} times"
            effects = [put for put in self.profile.server.effects if any(put is sent.request for sent in ours)]
            if len(effects) > 1:
                yield f"{where} was changed {len(effects)} times"
            for first, second in pairwise(puts):
                between = [read for read in reads if first.at <= read.sent_at <= second.sent_at]
                if not any(section_id in ids_of(read.request) for read in between):
                    yield f"{where} was sent again without a read between"

    def _never_throttled(self) -> Iterator[str]:
        for served in self.profile.server.seen:
            answer = served.answer
            if isinstance(answer, Throttled) and answer.http_status == SERVERS_THROTTLE and not self.misled:
                yield f"the server counted too many requests at {served.at}"

    def _ask(self, query: str, *values: object) -> list[Any]:
        """What another process sees in the store."""
        with closing(sqlite3.connect(self.profile.settings.state_dir / STORE_NAME)) as store:
            store.row_factory = sqlite3.Row
            return store.execute(query, values).fetchall()


def _records_of(served: Served) -> tuple[Record, ...]:
    match served.answer:
        case Records(records=records):
            return records
        case OneRecord(record=record):
            return (record,)
        case _:
            return ()
