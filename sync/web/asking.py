"""What is asked of a run: a pause, a stop for good, that it goes on, its undo. The page only writes it down."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response

from sync.adapters.store.history import find_run
from sync.adapters.store.orders import PAUSE, STOP, OrderKind, ask_run, keep_order, take_requests
from sync.web.standing import Standing, standing_of
from sync.web.visits import Visit, to
from sync.web.writing import writing


def _standing(visit: Visit) -> Standing:
    standing = standing_of(visit.site, visit.store, visit.path("run"))
    if standing is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return standing


def pause(visit: Visit) -> Response:
    """Ask a run to stop, resumably."""
    standing = _standing(visit)
    run_id = standing.progress.facts.run_id
    if standing.may_pause:
        with writing(visit.site) as store:
            ask_run(store, run_id, PAUSE, name=visit.person.name)
        visit.note("pause_asked", run_id=run_id)
    return to(f"/runs/{run_id}")


def stop(visit: Visit) -> Response:
    """Say what a stop for good means for this run, or write it down.

    The process at work looks for the request; whatever becomes of that process, the order ends what it has left.
    """
    standing = _standing(visit)
    facts = standing.progress.facts
    if visit.request.method == "GET":
        return visit.page("stop.html", standing=standing, facts=facts)
    if standing.may_stop:
        with writing(visit.site) as store:
            folder = visit.site.desk.folder_for(facts.run_id)
            ask_run(store, facts.run_id, STOP, name=visit.person.name)
            keep_order(store, OrderKind.STOP, plan=folder, name=visit.person.name, run_id=facts.run_id)
        visit.note("stop_asked", run_id=facts.run_id, not_reached=standing.progress.left)
    return to(f"/runs/{facts.run_id}")


def resume(visit: Visit) -> Response:
    """Order that a stopped run goes on; a stop for good that could not be carried out is taken back with that."""
    standing = _standing(visit)
    if not standing.may_resume:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    run_id = standing.progress.facts.run_id
    folder = visit.site.desk.folder_for(run_id)
    with writing(visit.site) as store:
        take_requests(store, run_id, STOP)
        number = keep_order(store, OrderKind.RESUME, plan=folder, name=visit.person.name, run_id=run_id)
    visit.note("resume_ordered", run_id=run_id, order=number)
    return to(f"/orders/{number}")


def undo(visit: Visit) -> Response:
    """Plan the undo of a run; it is shown and approved like any plan."""
    facts = find_run(visit.store, visit.path("run"))
    if facts is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    made = visit.site.desk.undo(facts.run_id, person=visit.person.name, at_wall=visit.site.clock.wall())
    visit.note("undo_planned", run_id=facts.run_id, plan=made.name)
    return to(f"/plans/{made.name}")
