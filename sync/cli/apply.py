"""`coursesync apply` and `coursesync resume`: send, and report on every row."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

import click

from sync.cli.allow import allow_option
from sync.cli.check import held_by_invalid
from sync.cli.options import Common, common
from sync.cli.places import check_folder
from sync.cli.policies import conflict_option, drift_option
from sync.cli.reading import reading_ahead
from sync.cli.streams import echo
from sync.cli.writing import writing_ahead
from sync.errors import AGAIN, ConfigError, CourseSyncError, HeldRun, HourHasCome

if TYPE_CHECKING:
    from sync.bootstrap import Session
    from sync.config import Settings
    from sync.jobs.reports import Result
    from sync.jobs.watch import Question, Watch

until_option = click.option("--until", metavar="HH:MM", help="Stop then (local time), resumably: exit code 5.")
wait_option = click.option("--wait", is_flag=True, help="Wait for the allowance of another day, lock released.")


@click.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Send without asking; needed where there is no terminal.")
@allow_option
@conflict_option
@drift_option
@click.option(
    "--canary", metavar="STEPS", help="Send so many rows first, and verify each step before the next: 1,5,20%."
)
@click.option("--checksum", metavar="HEX", help="Refuse any saved plan but the one with this checksum.")
@until_option
@wait_option
@common
def apply(
    options: Common,
    sheet: Path,
    *,
    yes: bool,
    allowed: frozenset[str],
    on_conflict: str | None,
    on_drift: str | None,
    canary: str | None,
    checksum: str | None,
    until: str | None,
    wait: bool,
) -> int:
    """Send what SHEET asks for, and report on every row; a saved plan in its place is sent exactly."""
    reading = reading_ahead(sheet)
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.console import show_result  # noqa: PLC0415 - the same
    from sync.jobs.closing import Ended, closing_up  # noqa: PLC0415 - the same
    from sync.jobs.runs import apply_sheet  # noqa: PLC0415 - the same
    from sync.jobs.sheets import read_sheet  # noqa: PLC0415 - the same

    if not yes and not sys.stdin.isatty():
        raise HeldRun("Nothing was sent: there is no terminal to ask at.", remedy="Give --yes to send without asking.")
    check_folder(options.out)
    check_canary(canary)
    stop_at = moment_of(until)
    settings = options.settings(needs_network=True, on_conflict=on_conflict, on_drift=on_drift)
    ended = Ended(settings, SystemClock(), sheet.name, options.words)
    with options.logging(settings), closing_up(ended):
        writing = writing_ahead(sheet)
        plan = reviewed_plan(sheet, checksum)
        checked = read_sheet(sheet, settings, ahead=reading) if plan is None else None
        if checked is not None and (held := held_by_invalid(options, checked, settings)) is not None:
            ended.refused(checked)
            return held
        with open_session(settings) as session, watching(options, session, stop_at, yes=yes) as watch:
            session.own = writing

            def begin() -> "Result":
                if checked is None:
                    from sync.jobs.approved import apply_plan  # noqa: PLC0415 - not for a sheet

                    return apply_plan(session, plan or "", out=options.out, watch=watch, allowed=allowed, canary=canary)
                return apply_sheet(session, checked, out=options.out, watch=watch, allowed=allowed, canary=canary)

            result = carried_out(begin, session, options, watch, wait=wait)
        ended.result(result)
        return show_result(options, result)


@click.command()
@click.argument("run", required=False)
@click.option(
    "--allow", "past", type=click.Choice(["canary"]), help="Go on past rows of the canary that did not go well."
)
@until_option
@wait_option
@common
def resume(options: Common, run: str | None, *, past: str | None, until: str | None, wait: bool) -> int:
    """Go on with RUN, or with the last run that was stopped: settle what is open, send what is left."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.console import data, say, show_result  # noqa: PLC0415 - the same
    from sync.jobs.closing import Ended, closing_up  # noqa: PLC0415 - the same
    from sync.jobs.runs import resume_run, run_to_resume  # noqa: PLC0415 - the same

    check_folder(options.out)
    stop_at = moment_of(until)
    settings = options.settings(needs_network=True)
    ended = Ended(settings, SystemClock(), words=options.words)
    with options.logging(settings), closing_up(ended):
        with open_session(settings) as session, watching(options, session, stop_at, yes=True) as watch:
            facts = run_to_resume(session, run)
            if facts is None:
                data(options, {"run_id": None})
                say(options, ["No run of this profile waits to be resumed."])
                return 0
            run_id, ended.sheet = facts.run_id, Path(facts.input.path).name

            def begin() -> "Result":
                return resume_run(session, run_id, out=options.out, watch=watch, past_canary=past is not None)

            result = carried_out(begin, session, options, watch, wait=wait)
        ended.result(result)
        return show_result(options, result)


