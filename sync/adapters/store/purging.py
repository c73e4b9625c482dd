"""Take the contents of old runs out of the store: what they were, when and how they ended stays."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, insert, select, update

from sync.adapters.store.opening import Store
from sync.adapters.store.rowtext import outcome_json, outcome_of, read, text
from sync.adapters.store.schema import intents, rows, runs
from sync.adapters.store.unattended import purges
from sync.failpoints import reach
from sync.frozen import replace
from sync.model import Label, Outcome, RunId
from sync.retention import Kept


def what_is_gone(store: Store) -> Mapping[RunId, frozenset[Kept]]:
    """By run: what was purged of it."""
    found: dict[RunId, frozenset[Kept]] = {}
    for row in store.connection.execute(select(purges.c.run_id, purges.c.what)):
        run_id = RunId(row.run_id)
        found[run_id] = found.get(run_id, frozenset()) | {Kept(row.what)}
    return found


def is_gone(store: Store, run_id: RunId, kind: Kept) -> bool:
    """Whether this was purged of the run."""
    return kind in what_is_gone(store).get(run_id, frozenset())


def forget(store: Store, run_id: RunId, kinds: Iterable[Kept]) -> None:
    """Take these contents of a finished run out of the journal, in one transaction, and write down that it was done.

    What is freed is overwritten. A run that is not finished is left alone, whoever asks.

    Raises:
        StoreNotWritten: the disk is full; nothing is gone.
    """
    store.connection.exec_driver_sql("PRAGMA secure_delete = ON")
    with store.transaction() as connection:
        state = connection.execute(select(runs.c.state).where(runs.c.run_id == run_id)).scalar_one_or_none()
        if state != "finished":
            return
        for kind in kinds:
            _forget(connection, run_id, kind)
            connection.execute(
                insert(purges).prefix_with("OR REPLACE"),
                {"run_id": run_id, "what": kind.value, "at_wall": store.clock.wall()},
            )
        reach("purge.written")


def give_back_space(store: Store) -> None:
    """Let the write-ahead log, which still has what was taken out, begin anew."""
    store.connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _forget(connection: Connection, run_id: RunId, kind: Kept) -> None:
    match kind:
        case Kept.UPLOAD:
            pass
        case Kept.BEFORE_IMAGES:
            connection.execute(
                update(intents).where(intents.c.run_id == run_id).values(before_json="{}", changes_json="[]")
            )
        case Kept.REPORT:
            _bare_rows(connection, run_id)


def _bare_rows(connection: Connection, run_id: RunId) -> None:
    """Leave of each row its number, Id and status, so that counts stay true, and whether it was to be sent."""
    found = connection.execute(
        select(rows.c.row, rows.c.outcome_json, rows.c.plan_json).where(rows.c.run_id == run_id)
    ).all()
    for row, written, planned in found:
        connection.execute(
            update(rows)
            .where(rows.c.run_id == run_id, rows.c.row == row)
            .values(
                plan_json=None if planned is None else "{}",
                edit_json=None,
                outcome_json=text(outcome_json(_bare(outcome_of(read(written))))),
            )
        )


def _bare(outcome: Outcome) -> Outcome:
    return replace(outcome, label=Label(outcome.label.id), changes=(), issues=(), updated_by=None)
