"""Every row of a run as it is written down when the run begins: what is planned, and what it is if no more happens."""

from collections.abc import Iterable
from itertools import islice
from typing import Final, TypeAlias

from sqlalchemy import Connection, insert
from sqlalchemy.dialects import sqlite

from sync.adapters.store.rowtext import changes_json, edit_json, issues_json, outcome_text, text
from sync.adapters.store.schema import rows
from sync.model import Outcome, PlannedRow, RunId, ToUpdate

_AT_ONCE: Final = 5000
_COLUMNS: Final = ("run_id", "row", "section_id", "status", "plan_json", "edit_json", "outcome_json")
_INSERT: Final = str(insert(rows).compile(dialect=sqlite.dialect(), column_keys=_COLUMNS))
"""Built once: for 100,000 rows, handing each to SQLAlchemy by name takes longer than SQLite takes to write it."""

_Values: TypeAlias = tuple[RunId, int, int | None, str, str | None, str | None, str]
"""In the order of `_COLUMNS`."""


def write_rows(connection: Connection, run_id: RunId, planned: Iterable[tuple[PlannedRow, Outcome]]) -> None:
    """Write the rows of a run, each with the outcome that it has if nothing more happens, some thousand at a time."""
    written = (_values(run_id, row, outcome) for row, outcome in planned)
    while chunk := list(islice(written, _AT_ONCE)):
        connection.exec_driver_sql(_INSERT, chunk)


def _values(run_id: RunId, row: PlannedRow, outcome: Outcome) -> _Values:
    plan = edit = None
    if isinstance(row.decision, ToUpdate):
        plan = text(
            {
                "changes": changes_json(row.decision.changes),
                "updated_on": row.decision.updated_on,
                "issues": issues_json(row.issues),
            }
        )
        edit = None if row.edit is None else text(edit_json(row.edit))
    section_id = None if row.edit is None else row.edit.id
    return run_id, row.row, section_id, outcome.status.value, plan, edit, outcome_text(outcome)
