"""The sandbox over real HTTP, in its own process: what it serves when nothing goes wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from tests.sandbox_process import ROOT, TOKEN, SandboxProcess

SECTIONS = "/content/coursesections"


@pytest.fixture(scope="module")
def process() -> Iterator[SandboxProcess]:
    with SandboxProcess("--no-limits") as running:
        yield running


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.reset()
    return process


@pytest.fixture
def http(sandbox: SandboxProcess) -> Iterator[httpx.Client]:
    with sandbox.client() as opened:
        yield opened


def read(http: httpx.Client, key: int) -> dict[str, Any]:
    record: dict[str, Any] = http.get(f"{SECTIONS}/{key}").json()
    return record


@pytest.mark.parametrize(
    "path",
    [SECTIONS + "/?id=[1001,1003]", SECTIONS + "?id=[1001,1003]", SECTIONS + "/?id=%5B1001%2C1003%5D"],
    ids=["slash", "no-slash", "encoded"],
)
def test_a_batch_is_a_bare_array_of_full_records(http: httpx.Client, path: str) -> None:
    """However the list of ids is written."""
    answer = http.get(path)

    assert answer.headers["content-type"].startswith("application/json")
    assert [record["Id"] for record in answer.json()] == [1001, 1003]
    assert answer.json() == [read(http, 1001), read(http, 1003)]


def test_an_accepted_put_answers_as_documented_and_is_stored(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """The answer carries the Id and the new UpdatedOn; the record holds what was sent."""
    before = read(http, 1003)

    answer = http.put(SECTIONS, json={**before, "Title": "Zoë 東京 😀"}).json()

    after = sandbox.records()[1003]
    assert answer == {
        "Status": 200,
        "Message": "CourseSection was successfully updated.",
        "Value": {"Id": 1003},
        "OpenInDialog": False,
        "OpenInWindow": False,
        "RedirectURL": None,
        "JavaScript": None,
        "UpdatedOn": after["UpdatedOn"],
        "UpdatedBy": "admin@example.com",
        "Errors": None,
        "WasSuccessful": True,
    }
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"Title", "ToStringText", "UpdatedOn"}
    assert read(http, 1003) == after


def test_the_log_tells_what_a_put_did(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """Body as received, the record before and after, and the time of arrival, but never the token."""
    body = {**read(http, 1001), "Title": "New"}
    answer = http.put(SECTIONS, json=body).json()

    (entry,) = sandbox.puts()

    assert entry["body"] == body
    assert (entry["before"]["Title"], entry["after"]["Title"]) == ("Finding your desk", "New")
    assert (entry["status"], entry["applied"], entry["lost"], entry["id"], entry["ids"]) == (
        200,
        True,
        False,
        1001,
        [1001],
    )
    assert (entry["updated_on"], entry["has_token"], entry["user_agent"]) == (answer["UpdatedOn"], True, "a-test")
    assert len(entry["body_sha256"]) == 64
    assert abs(entry["arrived_wall"] - time.time()) < 60
    assert entry["arrived_wall"] <= entry["answered_wall"]
    assert sandbox.history()[entry["change"] - 1]["after"] == entry["after"]
    assert TOKEN not in json.dumps(sandbox.log())


def test_sign_in_refresh_and_use(sandbox: SandboxProcess) -> None:
    """Form-encoded grants over HTTP; the log keeps nothing of them."""
    with sandbox.client() as http:
        http.headers["client_id"] = "c-1"
        form = {"grant_type": "password", "username": "admin@example.com", "password": "sandbox-password"}
        grant = http.post("/token", data=form).json()
        again = http.post("/token", data={"grant_type": "refresh_token", "refresh_token": grant["refresh_token"]})
        as_json = http.post("/token?password=canary", json=form)
        used = http.get(SECTIONS, headers={"Authorization": f"Bearer {again.json()['access_token']}"})
        sandbox.expire_tokens()
        late = http.get(SECTIONS, headers={"Authorization": f"Bearer {again.json()['access_token']}"})

    assert (again.status_code, used.status_code, late.status_code) == (200, 200, 401)
    assert (as_json.status_code, as_json.json()) == (400, {"error": "unsupported_grant_type"})
    logged = json.dumps(sandbox.log())
    secrets = [
        "canary",
        "sandbox-password",
        grant["access_token"],
        grant["refresh_token"],
        again.json()["access_token"],
    ]
    assert [secret for secret in secrets if secret in logged] == []


def test_switches_change_while_running(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """Roles, tokens and readings, and back again by a reset."""
    statuses = []
    for changes in ({"roles": ["List"]}, {"missing_role_status": 403}, {"tokens_refused": True}):
        sandbox.options(**changes)
        statuses.append(http.get(f"{SECTIONS}/1001").status_code)
    sandbox.reset()
    statuses.append(http.get(f"{SECTIONS}/1001").status_code)

    assert statuses == [401, 403, 401, 200]


@pytest.mark.parametrize(
    "steer",
    [
        lambda sandbox: sandbox.options(port=1),
        lambda sandbox: sandbox.options(nonsense=1),
        lambda sandbox: sandbox.faults([{"action": "nonsense"}]),
        lambda sandbox: sandbox.edit(9, Title="x"),
        lambda sandbox: sandbox.delete(9),
    ],
    ids=["fixed-option", "unknown-option", "unknown-fault", "edit-unknown", "delete-unknown"],
)
def test_steering_that_means_nothing_is_an_error(sandbox: SandboxProcess, steer: Any) -> None:  # noqa: ANN401 -- a call
    """A test that steers wrongly learns of it."""
    with pytest.raises(ValueError, match="error"):
        steer(sandbox)


def test_other_people_edit_and_delete(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """As seen through the API."""
    sandbox.edit(1001, Title="Theirs", XNew=[None])
    sandbox.delete(1002)

    assert (read(http, 1001)["Title"], read(http, 1001)["XNew"]) == ("Theirs", [None])
    assert http.get(f"{SECTIONS}/1002").status_code == 404


def test_unknown_paths_answer_a_page(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """Below the API and beside it; what is beside it is not logged."""
    below = http.get("/nowhere")
    beside = http.get(sandbox.base_url.removesuffix("/api") + "/robots")

    assert [answer.status_code for answer in (below, beside)] == [404, 404]
    assert [answer.headers["content-type"].split(";")[0] for answer in (below, beside)] == ["text/html"] * 2
    assert [entry["path"] for entry in sandbox.log()] == ["/api/nowhere"]


def test_numbers_and_odd_text_survive_the_way_in_and_out(http: httpx.Client) -> None:
    """JSON values are stored as they are, whatever their size."""
    odd = {"big": 10**30, "tiny": 1e-300, "float": 1.0, "deep": [[{"a": None}]], "lone": "\ud800", "zero": "a\x00b"}
    body = json.dumps({**read(http, 1001), "XOdd": odd})

    http.put(SECTIONS, content=body, headers={"Content-Type": "application/json"})

    assert json.dumps(json.loads(http.get(f"{SECTIONS}/1001").text)["XOdd"]) == json.dumps(odd)


def test_a_body_that_is_no_json_is_refused(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """Half a body changes nothing."""
    statuses = [http.put(SECTIONS, content=body).status_code for body in (b'{"Id": 1001', b"", b'{"Id": NaN}', b"\xff")]

    assert statuses == [400] * 4
    assert [entry["body"] for entry in sandbox.puts()] == [None] * 4


def test_latency_holds_the_answer_and_applies_half_way(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """The record has changed before the answer comes."""
    body = {**read(http, 1001), "Title": "Slowly"}
    sandbox.options(latency_ms=400)
    started = time.monotonic()

    with pytest.raises(httpx.ReadTimeout):
        http.put(SECTIONS, json=body, timeout=0.3)
    early = sandbox.records()[1001]["Title"]
    http.get(SECTIONS)

    assert early == "Slowly"
    assert time.monotonic() - started > 0.65


def test_the_log_file_holds_one_line_per_request(tmp_path: Path) -> None:
    """Flushed before the answer goes out, the same as the log in memory."""
    log = tmp_path / "requests.jsonl"
    with SandboxProcess("--no-limits", "--log", str(log)) as sandbox, sandbox.client() as http:
        http.put(SECTIONS, json=read(http, 1001))
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        remembered = sandbox.log()

    assert lines == remembered
    assert [line["n"] for line in lines] == [1, 2]


def test_a_seed_file_is_served(tmp_path: Path) -> None:
    """Courses and sections of the file, and nothing of the built-in set."""
    seed = tmp_path / "seed.json"
    sections = [{"Id": 5, "CourseId": 1, "Title": "S", "XUnknown": {"k": [1]}}]
    seed.write_text(json.dumps({"courses": [{"Id": 1, "Title": "C"}], "sections": sections}), encoding="utf-8")

    with SandboxProcess("--no-limits", seed=seed) as sandbox, sandbox.client() as http:
        courses = http.get("/content/courses").json()
        section = read(http, 5)

    assert (courses["TotalItems"], courses["Records"][0]["Title"]) == (1, "C")
    assert (section["CourseTitle"], section["XUnknown"]) == ("C", {"k": [1]})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_quietly(number: signal.Signals) -> None:
    """Exit code 0, one line on standard output, nothing on standard error, even with answers still held."""
    command = [sys.executable, "-m", "sync.sandbox", "--port", "0", "--latency-ms", "60000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        with socket.create_connection(("127.0.0.1", int(line.split(":")[2].split("/")[0]))) as waiting:
            waiting.sendall(b"GET /api/content/courses HTTP/1.1\r\nHost: x\r\n\r\n")
            process.send_signal(number)
            rest, errors = process.communicate(timeout=10)

    assert line.startswith("listening on http://127.0.0.1:")
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_reader_who_has_stalled_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """What is cut short at the end is cut short without a word."""
    script = tmp_path / "faults.json"
    script.write_text(json.dumps([{"action": "huge", "bytes": 10**9}]), encoding="utf-8")
    command = [sys.executable, "-m", "sync.sandbox", "--port", "0", "--faults", str(script)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        with socket.create_connection(("127.0.0.1", int(line.split(":")[2].split("/")[0]))) as stalled:
            stalled.sendall(b"GET /api/content/courses HTTP/1.1\r\nHost: x\r\n\r\n")
            stalled.recv(10)
            time.sleep(0.3)  # until the buffers between are full
            process.terminate()
            _, errors = process.communicate(timeout=10)

    assert (process.returncode, errors) == (0, "")


def test_answers_do_not_wait_for_acknowledgements(http: httpx.Client) -> None:
    """Twenty answers on one connection take no 40 ms each, or every measured rate would be the sandbox's own."""
    started = time.monotonic()
    for _ in range(20):
        http.get(f"{SECTIONS}/1001")

    assert time.monotonic() - started < 0.6


