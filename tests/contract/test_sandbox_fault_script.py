"""Faults over real HTTP: what the client sees, what the records hold, what the log says."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.sandbox_process import TOKEN, SandboxProcess

SECTIONS = "/content/coursesections"
OTHER = "someone@else.example"


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


def put(http: httpx.Client, title: str = "New", timeout: float = 5) -> httpx.Response:
    body = {"Id": 1001, "CourseId": 101, "Title": title, "DisplayOrder": 1, "UnlockAfterDays": 0, "UnlockType": 1}
    return http.put(SECTIONS, json=body, timeout=timeout)


def title(sandbox: SandboxProcess) -> str:
    return str(sandbox.records()[1001]["Title"])


def eventually(holds: Callable[[], bool], within_s: float = 5) -> bool:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def on_put(action: str, **parameters: object) -> list[dict[str, Any]]:
    return [{"match": {"method": "PUT"}, "action": action, **parameters}]


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        pytest.param({"action": "lose_answer"}, httpx.RemoteProtocolError, id="close"),
        pytest.param({"action": "lose_answer", "mode": "reset"}, httpx.ReadError, id="reset"),
        pytest.param({"action": "lose_answer", "mode": "hang", "seconds": 0.2}, httpx.RemoteProtocolError, id="hang"),
        pytest.param({"action": "lose_answer", "mode": "hang", "seconds": 9}, httpx.ReadTimeout, id="hang-long"),
        pytest.param({"action": "lose_answer", "mode": "truncate"}, httpx.RemoteProtocolError, id="truncate"),
        pytest.param(
            {"action": "lose_answer", "mode": "truncate", "bytes": 0}, httpx.RemoteProtocolError, id="head-only"
        ),
    ],
)
def test_a_lost_answer_leaves_the_record_changed(
    sandbox: SandboxProcess, http: httpx.Client, rule: dict[str, Any], seen: type[Exception]
) -> None:
    """The client sees a broken connection, the log an applied PUT, and the next request goes right."""
    sandbox.faults([{"match": {"nth": 1}, **rule}])

    with pytest.raises(seen):
        put(http, timeout=0.5)

    (entry,) = sandbox.puts()
    assert (title(sandbox), entry["applied"], entry["lost"], entry["status"]) == ("New", True, True, 200)
    assert (entry["fault"], entry["after"]["Title"]) == ("lose_answer", "New")
    assert put(http, "Newer").status_code == 200


@pytest.mark.parametrize(
    ("mode", "seen"),
    [("close", httpx.RemoteProtocolError), ("reset", httpx.ReadError), ("hang", httpx.ReadTimeout)],
)
def test_a_lost_request_leaves_the_record_alone(
    sandbox: SandboxProcess, http: httpx.Client, mode: str, seen: type[Exception]
) -> None:
    """The same sight for the client, and nothing applied."""
    sandbox.faults(on_put("lose_request", mode=mode))

    with pytest.raises(seen):
        put(http, timeout=0.3)

    (entry,) = sandbox.puts()
    assert (title(sandbox), entry["applied"], entry["lost"], entry["status"]) == (
        "Finding your desk",
        False,
        True,
        None,
    )


@pytest.mark.parametrize("mode", ["close", "reset", "hang"])
def test_a_late_request_is_applied_after_the_client_gave_up(
    sandbox: SandboxProcess, http: httpx.Client, mode: str
) -> None:
    """The log says at first that nothing was applied, then that it was."""
    sandbox.faults(on_put("apply_late", seconds=0.5, mode=mode))

    with pytest.raises(httpx.TransportError):
        put(http, timeout=0.2)
    early = (title(sandbox), sandbox.puts()[0]["applied"])

    assert early == ("Finding your desk", False)
    assert eventually(lambda: title(sandbox) == "New")
    (entry,) = sandbox.puts()
    assert (entry["applied"], entry["status"], entry["change"]) == (True, None, 1)


def test_a_late_request_is_dropped_by_a_reset(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """One test's late request never reaches into the next."""
    sandbox.faults(on_put("apply_late", seconds=0.2))
    with pytest.raises(httpx.TransportError):
        put(http)
    sandbox.reset()
    time.sleep(0.3)

    assert title(sandbox) == "Finding your desk"


