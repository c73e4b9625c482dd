"""What a run leaves for those who were not there: figures, alerts, events; and that none of it can harm a run."""

import json
import socket
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_line import SAMPLES, Shell, refused
from tests.receiver import receiver
from tests.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("reads_here")]

TITLES = SAMPLES / "translate_titles.xlsx"
ADDRESS_SECRET = "address-canary"


def no_id(shell: Shell) -> Path:
    """A sheet that is refused."""
    return shell.write("bad.csv", ["Title"], ["No Id"])


def alerts(shell: Shell, address: str, *, more: str = "") -> None:
    """A profile that tells a webhook."""
    shell.setenv(COURSESYNC_WEBHOOK_SECRET="secret-canary")
    shell.profile(f'{more}\n[alerts]\nwebhook = "{address}"\ntimeout_s = 1')


def test_figures_are_written_after_each_run(shell: Shell) -> None:
    """Open to other readers, with the time of the last good run and what is left of the allowance."""
    shell.profile('metrics_file = "figures.prom"', limits='[{scope = "write", count = 100, seconds = 3600}]')

    ran = shell.apply(TITLES)

    text = (shell.folder / "figures.prom").read_text()
    assert ran.code == 0
    assert 'coursesync_rows{profile="main",status="updated"} 12.0' in text
    assert 'coursesync_quota_left{profile="main",window="100 writes in 3600 s"} 88.0' in text
    assert 'coursesync_requests_total{kind="writes",profile="main"} 12.0' in text
    assert 'coursesync_last_good_run_timestamp_seconds{profile="main"}' in text


def test_a_figure_that_cannot_be_written_harms_no_run(shell: Shell) -> None:
    """A folder that is not there: the run ends with 0, and the log says what was not written."""
    shell.profile('metrics_file = "nowhere/figures.prom"')

    ran = shell.apply(TITLES)

    assert ran.code == 0
    assert [event["event"] for event in ran.events if event["level"] == "warning"] == ["closing.failed"]


def test_doctor_judges_where_the_figures_go(shell: Shell) -> None:
    """What every run would be refused for, or would miss at night, is found by day."""
    shell.profile('metrics_file = "nowhere/figures.prom"')

    ran = shell("doctor", "--json")

    assert ran.code == 2
    assert [state for what, state, _detail in ran.json["findings"] if what == "metrics"] == ["failed"]


def test_a_refused_sheet_is_told_once_and_its_end_once(shell: Shell) -> None:
    """By cron's `apply` as well: three nights in trouble are one message, with the next command nowhere guessed."""
    sheet = no_id(shell)
    with receiver() as server:
        alerts(shell, f"http://{server.authority}/")
        codes = [shell.apply(sheet, "--quiet").code for _ in range(3)]
        shell.write("bad.csv", ["Id", "Title"], *([key, "Mended"] for key in first_ids()))
        codes += [shell.apply(sheet, "--quiet").code for _ in range(2)]
        told = [json.loads(body) for _path, _headers, body in server.got]

    assert codes == [3, 3, 3, 0, 0]
    assert [(each["event"], each["subject"], each["was"]) for each in told] == [
        ("refused", "bad.csv", None),
        ("recovered", "bad.csv", "refused"),
    ]
    assert "has no Id column" in told[0]["text"]


@pytest.mark.parametrize("kind", ["dead", "hangs", "refuses"])
def test_a_dead_target_harms_no_run(shell: Shell, kind: str) -> None:
    """Same exit code and report, at most `timeout_s` later; the message is tried again after the next run."""
    sheet = no_id(shell)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent, receiver(500) as server:
        port = {"dead": 9, "hangs": silent.getsockname()[1], "refuses": server.server_port}[kind]
        alerts(shell, f"http://127.0.0.1:{port}/")
        started = time.monotonic()
        ran = shell.apply(sheet)
        took_s = time.monotonic() - started
        first = len(server.got)
        shell.apply(sheet)

    assert ran.code == 3
    assert "has no Id column" in ran.why
    assert [event["event"] for event in ran.events if event["level"] == "warning"] == ["alert.not_delivered"]
    assert took_s < 15
    assert (first, len(server.got)) == ((1, 2) if kind == "refuses" else (0, 0))


def test_what_no_target_took_is_told_after_the_next_run(shell: Shell) -> None:
    """A sheet of a drop folder is looked at once: its message does not wait for another sheet of its name."""
    (shell.folder / "in").mkdir()
    no_id(shell).rename(shell.folder / "in" / "bad.csv")
    quick = "[inbox]\nsettled_s = 0.01"
    with receiver(500) as dead:
        alerts(shell, f"http://{dead.authority}/", more=quick)
        first = shell("inbox", "in").code
        shell.write("in/good.csv", ["Id", "Title"], [first_ids()[0], "Good"])
        second = shell("inbox", "in").code
        judged = {what: (state, detail) for what, state, detail in shell("doctor", "--json").json["findings"]}
    with receiver() as server:
        alerts(shell, f"http://{server.authority}/", more=quick)
        codes = [shell("inbox", "in").code for _ in range(2)]

    assert (first, second, codes) == (3, 0, [0, 0])
    assert judged["alerts"][0] == "look"
    assert judged["alerts"][1].startswith("1 not delivered yet: bad.csv.")
    assert [json.loads(body)["subject"] for _path, _headers, body in dead.got] == ["bad.csv", "bad.csv"]
    assert [json.loads(body)["subject"] for _path, _headers, body in server.got] == ["bad.csv"]


