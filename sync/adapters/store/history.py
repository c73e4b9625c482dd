"""Runs as wholes: begin, end, find again; their rows and outcomes, from which a report can be written at any time."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Row as DbRow
from sqlalchemy import insert, select, update

from sync.adapters.store.begun_rows import write_rows
from sync.adapters.store.opening import Store
from sync.adapters.store.rowtext import (
    changes_of,
    edit_of,
    issue_json,
    issue_of,
    issues_json,
    issues_of,
    outcome_of,
    read,
    text,
)
from sync.adapters.store.schema import intents, rows, runs
from sync.failpoints import reach
from sync.frozen import Frozen, replace
from sync.model import (
    Edit,
    InputFacts,
    Issue,
    Outcome,
    PlannedRow,
    QuotaUse,
    RequestCounts,
    RowNumber,
    RunFacts,
    RunId,
    Status,
    ToUpdate,
)


class OpenRow(Frozen):
    """A row of an unfinished run that has still to be sent or settled."""

    planned: PlannedRow
    edit: Edit
    plan: ToUpdate


def begin_run(store: Store, facts: RunFacts, planned: Iterable[tuple[PlannedRow, Outcome]]) -> None:
    """Write down a run and every row of its sheet, each with the outcome that it has if nothing more happens."""
    with store.transaction() as connection:
        connection.execute(insert(runs).values(**_run_values(facts)))
        write_rows(connection, facts.run_id, planned)
        reach("plan.written")


def end_run(
    store: Store,
    run_id: RunId,
    *,
    state: str,
    exit_code: int,
    finished_wall: float,
    quota: Sequence[QuotaUse],
    stop: Issue | None,
) -> None:
    """Write down how the run ended, for now or for good; its report is not written yet."""
    with store.transaction() as connection:
        connection.execute(
            update(runs)
            .where(runs.c.run_id == run_id)
            .values(
                state=state,
                exit_code=exit_code,
                finished_wall=finished_wall,
                quota_json=text([[use.window, use.used, use.limit] for use in quota]),
                stop_json=None if stop is None else text(issue_json(stop)),
                reported_wall=None,
            )
        )


def find_run(store: Store, run_id: str) -> RunFacts | None:
    """The run of this name, or the only one whose name begins so."""
    found = store.connection.execute(select(runs).where(runs.c.run_id.startswith(run_id, autoescape=True))).all()
    exact = [row for row in found if row.run_id == run_id]
    chosen = exact or found
    return _facts(chosen[0]) if len(chosen) == 1 else None


def recent_runs(store: Store, *, at_most: int = 50) -> tuple[RunFacts, ...]:
    """The latest runs, newest first."""
    query = select(runs).order_by(runs.c.started_wall.desc()).limit(at_most)
    return tuple(_facts(row) for row in store.connection.execute(query))


def all_runs(store: Store) -> tuple[RunFacts, ...]:
    """Every run, oldest first."""
    return tuple(_facts(row) for row in store.connection.execute(select(runs).order_by(runs.c.started_wall)))


def unfinished_runs(store: Store) -> tuple[RunFacts, ...]:
    """Runs that can be resumed, oldest first."""
    query = select(runs).where(runs.c.state != "finished").order_by(runs.c.started_wall)
    return tuple(_facts(row) for row in store.connection.execute(query))


def unreported_runs(store: Store) -> tuple[RunFacts, ...]:
    """Runs that have ended and whose report was not written whole, oldest first."""
    query = select(runs).where(runs.c.state == "finished", runs.c.reported_wall.is_(None)).order_by(runs.c.started_wall)
    return tuple(_facts(row) for row in store.connection.execute(query))


def note_reported(store: Store, run_id: RunId) -> None:
    """Write down that every file of the run's report lies in its place."""
    with store.transaction() as connection:
        connection.execute(update(runs).where(runs.c.run_id == run_id).values(reported_wall=store.clock.wall()))


def outcomes_of(store: Store, run_id: RunId, *, unsent: Sequence[Outcome] = ()) -> tuple[Outcome, ...]:
    """What has become of every row of the run so far, in the sheet's order.

    `unsent` are the outcomes of all its rows that were never to be sent, where the caller has just written them down:
    nothing becomes of them, and they need not be read again.
    """
    query = select(rows.c.outcome_json).where(rows.c.run_id == run_id).order_by(rows.c.row)
    if unsent:
        query = query.where(rows.c.plan_json.is_not(None))
    found = [outcome_of(read(written)) for written in store.connection.execute(query).scalars()]
    return tuple(sorted([*unsent, *found], key=_row) if unsent else found)


