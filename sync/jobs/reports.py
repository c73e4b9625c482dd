"""The report of a run, written from the journal alone: at its end, or at any time after."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sync.adapters.report_files import WrittenReport, order_ahead, write_reports
from sync.adapters.store.deliveries import where_files_lie
from sync.adapters.store.history import (
    find_run,
    note_reported,
    outcomes_of,
    unheard_sections,
)
from sync.adapters.store.opening import Store
from sync.adapters.workbook.own_process import OwnProcess
from sync.adapters.workbook.source import SheetSource
from sync.config import Settings
from sync.errors import ConfigError, CourseSyncError
from sync.frozen import Frozen, replace
from sync.jobs.heap import left_alone
from sync.jobs.sheets import read_sheet
from sync.model import (
    CheckedSheet,
    Issue,
    Outcome,
    RunFacts,
    RunId,
    RunReport,
    Source,
    Status,
)
from sync.plan import Cost
from sync.rails import NOTHING_HELD, Judged, held_run
from sync.report import PUT_BACK
from sync.times import utc


class PlanWritten(Frozen):
    """A saved plan: where it lies, by which checksum it is known, and until when it can be applied."""

    path: Path
    checksum: str
    expires_at: str
    asked: bool
    """Whether a place was named for it; else it only lies among the files of its report."""
    cost: Cost
    finish_wall: float
    """When it would end if it began now."""
    rows_by_field: Mapping[str, int]
    """How many rows change each field."""
    accepted: int = 0
    """Rows whose live values are accepted in place of what runs had made so."""


class Result(Frozen):
    """What a command leaves behind."""

    report: RunReport
    out: Path
    written: WrittenReport
    stopped: CourseSyncError | None = None
    judged: Judged = NOTHING_HELD
    """What the rails said, where they were asked."""
    plan: PlanWritten | None = None


def result_of_plan(
    report: RunReport,
    judged: Judged,
    out: Path,
    *,
    sheet: CheckedSheet | SheetSource | None = None,
    own: OwnProcess | None = None,
) -> Result:
    """Write the files of a `rails.held_report`; where a rail holds, the result says so as why the command stopped.

    `own` is as in `write_reports`.
    """
    stopped = held_run(judged.held, of_sheet=report.command not in PUT_BACK) if judged.held else None
    return Result(report, out, write_reports(report, out, sheet=sheet, own=own), stopped, judged)


@left_alone()
def write_run_report(
    store: Store,
    settings: Settings,
    run_id: RunId,
    *,
    out: Path | None,
    stopped: CourseSyncError | None = None,
    checked: CheckedSheet | None = None,
    unsent: Sequence[Outcome] = (),
    own: OwnProcess | None = None,
) -> Result:
    """Write the report of a run from the journal alone; at any time, as often as wanted. It is noted once it is whole.

    `checked` is the run's sheet where it has just been read: it saves reading the kept copy again. `unsent` are as in
    `outcomes_of`, `own` as in `write_reports`.
    """
    report, facts = run_report(store, run_id, unsent=unsent)
    folder = out or settings.state_dir / "reports" / run_id
    source = _source(facts, settings, checked)
    written = write_reports(report, folder, sheet=source, own=own)
    note_reported(store, run_id)
    return Result(report, folder, written, stopped)


def known_run(store: Store, run: str) -> RunFacts:
    """The run of this name, or the only one whose name begins so.

    Raises:
        ConfigError: there is no such run.
    """
    facts = find_run(store, run)
    if facts is None and (lies := where_files_lie(store).get(run)) is not None:
        raise ConfigError(
            f"The run {run} was held, and sent nothing: its sheet is {lies}.", remedy="Why: report/why.txt beside it."
        )
    if facts is None:
        raise ConfigError(f"There is no run {run!r}.", remedy="See `coursesync history`.")
    return facts


def run_report(store: Store, run_id: str, *, unsent: Sequence[Outcome] = ()) -> tuple[RunReport, RunFacts]:
    """Rebuild a run's report from the journal; rows with an open intent are `unknown` until they are settled.

    `unsent` are as in `outcomes_of`.

    Raises:
        ConfigError: there is no such run.
    """
    facts = known_run(store, run_id)
    unheard = unheard_sections(store, facts.run_id)
    outcomes = tuple(
        _unsettled(outcome) if outcome.section_id in unheard and outcome.status is Status.NOT_ATTEMPTED else outcome
        for outcome in outcomes_of(store, facts.run_id, unsent=unsent)
    )
    return _report(facts, outcomes), facts


def order_report(
    settings: Settings, own: OwnProcess, facts: RunFacts, outcomes: tuple[Outcome, ...], checked: CheckedSheet
) -> None:
    """Have report.xlsx made while the run that it is of is still being written down.

    `facts` are what the journal will say at its end if nothing comes between; if something does, it is made anew.
    """
    source = _source(facts, settings, checked)
    if source is not None:
        order_ahead(_report(facts, outcomes), source, own)


def _report(facts: RunFacts, outcomes: tuple[Outcome, ...]) -> RunReport:
    finished = facts.finished_wall if facts.finished_wall is not None else facts.started_wall
    return RunReport(
        run_id=facts.run_id,
        command=facts.command,
        profile=facts.profile,
        base_url=facts.base_url,
        input=facts.input,
        outcomes=outcomes,
        started_at=utc(facts.started_wall),
        finished_at=utc(finished),
        exit_code=facts.exit_code if facts.exit_code is not None else 5,
        plan_hash=facts.plan_hash,
        requests=facts.requests,
        quota=facts.quota,
        issues=facts.issues if facts.stop is None else (*facts.issues, facts.stop),
    )


def _unsettled(outcome: Outcome) -> Outcome:
    """The process ended between the intent and its answer: "not heard" is never "did not happen"."""
    issue = Issue(
        "sync.unknown", "was about to be sent when the program ended; a resume settles it", source=Source.SYNC
    )
    return replace(outcome, status=Status.UNKNOWN, issues=(*outcome.issues, issue))


def _source(facts: RunFacts, settings: Settings, checked: CheckedSheet | None) -> SheetSource | None:
    copy = Path(facts.input_copy)
    if checked is not None and checked.file.sha256 == facts.input.sha256 and copy.is_file():
        return SheetSource.of(checked, path=copy)
    return kept_sheet(facts.input_copy, facts.input.sheet, settings)


def kept_sheet(input_copy: str, sheet: str, settings: Settings) -> SheetSource | None:
    """The kept copy of a run's sheet, to write its report into; `None` where there is none."""
    copy = Path(input_copy)
    if not copy.is_file():
        return None
    # A CSV's one table is named after its file, and the kept copy has another name.
    return replace(SheetSource.of(read_sheet(copy, settings), path=copy), sheet=sheet)
