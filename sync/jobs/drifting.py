"""`drift`: hold what runs made so against what the server holds now, and put it back where that is asked for."""

from collections.abc import Collection
from pathlib import Path

from sync.adapters.store.made import desired_state, forget_gone
from sync.bootstrap import Session
from sync.drift import can_drift, plan_drift
from sync.jobs.only_run import only_run
from sync.jobs.proposals import Proposal, look, propose
from sync.jobs.reports import Result
from sync.jobs.restoring import send_proposal, settle_first
from sync.jobs.watch import Watch
from sync.model import Gone, InputFacts, RowNumber
from sync.ports import StopAsked

DESIRED = "desired state"
"""What stands in the place of a sheet."""


def propose_drift(session: Session, stop_asked: StopAsked, *, allowed: Collection[str]) -> Proposal:
    """Read every section of the desired state and plan what has drifted; nothing is sent.

    Raises:
        CourseSyncError: as `live.read_live`.
    """
    desired = can_drift(desired_state(session.store))
    seen = look(session, stop_asked)
    rows = plan_drift(desired, seen.at(list(desired)))
    facts = InputFacts(DESIRED, "", "Desired", len(rows))
    return propose(seen, "drift", rows, input_facts=facts, header_row=RowNumber(1), allowed=allowed)


def restore_drift(session: Session, *, allowed: Collection[str], out: Path | None, watch: Watch) -> Result:
    """Put back what has drifted, and report on every section of the desired state.

    One that is gone is reported this once: nothing can put it back, so nothing is desired of it any more.

    Raises:
        HeldRun: nobody approved.
        CourseSyncError: the run could not begin; nothing was sent.
    """
    with only_run(session, holds=DESIRED):
        settle_first(session, watch)
        proposal = propose_drift(session, watch.stop_asked, allowed=allowed)
        result = send_proposal(session, proposal, out=out, watch=watch)
        if not proposal.judged.held:
            gone = [row.edit.id for row in proposal.rows if isinstance(row.decision, Gone) and row.edit is not None]
            forget_gone(session.store, gone)
        return result
