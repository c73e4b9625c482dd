"""From a sheet to a plan, and what either says about every row: `check` and `plan`; nothing is sent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sync.adapters.html_cleaner import html_cleaner
from sync.adapters.spreadsheet import ReadingAhead, load
from sync.adapters.store.journal import known_desired
from sync.adapters.store.showings import keep_showings, known_showings
from sync.base import refuse_foreign
from sync.bootstrap import Session, new_run_id
from sync.config import Settings
from sync.errors import InputError
from sync.frozen import Frozen, field
from sync.hidden_rows import HiddenRows
from sync.html_risks import HtmlPolicy
from sync.image_url import ImagePolicy, ImageRules
from sync.jobs.binding import AccountCheck, check_account
from sync.jobs.heap import left_alone
from sync.jobs.rails import held_report, judge_rails
from sync.model import (
    CheckedSheet,
    Edit,
    InputFacts,
    InvalidRow,
    PlannedRow,
    RowNumber,
    RunReport,
    SectionId,
    Status,
    ToUpdate,
)
from sync.pipeline import make_plan, policy_issues
from sync.plan import Cost, cost, held, ids_to_read, outcome_of, plan_hash, to_send
from sync.ports import Clock, Desired, StopAsked
from sync.rails import NOTHING_HELD, Judged
from sync.reading import Found
from sync.report import exit_code_of
from sync.savedplan import live_digest
from sync.times import utc
from sync.validate import check_sheet

CODE_ATTENTION = 4
"""The contract's exit code for a run with rows that need attention."""


class Preview(Frozen):
    """A plan as it is shown before anything is sent."""

    checked: CheckedSheet
    rows: tuple[PlannedRow, ...]
    cost: Cost
    finish_wall: float
    """When it would end if it began now."""
    desired: Mapping[SectionId, Desired] = field(default_factory=dict)
    judged: Judged = NOTHING_HELD
    seen: Mapping[SectionId, "SeenRecord"] = field(default_factory=dict)
    """Of each record that the plan would change."""


class SeenRecord(Frozen):
    """What a saved plan keeps of a live record."""

    unique_id: str | None
    digest: str
    """The `savedplan.live_digest` of the fields that its row names."""


@dataclass(slots=True)
class _Witness:
    """What is to be remembered of the live records while a plan is made on them."""

    account: AccountCheck
    with_image: set[SectionId]
    seen: dict[SectionId, SeenRecord]

    def saw(self, found: Found, row: PlannedRow) -> None:
        """A record of this plan was read; only of one that would be sent is anything saved."""
        self.account.saw(found)
        if found.record.get("ImageFileName"):
            self.with_image.add(found.id)
        if row.edit is not None and isinstance(row.decision, ToUpdate):
            unique_id = found.record.get("UniqueId")
            self.seen[found.id] = SeenRecord(
                unique_id if isinstance(unique_id, str) else None, live_digest(row.edit.values, found.record)
            )


@left_alone()
def read_sheet(path: Path, settings: Settings, *, ahead: ReadingAhead | None = None) -> CheckedSheet:
    """Load the sheet and judge every row by itself; `ahead` is its reading where that was begun already.

    Raises:
        InputError: the file or its headings cannot be read.
        ConfigError: contents are to be cleaned, and the cleaner is not installed or told to keep what is never kept.
    """
    html = HtmlPolicy(settings.html)
    return check_sheet(
        load(path, encoding=settings.encoding, ahead=ahead),
        aliases=settings.aliases,
        hidden_rows=HiddenRows(settings.hidden_rows),
        html=html,
        cleaner=html_cleaner(settings.html_allow) if html is HtmlPolicy.CLEAN else None,
        images=ImageRules(ImagePolicy(settings.images), settings.image_hosts),
    )


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
        input=input_facts(checked),
        outcomes=outcomes,
        started_at=now,
        finished_at=now,
        exit_code=code,
        issues=checked.issues,
    )


@left_alone()
def preview(
    session: Session,
    checked: CheckedSheet,
    stop_asked: StopAsked,
    *,
    allowed: Collection[str] = (),
    reviewed: Collection[RowNumber] = (),
) -> Preview:
    """Read the live state, plan every row, and hold the plan against the rails; nothing is sent.

    `allowed` names the rails that the operator lifts; `reviewed` the rows whose word was given with the conflict in
    sight, not by the sheet itself.

    Raises:
        InputError: `base.foreign`: the workbook was exported from another account.
        CourseSyncError: as `pipeline.make_plan`.
    """
    refuse_foreign(checked.origin, account=session.settings.account, base_url=session.settings.base_url)
    line = session.line()
    desired = known_desired(session.store, ids_to_read(checked.rows))
    showings = _showings(session, checked, reviewed)
    witness = _Witness(check_account(session, line, stop_asked), set(), {})
    reading = session.reading(line, stop_asked)
    policies = session.policies
    rows = make_plan(checked, reading, desired=desired, policies=policies, shown=showings, saw=witness.saw)
    witness.account.keep()
    judged = judge_rails(session, rows, allowed=allowed, with_image=witness.with_image)
    settings = session.settings
    price = cost(
        len(to_send(rows)),
        limits=session.ledger.limits,
        ids_per_request=session.ids_per_request,
        latency_s=line.latency.seconds,
        verify=settings.verify,
        used=session.ledger.taken(session.clock.boot()),
    )
    return Preview(checked, rows, price, session.clock.wall() + price.seconds, desired, judged, witness.seen)


def _showings(
    session: Session, checked: CheckedSheet, reviewed: Collection[RowNumber]
) -> Mapping[SectionId, Mapping[str, str]]:
    """What was shown of the conflicts that have a word: to somebody before this sheet, or to its reviewer."""
    words = [row for row in checked.rows if isinstance(row, Edit) and row.command]
    by_sheet = (row.id for row in words if row.row not in reviewed)
    by_reviewer = (row.id for row in words if row.row in reviewed)
    return {
        **known_showings(session.store, by_sheet, to_sheet=checked.file.sha256),
        **known_showings(session.store, by_reviewer),
    }


def plan_report(session: Session, shown: Preview, *, command: str = "plan", detailed: bool = False) -> RunReport:
    """The report of a plan, or of a run that a rail holds before it began: `to_update` stands for what would be sent.

    Its conflicts count as shown.
    """
    settings, now = session.settings, utc(session.clock.wall())
    outcomes = tuple(outcome_of(row, to_update=Status.TO_UPDATE) for row in shown.rows)
    run_id = new_run_id(session.clock)
    keep_showings(session.store, outcomes, by=run_id, input_sha256=shown.checked.file.sha256)
    report = RunReport(
        run_id=run_id,
        command=command,
        profile=settings.profile,
        base_url=settings.base_url,
        input=input_facts(shown.checked),
        outcomes=outcomes,
        started_at=now,
        finished_at=now,
        exit_code=exit_code_of(outcomes, detailed=detailed),
        plan_hash=hash_of(session, shown),
        quota=session.ledger.use(session.clock.boot()),
        issues=(*shown.checked.issues, *policy_issues(session.policies)),
    )
    return held_report(report, shown.judged)


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


def input_facts(checked: CheckedSheet) -> InputFacts:
    """The sheet as a report names it."""
    return InputFacts(str(checked.file.path), checked.file.sha256, checked.sheet, len(checked.rows))


def hash_of(session: Session, shown: Preview) -> str:
    """The name of a plan, by what it would do."""
    return plan_hash(shown.rows, base_url=session.settings.base_url, input_sha256=shown.checked.file.sha256)
