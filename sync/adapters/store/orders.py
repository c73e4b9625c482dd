"""What the page has approved and still asks: orders, carried out one after the other, and requests to a run at work."""

from collections.abc import Collection, Sequence
from enum import StrEnum

from sqlalchemy import Row as DbRow
from sqlalchemy import Select, insert, select, update

from sync.adapters.store.attended import orders, requests
from sync.adapters.store.opening import Store
from sync.frozen import Frozen

AnyRow = DbRow[tuple[object, ...]]
PAUSE = "pause"
STOP = "stop"
"""For good: it holds until the run has ended so, however often it is stopped otherwise before."""


class OrderKind(StrEnum):
    """What is to be done."""

    APPLY = "apply"
    RESUME = "resume"
    STOP = "stop"
    """End for good a run that is not at work."""
    UNDO = "undo"

    @property
    def is_of_run(self) -> bool:
        """Whether it is about one run that there is already, and needs no plan."""
        return self in (OrderKind.RESUME, OrderKind.STOP)


class OrderState(StrEnum):
    """How far it has come."""

    WAITING = "waiting"
    AT_WORK = "at_work"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


_OVER = (OrderState.ENDED.value, OrderState.WITHDRAWN.value)
_WENT_WELL = (0, 4)
"""Exit codes after which there is nothing to say but the report."""


class Order(Frozen):
    """One approved piece of work."""

    number: int
    kind: OrderKind
    plan: str
    """The plan that was approved, by the name of its folder."""
    run_id: str | None
    """The run that is resumed or undone; of a plan, the run that carries it out, once it has begun."""
    allowed: tuple[str, ...]
    name: str
    """Who approved it."""
    at_wall: float
    state: OrderState
    process: str | None
    began_wall: float | None
    ended_wall: float | None
    exit_code: int | None
    said: str
    """The last sentence of its process, where that was not the report of a run."""


class Asked(Frozen):
    """What somebody asks of a run."""

    what: str
    name: str
    """Who asks."""

    @property
    def for_good(self) -> bool:
        """Whether the run is to end, and never to be resumed."""
        return self.what == STOP


def keep_order(
    store: Store, kind: OrderKind, *, plan: str, name: str, run_id: str | None = None, allowed: Sequence[str] = ()
) -> int:
    """Write down an order; give its number.

    A plan that has an order already keeps that one; a run keeps one that was not carried out yet.
    """
    with store.transaction() as connection:
        over = _OVER if kind.is_of_run else (OrderState.WITHDRAWN.value,)
        again = select(orders.c.number).where(
            orders.c.plan == plan, orders.c.kind == kind.value, orders.c.state.not_in(over)
        )
        if (number := connection.execute(again).scalar()) is not None:
            return int(number)
        done = connection.execute(
            insert(orders).values(
                kind=kind.value,
                plan=plan,
                run_id=run_id,
                allowed=" ".join(allowed),
                name=name,
                at_wall=store.clock.wall(),
                state=OrderState.WAITING.value,
            )
        )
        return int(done.lastrowid)


def find_order(store: Store, number: int) -> Order | None:
    """The order of this number."""
    found = _all(store, select(orders).where(orders.c.number == number))
    return found[0] if found else None


def orders_of_plans(store: Store, plans: Collection[str]) -> tuple[Order, ...]:
    """The orders of these plans that nobody has taken back, the latest first."""
    stands = orders.c.state != OrderState.WITHDRAWN.value
    return _all(store, select(orders).where(orders.c.plan.in_(plans), stands).order_by(orders.c.number.desc()))


def open_orders(store: Store) -> tuple[Order, ...]:
    """What waits or is at work, in the order in which it is carried out."""
    states = (OrderState.WAITING.value, OrderState.AT_WORK.value)
    return _all(store, select(orders).where(orders.c.state.in_(states)).order_by(orders.c.number))


