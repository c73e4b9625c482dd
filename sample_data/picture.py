"""Draw `report.png` from the report of `coursesync demo`: `make picture`. It needs LibreOffice and pdftoppm."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

HERE: Final = Path(__file__).resolve().parent
REPORT: Final = HERE.parent / "reports" / "demo" / "report.xlsx"
LAST_ROW: Final = 29
SHOWN: Final = {
    "Id": 13,
    "Title": 42,
    "DisplayOrder": 13,
    "UnlockType": 13,
    "UnlockAfterDays": 15,
    "Active": 9,
    "Result: Status": 15,
    "Result: Messages": 62,
    "Result: Changed": 24,
    "Result: Verified": 15,
    "Result: Attempts": 18,
}
"""The columns of the picture with their widths; the others are hidden."""
_MILLIMETRES_AN_INCH: Final = 25.4
_DOTS_AN_INCH: Final = 110
_HEIGHT: Final = 385


def main() -> None:
    """Draw the first rows of the demo's report.

    Raises:
        OSError: There is no report yet, or one of the two programs is not there.
        subprocess.CalledProcessError: One of them failed.
    """
    with TemporaryDirectory() as folder:
        sheet, pages = Path(folder, "report.xlsx"), Path(folder, "report.pdf")
        _write_extract(sheet)
        profile = Path(folder, "profile").as_uri()
        _run(
            "soffice",
            f"-env:UserInstallation={profile}",
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            folder,
            sheet,
        )
        _run("pdftoppm", "-png", "-singlefile", "-r", str(_DOTS_AN_INCH), "-H", str(_HEIGHT), pages, HERE / "report")


def _write_extract(path: Path) -> None:
    workbook = load_workbook(REPORT)
    for other in workbook.worksheets[1:]:
        workbook.remove(other)
    sheet = workbook.worksheets[0]
    header = next(number for number in range(1, LAST_ROW) if "Id" in [cell.value for cell in sheet[number]])
    for row in sheet.iter_rows():
        for cell in row:
            cell.comment = None
    for column, cell in enumerate(sheet[header], start=1):
        letter, shown = get_column_letter(column), SHOWN.get(str(cell.value))
        sheet.column_dimensions[letter].hidden = shown is None
        if shown is not None:
            sheet.column_dimensions[letter].width = shown
    for number in range(1, sheet.max_row + 1):
        sheet.row_dimensions[number].hidden = number < header or number > header + LAST_ROW
    _fit(sheet)
    workbook.save(path)


def _fit(sheet: Worksheet) -> None:
    sheet.print_title_rows = None
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.print_options.gridLines = True
    for side in ("left", "right", "top", "bottom", "header", "footer"):
        setattr(sheet.page_margins, side, 5 / _MILLIMETRES_AN_INCH)
    sheet.oddFooter.center.text = ""


def _run(*words: str | Path) -> None:
    subprocess.run(  # noqa: S603 - the words stand above
        [str(word) for word in words], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )


if __name__ == "__main__":
    sys.exit(main())
