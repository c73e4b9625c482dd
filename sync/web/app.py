"""The application: its addresses, who may ask for each, and what is answered when that goes wrong.

Before all of it stands `security.Guard`: host, origin, sizes and times, headers, error ids; then Starlette's router;
then `visits.page`: session, role, the form's token; then the page.
"""

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sync.adapters.whole_file import FileNotWritten
from sync.errors import ConfigError, CourseSyncError, StoreNotWritten
from sync.logs import get_logger
from sync.web import asking, deciding, people, plan, run, signing, start, upload, workbooks
from sync.web.access import Role
from sync.web.events import Hub
from sync.web.security import Guard, broken
from sync.web.site import Site
from sync.web.texts import ENGLISH, text
from sync.web.visits import Endpoint, page

CARRY_EVERY_S: Final = 1.0
_STATIC: Final = Path(__file__).parent / "static"
_KINDS: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_YEAR_S: Final = 365 * 86_400


def create_app(site: Site, *, hosts: Collection[str]) -> ASGIApp:
    """Make the application that serves one profile; `hosts` are the names, with ports, that it answers under."""
    of = partial(page, site)
    hub = Hub(site)
    viewer, operator, approver = Role.VIEWER, Role.OPERATOR, Role.APPROVER
    routes = [
        _get("/", of(viewer, start.start)),
        Route("/sign-in", signing.sign_in(site), methods=["GET", "POST"]),
        _post("/sign-out", of(viewer, signing.sign_out)),
        _post("/uploads", of(operator, upload.upload)),
        _post("/workbooks", of(operator, workbooks.prepare_workbook)),
        _get("/plans/{plan}", of(viewer, plan.plan)),
        _post("/plans/{plan}/decisions", of(operator, deciding.plan_again)),
        _post("/plans/{plan}/kept", of(operator, deciding.keep_page)),
        _post("/plans/{plan}/kept/{row:int}", of(operator, deciding.keep_row)),
        _get("/plans/{plan}/approval", of(viewer, plan.approve)),
        _post("/plans/{plan}/approval", of(approver, plan.approve)),
        _get("/plans/{plan}/files/{name}", of(viewer, plan.download)),
        _get("/orders/{number:int}", of(viewer, run.order)),
        _post("/orders/{number:int}/withdrawal", of(approver, start.withdraw)),
        _get("/runs/{run}", of(viewer, run.run)),
        _get("/runs/{run}/events", hub.stream()),
        _post("/runs/{run}/pause", of(operator, asking.pause)),
        _get("/runs/{run}/stop", of(operator, asking.stop)),
        _post("/runs/{run}/stop", of(operator, asking.stop)),
        _post("/runs/{run}/resume", of(operator, asking.resume)),
        _post("/runs/{run}/undo", of(operator, asking.undo)),
        _get("/runs/{run}/files/{name}", of(viewer, run.download)),
        _get("/people", of(approver, people.people)),
        *_static_routes(site),
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        carrying = asyncio.create_task(_carry(site))
        yield
        hub.closing.set()
        carrying.cancel()
        with suppress(asyncio.CancelledError):
            await carrying

    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={
            HTTPException: _http_error(site),
            CourseSyncError: _own_error(site),
            Exception: _broken(site),
        },
    )
    app.router.redirect_slashes = False
    return Guard(app, hosts=hosts, limits=site.limits)


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])


async def _carry(site: Site) -> None:
    """Look about once a second what is to be carried out; a look that fails is logged, and the next one comes."""
    while True:
        try:
            await run_in_threadpool(site.carrier.look)
        except Exception:  # noqa: BLE001 - what is ordered has to go on when the disk has room again
            get_logger().exception("page.carrying_failed")
        await asyncio.sleep(CARRY_EVERY_S)


def _static_routes(site: Site) -> list[Route]:
    """Each file of `static` under a name that changes with its content; small, so they are kept packed in memory."""
    routes, addresses = [], {}
    for path in sorted(_STATIC.iterdir()):
        if path.suffix not in _KINDS:
            continue
        content = path.read_bytes()
        address = f"/static/{hashlib.sha256(content).hexdigest()[:12]}-{path.name}"
        addresses[path.name] = address
        routes.append(_get(address, _static(content, _KINDS[path.suffix])))
    site.rendering.know(static=addresses)
    return routes


def _static(content: bytes, kind: str) -> Endpoint:
    packed = gzip.compress(content, mtime=0)
    headers = {"cache-control": f"public, max-age={_YEAR_S}, immutable", "vary": "accept-encoding"}

    async def answer(request: Request) -> Response:
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, media_type=kind, headers={**headers, "content-encoding": "gzip"})
        return Response(content, media_type=kind, headers=headers)

    return answer


def _http_error(site: Site):  # type: ignore[no-untyped-def]  # noqa: ANN202 - Starlette's type of a handler is wider
    async def answer(_request: Request, error: HTTPException) -> Response:
        known = error.detail if error.detail in ENGLISH else f"error.{error.status_code}"
        said = known if known in ENGLISH else "error.other"
        if error.status_code == HTTPStatus.UNAUTHORIZED:
            return Response(status_code=HTTPStatus.SEE_OTHER, headers={"location": "/sign-in?over=1"})
        answer = _error_page(site, said, error.status_code)
        if error.status_code in (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT):
            answer.headers["connection"] = "close"
        return answer

    return answer


def _own_error(site: Site):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the same
    async def answer(_request: Request, error: CourseSyncError) -> Response:
        match error:
            case FileNotWritten():
                return _error_page(site, "error.room", HTTPStatus.INSUFFICIENT_STORAGE)
            case StoreNotWritten():
                status = HTTPStatus.INSUFFICIENT_STORAGE
            case ConfigError():
                status = HTTPStatus.NOT_FOUND
            case _:
                status = HTTPStatus.INTERNAL_SERVER_ERROR
        return HTMLResponse(
            site.rendering.page("error.html", person=None, said=error.message, remedy=error.remedy), status_code=status
        )

    return answer


def _broken(site: Site):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the same
    async def answer(request: Request, _error: Exception) -> Response:
        words = text("error.500", number=broken(request.scope))
        page_text = site.rendering.page("error.html", person=None, said=words, remedy="")
        return HTMLResponse(page_text, status_code=HTTPStatus.INTERNAL_SERVER_ERROR)

    return answer


def _error_page(site: Site, said: str, status: int) -> HTMLResponse:
    words = site.rendering.page("error.html", person=None, said=ENGLISH[said], remedy="")
    return HTMLResponse(words, status_code=status)