def why_not_carried_out(store: Store, run_id: str) -> str:
    """What the last order about a run met, where it could not be carried out; empty where all went well."""
    kinds = [kind.value for kind in OrderKind if kind.is_of_run]
    query = select(orders.c.said, orders.c.exit_code, orders.c.state).where(
        orders.c.run_id == run_id, orders.c.kind.in_(kinds)
    )
    last = store.connection.execute(query.order_by(orders.c.number.desc())).first()
    if last is None or last.state != OrderState.ENDED.value or last.exit_code in _WENT_WELL:
        return ""
    return str(last.said)


def recent_orders(store: Store, *, at_most: int = 50) -> tuple[Order, ...]:
    """The latest orders, newest first."""
    return _all(store, select(orders).order_by(orders.c.number.desc()).limit(at_most))


def begin_order(store: Store, number: int, *, process: str, began_wall: float | None = None) -> None:
    """Write down that a process carries it out, since now unless told since when."""
    with store.transaction() as connection:
        connection.execute(
            update(orders)
            .where(orders.c.number == number)
            .values(state=OrderState.AT_WORK.value, process=process, began_wall=began_wall or store.clock.wall())
        )


def end_order(store: Store, number: int, *, exit_code: int | None, run_id: str | None, said: str) -> None:
    """Write down that its process has ended."""
    with store.transaction() as connection:
        connection.execute(
            update(orders)
            .where(orders.c.number == number)
            .values(
                state=OrderState.ENDED.value,
                exit_code=exit_code,
                run_id=run_id,
                said=said,
                ended_wall=store.clock.wall(),
            )
        )


def withdraw_order(store: Store, number: int) -> bool:
    """Take back an order that still waits; False if it is at work already, or over."""
    with store.transaction() as connection:
        done = connection.execute(
            update(orders)
            .where(orders.c.number == number, orders.c.state == OrderState.WAITING.value)
            .values(state=OrderState.WITHDRAWN.value, ended_wall=store.clock.wall())
        )
        return done.rowcount > 0


def ask_run(store: Store, run_id: str, what: str, *, name: str) -> None:
    """Ask something of a run that is at work."""
    with store.transaction() as connection:
        connection.execute(insert(requests).values(run_id=run_id, what=what, name=name, at_wall=store.clock.wall()))


def asked_of_run(store: Store, run_id: str) -> Asked | None:
    """What is asked of a run and was not taken yet; a stop for good outweighs a pause."""
    query = select(requests.c.what, requests.c.name).where(
        requests.c.run_id == run_id, requests.c.what.in_((PAUSE, STOP)), requests.c.taken_wall.is_(None)
    )
    rows = [Asked(str(what), str(name)) for what, name in store.connection.execute(query.order_by(requests.c.number))]
    return next((asked for asked in rows if asked.for_good), rows[0] if rows else None)


def take_requests(store: Store, run_id: str, *what: str) -> None:
    """Write down that what was asked of the run has been done, or holds no longer."""
    with store.transaction() as connection:
        connection.execute(
            update(requests)
            .where(requests.c.run_id == run_id, requests.c.what.in_(what), requests.c.taken_wall.is_(None))
            .values(taken_wall=store.clock.wall())
        )


def _all(store: Store, query: "Select[tuple[object, ...]]") -> tuple[Order, ...]:
    return tuple(_order(row) for row in store.connection.execute(query))


def _order(row: AnyRow) -> Order:
    facts = row._mapping  # noqa: SLF001 - SQLAlchemy's public name of it
    return Order(
        number=facts["number"],
        kind=OrderKind(facts["kind"]),
        plan=facts["plan"],
        run_id=facts["run_id"],
        allowed=tuple(facts["allowed"].split()),
        name=facts["name"],
        at_wall=facts["at_wall"],
        state=OrderState(facts["state"]),
        process=facts["process"],
        began_wall=facts["began_wall"],
        ended_wall=facts["ended_wall"],
        exit_code=facts["exit_code"],
        said=facts["said"],
    )
