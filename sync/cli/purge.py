"""`coursesync purge`: let go what is older than the profile keeps."""

import sys
from contextlib import closing
from pathlib import Path

import click

from sync.cli.options import Common, common
from sync.errors import HeldRun


@click.command()
@click.option("--run", metavar="RUN", help="All that one finished run keeps, however young.")
@click.option("--inbox", type=click.Path(path_type=Path), metavar="DIR", help="Also old files of a drop folder.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Without asking; needed where there is no terminal.")
@common
def purge(options: Common, *, run: str | None, inbox: Path | None, dry_run: bool, yes: bool) -> int:
    """Let go sheets, before-images and reports older than the profile keeps; never of an unfinished run."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same
    from sync.cli.console import data, say  # noqa: PLC0415 - the same
    from sync.jobs.purging import look_for_old  # noqa: PLC0415 - the same
    from sync.jobs.purging import purge as let_go  # noqa: PLC0415 - the same

    settings = options.settings(needs_network=False)
    with closing(open_store(settings.state_dir, SystemClock())) as store:
        found = look_for_old(store, settings, run=run, inbox=inbox)
        say(options, found.lines())
        goes = not dry_run and not found.is_empty
        if goes and not yes:
            if not sys.stdin.isatty():
                raise HeldRun("Nothing is gone: there is no terminal to ask at.", remedy="Give --yes to do it.")
            goes = click.confirm("Let it go?", err=True)
        if goes:
            let_go(store, settings, found)
        data(
            options,
            {
                "done": goes,
                "runs": [{"run_id": old.run.run_id, "what": old.kind.value} for old in found.old],
                "no_undo": list(found.no_undo),
                "deliveries": [str(folder) for folder in found.deliveries],
            },
        )
    return 0
