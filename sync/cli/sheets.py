"""`coursesync template` and `coursesync export`: workbooks to be filled in."""

from pathlib import Path

import click

from sync.cli.options import Common, common
from sync.cli.places import check_file, kept_apart


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to; replaces a file of that name.  [default: template.xlsx, or a free name beside it]",
)
@common
def template(options: Common, output: Path | None) -> int:
    """Write an empty workbook that explains itself; where a profile is signed in, with its courses to choose from."""
    from sync.adapters.workbook.template import write_template  # noqa: PLC0415 - loaded when the command runs
    from sync.cli.console import data, say  # noqa: PLC0415 - the same

    output, kept = (output, None) if output is not None else kept_apart("template.xlsx")
    check_file(output, ".xlsx")
    courses, notes = _courses(options)
    notes += (kept,) if kept else ()
    placed = write_template(output, courses=courses)
    data(options, {"path": str(placed.path), "courses": len(courses), "notes": list(notes)})
    say(options, [f"Written: {placed.path}", *notes, *([placed.note] if placed.note else [])])
    return 0


def _courses(options: Common) -> tuple[tuple[tuple[int, str], ...], tuple[str, ...]]:
    """The account's courses; none without a profile, and none, with the reason, where they cannot be had."""
    from sync.adapters.signals import stop_signals  # noqa: PLC0415 - loaded when the command runs
    from sync.errors import CourseSyncError, Interrupted  # noqa: PLC0415 - the same

    if not options.settings(needs_network=False).base_url:
        return (), ()
    from sync.bootstrap import open_session  # noqa: PLC0415 - loaded where there is a server
    from sync.jobs.account import read_courses  # noqa: PLC0415 - the same

    try:
        settings = options.settings(needs_network=True)
        with options.logging(settings), open_session(settings) as session, stop_signals() as request:
            request.wake = session.senders.wake
            return read_courses(session, request.interrupted), ()
    except Interrupted:
        raise
    except CourseSyncError as exc:
        return (), (f"CourseId has no list to choose from: {exc.message}",)


@click.command()
@click.option("--course", "courses", type=int, multiple=True, metavar="ID", help="Only this course; may be repeated.")
@click.option("--active/--inactive", default=None, help="Only sections that members see, or only the others.")
@click.option(
    "--changed-since", metavar="DATE", help="Only those with an UpdatedOn from this date (or date and time) on."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to; replaces a file of that name.  [default: sections.xlsx, or a free name beside it]",
)
@common
def export(
    options: Common,
    courses: tuple[int, ...],
    active: bool | None,  # noqa: FBT001 - a flag of click's
    changed_since: str | None,
    output: Path | None,
) -> int:
    """Write a workbook (or a CSV) with the live sections, ready to be edited and applied."""
    from sync.adapters.signals import stop_signals  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.workbook.export import write_export  # noqa: PLC0415 - the same
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same
    from sync.cli.console import data, say  # noqa: PLC0415 - the same
    from sync.jobs.account import read_account  # noqa: PLC0415 - the same
    from sync.origin import Origin  # noqa: PLC0415 - the same
    from sync.selection import Selection  # noqa: PLC0415 - the same
    from sync.times import utc  # noqa: PLC0415 - the same

    output, kept = (output, None) if output is not None else kept_apart("sections.xlsx")
    check_file(output, ".xlsx", ".csv")
    selection = Selection.of(courses, active=active, changed_since=changed_since)
    settings = options.settings(needs_network=True)
    with options.logging(settings), open_session(settings) as session, stop_signals() as request:
        request.wake = session.senders.wake
        origin = Origin(settings.account, settings.base_url, utc(session.clock.wall()))
        records, titles = read_account(session, selection, request.interrupted)
    placed, notes = write_export(output, records, origin=origin, courses=titles)
    notes = (*([kept] if kept else []), *selection.empty_courses(records), *notes)
    notes = (*cannot_come_back(placed.path), *notes)
    data(options, {"path": str(placed.path), "sections": len(records), "notes": list(notes)})
    say(options, [f"{len(records):,} sections written: {placed.path}", *notes, *([placed.note] if placed.note else [])])
    return 0


def cannot_come_back(path: Path) -> tuple[str, ...]:
    """Say of an export that is larger than a sheet may be when it is read, before anybody edits it."""
    from sync.adapters.spreadsheet.container import read_content  # noqa: PLC0415 - loaded when the command runs
    from sync.errors import InputError  # noqa: PLC0415 - the same

    try:
        read_content(path)
    except InputError as exc:
        return (f"{exc.message} It is too large to be applied: export some courses at a time, with --course.",)
    return ()
