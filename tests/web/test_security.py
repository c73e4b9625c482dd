"""What the page refuses, S7 to S9 and S15 of the security list: each with a hostile request, over a real socket."""

import http.client
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from sync.errors import ConfigError
from sync.web.server import Listening, check_listening
from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PASSWORD, PageProcess, Visitor, slowed
from tests.web.sheets import write_sheet

pytestmark = pytest.mark.e2e


def raw(
    site: PageProcess, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> http.client.HTTPResponse:
    """Ask with exactly these headers."""
    host, _, port = site.base.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body or None)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


PROXY = "https://page.example"
CERTIFICATE = Path("cert.pem")


@pytest.mark.parametrize(
    ("listening", "has_people", "why"),
    [
        pytest.param(Listening("0.0.0.0"), False, "nobody has a password", id="no-people"),  # noqa: S104 - it is refused
        pytest.param(Listening("0.0.0.0"), True, "without TLS", id="people-alone"),  # noqa: S104 - the same
        pytest.param(Listening("::"), True, "without TLS", id="every-address-of-6"),
        pytest.param(Listening("page.example"), True, "without TLS", id="a-name"),
        pytest.param(Listening(public_url=PROXY), False, "nobody has a password", id="proxy-without-people"),
        pytest.param(Listening(public_url="http://page.example"), True, "--public-url takes", id="proxy-without-tls"),
        pytest.param(Listening(tls_cert=CERTIFICATE), True, "both a certificate and its key", id="half-of-tls"),
    ],
)
def test_s7_it_is_not_reached_from_elsewhere_without_people_and_tls(
    listening: Listening, *, has_people: bool, why: str
) -> None:
    """S7: what could be reached from elsewhere is refused with exit code 2, and what is missing is said."""
    with pytest.raises(ConfigError, match=re.escape(why)) as refused:
        check_listening(listening, has_people=has_people)

    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("listening", "has_people"),
    [
        pytest.param(Listening(), False, id="this-machine"),
        pytest.param(Listening("::1"), False, id="this-machine-by-6"),
        pytest.param(Listening("0.0.0.0", public_url=PROXY), True, id="proxy"),  # noqa: S104 - a proxy stands before it
        pytest.param(Listening("0.0.0.0", tls_cert=CERTIFICATE, tls_key=CERTIFICATE), True, id="tls"),  # noqa: S104 - TLS
    ],
)
def test_s7_it_is_served_where_nobody_else_comes_or_all_sign_in_over_tls(
    listening: Listening, *, has_people: bool
) -> None:
    """S7: this machine alone needs nothing; elsewhere people and TLS are enough."""
    check_listening(listening, has_people=has_people)


def test_s7_a_public_bind_ends_with_2(site: PageProcess) -> None:
    """S7: as a process, with the sentence and the next command."""
    ran = site.command("serve", "--port", "0", "--host", "0.0.0.0")  # noqa: S104 - it is refused

    assert ran.returncode == 2
    assert "coursesync users add" in ran.stderr


def test_s7_there_is_no_password_but_the_one_that_somebody_chose(tmp_path: Path, sandbox: SandboxProcess) -> None:
    """S7: `users add` takes a long one and keeps its argon2 hash; nobody else gets in, and the link is gone."""
    page = PageProcess(tmp_path, sandbox)
    short = page.command("users", "add", "ada", "--role", "approver", given="short\n")
    added = page.command("users", "add", "ada", "--role", "approver", given=f"{PASSWORD}\n")
    with page:
        assert (short.returncode, added.returncode) == (2, 0)
        assert "link=" not in page.address
        assert page.visitor("ada").get("/people").status_code == 200
        for form in ({"name": "ada", "password": "another"}, {"name": "bob", "password": PASSWORD}, {"link": ""}):
            assert page.stranger().client.post("/sign-in", data=form).status_code == 403
        kept = b"".join(file.read_bytes() for file in page.state.glob("store.sqlite3*"))
        assert b"$argon2id$" in kept
        assert PASSWORD.encode() not in kept


def test_s7_the_link_signs_in_once(site: PageProcess, visitor: Visitor) -> None:
    """S7: the printed link is spent with its first use, a wrong one never worked, and it is no GET that spends it."""
    assert visitor.get("/").status_code == 200
    stranger = site.stranger()

    again = stranger.client.post("/sign-in", data={"link": site.address.partition("link=")[2]})
    wrong = stranger.client.post("/sign-in", data={"link": "x" * 43})

    assert again.status_code == wrong.status_code == 403
    assert "set-cookie" not in again.headers
    assert str(stranger.get("/").url).endswith("/sign-in")


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1", "127.0.0.1:1", "localhost.evil.test:80", ""])
def test_s8_another_name_is_not_answered(site: PageProcess, visitor: Visitor, host: str) -> None:
    """S8: a name that was rebound to this machine gets nothing, whatever cookie comes with it."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())

    assert raw(site, "GET", "/", {"Host": host, "Cookie": cookie}).status == 403


def test_s8_two_names_at_once_are_not_answered(site: PageProcess) -> None:
    """S8: no Host at all, or two of them, is no name."""
    assert raw(site, "GET", "/", {}).status in {400, 403}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.test"}, id="origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, id="sandboxed-frame"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="neighbour"),
        pytest.param({"Origin": "null"}, id="nobody-vouches"),
        pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.test"}, id="they-disagree"),
        pytest.param({}, id="nothing-said"),
    ],
)
def test_s9_another_sites_form_does_nothing(site: PageProcess, visitor: Visitor, headers: dict[str, str]) -> None:
    """S9: even with the session's cookie and its token, a form that another site has sent is refused."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
    body = f"csrf={visitor.csrf}&kind=template".encode()

    answer = raw(
        site,
        "POST",
        "/workbooks",
        {
            "Host": site.base.removeprefix("http://"),
            "Cookie": cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
            **headers,
        },
        body,
    )

    assert answer.status == 403
    assert not list((site.state / "plans").glob("*/template.xlsx"))


