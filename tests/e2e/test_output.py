"""Two streams, two readers: data and talk, machines and people; silence when asked for; and never a secret."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.command_line import LONGEST_S, SAMPLES, Shell, counts_of, rows_of, statuses, summary_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

DEMO = str(SAMPLES / "demo.xlsx")
TITLES = str(SAMPLES / "translate_titles.xlsx")
NOTHING = str(SAMPLES / "nothing_changes.xlsx")
CANARY = "canary-token-0123456789"
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7])(?:;[0-9;]*)?m")
QUESTION = "Send 12 updates? [y/N]: "


def test_results_go_to_standard_output_and_reasons_to_standard_error(shell: Shell) -> None:
    """In a process of its own, as a script meets it: the summary is data, why the code is not 0 is talk."""
    ran = shell.process("apply", DEMO, "--yes", "--out", "out")

    assert ran.code == 4
    assert ran.out.startswith("43 rows read: 23 updated, 5 unchanged, 10 invalid")
    assert "Report: out\n" in ran.out
    assert ran.why.startswith("some rows need attention; see out. ")
    assert "coursesync apply out/failed.xlsx --profile main" in ran.why
    assert "coursesync: " not in ran.out


QUIET = [
    ("check", TITLES),
    ("plan", TITLES),
    ("apply", TITLES, "--yes"),
    ("apply", NOTHING, "--yes"),
    ("resume",),
    ("history",),
    ("status",),
    ("export", "-o", "all.xlsx"),
    ("template", "-o", "template.xlsx"),
    ("doctor",),
    ("logout",),
]


@pytest.mark.parametrize("words", QUIET, ids=[" ".join(Path(word).name for word in words) for words in QUIET])
@pytest.mark.parametrize("more", [(), ("--json", "--log-format", "json")], ids=["alone", "before all else"])
def test_quiet_says_nothing_at_all_when_all_is_well(
    shell: Shell, words: tuple[str, ...], more: tuple[str, ...]
) -> None:
    """Exit code 0 and `--quiet`: not a byte on either stream, so that cron sends no mail."""
    ran = shell(*words, "--quiet", *more)

    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_quiet_holds_for_the_report_of_a_run_that_needed_attention(shell: Shell) -> None:
    """Writing a report again went well, whatever it says: exit code 0, and nothing is printed."""
    shell.apply(DEMO)
    run_id = summary_of(shell.folder / "out")["run_id"]

    ran = shell("report", run_id, "--out", "again", "--quiet")

    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert (shell.folder / "again" / "report.xlsx").exists()


def test_quiet_is_not_silent_about_what_needs_attention(shell: Shell) -> None:
    """Any other exit code says what it always says, without the log."""
    ran = shell.apply(DEMO, "--quiet")

    assert ran.code == 4
    assert ran.out.startswith("43 rows read: ")
    assert ran.err == f"coursesync: {ran.why}\n"


def test_where_nobody_watches_the_log_is_json_lines(shell: Shell) -> None:
    """Every line of standard error but the last is an event, with its time and its level."""
    ran = shell.apply(DEMO)
    started, *_rows, finished = ran.events

    assert (started["event"], started["rows"], started["to_send"]) == ("run.started", 43, 24)
    assert (finished["event"], finished["exit_code"]) == ("run.finished", 4)
    assert {event["level"] for event in ran.events} == {"info"}
    assert all(event["timestamp"].endswith("Z") for event in ran.events)
    assert ran.err.splitlines()[-1].startswith("coursesync: ")


def test_every_row_logs_one_event(shell: Shell) -> None:
    """One `row.finished` for each row of the sheet, sent or not, with what the report says of it in the end."""
    ran = shell.apply(DEMO)
    finished = [event for event in ran.events if event["event"] == "row.finished"]
    reported = {row["row"]: (row["status"], row["attempts"], row["verified"]) for row in rows_of(shell.folder / "out")}

    assert len(finished) == len(reported) == 43
    assert {event["row"]: (event["status"], event["attempts"], event["verified"]) for event in finished} == reported


def test_the_log_can_be_text(shell: Shell) -> None:
    """`--log-format text` is for a person."""
    ran = shell.apply(TITLES, "--log-format", "text")

    assert re.search(r"row\.finished +row=2 status=updated attempts=1", ran.err)
    assert "{" not in ran.err


def test_a_log_file_gets_the_events_of_every_run(shell: Shell) -> None:
    """JSON lines, appended, closed to others, also under `--quiet`."""
    shell.profile('log_file = "logs/main.jsonl"')
    shell.apply(TITLES, "--quiet")
    shell.apply(TITLES, "--quiet")
    path = shell.folder / "logs" / "main.jsonl"

    events = [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()]

    assert events.count("run.started") == events.count("run.finished") == 2
    assert events.count("row.finished") == 24
    assert path.stat().st_mode & 0o077 == 0


def test_no_cell_and_no_title_is_in_a_log(shell: Shell, sandbox: SandboxProcess) -> None:
    """What customers wrote is no log's business."""
    titles = {record["Title"] for record in sandbox.records().values() if len(record["Title"]) > 8}

    ran = shell.apply(DEMO)

    assert not [title for title in titles if title in ran.err]


