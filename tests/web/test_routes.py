"""Whatever is asked of the page, it answers: no request that a browser or a mischief-maker can form is a 500."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from starlette.routing import Route

from sync.adapters.clock import SystemClock
from sync.adapters.store import open_store
from sync.config import load_settings
from sync.jobs.carrying import Carrier
from sync.jobs.prepared import Desk
from sync.web.access import Access
from sync.web.app import create_app
from sync.web.site import Site
from tests.sandbox_process import SandboxProcess
from tests.web.odd_requests import ASKED, ROUTES, SIGNS_OUT, Asked, Asking
from tests.web.page_process import PageProcess
from tests.web.sheets import write_sheet
from tests.web.wire import send

pytestmark = pytest.mark.e2e

NO_HTTP = b"Invalid HTTP request received."
"""The server below the page says so, with a 400, of what it cannot read at all."""


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Iterator[Asking]:
    """A page with something on it, for somebody of each role and for nobody."""
    people = {"ada": "approver", "olga": "operator", "vera": "viewer"}
    folder = tmp_path_factory.mktemp("routes")
    with PageProcess(folder, sandbox, people=people) as site:
        ada = site.visitor("ada")
        sheet = write_sheet(folder / "a.xlsx", ("Id", "Title"), (1414925001, "Hello"), (1414925007, ""), ("x", "Bad"))
        plan, _ = ada.planned(sheet)
        order = ada.approve(plan)
        run = ada.run_of(order)
        ada.ended(run)
        another, _ = ada.planned(sheet)
        number = order.headers["location"].rpartition("/")[2]
        names = {
            "row": "2",
            "plan": another.rpartition("/")[2],
            "run": run.rpartition("/")[2],
            "number": number,
            "name": "report.csv",
        }
        yield Asking(site, (ada, site.visitor("olga"), site.visitor("vera"), site.stranger()), names)


def hold(asking: Asking, asked: Asked) -> None:
    """No 500, nothing of our inside, the headers of every answer, and nobody's line of headers broken."""
    answer = asking.send(asked)
    if answer.body == NO_HTTP:
        return
    assert answer.status < 500 or (answer.status == 503 and asked.route == "/uploads"), answer.body
    assert b"Traceback" not in answer.body
    assert str(asking.site.folder).encode() not in answer.body
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers or asked.route in ("/sign-in", SIGNS_OUT)


def no_page_is_broken(asking: Asking) -> None:
    """Nothing was logged as broken, and whatever was uploaded, the pages that list and show it are there."""
    talk = (asking.site.folder / "serve.err").read_text(encoding="utf-8")
    assert "page.broken" not in talk, talk[-3000:]
    assert "Traceback" not in talk
    start = asking.people[0].get("/")
    assert start.status_code == 200
    for path in set(re.findall(r'href="(/(?:plans|runs|orders)/[^"#?]+)"', start.text)):
        assert asking.people[0].made(path).status_code == 200, path


@given(asked=ASKED)
@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_request_is_a_500(asking: Asking, asked: Asked) -> None:
    """Every route with odd names, queries, forms, parts, bytes and headers, for each role and for nobody."""
    hold(asking, asked)


def test_nothing_was_broken_by_them(asking: Asking) -> None:
    """After all of that, the pages stand."""
    no_page_is_broken(asking)


@pytest.mark.soak
@pytest.mark.parametrize("start", [20250115, 20250116, 20250117])
def test_no_request_of_thousands_is_a_500(asking: Asking, start: int) -> None:
    """The same, at length and at random."""

    @seed(start)
    @given(asked=ASKED)
    @settings(max_examples=3_000, derandomize=False, suppress_health_check=[HealthCheck.too_slow])
    def ask_often(asked: Asked) -> None:
        hold(asking, asked)

    ask_often()
    no_page_is_broken(asking)


FORM = b"POST /sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\r\n" * 50, id="nothing"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40, id="tls"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", id="version"),
        pytest.param(b"GET http://evil.test/ HTTP/1.1\r\nHost: {host}\r\n\r\n", id="whole-address"),
        pytest.param(b"GET /\xff\xfe HTTP/1.1\r\nHost: {host}\r\n\r\n", id="bytes-in-the-address"),
        pytest.param(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: {host}\r\n\r\n", id="long-address"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: {host}\r\n" + b"x: y\r\n" * 20_000 + b"\r\n", id="many-headers"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: {host}\r\nx: " + b"y" * 200_000 + b"\r\n\r\n", id="long-header"),
        pytest.param(FORM + b"Content-Length: -5\r\n\r\n", id="negative-length"),
        pytest.param(FORM + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", id="lengths"),
        pytest.param(
            FORM + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="length-and-chunks",
        ),
        pytest.param(
            FORM + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            id="no-chunk",
        ),
        pytest.param(b"CONNECT evil.test:443 HTTP/1.1\r\nHost: {host}\r\n\r\n", id="connect"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", id="upgrade"
        ),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="version-2"),
    ],
)
def test_what_is_hardly_http_is_refused_or_ignored(asking: Asking, data: bytes) -> None:
    """No such line of bytes is a 500 or harms anybody else."""
    host = asking.site.base.removeprefix("http://").encode()

    answer = send(asking.site.base, data.replace(b"{host}", host))

    assert not answer.startswith(b"HTTP/1.1 5")
    assert asking.people[0].get("/").status_code == 200
    assert "page.broken" not in (asking.site.folder / "serve.err").read_text(encoding="utf-8")


def test_every_route_is_asked(tmp_path: Path) -> None:
    """A route that is new has to stand here, or nothing above would ask for it."""
    clock = SystemClock()
    options = {"state_dir": tmp_path / "state"}
    found = load_settings(
        profile=None,
        config_path=None,
        options=options,
        environ={},
        cwd=tmp_path,
        user_config_dir=tmp_path,
        needs_network=False,
    )
    with closing(open_store(found.state_dir, clock)):
        desk = Desk(found.state_dir, ())
        site = Site(found, clock, Access.of(found, clock), desk, Carrier(desk, clock), four_eyes=False, secure=False)
    routes = [route for route in create_app(site, hosts=("x",))._app.routes if isinstance(route, Route)]

    asked = {(path, method) for path, methods in ROUTES.items() for method in methods.split()}
    known = {(route.path, method) for route in routes for method in (route.methods or ()) if method != "HEAD"}
    assert {pair for pair in known if not pair[0].startswith("/static/")} == asked
