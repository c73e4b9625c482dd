"""The processes that a command starts beside itself: there when they are needed, and no longer."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.command_line import SAMPLES, Shell, counts_of
from tests.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform != "linux", reason="/proc")]

TITLES = SAMPLES / "translate_titles.xlsx"
ONE_IN_TEN_SECONDS = '[{scope = "write", count = 1, seconds = 10}]'
PATIENCE_S = 60.0


def children_of(pid: int) -> dict[int, str]:
    """The processes that a process has started and that are there, with their command lines."""
    found = {}
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            try:
                found[int(child)] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has ended meanwhile
    return found


def wait_for(condition: Callable[[], object]) -> None:
    """Look until it holds."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_run_that_takes_long_keeps_no_process_waiting_for_its_end(shell: Shell, sandbox: SandboxProcess) -> None:
    """What will write the report is begun ahead for a short run; for a long one it would hold memory for hours."""
    shell.profile(limits=ONE_IN_TEN_SECONDS)
    with subprocess.Popen(
        shell.command("apply", TITLES, "--yes", "--out", "out"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        seen: dict[int, str] = {}
        wait_for(lambda: seen.update(children_of(run.pid)) or any("own_entry" in words for words in seen.values()))
        wait_for(sandbox.puts)
        left = children_of(run.pid)
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=PATIENCE_S)

    assert left == {}
    assert run.returncode == 128 + signal.SIGTERM
    assert counts_of(shell.folder / "out")["not_attempted"] > 0


def test_a_command_that_is_refused_leaves_no_process_behind(shell: Shell) -> None:
    """Whatever was begun ahead has ended when the command has, also where nothing came of it."""
    shell.profile('on_invalid = "stop"')
    sheet = shell.write("wrong.xlsx", ["Id", "Title"], [1410000001, "A"], ["none", "B"])
    with subprocess.Popen(
        shell.command("apply", sheet, "--yes"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        seen: dict[int, str] = {}
        wait_for(lambda: seen.update(children_of(run.pid)) or run.poll() is not None)
        run.communicate(timeout=PATIENCE_S)

    assert run.returncode == 3
    assert seen
    assert not any(is_there(pid, words) for pid, words in seen.items())


def is_there(pid: int, words: str) -> bool:
    """Whether that process still runs; the number alone may be another's by now."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() == words
    except OSError:
        return False
