"""A plan: being made, refused, or shown row by row; approved."""

from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from sync.adapters.finding import Filter
from sync.adapters.store.history import find_run
from sync.adapters.store.orders import OrderKind, keep_order, orders_of_plans
from sync.jobs.decisions import decisions_in, pending
from sync.jobs.prepared import Kind, Prepared, Stage
from sync.rails import HELD
from sync.report import row_ranges
from sync.web.access import Role
from sync.web.deciding import RANGES_SHOWN, decision_facts, may_decide
from sync.web.rows import table_page
from sync.web.visits import Visit, to
from sync.web.writing import writing

DOWNLOADS = ("report.xlsx", "failed.xlsx", "report.csv", "report.jsonl", "summary.json", "plan.json")
ISSUES_SHOWN = 40


def plan(visit: Visit) -> Response:
    """Show a plan as it stands; htmx asks for its rows, or for whether it is made, alone."""
    prepared = visit.site.desk.find(visit.path("plan"))
    piece = visit.request.headers.get("hx-target", "")
    if prepared.stage is Stage.MAKING:
        return visit.page("making.html", prepared=prepared, is_file=prepared.about.kind not in (Kind.PLAN, Kind.UNDO))
    if piece == "making":
        return Response(headers={"HX-Refresh": "true"})
    if prepared.stage is Stage.REFUSED:
        return visit.page("refused.html", prepared=prepared)
    if prepared.about.kind in (Kind.EXPORT, Kind.TEMPLATE):
        return visit.page("file.html", prepared=prepared)
    table = table_page(visit, visit.site.reports.rows(prepared.folder))
    facts = {
        "table": table,
        "base": f"/plans/{prepared.name}",
        "decides": may_decide(visit, prepared),
        **decision_facts(visit, prepared),
    }
    if piece == "rows":
        return visit.page("rows.html", facts)
    answer = prepared.answer
    return visit.page(
        "plan.html",
        facts,
        counts={status: count for status, count in answer["counts"].items() if count},
        problems=[issue for issue in answer["issues"] if issue["rows"]][:ISSUES_SHOWN],
        remarks=[issue for issue in answer["issues"] if not issue["rows"] and issue["code"] != HELD][:ISSUES_SHOWN],
        undone=_undone(visit, prepared),
        rails=answer.get("rails", []),
        saved=answer.get("plan"),
        orders=orders_of_plans(visit.store, [prepared.name]),
        files=[name for name in DOWNLOADS if (prepared.folder / name).is_file()],
        may_approve=visit.person.role >= Role.APPROVER,
        is_undo=prepared.about.kind is Kind.UNDO,
        plan_leaves=len(decisions_in(prepared).leave),
    )


def _undone(visit: Visit, prepared: Prepared) -> str:
    """The sheet whose run an undo takes back; empty for anything else."""
    facts = find_run(visit.store, prepared.about.run_id or "")
    return "" if facts is None or facts.input is None else Path(facts.input.path).name


def download(visit: Visit) -> Response:
    """Give one of the files of a plan, always as a download."""
    prepared = visit.site.desk.find(visit.path("plan"))
    name = visit.path("name")
    path = prepared.folder / name
    if name not in (*DOWNLOADS, "export.xlsx", "export.csv", "template.xlsx") or not path.is_file():
        raise HTTPException(HTTPStatus.NOT_FOUND)
    visit.note("downloaded", plan=prepared.name, file=name)
    return FileResponse(path, filename=name, content_disposition_type="attachment")


def approve(visit: Visit) -> Response:
    """Show what is approved, in words; or take the approval."""
    prepared = visit.site.desk.find(visit.path("plan"))
    if prepared.stage is not Stage.READY or not prepared.does:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if visit.request.method == "GET":
        return _question(visit, prepared)
    said = _refusal(visit, prepared)
    if said:
        visit.note("approval_refused", plan=prepared.name, why=said)
        return _question(visit, prepared, said=said, status=HTTPStatus.FORBIDDEN)
    is_undo = prepared.about.kind is Kind.UNDO
    kind = OrderKind.UNDO if is_undo else OrderKind.APPLY
    visit.note(
        "approved",
        run_id=prepared.about.run_id,
        plan=prepared.name,
        file=prepared.about.called,
        checksum=prepared.checksum,
        sha256=str(prepared.answer["input"]["sha256"]),
        rails=list(prepared.held),
        rows=prepared.sends,
    )
    with writing(visit.site) as store:
        number = keep_order(
            store, kind, plan=prepared.name, name=visit.person.name, run_id=prepared.about.run_id, allowed=prepared.held
        )
    return to(f"/orders/{number}")


def _question(visit: Visit, prepared: Prepared, *, said: str = "", status: int = 200) -> Response:
    rows = visit.site.reports.rows(prepared.folder)
    cleared, images = rows.losses(rows.find(Filter(status="to_update")))
    return visit.page(
        "approve.html",
        status=status,
        prepared=prepared,
        cleared=cleared,
        images=images,
        rails=prepared.answer.get("rails", []),
        saved=prepared.answer.get("plan"),
        said=said,
        asks_account=not visit.site.settings.is_loopback,
        token=_token(prepared),
        pending=pending(prepared),
        plan_leaves=len(decisions_in(prepared).leave),
        left_out=row_ranges(decisions_in(prepared).leave, most=RANGES_SHOWN),
        why_not=_why_not(visit, prepared),
    )


def _token(prepared: Prepared) -> str:
    """What was shown: a plan by its checksum, an undo by its plan's name."""
    return prepared.checksum or str(prepared.answer.get("plan_hash", ""))


def _why_not(visit: Visit, prepared: Prepared) -> str:
    if visit.person.role < Role.APPROVER:
        return "approve.role"
    if visit.site.four_eyes and visit.person.name == prepared.about.person:
        return "approve.own"
    if _has_expired(visit, prepared):
        return "approve.expired"
    return ""


def _has_expired(visit: Visit, prepared: Prepared) -> bool:
    """Whether its run would refuse the plan by now; an undo is planned anew when it begins, and has no such time."""
    saved = prepared.answer.get("plan")
    return saved is not None and datetime.fromisoformat(saved["expires_at"]).timestamp() < visit.site.clock.wall()


def _refusal(visit: Visit, prepared: Prepared) -> str:
    """Why this approval is not taken; empty if it is."""
    settings = visit.site.settings
    if why := _why_not(visit, prepared):
        return why
    if visit.field("token") != _token(prepared):
        return "approve.changed"
    if not settings.is_loopback and visit.field("account").strip() != settings.account:
        return "approve.account.wrong"
    if not set(prepared.held) <= set(visit.fields("rail")):
        return "approve.rails.left"
    return ""