@pytest.mark.parametrize("level", ["info", "debug"])
def test_the_token_is_nowhere(shell: Shell, sandbox: SandboxProcess, level: str) -> None:
    """Not in any file below the folder, not on either stream; not when all goes well and not when it fails."""
    sandbox.options(token=CANARY)
    shell.setenv(COURSESYNC_TOKEN=CANARY)
    shell.profile(f'log_file = "logs/main.jsonl"\nlog_level = "{level}"')
    streams = [
        shell("apply", DEMO, "--yes"),
        shell("plan", DEMO, "--json"),
        shell("export", "-o", "all.xlsx"),
        shell("doctor"),
        shell("history"),
        shell("status", "--json"),
    ]
    sandbox.options(token="another")
    streams += [shell("apply", DEMO, "--yes"), shell("doctor"), shell.process("plan", DEMO)]

    said = "".join(ran.out + ran.err for ran in streams)
    files = [path for path in shell.folder.rglob("*") if path.is_file()]
    assert [ran.code for ran in streams] == [4, 4, 0, 0, 0, 0, 2, 2, 2]
    assert CANARY not in said
    assert len(files) > 12
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_a_password_and_its_tokens_are_nowhere_but_in_the_kept_sign_in(shell: Shell, sandbox: SandboxProcess) -> None:
    """The password lies in no file at all; the access token in `token.json` alone."""
    sandbox.options(password=CANARY)
    shell.setenv(COURSESYNC_TOKEN=None, COURSESYNC_USERNAME="admin@example.com", COURSESYNC_PASSWORD=CANARY)
    shell.profile('log_file = "logs/main.jsonl"\nlog_level = "debug"')
    streams = [shell("login"), shell("apply", TITLES, "--yes"), shell("doctor", "--json")]
    kept = json.loads((shell.state / "token.json").read_text(encoding="utf-8"))

    said = "".join(ran.out + ran.err for ran in streams)
    contents = {path.name: path.read_bytes() for path in shell.folder.rglob("*") if path.is_file()}
    assert [ran.code for ran in streams] == [0, 0, 0]
    for secret in (CANARY, kept["access_token"], kept["refresh_token"]):
        assert secret not in said
        holders = {name for name, content in contents.items() if secret.encode() in content}
        assert holders <= ({"token.json"} if secret != CANARY else set())