def test_a_file_that_nobody_takes_is_told_once_and_once_more_when_it_is_taken(shell: Shell) -> None:
    """A sync client's conflicted copy: the pass ends with 0, and silence would let the edit be forgotten."""
    (shell.folder / "in").mkdir()
    copy = shell.write("in/a (conflicted copy).csv", ["Id", "Title"], [first_ids()[0], "Mine"])
    with receiver() as server:
        alerts(shell, f"http://{server.authority}/", more="[inbox]\nsettled_s = 0.01\nincomplete_s = 0.01")
        codes = [shell("inbox", "in").code for _ in range(2)]
        copy.rename(shell.folder / "in" / "a.csv")
        codes += [shell("inbox", "in").code for _ in range(2)]
        told = [json.loads(body) for _path, _headers, body in server.got]

    assert codes == [0, 0, 0, 0]
    assert [(each["event"], each["subject"]) for each in told] == [("left", copy.name), ("recovered", copy.name)]
    assert "choose one, and rename it" in told[0]["text"]


def test_no_secret_is_told_or_logged(shell: Shell) -> None:
    """Neither the address of a target that fails, nor the key that signs, nor the token in a message."""
    log = shell.folder / "log.jsonl"
    shell.setenv(COURSESYNC_ALERT_TARGETS=f"json://user:{ADDRESS_SECRET}@127.0.0.1:9/")
    alerts(shell, "http://127.0.0.1:9/", more=f'log_file = "{log}"\nlog_level = "debug"')

    ran = shell.apply(no_id(shell))

    written = ran.out + ran.err + log.read_text()
    written += "".join(path.read_bytes().decode(errors="replace") for path in shell.state.rglob("*") if path.is_file())
    assert "alert target 1" in written
    assert not any(secret in written for secret in (ADDRESS_SECRET, "secret-canary", "sandbox-token"))


@pytest.mark.parametrize(
    ("settings", "environ", "module", "extra"),
    [
        pytest.param('metrics_file = "x.prom"', {}, "prometheus_client", "coursesync[metrics]", id="metrics"),
        pytest.param(
            "", {"COURSESYNC_ALERT_TARGETS": "json://127.0.0.1:9/"}, "apprise", "coursesync[alerts]", id="alerts"
        ),
        pytest.param("", {}, "watchfiles", "coursesync[watch]", id="watch"),
    ],
)
def test_a_missing_extra_is_named_before_anything_is_sent(  # noqa: PLR0917 - fixtures and the table, by name
    shell: Shell,
    sandbox: SandboxProcess,
    monkeypatch: pytest.MonkeyPatch,
    settings: str,
    environ: dict[str, str],
    module: str,
    extra: str,
) -> None:
    """Exit 2 and the command that installs it; without the option that needs it, nobody misses it."""
    monkeypatch.setitem(sys.modules, module, None)
    (shell.folder / "inbox").mkdir()
    plain = shell.apply(TITLES) if module != "watchfiles" else shell("inbox", "inbox")
    puts = len(sandbox.puts())
    shell.profile(settings)
    shell.setenv(**environ)

    ran = shell.apply(TITLES) if module != "watchfiles" else shell("inbox", "inbox", "--watch")

    assert plain.code == 0
    refused(ran, 2, extra)
    assert len(sandbox.puts()) == puts


def test_a_webhook_needs_a_secret_to_sign_with(shell: Shell) -> None:
    """An unsigned message could come from anybody."""
    shell.profile('[alerts]\nwebhook = "https://alerts.example.com/x"')

    refused(shell.apply(TITLES), 2, "COURSESYNC_WEBHOOK_SECRET_FILE")


def test_every_event_of_a_run_names_it(shell: Shell) -> None:
    """JSON lines in the profile's file: run and row bound, from the first event to the last."""
    shell.profile('log_file = "log.jsonl"')
    assert shell.apply(TITLES, "--quiet").err == ""

    events: list[dict[str, Any]] = [json.loads(line) for line in (shell.folder / "log.jsonl").read_text().splitlines()]
    rows = [event for event in events if event["event"] == "row.finished"]
    assert len(rows) == 12
    assert {event.get("run_id") for event in rows} == {events[0]["run_id"]}
    assert sorted(event["row"] for event in rows) == list(range(2, 14))


def first_ids() -> list[int]:
    seed = json.loads((SAMPLES / "sandbox_seed.json").read_text(encoding="utf-8"))
    return [section["Id"] for section in seed["sections"][:2]]
