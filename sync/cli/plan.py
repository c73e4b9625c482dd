"""`coursesync plan`: show what a sheet would change, and send nothing."""

from pathlib import Path

import click

from sync.cli.allow import allow_option
from sync.cli.check import held_by_invalid
from sync.cli.options import Common, common
from sync.cli.places import check_file, check_folder
from sync.cli.policies import conflict_option, drift_option
from sync.cli.reading import reading_ahead
from sync.cli.rows import choices_of, row_numbers
from sync.cli.writing import writing_ahead


@click.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option(
    "-o", "plan_path", type=click.Path(path_type=Path), metavar="PLAN", help="Save the plan, to be applied as it is."
)
@click.option("--detailed-exitcode", "detailed", is_flag=True, help="Exit 10 when changes are pending.")
@click.option("--leave-out", metavar="ROWS", help="Rows that are not to be sent, by their number in Excel: 4,7-9.")
@click.option("--choose", multiple=True, metavar="ROW=WORD", help="A word for a conflict: 14=sheet, 20=live.")
@click.option("--called", metavar="NAME", help="What reports call the sheet, in place of its file's name.")
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
    leave_out: str | None,
    choose: tuple[str, ...],
    called: str | None,
    allowed: frozenset[str],
    on_conflict: str | None,
    on_drift: str | None,
) -> int:
    """Show what SHEET would change, field by field; nothing is sent."""
    reading = reading_ahead(sheet)
    from sync.adapters.signals import stop_signals  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.workbook.source import SheetSource  # noqa: PLC0415 - the same
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.choosing import with_decisions  # noqa: PLC0415 - the same
    from sync.cli.console import RunEvents, say, show_result  # noqa: PLC0415 - the same
    from sync.jobs.only_run import called_so, keep_copy  # noqa: PLC0415 - the same
    from sync.jobs.reports import result_of_plan  # noqa: PLC0415 - the same
    from sync.jobs.saving import save_plan, with_plan  # noqa: PLC0415 - the same
    from sync.jobs.sheets import plan_report, preview, read_sheet  # noqa: PLC0415 - the same
    from sync.preview import plan_lines  # noqa: PLC0415 - the same

    check_folder(options.out)
    if plan_path is not None:
        check_file(plan_path, ".json")
    left_out, choices = row_numbers(leave_out, option="--leave-out"), choices_of(choose, option="--choose")
    settings = options.settings(needs_network=True, on_conflict=on_conflict, on_drift=on_drift)
    with options.logging(settings):
        writing = writing_ahead(sheet)
        checked = with_decisions(read_sheet(sheet, settings, ahead=reading), left_out=left_out or (), choices=choices)
        source = SheetSource.of(checked)
        if (held := held_by_invalid(options, checked, settings)) is not None:
            return held
        with open_session(settings) as session, stop_signals() as request:
            request.wake = session.senders.wake
            if called is not None:
                keep_copy(checked, settings.state_dir)
                checked = called_so(checked, called)
            events = RunEvents(options)
            session.tell = lambda missing, asked: events.emit("reading.one_by_one", missing=missing, asked=asked)
            shown = preview(session, checked, request.interrupted, allowed=allowed, reviewed=choices)
            report = plan_report(session, shown, detailed=detailed)
            saved = save_plan(session, shown)
        target = f"{settings.base_url} ({settings.account or 'no account named'})"
        say(options, plan_lines(shown.rows, shown.cost, finish_wall=shown.finish_wall, target=target))
        out = options.out or settings.state_dir / "reports" / report.run_id
        result = with_plan(result_of_plan(report, shown.judged, out, sheet=source, own=writing), saved, plan_path)
        return show_result(options, result)
