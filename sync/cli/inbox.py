"""`coursesync inbox`: run every finished sheet of a drop folder, in one pass or for good."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli.options import Common, common
from sync.cli.streams import echo
from sync.errors import LockHeld, StoppedEarly
from sync.frozen import replace

if TYPE_CHECKING:
    from sync.adapters.signals import StopRequest
    from sync.bootstrap import Session
    from sync.config import Settings
    from sync.jobs.inbox import Handled, Inbox
    from sync.jobs.watch import Watch
    from sync.ports import Clock

ENDED = object()
LOOK_AGAIN_S = 60.0
"""Under `--watch`, the folder is looked at so often even though nothing was heard of it."""
STOPPED_MOST_S = 900.0
"""After runs that stopped early, one after the other, the wait doubles up to this."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--watch", "watches", is_flag=True, help="Go on until a signal, on whatever is dropped.")
@common
def inbox(options: Common, folder: Path, *, watches: bool) -> int:
    """Run every finished sheet of FOLDER, the oldest first, and move it to done, attention, refused or approval."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.dropfolder import DropFolder  # noqa: PLC0415 - the same
    from sync.adapters.signals import stop_signals  # noqa: PLC0415 - the same
    from sync.jobs.closing import Ended  # noqa: PLC0415 - the same
    from sync.jobs.inbox import Inbox  # noqa: PLC0415 - the same
    from sync.logs import reopen_log_files  # noqa: PLC0415 - the same

    settings = options.settings(needs_network=True)
    clock = SystemClock()
    hangup = reopen_log_files if watches and not sys.stdin.isatty() else None
    with options.logging(settings), stop_signals(hangup=hangup) as request:

        def one_pass() -> Inbox:
            ended = Ended(settings, clock, words=options.words)
            return Inbox(
                DropFolder(folder.resolve()),
                settings,
                clock,
                lambda: _session(options, settings, clock, request),
                ended,
                request.interrupted,
            )

        if not watches:
            return _pass(options, one_pass())
        return _watch(options, one_pass, request)


def _pass(options: Common, inbox: "Inbox") -> int:
    from sync.jobs.closing import closing_up  # noqa: PLC0415 - loaded when the command runs
    from sync.jobs.inbox import pass_code  # noqa: PLC0415 - the same

    with closing_up(inbox.ended):
        handled = inbox.pass_over()
    code = pass_code(handled)
    _show(options, handled, code)
    return code


def _watch(options: Common, one_pass: "Callable[[], Inbox]", request: "StopRequest") -> int:
    """Pass after pass until a signal; what stops a run early is told, and tried again. Idle, a signal is an end (0)."""
    from sync.jobs.inbox import SIGNALLED  # noqa: PLC0415 - loaded when the command runs

    stop = threading.Event()
    request.wake = stop.set
    changes = one_pass().folder.changes(stop, at_most_s=LOOK_AGAIN_S)
    stopped = 0
    while True:
        code = 0
        try:
            code = _pass(options, one_pass())
        except (LockHeld, StoppedEarly) as error:
            code = error.exit_code
            echo(f"coursesync: {error}", err=True)
        request.wake = stop.set
        stopped = stopped + 1 if code == StoppedEarly.exit_code else 0
        if request.interrupted() is None and stopped > 1:
            stop.wait(patience_s(stopped) - LOOK_AGAIN_S)
        if request.interrupted() is not None:
            return code if code > SIGNALLED else 0
        if next(changes, ENDED) is ENDED:
            return 0


def patience_s(stopped: int) -> float:
    """How long to wait after so many runs in a row that stopped early; a change in the folder cuts a minute off."""
    return min(LOOK_AGAIN_S * 2.0 ** min(stopped - 1, 10), STOPPED_MOST_S)


def _show(options: Common, handled: "tuple[Handled, ...]", code: int) -> None:
    """Say what became of each file; `--quiet` keeps the data back on exit 0 alone."""
    from sync.cli.console import data, say  # noqa: PLC0415 - loaded when the command runs

    data(
        replace(options, quiet=options.quiet and not code),
        {
            "exit_code": code,
            "files": [
                {
                    "name": each.name,
                    "exit_code": each.exit_code,
                    "folder": str(each.folder),
                    "reason": each.reason,
                    "run_id": each.run_id,
                }
                for each in handled
            ],
        },
    )
    say(options, [f"{each.name}: exit {each.exit_code}, {each.folder}" for each in handled])
    for each in handled:
        if each.exit_code:
            reason = each.reason or "some rows need attention."
            echo(f"coursesync: {each.name}, now in {each.folder}: {reason}", err=True)


@contextmanager
def _session(
    options: Common, settings: "Settings", clock: "Clock", request: "StopRequest"
) -> "Iterator[tuple[Session, Watch]]":
    """A session, and who is told and may end its runs; nobody is asked."""
    from sync.bootstrap import open_session  # noqa: PLC0415 - loaded when the command runs
    from sync.cli.console import RunEvents  # noqa: PLC0415 - the same
    from sync.jobs.watch import Watch  # noqa: PLC0415 - the same

    with open_session(settings, clock=clock) as session, RunEvents(options) as events:
        request.wake = session.senders.wake
        yield session, Watch(events, request.interrupted)