def statuses_of(store: Store, run_id: RunId) -> frozenset[Status]:
    """The statuses that rows of the run have so far."""
    query = select(rows.c.status).where(rows.c.run_id == run_id).distinct()
    return frozenset(map(Status, store.connection.execute(query).scalars()))


def unheard_sections(store: Store, run_id: RunId) -> frozenset[int]:
    """Sections of the run with an intent whose end nobody knows: nothing is said of them until a read settles it."""
    query = select(intents.c.section_id).where(intents.c.run_id == run_id, intents.c.answer.is_(None))
    return frozenset(store.connection.execute(query).scalars())


def rows_to_be_sent(store: Store, run_id: RunId) -> tuple[RowNumber, ...]:
    """Every row that the run was to send, in the sheet's order, whatever has become of it since."""
    query = select(rows.c.row).where(rows.c.run_id == run_id, rows.c.plan_json.is_not(None)).order_by(rows.c.row)
    return tuple(RowNumber(row) for row in store.connection.execute(query).scalars())


def runs_of_plan(store: Store, plan_hash: str) -> tuple[RunFacts, ...]:
    """The runs that were begun with this plan, oldest first."""
    query = select(runs).where(runs.c.plan_hash == plan_hash).order_by(runs.c.started_wall)
    return tuple(_facts(row) for row in store.connection.execute(query))


def add_issue(store: Store, facts: RunFacts, issue: Issue) -> RunFacts:
    """Write down something more about a run as a whole."""
    issues = (*facts.issues, issue)
    with store.transaction() as connection:
        connection.execute(
            update(runs).where(runs.c.run_id == facts.run_id).values(issues_json=text(issues_json(issues)))
        )
    return replace(facts, issues=issues)


def open_rows(store: Store, run_id: RunId) -> Iterator[OpenRow]:
    """Rows that were planned to be sent and have no end yet: not attempted, or with an intent nobody heard of."""
    unheard = select(intents.c.section_id).where(intents.c.run_id == run_id, intents.c.answer.is_(None))
    open_now = (rows.c.status == Status.NOT_ATTEMPTED.value) | rows.c.section_id.in_(unheard)
    query = select(rows).where(rows.c.run_id == run_id, rows.c.plan_json.is_not(None), open_now).order_by(rows.c.row)
    for row in store.connection.execute(query):
        plan, edit = read(row.plan_json), edit_of(read(row.edit_json))
        decision = ToUpdate(changes_of(plan["changes"]), updated_on=plan["updated_on"])
        issues = issues_of(plan["issues"])
        label = outcome_of(read(row.outcome_json)).label
        yield OpenRow(PlannedRow(edit.row, label, decision, edit, issues), edit, decision)


def _run_values(facts: RunFacts) -> dict[str, object]:
    return {
        "run_id": facts.run_id,
        "command": facts.command,
        "profile": facts.profile,
        "base_url": facts.base_url,
        "account": facts.account,
        "input_path": facts.input.path,
        "input_sha256": facts.input.sha256,
        "input_copy": facts.input_copy,
        "input_format": facts.input_format,
        "sheet": facts.input.sheet,
        "header_row": facts.header_row,
        "rows": facts.input.rows,
        "plan_hash": facts.plan_hash,
        "state": facts.state,
        "started_wall": facts.started_wall,
        "pid": os.getpid(),
        "user": facts.user,
        "issues_json": text(issues_json(facts.issues)),
    }


def _row(outcome: Outcome) -> int:
    return outcome.row


def _facts(row: DbRow[Any]) -> RunFacts:
    quota = [] if row.quota_json is None else read(row.quota_json)
    return RunFacts(
        run_id=RunId(row.run_id),
        command=row.command,
        profile=row.profile,
        base_url=row.base_url,
        account=row.account,
        input=InputFacts(row.input_path, row.input_sha256, row.sheet, row.rows),
        input_copy=row.input_copy,
        input_format=row.input_format,
        header_row=RowNumber(row.header_row),
        started_wall=row.started_wall,
        user=row.user,
        issues=issues_of(read(row.issues_json)),
        plan_hash=row.plan_hash,
        state=row.state,
        finished_wall=row.finished_wall,
        exit_code=row.exit_code,
        requests=RequestCounts(row.reads, row.writes, row.throttled, row.retried),
        quota=tuple(QuotaUse(*use) for use in quota),
        reported=row.reported_wall is not None,
        stop=None if row.stop_json is None else issue_of(read(row.stop_json)),
    )
