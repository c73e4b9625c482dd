"""Small sheets for the page's tests, on the sections of the academy."""

from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

Cell = bool | int | float | str | None


def write_sheet(path: Path, headings: Sequence[str], *rows: Sequence[Cell]) -> Path:
    """Write a workbook of one sheet."""
    workbook = Workbook()
    worksheet = workbook.worksheets[0]
    for row in (headings, *rows):
        worksheet.append(list(row))
    workbook.save(path)
    workbook.close()
    return path
