"""The page of a report that is read first: the counts, the grouped problems, and what the run was."""

from collections.abc import Mapping, Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.marker import DataPoint
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties, RegularTextRun
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.workbook.changes import CHANGES_SHEET, add_changes
from sync.adapters.workbook.changes import TITLE as CHANGES_TITLE
from sync.adapters.workbook.frame import set_up_page
from sync.adapters.workbook.overview import Overview
from sync.adapters.workbook.splice import Splice
from sync.adapters.workbook.styles import (
    BAR_COLOURS,
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
from sync.model import Severity, Status

SUMMARY_SHEET: Final = "Summary"
TITLE: Final = "What became of each row"
"""The first cell: by it, the page of a report that came back is known and replaced."""
_WIDTHS = (24, 24, 60, 34, 10)
_COUNTS: Final = 4
"""The row of the counts' headings; the chart begins beside it."""
_CHART_ROWS: Final = 14
_CHART_CM: Final = (15, 7)
_CHART_FONT: Final = CharacterProperties(sz=1100, b=True)
_LABEL_FONT: Final = CharacterProperties(sz=900)


def remove_summaries(workbook: Workbook) -> int:
    """Take off the pages of former reports and plans; say how many charts went with them."""
    pages = ((SUMMARY_SHEET, TITLE), (CHANGES_SHEET, CHANGES_TITLE))
    charts = 0
    for name, title in pages:
        for worksheet in workbook.worksheets:
            if worksheet.title.startswith(name) and _title_of(worksheet) == title:
                charts += name == SUMMARY_SHEET
                workbook.remove(worksheet)
    return charts


def _title_of(worksheet: Worksheet) -> str:
    return str(worksheet["A1"].value)


def replace_summary(
    workbook: Workbook, overview: Overview, *, after: Worksheet, remarks: Sequence[str] = ()
) -> Mapping[str, Splice]:
    """Put the summary behind the sheet `after`, in place of an older one; what else is written when the workbook is."""
    remove_summaries(workbook)
    sheet: Worksheet = workbook.create_sheet(SUMMARY_SHEET, workbook.index(after) + 1)
    sheet.sheet_view.showGridLines = False
    for number, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    put(cell_at(sheet, 1, 1), TITLE)
    cell_at(sheet, 1, 1).font = TITLE_FONT
    put(cell_at(sheet, 2, 1), overview.totals)
    row = max(_counts(sheet, overview, _COUNTS), _COUNTS + _CHART_ROWS)
    row = _problems(sheet, overview, row + 1)
    row = _facts(sheet, overview, row + 1)
    for remark in (*remarks, overview.next_step):
        if remark:
            put(cell_at(sheet, row, 1), remark)
            cell_at(sheet, row, 1).font = FAINT
            row += 1
    set_up_page(sheet)
    return {} if overview.changes is None else add_changes(workbook, overview.changes, after=sheet)


def _headings(sheet: Worksheet, row: int, texts: Sequence[str]) -> int:
    for column, text in enumerate(texts, start=1):
        cell = cell_at(sheet, row, column)
        put(cell, text)
        cell.font, cell.fill = HEADING_FONT, HEADING_FILL
    return row + 1


def _counts(sheet: Worksheet, overview: Overview, row: int) -> int:
    first = row = _headings(sheet, row, ("Status", "Rows"))
    present = overview.statuses
    for row, (status, words, total) in enumerate(present, start=first):
        put(cell_at(sheet, row, 1), words)
        cell_at(sheet, row, 1).fill = status_fill(status)
        put(cell_at(sheet, row, 2), total)
    if present:
        _add_chart(sheet, first, [status for status, *_ in present])
    row = first + len(present)
    put(cell_at(sheet, row, 1), "rows read")
    put(cell_at(sheet, row, 2), overview.rows_read)
    cell_at(sheet, row, 1).font = cell_at(sheet, row, 2).font = BOLD
    return row + 1


def _add_chart(sheet: Worksheet, first: int, statuses: Sequence[Status]) -> None:
    """Draw the counts beside their table as bars, the first status on top, each in a colour of its kind."""
    last = first + len(statuses) - 1
    chart = BarChart()
    chart.type, chart.gapWidth, chart.legend = "bar", 40, None
    chart.add_data(Reference(sheet, min_col=2, min_row=first, max_row=last))
    chart.set_categories(Reference(sheet, min_col=1, min_row=first, max_row=last))
    chart.title = Title(tx=Text(rich=RichText(p=[Paragraph(r=[RegularTextRun(rPr=_CHART_FONT, t="Rows by status")])])))
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.delete = False
    chart.x_axis.tickLblSkip = 1  # every bar has its name
    chart.x_axis.txPr = RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=_LABEL_FONT), endParaRPr=_LABEL_FONT)])
    chart.y_axis.delete = True
    chart.y_axis.majorGridlines = None
    (series,) = chart.series
    series.dLbls = DataLabelList(showVal=True, showSerName=False, showCatName=False, showLegendKey=False)
    for number, status in enumerate(statuses):
        point = DataPoint(idx=number)
        point.graphicalProperties.solidFill = BAR_COLOURS[status]
        series.dPt.append(point)
    chart.width, chart.height = _CHART_CM
    sheet.add_chart(chart, f"C{_COUNTS}")


def _problems(sheet: Worksheet, overview: Overview, row: int) -> int:
    if not overview.problems:
        return row
    row = _headings(sheet, row, ("Code", "Column", "Problem", "Rows", "How many"))
    for problem in overview.problems:
        for column, value in enumerate(problem.cells, start=1):
            cell = cell_at(sheet, row, column)
            put(cell, value)
            cell.alignment = WRAPPED
        fit_height(sheet, row, _WIDTHS)
        if problem.severity is not Severity.NOTE:
            cell_at(sheet, row, 1).fill = fill_of(problem.severity)
        row += 1
    if overview.problems_left:
        put(cell_at(sheet, row, 3), f"and {overview.problems_left:,} more, each in its row")
        row += 1
    return row


def _facts(sheet: Worksheet, overview: Overview, row: int) -> int:
    for label, value in overview.facts:
        put(cell_at(sheet, row, 1), label)
        cell_at(sheet, row, 1).font = BOLD
        put(cell_at(sheet, row, 2), value)
        row += 1
    return row + 1
