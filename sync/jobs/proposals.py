"""A plan that no sheet asked for, the undo of a run or the restoring of drift: as it is shown before it is sent."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sync.adapters.store.journal import known_desired
from sync.bootstrap import Session, new_run_id
from sync.collisions import Places
from sync.frozen import Frozen, field
from sync.jobs.binding import check_account
from sync.jobs.rails import held_report, judge_rails
from sync.line import Line
from sync.live import read_live
from sync.model import InputFacts, Issue, PlannedRow, RowNumber, RunId, RunReport, SectionId, Status
from sync.plan import Cost, cost, outcome_of, plan_hash, to_send
from sync.ports import Desired, StopAsked
from sync.preview import ROWS_SHOWN, plan_lines
from sync.rails import Judged
from sync.reading import Found, Sight
from sync.report import exit_code_of
from sync.times import utc


class Proposal(Frozen):
    """What would be put back, row by row."""

    command: str
    input: InputFacts
    header_row: RowNumber
    rows: tuple[PlannedRow, ...]
    cost: Cost
    started_wall: float
    finish_wall: float
    """When it would end if it began now."""
    judged: Judged
    desired: Mapping[SectionId, Desired]
    issues: tuple[Issue, ...] = ()
    """About the plan as a whole."""
    undoes: RunId | None = None
    """The run that is taken back."""
    given_up: Mapping[SectionId, Sequence[str]] = field(default_factory=dict)
    """Fields of which the values of that run are not desired any more, though they stay as they are."""
    input_copy: str = ""
    """Where a copy of the sheet is kept, if a sheet is behind this."""
    input_format: str = "none"
    saved_hash: str | None = None
    """The name that the plan had when it was saved."""

    @property
    def sends(self) -> bool:
        """Whether there is anything to send."""
        return bool(to_send(self.rows))


@dataclass(slots=True)
class Look:
    """Reads the live state for a proposal, and remembers of it what the plan as a whole needs."""

    session: Session
    line: Line
    stop_asked: StopAsked
    places: Places
    with_image: set[SectionId]

    def at(self, ids: Collection[SectionId]) -> Iterator[Sight]:
        """Give a sight of each Id, in the order in which answers come.

        Raises:
            CourseSyncError: as `live.read_live`.
        """
        account = check_account(self.session, self.line, self.stop_asked)
        reading = self.session.reading(self.line, self.stop_asked)
        for sight in read_live(
            ids,
            self.line,
            self.session.clock,
            ids_per_request=reading.ids_per_request,
            wait_max_s=reading.wait_max_s,
            stop_asked=self.stop_asked,
        ):
            if isinstance(sight, Found):
                account.saw(sight)
                self.places.saw(sight.id, sight.record)
                if sight.record.get("ImageFileName"):
                    self.with_image.add(sight.id)
            yield sight
        account.keep()


def look(session: Session, stop_asked: StopAsked) -> Look:
    """Begin to look at the live state."""
    return Look(session, session.line(), stop_asked, Places(), set())


def propose(
    seen: Look,
    command: str,
    rows: tuple[PlannedRow, ...],
    *,
    input_facts: InputFacts,
    header_row: RowNumber,
    allowed: Collection[str],
    issues: tuple[Issue, ...] = (),
) -> Proposal:
    """Say what carrying out `rows` takes, and what the rails say of it; `allowed` names the rails that are lifted."""
    session = seen.session
    rows = seen.places.with_warnings(rows)
    price = cost(
        len(to_send(rows)),
        limits=session.ledger.limits,
        ids_per_request=session.ids_per_request,
        latency_s=seen.line.latency.seconds,
        verify=session.settings.verify,
        used=session.ledger.taken(session.clock.boot()),
    )
    now = session.clock.wall()
    return Proposal(
        command=command,
        input=input_facts,
        header_row=header_row,
        rows=rows,
        cost=price,
        started_wall=now,
        finish_wall=now + price.seconds,
        judged=judge_rails(session, rows, allowed=allowed, with_image=seen.with_image),
        desired=known_desired(session.store, [row.edit.id for row in rows if row.edit is not None]),
        issues=issues,
    )


def hash_of(session: Session, proposal: Proposal) -> str:
    """The name of the plan, by what it would do."""
    if proposal.saved_hash is not None:
        return proposal.saved_hash
    return plan_hash(proposal.rows, base_url=session.settings.base_url, input_sha256=proposal.input.sha256)


def proposal_report(session: Session, proposal: Proposal, *, detailed: bool = False) -> RunReport:
    """The report of a proposal of which nothing was sent; held by a rail, its exit code is 6."""
    settings, now = session.settings, utc(session.clock.wall())
    outcomes = tuple(outcome_of(row, to_update=Status.TO_UPDATE) for row in proposal.rows)
    report = RunReport(
        run_id=new_run_id(session.clock),
        command=proposal.command,
        profile=settings.profile,
        base_url=settings.base_url,
        input=proposal.input,
        outcomes=outcomes,
        started_at=utc(proposal.started_wall),
        finished_at=now,
        exit_code=exit_code_of(outcomes, detailed=detailed),
        plan_hash=hash_of(session, proposal),
        quota=session.ledger.use(session.clock.boot()),
        issues=proposal.issues,
    )
    return held_report(report, proposal.judged)


def proposal_lines(proposal: Proposal, *, target: str) -> Iterator[str]:
    """The plan as text: what would be put back, what stays and why, what it takes."""
    remarks = [
        f"row {row.row} · {row.label.id} · {issue}" for row in proposal.rows for issue in row.issues if issue.message
    ]
    yield from remarks[:ROWS_SHOWN]
    if len(remarks) > ROWS_SHOWN:
        yield f"… and {len(remarks) - ROWS_SHOWN:,} more remarks: all of them are in the report"
    if remarks:
        yield ""
    yield from plan_lines(to_send(proposal.rows), proposal.cost, finish_wall=proposal.finish_wall, target=target)
