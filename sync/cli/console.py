"""Talk with a person or a program: data on standard output, talk on standard error, a bar only at a terminal."""

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from sync.cli.options import Common
from sync.logs import get_logger

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from sync.jobs.reports import Result
    from sync.model import RunReport


def say(common: Common, lines: Iterable[str]) -> None:
    """Print text for a person; nothing under `--json` or `--quiet`."""
    if not (common.as_json or common.quiet):
        for line in lines:
            click.echo(line)


def data(value: object) -> None:
    """Print one JSON object for a program."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_result(common: Common, result: "Result") -> int:
    """Print the summary of a report, and give its exit code; a run that stopped says why, and the next command."""
    from sync.report import summary_object  # noqa: PLC0415 - only where there is a report
    from sync.report_text import summary_lines  # noqa: PLC0415 - the same

    report = result.report
    if report.exit_code == 0 and common.quiet:
        return 0
    if common.as_json:
        data(summary_object(report) | {"out": str(result.out)})
    else:
        lines = summary_lines(report, result.written.files, result.written.notes, words=common.words)
        for line in (*lines, f"Report: {result.out}"):
            click.echo(line)
    tell_why(report, result)
    return report.exit_code


def tell_why(report: "RunReport", result: "Result") -> None:
    """Say in one line why the exit code is not 0, and the next command."""
    if result.stopped is not None:
        click.echo(f"coursesync: {result.stopped}", err=True)
    elif report.exit_code == 4:  # noqa: PLR2004 - the contract's code
        click.echo(f"coursesync: some rows need attention; see {result.out}", err=True)
    elif report.exit_code == 3:  # noqa: PLR2004 - the contract's code
        click.echo("coursesync: rows are invalid, and this profile stops there; nothing was sent.", err=True)


_SAID = {
    "run.picked_up": "this sheet has an unfinished run, {run_id}: going on with its {rows_left} rows.",
    "run.settling": "run {run_id} left {rows} rows open: settling them first; it can be resumed afterwards.",
}
"""Events that a person is told in words."""


@dataclass(slots=True)
class RunEvents:
    """Events of a run: one log line each, and a bar with the remaining time where a person watches."""

    common: Common
    _progress: "Progress | None" = None
    _task: "TaskID | None" = None
    _log: object = field(default_factory=get_logger)

    def __enter__(self) -> Self:
        """Nothing is drawn before the first row."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar down."""
        if self._progress is not None:
            self._progress.stop()

    def emit(self, event: str, /, **facts: object) -> None:
        """Log the event; move the bar."""
        get_logger().info(event, **facts)
        if event in _SAID and not (self.common.quiet or self.common.as_json):
            click.echo(f"coursesync: {_SAID[event].format(**facts)}", err=True)
        if event == "run.started":
            self._start(facts.get("to_send"))
        elif event == "row.finished" and self._progress is not None and self._task is not None:
            self._progress.advance(self._task)

    def _start(self, total: object) -> None:
        if self.common.quiet or self.common.as_json or not sys.stderr.isatty() or not isinstance(total, int):
            return
        from rich.console import Console  # noqa: PLC0415 - only at a terminal
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

        console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
        columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("sending", total=total)
        self._progress.start()
