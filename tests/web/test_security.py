"""What the page refuses, by the points of the security list: each with a hostile request, over a real socket."""

import http.client
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from sync.errors import ConfigError
from sync.web.server import Listening, check_listening
from sync.web.upload import shown_name
from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PASSWORD, PageProcess, Visitor, slowed
from tests.web.sheets import write_sheet

pytestmark = pytest.mark.e2e

EVIL = "<img src=x onerror=alert(1)>"


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


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Iterator[PageProcess]:
    """The page with somebody of each role."""
    people = {"ada": "approver", "olga": "operator", "vera": "viewer"}
    with PageProcess(tmp_path_factory.mktemp("staffed"), sandbox, people=people) as started:
        yield started


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


def test_s10_a_body_is_cut_off_where_it_becomes_too_large(site: PageProcess, visitor: Visitor) -> None:
    """S10: an upload that says its size is refused unread; one that does not is read to the limit and no further."""
    host, port = site.base.removeprefix("http://").split(":")
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
    head = (
        f"POST /uploads HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {site.base}\r\nCookie: {cookie}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n"
    )
    part = b'--x\r\nContent-Disposition: form-data; name="sheet"; filename="a.csv"\r\n\r\n'
    answers = []
    for how in ("Content-Length: 1000000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"):
        sent = 0
        with socket.create_connection((host, int(port)), timeout=30) as wire:
            wire.sendall((head + how).encode())
            try:
                if "chunked" in how:
                    wire.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                    for _ in range(400):
                        wire.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
                        sent += 65536
            except OSError:
                pass
            answers.append((wire.recv(200).split(b"\r\n")[0], sent))

    assert b"413" in answers[0][0]
    assert b"413" in answers[1][0]


def test_s10_many_parts_and_two_files_are_refused(visitor: Visitor) -> None:
    """S10: 10,000 parts, or a second file, are no form of ours."""
    many = [(f"field-{number}", (None, "x")) for number in range(10_000)]
    two = [("csrf", (None, visitor.csrf)), ("sheet", ("a.csv", b"Id\n")), ("sheet", ("b.csv", b"Id\n"))]

    assert visitor.client.post("/uploads", files=many).status_code in {400, 413}
    assert visitor.client.post("/uploads", files=two).status_code == 400


def test_s10_who_uploads_without_a_session_is_turned_away_unread(site: PageProcess) -> None:
    """S10: nobody's upload is kept, and no file of it is left."""
    before = len(list((site.state).glob("plans/*")))

    answer = site.stranger().client.post("/uploads", files={"sheet": ("a.csv", b"Id\n1\n")})

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?over=1"
    assert len(list((site.state).glob("plans/*"))) == before


HOSTILE_NAMES = (
    "../../../../tmp/x.xlsx",
    "..\\..\\x.xlsx",
    "CON",
    "x" * 300 + ".xlsx",
    "\u202exslx.exe",
    "<script>alert(1)</script>.xlsx",
    "--config=evil.toml",
    "a\r\nSet-Cookie: x=1.xlsx",
    EVIL,
)
MARKUP = f"<p>Hello</p>{EVIL}<script>alert(2)</script><iframe src='javascript:alert(3)'></iframe>"


