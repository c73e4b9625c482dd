"""Carry out a saved plan: exactly what it says, or less where somebody was there meanwhile; never anything else."""

from collections.abc import Collection, Iterable
from pathlib import Path

from sync.adapters.plan_file import plan_key
from sync.adapters.store.history import outcomes_of, runs_of_plan, unfinished_runs
from sync.adapters.store.journal import known_desired
from sync.bootstrap import Session
from sync.canary import canary_issue
from sync.diff import Known, decide
from sync.errors import PlanRefused
from sync.frozen import replace
from sync.jobs.only_run import INPUTS, only_run
from sync.jobs.proposals import Proposal, look, propose
from sync.jobs.reports import Result
from sync.jobs.restoring import send_proposal
from sync.jobs.runs import pick_up
from sync.jobs.sending import settle_open
from sync.jobs.watch import Watch
from sync.model import (
    Conflict,
    Decision,
    Gone,
    Issue,
    PlannedRow,
    SectionId,
    Severity,
    Source,
    Status,
    ToUpdate,
)
from sync.ongoing import conflict_issues, gone_issue
from sync.origin import Against
from sync.ports import Desired, StopAsked
from sync.reading import Found, Missing, Sight
from sync.savedplan import Accepted, RestingRow, SavedPlan, SavedRow, plan_checksum, plan_issue, still_accepted
from sync.sealing import check_expiry, checksum, open_sealed
from sync.section import Record


def apply_plan(
    session: Session,
    text: str,
    *,
    out: Path | None,
    watch: Watch,
    allowed: Collection[str] = (),
    canary: str | None = None,
) -> Result:
    """Decide each row of a saved plan once more, hold it against the rails, ask, send, and report on every row.

    What was lifted when the plan was made is lifted now: what is sent is no more than what was counted then. `allowed`
    lifts more. A run of this very plan that has not ended is gone on with, whether the plan has expired since or not.

    Raises:
        PlanRefused: it was edited, has expired, belongs elsewhere, or a section is another one by now.
        HeldRun: nobody approved.
        CourseSyncError: the run could not begin; nothing was sent.
    """
    settings = session.settings
    plan = open_sealed(text, plan_key(settings.state_dir), account=settings.account, base_url=settings.base_url)
    name = checksum(text)
    with only_run(session, holds=f"plan {name[:12]}"):
        unfinished = unfinished_runs(session.store)
        same = [facts for facts in unfinished if plan_checksum(facts.issues) == name]
        if not same:
            check_expiry(plan, session.clock.wall())
        for facts in unfinished:
            if facts not in same[-1:]:
                settle_open(session, facts, watch)
        if same:
            return pick_up(session, same[-1], None, out=out, watch=watch)
        issues = (plan_issue(name, plan.created_at), *([canary_issue(canary)] if canary else []))
        proposal = propose_plan(session, plan, name, watch.stop_asked, allowed=allowed, issues=issues)
        return send_proposal(session, proposal, out=out, watch=watch)


def propose_plan(
    session: Session,
    plan: SavedPlan,
    name: str,
    stop_asked: StopAsked,
    *,
    allowed: Collection[str],
    issues: tuple[Issue, ...],
) -> Proposal:
    """Read the live state of what a plan would send, and decide it; `name` is the plan's checksum.

    Raises:
        PlanRefused: a section is another one than when the plan was made.
        CourseSyncError: as `live.read_live`.
    """
    seen = look(session, stop_asked)
    saved = {row.id: row for row in plan.rows}
    accepting = {row.id: row for row in plan.rest if row.id is not None and row.accepted}
    desired = known_desired(session.store, [*saved, *accepting])
    done = _done_before(session, plan, name)
    rows = [
        _decided(saved[sight.id], sight, desired.get(sight.id, {}), done)
        if sight.id in saved
        else _resting(accepting[sight.id], sight, desired.get(sight.id, {}))
        for sight in seen.at([*saved, *accepting])
    ]
    rows += [row.planned for row in plan.rest if row.id not in accepting]
    proposal = propose(
        seen,
        "apply",
        tuple(sorted(rows, key=lambda row: row.row)),
        input_facts=plan.input,
        header_row=plan.header_row,
        allowed={*plan.allowed, *allowed},
        issues=issues,
    )
    copy = session.settings.state_dir / INPUTS / f"{plan.input.sha256}.{plan.input_format}"
    return replace(proposal, input_copy=str(copy), input_format=plan.input_format, saved_hash=plan.plan_hash)


