"""Send a plan: the one stage with effects, as a loop of one coordinator that owns every decision.

Each turn chooses what may leave next (`departures.py`), hands it with everything that is owed to the line, which
commits both in one transaction before anything leaves, then hears what has come back and says what it means
(`reactions.py`, `settle.py`, `verify.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import assert_never

from sync.canary import Canary
from sync.departures import ApplySettings, Departures, Verifying
from sync.diff import decide_again
from sync.errors import CourseSyncError, InternalError, SignInLost, StoppedEarly
from sync.exchange import Forbidden, NotDelivered, Put, ReadBatch, ReadOne, Recalled, Unauthorised
from sync.frozen import replace
from sync.line import Departure, Effect, Heard, Line
from sync.model import Conflict, Outcome, RowNumber, Status, ToUpdate, Unchanged
from sync.ongoing import (
    Row,
    conflict_on_the_way,
    failed_issue,
    gone_issue,
    made_so,
    said_issue,
    say_finished,
    set_aside_issue,
    unknown_issues,
    unverified,
    verified_outcome,
)
from sync.ports import PROGRAM_ENDED, TURNED_AWAY, Clock, Events
from sync.reactions import Again, Done, Reaction, Settle, Standing, Stop, Streak, react
from sync.reading import Found, Missing, Reader, Sight
from sync.section import Json, Record
from sync.settle import Settled, settle
from sync.times import utc
from sync.verify import verify
from sync.windows import Scope

GRACE_S = 25.0
"""After a stop, so long for what is in flight."""
DEATHS_AT_MOST = 3
"""So many processes may die while they send a row; then it is left alone, and the run goes on."""
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 30.0
RESUME = "Go on later with `coursesync resume`."
GO_ON = "Go on then with `coursesync resume`, or start with --wait."


@dataclass(slots=True)
class Application:
    """One run of the coordinator over the rows that are to be sent."""

    rows: Sequence[Row]
    line: Line
    clock: Clock
    settings: ApplySettings
    events: Events
    stop_asked: Callable[[], CourseSyncError | None] = lambda: None
    """Asked every turn: a signal, or the time that the operator set."""
    canary: Canary | None = None
    """Where a few rows go first: what waits for the judgement of their stage."""
    unverified: Sequence[Verifying] = ()
    """Rows that a former process of the run sent with success, and that are to be read now."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    """By row number."""
    stopped: CourseSyncError | None = None
    _out: Departures = field(init=False)
    _by_id: Mapping[int, Row] = field(init=False)
    _effects: list[Effect] = field(default_factory=list)
    _accepted: list[RowNumber] = field(default_factory=list)
    """To be said once it is committed; a read is still to confirm it."""
    _finished_rows: list[Outcome] = field(default_factory=list)
    """To be said once they are committed."""
    _succeeded: bool = False
    _forbidden: int = 0
    _streak: Streak = field(default_factory=Streak)
    _stopped_at: float = 0.0

    def __post_init__(self) -> None:
        """Put every row into its queue: one whose last answer nobody heard is settled first."""
        self._out = Departures(self.line, self.clock, self.settings, self.canary)
        self._by_id = {row.edit.id: row for row in (*self.rows, *(each.row for each in self.unverified))}
        self._out.verifying.update((each.row.edit.id, each) for each in self.unverified)
        for row in self.rows:
            if row.intent_number is not None:
                self._take_up(row)
            elif row.attempts >= self.settings.attempts:
                issue = failed_issue("they were used up when the run stopped", row.attempts)
                self._finish(row, Done(Status.FAILED, (issue,)), close=None)
            else:
                self._out.take(row)

    def run(self) -> None:
        """Send every row, or stop early; `outcomes` and `stopped` then say what became of it."""
        while self._turn():
            pass
        self._leave_the_rest()
        self.line.let_go()
        self._commit(())

    def _take_up(self, row: Row) -> None:
        """A row of which a PUT was sent and never heard of: settled by reading, unless it is what kills the program."""
        number = row.intent_number
        if row.unheard == PROGRAM_ENDED and number is not None:
            self._effects.append(lambda batch: batch.unheard(number, reason=PROGRAM_ENDED, http_status=None))
        if row.deaths >= DEATHS_AT_MOST:
            self._finish(row, Done(Status.UNKNOWN, (set_aside_issue(row.deaths),)), close="undecided")
        else:
            self._out.settling[row.edit.id] = row

    def _turn(self) -> bool:
        """One turn; False when there is nothing more to do."""
        self._look_for_a_stop()
        self._commit(self._out.choose())
        if self._finished():
            return False
        wake_at = self._out.wake_at()
        if wake_at == inf and not self.line.in_flight:
            raise InternalError("the run waits for nothing")
        if self.stopped is not None:
            wake_at = min(wake_at, self._stopped_at + GRACE_S)
        for heard in self.line.arrivals(wake_at):
            self._hear(heard)
        return True

    # stopping ---------------------------------------------------------------------------------------------------

    def _look_for_a_stop(self) -> None:
        if self.stopped is not None:
            return
        scope = Scope.WRITE if self._out.unsent else Scope.ALL
        stop = self.stop_asked() or self.line.why_not(scope, wait_max_s=self.settings.wait_max_s, remedy=GO_ON)
        if (stop := stop or self._out.next_stage(self.outcomes, self.events)) is not None:
            self._stop(stop)
        else:
            self._out.say_pause(self.events)

    def _stop(self, reason: CourseSyncError) -> None:
        if self.stopped is None:
            self.stopped, self._stopped_at = reason, self.clock.boot()
            self._out.stopping = True
            self.line.recall()
            self.events.emit("run.stopping", reason=reason.message)

    def _finished(self) -> bool:
        out = self._out
        if self.stopped is None:
            return not (out.busy or out.waiting)
        now = self.clock.boot()
        out_of_time = now >= self._stopped_at + GRACE_S
        too_far = self.line.earliest(Scope.ALL, now) - self._stopped_at > GRACE_S
        verifying = not out.verify_reader.idle or out.may_verify(now)
        return out_of_time or not (self.line.in_flight or (verifying and not too_far))

    def _leave_the_rest(self) -> None:
        """After a stop: rows in the open are unknown until a resume settles them, the others were not attempted."""
        out, why = self._out, "the run stopped before this was settled; `coursesync resume` settles it"
        for row in (*out.sending.values(), *out.settling.values()):
            self._finish(row, Done(Status.UNKNOWN, unknown_issues(row, None, why)), close=None)
        for row in (*out.fresh, *out.later, *out.queue, *out.waiting):
            self._finish(row, Done(Status.NOT_ATTEMPTED), close=None)
        for waiting in out.verifying.values():
            self._record(waiting.row, unverified(waiting.outcome))

    # hearing ----------------------------------------------------------------------------------------------------

    def _commit(self, departures: Sequence[Departure]) -> None:
        """Write down what has become of rows, with what leaves now; only then is it said."""
        effects, self._effects = self._effects, []
        if departures or effects or self.line.owes:
            for left in reversed(self.line.depart(departures, effects)):
                self._out.put_back(left)
        accepted, self._accepted = self._accepted, []
        for row in accepted:
            self.events.emit("row.accepted", row=row)
        finished, self._finished_rows = self._finished_rows, []
        for outcome in finished:
            say_finished(outcome, self.events)

    def _hear(self, heard: Heard) -> None:
        request = heard.arrival.request
        if isinstance(request, Put):
            self._hear_put(heard, self._out.sending.pop(request.id))
            return
        if not isinstance(request, ReadBatch | ReadOne):
            raise TypeError("only batches and single sections are read here")
        reader = self._out.reader_of(request)
        try:
            sights = reader.take(
                request, heard.arrival.answer, heard.arrival.arrived_at, token_renewed=heard.token_renewed
            )
        except CourseSyncError as error:
            self._reading_failed(reader, error)
            return
        for sight in sights:
            self._see(reader, sight, read_at=heard.arrival.sent_at)

    def _reading_failed(self, reader: Reader, error: CourseSyncError) -> None:
        if reader is self._out.verify_reader:
            for waiting in self._out.verifying.values():
                self._record(waiting.row, unverified(waiting.outcome))
            self._out.verifying.clear()
            self._out.new_verify_reader()
        else:
            self._stop(StoppedEarly(error.message, remedy=f"{error.remedy} {RESUME}"))

    def _hear_put(self, heard: Heard, row: Row) -> None:
        row.intent_number = heard.intent_number
        if heard.arrival.error is not None:
            self._not_sent(row)
            return
        if isinstance(heard.arrival.answer, Recalled):  # says nothing about the server: nothing is counted
            self._again(row, Again(costs_attempt=False, reason="recalled"), heard.arrival.arrived_at)
            return
        reaction = react(heard.arrival.answer, row.edit, self._standing(heard, row))
        self._keep_count(reaction)
        match reaction:
            case Done():
                self._finish(row, reaction, close="accepted" if reaction.status is Status.UPDATED else "rejected")
            case Again():
                outage = isinstance(heard.arrival.answer, NotDelivered) and self.line.breaker.probing
                costs_attempt = reaction.costs_attempt and not outage
                self._again(row, replace(reaction, costs_attempt=costs_attempt), heard.arrival.arrived_at)
            case Settle():
                self._settle_later(row, reaction, heard.arrival.arrived_at)
            case Stop():
                self._not_sent(row)
                error = SignInLost if reaction.sign_in else StoppedEarly
                self._stop(error(reaction.message, remedy=f"{reaction.remedy} {RESUME}"))
            case _:
                assert_never(reaction)

    def _not_sent(self, row: Row) -> None:
        row.attempts -= 1
        self._close(row, TURNED_AWAY)
        self._out.queue.appendleft(row)

    def _standing(self, heard: Heard, row: Row) -> Standing:
        """Where the run stands; a row whose PUT was refused with a renewed token before is not tried once more."""
        answer = heard.arrival.answer
        self._forbidden = self._forbidden + 1 if isinstance(answer, Forbidden) else 0
        renewed, row.renewed = heard.token_renewed and not row.renewed, isinstance(answer, Unauthorised)
        return Standing(self._succeeded, self._forbidden, renewed)

    def _keep_count(self, reaction: Reaction) -> None:
        """Stop when the server rejects one row after another for the same reason: it is not the rows."""
        if not isinstance(reaction, Done):
            return
        self._succeeded = self._succeeded or reaction.status is Status.UPDATED
        rejected = self._streak.add(reaction)
        if rejected >= self.settings.stop_after:
            message = f"{rejected} rows in a row were rejected for the same reason."
            self._stop(StoppedEarly(message, remedy=f"Look at their messages and mend the cause. {RESUME}"))

    def _again(self, row: Row, again: Again, now: float) -> None:
        self._close(row, "not_applied" if again.costs_attempt else TURNED_AWAY)
        if self.settings.settle_only:
            self._finish(row, Done(Status.NOT_ATTEMPTED), close=None)
            return
        if not again.costs_attempt:
            row.attempts -= 1
        elif row.attempts >= self.settings.attempts:
            self._finish(row, Done(Status.FAILED, (failed_issue(again.reason, row.attempts),)), close=None)
            return
        elif not self.line.take_retry(after_death=again.reason == PROGRAM_ENDED):
            self._stop(StoppedEarly("Too many requests had to be repeated.", remedy=RESUME))
        else:
            pause_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** (row.attempts - 1))
            row.not_before = now + pause_s * (1 + self.line.random())
        if row.not_before <= now:
            self._out.fresh.appendleft(row)
        else:
            self._out.later.append(row)

    def _settle_later(self, row: Row, reaction: Settle, now: float) -> None:
        row.unheard, row.http_status, row.asked = reaction.reason, reaction.http_status, False
        row.settle_at = now + self.settings.settle_after_s
        if reaction.said is not None and (note := said_issue(reaction.said)) not in row.notes:
            row.notes.append(note)
        self._out.settling[row.edit.id] = row
        number = row.intent_number
        if number is not None:
            self._effects.append(
                lambda batch: batch.unheard(number, reason=reaction.reason, http_status=reaction.http_status)
            )
        self.events.emit("row.unheard", row=row.planned.row, reason=reaction.reason, http_status=reaction.http_status)

    # seeing -----------------------------------------------------------------------------------------------------

    def _see(self, reader: Reader, sight: Sight, *, read_at: float) -> None:
        row = self._by_id[sight.id]
        if reader is self._out.fresh_reader:
            self._see_fresh(row, sight, read_at=read_at)
        elif reader is self._out.settle_reader:
            self._see_settled(row, sight, read_at=read_at)
        else:
            self._see_verified(row, sight)

    def _see_fresh(self, row: Row, sight: Sight, *, read_at: float) -> None:
        if row not in self._out.queue:
            return
        self._out.queue.remove(row)
        if isinstance(sight, Missing):
            self._finish(row, Done(Status.REJECTED, (gone_issue(),), http_status=404), close=None)
            return
        decision = decide_again(row.edit, row.plan, sight.record, row.known)
        match decision:
            case ToUpdate():
                row.record, row.read_at, row.changes = sight.record, read_at, decision.changes
                self._out.fresh.append(row)
            case Conflict() if row.unheard:
                self._finish(row, Done(Status.UNKNOWN, unknown_issues(row, sight.record, row.unheard)), close=None)
            case Unchanged() if row.unheard:
                self._found_applied(row, sight.record, close=None)
            case Conflict():
                row.changes = decision.changes
                self._finish(row, Done(Status.CONFLICT, conflict_on_the_way(row, decision)), close=None)
            case Unchanged():
                self._finish(row, Done(Status.UNCHANGED), close=None)
            case _:
                raise TypeError(f"a row cannot become {decision} here")

    def _see_settled(self, row: Row, sight: Sight, *, read_at: float) -> None:
        del self._out.settling[row.edit.id]
        if isinstance(sight, Missing):
            self._finish(row, Done(Status.UNKNOWN, unknown_issues(row, None, "the section is gone")), close="undecided")
            return
        before = row.record or {}
        verdict = settle(row.changes, before=before, live=sight.record, rewritings=row.known.desired)
        match verdict:
            case Settled.APPLIED:
                self._found_applied(row, sight.record, close="applied")
            case Settled.NOT_APPLIED:
                row.record, row.read_at = sight.record, read_at
                self._again(row, Again(costs_attempt=True, reason=row.unheard), self.clock.boot())
            case Settled.UNDECIDED:
                issues = unknown_issues(row, sight.record, row.unheard)
                self._finish(row, Done(Status.UNKNOWN, issues), close="undecided")

    def _found_applied(self, row: Row, live: Record, *, close: str | None) -> None:
        """A read shows the row as asked after all; the same read verifies it."""
        updated_on, updated_by = _text(live.get("UpdatedOn")), _text(live.get("UpdatedBy"))
        self._finish(row, Done(Status.UPDATED, updated_on=updated_on, updated_by=updated_by), close=close)
        self._see_verified(row, Found(row.edit.id, live))

    def _see_verified(self, row: Row, sight: Sight) -> None:
        waiting = self._out.verifying.pop(row.edit.id, None)
        if waiting is None:
            return
        outcome = waiting.outcome
        if isinstance(sight, Missing):
            self._record(row, unverified(outcome))
            return
        verification = verify(
            outcome.changes, before=row.record or {}, live=sight.record, put_updated_on=outcome.updated_on
        )
        verified = verified_outcome(outcome, verification)
        self._record(row, verified)
        if verified.status is Status.UPDATED and verification.differs:
            remembered = made_so(outcome.changes, outcome.updated_on, sight.record)
            self._effects.append(lambda batch: batch.remember(row.edit.id, remembered))
        elif verified.status is not Status.UPDATED:
            self._effects.append(lambda batch: batch.forget(row.edit.id, tuple(verification.differs)))

    # recording --------------------------------------------------------------------------------------------------

    def _finish(self, row: Row, done: Done, *, close: str | None) -> None:
        if close is not None:
            self._close(row, close, done.http_status)
        outcome = row.outcome(done, finished_at=utc(self.clock.wall()))
        if done.status is not Status.UPDATED:
            self._record(row, outcome)
            return
        verifies = self.settings.verify
        self._record(row, outcome, is_last=not verifies)
        remembered = made_so(outcome.changes, outcome.updated_on)
        self._effects.append(lambda batch: batch.remember(row.edit.id, remembered))
        if verifies:
            self._out.verifying[row.edit.id] = Verifying(row, outcome)
            self._accepted.append(outcome.row)

    def _record(self, row: Row, outcome: Outcome, *, is_last: bool = True) -> None:
        """Write down what has become of a row; unless this is the last word on it, a read is to confirm it."""
        self.outcomes[row.planned.row] = outcome
        self._effects.append(lambda batch: batch.finish(outcome))
        if is_last:
            self._finished_rows.append(outcome)

    def _close(self, row: Row, answer: str, http_status: int | None = None) -> None:
        number, row.intent_number = row.intent_number, None
        if number is not None:
            self._effects.append(lambda batch: batch.close_intent(number, answer=answer, http_status=http_status))


def _text(value: Json) -> str | None:
    return None if value is None else str(value)
