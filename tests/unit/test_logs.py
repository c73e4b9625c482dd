"""Logs: where events go and in which form, and that no secret and no cell's value gets into them."""

import io
import json
import logging
import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from sync.adapters.secret import Secret
from sync.errors import ConfigError
from sync.logs import bound, get_logger, logging_to
from sync.redaction import Redactor

CANARY = "canary/ö+ \"quoted\" 'secret'"


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        """It is one."""
        return True


class FullDisk(io.StringIO):
    """A stream that takes nothing."""

    def write(self, _text: str) -> int:
        """Refuse, as a full disk does."""
        raise OSError(28, "No space left on device")


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_row_is_one_json_line_away_from_a_terminal() -> None:
    """Keys, not sentences: the event, its facts, the run, the level and both clocks."""
    stream = io.StringIO()

    with logging_to(stream), bound(run_id="r-1"):
        get_logger().info("row.finished", row=7, status="updated")

    (event,) = lines(stream.getvalue())
    assert str(event.pop("timestamp")).endswith("Z")
    assert isinstance(event.pop("monotonic_s"), float)
    assert event == {"event": "row.finished", "row": 7, "status": "updated", "run_id": "r-1", "level": "info"}


@pytest.mark.parametrize(
    ("stream", "log_format", "environ", "is_json", "is_colored"),
    [
        pytest.param(Terminal(), None, {}, False, True, id="terminal"),
        pytest.param(Terminal(), None, {"NO_COLOR": "1"}, False, False, id="no-color"),
        pytest.param(Terminal(), "json", {}, True, False, id="json-asked-for"),
        pytest.param(io.StringIO(), None, {}, True, False, id="pipe"),
        pytest.param(io.StringIO(), "text", {}, False, False, id="text-asked-for"),
    ],
)
def test_the_form_follows_the_stream(
    stream: io.StringIO, log_format: str | None, environ: Mapping[str, str], *, is_json: bool, is_colored: bool
) -> None:
    """Text for people, JSON for machines, and whatever was asked for; colours at a terminal alone."""
    with logging_to(stream, log_format=log_format, environ=environ):  # type: ignore[arg-type]  # a table of literals
        get_logger().info("run.started", rows=3)

    written = stream.getvalue()
    assert written.startswith("{") is is_json
    assert ("\x1b" in written) is is_colored
    assert "run.started" in written
    assert written.endswith("\n")


def test_a_server_cannot_steer_the_terminal() -> None:
    """Control characters in a text are shown, not obeyed."""
    stream = Terminal()

    with logging_to(stream, environ={"NO_COLOR": "1"}):
        get_logger().info("answer.odd", reason="\x1b[2J\x9bgone\rback")

    assert not set("\x1b\x9b\r") & set(stream.getvalue())


def test_the_level_holds_events_back() -> None:
    """Below the level nothing is written."""
    stream = io.StringIO()

    with logging_to(stream, level="warning"):
        get_logger().info("row.finished")
        get_logger().warning("throttled")

    assert [event["event"] for event in lines(stream.getvalue())] == ["throttled"]


def test_nothing_is_written_outside_the_block(capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output carries data: a logger that was not set up is silent, and so is one afterwards."""
    stream = io.StringIO()
    get_logger().error("before")
    with logging_to(stream):
        pass
    get_logger().error("after")

    assert (stream.getvalue(), *capfd.readouterr()) == ("", "", "")


def test_the_file_is_appended_to_and_ours_alone(tmp_path: Path) -> None:
    """JSON lines, mode 0600 even where an earlier file was open to others; its folder is made."""
    path = tmp_path / "logs" / "run.jsonl"
    path.parent.mkdir()
    path.write_text('{"event": "earlier"}\n', encoding="utf-8")
    path.chmod(0o644)
    new = tmp_path / "new" / "run.jsonl"
    mask = os.umask(0)
    try:
        for file in (path, new):
            with logging_to(None, log_file=file):
                get_logger().info("later")
    finally:
        os.umask(mask)

    assert [event["event"] for event in lines(path.read_text())] == ["earlier", "later"]
    assert [stat.S_IMODE(file.stat().st_mode) for file in (path, new)] == [0o600, 0o600]


def test_a_log_file_that_cannot_be_opened_is_a_wrong_setting(tmp_path: Path) -> None:
    """A folder or a link in its place is refused before the run begins."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")

    for path in (tmp_path, link):
        with pytest.raises(ConfigError, match=r"log_file .* cannot be written"), logging_to(None, log_file=path):
            pass


def test_an_error_of_the_run_is_not_taken_for_one_of_the_log(tmp_path: Path) -> None:
    """What the block raises comes out as it is."""
    with pytest.raises(OSError, match="theirs"), logging_to(None, log_file=tmp_path / "log"):
        raise OSError("theirs")