@pytest.fixture(scope="module")
def hostile(visitor: Visitor, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A plan of a sheet that is markup wherever it can be: the address, and the page."""
    sheet = write_sheet(
        tmp_path_factory.mktemp("hostile") / "a.xlsx",
        ("Id", "Title", "SectionContents", "DisplayOrder", "NewImageUrl"),
        (1414925001, EVIL, MARKUP, EVIL, None),
        (1414925007, EVIL, MARKUP, 2, None),
        (1414925023, "Hello", None, None, "http://169.254.169.254/x.png"),
        (1414925046, "Hello", None, None, "https://0x7f.1/x.png"),
        (1414925064, "Hello", None, None, "https://localhost/x.png"),
    )
    plan, page = visitor.planned(sheet, name=HOSTILE_NAMES[0] + HOSTILE_NAMES[5])
    return plan, page.text


def is_text(page: str) -> bool:
    """Whether nothing that a person wrote is markup here."""
    return not any(tag in page for tag in ("<img", "<script>alert", "<iframe", "\u202e"))


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_s11_what_is_shown_of_a_name(name: str) -> None:
    """S11: the last part, without what cannot be seen, at most 100 characters, never an option."""
    shown = shown_name(name)

    assert 1 <= len(shown) <= 100
    assert shown.isprintable()
    assert "/" not in shown.replace("</script", "")
    assert not shown.startswith("-")


def test_s11_a_name_is_never_a_path(site: PageProcess, hostile: tuple[str, str]) -> None:
    """S11: whatever a file is called, it lies under a name of ours, for its owner alone, and is shown as text."""
    plan, page = hostile
    folder = site.state / "plans" / plan.rpartition("/")[2]

    assert re.fullmatch(r"[0-9a-f]{32}", folder.name)
    assert (folder / "sheet.bin").stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    assert "script&gt;.xlsx" in page
    assert is_text(page)
    assert not Path("/tmp/x.xlsx").exists()  # noqa: S108 - what must not be there


@pytest.mark.soak
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_s11_each_hostile_name_is_planned_like_any(visitor: Visitor, tmp_path: Path, name: str) -> None:
    """S11: the name changes nothing of what is done."""
    sheet = write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (1414925001, "Hello"))

    page = visitor.planned(sheet, name=name)[1].text

    assert "1 row would be sent" in page
    assert is_text(page)


@pytest.mark.parametrize(
    "path", ["/plans/../../../etc/passwd", "/plans/%2e%2e", "/plans/%2e%2e%2f", "/runs/x", "/plans/" + "0" * 32]
)
def test_s11_an_address_is_no_path(visitor: Visitor, path: str) -> None:
    """S11: what is not one of our names is not there."""
    assert visitor.get(path).status_code == 404


def test_s11_downloads_are_named_files_of_a_run_and_never_shown(visitor: Visitor, hostile: tuple[str, str]) -> None:
    """S11: attachment, nosniff, and only the files of the contract."""
    plan, _ = hostile

    given = visitor.get(f"{plan}/files/report.csv")

    assert given.headers["content-disposition"].startswith("attachment")
    assert given.headers["x-content-type-options"] == "nosniff"
    for name in ("sheet.bin", "about.json", "answer.json", "..%2fabout.json", "plan.key"):
        assert visitor.get(f"{plan}/files/{name}").status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"MZ\x90\x00 no sheet at all", "", id="program"),
        pytest.param(b"PK\x03\x04 cut off", "", id="cut-off"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "", id="old-excel"),
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"Name,Colour\nx,red\n", "headings", id="other-table"),
    ],
)
def test_s12_what_is_no_sheet_is_refused_with_its_sentence(
    visitor: Visitor, content: bytes, said: str, tmp_path: Path
) -> None:
    """S12: the content decides, whatever name and type say; the reader's sentence is shown, and nothing is sent."""
    sheet = tmp_path / "good.xlsx"
    sheet.write_bytes(content)

    page = visitor.made(visitor.upload(sheet)).text

    assert "This sheet was not taken" in page
    assert said in page
    assert "Traceback" not in page


def test_s13_contents_are_shown_and_never_rendered(hostile: tuple[str, str]) -> None:
    """S13: markup of a cell stands on the page as text, in the difference, in titles and in messages."""
    assert "&lt;img src=x onerror=alert(1)&gt;" in hostile[1]
    assert is_text(hostile[1])


def test_s14_an_image_that_nobody_should_fetch_holds_its_row(visitor: Visitor, hostile: tuple[str, str]) -> None:
    """S14: the page asks for no image; each such row is invalid, and says why."""
    page = visitor.get(f"{hostile[0]}?status=invalid").text

    for row in (4, 5, 6):
        assert f'aria-label="row {row}"' in page
    assert page.count("<strong>NewImageUrl</strong>") >= 3


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


NO_PLAN, NO_RUN = "0" * 32, "2026-none"
LOOKING = ("/", f"/plans/{NO_PLAN}", f"/plans/{NO_PLAN}/approval", f"/runs/{NO_RUN}", "/orders/999")
DOING = ("/workbooks", f"/plans/{NO_PLAN}/decisions", f"/runs/{NO_RUN}/pause", f"/runs/{NO_RUN}/resume")
DECIDING = (f"/plans/{NO_PLAN}/approval", "/orders/999/withdrawal")


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        pytest.param("vera", (*DOING, f"/runs/{NO_RUN}/undo", *DECIDING), id="viewer"),
        pytest.param("olga", DECIDING, id="operator"),
        pytest.param("ada", (), id="approver"),
    ],
)
def test_s16_each_role_may_do_its_own_and_no_more(staffed: PageProcess, name: str, refused: Sequence[str]) -> None:
    """S16: a viewer looks, an operator uploads and plans, an approver approves; whatever the page shows or hides."""
    person = staffed.visitor(name)
    may_upload = name != "vera"
    form = {"csrf": person.csrf}

    answers = {path: person.post(path).status_code for path in (*DOING, f"/runs/{NO_RUN}/undo", *DECIDING)}
    upload = person.client.post("/uploads", data=form, files={"sheet": ("a.csv", b"Id\n")})

    assert {path for path, status in answers.items() if status == 403} == set(refused)
    assert (upload.status_code == 303) is may_upload
    assert person.get("/people").status_code == (200 if name == "ada" else 403)
    assert all(person.get(path).status_code in {200, 404} for path in LOOKING)
    assert person.get(f"/runs/{NO_RUN}/events").status_code in {200, 404}


