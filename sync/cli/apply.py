"""`coursesync apply` and `coursesync resume`: send, and report on every row."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli.options import Common, common
from sync.errors import ConfigError, HeldRun, InputError

if TYPE_CHECKING:
    from sync.config import Settings
    from sync.jobs.sheets import Preview


@click.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Send without asking; needed where there is no terminal.")
@common
def apply(options: Common, sheet: Path, yes: bool) -> int:  # noqa: FBT001 - a flag of click's
    """Send what SHEET asks for, and report on every row."""
    from sync.adapters.signals import stop_signals  # noqa: PLC0415 - loaded when the command runs
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.console import RunEvents, show_result  # noqa: PLC0415 - the same
    from sync.jobs.runs import apply_sheet  # noqa: PLC0415 - the same
    from sync.jobs.sheets import read_sheet  # noqa: PLC0415 - the same

    if not yes and not sys.stdin.isatty():
        raise HeldRun("Nothing was sent: there is no terminal to ask at.", remedy="Give --yes to send without asking.")
    settings = options.settings(needs_network=True)
    with options.logging(settings):
        read_sheet(sheet, settings)
        with open_session(settings) as session, stop_signals() as request, RunEvents(options) as events:
            request.wake = session.senders.wake
            result = apply_sheet(
                session,
                sheet,
                out=options.out,
                confirm=_confirm(settings, yes=yes),
                events=events,
                stop_asked=request.interrupted,
            )
        return show_result(options, result)


@click.command()
@click.argument("run", required=False)
@common
def resume(options: Common, run: str | None) -> int:
    """Go on with RUN, or with the last run that was stopped: settle what is open, send what is left."""
    from sync.adapters.signals import stop_signals  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.store.history import find_run, unfinished_runs  # noqa: PLC0415 - the same
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.console import RunEvents, say, show_result  # noqa: PLC0415 - the same
    from sync.jobs.runs import resume_run  # noqa: PLC0415 - the same

    settings = options.settings(needs_network=True)
    with options.logging(settings):
        with open_session(settings) as session, stop_signals() as request, RunEvents(options) as events:
            request.wake = session.senders.wake
            unfinished = unfinished_runs(session.store)
            if run is None and not unfinished:
                say(options, ["No run of this profile waits to be resumed."])
                return 0
            facts = unfinished[-1] if run is None else find_run(session.store, run)
            if facts is None:
                raise InputError(f"There is no run {run!r}.", code="run.unknown", remedy="See `coursesync history`.")
            if facts.state == "finished":
                raise ConfigError(f"The run {facts.run_id} has ended.", remedy="Apply its sheet again instead.")
            result = resume_run(session, facts, out=options.out, events=events, stop_asked=request.interrupted)
        return show_result(options, result)


def _confirm(settings: "Settings", *, yes: bool) -> "Callable[[Preview], bool]":
    def ask(shown: "Preview") -> bool:
        from sync.preview import plan_lines  # noqa: PLC0415 - only where a person is asked

        if yes:
            return True
        target = f"{settings.base_url} ({settings.account or 'no account named'})"
        for line in plan_lines(shown.rows, shown.cost, finish_wall=shown.finish_wall, target=target):
            click.echo(line, err=True)
        return click.confirm(f"Send {shown.cost.writes:,} updates?", err=True)

    return ask
