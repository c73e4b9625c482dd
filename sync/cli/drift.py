"""`coursesync drift`: what somebody changed after us, and putting it back."""

import sys
from typing import TYPE_CHECKING

import click

from sync.cli.allow import allow_option
from sync.cli.apply import carried_out, moment_of, until_option, wait_option, watching
from sync.cli.options import Common, common
from sync.cli.places import check_folder

if TYPE_CHECKING:
    from sync.jobs.reports import Result


@click.command()
@click.option("--apply", "restores", is_flag=True, help="Put it back; at a terminal, you are asked first.")
@click.option("--yes", is_flag=True, help="With --apply: put it back without asking.")
@click.option("--detailed-exitcode", "detailed", is_flag=True, help="Exit 10 when changes are pending.")
@allow_option
@until_option
@wait_option
@common
def drift(
    options: Common,
    *,
    restores: bool,
    yes: bool,
    detailed: bool,
    allowed: frozenset[str],
    until: str | None,
    wait: bool,
) -> int:
    """Compare what runs made so with what is live; say who changed what, and what putting it back would take."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.console import say, show_result  # noqa: PLC0415 - the same
    from sync.jobs.closing import Ended, closing_up  # noqa: PLC0415 - the same
    from sync.jobs.drifting import propose_drift, restore_drift  # noqa: PLC0415 - the same
    from sync.jobs.proposals import proposal_lines  # noqa: PLC0415 - the same
    from sync.jobs.restoring import show_proposal  # noqa: PLC0415 - the same

    check_folder(options.out)
    stop_at = moment_of(until)
    settings = options.settings(needs_network=True)
    if not restores:
        with options.logging(settings):
            with open_session(settings) as session, watching(options, session, stop_at, yes=False) as watch:
                proposal = propose_drift(session, watch.stop_asked, allowed=allowed)
                target = f"{settings.base_url} ({settings.account or 'no account named'})"
                say(options, proposal_lines(proposal, target=target))
                result = show_proposal(session, proposal, out=options.out, detailed=detailed)
            return show_result(options, result)
    ended = Ended(settings, SystemClock(), "drift", options.words)
    sends = yes or not sys.stdin.isatty()
    with options.logging(settings), closing_up(ended):
        with open_session(settings) as session, watching(options, session, stop_at, yes=sends) as watch:

            def begin() -> "Result":
                return restore_drift(session, allowed=allowed, out=options.out, watch=watch)

            result = carried_out(begin, session, options, watch, wait=wait)
        ended.result(result)
        return show_result(options, result)
