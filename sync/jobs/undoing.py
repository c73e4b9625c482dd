"""`undo`: take back what a run wrote, wherever nobody wrote after it."""

from collections.abc import Collection
from pathlib import Path

from sync.adapters.store.history import find_run
from sync.adapters.store.journal import known_desired
from sync.adapters.store.made import written_by
from sync.adapters.store.purging import is_gone
from sync.bootstrap import Session
from sync.errors import ConfigError
from sync.frozen import Frozen, replace
from sync.jobs.only_run import only_run
from sync.jobs.proposals import Proposal, look, propose
from sync.jobs.reports import Result
from sync.jobs.restoring import send_proposal, settle_first
from sync.jobs.watch import Watch
from sync.model import RowNumber, RunFacts
from sync.ports import StopAsked
from sync.retention import Kept
from sync.undo import given_up, ids_to_undo, plan_undo, undo_issue


class Selection(Frozen):
    """What of a run is to be undone; `None` is all of it."""

    rows: Collection[RowNumber] | None = None
    """By the rows of the run's own sheet."""
    fields: Collection[str] | None = None


def undo_run(
    session: Session, run: str, selection: Selection, *, allowed: Collection[str], out: Path | None, watch: Watch
) -> Result:
    """Plan the undo of a run, ask, send, and report on every row that the run wrote.

    Raises:
        ConfigError: there is no such run, or it wrote nothing of what was chosen.
        HeldRun: nobody approved.
        CourseSyncError: the undo could not begin; nothing was sent.
    """
    facts = _find(session, run)
    with only_run(session, holds=f"undo {facts.run_id}"):
        settle_first(session, watch)
        proposal = propose_undo(session, facts.run_id, selection, watch.stop_asked, allowed=allowed)
        return send_proposal(session, proposal, out=out, watch=watch)


def propose_undo(
    session: Session, run: str, selection: Selection, stop_asked: StopAsked, *, allowed: Collection[str]
) -> Proposal:
    """Read the live state and plan the undo; nothing is sent.

    Raises:
        ConfigError: there is no such run, or it wrote nothing of what was chosen.
        CourseSyncError: as `live.read_live`.
    """
    facts = _find(session, run)
    written = written_by(session.store, facts.run_id)
    ids = ids_to_undo(written, rows=selection.rows, fields=selection.fields)
    if not ids and selection != Selection():
        raise ConfigError(
            f"The run {facts.run_id} wrote nothing in these rows and fields.",
            remedy=f"See what it wrote: coursesync report {facts.run_id}",
        )
    seen = look(session, stop_asked)
    desired = known_desired(session.store, ids)
    rows = plan_undo(written, seen.at(ids), rows=selection.rows, fields=selection.fields, desired=desired)
    proposal = propose(
        seen,
        "undo",
        rows,
        input_facts=replace(facts.input, rows=len(rows)),
        header_row=facts.header_row,
        allowed=allowed,
        issues=(undo_issue(facts.run_id),),
    )
    return replace(proposal, undoes=facts.run_id, given_up=given_up(written, rows, fields=selection.fields))


def _find(session: Session, run: str) -> RunFacts:
    facts = find_run(session.store, run)
    if facts is None:
        raise ConfigError(f"There is no run {run!r}.", remedy="See `coursesync history`.")
    if is_gone(session.store, facts.run_id, Kept.BEFORE_IMAGES):
        raise ConfigError(
            f"The run {facts.run_id} cannot be undone: what was there before it was purged.",
            remedy="Apply a sheet with the values that you want.",
        )
    return facts
