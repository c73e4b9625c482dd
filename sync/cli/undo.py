"""`coursesync undo`: take back what a run wrote, wherever nobody wrote after it."""

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from sync.cli.allow import allow_option
from sync.cli.apply import carried_out, moment_of, until_option, wait_option, watching
from sync.cli.options import Common, common
from sync.cli.places import check_folder
from sync.cli.rows import row_numbers
from sync.errors import ConfigError, HeldRun

if TYPE_CHECKING:
    from sync.bootstrap import Session
    from sync.jobs.reports import Result
    from sync.jobs.undoing import Selection
    from sync.jobs.watch import Watch


@click.command()
@click.argument("run")
@click.option("--rows", metavar="ROWS", help="Only these rows of the run's sheet: 4,7-9.")
@click.option("--fields", metavar="FIELDS", help="Only these fields: Title,DisplayOrder.")
@click.option("--yes", is_flag=True, help="Send without asking; without it and without a terminal, only show.")
@allow_option
@until_option
@wait_option
@common
def undo(
    options: Common,
    run: str,
    *,
    rows: str | None,
    fields: str | None,
    yes: bool,
    allowed: frozenset[str],
    until: str | None,
    wait: bool,
) -> int:
    """Take back what RUN wrote, wherever live still is as it was written; whatever changed since stays, and is named.

    An undo is a run: it can be stopped, resumed and undone.
    """
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.console import show_result  # noqa: PLC0415 - the same
    from sync.jobs.closing import Ended, closing_up  # noqa: PLC0415 - the same
    from sync.jobs.undoing import Selection, undo_run  # noqa: PLC0415 - the same

    check_folder(options.out)
    stop_at = moment_of(until)
    settings = options.settings(needs_network=True)
    selection = Selection(row_numbers(rows, option="--rows"), _fields(fields, settings.aliases))
    if not yes and not sys.stdin.isatty():
        with options.logging(settings):
            with open_session(settings) as session, watching(options, session, stop_at, yes=False) as watch:
                result = _shown(options, session, run, selection, watch, allowed=allowed)
            return show_result(options, result)
    ended = Ended(settings, SystemClock(), f"undo {run}", options.words)
    with options.logging(settings), closing_up(ended):
        with open_session(settings) as session, watching(options, session, stop_at, yes=yes) as watch:

            def begin() -> "Result":
                return undo_run(session, run, selection, allowed=allowed, out=options.out, watch=watch)

            result = carried_out(begin, session, options, watch, wait=wait)
        ended.result(result)
        return show_result(options, result)


def _shown(
    options: Common,
    session: "Session",
    run: str,
    selection: "Selection",
    watch: "Watch",
    *,
    allowed: frozenset[str],
) -> "Result":
    """Where nobody can be asked: the plan and its report; held, as long as there is something to send."""
    from sync.cli.console import say  # noqa: PLC0415 - loaded when the command runs
    from sync.jobs.proposals import proposal_lines  # noqa: PLC0415 - the same
    from sync.jobs.restoring import show_proposal  # noqa: PLC0415 - the same
    from sync.jobs.undoing import propose_undo  # noqa: PLC0415 - the same

    settings = session.settings
    proposal = propose_undo(session, run, selection, watch.stop_asked, allowed=allowed)
    say(options, proposal_lines(proposal, target=f"{settings.base_url} ({settings.account or 'no account named'})"))
    unapproved = None
    if proposal.sends:
        unapproved = HeldRun(
            "Nothing was sent: there is no terminal to ask at.", remedy="Give --yes to send without asking."
        )
    return show_proposal(session, proposal, out=options.out, unapproved=unapproved)


def _fields(text: str | None, aliases: Mapping[str, str]) -> frozenset[str] | None:
    """Read field names as the headings of a sheet are read.

    Raises:
        ConfigError: one is no field that a run can write; with the nearest one.
    """
    if text is None:
        return None
    from sync.headings import heading_key, known_headings  # noqa: PLC0415 - only where fields are named
    from sync.section import FIELDS, Access  # noqa: PLC0415 - the same

    writable = {field.name for field in FIELDS if field.access in (Access.EDITABLE, Access.ACTION)}
    known = {key: name for key, name in known_headings(aliases).items() if name in writable}
    names = [part.strip() for part in text.split(",")]
    for name in names:
        if heading_key(name) not in known:
            near = get_close_matches(heading_key(name), known, n=1)
            hint = f'Did you mean "{known[near[0]]}"?' if near else f"Fields: {', '.join(sorted(writable))}."
            raise ConfigError(f'"{name}" in --fields is no field that a run can write.', remedy=hint)
    return frozenset(known[heading_key(name)] for name in names)
