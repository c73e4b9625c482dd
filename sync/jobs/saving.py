"""Save a plan: what was shown becomes a file that is sealed, and that `apply` sends exactly, or not at all."""

from pathlib import Path

from sync.adapters.plan_file import plan_key
from sync.adapters.whole_file import place
from sync.bootstrap import Session
from sync.frozen import Frozen, replace
from sync.jobs.only_run import keep_copy
from sync.jobs.reports import PlanWritten, Result
from sync.jobs.sheets import Preview, hash_of, input_facts
from sync.model import PlannedRow, Status, ToUpdate
from sync.plan import outcome_of
from sync.preview import rows_by_field
from sync.savedplan import RestingRow, SavedPlan, SavedRow, accepted_by, expiry, resting_row, saved_row
from sync.sealing import checksum, seal

PLAN_NAME = "plan.json"


class SavedText(Frozen):
    """A plan as it is written to the disk."""

    text: str
    expires_at: str
    shown: Preview

    @property
    def checksum(self) -> str:
        """What a reviewer notes: 64 hex digits, as `sha256sum` gives them too."""
        return checksum(self.text)


def save_plan(session: Session, shown: Preview) -> SavedText:
    """Make the sealed text of a plan, and keep a copy of its sheet for the report of its run.

    Raises:
        ConfigError: the key of the state directory cannot be used.
    """
    settings, checked = session.settings, shown.checked
    key = plan_key(settings.state_dir)
    keep_copy(checked, settings.state_dir)
    created_at, expires_at = expiry(session.clock.wall(), after_s=settings.plan_good_for_s)
    rows = [_saved(row, shown) for row in shown.rows]
    plan = SavedPlan(
        account=settings.account,
        base_url=settings.base_url,
        input=input_facts(checked),
        plan_hash=hash_of(session, shown),
        created_at=created_at,
        expires_at=expires_at,
        rows=tuple(row for row in rows if isinstance(row, SavedRow)),
        rest=tuple(row for row in rows if isinstance(row, RestingRow)),
        allowed=tuple(rail.name for rail in shown.judged.lifted),
        input_format=checked.file.format,
        header_row=checked.header_row,
    )
    return SavedText(seal(plan, key), expires_at, shown)


def with_plan(result: Result, saved: SavedText, path: Path | None) -> Result:
    """Write the plan among the files of its report and, where a path was asked for, there as well; both 0600.

    Raises:
        FileNotWritten: it could not be written.
    """
    content = saved.text.encode()
    placed = place(result.out / PLAN_NAME, content)
    notes = [placed.note]
    if path is not None:
        placed = place(path, content)
        notes.append(placed.note)
    written = replace(result.written, notes=(*result.written.notes, *(note for note in notes if note)))
    plan = PlanWritten(
        path=placed.path,
        checksum=saved.checksum,
        expires_at=saved.expires_at,
        asked=path is not None,
        cost=saved.shown.cost,
        finish_wall=saved.shown.finish_wall,
        rows_by_field=rows_by_field(saved.shown.rows),
        accepted=sum(1 for row in saved.shown.rows if row.accepted),
    )
    return replace(result, written=written, plan=plan)


def _saved(row: PlannedRow, shown: Preview) -> SavedRow | RestingRow:
    accepted = () if row.edit is None else accepted_by(row, shown.desired.get(row.edit.id, {}))
    if isinstance(row.decision, ToUpdate) and row.edit is not None:
        seen = shown.seen[row.edit.id]
        return saved_row(row, unique_id=seen.unique_id, live=seen.digest, accepted=accepted)
    return resting_row(outcome_of(row, to_update=Status.TO_UPDATE), accepted)
