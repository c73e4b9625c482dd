"""`coursesync check`: judge every row of a sheet by itself, without a network."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli.options import Common, common

if TYPE_CHECKING:
    from sync.config import Settings
    from sync.model import CheckedSheet
from sync.cli.places import check_folder
from sync.cli.reading import reading_ahead
from sync.cli.writing import writing_ahead


@click.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@common
def check(options: Common, sheet: Path) -> int:
    """Judge every row of SHEET by itself: no network, nothing is sent."""
    reading = reading_ahead(sheet)
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.report_files import write_reports  # noqa: PLC0415 - the same
    from sync.cli.console import show_result  # noqa: PLC0415 - the same
    from sync.jobs.reports import Result  # noqa: PLC0415 - the same
    from sync.jobs.sheets import check_report, read_sheet  # noqa: PLC0415 - the same

    settings = options.settings(needs_network=False)
    check_folder(options.out or settings.state_dir)
    with options.logging(settings):
        writing = writing_ahead(sheet)
        checked = read_sheet(sheet, settings, ahead=reading)
        report = check_report(checked, settings, SystemClock())
        out = options.out or settings.state_dir / "reports" / report.run_id
        return show_result(options, Result(report, out, write_reports(report, out, sheet=checked, own=writing)))


def held_by_invalid(options: Common, checked: "CheckedSheet", settings: "Settings") -> int | None:
    """Report on every row and exit 3 where one is invalid and the profile stops there; `None` where it goes on."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when a command runs
    from sync.adapters.report_files import write_reports  # noqa: PLC0415 - the same
    from sync.cli.console import show_result  # noqa: PLC0415 - the same
    from sync.errors import InputError  # noqa: PLC0415 - the same
    from sync.jobs.reports import Result  # noqa: PLC0415 - the same
    from sync.jobs.sheets import check_report, refuse_invalid  # noqa: PLC0415 - the same

    try:
        refuse_invalid(checked, settings)
    except InputError:
        report = check_report(checked, settings, SystemClock())
        out = options.out or settings.state_dir / "reports" / report.run_id
        return show_result(options, Result(report, out, write_reports(report, out, sheet=checked)))
    return None
