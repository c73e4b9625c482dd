"""What the store knows of files that were taken from drop folders, and of approvals; each step is one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Row as DbRow
from sqlalchemy import Select, insert, select, update

from sync.adapters.store.opening import Store
from sync.adapters.store.schema import runs
from sync.adapters.store.unattended import approvals, deliveries
from sync.failpoints import reach
from sync.inbox import Approval, Delivery, Place

AnyRow = DbRow[tuple[object, ...]]


def known_delivery(store: Store, delivery: str) -> Delivery | None:
    """The delivery of this name."""
    row = store.connection.execute(select(deliveries).where(deliveries.c.delivery == delivery)).one_or_none()
    return None if row is None else _delivery(row)


def deliveries_of_content(store: Store, folder: str, sha256: str) -> tuple[Delivery, ...]:
    """Everything that was taken from this folder with this content, the latest first."""
    query = select(deliveries).where(deliveries.c.folder == folder, deliveries.c.sha256 == sha256)
    return _all(store, query.order_by(deliveries.c.claimed_wall.desc()))


def awaiting_approval(store: Store, *, folder: str | None = None) -> tuple[Delivery, ...]:
    """What a rail holds, the oldest first; in this folder, or in any."""
    query = select(deliveries).where(deliveries.c.place == Place.APPROVAL.value)
    if folder is not None:
        query = query.where(deliveries.c.folder == folder)
    return _all(store, query.order_by(deliveries.c.claimed_wall))


def keep_claim(store: Store, delivery: str, *, folder: str, name: str, sha256: str) -> Delivery:
    """Write down that a file was taken; one whose content has changed since begins anew."""
    with store.transaction() as connection:
        changed = connection.execute(
            update(deliveries)
            .where(deliveries.c.delivery == delivery)
            .values(name=name, sha256=sha256, place=None, run_id=None, exit_code=None, reason="", starts=0)
        )
        if changed.rowcount == 0:
            connection.execute(
                insert(deliveries).values(
                    delivery=delivery,
                    folder=folder,
                    name=name,
                    sha256=sha256,
                    state="claimed",
                    claimed_wall=store.clock.wall(),
                )
            )
    reach("delivery.claimed")
    return Delivery(delivery, name, sha256, None)


def count_start(store: Store, delivery: str) -> None:
    """Write down that its run is begun: three in a row that come to no end put the file aside."""
    with store.transaction() as connection:
        connection.execute(
            update(deliveries).where(deliveries.c.delivery == delivery).values(starts=deliveries.c.starts + 1)
        )


def forget_starts(store: Store, delivery: str) -> None:
    """The run came to an orderly stop: its starts so far tell nothing against the file."""
    with store.transaction() as connection:
        connection.execute(update(deliveries).where(deliveries.c.delivery == delivery).values(starts=0))


def keep_end(
    store: Store,
    delivery: str,
    place: Place,
    *,
    exit_code: int,
    run_id: str | None = None,
    plan_hash: str | None = None,
    rails: Sequence[str] = (),
    reason: str = "",
) -> None:
    """Write down where the file is to lie, before it is moved there."""
    with store.transaction() as connection:
        connection.execute(
            update(deliveries)
            .where(deliveries.c.delivery == delivery)
            .values(
                state="ended",
                place=place.value,
                exit_code=exit_code,
                run_id=run_id,
                plan_hash=plan_hash,
                rails=" ".join(rails),
                reason=reason,
                starts=0,
                ended_wall=store.clock.wall(),
            )
        )
    reach("delivery.ended")


def where_files_lie(store: Store) -> Mapping[str, str]:
    """By run: where the sheet of a drop folder was put when its run had ended."""
    query = select(deliveries).where(deliveries.c.run_id.is_not(None), deliveries.c.place.is_not(None))
    return {
        row.run_id: str(Path(row.folder, row.place, row.delivery, row.name)) for row in store.connection.execute(query)
    }


def take_up(store: Store, delivery: str) -> None:
    """Write down that an approved delivery is at work again; what was approved stays known."""
    with store.transaction() as connection:
        connection.execute(
            update(deliveries).where(deliveries.c.delivery == delivery).values(state="claimed", place=None)
        )
    reach("delivery.taken_up")


def ended_run(store: Store, *, path: str, sha256: str) -> tuple[str, int] | None:
    """The run of this very file that has ended for good: its id and exit code."""
    query = (
        select(runs.c.run_id, runs.c.exit_code)
        .where(
            runs.c.command == "apply",
            runs.c.input_path == path,
            runs.c.input_sha256 == sha256,
            runs.c.state == "finished",
            runs.c.exit_code.is_not(None),
        )
        .order_by(runs.c.started_wall.desc())
        .limit(1)
    )
    row = store.connection.execute(query).one_or_none()
    return None if row is None else (row.run_id, row.exit_code)


def keep_approval(store: Store, approval: Approval, *, user: str) -> None:
    """Write down somebody's word."""
    with store.transaction() as connection:
        connection.execute(
            insert(approvals).values(
                run_id=approval.run_id,
                sha256=approval.sha256,
                plan_hash=approval.plan_hash,
                profile=approval.profile,
                rails=" ".join(approval.rails),
                user=user,
                at_wall=store.clock.wall(),
                expires_wall=approval.expires_wall,
            )
        )


def approvals_of(store: Store, run_id: str) -> tuple[Approval, ...]:
    """What was approved of this run and has not been used, the latest first."""
    query = (
        select(approvals)
        .where(approvals.c.run_id == run_id, approvals.c.used_wall.is_(None))
        .order_by(approvals.c.number.desc())
    )
    return tuple(
        Approval(row.run_id, row.sha256, row.plan_hash, row.profile, tuple(row.rails.split()), row.expires_wall)
        for row in store.connection.execute(query)
    )


def use_up(store: Store, run_id: str) -> None:
    """An approval holds for one run."""
    with store.transaction() as connection:
        connection.execute(
            update(approvals)
            .where(approvals.c.run_id == run_id, approvals.c.used_wall.is_(None))
            .values(used_wall=store.clock.wall())
        )


def _all(store: Store, query: "Select[tuple[object, ...]]") -> tuple[Delivery, ...]:
    return tuple(_delivery(row) for row in store.connection.execute(query))


def _delivery(row: AnyRow) -> Delivery:
    facts = row._mapping  # noqa: SLF001 - SQLAlchemy's public name of it
    place = None
    with suppress(ValueError):
        place = Place(facts["place"])
    return Delivery(
        facts["delivery"],
        facts["name"],
        facts["sha256"],
        place,
        facts["run_id"],
        facts["exit_code"],
        facts["plan_hash"],
        tuple(facts["rails"].split()),
        facts["reason"],
        facts["starts"],
    )
