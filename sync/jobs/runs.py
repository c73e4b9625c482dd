"""From a plan to its end: `apply` and `resume`, under the lock, through the journal."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sync.adapters.lock import run_lock
from sync.adapters.store.history import (
    begin_run,
    end_run,
    open_rows,
    outcomes_of,
)
from sync.adapters.store.journal import known_desired
from sync.bootstrap import Session, new_run_id, who
from sync.errors import HeldRun
from sync.jobs.reports import Result, write_run_report
from sync.jobs.sheets import Preview, hash_of, input_facts, preview, read_sheet, refuse_invalid
from sync.model import (
    CheckedSheet,
    Issue,
    PlannedRow,
    RunFacts,
    SectionId,
    Severity,
    Source,
)
from sync.pipeline import Ending, first_outcomes, rows_to_send, send
from sync.plan import to_send
from sync.ports import Desired, Events, StopAsked
from sync.report import exit_code_of
from sync.times import utc


def apply_sheet(
    session: Session,
    path: Path,
    *,
    out: Path | None,
    confirm: Callable[[Preview], bool],
    events: Events,
    stop_asked: StopAsked,
) -> Result:
    """Plan the sheet, ask, send, and report on every row.

    Raises:
        HeldRun: nobody approved.
        CourseSyncError: the run could not begin; nothing was sent.
    """
    settings, clock = session.settings, session.clock
    with run_lock(settings.state_dir / "run.lock", since=utc(clock.wall()), holds=str(path)):
        checked = read_sheet(path, settings)
        refuse_invalid(checked, settings)
        started = clock.wall()
        shown = preview(session, checked, stop_asked)
        if to_send(shown.rows) and not confirm(shown):
            raise HeldRun("Nothing was sent: the plan was not approved.", remedy="Run it again when it is.")
        facts = _begin(session, shown, started)
        return _carry_out(session, facts, shown.rows, shown.desired, out=out, events=events, stop_asked=stop_asked)


def resume_run(session: Session, facts: RunFacts, *, out: Path | None, events: Events, stop_asked: StopAsked) -> Result:
    """Go on with a run that has not ended: settle what is open, decide anew and send what is left.

    Raises:
        CourseSyncError: the run could not go on; nothing was sent.
    """
    settings, clock = session.settings, session.clock
    with run_lock(settings.state_dir / "run.lock", since=utc(clock.wall()), holds=facts.input.path):
        rows = tuple(row.planned for row in open_rows(session.store, facts.run_id))
        ids = [row.edit.id for row in rows if row.edit is not None]
        desired = known_desired(session.store, ids)
        return _carry_out(session, facts, rows, desired, out=out, events=events, stop_asked=stop_asked)


def _begin(session: Session, shown: Preview, started_wall: float) -> RunFacts:
    settings = session.settings
    checked = shown.checked
    facts = RunFacts(
        run_id=new_run_id(session.clock),
        command="apply",
        profile=settings.profile,
        base_url=settings.base_url,
        account=settings.account,
        input=input_facts(checked),
        input_copy=str(_keep_copy(checked, settings.state_dir)),
        input_format=checked.file.format,
        header_row=checked.header_row,
        started_wall=started_wall,
        user=who(),
        issues=checked.issues,
        plan_hash=hash_of(session, shown),
    )
    begin_run(session.store, facts, first_outcomes(shown.rows))
    return facts


def _carry_out(
    session: Session,
    facts: RunFacts,
    rows: Sequence[PlannedRow],
    desired: Mapping[SectionId, Desired],
    *,
    out: Path | None,
    events: Events,
    stop_asked: StopAsked,
) -> Result:
    clock, settings = session.clock, session.settings
    line = session.line(facts.run_id)
    sending = rows_to_send(
        rows,
        desired=desired,
        policies=session.policies,
        open_intents=line.journal.open_intents(),
        settle_after_s=settings.settle_after_s,
        clock=clock,
    )
    events.emit("run.started", run_id=facts.run_id, rows=facts.input.rows, to_send=len(sending))
    ending = send(sending, line, clock, settings=session.apply_settings, events=events, stop_asked=stop_asked)
    counts = line.counts
    line.journal.count(reads=counts.reads, writes=counts.writes, throttled=counts.throttled, retried=counts.retried)
    code = _end(session, facts, ending)
    events.emit("run.finished", run_id=facts.run_id, exit_code=code)
    return write_run_report(session.store, settings, facts.run_id, out=out, stopped=ending.stopped)


def _end(session: Session, facts: RunFacts, ending: Ending) -> int:
    everything = outcomes_of(session.store, facts.run_id)
    code = ending.exit_code if ending.stopped is not None else exit_code_of(everything)
    stop = None
    if ending.stopped is not None:
        stop = Issue("run.stopped", str(ending.stopped), source=Source.SYNC, severity=Severity.NOTE)
    end_run(
        session.store,
        facts.run_id,
        state="stopped" if ending.stopped is not None else "finished",
        exit_code=code,
        finished_wall=session.clock.wall(),
        quota=session.ledger.use(session.clock.boot()),
        stop=stop,
    )
    return code


def _keep_copy(checked: CheckedSheet, state_dir: Path) -> Path:
    folder = state_dir / "inputs"
    folder.mkdir(mode=0o700, exist_ok=True)
    copy = folder / f"{checked.file.sha256}.{checked.file.format}"
    if not copy.exists():
        partial = copy.with_suffix(".partial")
        shutil.copyfile(checked.file.path, partial)
        partial.chmod(0o600)
        partial.replace(copy)
    return copy