def _done_before(session: Session, plan: SavedPlan, name: str) -> frozenset[SectionId]:
    """Sections that an earlier run of this very plan has updated: it does not do so again."""
    return frozenset(
        outcome.section_id
        for facts in runs_of_plan(session.store, plan.plan_hash)
        if plan_checksum(facts.issues) == name
        for outcome in outcomes_of(session.store, facts.run_id)
        if outcome.status is Status.UPDATED and outcome.section_id is not None
    )


def _decided(saved: SavedRow, sight: Sight, desired: Desired, done: Collection[SectionId]) -> PlannedRow:
    match sight:
        case Missing():
            return PlannedRow(saved.row, saved.label, Gone(), saved.edit, (*saved.issues, gone_issue()))
        case Found(record=record):
            return _on_record(saved, record, desired, done)


def _resting(row: RestingRow, sight: Sight, desired: Desired) -> PlannedRow:
    """A row that is not sent, with what it accepts as far as that is still what is live."""
    if isinstance(sight, Missing):
        return row.planned
    accepted = still_accepted(row.accepted, sight.record, desired)
    return replace(row.planned, accepted=accepted, issues=(*row.issues, *_accepted_no_more(row.accepted, accepted)))


def _accepted_no_more(was: Iterable[Accepted], still: Collection[str]) -> Iterable[Issue]:
    for each in was:
        if each.field not in still:
            yield Issue(
                "plan.moved",
                "has changed again since it was accepted: a new plan shows what it is now",
                each.field,
                source=Source.SYNC,
                severity=Severity.NOTE,
            )


def _on_record(saved: SavedRow, record: Record, desired: Desired, done: Collection[SectionId]) -> PlannedRow:
    """Somebody else's value is never written over, whatever the profile says: the plan's reviewer did not see it."""
    if saved.is_other(record):
        raise PlanRefused(
            f"Section {saved.id} is another one than when this plan was made.",
            remedy="Make a new plan with `coursesync plan`.",
        )
    decision = _as_saved(decide(saved.edit, record, Known(base=saved.base, desired=desired)), saved)
    if isinstance(decision, ToUpdate) and saved.id in done:
        by, on = record.get("UpdatedBy"), record.get("UpdatedOn")
        against = Against(
            updated_by=None if by is None else str(by),
            updated_on=None if on is None else str(on),
        )
        decision = Conflict(decision.changes, against)
    accepted = still_accepted(saved.accepted, record, desired)
    remarks = (*_remarks(decision, saved, record), *_accepted_no_more(saved.accepted, accepted))
    return PlannedRow(saved.row, saved.label, decision, saved.edit, (*saved.issues, *remarks), accepted)


def _as_saved(decision: Decision, saved: SavedRow) -> Decision:
    """Keep each change marked as it was planned."""
    if not isinstance(decision, ToUpdate):
        return decision
    kind_of = {change.field: change.kind for change in saved.changes}
    return replace(decision, changes=tuple(replace(change, kind=kind_of[change.field]) for change in decision.changes))


def _remarks(decision: Decision, saved: SavedRow, record: Record) -> Iterable[Issue]:
    match decision:
        case Conflict():
            yield from conflict_issues(decision, since="this plan was made")
        case ToUpdate() if saved.moved(record):
            yield Issue(
                "plan.moved",
                f"was changed in other fields since the plan was made, last by {record.get('UpdatedBy') or 'somebody'}",
                source=Source.SYNC,
                severity=Severity.NOTE,
            )
        case _:
            pass
