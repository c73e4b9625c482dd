"""`coursesync plan`: show what a sheet would change, and send nothing."""

from pathlib import Path

import click

from sync.cli.allow import allow_option
from sync.cli.check import held_by_invalid
from sync.cli.options import Common, common
from sync.cli.places import check_file, check_folder
from sync.cli.policies import conflict_option, drift_option


@click.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option(
    "-o", "plan_path", type=click.Path(path_type=Path), metavar="PLAN", help="Save the plan, to be applied as it is."
)
@click.option("--detailed-exitcode", "detailed", is_flag=True, help="Exit 10 when changes are pending.")
@allow_option
@conflict_option
@drift_option
@common
def plan(
    options: Common,
    sheet: Path,
    *,
    plan_path: Path | None,
    detailed: bool,
    allowed: frozenset[str],
    on_conflict: str | None,
    on_drift: str | None,
) -> int:
    """Show what SHEET would change, field by field; nothing is sent."""
    from sync.adapters.signals import stop_signals  # noqa: PLC0415 - loaded when the command runs
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.console import RunEvents, say, show_result  # noqa: PLC0415 - the same
    from sync.jobs.reports import result_of_plan  # noqa: PLC0415 - the same
    from sync.jobs.saving import save_plan, with_plan  # noqa: PLC0415 - the same
    from sync.jobs.sheets import plan_report, preview, read_sheet  # noqa: PLC0415 - the same
    from sync.preview import plan_lines  # noqa: PLC0415 - the same

    check_folder(options.out)
    if plan_path is not None:
        check_file(plan_path, ".json")
    settings = options.settings(needs_network=True, on_conflict=on_conflict, on_drift=on_drift)
    with options.logging(settings):
        checked = read_sheet(sheet, settings)
        if (held := held_by_invalid(options, checked, settings)) is not None:
            return held
        with open_session(settings) as session, stop_signals() as request:
            request.wake = session.senders.wake
            events = RunEvents(options)
            session.tell = lambda missing, asked: events.emit("reading.one_by_one", missing=missing, asked=asked)
            shown = preview(session, checked, request.interrupted, allowed=allowed)
            report = plan_report(session, shown, detailed=detailed)
            saved = save_plan(session, shown)
        target = f"{settings.base_url} ({settings.account or 'no account named'})"
        say(options, plan_lines(shown.rows, shown.cost, finish_wall=shown.finish_wall, target=target))
        out = options.out or settings.state_dir / "reports" / report.run_id
        result = with_plan(result_of_plan(report, shown.judged, out, sheet=checked), saved, plan_path)
        return show_result(options, result)