@pytest.mark.parametrize(
    ("rule", "status", "applied"),
    [
        ({"action": "status", "status": 503}, 503, False),
        ({"action": "status", "status": 500, "applied": True}, 500, True),
        ({"action": "status", "status": 204}, 204, False),
        ({"action": "html"}, 200, False),
        ({"action": "empty"}, 200, True),
        ({"action": "half_json"}, 200, True),
        ({"action": "wrong_id"}, 200, True),
        ({"action": "wrong_content_type"}, 200, True),
        ({"action": "not_successful"}, 200, False),
        ({"action": "not_successful", "applied": True}, 200, True),
        ({"action": "redirect", "location": "https://else.example/"}, 302, False),
        ({"action": "throttle"}, 409, False),
        ({"action": "huge", "bytes": 300_000}, 200, True),
        ({"action": "gzip_bomb", "bytes": 300_000}, 200, True),
        ({"action": "lose_answer", "mode": "slow", "bytes_per_s": 5000}, 200, True),
        ({"action": "delay", "seconds": 0.1}, 200, True),
    ],
    ids=str,
)
def test_answers_that_lie_about_what_was_done(
    sandbox: SandboxProcess, http: httpx.Client, *, rule: dict[str, Any], status: int, applied: bool
) -> None:
    """Each arrives, and only the records tell whether the PUT was carried out."""
    sandbox.faults([{"match": {"method": "PUT"}, **rule}])

    answer = put(http)

    (entry,) = sandbox.puts()
    assert (answer.status_code, entry["status"], entry["applied"], entry["lost"]) == (status, status, applied, False)
    assert (title(sandbox) == "New") is applied


