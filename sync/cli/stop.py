"""`coursesync stop`: end a run for good."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli.options import Common, common
from sync.cli.places import check_folder

if TYPE_CHECKING:
    from sync.bootstrap import Session
    from sync.config import Settings
    from sync.jobs.watch import Watch


@click.command()
@click.argument("run")
@common
def stop(options: Common, run: str) -> int:
    """End RUN for good: what is open is settled by reading, nothing more is sent, and no resume goes on with it."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same
    from sync.cli.console import data, say, show_result  # noqa: PLC0415 - the same
    from sync.jobs.closing import Ended, closing_up, note  # noqa: PLC0415 - the same
    from sync.jobs.reports import Result  # noqa: PLC0415 - the same
    from sync.jobs.stopping import stop_run  # noqa: PLC0415 - the same

    check_folder(options.out)
    settings, clock = options.settings(needs_network=True), SystemClock()
    ended = Ended(settings, clock, words=options.words)
    with options.logging(settings), closing_up(ended), closing(open_store(settings.state_dir, clock)) as store:
        became = stop_run(store, settings, run, opened=lambda: _session(options, settings), out=options.out)
        if isinstance(became, Result):
            ended.result(became, sheet=Path(became.report.input.path).name)
            return show_result(options, became)
        note(store, "run.stop_asked", run_id=became.run_id)
    data(options, {"run_id": became.run_id, "asked": True})
    say(options, [f"Run {became.run_id} is at work: it ends for good once what is on its way is heard and settled."])
    return 0


@contextmanager
def _session(options: Common, settings: "Settings") -> "Iterator[tuple[Session, Watch]]":
    """A session that only reads, and what may end it."""
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.apply import watching  # noqa: PLC0415 - only where something is to be settled

    with open_session(settings) as session, watching(options, session, None, yes=True) as watch:
        yield session, watch