def reviewed_plan(path: Path, expected: str | None) -> str | None:
    """The text of a saved plan, known by its content and held against the checksum that was reviewed; a sheet: `None`.

    Raises:
        PlanRefused: it is another plan, or cannot be read.
        ConfigError: a checksum was given, and this is a sheet.
    """
    from sync.adapters.plan_file import is_plan_file, read_plan  # noqa: PLC0415 - loaded when a command sends
    from sync.sealing import check_checksum  # noqa: PLC0415 - the same

    if not is_plan_file(path):
        if expected is not None:
            raise ConfigError(
                f"--checksum holds a saved plan, and {path.name} is none.",
                remedy="Save one with `coursesync plan SHEET -o plan.json`, and apply that.",
            )
        return None
    text = read_plan(path)
    if expected is not None:
        check_checksum(text, expected)
    return text


def check_canary(text: str | None) -> None:
    """Refuse a canary that means nothing, before anything else happens.

    Raises:
        ConfigError: as `canary.parse_canary`.
    """
    if text is not None:
        from sync.canary import parse_canary  # noqa: PLC0415 - only where one is asked for

        parse_canary(text)


@contextmanager
def watching(options: Common, session: "Session", stop_at: datetime | None, *, yes: bool) -> "Iterator[Watch]":
    """Signals, the hour to stop at, the log and the bar, and the question before anything is sent."""
    from sync.adapters.signals import stop_signals  # noqa: PLC0415 - loaded when the command runs
    from sync.cli.console import RunEvents  # noqa: PLC0415 - the same
    from sync.jobs.watch import Watch  # noqa: PLC0415 - the same

    with stop_signals() as request, RunEvents(options) as events:
        request.wake = session.senders.wake
        alarm = Timer(max(0.0, (stop_at - datetime.now(UTC)).total_seconds()), request.wake) if stop_at else None

        def stop_asked() -> CourseSyncError | None:
            if (stop := request.interrupted()) is not None or stop_at is None or datetime.now(UTC) < stop_at:
                return stop
            return HourHasCome("The hour to stop at has come (--until).", remedy=AGAIN)

        session.meter.stop_asked = stop_asked
        session.tell = lambda missing, asked: events.emit("reading.one_by_one", missing=missing, asked=asked)
        if alarm is not None:
            alarm.daemon = True
            alarm.start()
        try:
            yield Watch(events, stop_asked, _confirm(session.settings, yes=yes))
        finally:
            if alarm is not None:
                alarm.cancel()


def carried_out(
    begin: "Callable[[], Result]", session: "Session", options: Common, watch: "Watch", *, wait: bool
) -> "Result":
    """Begin, and with `wait` go on by itself whenever the allowance is renewed.

    Raises:
        CourseSyncError: as `jobs.patience.patiently`.
    """
    from sync.jobs.patience import patiently  # noqa: PLC0415 - loaded when the command runs
    from sync.jobs.runs import resume_run  # noqa: PLC0415 - the same

    if not wait:
        return begin()
    return patiently(
        begin, lambda run_id: resume_run(session, run_id, out=options.out, watch=watch), session=session, watch=watch
    )


def moment_of(until: str | None) -> datetime | None:
    """The next moment at which a local clock shows `until`.

    Raises:
        ConfigError: it is no time of day.
    """
    from sync.times import next_showing  # noqa: PLC0415 - loaded when the command runs

    if until is None:
        return None
    try:
        hour, minute = (int(part) for part in until.split(":"))
        return next_showing(hour, minute, now=datetime.now(UTC))
    except ValueError as exc:
        raise ConfigError(f"--until takes a time of day such as 06:30, not {until!r}.") from exc


def _confirm(settings: "Settings", *, yes: bool) -> "Callable[[Question], bool]":
    def ask(question: "Question") -> bool:
        from sync.jobs.proposals import Proposal, proposal_lines  # noqa: PLC0415 - only where a person is asked
        from sync.jobs.watch import PickUp  # noqa: PLC0415 - the same
        from sync.preview import plan_lines  # noqa: PLC0415 - the same

        if yes:
            return True
        if isinstance(question, PickUp):
            run_id = question.facts.run_id
            return _asked(f"Go on with the run {run_id}: {question.rows_left:,} rows left?")
        target = f"{settings.base_url} ({settings.account or 'no account named'})"
        if isinstance(question, Proposal):
            lines = proposal_lines(question, target=target)
        else:
            lines = plan_lines(question.rows, question.cost, finish_wall=question.finish_wall, target=target)
        for line in (*lines, *(issue.message for issue in question.judged.issues)):
            echo(line, err=True)
        return _asked(send_question(question.cost.writes, [rail.name for rail in question.judged.lifted]))

    return ask


def send_question(writes: int, lifted: "Sequence[str]") -> str:
    """What a person is asked before anything is sent: how much, and past which rails."""
    past = f" past {', '.join(lifted)}" if lifted else ""
    return f"Send {writes:,} {'update' if writes == 1 else 'updates'}{past}?"


def _asked(question: str) -> bool:
    from sync.adapters.signals import ended_by_signals  # noqa: PLC0415 - only where a person is asked

    with ended_by_signals():
        return click.confirm(question, err=True)
