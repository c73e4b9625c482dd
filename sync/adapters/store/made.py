"""What runs made so, read back whole: what one run wrote, for its undo, and the desired state, for drift."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import bindparam, delete, select, update

from sync.adapters.store.opening import Store
from sync.adapters.store.rowtext import changes_of, outcome_of, read, text
from sync.adapters.store.schema import desired, intents, rewritings, rows
from sync.diff import digest
from sync.drift import DesiredField, DesiredSection
from sync.model import Label, PlannedRow, RowNumber, RunId, SectionId
from sync.undo import Written

_SURE = ("accepted", "applied")
_UNSURE = ("undecided",)
_TAKE = (
    update(desired)
    .where(desired.c.section_id == bindparam("of_section"), desired.c.field == bindparam("of_field"))
    .values(
        sent=bindparam("sent"),
        stored=bindparam("stored"),
        updated_on=None,
        run_id=bindparam("run_id"),
        value_json=bindparam("value_json"),
    )
)
_GONE = delete(desired).where(desired.c.section_id == bindparam("of_section"))
_END = delete(desired).where(
    desired.c.section_id == bindparam("of_section"),
    desired.c.field == bindparam("of_field"),
    desired.c.run_id == bindparam("of_run"),
)


def written_by(store: Store, run_id: RunId) -> tuple[Written, ...]:
    """What a run wrote, or may have written, in the order of its rows: the last such intent of each section."""
    labels = _labels(store, run_id)
    stored = _stored(store, run_id)
    told = intents.c.answer.in_((*_SURE, *_UNSURE)) | intents.c.answer.is_(None)
    query = select(intents).where(intents.c.run_id == run_id, told).order_by(intents.c.number)
    found: dict[int, Written] = {}
    for intent in store.connection.execute(query):
        section_id = SectionId(intent.section_id)
        row, label = labels[section_id]
        found[section_id] = Written(
            row,
            section_id,
            label,
            changes_of(read(intent.changes_json)),
            read(intent.before_json),
            stored.get(section_id, {}),
            certain=intent.answer in _SURE,
        )
    return tuple(sorted(found.values(), key=lambda written: written.row))


def desired_state(store: Store) -> Mapping[SectionId, DesiredSection]:
    """The whole desired state: every section and field that a run made so, with the values where they are kept."""
    found: dict[SectionId, dict[str, DesiredField]] = {}
    for row in store.connection.execute(select(desired).order_by(desired.c.section_id, desired.c.field)):
        kept = row.value_json is not None
        found.setdefault(SectionId(row.section_id), {})[row.field] = DesiredField(
            read(row.value_json) if kept else None,
            row.sent,
            row.stored,
            row.updated_on,
            RunId(row.run_id),
            value_kept=kept,
        )
    return found


def no_longer_desired(store: Store, run_id: RunId, fields: Mapping[SectionId, Sequence[str]]) -> None:
    """Forget what this run made so of these fields; what a later run has made of them stays."""
    ended = [{"of_section": section_id, "of_field": name} for section_id, names in fields.items() for name in names]
    if ended:
        with store.transaction() as connection:
            connection.execute(_END, [{"of_run": run_id, **each} for each in ended])


def forget_gone(store: Store, ids: Collection[SectionId]) -> None:
    """Forget what was desired of sections that the server says are gone: an Id never comes back."""
    if ids:
        with store.transaction() as connection:
            connection.execute(_GONE, [{"of_section": section_id} for section_id in ids])


def keep_accepted(store: Store, run_id: RunId, rows: Iterable[PlannedRow]) -> None:
    """Keep as desired the live values that rows of a run have accepted; nobody knows when they were written."""
    taken = [
        {
            "of_section": row.edit.id,
            "of_field": name,
            "sent": digest(name, value),
            "stored": digest(name, value),
            "run_id": run_id,
            "value_json": text(value),
        }
        for row in rows
        if row.edit is not None
        for name, value in row.accepted.items()
    ]
    if taken:
        with store.transaction() as connection:
            connection.execute(_TAKE, taken)


def _labels(store: Store, run_id: RunId) -> Mapping[int, tuple[RowNumber, Label]]:
    """By section: the row that was planned to be sent, and how the report named it."""
    query = select(rows.c.section_id, rows.c.row, rows.c.outcome_json).where(
        rows.c.run_id == run_id, rows.c.plan_json.is_not(None)
    )
    return {
        row.section_id: (RowNumber(row.row), outcome_of(read(row.outcome_json)).label)
        for row in store.connection.execute(query)
    }


def _stored(store: Store, run_id: RunId) -> Mapping[int, Mapping[str, str]]:
    """By section and field: what the server made of what the run sent; older stores know only the latest."""
    found: dict[int, dict[str, str]] = {}
    latest = select(desired.c.section_id, desired.c.field, desired.c.stored).where(
        desired.c.run_id == run_id, desired.c.stored != desired.c.sent
    )
    own = select(rewritings.c.section_id, rewritings.c.field, rewritings.c.stored).where(rewritings.c.run_id == run_id)
    for query in (latest, own):
        for row in store.connection.execute(query):
            found.setdefault(row.section_id, {})[row.field] = row.stored
    return found
