"""A sheet file to tables: the only home of pandas' readers, of calamine, and of every check of a file as a file."""

from pathlib import Path

from sync.adapters.spreadsheet.container import Kind, read_content
from sync.model import LoadedFile

__all__ = ["load"]


def load(path: Path) -> LoadedFile:
    """Read the whole file at `path`: every sheet, every row, cells as the file holds them.

    Raises:
        InputError: the file is missing, too large, damaged, or not a sheet; its code and its sentence say which.
    """
    content = read_content(path)
    if content.kind is Kind.XLSX and content.package is not None:
        from sync.adapters.spreadsheet.workbook_reader import read_workbook  # noqa: PLC0415 - pandas takes 0.3 s to load

        return read_workbook(content, content.package)
    from sync.adapters.spreadsheet.csv_reader import read_csv  # noqa: PLC0415 - the same

    return read_csv(content)
