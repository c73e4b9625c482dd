"""`coursesync demo`: the whole job on a real workbook, against a sandbox of its own, as a script that ends as told."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.cli.extras import need_sandbox
from sync.cli.options import Common, common
from sync.cli.places import check_folder
from sync.errors import ConfigError, InternalError
from sync.frozen import Frozen, replace

if TYPE_CHECKING:
    from sync.config import Settings
    from sync.jobs.reports import Result

TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's own, no secret
START_S = 20
LIMITS = (
    # Four requests a second instead of ten, so that a person can watch.
    {"scope": "write", "count": 60, "seconds": 60},
    {"scope": "all", "count": 1, "seconds": 0.25},
    {"scope": "all", "count": 120, "seconds": 60},
)


class _Script(Frozen):
    sheet: Path
    seed: Path
    faults: Path
    expected: Mapping[str, Any]


@click.command()
@common
def demo(options: Common) -> int:
    """Watch the whole job run: a real workbook, a sandbox of its own, a row for every status."""
    from sync.cli.console import data, say  # noqa: PLC0415 - loaded when the command runs

    check_folder(options.out)
    need_sandbox()
    script = _find_script()
    with tempfile.TemporaryDirectory(prefix="coursesync-demo-") as state, _sandbox(script) as base_url:
        settings = _settings(base_url, Path(state), script)
        with replace(options, state_dir=Path(state)).logging(settings):
            result = _run(options, settings, script)
    _judge(result, script)
    data(options, {"exit_code": 0, "out": str(result.out), "counts": script.expected["counts"]})
    say(options, ["", "The demo ended as scripted: one row or more in every status.", f"The report: {result.out}"])
    return 0


def _run(options: Common, settings: "Settings", script: _Script) -> "Result":
    from sync.adapters.signals import stop_signals  # noqa: PLC0415 - loaded when the command runs
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.console import RunEvents, say  # noqa: PLC0415 - the same
    from sync.jobs.runs import apply_sheet  # noqa: PLC0415 - the same
    from sync.jobs.sheets import Preview, read_sheet  # noqa: PLC0415 - the same
    from sync.jobs.watch import Question, Watch  # noqa: PLC0415 - the same
    from sync.preview import plan_lines  # noqa: PLC0415 - the same
    from sync.report_text import summary_lines  # noqa: PLC0415 - the same

    def show(shown: Question) -> bool:
        if not isinstance(shown, Preview):
            return True
        target = f"{settings.base_url} ({settings.account})"
        say(options, plan_lines(shown.rows, shown.cost, finish_wall=shown.finish_wall, target=target))
        say(options, ["", "Sending …"])
        return True

    say(options, [f"A sandbox with the sections of {script.seed.name} answers at {settings.base_url}.", ""])
    say(options, [f"What {script.sheet.name} would change:", ""])
    with open_session(settings) as session, stop_signals() as request, RunEvents(options) as events:
        request.wake = session.senders.wake
        out = options.out or Path.cwd() / "reports" / "demo"
        checked = read_sheet(script.sheet, settings)
        result = apply_sheet(session, checked, out=out, watch=Watch(events, request.interrupted, show))
    lines = summary_lines(result.report, result.written.files, result.written.notes)
    say(options, ["", *(line for line in lines if not line.startswith("Next: "))])
    return result


def _settings(base_url: str, state: Path, script: _Script) -> "Settings":
    """The demo's own profile: the default limits of a minute, and an allowance for the day that ends too early."""
    from sync.config import load_settings  # noqa: PLC0415 - loaded when the command runs

    day = {"scope": "write", "count": script.expected["writes"], "seconds": 86400}
    return load_settings(
        profile=None,
        config_path=None,
        options={
            "base_url": base_url,
            "account": "quayside-academy",
            "state_dir": state,
            "limits": [*LIMITS, day],
            "settle_after_s": 0.2,
            "timeout_s": 10,
        },
        environ={"COURSESYNC_TOKEN": TOKEN},
        cwd=state,
        user_config_dir=state,
        needs_network=True,
    )


def _find_script() -> _Script:
    here = Path(__file__).resolve().parents[2] / "sample_data"
    folder = next((folder for folder in (here, Path.cwd() / "sample_data") if (folder / "demo.xlsx").is_file()), None)
    if folder is None:
        raise ConfigError("The demo's data is not installed.", remedy="Run it in a clone of the project: make demo.")
    expected = json.loads((folder / "demo_expected.json").read_text(encoding="utf-8"))
    return _Script(folder / "demo.xlsx", folder / "sandbox_seed.json", folder / "demo_faults.json", expected)


@contextmanager
def _sandbox(script: _Script) -> Iterator[str]:
    """Start a sandbox process on a free port; it ends with this block, and with this process however that ends."""
    words = ["--port", "0", "--seed", str(script.seed), "--faults", str(script.faults), "--latency-ms", "40"]
    command = [sys.executable, "-m", "sync.sandbox", *words, "--until-stdin-closes"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("listening on "):
            raise ConfigError("The sandbox did not start.", remedy="Try `coursesync sandbox` to see why.")
        yield line.removeprefix("listening on ").strip()
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        process.terminate()
        process.wait(START_S)


def _judge(result: "Result", script: _Script) -> None:
    """Hold the report against the script, row by row."""
    expected = {row["row"]: row["status"] for row in script.expected["rows"]}
    found = {outcome.row: outcome.status.value for outcome in result.report.outcomes}
    wrong = [
        f"row {row}: {found.get(row)}, not {status}" for row, status in expected.items() if found.get(row) != status
    ]
    if wrong or len(found) != len(expected):
        raise InternalError(f"The demo did not end as scripted: {'; '.join(wrong[:5])}.", remedy=f"See {result.out}.")
