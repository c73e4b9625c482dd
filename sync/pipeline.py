"""The stages in their order, nothing else: read live, plan, begin, send, end, report."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Literal

from sync.apply import Application
from sync.base import exported_places, is_another, refuse_other_sections
from sync.canary import Canary
from sync.collisions import Places
from sync.departures import ApplySettings, Verifying
from sync.diff import Known
from sync.errors import CourseSyncError, Interrupted
from sync.frozen import Frozen, field, replace
from sync.line import Line
from sync.live import read_live
from sync.model import (
    CheckedSheet,
    Edit,
    Issue,
    Outcome,
    PlannedRow,
    RowNumber,
    SectionId,
    Severity,
    Source,
    Status,
    ToUpdate,
)
from sync.ongoing import Row
from sync.origin import Seen
from sync.plan import held, ids_to_read, outcome_of, planned
from sync.ports import PROGRAM_ENDED, Clock, Desired, Events, OpenIntent
from sync.reading import Found
from sync.report import POLICY, exit_code_of
from sync.strangers import Strangers, spread
from sync.times import utc

NOTHING_SHOWN: Mapping[str, str] = MappingProxyType({})


class Policies(Frozen):
    """What the operator decided beforehand."""

    on_conflict: Literal["refuse", "sheet", "live"] = "refuse"
    on_drift: Literal["restore", "keep"] = "restore"

    def known(self, desired: Desired, seen: Seen | None = None, shown: Mapping[str, str] = NOTHING_SHOWN) -> Known:
        """What is remembered of one section, with these policies; `shown` as in `diff.Known`."""
        known = Known(
            desired=desired, restore_drift=self.on_drift == "restore", on_conflict=self.on_conflict, shown=shown
        )
        if seen is None:
            return known
        return replace(known, base=seen.digests, base_shown=seen.shown, untouched=seen.untouched)


def policy_issues(policies: Policies) -> tuple[Issue, ...]:
    """The policies of a run as its facts keep them; the defaults need no word."""
    said = (
        ("on_conflict", policies.on_conflict, "refuse", "conflicts are decided beforehand"),
        ("on_drift", policies.on_drift, "restore", "drift is left as it is"),
    )
    return tuple(
        Issue(
            POLICY,
            f"{what}: {name} = {value}",
            source=Source.SYNC,
            severity=Severity.NOTE,
            attempted_value=[name, value],
        )
        for name, value, default, what in said
        if value != default
    )


def policies_of(issues: Iterable[Issue]) -> Policies:
    """The policies that a run was begun with, by the issues of its facts: a resume decides by no others."""
    policies = Policies()
    for issue in issues:
        match issue:
            case Issue(code=code, attempted_value=["on_conflict", ("sheet" | "live") as value]) if code == POLICY:
                policies = replace(policies, on_conflict=value)
            case Issue(code=code, attempted_value=["on_drift", "keep"]) if code == POLICY:
                policies = replace(policies, on_drift="keep")
            case _:
                pass
    return policies


class Reading(Frozen):
    """How the live state is read."""

    line: Line
    clock: Clock
    ids_per_request: int
    wait_max_s: float
    stop_asked: Callable[[], CourseSyncError | None] = field(default=lambda: None)
    tell: Callable[[int, int], None] = field(default=lambda _missing, _asked: None)
    """As `Strangers.tell`."""


def make_plan(
    checked: CheckedSheet,
    reading: Reading,
    *,
    desired: Mapping[SectionId, Desired],
    policies: Policies,
    shown: Mapping[SectionId, Mapping[str, str]] = MappingProxyType({}),
    saw: Callable[[Found, PlannedRow], None] = lambda _found, _planned: None,
) -> tuple[PlannedRow, ...]:
    """Plan every row of the sheet, in the sheet's order; nothing is sent.

    `shown` is what was live when a conflict was last shown, as digests; `saw` is told of
    every record that is read, and of what is planned on it.

    Raises:
        InputError: `base.foreign`: the workbook was exported from another account. `sheet.foreign_ids`: the account
            knows none of its Ids.
        StoppedEarly: the live state could not be read whole.
        SignInError: the server does not accept the token.
        ConfigError: this is not the API's address.
    """
    edits = {row.id: row for row in checked.rows if isinstance(row, Edit)}
    rows = {row.row: held(row) for row in checked.rows if not isinstance(row, Edit)}
    ids = ids_to_read(checked.rows)
    strangers = Strangers(len(ids), reading.tell)
    sights = read_live(
        spread(ids, reading.ids_per_request),
        reading.line,
        reading.clock,
        ids_per_request=reading.ids_per_request,
        wait_max_s=reading.wait_max_s,
        stop_asked=reading.stop_asked,
    )
    nothing = policies.known({})
    places, others = Places(), list[tuple[RowNumber, SectionId]]()
    for sight in sights:
        strangers.saw(sight)
        edit = edits[sight.id]
        known = nothing
        if edit.base is not None or edit.id in desired or edit.id in shown:
            known = policies.known(desired.get(edit.id, {}), edit.base, shown.get(edit.id, NOTHING_SHOWN))
        rows[edit.row] = row = planned(edit, sight, known)
        if isinstance(sight, Found):
            saw(sight, row)
            places.saw(sight.id, sight.record)
            if is_another(sight.record, edit.base):
                others.append((edit.row, edit.id))
    refuse_other_sections(sorted(others))
    exported = partial(exported_places, checked.file.tables)
    return places.with_warnings([rows[row.row] for row in checked.rows], exported=exported)


def first_outcomes(rows: Iterable[PlannedRow]) -> Iterator[tuple[PlannedRow, Outcome]]:
    """Each row with what the report says of it if nothing more happens."""
    return ((row, outcome_of(row, to_update=Status.NOT_ATTEMPTED)) for row in rows)


def unsent_outcomes(first: Iterable[tuple[PlannedRow, Outcome]]) -> tuple[Outcome, ...]:
    """Of the `first_outcomes`, those of rows that are not to be sent: nothing more becomes of them in this run."""
    return tuple(outcome for row, outcome in first if not isinstance(row.decision, ToUpdate))


def rows_to_send(
    rows: Sequence[PlannedRow],
    *,
    desired: Mapping[SectionId, Desired],
    policies: Policies,
    open_intents: Mapping[SectionId, Sequence[OpenIntent]],
    attempts: Mapping[SectionId, int],
    settle_after_s: float,
    clock: Clock,
) -> list[Row]:
    """The rows for the coordinator; one whose last PUT nobody heard is settled before anything else.

    `attempts` are those that rows have used up already, in earlier processes of the run.
    """
    result: list[Row] = []
    for planned_row in rows:
        edit, plan = planned_row.edit, planned_row.decision
        if edit is None or not isinstance(plan, ToUpdate):
            continue
        row = Row(planned_row, edit, plan, policies.known(desired.get(edit.id, {}), edit.base))
        row.attempts = attempts.get(edit.id, 0)
        if opened := open_intents.get(edit.id):
            _reopen(row, opened, settle_after_s=settle_after_s, clock=clock)
        result.append(row)
    return result


def _reopen(row: Row, opened: Sequence[OpenIntent], *, settle_after_s: float, clock: Clock) -> None:
    last = opened[-1]
    row.intent_number, row.attempts = last.number, last.intent.attempt
    row.record, row.changes = last.intent.before, last.intent.changes
    row.unheard = "no answer that can be trusted came" if last.heard else PROGRAM_ENDED
    row.deaths, row.started_at = last.deaths, utc(last.at.wall)
    row.settle_at = clock.boot() + max(0.0, settle_after_s - last.lost.age_s(clock))


class Ending(Frozen):
    """How a run ended."""

    outcomes: Mapping[int, Outcome]
    """Of the rows that were to be sent, by row number."""
    stopped: CourseSyncError | None
    exit_code: int


def send(
    rows: Sequence[Row],
    line: Line,
    clock: Clock,
    *,
    settings: ApplySettings,
    events: Events,
    stop_asked: Callable[[], CourseSyncError | None],
    canary: Canary | None = None,
    unverified: Sequence[Verifying] = (),
) -> Ending:
    """Send the rows, those of the canary first, and say how it ended; `unverified` rows are only read."""
    application = Application(rows, line, clock, settings, events, stop_asked, canary, unverified)
    application.run()
    code = ending_code(application.outcomes.values(), application.stopped)
    return Ending(application.outcomes, application.stopped, code)


def ending_code(outcomes: Iterable[Outcome], stopped: CourseSyncError | None) -> int:
    """The exit code that the contract gives this ending."""
    if isinstance(stopped, Interrupted):
        return 128 + stopped.signal_number
    if stopped is not None:
        return stopped.exit_code
    return exit_code_of(outcomes)
