"""What a command does, from its words to its report: called by the command line and by the page alike."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sync.adapters.lock import run_lock
from sync.adapters.report_files import WrittenReport, write_reports
from sync.adapters.spreadsheet import load
from sync.adapters.store.history import (
    begin_run,
    end_run,
    open_rows,
    outcomes_of,
)
from sync.adapters.store.journal import known_desired
from sync.adapters.store.opening import Store
from sync.adapters.workbook.source import SheetSource
from sync.bootstrap import Session, new_run_id, who
from sync.config import Settings
from sync.errors import CourseSyncError, HeldRun, InputError
from sync.exchange import ReadPage
from sync.listing import read_list, read_page
from sync.live import read_live
from sync.model import (
    CheckedSheet,
    InputFacts,
    InvalidRow,
    Issue,
    PlannedRow,
    RunFacts,
    RunId,
    RunReport,
    SectionId,
    Severity,
    Source,
    Status,
)
from sync.pipeline import Ending, first_outcomes, make_plan, rows_to_send, send
from sync.plan import Cost, cost, held, ids_to_read, outcome_of, plan_hash, to_send
from sync.ports import Clock, Desired, Events
from sync.reading import Found
from sync.report import exit_code_of
from sync.section import Record
from sync.times import utc
from sync.validate import check_sheet

Asked = Callable[[], CourseSyncError | None]


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan as it is shown before anything is sent."""

    checked: CheckedSheet
    rows: tuple[PlannedRow, ...]
    cost: Cost
    finish_wall: float
    """When it would end if it began now."""
    desired: Mapping[SectionId, Desired] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What a command leaves behind."""

    report: RunReport
    out: Path
    written: WrittenReport
    stopped: CourseSyncError | None = None


def read_sheet(path: Path, settings: Settings) -> CheckedSheet:
    """Load the sheet and judge every row by itself.

    Raises:
        InputError: the file or its headings cannot be read.
    """
    return check_sheet(load(path), aliases=settings.aliases)


def check_report(checked: CheckedSheet, settings: Settings, clock: Clock) -> RunReport:
    """The report of a `check`: no network, no live state."""
    outcomes = tuple(outcome_of(held(row), to_update=Status.TO_UPDATE) for row in checked.rows)
    code = exit_code_of(outcomes)
    if code == CODE_ATTENTION and settings.on_invalid == "stop":
        code = InputError.exit_code
    now = utc(clock.wall())
    return RunReport(
        run_id=new_run_id(clock),
        command="check",
        profile=settings.profile,
        base_url=settings.base_url,
        input=_input_facts(checked),
        outcomes=outcomes,
        started_at=now,
        finished_at=now,
        exit_code=code,
        issues=checked.issues,
    )


CODE_ATTENTION = 4


def preview(session: Session, checked: CheckedSheet, stop_asked: Asked) -> Preview:
    """Read the live state and plan every row; nothing is sent.

    Raises:
        InputError: rows are invalid and the profile says `on_invalid = "stop"`.
        CourseSyncError: as `pipeline.make_plan`.
    """
    line = session.line()
    desired = known_desired(session.store, ids_to_read(checked.rows))
    reading = session.reading(line, stop_asked)
    rows = make_plan(checked, reading, desired=desired, policies=session.policies)
    settings = session.settings
    price = cost(
        len(to_send(rows)),
        limits=session.ledger.limits,
        ids_per_request=session.ids_per_request,
        latency_s=line.latency.seconds,
        verify=settings.verify,
    )
    return Preview(checked, rows, price, session.clock.wall() + price.seconds, desired)


def plan_report(session: Session, shown: Preview, *, detailed: bool) -> RunReport:
    """The report of a `plan`: `to_update` stands for what would be sent."""
    settings, now = session.settings, utc(session.clock.wall())
    outcomes = tuple(outcome_of(row, to_update=Status.TO_UPDATE) for row in shown.rows)
    return RunReport(
        run_id=new_run_id(session.clock),
        command="plan",
        profile=settings.profile,
        base_url=settings.base_url,
        input=_input_facts(shown.checked),
        outcomes=outcomes,
        started_at=now,
        finished_at=now,
        exit_code=exit_code_of(outcomes, detailed=detailed),
        plan_hash=_hash(session, shown),
        quota=session.ledger.use(session.clock.boot()),
        issues=shown.checked.issues,
    )


def refuse_invalid(checked: CheckedSheet, settings: Settings) -> None:
    """Hold the whole sheet where the profile says so.

    Raises:
        InputError: rows are invalid and `on_invalid` is `stop`.
    """
    invalid = [row.row for row in checked.rows if isinstance(row, InvalidRow)]
    if invalid and settings.on_invalid == "stop":
        raise InputError(
            f'{len(invalid)} of {len(checked.rows)} rows are invalid, and this profile says on_invalid = "stop".',
            code="sheet.invalid_rows",
            remedy="Nothing was sent. See them with `coursesync check`.",
        )


def apply_sheet(
    session: Session,
    path: Path,
    *,
    out: Path | None,
    confirm: Callable[[Preview], bool],
    events: Events,
    stop_asked: Asked,
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


def resume_run(session: Session, facts: RunFacts, *, out: Path | None, events: Events, stop_asked: Asked) -> Result:
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
        input=_input_facts(checked),
        input_copy=str(_keep_copy(checked, settings.state_dir)),
        input_format=checked.file.format,
        header_row=checked.header_row,
        started_wall=started_wall,
        user=who(),
        issues=checked.issues,
        plan_hash=_hash(session, shown),
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
    stop_asked: Asked,
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


def write_run_report(
    store: Store, settings: Settings, run_id: RunId, *, out: Path | None, stopped: CourseSyncError | None = None
) -> Result:
    """Write the report of a run from the journal alone; at any time, as often as wanted."""
    report, facts = run_report(store, run_id)
    folder = out or settings.state_dir / "reports" / run_id
    source = _source(facts, settings)
    return Result(report, folder, write_reports(report, folder, sheet=source), stopped)


def run_report(store: Store, run_id: str) -> tuple[RunReport, RunFacts]:
    """Rebuild a run's report from the journal; rows with an open intent are `unknown` until they are settled.

    Raises:
        InputError: there is no such run.
    """
    from sync.adapters.store.history import find_run  # noqa: PLC0415 - keeps the import list of this file short

    facts = find_run(store, run_id)
    if facts is None:
        raise InputError(f"There is no run {run_id!r}.", code="run.unknown", remedy="See `coursesync history`.")
    outcomes = outcomes_of(store, facts.run_id)
    finished = facts.finished_wall if facts.finished_wall is not None else facts.started_wall
    issues = facts.issues if facts.stop is None else (*facts.issues, facts.stop)
    report = RunReport(
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
        issues=issues,
    )
    return report, facts


def _source(facts: RunFacts, settings: Settings) -> SheetSource | None:
    copy = Path(facts.input_copy)
    if not copy.is_file():
        return None
    return SheetSource.of(read_sheet(copy, settings), path=copy)


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


def _input_facts(checked: CheckedSheet) -> InputFacts:
    return InputFacts(str(checked.file.path), checked.file.sha256, checked.sheet, len(checked.rows))


def _hash(session: Session, shown: Preview) -> str:
    return plan_hash(shown.rows, base_url=session.settings.base_url, input_sha256=shown.checked.file.sha256)


def read_account(
    session: Session, courses: Sequence[int], stop_asked: Asked
) -> tuple[tuple[Record, ...], tuple[tuple[int, str], ...]]:
    """Every section of these courses (of all, if none is named) as full records, and all courses with their titles.

    Raises:
        CourseSyncError: as `listing.read_list` and `live.read_live`.
    """
    line, clock = session.line(), session.clock
    chosen: list[tuple[tuple[str, str], ...]] = [
        (("CourseSection_Course", str(course)),) for course in dict.fromkeys(courses)
    ]
    listed = [
        record
        for filters in chosen or [()]
        for record in read_list("coursesections", line, clock, filters=filters, stop_asked=stop_asked)
    ]
    ids = [SectionId(value) for record in listed if isinstance(value := record.get("Id"), int)]
    reading = session.reading(line, stop_asked)
    sights = read_live(
        ids,
        line,
        clock,
        ids_per_request=reading.ids_per_request,
        wait_max_s=reading.wait_max_s,
        stop_asked=stop_asked,
    )
    records = tuple(sight.record for sight in sights if isinstance(sight, Found))
    kept = tuple(record for record in records if not courses or record.get("CourseId") in courses)
    titles = tuple(
        (course_id, str(record.get("Title") or ""))
        for record in read_list("courses", line, clock, stop_asked=stop_asked)
        if isinstance(course_id := record.get("Id"), int)
    )
    return kept, titles


def list_a_page(session: Session) -> tuple[int | None, SectionId | None]:
    """How many sections the list counts, and the Id of the first one, if there is any.

    Raises:
        CourseSyncError: as `listing.read_page`.
    """
    line = session.line()
    page = read_page(ReadPage("coursesections", 1, 1), line, session.clock)
    line.settle_debts()
    ids = [value for record in page.records if isinstance(value := record.get("Id"), int)]
    return page.total, SectionId(ids[0]) if ids else None


def read_whole(session: Session, section_id: SectionId) -> SectionId:
    """Read one full record, as every plan does.

    Raises:
        CourseSyncError: as `live.read_live`.
    """
    line = session.line()
    sights = read_live(
        [section_id],
        line,
        session.clock,
        ids_per_request=1,
        wait_max_s=session.settings.wait_max_s,
    )
    return next(iter(sights)).id
