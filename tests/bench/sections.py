"""The sections that are measured on, and the workbooks that name all of them: as they are, or each with a new title."""

from pathlib import Path
from typing import Any

import xlsxwriter

FIRST_ID = 1_410_000_001
"""Ten digits, as on the official pages."""
COLUMNS = (
    "Id",
    "CourseId",
    "Title",
    "DisplayOrder",
    "UnlockType",
    "UnlockAfterDays",
    "Active",
    "SectionContents",
)


def record(number: int) -> dict[str, Any]:
    """A full record, as the server holds it at the start."""
    return {
        "Id": number,
        "CourseId": 7 + number % 50,
        "Title": f"Section {number}",
        "DisplayOrder": number - FIRST_ID,
        "UnlockType": 1 + number % 3,
        "UnlockAfterDays": number % 30 if number % 3 == 2 else 0,  # Timed alone has days
        "SectionContents": f"<h2>Welcome</h2><p>Part {number} of the course, with a paragraph as people write it: what"
        " you need, where to find it, whom to ask, and what comes next.</p><ul><li>Read</li><li>Try</li></ul>",
        "Active": number % 7 != 0,
        "NewImageUrl": None,
        "ClearImageFile": None,
        "ImageFileName": None,
        "CourseTitle": f"Course {7 + number % 50}",
        "SystemId": None,
        "LocalizationDetails": None,
        "CustomFields": None,
        "CreatedOn": "2025-01-15T10:30:00Z",
        "UpdatedOn": "2025-06-01T08:00:00Z",
        "UpdatedBy": "someone@space.example",
        "IsNew": False,
        "UniqueId": f"5f0c6a3e-0000-4000-8000-{number:012}",
        "ToStringText": f"Section {number}",
    }


def new_title(number: int) -> str:
    """What a sheet of changes asks for."""
    return f"Section {number}, second edition"


def workbook(path: Path, rows: int, *, changed: bool) -> Path:
    """Write the workbook of the first `rows` sections, unless it lies there already."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    book = xlsxwriter.Workbook(str(part), {"strings_to_formulas": False})
    sheet = book.add_worksheet("Sections")
    sheet.write_row(0, 0, COLUMNS)
    for row, number in enumerate(range(FIRST_ID, FIRST_ID + rows), start=1):
        cells = record(number)
        if changed:
            cells["Title"] = new_title(number)
        sheet.write_row(row, 0, [cells[name] for name in COLUMNS])
    book.close()
    part.replace(path)
    return path
