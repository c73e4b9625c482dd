"""The first page: whose account this is, what is left of it today, and everything that was begun."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response

from sync.adapters.lock import who_holds
from sync.adapters.store.history import recent_runs
from sync.adapters.store.orders import (
    Order,
    OrderKind,
    OrderState,
    find_order,
    open_orders,
    orders_of_plans,
    withdraw_order,
)
from sync.adapters.store.standing import counts_by_status
from sync.bootstrap import read_ledger
from sync.for_good import is_for_good
from sync.frozen import Frozen
from sync.jobs.carrying import run_of_order
from sync.jobs.prepared import Kind
from sync.model import RunFacts
from sync.web.site import Site
from sync.web.visits import Visit, to
from sync.web.workbooks import asked_for
from sync.web.writing import writing

RUNS_SHOWN = 15
PREPARED_SHOWN = 30


class Window(Frozen):
    """One limit, and how much of it is left."""

    words: str
    used: int
    limit: int

    @property
    def left(self) -> int:
        """Requests that may still be sent."""
        return max(0, self.limit - self.used)


def start(visit: Visit) -> Response:
    """Show the first page."""
    site, store = visit.site, visit.store
    prepared = list(site.desk.recent(at_most=PREPARED_SHOWN))
    windows = read_ledger(store, site.settings, site.clock).use(site.clock.boot())
    holder = who_holds(site.settings.state_dir / "run.lock")
    orders = [(order, called_of(site, order), run_of_order(store, order, site.desk)) for order in open_orders(store)]
    at_work = {run_id for order, _, run_id in orders if order.state is OrderState.AT_WORK}
    return visit.page(
        "start.html",
        windows=[Window(each.window, each.used, each.limit) for each in windows if each.limit > 1],
        holder=holder,
        orders=orders,
        carried_out=bool(at_work),
        at_work=OrderState.AT_WORK,
        approved={order.plan for order in orders_of_plans(store, [each.name for each in prepared])},
        plans=[each for each in prepared if each.about.kind in (Kind.PLAN, Kind.UNDO)],
        files=[(each, asked_for(each)) for each in prepared if each.about.kind in (Kind.EXPORT, Kind.TEMPLATE)][:4],
        runs=[
            (
                facts,
                _state_of(facts, is_busy=holder is not None, is_carried_out=facts.run_id in at_work),
                counts_by_status(store, facts.run_id),
            )
            for facts in recent_runs(store, at_most=RUNS_SHOWN)
        ],
    )


def _state_of(facts: RunFacts, *, is_busy: bool, is_carried_out: bool) -> str:
    if is_busy and (facts.state == "open" or (is_carried_out and facts.state == "stopped")):
        return "at_work"
    return "for_good" if facts.stop is not None and is_for_good([facts.stop]) else facts.state


def called_of(site: Site, order: Order) -> str:
    """What an order is known by: its sheet, or its run."""
    return order.run_id or order.plan if order.kind.is_of_run else site.desk.find(order.plan).about.called


def withdraw(visit: Visit) -> Response:
    """Take back an order that still waits."""
    number = visit.number("number")
    order = find_order(visit.store, number)
    if order is None or order.kind is OrderKind.STOP:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    with writing(visit.site) as store:
        if withdraw_order(store, number):
            visit.note("order_withdrawn", order=number)
    return to("/")
