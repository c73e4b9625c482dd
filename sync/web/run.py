"""A run: at work, stopped or ended; its order while it waits; its report to take away."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response

from sync.adapters.lock import who_holds
from sync.adapters.store.history import find_run
from sync.adapters.store.orders import Order, OrderState, find_order, open_orders, why_not_carried_out
from sync.adapters.store.progress import PACE_S, pace_of
from sync.adapters.store.run_rows import outcomes_at
from sync.jobs.carrying import run_of_order
from sync.model import Outcome
from sync.preview import shown
from sync.section import ACTIONS
from sync.undo import undone_run
from sync.web.charts import pace_chart, status_chart
from sync.web.differences import difference, is_long
from sync.web.plan import DOWNLOADS
from sync.web.rows import ROWS_A_PAGE, ChangeShown, RowShown, TablePage, page_of, table_page, wanted_by
from sync.web.standing import Standing, live_facts, standing_of
from sync.web.start import called_of
from sync.web.visits import Visit

REPORTS = tuple(name for name in DOWNLOADS if name != "plan.json")
COMING = ("updated", "rejected", "conflict", "failed")
"""Statuses that rows of a run at work may come to: their places are there before the first of them."""


def run(visit: Visit) -> Response:
    """Show a run as it stands."""
    standing = standing_of(visit.site, visit.store, visit.path("run"))
    if standing is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    facts = standing.progress.facts
    folder = visit.site.settings.state_dir / "reports" / facts.run_id
    has_report = not standing.is_at_work and (folder / "report.jsonl").is_file() and facts.reported
    table = table_page(visit, visit.site.reports.rows(folder)) if has_report else _from_journal(visit, standing)
    shown_facts = {"table": table, "base": f"/runs/{facts.run_id}", "decides": False}
    if visit.request.headers.get("hx-target") == "rows":
        return visit.page("rows.html", shown_facts)
    ahead = dict.fromkeys(COMING, 0) if standing.is_at_work else {}
    counts = {name: count for name, count in (ahead | dict(standing.progress.counts)).items() if count or name in ahead}
    write_limits = [
        limit for limit in visit.site.settings.limits if limit.scope.value == "write" and limit.seconds == PACE_S
    ]
    return visit.page(
        "run.html",
        shown_facts,
        standing=standing,
        facts=facts,
        live=live_facts(visit.site, standing),
        undoes=undone_run(facts.issues),
        counts=counts,
        statuses=status_chart(counts),
        pace=pace_chart(pace_of(visit.store, facts.run_id), limit=write_limits[0].count if write_limits else None),
        files=[name for name in REPORTS if has_report and (folder / name).is_file()],
        hindered="" if standing.is_at_work else why_not_carried_out(visit.store, facts.run_id),
    )


def _from_journal(visit: Visit, standing: Standing) -> TablePage:
    """While a run is at work its rows come from the journal."""
    run_id = standing.progress.facts.run_id
    wanted = wanted_by(visit)
    found = visit.site.journals.find(visit.store, run_id, wanted)
    page, pages = page_of(visit, len(found.numbers))
    chosen = found.numbers[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
    outcomes = outcomes_at(visit.store, run_id, chosen)
    return TablePage(tuple(map(_row, outcomes)), len(found.numbers), page, pages, wanted, found.fields, found.courses)


def _row(outcome: Outcome) -> RowShown:
    return RowShown(
        row=outcome.row,
        id=outcome.label.id,
        course=outcome.label.course_id,
        title=outcome.label.title,
        status=outcome.status.value,
        changes=tuple(
            ChangeShown(
                change.field,
                shown(change.before),
                shown(change.after),
                None,
                difference(str(change.before or ""), str(change.after or ""))
                if is_long(change.before) or is_long(change.after)
                else (),
                change.field in ACTIONS,
            )
            for change in outcome.changes
        ),
        issues=[
            {"severity": issue.severity.value, "property": issue.field, "message": issue.message, "cell": issue.cell}
            for issue in outcome.issues
        ],
    )


def order(visit: Visit) -> Response:
    """Show an order while it waits, then lead to its run."""
    found = find_order(visit.store, visit.number("number"))
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if (run_id := _run_of(visit, found)) is not None:
        if visit.request.headers.get("hx-request") == "true":
            return Response(headers={"HX-Redirect": f"/runs/{run_id}"})
        return RedirectResponse(f"/runs/{run_id}", status_code=HTTPStatus.SEE_OTHER)
    holder = who_holds(visit.site.settings.state_dir / "run.lock")
    at_work = next((each for each in open_orders(visit.store) if each.state is OrderState.AT_WORK), None)
    ahead = "" if at_work is None else called_of(visit.site, at_work)
    called = called_of(visit.site, found)
    return visit.page("order.html", order=found, called=called, ahead=ahead, holder=holder, state=found.state.value)


def _run_of(visit: Visit, found: Order) -> str | None:
    """The run that carries out an order, or has; an undo that waits names the run that it takes back, not its own."""
    match found.state:
        case OrderState.ENDED:
            return found.run_id
        case OrderState.AT_WORK:
            return run_of_order(visit.store, found, visit.site.desk)
        case OrderState.WAITING | OrderState.WITHDRAWN:
            return None


def download(visit: Visit) -> Response:
    """Give one of the files of a run's report, always as a download."""
    facts, name = find_run(visit.store, visit.path("run")), visit.path("name")
    if facts is None or name not in REPORTS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    path = visit.site.settings.state_dir / "reports" / facts.run_id / name
    if not path.is_file():
        raise HTTPException(HTTPStatus.NOT_FOUND)
    visit.note("downloaded", run_id=facts.run_id, file=name)
    return FileResponse(path, filename=f"{facts.run_id} {name}", content_disposition_type="attachment")