def test_it_ends_with_its_parent_when_asked() -> None:
    """A closed standard input is as good as a signal."""
    with SandboxProcess() as sandbox:
        assert sandbox._process is not None
        assert sandbox._process.stdin is not None
        sandbox._process.stdin.close()

        assert sandbox._process.wait(10) == 0


@pytest.mark.parametrize("words", [["--limit", "x"], ["--seed", "/nowhere.json"], ["--port", "taken"]], ids=" ".join)
def test_it_says_why_it_does_not_start(words: list[str]) -> None:
    """Exit code 2 and the reason on standard error."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        words = [str(taken.getsockname()[1]) if word == "taken" else word for word in words]
        ended = subprocess.run(
            [sys.executable, "-m", "sync.sandbox", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "sandbox: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_listens_on_loopback_only(sandbox: SandboxProcess) -> None:
    """There is no switch for another address."""
    assert sandbox.base_url.startswith("http://127.0.0.1:")


def test_it_serves_https_with_a_given_certificate(tmp_path: Path) -> None:
    """For tests of the trust in certificates."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(os.fspath(key))

    with SandboxProcess("--no-limits", "--tls-cert", str(chain), "--tls-key", str(key)) as sandbox:
        records = sandbox.records()

    assert sandbox.base_url.startswith("https://")
    assert len(records) == 6
