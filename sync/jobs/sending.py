"""A run that is written down: send its rows, settle what is open, end it for now or for good, report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sync.adapters.store.history import end_run, open_rows, statuses_of
from sync.adapters.store.journal import known_desired
from sync.adapters.store.opening import Store
from sync.adapters.store.orders import STOP, take_requests
from sync.bootstrap import Session
from sync.canary import STOPPED
from sync.errors import AGAIN, CanaryStopped, CourseSyncError, StoppedEarly
from sync.for_good import exit_code_for_good, stopped_for_good
from sync.frozen import replace
from sync.jobs.asked import asked_of
from sync.jobs.canaries import stages_of
from sync.jobs.reports import Result, write_run_report
from sync.jobs.watch import Watch
from sync.line import Line
from sync.logs import bound
from sync.model import (
    CheckedSheet,
    Issue,
    Outcome,
    PlannedRow,
    QuotaUse,
    RunFacts,
    RunId,
    SectionId,
    Severity,
    Source,
)
from sync.ongoing import Row, say_finished
from sync.pipeline import Ending, ending_code, policies_of, rows_to_send, send
from sync.ports import Desired
from sync.report import exit_code_by
from sync.savedplan import plan_checksum


def carry_out(
    session: Session,
    facts: RunFacts,
    rows: Sequence[PlannedRow],
    desired: Mapping[SectionId, Desired],
    *,
    out: Path | None,
    watch: Watch,
    checked: CheckedSheet | None,
    unsent: Sequence[Outcome] = (),
    over_wall: float | None = None,
) -> Result:
    """Send the rows of a run that is written down, end it, and report on every row of it; each event names the run.

    `unsent` are the outcomes of its rows that are not to be sent, where the run has just been begun; `over_wall` is
    when all of it was done, where it was before anything could be sent.

    Raises:
        CourseSyncError: the store could not be written.
    """
    with bound(run_id=facts.run_id):
        with asked_of(session, facts.run_id) as asked:
            listening = replace(watch, stop_asked=lambda: watch.stop_asked() or asked.stop_asked())
            ending = _send_all(session, facts, rows, desired, listening, unsent=unsent)
        by = asked.for_good_by if isinstance(ending.stopped, StoppedEarly) else None
        if by is not None:
            ending = _settled(session, facts, ending, watch)
        if by is not None and ending.stopped is None:
            code = end_for_good(session.store, facts.run_id, by=by, quota=session.ledger.use(session.clock.boot()))
        else:
            code = _end(session, facts, ending, over_wall=over_wall)
        watch.events.emit("run.finished", run_id=facts.run_id, exit_code=code)
        return write_run_report(
            session.store,
            session.settings,
            facts.run_id,
            out=out,
            stopped=ending.stopped,
            checked=checked,
            unsent=unsent,
            own=session.own,
        )


def settle_open(session: Session, facts: RunFacts, watch: Watch, *, event: str = "run.settling") -> None:
    """Settle by reading what an unfinished run left open, and send nothing: it stays to be resumed.

    Raises:
        CourseSyncError: it could not be settled, so nothing else may be sent.
    """
    line = session.line(facts.run_id)
    opened = line.journal.open_intents()
    if not opened:
        return
    watch.events.emit(event, run_id=facts.run_id, rows=len(opened))
    rows = [row.planned for row in open_rows(session.store, facts.run_id) if row.edit.id in opened]
    settings = replace(session.apply_settings, settle_only=True)
    ending = send(
        _sending(session, line, rows, known_desired(session.store, opened), facts=facts),
        line,
        session.clock,
        settings=settings,
        events=watch.events,
        stop_asked=watch.stop_asked,
    )
    _count(line)
    if ending.stopped is not None:
        raise ending.stopped


def end_for_good(store: Store, run_id: RunId, *, by: str, quota: Sequence[QuotaUse]) -> int:
    """Write down that a run of which nothing is open has ended, whatever of it was not reached; give its exit code."""
    code = exit_code_for_good(statuses_of(store, run_id))
    end_run(
        store,
        run_id,
        state="finished",
        exit_code=code,
        finished_wall=store.clock.wall(),
        quota=quota,
        stop=stopped_for_good(by),
    )
    take_requests(store, run_id, STOP)
    return code


def _settled(session: Session, facts: RunFacts, ending: Ending, watch: Watch) -> Ending:
    """Before a run ends for good nothing of it may be open; what cannot be settled now keeps it from ending so."""
    try:
        settle_open(session, facts, watch, event="run.ending")
    except CourseSyncError as error:
        stop = _of_run(facts.run_id, error)
        return replace(ending, stopped=stop, exit_code=ending_code((), stop))
    return replace(ending, stopped=None)


def _send_all(
    session: Session,
    facts: RunFacts,
    rows: Sequence[PlannedRow],
    desired: Mapping[SectionId, Desired],
    watch: Watch,
    *,
    unsent: Sequence[Outcome],
) -> Ending:
    line = session.line(facts.run_id)
    sending = _sending(session, line, rows, desired, facts=facts)
    stages = stages_of(session.store, facts)
    settings = session.apply_settings
    watch.events.emit("run.started", run_id=facts.run_id, rows=facts.input.rows, to_send=len(sending))
    for outcome in unsent:  # each row of the sheet has one event, as those that are sent will have theirs
        say_finished(outcome, watch.events)
    watch.events.emit("sending.started", to_send=len(sending))
    ending = send(
        sending,
        line,
        session.clock,
        settings=settings if stages.canary is None else replace(settings, verify=True),
        events=watch.events,
        stop_asked=lambda: _of_run(facts.run_id, watch.stop_asked()),
        canary=stages.canary,
        unverified=stages.unverified,
    )
    _count(line)
    return ending


def _of_run(run_id: RunId, stop: CourseSyncError | None) -> CourseSyncError | None:
    """A request to stop, once there is a run that can go on; one that names its own way on keeps it."""
    if stop is not None and stop.remedy == AGAIN:
        stop.remedy = f"What was in flight is settled or open in the journal; go on with `coursesync resume {run_id}`."
    return stop


def _sending(
    session: Session, line: Line, rows: Sequence[PlannedRow], desired: Mapping[SectionId, Desired], *, facts: RunFacts
) -> list[Row]:
    # What is decided beforehand is decided for sheets: what puts something back, or was reviewed, overwrites nobody.
    for_sheets = facts.command == "apply" and plan_checksum(facts.issues) is None
    policies = policies_of(facts.issues)
    policies = policies if for_sheets else replace(policies, on_conflict="refuse")
    return rows_to_send(
        rows,
        desired=desired,
        policies=policies,
        open_intents=line.journal.open_intents(),
        attempts=line.journal.attempts(),
        settle_after_s=session.settings.settle_after_s,
        clock=session.clock,
    )


def _count(line: Line) -> None:
    counts = line.counts
    line.journal.count(reads=counts.reads, writes=counts.writes, throttled=counts.throttled, retried=counts.retried)


def _end(session: Session, facts: RunFacts, ending: Ending, *, over_wall: float | None) -> int:
    present = statuses_of(session.store, facts.run_id)
    code = ending.exit_code if ending.stopped is not None else exit_code_by(present)
    stop = None
    if ending.stopped is not None:
        kind = STOPPED if isinstance(ending.stopped, CanaryStopped) else "run.stopped"
        stop = Issue(kind, str(ending.stopped), source=Source.SYNC, severity=Severity.NOTE)
    end_run(
        session.store,
        facts.run_id,
        state="stopped" if ending.stopped is not None else "finished",
        exit_code=code,
        finished_wall=session.clock.wall() if over_wall is None or stop is not None else over_wall,
        quota=session.ledger.use(session.clock.boot()),
        stop=stop,
    )
    return code
