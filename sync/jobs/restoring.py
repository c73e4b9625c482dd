"""Carry out a proposal: an ordinary run, with rails, approval, throttle, journal and report, begun without a sheet."""

from collections.abc import Sequence
from pathlib import Path

from sync.adapters.store.history import begin_run, unfinished_runs
from sync.adapters.store.made import keep_accepted, no_longer_desired
from sync.bootstrap import Session, new_run_id, who
from sync.errors import HeldRun
from sync.frozen import replace
from sync.jobs.proposals import Proposal, hash_of, proposal_report
from sync.jobs.reports import Result, kept_sheet, result_of_plan
from sync.jobs.sending import carry_out, settle_open
from sync.jobs.watch import Watch
from sync.model import Outcome, PlannedRow, RunFacts
from sync.pipeline import first_outcomes, unsent_outcomes


def settle_first(session: Session, watch: Watch) -> None:
    """Settle by reading what unfinished runs left open: nothing is put back while nobody knows what is there.

    Raises:
        CourseSyncError: it could not be settled.
    """
    for facts in unfinished_runs(session.store):
        settle_open(session, facts, watch)


def send_proposal(session: Session, proposal: Proposal, *, out: Path | None, watch: Watch) -> Result:
    """Ask, send, and report on every row; held by a rail, only report.

    Raises:
        HeldRun: nobody approved.
        CourseSyncError: the run could not begin; nothing was sent.
    """
    if proposal.judged.held:
        return show_proposal(session, proposal, out=out)
    if proposal.sends and not watch.confirm(proposal):
        raise HeldRun("Nothing was sent: the plan was not approved.", remedy="Run it again when it is.")
    if proposal.undoes is not None:
        no_longer_desired(session.store, proposal.undoes, proposal.given_up)
    first = tuple(first_outcomes(proposal.rows))
    facts = _begin(session, proposal, first)
    return carry_out(
        session,
        facts,
        proposal.rows,
        proposal.desired,
        out=out,
        watch=watch,
        checked=None,
        unsent=unsent_outcomes(first),
    )


def show_proposal(
    session: Session,
    proposal: Proposal,
    *,
    out: Path | None,
    detailed: bool = False,
    unapproved: HeldRun | None = None,
) -> Result:
    """Report on what would be sent, and send nothing; `unapproved` is why, where it was to be sent."""
    report = proposal_report(session, proposal, detailed=detailed)
    if unapproved is not None:
        report = replace(report, exit_code=unapproved.exit_code)
    folder = out or session.settings.state_dir / "reports" / report.run_id
    sheet = kept_sheet(proposal.input_copy, proposal.input.sheet, session.settings)
    result = result_of_plan(report, proposal.judged, folder, sheet=sheet)
    return replace(result, stopped=result.stopped or unapproved)


def _begin(session: Session, proposal: Proposal, first: Sequence[tuple[PlannedRow, Outcome]]) -> RunFacts:
    settings = session.settings
    facts = RunFacts(
        run_id=new_run_id(session.clock),
        command=proposal.command,
        profile=settings.profile,
        base_url=settings.base_url,
        account=settings.account,
        input=proposal.input,
        input_copy=proposal.input_copy,
        input_format=proposal.input_format,
        header_row=proposal.header_row,
        started_wall=proposal.started_wall,
        user=who(),
        issues=(*proposal.issues, *proposal.judged.issues),
        plan_hash=hash_of(session, proposal),
    )
    begin_run(session.store, facts, first)
    keep_accepted(session.store, facts.run_id, proposal.rows)
    return facts