def test_large_bodies_are_as_large_as_asked(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """Streamed without a length, or inflated."""
    sandbox.faults(
        [{"match": {"nth": 1}, "action": "huge", "bytes": 3_000_000}, {"action": "gzip_bomb", "bytes": 3_000_000}]
    )

    streamed, inflated = http.get(SECTIONS), http.get(SECTIONS)

    assert [len(answer.content) for answer in (streamed, inflated)] == [3_000_000, 3_000_000]
    assert "content-length" not in streamed.headers
    assert int(inflated.headers["content-length"]) < 10_000


def test_two_retry_after_headers(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """A list sends each."""
    sandbox.faults([{"action": "throttle", "status": 429, "retry_after": ["3", "9999999999"]}])

    assert http.get(SECTIONS).headers.get_list("retry-after") == ["3", "9999999999"]
    assert (sandbox.log()[0]["throttled"], sandbox.log()[0]["window"]) == (True, "fault")


@pytest.mark.parametrize(("when", "left"), [("before", "New"), ("after", "Theirs")])
def test_somebody_edits_around_a_request(sandbox: SandboxProcess, http: httpx.Client, when: str, left: str) -> None:
    """Just before it is carried out, or just after, with their name in UpdatedBy."""
    sandbox.faults(on_put("edit_record", fields={"Title": "Theirs"}, when=when))

    answer = put(http)

    (entry,) = sandbox.puts()
    assert (answer.status_code, title(sandbox)) == (200, left)
    assert (entry["fault"], entry["after"]["Title"]) == ("edit_record", "New")
    assert entry["before"]["Title"] == ("Theirs" if when == "before" else "Finding your desk")
    assert OTHER in [change["by"] for change in sandbox.history()]


def test_somebody_deletes_between_a_read_and_a_put(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """The read still finds the record, the PUT does not."""
    sandbox.faults([{"match": {"method": "GET"}, "action": "delete_record", "when": "after"}])

    assert (http.get(f"{SECTIONS}/1001").status_code, put(http).status_code) == (200, 404)


def test_lists_lie(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """Short, doubled, miscounted, unfiltered and empty answers to a search and to a batch."""

    def under(action: str, path: str) -> Any:  # noqa: ANN401 -- JSON
        sandbox.faults([{"action": action}])
        return http.get(path).json()

    page, batch = f"{SECTIONS}?page=2&size=2", f"{SECTIONS}/?id=[1001,1002]"

    assert len(under("short_page", page)["Records"]) == 1
    assert [record["Id"] for record in under("duplicate_page", page)["Records"]] == [1001, 1002]
    assert under("wrong_total", page)["TotalItems"] == 7
    assert under("ignore_filter", f"{SECTIONS}?CourseSection_Course=101")["TotalItems"] == 6
    assert under("empty_list", page)["TotalItems"] == 0
    assert [len(under(action, batch)) for action in ("short_page", "ignore_filter", "empty_list")] == [1, 6, 0]


def test_sign_in_can_fail_too(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """A rule reaches the token path by its prefix, and leaves the rest alone."""
    sandbox.faults([{"match": {"path_prefix": "/api/token"}, "action": "status", "status": 500}])

    assert (http.post("/token", data={}).status_code, http.get(SECTIONS).status_code) == (500, 200)


def test_a_throttled_request_is_not_counted_by_the_script(sandbox: SandboxProcess, http: httpx.Client) -> None:
    """Limits come first: the second request that passes them is the second for the script."""
    sandbox.options(limits=["all:1:0.2"])
    sandbox.faults([{"match": {"nth": 2}, "action": "status", "status": 500}])

    first, throttled = http.get(SECTIONS), http.get(SECTIONS)
    time.sleep(0.25)

    assert [answer.status_code for answer in (first, throttled, http.get(SECTIONS))] == [200, 409, 500]


def test_a_request_that_breaks_off_is_logged_and_not_applied(sandbox: SandboxProcess) -> None:
    """The client died while it sent the body."""
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname, address.port)) as dying:
        head = f"PUT /api{SECTIONS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 500\r\n\r\n"
        dying.sendall(head.encode() + b'{"Id": 1001')

    assert eventually(lambda: len(sandbox.puts()) == 1)
    (entry,) = sandbox.puts()
    assert (entry["applied"], entry["status"], entry["lost"], sandbox.history()) == (False, None, True, [])


def test_a_script_from_a_file_is_in_force_at_once_and_after_a_reset(tmp_path: Any) -> None:  # noqa: ANN401 -- pytest's own path
    """`--faults` is part of the start."""
    script = tmp_path / "faults.json"
    script.write_text(json.dumps([{"match": {"method": "PUT"}, "action": "html"}]), encoding="utf-8")

    with (
        SandboxProcess("--no-limits", "--faults", str(script)) as sandbox,
        sandbox.client() as http,
    ):
        first = put(http)
        sandbox.faults([])
        second = put(http)
        sandbox.reset()
        third = put(http)

    assert ["html" in answer.headers["content-type"] for answer in (first, second, third)] == [True, False, True]


def test_the_log_line_of_a_late_request_comes_once(tmp_path: Any) -> None:  # noqa: ANN401 -- pytest's own path
    """When it is applied, or, if the server ends before, as not applied."""
    log = tmp_path / "log.jsonl"
    rules = [
        {"match": {"method": "PUT", "nth": 1}, "action": "apply_late", "seconds": 0.1},
        {"match": {"method": "PUT", "nth": 2}, "action": "apply_late", "seconds": 60},
    ]
    with (
        SandboxProcess("--no-limits", "--log", str(log)) as sandbox,
        sandbox.client() as http,
    ):
        sandbox.faults(rules)
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                put(http)
        assert eventually(lambda: len(sandbox.history()) == 1)

    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [(line["n"], line["applied"]) for line in lines] == [(1, True), (2, False)]
