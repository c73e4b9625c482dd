"""Carry out what was approved at the page, one order after the other, each by a process of its own.

The orders stand in the store and the processes outlive the server: one that is started anew finds both as they are.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sync.adapters.background import answer_of, begin, is_at_work
from sync.adapters.lock import who_holds
from sync.adapters.store import open_store
from sync.adapters.store.history import find_run, recent_runs
from sync.adapters.store.opening import Store, open_for_reading
from sync.adapters.store.orders import Order, OrderKind, OrderState, begin_order, end_order, open_orders
from sync.errors import CourseSyncError
from sync.jobs.prepared import Desk
from sync.ports import Clock
from sync.savedplan import plan_checksum
from sync.undo import undone_run

_KILLED = "Its process was ended before it could say how it went. If it had begun, it can be resumed."


@dataclass(slots=True)
class Carrier:
    """Looks what is to be done next, and starts it once nothing else is at work."""

    desk: Desk
    clock: Clock

    def look(self) -> None:
        """Take in what has ended, and begin what is next, if the lock is free; called about once a second."""
        with closing(open_for_reading(self.desk.state_dir, self.clock)) as store:
            waiting = open_orders(store)
            over = [order for order in waiting if self._is_over(store, order)]
        if not waiting:
            return
        for order in over:
            with closing(open_store(self.desk.state_dir, self.clock)) as store:
                end_order(store, order.number, exit_code=None, run_id=order.run_id, said="")
        at_work = [order for order in waiting if order.state is OrderState.AT_WORK]
        for order in at_work:
            if not is_at_work(order.process or "0:"):
                self._end(order)
        still = [order for order in at_work if is_at_work(order.process or "0:")]
        left = [order for order in waiting if order.state is OrderState.WAITING and order not in over]
        # What ends a run sends nothing, and is over soon: it goes before what waits for its turn.
        first = next((order for order in left if order.kind is OrderKind.STOP), left[0] if left else None)
        if first is not None and not still and who_holds(self.desk.state_dir / "run.lock") is None:
            self._begin(first)

    def _is_over(self, store: Store, order: Order) -> bool:
        """Whether the process at work has ended its run as it was asked to: then nothing is left to be done."""
        if order.kind is not OrderKind.STOP or order.state is not OrderState.WAITING:
            return False
        facts = find_run(store, order.run_id or "")
        return facts is None or facts.state == "finished"

    def _begin(self, order: Order) -> None:
        out = self._out(order)
        with closing(open_store(self.desk.state_dir, self.clock)) as store:
            began_wall = self.clock.wall()  # before its run can begin: by that moment the run is known as this order's
            try:
                process = begin((*self._words(order), "--json", "--log-format", "json", *self.desk.words), out)
            except (OSError, CourseSyncError) as error:
                run_id = order.run_id if order.kind.is_of_run else None
                end_order(store, order.number, exit_code=1, run_id=run_id, said=str(error))
                return
            begin_order(store, order.number, process=process, began_wall=began_wall)

    def _end(self, order: Order) -> None:
        answer = answer_of(self._out(order)) or {}
        with closing(open_store(self.desk.state_dir, self.clock)) as store:
            run_id = run_of_order(store, order, self.desk) or answer.get("run_id")
            known = None if run_id is None else find_run(store, run_id)
            said = f"{answer.get('error', '')} {answer.get('remedy', '')}".strip()
            code = answer.get("exit_code")
            end_order(
                store,
                order.number,
                exit_code=code if isinstance(code, int) else None,
                run_id=None if known is None else known.run_id,
                said=said if answer else _KILLED,
            )

    def _out(self, order: Order) -> Path:
        return self.desk.root / order.plan / f"order-{order.number}.json"

    def _words(self, order: Order) -> Sequence[str]:
        allowed = [word for rail in order.allowed for word in ("--allow", rail)]
        match order.kind:
            case OrderKind.APPLY:
                prepared = self.desk.find(order.plan)
                plan = str(prepared.folder / "plan.json")
                return ["apply", plan, "--yes", "--checksum", prepared.checksum, *allowed]
            case OrderKind.RESUME:
                return ["resume", order.run_id or ""]
            case OrderKind.STOP:
                return ["stop", order.run_id or ""]
            case OrderKind.UNDO:
                return ["undo", order.run_id or "", "--yes", *allowed]


def run_of_order(store: Store, order: Order, desk: Desk) -> str | None:
    """The run that carries out an order, once it has begun."""
    if order.kind.is_of_run:
        return order.run_id
    since = order.began_wall or order.at_wall
    checksum = desk.find(order.plan).checksum if order.kind is OrderKind.APPLY else ""
    for facts in recent_runs(store):
        if facts.command == "apply" and order.kind is OrderKind.APPLY and plan_checksum(facts.issues) == checksum:
            return facts.run_id
        undoes = undone_run(facts.issues) if facts.command == "undo" and facts.started_wall >= since else None
        if order.kind is OrderKind.UNDO and undoes == order.run_id:
            return facts.run_id
    return None
