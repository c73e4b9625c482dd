"""Throttling over real HTTP: judged on arrival, told in every way that the documentation leaves open."""

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox_process import SandboxProcess

SECTIONS = "/content/coursesections"
PHRASE = "You must wait before accessing this url again."


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


def test_one_request_too_many_is_told_as_the_older_page_says(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """409 with its own reason phrase, Retry-After in seconds, an empty body; the record stays."""
    body = http.get(f"{SECTIONS}/1001").json()
    sandbox.options(limits=["write:1:60"])
    http.put(SECTIONS, json={**body, "Title": "first"})

    answer = http.put(SECTIONS, json={**body, "Title": "second"})

    assert (answer.status_code, answer.reason_phrase, answer.content) == (409, PHRASE, b"")
    assert (answer.headers["retry-after"], "content-type" in answer.headers) == ("60", False)
    assert sandbox.records()[1001]["Title"] == "first"
    (_, entry) = sandbox.puts()
    assert (entry["throttled"], entry["window"], entry["applied"], entry["status"]) == (True, "write:1:60", False, 409)


@pytest.mark.parametrize(
    ("switches", "status", "headers"),
    [
        ({"throttle_status": 429}, 429, ["60"]),
        ({"no_retry_after": True}, 409, []),
        ({"retry_after": "garbage"}, 409, ["garbage"]),
        ({"retry_after": "-5"}, 409, ["-5"]),
        ({"retry_after": ""}, 409, [""]),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 409, ["Wed, 21 Oct 2015 07:28:00 GMT"]),
    ],
    ids=["429", "none", "garbage", "negative", "empty", "past-date"],
)
def test_how_a_throttle_is_told(
    sandbox: SandboxProcess, http: httpx.Client, switches: dict[str, object], status: int, headers: list[str]
) -> None:
    """Each form of the answer is a switch."""
    sandbox.options(limits=["all:1:60"], **switches)
    http.get(SECTIONS)

    answer = http.get(SECTIONS)

    assert (answer.status_code, answer.headers.get_list("retry-after")) == (status, headers)


def test_a_reason_phrase_is_for_one_answer_only(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """On the same connection, another 409 is an ordinary Conflict."""
    sandbox.options(limits=["all:1:0.05"])
    throttled = [http.get(SECTIONS), http.get(SECTIONS)][1]
    sandbox.options(limits=[])
    sandbox.faults([{"action": "status", "status": 409}])

    assert (throttled.reason_phrase, http.get(SECTIONS).reason_phrase) == (PHRASE, "Conflict")


def test_a_request_is_judged_when_it_arrives_not_when_it_is_answered(
    sandbox: SandboxProcess, http: httpx.Client
) -> None:
    """Latency does not push requests apart."""
    sandbox.options(limits=["all:1:0.3"], latency_ms=350)

    statuses = [http.get(SECTIONS).status_code for _ in range(2)]

    assert statuses == [200, 200]
    first, second = sandbox.log()
    assert second["arrived"] - first["arrived"] > 0.3


def test_the_time_scale_shortens_a_minute(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """Sixty seconds at a scale of 200 are 0.3 s, and Retry-After tells real seconds."""
    sandbox.options(limits=["all:1:60"], time_scale=200)

    first, second = http.get(SECTIONS), http.get(SECTIONS)
    time.sleep(0.35)
    third = http.get(SECTIONS)

    assert [answer.status_code for answer in (first, second, third)] == [200, 409, 200]
    assert second.headers["retry-after"] == "1"


@pytest.mark.parametrize(("per", "status"), [("user", 409), ("client", 200)])
def test_limits_are_shared_per_user_or_per_client(
    sandbox: SandboxProcess, http: httpx.Client, per: str, status: int
) -> None:
    """The documentation does not say which."""
    form = {"grant_type": "password", "username": "admin@example.com", "password": "sandbox-password"}
    token = http.post("/token", data=form, headers={"client_id": "another"}).json()["access_token"]
    sandbox.options(limits=["all:1:60"], limit_per=per)
    http.get(SECTIONS)

    assert http.get(SECTIONS, headers={"Authorization": f"Bearer {token}"}).status_code == status


@pytest.mark.parametrize(("counted", "status"), [(False, 200), (True, 409)], ids=["free", "counted"])
def test_signing_in_counts_only_when_told_so(
    sandbox: SandboxProcess, http: httpx.Client, *, counted: bool, status: int
) -> None:
    """Limits are about identities, and a sign-in has none yet."""
    sandbox.options(limits=["all:1:60"], limit_sign_in=counted)
    http.post("/token", data={"grant_type": "x"})

    assert http.get(SECTIONS).status_code == status


def test_the_documented_table_is_in_force_by_default() -> None:
    """Two requests at once are one too many within 100 ms."""
    with SandboxProcess() as sandbox, sandbox.client() as http:
        statuses = [http.get(f"{SECTIONS}/1001").status_code for _ in range(3)]
        windows = [entry["window"] for entry in sandbox.log() if entry["throttled"]]

    assert statuses[0] == 200
    assert 409 in statuses
    assert set(windows) == {"all:1:0.1"}