@pytest.mark.parametrize("words", [("plan", DEMO), ("apply", DEMO, "--yes")], ids=["plan", "apply"])
def test_a_reader_that_leaves_early_harms_nothing(shell: Shell, words: tuple[str, ...]) -> None:
    """`| head -1`: the run goes to its end, the report is written, and the exit code is its own."""
    with subprocess.Popen(
        shell.command(*words, "--out", "out"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        code = process.wait(LONGEST_S)

    assert code == 4
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    assert len(statuses(shell.folder / "out")) == 43


@pytest.mark.parametrize("closed", ["stdout", "stderr", "both"])
def test_nobody_need_read_at_all(shell: Shell, closed: str) -> None:
    """Both streams without a reader from the start: the rows are sent, and the code says how it ended."""
    reader, writer = os.pipe()
    os.close(reader)
    streams: dict[str, int] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    streams |= dict.fromkeys(streams, writer) if closed == "both" else {closed: writer}
    try:
        ended = subprocess.run(
            shell.command("apply", DEMO, "--yes", "--out", "out"), **streams, timeout=LONGEST_S, check=False
        )
    finally:
        os.close(writer)

    assert ended.returncode == 4
    assert counts_of(shell.folder / "out")["updated"] == 23


def test_a_person_is_asked_before_anything_is_sent(shell: Shell, sandbox: SandboxProcess) -> None:
    """At a terminal the plan is shown first; `n` sends nothing and exits 6."""
    with _terminal(shell, "apply", TITLES, "--out", "out") as terminal:
        terminal.until(QUESTION)
        assert sandbox.puts() == []
        terminal.type("n\n")
        code = terminal.end()

    assert code == 6
    assert "row 2 · 1414928470 · Welcome to the print shop" in terminal.shown
    assert f"Against {sandbox.base_url} (quayside)" in terminal.shown
    assert "coursesync: Nothing was sent: the plan was not approved." in terminal.shown
    assert sandbox.puts() == []
    assert not (shell.folder / "out").exists()


def test_a_person_is_asked_about_the_rails_that_are_lifted(shell: Shell, sandbox: SandboxProcess) -> None:
    """The question names them, and what each has counted stands above it."""
    shell.profile("[rails.rows_changed]\nmax = 3")
    with _terminal(shell, "apply", TITLES, "--allow", "rows_changed") as terminal:
        terminal.until("Send 12 updates past rows_changed? [y/N]: ")
        terminal.type("n\n")
        code = terminal.end()

    assert code == 6
    assert "12 of 12 rows" in terminal.shown
    assert "lifted with --allow rows_changed" in terminal.shown
    assert sandbox.puts() == []


@pytest.mark.parametrize("key", ["\n", "\x04", "\x03"], ids=["enter", "end of input", "interrupt"])
def test_only_a_yes_is_a_yes(shell: Shell, sandbox: SandboxProcess, key: str) -> None:
    """An empty answer, the end of input and an interrupt send nothing, and end at once."""
    with _terminal(shell, "apply", TITLES) as terminal:
        terminal.until(QUESTION)
        terminal.type(key)
        code = terminal.end()

    assert code == (130 if key == "\x03" else 6)
    assert "Traceback" not in terminal.shown
    assert sandbox.puts() == []


def test_an_interrupted_read_ends_as_interrupted(shell: Shell, sandbox: SandboxProcess) -> None:
    """Exit code 130 for SIGINT while a plan reads, in one sentence, though the server keeps silent."""
    sandbox.faults([{"match": {"method": "GET"}, "action": "lose_request", "mode": "hang", "seconds": 4}])
    with subprocess.Popen(
        shell.command("plan", TITLES), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        deadline = time.monotonic() + LONGEST_S
        while not sandbox.log() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONGEST_S)

    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("coursesync: The run was interrupted")
    assert "Traceback" not in out + err


def test_a_yes_sends_and_a_bar_shows_how_far_it_is(shell: Shell, sandbox: SandboxProcess) -> None:
    """The bar counts rows and is taken down at the end; the log stays away from the terminal."""
    sandbox.options(latency_ms=150)
    shell.profile("in_flight = 2")
    with _terminal(shell, "apply", TITLES, "--out", "out") as terminal:
        terminal.until(QUESTION)
        terminal.type("y\n")
        code = terminal.end()

    assert code == 0
    assert re.search(r"sending .*\b[1-9]\d?/12\b", terminal.shown)
    assert COLOUR.search(terminal.shown)
    assert "row.finished" not in terminal.shown
    assert "12 rows read: 12 updated." in terminal.shown
    assert len(sandbox.puts()) == 12


@pytest.mark.parametrize("after_s", [0.12, 0.2, 0.3, 0.45])
def test_an_interrupt_while_a_command_loads_is_one(shell: Shell, after_s: float) -> None:
    """Exit code 130 and one sentence, from the first moment on: no question was left unanswered, and nothing broke."""
    with subprocess.Popen(
        shell.command("apply", TITLES, "--yes"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LONGEST_S)

    assert process.returncode in {130, 0, -signal.SIGINT}  # a quick machine is done, a slow one has no Python yet
    assert "question" not in err
    assert "Internal error" not in err


def test_the_bar_counts_only_rows_that_are_sent(shell: Shell, sandbox: SandboxProcess) -> None:
    """19 of the 43 rows have nothing to be sent: the bar begins at none, and never passes the 24 that have."""
    sandbox.options(latency_ms=300)
    with _terminal(shell, "apply", DEMO, "--yes", "--out", "out") as terminal:
        terminal.end()

    counted = [int(done) for done in re.findall(r"(\d+)/24\b", terminal.shown)]
    assert (counted[0], counted[-1]) == (0, 24)
    assert counted == sorted(counted)


def test_the_bar_of_a_second_run_begins_anew(shell: Shell, sandbox: SandboxProcess) -> None:
    """A drop folder has two sheets: each counts its own rows, from none to all."""
    sandbox.options(latency_ms=300)
    shell.profile("[inbox]\nsettled_s = 0.05")
    (shell.folder / "inbox").mkdir()
    sections = sandbox.records()
    for word, ids in (("A", list(sections)[:12]), ("B", list(sections)[:12])):
        shell.write(f"inbox/{word}.csv", ["Id", "Title"], *([key, f"{word} {key}"] for key in ids))
    with _terminal(shell, "inbox", str(shell.folder / "inbox")) as terminal:
        code = terminal.end()

    counted = [int(done) for done in re.findall(r"(\d+)/12\b", terminal.shown)]
    second = counted[counted.index(12) :]
    assert code == 0
    assert (counted[0], min(second), counted[-1], max(counted)) == (0, 0, 12, 12)


def test_no_color_is_honoured(shell: Shell, sandbox: SandboxProcess) -> None:
    """The bar without colour, and the log too where a terminal is asked to show it."""
    sandbox.options(latency_ms=50)
    words = ("apply", TITLES, "--yes", "--log-format", "text")
    with _terminal(shell, *words, NO_COLOR="1") as terminal:
        code = terminal.end()

    assert code == 0
    assert "/12" in terminal.shown
    assert "row.finished" in terminal.shown
    assert COLOUR.search(terminal.shown) is None


def test_no_bar_without_a_terminal(shell: Shell) -> None:
    """A file or a pipe gets lines, not drawings."""
    ran = shell.process("apply", TITLES, "--yes")

    assert ran.code == 0
    assert "\x1b" not in ran.out + ran.err
    assert "sending" not in ran.out + ran.err


class Terminal:
    """A process at a terminal of its own: what it shows, and what a person types."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        """Watch `process` through the master's end of its terminal."""
        self._process = process
        self._master = master
        self._deadline = time.monotonic() + LONGEST_S
        self.shown = ""

    def until(self, text: str) -> None:
        """Read on until `text` is shown."""
        while text not in self.shown:
            assert self._read(), f"{text!r} was never shown: {self.shown}"

    def type(self, text: str) -> None:
        """Type `text`, once the process has had time to listen: a key in the instant before is lost on it."""
        time.sleep(0.3)
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Read to the end, and give the exit code."""
        while self._read():
            pass
        return self._process.wait(LONGEST_S)

    def _read(self) -> bool:
        left_s = self._deadline - time.monotonic()
        ready, _, _ = select.select([self._master], [], [], max(0.0, left_s))
        assert ready, f"nothing more was shown: {self.shown}"
        try:
            piece = os.read(self._master, 65_536)
        except OSError:
            return False
        self.shown += piece.decode("utf-8", "replace")
        return bool(piece)


_AT_A_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal the one that controls the process, so that its keys become signals, and goes on as the command."""


@contextmanager
def _terminal(shell: Shell, *words: str, **variables: str) -> Iterator[Terminal]:
    """Run these words at a pseudo-terminal."""
    master, slave = pty.openpty()
    environment: Mapping[str, str] = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **variables}
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_A_TERMINAL, *shell.command(*words)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)
