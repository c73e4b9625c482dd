"""The page behind a real nginx that ends TLS, as `configs/nginx.conf` has it; and with a certificate of its own."""

import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme
from playwright.sync_api import expect

from tests.programs import find, needs
from tests.sandbox_process import ROOT, SandboxProcess
from tests.web.browser import chromium
from tests.web.page_process import PASSWORD, PageProcess, slowed
from tests.web.sheets import write_sheet

pytestmark = [pytest.mark.e2e, needs("nginx")]

AROUND = """
daemon off; master_process off; error_log {folder}/error.log warn; pid {folder}/nginx.pid;
events {{ worker_connections 128; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {server}
}}
"""
ELSEWHERE = "127.0.0.2"
"""Where the visitors come from, as far as nginx sees."""
PEOPLE = {"ada": "approver"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificates of this file."""
    return trustme.CA()


def certificate(authority: trustme.CA, folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    issued = authority.issue_cert("localhost")
    chain, key = folder / "cert.pem", folder / "key.pem"
    for pem in issued.cert_chain_pems:
        pem.write_to_path(chain, append=True)
    issued.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    return chain, key


@contextmanager
def nginx(folder: Path, authority: trustme.CA, *, public: int, local: int) -> Iterator[None]:
    """The server of `configs/nginx.conf`, with ports and files of this test."""
    chain, key = certificate(authority, folder)
    server = (ROOT / "configs" / "nginx.conf").read_text(encoding="utf-8")
    for there, here in (
        ("listen 443", f"listen 127.0.0.1:{public}"),
        ("sections.example.com;\n    ssl_certificate ", "localhost;\n    ssl_certificate "),
        ("/etc/ssl/certs/sections.example.com.pem", str(chain)),
        ("/etc/ssl/private/sections.example.com.key", str(key)),
        ("127.0.0.1:8765", f"127.0.0.1:{local}"),
    ):
        assert there in server
        server = server.replace(there, here)
    path = folder / "nginx.conf"
    path.write_text(AROUND.format(folder=folder, server=server), encoding="utf-8")
    process = subprocess.Popen(
        [str(find("nginx")), "-c", str(path), "-p", str(folder), "-e", str(folder / "error.log")]
    )
    try:
        until = time.monotonic() + 30
        while not is_open(public):
            assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
            assert time.monotonic() < until
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def proxied(
    tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess, authority: trustme.CA
) -> Iterator[PageProcess]:
    """The page under its public name, and who asks it from elsewhere."""
    folder, public, local = tmp_path_factory.mktemp("proxied"), free_port(), free_port()
    words = ("--port", str(local), "--public-url", f"https://localhost:{public}")
    site = PageProcess(folder, sandbox, *words, people=PEOPLE)
    context = trusting(authority)
    site.transport = lambda: httpx.HTTPTransport(verify=context, local_address=ELSEWHERE)
    with nginx(folder, authority, public=public, local=local), site:
        yield site


def test_who_signs_in_through_the_proxy_is_known_over_tls_alone(proxied: PageProcess) -> None:
    """S9: the cookie is Secure, of this host and path alone; and the public name is the address that is said."""
    ada = proxied.visitor("ada")

    assert proxied.address.startswith("https://localhost:")
    assert ada.get("/people").status_code == 200
    for word in ("__host-coursesync-", "secure", "httponly", "samesite=strict", "path=/"):
        assert word in ada.set_cookie
    assert "domain" not in ada.set_cookie


def test_the_audit_log_knows_where_people_come_from(proxied: PageProcess) -> None:
    """S17: by what nginx has seen, and not by what a request claims of itself."""
    stranger = proxied.stranger()
    stranger.client.post("/sign-in", data={"name": "mallory", "password": "x"}, headers={"X-Forwarded-For": "10.9.8.7"})

    audit = proxied.command("history", "--audit", "--json").stdout

    assert f'"address": "{ELSEWHERE}"' in audit
    assert "10.9.8.7" not in audit


@pytest.mark.parametrize("host", ["evil.test", "localhost", "localhost:1", "127.0.0.1"])
def test_the_proxy_hands_no_other_name_on(proxied: PageProcess, host: str) -> None:
    """S8: nginx takes any name, as the only server on its port does; the page does not."""
    ada = proxied.visitor("ada")

    assert ada.client.get("/", headers={"Host": host}).status_code == 403


def test_another_sites_form_does_nothing_through_the_proxy(proxied: PageProcess) -> None:
    """S9: with cookie and token, from another origin: refused; from our own: taken."""
    ada = proxied.visitor("ada")
    form = {"csrf": ada.csrf, "kind": "template"}

    for headers in (
        {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.test"},
        {"Origin": "https://localhost"},
    ):
        assert ada.client.post("/workbooks", data=form, headers=headers).status_code == 403
    assert ada.post("/workbooks", {"kind": "template"}).status_code == 303


def test_too_large_an_upload_is_cut_off_by_either(proxied: PageProcess, tmp_path: Path) -> None:
    """S10: what is larger than the largest sheet ends at the proxy, and what is smaller comes through whole."""
    ada = proxied.visitor("ada")
    files = {"sheet": ("a.csv", b"Id,Title\n" + b"x" * 22_000_000)}

    refused = ada.client.post("/uploads", data={"csrf": ada.csrf}, files=files)
    large = write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), *((f"x{at}", "y" * 200) for at in range(2_000)))

    assert refused.status_code == 413
    assert "2,000" in ada.planned(large)[1].text


def test_progress_comes_through_the_proxy_while_the_run_is_at_work(
    proxied: PageProcess, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """No word of it waits in a buffer until the end."""
    ada = proxied.visitor("ada")
    ids = sorted(sandbox.records())[200:230]
    plan, _ = ada.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), *((key, f"Proxied {key}") for key in ids)))

    with slowed(sandbox, 1_000):
        run = ada.run_of(ada.approve(plan))
        with ada.client.stream("GET", f"{run}/events") as stream:
            lines = stream.iter_lines()
            first = next(line for line in lines if line.startswith("data:"))
            page = ada.get(run).text
    ada.ended(run)

    assert '"total": 30' in first
    assert "data-events" in page


@needs("chromium")
def test_a_browser_goes_the_whole_way_through_the_proxy(
    proxied: PageProcess, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """Over TLS: sign in, upload, approve, watch; no script, policy or cookie is in the way."""
    said: list[str] = []
    section = sorted(sandbox.records())[240]
    with chromium() as browser:
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        page.goto(proxied.base)
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.set_input_files("input[type=file]", write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (section, "By TLS")))
        page.get_by_role("button", name="Upload").click()
        page.get_by_role("link", name="Approve").click()
        page.get_by_role("button", name="Approve and send").click()
        page.wait_for_url(re.compile(rf"^{re.escape(proxied.base)}/runs/"))
        expect(page.get_by_role("heading", name="Finished")).to_be_visible(timeout=60_000)
        assert page.evaluate("window.isSecureContext")
        page.context.close()

    assert said == []
    assert sandbox.records()[section]["Title"] == "By TLS"


def test_the_page_has_a_certificate_of_its_own(tmp_path: Path, sandbox: SandboxProcess, authority: trustme.CA) -> None:
    """S7: with --tls-cert and --tls-key nothing has to stand before it; plain requests get nothing."""
    chain, key = certificate(authority, tmp_path)
    words = ("--host", "localhost", "--tls-cert", str(chain), "--tls-key", str(key))
    site = PageProcess(tmp_path, sandbox, *words, people=PEOPLE)
    context = trusting(authority)
    site.transport = lambda: httpx.HTTPTransport(verify=context)
    with site:
        ada = site.visitor("ada")

        assert site.base.startswith("https://localhost:")
        assert ada.get("/").status_code == 200
        assert "secure" in ada.set_cookie
        with pytest.raises(httpx.HTTPError):
            httpx.get(site.base.replace("https", "http"), trust_env=False, timeout=5)
