"""Servers that refuse us, are somebody else's, or are not there: nothing is decided on it, and nothing sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import trustme

from tests.e2e.command_line import SAMPLES, Shell, refused
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

TITLES = str(SAMPLES / "translate_titles.xlsx")
ONLINE = pytest.mark.parametrize(
    "words",
    [("plan", TITLES), ("apply", TITLES, "--yes"), ("export",), ("doctor",)],
    ids=["plan", "apply", "export", "doctor"],
)
ROLES = "CourseSection-List, CourseSection-Read and CourseSection-Edit"


@ONLINE
def test_a_wrong_token_is_refused_at_the_start(shell: Shell, sandbox: SandboxProcess, words: tuple[str, ...]) -> None:
    """Exit code 2; the sentence names the roles, since a 401 may mean either."""
    shell.setenv(COURSESYNC_TOKEN="wrong-canary")

    ran = shell(*words)

    refused(ran, 2, "refused the sign-in (401)", "coursesync login", ROLES)
    assert "wrong-canary" not in ran.out + ran.err
    assert sandbox.puts() == []


@ONLINE
def test_a_wrong_password_is_refused_at_the_start(
    shell: Shell, sandbox: SandboxProcess, words: tuple[str, ...]
) -> None:
    """Exit code 2, by every command that would sign in."""
    shell.setenv(COURSESYNC_TOKEN=None, COURSESYNC_USERNAME="admin@example.com", COURSESYNC_PASSWORD="wrong-canary")

    ran = shell(*words)

    refused(ran, 2, "refuses the user name or the password")
    assert "wrong-canary" not in ran.out + ran.err
    assert {entry["path"] for entry in sandbox.log()} == {"/api/token"}


@ONLINE
@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_role_to_read_is_refused_at_the_start(
    shell: Shell, sandbox: SandboxProcess, words: tuple[str, ...], status: int
) -> None:
    """Exit code 2, whichever status the server gives it."""
    sandbox.options(roles=["List", "Edit"], missing_role_status=status)

    refused(shell(*words), 2, f"({status})", ROLES)
    assert sandbox.puts() == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_role_to_edit_stops_the_run(shell: Shell, sandbox: SandboxProcess, status: int) -> None:
    """It shows at the first PUT: exit code 5, no row is taken for refused, and the roles are named."""
    sandbox.options(roles=["List", "Read"], missing_role_status=status)
    before = sandbox.records()

    ran = shell.apply(TITLES)

    refused(ran, 5, f"({status})", ROLES)
    assert "12 not attempted" in ran.out
    assert "Next: Go on where this run stopped: coursesync resume " in ran.out
    assert sandbox.records() == before


def test_doctor_reports_a_missing_profile_as_its_first_finding(shell: Shell) -> None:
    """What is wrong is data to `doctor`: a finding on standard output, and the same line on standard error."""
    ran = shell.bare("doctor")
    told = shell.bare("doctor", "--json")

    refused(ran, 2, "configuration: This command needs the network, and no profile or base URL was given")
    assert ran.out.startswith("FAILED     configuration: ")
    assert told.json["exit_code"] == told.code == 2
    assert [state for _what, state, _detail in told.json["findings"]] == ["failed"]


def test_doctor_names_the_first_thing_that_is_wrong(shell: Shell, sandbox: SandboxProcess) -> None:
    """What was looked at before it is ok; what hangs on it is not tried."""
    sandbox.options(roles=["List"])

    ran = shell("doctor")

    assert ran.code == 2
    assert "ok         CourseSection-List: " in ran.out
    assert "FAILED     CourseSection-Read: " in ran.out
    assert ran.why.startswith("CourseSection-Read: ")


def test_a_server_that_cannot_be_reached_is_no_empty_account(shell: Shell) -> None:
    """Exit code 5: nothing is decided on it."""
    with _web_server("html") as (base_url, _seen):
        pass
    shell.profile(base_url=base_url)

    ran = shell("plan", TITLES)

    refused(ran, 5, "could not be read: no connection to 127.0.0.1", "try again later")


@ONLINE
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param("html", "a page for people (200)", id="HTML 200"),
        pytest.param("404", "a page for people (404)", id="HTML 404"),
        pytest.param("redirect", "redirects (302) to https://elsewhere.example", id="redirect"),
    ],
)
def test_an_address_that_is_not_the_apis_isrefused(shell: Shell, words: tuple[str, ...], kind: str, text: str) -> None:
    """Exit code 2 after one request: a redirect is never followed, a page is never taken for an empty answer."""
    with _web_server(kind) as (base_url, seen):
        shell.profile(base_url=base_url)
        ran = shell(*words)

    refused(ran, 2, text, "Check `base_url` in the profile")
    assert len(seen) == 1


@pytest.mark.parametrize("kind", ["html", "404", "redirect"])
def test_a_password_is_sent_to_no_place_but_one(shell: Shell, kind: str) -> None:
    """`login` at a wrong address: exit code 2, one request, and nothing is kept."""
    shell.setenv(COURSESYNC_TOKEN=None, COURSESYNC_USERNAME="admin@example.com", COURSESYNC_PASSWORD="pw-canary")
    with _web_server(kind) as (base_url, seen):
        shell.profile(base_url=base_url)
        ran = shell("login")

    refused(ran, 2, "Set base_url to the address of the API")
    assert seen == ["POST /api/token"]
    assert not (shell.state / "token.json").exists()


def test_html_in_the_middle_of_a_run_is_an_incomplete_read(shell: Shell, sandbox: SandboxProcess) -> None:
    """The API answers a sign-in page in place of JSON: nothing is decided on it."""
    sandbox.faults([{"match": {"method": "GET"}, "action": "html"}])

    ran = shell("plan", TITLES)

    refused(ran, 2, "a page for people (200)")


def test_a_certificate_of_a_strange_authority_is_refused_until_it_is_named(shell: Shell, tmp_path: Path) -> None:
    """Exit code 2, and no way to switch the check off; with `ca_file` the same server is trusted."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(tmp_path / "chain.pem", append=True)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    words = ("--no-limits", "--tls-cert", str(tmp_path / "chain.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with SandboxProcess(*words, seed=SAMPLES / "sandbox_seed.json") as sandbox:
        shell.profile(base_url=sandbox.base_url)
        strange = shell("plan", TITLES)
        shell.profile('ca_file = "ca.pem"', base_url=sandbox.base_url)
        named = shell("plan", TITLES)
        puts = sandbox.puts()

    refused(strange, 2, "is not to be trusted", "ca_file")
    assert named.code == 0
    assert puts == []


class _Page(BaseHTTPRequestHandler):
    """A web server that is not the API."""

    kind = "html"
    seen: list[str]

    def answer(self) -> None:
        """Answer any request by the server's kind."""
        self.seen.append(f"{self.command} {self.path.split('?', maxsplit=1)[0]}")
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b"<!doctype html><html><body>Sign in</body></html>"
        self.send_response({"html": 200, "404": 404, "redirect": 302}[self.kind])
        if self.kind == "redirect":
            self.send_header("Location", "https://elsewhere.example/login")
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer  # noqa: N815 - the base class names them so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@contextmanager
def _web_server(kind: str) -> Iterator[tuple[str, list[str]]]:
    """A web server of this kind: its address as a base URL, and the requests that it saw."""
    seen: list[str] = []
    page = type("Page", (_Page,), {"kind": kind, "seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), page) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api", seen
        finally:
            server.shutdown()
            thread.join()