def test_s16_nobody_approves_the_own_upload_where_four_eyes_are_asked_for(
    tmp_path: Path, sandbox: SandboxProcess
) -> None:
    """S16: with the token that was shown and every rail ticked, the own approval is refused; another's holds."""
    people = {"ada": "approver", "ben": "approver"}
    with PageProcess(tmp_path, sandbox, "--four-eyes", people=people) as page:
        ada, ben = page.visitor("ada"), page.visitor("ben")
        plan, _ = ada.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (1414925064, "Four eyes")))

        own, others = ada.approve(plan), ben.approve(plan)

        assert (own.status_code, others.status_code) == (403, 303)
        ben.ended(ben.run_of(others))


def test_s16_an_approval_holds_for_what_was_shown(visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """S16: another checksum is refused, an edited plan is refused by its run, and a second approval starts nothing."""
    plan, _ = visitor.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (1414925023, "Held to its checksum")))
    writes = len(sandbox.puts())

    foreign = visitor.post(f"{plan}/approval", {"token": "0" * 64})
    first = visitor.approve(plan)
    again = visitor.approve(plan)

    assert foreign.status_code == 403
    assert "was not the one" in foreign.text or "not the one that was shown" in foreign.text
    assert first.headers["location"] == again.headers["location"]
    visitor.ended(visitor.run_of(first))
    assert len(sandbox.puts()) == writes + 1


def test_s16_a_plan_that_was_edited_is_not_carried_out(
    site: PageProcess, visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """S16: the seal holds against whoever can write to the disk, and the page says why nothing began."""
    plan, _ = visitor.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (1414925046, "Edited on the way")))
    file = site.state / plan.lstrip("/") / "plan.json"
    file.write_text(file.read_text(encoding="utf-8").replace("Edited on the way", "Something else"), encoding="utf-8")
    writes = len(sandbox.puts())

    order = visitor.approve(plan).headers["location"]
    page = visitor.wait_for(order, lambda answer: 'role="alert"' in answer.text)

    assert "not the plan that was reviewed" in page.text
    assert len(sandbox.puts()) == writes


def test_s17_who_did_what_is_written_down(site: PageProcess, visitor: Visitor, hostile: tuple[str, str]) -> None:
    """S17: sign-ins and refusals, uploads and approvals, with address and digests; no name breaks a line, no token."""
    site.stranger().client.post("/sign-in", data={"link": "forged\r\n2026 ada approved"})

    audit = site.command("history", "--audit", "--json").stdout

    assert hostile[0].rpartition("/")[2] in audit
    for action in ("page.signed_in", "page.sign_in_refused", "page.uploaded"):
        assert action in audit
    assert '"address": "127.0.0.1"' in audit
    assert "\\n" not in audit
    assert site.address.partition("link=")[2] not in audit
    assert not any(value in audit for value in visitor.client.cookies.values())
    assert not any(
        value.encode() in (site.state / "store.sqlite3").read_bytes() for value in visitor.client.cookies.values()
    )


def test_s22_an_error_shows_its_number_and_nothing_else(
    site: PageProcess, visitor: Visitor, hostile: tuple[str, str]
) -> None:
    """S22: what breaks inside is told by a number that the log knows; never a traceback, never a path."""
    plan, _ = hostile
    (site.state / plan.lstrip("/") / "report.jsonl").write_text("{broken", encoding="utf-8")

    answer = visitor.get(plan)

    assert answer.status_code == 500
    number = re.search(r"number: ([0-9a-f]{8})", answer.text)
    assert number is not None
    assert "Traceback" not in answer.text
    assert str(site.folder) not in answer.text
    assert number[1] in (site.folder / "serve.err").read_text(encoding="utf-8")
    assert answer.headers["content-security-policy"]


def test_a_slow_body_is_given_up(site: PageProcess, visitor: Visitor) -> None:
    """S10: a form that does not come to its end holds nobody up; others are answered meanwhile."""
    host, port = site.base.removeprefix("http://").split(":")
    answers: list[float] = []

    def slow() -> None:
        with socket.create_connection((host, int(port)), timeout=5) as wire:
            wire.sendall(
                f"POST /sign-in HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {site.base}\r\nContent-Length: 50\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n\r\nlink=".encode()
            )
            time.sleep(1)

    threads = [threading.Thread(target=slow) for _ in range(20)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    assert visitor.get("/").status_code == 200
    answers.append(time.monotonic() - began)
    for thread in threads:
        thread.join()

    assert max(answers) < 5
