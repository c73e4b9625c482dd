"""A process that has imported the whole program and forks a child for each command: a real process in a few ms.

It is asked by JSON lines on standard input and answers on standard output; the client is `commands.py`. It has one
thread only, so that a fork is whole.
"""

import atexit
import gc
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

MODULES = (
    "sync.cli.account",
    "sync.cli.apply",
    "sync.cli.check",
    "sync.cli.approve",
    "sync.cli.console",
    "sync.cli.inbox",
    "sync.cli.drift",
    "sync.cli.plan",
    "sync.cli.runs",
    "sync.cli.undo",
    "sync.jobs.approving",
    "sync.jobs.inbox",
    "sync.jobs.reports",
    "sync.jobs.runs",
    "sync.adapters.workbook.results",
    "sync.bootstrap",
    "sync.profiles",
    "sync.report_text",
    "httpx",
    "sqlalchemy.dialects.sqlite",
)
LOOK_S = 0.004


def main() -> None:
    """Load everything, then fork as asked until standard input closes."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    _warm()
    children: set[int] = set()
    answers.write(json.dumps({"threads": len(list(Path("/proc/self/task").iterdir()))}) + "\n")
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "start":
            pid = os.fork()
            if pid == 0:
                answers.close()
                _become(order)
            children.add(pid)
            answers.write(json.dumps({"pid": pid}) + "\n")
        else:
            code = _wait(order["pid"], order["timeout_s"])
            if code is not None:
                children.discard(order["pid"])
            answers.write(json.dumps({"code": code}) + "\n")
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _warm() -> None:
    """Import what a command would import, by running one that needs no network."""
    for name in MODULES:
        import_module(name)
    _read_sheets_here()
    from sync.cli.main import run

    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder, "sheet.csv")
        sheet.write_text("Id,Title\n1,One\n")
        out = ["--out", f"{folder}/out", "--state-dir", f"{folder}/state"]
        run(["check", str(sheet), "--quiet", *out])
    gc.collect()
    gc.freeze()


def _read_sheets_here() -> None:
    """Let commands parse their sheet themselves: a fresh reading process for each of a thousand takes minutes.

    The sheets here are plain and our own; what a hostile one does to its reader is tested where it is read.
    """
    from sync.adapters import spreadsheet
    from sync.jobs import sheets
    from tests.reading_here import NotAhead

    sheets.load = spreadsheet.load_here
    spreadsheet.ReadingAhead = NotAhead


def _become(order: dict[str, Any]) -> None:
    """Be the command: its folder, environment, files and limits; never returns."""
    code = 1
    sys.dont_write_bytecode = True  # under a limit it would leave halves of them behind
    try:
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        _redirect(order)
        if order["file_size"] is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_size"], order["file_size"]))
        code = _run(order["argv"])
    except BaseException:  # noqa: BLE001 - the last frame of the process: said, and never the zygote's loop again
        traceback.print_exc()
    finally:
        os._exit(code)


def _run(argv: list[str]) -> int:
    from sync import failpoints
    from sync.cli.main import run

    failpoints.arm(os.environ)
    code = run(argv)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code


def _redirect(order: dict[str, Any]) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    errors = os.open(order["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if order["stdout"] is None:
        reader, output = os.pipe()
        os.close(reader)
    else:
        output = os.open(order["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    for descriptor in (nothing, errors, output):
        os.close(descriptor)


def _wait(pid: int, timeout_s: float) -> int | None:
    end = time.monotonic() + timeout_s
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            return None
        time.sleep(LOOK_S)


if __name__ == "__main__":
    main()
