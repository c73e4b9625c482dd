"""Talk with a person or a program: data on standard output, talk on standard error, a bar only at a terminal."""

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sync.cli.options import Common
from sync.cli.streams import echo
from sync.errors import CanaryStopped
from sync.frozen import replace
from sync.logs import get_logger, is_heard

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress, TaskID

    from sync.jobs.reports import Result


def say(common: Common, lines: Iterable[str]) -> None:
    """Print text for a person; nothing under `--json` or `--quiet`."""
    if not (common.as_json or common.quiet):
        for line in lines:
            echo(line)


def data(common: Common, value: object) -> None:
    """Print one JSON object for a program, where it asked for one; nothing under `--quiet`."""
    if common.as_json and not common.quiet:
        echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_result(common: Common, result: "Result") -> int:
    """Print the summary of a report, and give its exit code; where it is not 0, why, and the next command."""
    code = result.report.exit_code
    if code or not common.quiet:
        show_report(replace(common, quiet=False), result)
        tell_why(common, result)
    return code


def show_report(common: Common, result: "Result") -> None:
    """Print the summary of a report; nothing under `--quiet`."""
    from sync.rails import rails_object, refusal_lines  # noqa: PLC0415 - only where there is a report
    from sync.report import summary_object  # noqa: PLC0415 - the same
    from sync.report_text import summary_lines  # noqa: PLC0415 - the same

    report = result.report
    rails = {"rails": rails_object(result.judged)} if result.judged.held or result.judged.lifted else {}
    data(common, summary_object(report) | rails | _plan_object(result) | {"out": str(result.out)})
    plan = _asked_plan(result)
    lines = summary_lines(report, result.written.files, result.written.notes, words=common.words, plan=plan)
    say(common, (*refusal_lines(result.judged.held), *_plan_lines(result), *lines, f"Report: {result.out}"))


def _plan_object(result: "Result") -> dict[str, object]:
    from sync.times import utc  # noqa: PLC0415 - only where there is a plan

    plan = result.plan
    if plan is None:
        return {}
    return {
        "plan": {
            "path": str(plan.path),
            "checksum": plan.checksum,
            "expires_at": plan.expires_at,
            "updates": plan.cost.writes,
            "reads": plan.cost.reads,
            "seconds": round(plan.cost.seconds, 1),
            "finish_at": utc(plan.finish_wall),
            "rows_by_field": dict(plan.rows_by_field),
            "accepted": plan.accepted,
        }
    }


def _asked_plan(result: "Result") -> "Path | None":
    """The saved plan, where a place was named for it: then it is what the next command takes."""
    return result.plan.path if result.plan is not None and result.plan.asked else None


def _plan_lines(result: "Result") -> Iterable[str]:
    plan = result.plan
    if plan is not None and plan.asked:
        yield f"Plan: {plan.path}, good until {plan.expires_at[:16].replace('T', ' at ')} UTC"
        yield f"Checksum: {plan.checksum}"


_REASONS = {
    3: "rows are invalid, and this profile stops there; nothing was sent.",
    4: "some rows need attention; see {out}.",
    5: "some rows were not reached; see {out}.",
    10: "changes are pending.",
}
"""By exit code, where the run ended by itself."""


def tell_why(common: Common, result: "Result") -> None:
    """Say in one line why the exit code is not 0, and the next command."""
    from sync.report_text import next_step  # noqa: PLC0415 - only where there is a report

    plan = _asked_plan(result)
    reason = _REASONS.get(result.report.exit_code)
    if isinstance(result.stopped, CanaryStopped):
        step = next_step(result.report, words=common.words)
        echo(f"coursesync: {result.stopped.message} {step}", err=True)
    elif result.stopped is not None:
        echo(f"coursesync: {result.stopped}", err=True)
    elif reason is not None:
        step = next_step(result.report, result.written.files, words=common.words, plan=plan)
        echo(f"coursesync: {reason.format(out=result.out)} {step}".rstrip(), err=True)


_SAID = {
    "canary.passed": "the canary went well so far: going on from {rows} to {next_rows} rows.",
    "run.ending": "run {run_id} left {rows} rows open: settling them, then it ends for good.",
    "run.picked_up": "this sheet has an unfinished run, {run_id}: going on with its {rows_left} rows.",
    "reading.one_by_one": "{missing} of {asked} Ids are unknown to the server so far; each is asked for by itself.",
    "run.waiting": "{why} Waiting.",
    "run.reported": "run {run_id} had ended, but its report was not written whole: it lies in {out} now.",
    "run.settling": "run {run_id} left {rows} rows open: settling them first; it can be resumed afterwards.",
}
"""Events that a person is told in words."""


@dataclass(slots=True)
class RunEvents:
    """Events of a run: one log line each, and a bar with the remaining time where a person watches."""

    common: Common
    _progress: "Progress | None" = None
    _task: "TaskID | None" = None
    _counted: set[object] = field(default_factory=set)
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
        """Log the event, unless it is for the bar alone; move the bar, which begins behind rows not to be sent."""
        if event == "row.accepted":
            self._advance(facts["row"])
            return
        if event == "sending.started":
            self._start(facts["to_send"])
            return
        if is_heard():
            get_logger().info(event, **facts)
        if event in _SAID and not (self.common.quiet or self.common.as_json):
            echo(f"coursesync: {_SAID[event].format(**facts)}", err=True)
        if event == "row.finished":
            self._advance(facts["row"])

    def _advance(self, row: object) -> None:
        """Once for each row: one that a read is to confirm counts when it was accepted."""
        if self._progress is not None and self._task is not None and row not in self._counted:
            self._counted.add(row)
            self._progress.advance(self._task)

    def _start(self, total: object) -> None:
        if self.common.quiet or self.common.as_json or not sys.stderr.isatty() or not isinstance(total, int):
            return
        from rich.console import Console  # noqa: PLC0415 - only at a terminal
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

        self._counted.clear()
        if self._progress is not None:
            self._progress.stop()  # of an earlier run of this command
        console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
        columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("sending", total=total)
        self._progress.start()
