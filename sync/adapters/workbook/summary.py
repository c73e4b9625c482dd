"""The page of a report that is read first: the counts, the grouped problems, and what the run was."""

from collections.abc import Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.styles import (
    BOLD,
    FAINT,
    HEADING_FILL,
    HEADING_FONT,
    TITLE_FONT,
    WRAPPED,
    cell_at,
    fill_of,
    fit_height,
    put,
    status_fill,
)
from sync.model import RunReport, Severity
from sync.report import counts, group_issues, row_ranges
from sync.report_text import next_step, status_words, totals_line

SUMMARY_SHEET: Final = "Summary"
TITLE: Final = "What became of each row"
"""The first cell: by it, the page of a report that came back is known and replaced."""
_WIDTHS = (24, 24, 60, 34, 10)
_MOST_GROUPS = 500
_MOST_RANGES = 60


def replace_summary(workbook: Workbook, report: RunReport, *, after: Worksheet, remarks: Sequence[str] = ()) -> None:
    """Put the summary behind the sheet `after`, in place of an older one."""
    for worksheet in workbook.worksheets:
        if worksheet.title.startswith(SUMMARY_SHEET) and worksheet["A1"].value == TITLE:
            workbook.remove(worksheet)
    sheet: Worksheet = workbook.create_sheet(SUMMARY_SHEET, workbook.index(after) + 1)
    sheet.sheet_view.showGridLines = False
    for number, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    put(cell_at(sheet, 1, 1), TITLE)
    cell_at(sheet, 1, 1).font = TITLE_FONT
    put(cell_at(sheet, 2, 1), totals_line(report))
    row = _counts(sheet, report, 4)
    row = _groups(sheet, report, row + 1)
    row = _facts(sheet, report, row + 1)
    for remark in (*remarks, next_step(report)):
        if remark:
            put(cell_at(sheet, row, 1), remark)
            cell_at(sheet, row, 1).font = FAINT
            row += 1
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    if sheet.sheet_properties.pageSetUpPr is not None:
        sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _headings(sheet: Worksheet, row: int, texts: Sequence[str]) -> int:
    for column, text in enumerate(texts, start=1):
        cell = cell_at(sheet, row, column)
        put(cell, text)
        cell.font, cell.fill = HEADING_FONT, HEADING_FILL
    return row + 1


def _counts(sheet: Worksheet, report: RunReport, row: int) -> int:
    row = _headings(sheet, row, ("Status", "Rows"))
    for status, total in counts(report.outcomes).items():
        if total:
            put(cell_at(sheet, row, 1), status_words(status))
            cell_at(sheet, row, 1).fill = status_fill(status)
            put(cell_at(sheet, row, 2), total)
            row += 1
    put(cell_at(sheet, row, 1), "rows read")
    put(cell_at(sheet, row, 2), report.input.rows)
    cell_at(sheet, row, 1).font = cell_at(sheet, row, 2).font = BOLD
    return row + 1


def _groups(sheet: Worksheet, report: RunReport, row: int) -> int:
    groups = group_issues(report.outcomes, general=report.issues)
    if not groups:
        return row
    row = _headings(sheet, row, ("Code", "Column", "Problem", "Rows", "How many"))
    for group in groups[:_MOST_GROUPS]:
        rows = row_ranges(group.rows, most=_MOST_RANGES)
        for column, value in enumerate((group.code, group.field, group.message, rows, len(group.rows)), start=1):
            cell = cell_at(sheet, row, column)
            put(cell, value)
            cell.alignment = WRAPPED
        fit_height(sheet, row, _WIDTHS)
        if group.severity is not Severity.NOTE:
            cell_at(sheet, row, 1).fill = fill_of(group.severity)
        row += 1
    if len(groups) > _MOST_GROUPS:
        put(cell_at(sheet, row, 3), f"and {len(groups) - _MOST_GROUPS:,} more, each in its row")
        row += 1
    return row


def _facts(sheet: Worksheet, report: RunReport, row: int) -> int:
    facts = (
        ("Run", report.run_id),
        ("Command", report.command),
        ("Profile", report.profile),
        ("Address", report.base_url),
        ("File", report.input.path),
        ("Sheet", report.input.sheet),
        ("Started", report.started_at),
        ("Finished", report.finished_at),
        ("Exit code", report.exit_code),
        ("Requests", f"{report.requests.reads:,} reads, {report.requests.writes:,} writes"),
    )
    for label, value in facts:
        put(cell_at(sheet, row, 1), label)
        cell_at(sheet, row, 1).font = BOLD
        put(cell_at(sheet, row, 2), str(value))
        row += 1
    return row + 1
