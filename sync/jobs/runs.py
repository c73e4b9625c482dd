"""From a plan to its end: `apply` and `resume`, under the lock, through the journal."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from sync.adapters.store.history import begin_run, open_rows, unfinished_runs, unreported_runs
from sync.adapters.store.journal import known_desired
from sync.adapters.store.made import keep_accepted
from sync.adapters.store.showings import keep_showings
from sync.bootstrap import Session, new_run_id, who
from sync.canary import canary_issue
from sync.errors import ConfigError, HeldRun
from sync.frozen import Frozen, replace
from sync.jobs.binding import check_account
from sync.jobs.canaries import go_past
from sync.jobs.heap import left_alone
from sync.jobs.only_run import keep_copy, only_run
from sync.jobs.reports import Result, known_run, order_report, result_of_plan, write_run_report
from sync.jobs.sending import carry_out, settle_open
from sync.jobs.sheets import Preview, hash_of, input_facts, plan_report, preview, refuse_invalid
from sync.jobs.watch import PickUp, Watch
from sync.model import CheckedSheet, Conflict, Outcome, RunFacts, RunId
from sync.pipeline import first_outcomes, policy_issues, unsent_outcomes
from sync.plan import to_send
from sync.ports import Events
from sync.report import exit_code_of
from sync.savedplan import plan_checksum

_AHEAD_S: Final = 60.0
"""A run that takes longer lets the process go that waits to write its report: it keeps memory, and is started again."""


def apply_sheet(
    session: Session,
    checked: CheckedSheet,
    *,
    out: Path | None,
    watch: Watch,
    allowed: Collection[str] = (),
    canary: str | None = None,
) -> Result:
    """Plan a sheet that was read, hold it against the rails, ask, send, and report on every row.

    `allowed` names the rails that the operator lifts. A plan that one holds is reported with exit code 6, and nothing
    is sent; a run that has begun is not judged again. `canary` is as `canary.parse_canary` reads it.

    An unfinished run of the same sheet is gone on with; of other unfinished runs, what is open is settled first. A run
    of the same sheet that has ended and lacks its report gets it, then the sheet is planned anew.

    Raises:
        HeldRun: nobody approved.
        CourseSyncError: the run could not begin; nothing was sent.
    """
    settings, clock = session.settings, session.clock
    path = checked.file.path
    with only_run(session, holds=str(path)):
        refuse_invalid(checked, settings)
        for facts in unreported_runs(session.store):
            if _is_same(facts, checked, path):
                report_ended(session, facts, out=None, watch=watch, checked=checked)
        unfinished = unfinished_runs(session.store)
        same = [facts for facts in unfinished if _is_same(facts, checked, path)]
        for facts in unfinished:
            if facts not in same[-1:]:
                settle_open(session, facts, watch)
        if same:
            return pick_up(session, same[-1], checked, out=out, watch=watch)
        _say_pause(session, watch.events)
        started = clock.wall()
        shown = preview(session, checked, watch.stop_asked, allowed=allowed)
        if shown.judged.held:
            return _held(session, shown, out)
        if to_send(shown.rows) and not watch.confirm(shown):
            raise HeldRun("Nothing was sent: the plan was not approved.", remedy="Run it again when it is.")
        if shown.cost.seconds > _AHEAD_S:
            session.own.close()
        begun = _begin(session, shown, started, canary)
        return carry_out(
            session,
            begun.facts,
            shown.rows,
            shown.desired,
            out=out,
            watch=watch,
            checked=checked,
            unsent=begun.unsent,
            over_wall=begun.over_wall,
        )


def run_to_resume(session: Session, run: str | None) -> RunFacts | None:
    """The run of this name, or the last one that is not finished, its report included; `None` if nothing waits.

    Raises:
        ConfigError: there is no such run, or nothing of it is left to do.
    """
    waiting = sorted(
        (*unfinished_runs(session.store), *unreported_runs(session.store)), key=lambda facts: facts.started_wall
    )
    if run is None:
        return waiting[-1] if waiting else None
    facts = known_run(session.store, run)
    if facts.state == "finished" and facts.reported:
        raise ConfigError(f"The run {facts.run_id} has ended.", remedy="Apply its sheet again instead.")
    return facts


def resume_run(
    session: Session,
    run_id: RunId,
    *,
    out: Path | None,
    watch: Watch,
    past_canary: bool = False,
    checked: CheckedSheet | None = None,
) -> Result:
    """Go on with a run: settle what is open, decide anew and send what is left; write its report if only that is.

    `past_canary`: the operator has looked at what of the canary did not go well. `checked` is the run's sheet where it
    has just been read: it saves reading the kept copy again.

    Raises:
        CourseSyncError: the run could not go on; nothing was sent.
    """
    with only_run(session, holds=known_run(session.store, run_id).input.path):
        facts = known_run(session.store, run_id)
        if facts.state == "finished":
            return report_ended(session, facts, out=out, watch=watch, checked=checked)
        facts = go_past(session.store, facts) if past_canary else facts
        return _go_on(session, facts, out=out, watch=watch, checked=checked)


def report_ended(
    session: Session, facts: RunFacts, *, out: Path | None, watch: Watch, checked: CheckedSheet | None = None
) -> Result:
    """Write the report of a run that has ended, and say so: its process died before that was done.

    Raises:
        FileNotWritten: it cannot be written.
    """
    result = write_run_report(session.store, session.settings, facts.run_id, out=out, checked=checked)
    watch.events.emit("run.reported", run_id=facts.run_id, out=str(result.out))
    return result


def _is_same(facts: RunFacts, checked: CheckedSheet, path: Path) -> bool:
    """The same content under the same name: then the operator means the same run, and not the undo of one."""
    return (
        facts.command == "apply"
        and plan_checksum(facts.issues) is None
        and facts.input.sha256 == checked.file.sha256
        and Path(facts.input.path).resolve() == path.resolve()
    )


def _held(session: Session, shown: Preview, out: Path | None) -> Result:
    report = plan_report(session, shown, command="apply")
    folder = out or session.settings.state_dir / "reports" / report.run_id
    return result_of_plan(report, shown.judged, folder, sheet=shown.checked, own=session.own)


def _say_pause(session: Session, events: Events) -> None:
    """Say why nothing is asked yet, where an earlier command was told to wait."""
    pause = session.ledger.paused(session.clock.boot())
    if pause is not None:
        seconds = round(pause.until - session.clock.boot())
        events.emit("run.waiting", why=pause.words(session.clock), seconds=seconds)


def pick_up(
    session: Session, facts: RunFacts, checked: CheckedSheet | None, *, out: Path | None, watch: Watch
) -> Result:
    """Go on with an unfinished run instead of beginning anew, if that is approved.

    Raises:
        HeldRun: it is not.
        CourseSyncError: the run could not go on; nothing was sent.
    """
    left = sum(1 for _ in open_rows(session.store, facts.run_id))
    watch.events.emit("run.picked_up", run_id=facts.run_id, rows_left=left)
    if left and not watch.confirm(PickUp(facts, left)):
        raise HeldRun("Nothing was sent: going on was not approved.", remedy="Run it again when it is.")
    return _go_on(session, facts, out=out, watch=watch, checked=checked)


def _go_on(
    session: Session, facts: RunFacts, *, out: Path | None, watch: Watch, checked: CheckedSheet | None = None
) -> Result:
    _say_pause(session, watch.events)
    check_account(session, session.line(), watch.stop_asked)
    rows = tuple(row.planned for row in open_rows(session.store, facts.run_id))
    ids = [row.edit.id for row in rows if row.edit is not None]
    desired = known_desired(session.store, ids)
    return carry_out(session, facts, rows, desired, out=out, watch=watch, checked=checked)


class _Begun(Frozen):
    """A run that has just been written down."""

    facts: RunFacts
    unsent: tuple[Outcome, ...]
    """The outcomes of its rows that are not to be sent."""
    over_wall: float | None
    """When all was done, if nothing is to be sent."""


@left_alone()
def _begin(session: Session, shown: Preview, started_wall: float, canary: str | None) -> _Begun:
    """Write the run down; where nothing is to be sent, its report.xlsx is made meanwhile."""
    settings = session.settings
    checked = shown.checked
    facts = RunFacts(
        run_id=new_run_id(session.clock),
        command="apply",
        profile=settings.profile,
        base_url=settings.base_url,
        account=settings.account,
        input=input_facts(checked),
        input_copy=str(keep_copy(checked, settings.state_dir)),
        input_format=checked.file.format,
        header_row=checked.header_row,
        started_wall=started_wall,
        user=who(),
        issues=(
            *checked.issues,
            *policy_issues(session.policies),
            *shown.judged.issues,
            *([canary_issue(canary)] if canary else []),
        ),
        plan_hash=hash_of(session, shown),
    )
    first = tuple(first_outcomes(shown.rows))
    unsent, over_wall = unsent_outcomes(first), None
    if len(unsent) == len(first):
        over_wall = session.clock.wall()
        order_report(settings, session.own, _over(facts, unsent, over_wall), unsent, checked)
    begin_run(session.store, facts, first)
    conflicts = (outcome for row, outcome in first if isinstance(row.decision, Conflict))
    keep_showings(session.store, conflicts, by=facts.run_id)
    keep_accepted(session.store, facts.run_id, shown.rows)
    return _Begun(facts, unsent, over_wall)


def _over(facts: RunFacts, outcomes: Iterable[Outcome], over_wall: float) -> RunFacts:
    """What the journal will say of a run that has nothing to send, if nothing comes between."""
    return replace(facts, state="finished", exit_code=exit_code_of(outcomes), finished_wall=over_wall)
