"""The canary of a run, rebuilt from the journal each time that the run begins or goes on."""

from collections.abc import Mapping

from sync.adapters.store.history import add_issue, open_rows, outcomes_of, rows_to_be_sent
from sync.adapters.store.made import written_by
from sync.adapters.store.opening import Store
from sync.canary import Canary, canary_text, forgiven_rows, is_unread, lifted_issue, parse_canary, stages
from sync.departures import Verifying
from sync.errors import ConfigError
from sync.frozen import Frozen
from sync.model import Edit, Outcome, PlannedRow, RowNumber, RunFacts, ToUpdate
from sync.ongoing import Row
from sync.undo import Written


class Stages(Frozen):
    """What the coordinator needs of a canary."""

    canary: Canary | None = None
    unverified: tuple[Verifying, ...] = ()


def stages_of(store: Store, facts: RunFacts) -> Stages:
    """The stages of a run as they stand: rows that were sent and never read back are to be read before all else."""
    text = canary_text(facts.issues)
    if text is None:
        return Stages()
    order = rows_to_be_sent(store, facts.run_id)
    earlier = _ended(store, facts)
    canary = Canary(
        run_id=facts.run_id,
        order=order,
        ends=stages(parse_canary(text), len(order)),
        earlier=earlier,
        forgiven=forgiven_rows(facts.issues),
    )
    unread = {row: outcome for row, outcome in earlier.items() if is_unread(outcome)}
    written = {each.row: each for each in written_by(store, facts.run_id)} if unread else {}
    return Stages(canary, tuple(_verifying(written[row], outcome) for row, outcome in unread.items() if row in written))


def go_past(store: Store, facts: RunFacts) -> RunFacts:
    """The operator has looked at the rows of the canary that did not go well: they hold the run no longer.

    Raises:
        ConfigError: the run has no canary.
    """
    if canary_text(facts.issues) is None:
        raise ConfigError(f"The run {facts.run_id} has no canary.", remedy="Resume it without --allow canary.")
    return add_issue(store, facts, lifted_issue(_ended(store, facts).values()))


def _ended(store: Store, facts: RunFacts) -> Mapping[RowNumber, Outcome]:
    """What has become of the rows that former processes of the run were through with."""
    still_open = {row.planned.row for row in open_rows(store, facts.run_id)}
    sent = frozenset(rows_to_be_sent(store, facts.run_id)) - still_open
    return {outcome.row: outcome for outcome in outcomes_of(store, facts.run_id) if outcome.row in sent}


def _verifying(written: Written, outcome: Outcome) -> Verifying:
    edit = Edit(written.row, written.id, {change.field: change.after for change in written.changes}, written.label)
    plan = ToUpdate(written.changes, updated_on=None)
    planned = PlannedRow(written.row, written.label, plan, edit)
    row = Row(planned, edit, plan, record=written.before, changes=written.changes, attempts=outcome.attempts)
    return Verifying(row, outcome)