def test_s9_a_form_needs_its_sessions_token(visitor: Visitor) -> None:
    """S9: without the token, or with another session's, nothing is done; GET does nothing at all."""
    assert visitor.client.post("/workbooks", data={"kind": "template"}).status_code == 403
    assert visitor.client.post("/workbooks", data={"kind": "template", "csrf": "0" * 64}).status_code == 403
    assert visitor.client.get("/workbooks").status_code == 405
    assert visitor.client.get("/sign-out").status_code == 405


def test_s9_a_head_is_no_form(staffed: PageProcess, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """S9: what asks for headers alone is answered as a look, whatever it carries: no sign-in, no stop, no approval."""
    ada = staffed.visitor("ada")
    section = sorted(sandbox.records())[30]
    plan, _ = ada.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (section, "Stopped by a look?")))
    with slowed(sandbox, 3_000):
        run = ada.run_of(ada.approve(plan))
        stop = ada.client.head(f"{run}/stop")
        page = ada.get(run).text
    ada.ended(run)
    approval = ada.client.head(f"{plan}/approval")
    form = {"name": "ada", "password": PASSWORD}
    sign_in = staffed.stranger().client.request("HEAD", "/sign-in", data=form)

    assert (stop.status_code, approval.status_code, sign_in.status_code) == (200, 200, 200)
    assert stop.content == approval.content == b""
    assert ">At work<" in page
    assert "set-cookie" not in sign_in.headers
    audit = staffed.command("history", "--audit", "--json").stdout
    assert "page.stop_asked" not in audit
    assert "page.approval_refused" not in audit


def test_s9_the_cookie_is_closed_to_scripts_and_to_other_sites(visitor: Visitor) -> None:
    """S9: HttpOnly and SameSite=Strict; Secure is for TLS."""
    assert "httponly" in visitor.set_cookie
    assert "samesite=strict" in visitor.set_cookie
    assert "path=/" in visitor.set_cookie


def test_s9_a_session_that_was_ended_is_over(tmp_path: Path, sandbox: SandboxProcess) -> None:
    """S9: whoever still has its cookie."""
    with PageProcess(tmp_path, sandbox) as page:
        visitor = page.visitor()
        kept = dict(visitor.client.cookies)
        out = visitor.post("/sign-out")
        with httpx.Client(base_url=page.base, trust_env=False, cookies=kept) as thief:
            after = thief.get("/")

    assert out.status_code == 303
    assert (after.status_code, after.headers["location"]) == (303, "/sign-in?over=1")


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        pytest.param("/runs/2026-x1", "/runs/2026-x1", id="ours"),
        pytest.param("/plans/abc/approval", "/plans/abc/approval", id="an-approval"),
        pytest.param("//evil.test/runs/1", "/", id="another-host"),
        pytest.param("https://evil.test/runs/1", "/", id="another-site"),
        pytest.param("/runs/1\r\nset-cookie: x=1", "/", id="a-line-more"),
        pytest.param("/sign-out", "/", id="no-page"),
    ],
)
def test_s9_the_sign_in_leads_back_to_pages_of_ours_alone(staffed: PageProcess, wanted: str, led: str) -> None:
    """S9: whatever address a link to the sign-in names, nobody is led to another site with a session just begun."""
    stranger = staffed.stranger()
    form = {"name": "olga", "password": PASSWORD, "to": wanted}

    assert stranger.client.post("/sign-in", data=form).headers["location"] == led
    shown = stranger.get(f"/sign-in?{urlencode({'to': wanted})}").text
    assert ("evil" in shown or "set-cookie" in shown) is False


def test_s9_a_session_ends_when_nobody_uses_it(staffed: PageProcess) -> None:
    """S9: after its time a cookie opens nothing, and a form with its token does nothing; where one was is kept."""
    olga = staffed.visitor("olga")
    assert olga.get("/").status_code == 200
    with closing(sqlite3.connect(staffed.state / "store.sqlite3")) as store, store:
        store.execute("UPDATE sessions SET seen_wall = seen_wall - 3600")

    page, form = olga.client.get("/runs/1"), olga.post("/workbooks", {"kind": "template"})
    piece = olga.client.get("/plans/1", headers={"HX-Request": "true"})
    ticked = {"HX-Request": "true", "HX-Current-URL": f"{staffed.base}/plans/1?page=2"}
    tick = olga.client.post("/plans/1/kept/2", data={"csrf": olga.csrf}, headers=ticked)
    events = olga.client.get("/runs/1/events")

    assert page.headers["location"] == "/sign-in?over=1&to=%2Fruns%2F1"
    assert form.headers["location"] == "/sign-in?over=1"
    assert (piece.status_code, piece.headers["hx-redirect"]) == (401, "/sign-in?over=1&to=%2Fplans%2F1")
    assert tick.headers["hx-redirect"] == piece.headers["hx-redirect"]
    assert events.status_code == 204


@pytest.mark.parametrize("path", ["/", "/people", "/sign-in", "/nothing"])
def test_s15_every_answer_is_closed_to_what_is_not_ours(visitor: Visitor, path: str) -> None:
    """S15: a policy without inline script, no sniffing, no framing, no referrer, nothing kept."""
    answer = visitor.get(path)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]* src=\"/static/)", answer.text)
    assert not re.search(r"<[^>]*\s(?:style|on[a-z]+)=", answer.text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", answer.text)