def test_a_full_disk_under_the_log_does_not_end_the_run() -> None:
    """An event that cannot be written is lost, on that stream only."""
    with logging_to(FullDisk()):
        get_logger().info("row.finished")
    if Path("/dev/full").exists():
        with logging_to(None, log_file=Path("/dev/full")):
            get_logger().info("row.finished")


def test_threads_do_not_mix_their_lines() -> None:
    """Each event is one whole line."""
    stream = io.StringIO()

    def work(number: int) -> None:
        for _ in range(50):
            get_logger().info("sent", sender=number, padding="x" * 200)

    with logging_to(stream):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(lines(stream.getvalue())) == 200


def test_warnings_of_other_libraries_pass_the_same_redaction() -> None:
    """A library's own logger cannot get round us: its warnings become events, less than that is dropped."""
    stream = io.StringIO()
    library = logging.getLogger("some.library")

    with logging_to(stream, redactor=Redactor([Secret("hunter2-canary")])):
        library.info("not shown")
        library.warning("GET https://host/api?x=%s", "hunter2-canary")

    (event,) = lines(stream.getvalue())
    assert (event["event"], event["library"], event["level"]) == ("library.message", "some.library", "warning")
    assert event["message"] == "GET https://host/api?***"


def test_a_traceback_shows_no_secret() -> None:
    """Exceptions are written through the same redaction, causes included, and without local variables."""
    stream = io.StringIO()

    def fail() -> None:
        hidden = Secret("hunter2-canary").reveal()
        try:
            int(hidden)
        except ValueError as exc:
            raise RuntimeError("GET https://host/x?key=abc Authorization: Bearer abcdef123") from exc

    for log_format in ("text", "json"):
        with logging_to(stream, log_format=log_format, redactor=Redactor([Secret("hunter2-canary")])):  # type: ignore[arg-type]  # a list of literals
            try:
                fail()
            except RuntimeError:
                get_logger().exception("run.broken")

    written = stream.getvalue()
    assert written.count("Traceback") == 4
    assert not any(part in written for part in ("hunter2", "abcdef123", "key=abc"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("authorization=Basic QWxhZGRpbg==", "authorization=Basic ***"),
        ("{'Authorization': 'Bearer abcdef'}", "{'Authorization': ***}"),
        ('{"access_token": "a1", "refresh_token":"b2"}', '{"access_token": ***, "refresh_token":***}'),
        ("grant_type=password&username=me&password=p%40ss", "grant_type=password&username=me&password=***"),
        ("Set-Cookie: session=1; Path=/\nnext", "Set-Cookie: ***\nnext"),
        ("GET https://host:1/api/x?id=[1,2]&t=s failed", "GET https://host:1/api/x?*** failed"),
        ("'/api/x?totp=123456' failed", "'/api/x?***' failed"),
        ("https://me:word@host/api", "https://***@host/api"),
        ("row 7: Title is a required field?", "row 7: Title is a required field?"),
        ("the token was refused", "the token was refused"),
    ],
)
def test_secrets_are_known_by_their_form(text: str, shown: str) -> None:
    """Headers, token bodies, forms, cookies, query strings and user names in addresses; plain words stay."""
    assert Redactor().text(text) == shown


def test_a_registered_secret_is_found_however_it_is_written() -> None:
    """As it stands, in an address, in JSON and in a repr; one that is registered later as well."""
    redactor = Redactor([Secret(CANARY)])
    redactor.add(Secret("later-canary"), Secret(""), Secret("ab"))

    for written in (CANARY, repr(CANARY), json.dumps(CANARY), "x/canary%2F%C3%B6%2B%20%22quoted%22%20%27secret%27"):
        assert "canary" not in redactor.text(f"<{written}>")
    assert redactor.text("about later-canary") == "about ***"


def test_an_event_is_redacted_by_its_keys_too() -> None:
    """Deep inside as well; cells and records are not logged; a figure is no secret."""
    event = {
        "event": "x",
        "headers": {"AUTHORIZATION": "abc", "set-cookie": ["a"], "Accept": "application/json"},
        "body": {"Title": "cell"},
        "before": "cell",
        "client_secret": b"abc",
        "token_generation": 3,
        "path": Path("/tmp/x"),  # noqa: S108 - only printed
        "rows": (1, 2.5, None, True, float("inf")),
        "error": ValueError("password=abc"),
        "again": Secret("abc"),
    }

    assert Redactor().event(event) == {
        "event": "x",
        "headers": {"AUTHORIZATION": "***", "set-cookie": "***", "Accept": "application/json"},
        "body": "(not logged)",
        "before": "(not logged)",
        "client_secret": "***",
        "token_generation": 3,
        "path": "/tmp/x",  # noqa: S108 - only printed
        "rows": [1, 2.5, None, True, "inf"],
        "error": "password=***",
        "again": "***",
    }
