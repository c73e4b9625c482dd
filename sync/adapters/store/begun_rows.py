"""Every row of a run as it is written down when the run begins: what is planned, and what it is if no more happens."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from sqlalchemy import Connection, insert

from sync.adapters.store.many import Many
from sync.adapters.store.rowtext import changes_json, edit_json, issues_json, outcome_text, text
from sync.adapters.store.schema import rows
from sync.model import Outcome, PlannedRow, RunId, ToUpdate

_AT_ONCE: Final = 5000
_BEGIN: Final = Many(insert(rows), *rows.c.keys())


def write_rows(connection: Connection, run_id: RunId, planned: Iterable[tuple[PlannedRow, Outcome]]) -> None:
    """Write the rows of a run, each with the outcome that it has if nothing more happens, some thousand at a time."""
    written = (_values(run_id, row, outcome) for row, outcome in planned)
    while chunk := list(islice(written, _AT_ONCE)):
        _BEGIN.run(connection, chunk)


def _values(run_id: RunId, row: PlannedRow, outcome: Outcome) -> dict[str, object]:
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
    return {
        "run_id": run_id,
        "row": row.row,
        "section_id": None if row.edit is None else row.edit.id,
        "status": outcome.status.value,
        "plan_json": plan,
        "edit_json": edit,
        "outcome_json": outcome_text(outcome),
    }
