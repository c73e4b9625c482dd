"""The report files of a run, each written as a whole: summary.json, report.csv, report.jsonl and the two workbooks."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync.adapters.report_lines import csv_pieces, jsonl_pieces
from sync.adapters.whole_file import Disk, FileContent, FileNotWritten, place, sweep
from sync.adapters.workbook.own_order import Order
from sync.adapters.workbook.own_process import OwnProcess
from sync.adapters.workbook.own_task import NotCarried
from sync.adapters.workbook.results import failed_workbook, order_of, report_workbook
from sync.adapters.workbook.source import SheetSource
from sync.frozen import Frozen
from sync.model import CheckedSheet, RunReport
from sync.report import check_complete, summary_object, with_cells

FAILED: Final = "failed.xlsx"


class WrittenReport(Frozen):
    """The files that were written, and what is to be said about them."""

    files: tuple[Path, ...]
    """In the order of the contract: report.xlsx, report.csv, report.jsonl, failed.xlsx (if any), summary.json."""
    notes: tuple[str, ...] = ()


def write_reports(
    report: RunReport,
    out: Path,
    *,
    sheet: CheckedSheet | SheetSource | None = None,
    disk: Disk | None = None,
    own: OwnProcess | None = None,
) -> WrittenReport:
    """Write the files of `report` into the folder `out`, made if need be; an older report there is replaced.

    One file that fails does not keep the others from being written. `own` is the process that carries the operator's
    workbook over, where it was begun ahead.

    Raises:
        InternalError: The report does not name every row once.
        FileNotWritten: At least one file could not be written (the first of them).
    """
    check_complete(report)
    disk = disk or Disk()
    source = SheetSource.of(sheet) if isinstance(sheet, CheckedSheet) else sheet
    if source is not None:
        report = with_cells(report, sheet=source.sheet, columns=source.columns)
    try:
        _make(out)
    except OSError as exc:
        raise FileNotWritten(out, exc) from exc
    sweep(out, disk=disk)
    files: dict[str, Path] = {}
    notes: list[str] = []
    failures: list[FileNotWritten] = []
    for name, content_of in _contents(report, source, own or OwnProcess(), notes):
        path = out / name
        try:
            content = content_of()
            if content is None:
                notes += _remove_old(path, disk)
                continue
            placed = place(path, content, disk=disk)
        except FileNotWritten as exc:
            failures.append(exc)
        except OSError as exc:  # openpyxl keeps parts of a workbook in the folder for temporary files
            failures.append(FileNotWritten(path, exc))
        else:
            files[name] = placed.path
            notes += [placed.note] if placed.note else []
    if failures:
        raise failures[0]
    order = ("report.xlsx", "report.csv", "report.jsonl", FAILED, "summary.json")
    return WrittenReport(tuple(files[name] for name in order if name in files), tuple(notes))


def order_ahead(report: RunReport, source: SheetSource, own: OwnProcess) -> None:
    """Have the report.xlsx made that `report` will probably ask for, if it is made in a process of its own."""
    if source.format != "xlsx":
        return
    # What goes wrong with it, whoever writes the report meets again, and says: it keeps no run from being begun.
    with suppress(Exception):
        own.order_ahead(order_of(with_cells(report, sheet=source.sheet, columns=source.columns), source))


def _make(folder: Path) -> None:
    """Make a folder and what is missing above it, closed to others: `Path.mkdir` would leave those above open."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)


def summary_bytes(report: RunReport) -> bytes:
    """Make `summary.json`, indented for people."""
    text = json.dumps(summary_object(report), ensure_ascii=False, allow_nan=False, indent=2)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _contents(
    report: RunReport, source: SheetSource | None, own: OwnProcess, notes: list[str]
) -> Iterator[tuple[str, Callable[[], FileContent | None]]]:
    """The files, the most telling and smallest first: on a disk that is almost full they still find room.

    report.xlsx comes last and takes longest, in a process of its own: that is at work while the others are written.
    `notes` hears where the operator's workbook could not be carried over.
    """

    def carried(order: Order) -> bytes | NotCarried:
        content = own.annotated(order)
        if isinstance(content, NotCarried):
            notes.append(str(content))
        return content

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="report") as beside:
        workbook = beside.submit(report_workbook, report, source, carry=carried)
        yield "summary.json", lambda: summary_bytes(report)
        yield "report.csv", lambda: csv_pieces(report)
        yield "report.jsonl", lambda: jsonl_pieces(report)
        yield FAILED, lambda: failed_workbook(report, source)
        yield "report.xlsx", workbook.result


def _remove_old(path: Path, disk: Disk) -> list[str]:
    try:
        disk.remove(path)
    except OSError as exc:
        return [f"{path.name} is from an earlier run and could not be removed ({exc.strerror}): do not use it."]
    return []
