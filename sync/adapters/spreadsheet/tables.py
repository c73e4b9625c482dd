"""The content of a file to its tables, in whichever process it is asked: each reader is loaded where it is used."""

from typing import assert_never

from sync.adapters.spreadsheet.container import Content, Kind
from sync.model import LoadedFile


def read_tables(content: Content, *, encoding: str | None) -> LoadedFile:
    """Read every sheet of the content; `encoding` is what a text is in that is not UTF-8.

    Raises:
        InputError: the file is damaged, too large, or in an encoding that cannot be told.
    """
    match content.kind:
        case Kind.XLSX:
            from sync.adapters.spreadsheet.workbook_reader import read_workbook  # noqa: PLC0415 - pandas takes 0.3 s

            return read_workbook(content)
        case Kind.ODS:
            from sync.adapters.spreadsheet.workbook_reader import read_open_document  # noqa: PLC0415 - the same

            return read_open_document(content)
        case Kind.CSV:
            from sync.adapters.spreadsheet.csv_reader import read_csv  # noqa: PLC0415 - the same

            return read_csv(content, encoding=encoding)
        case _:
            assert_never(content.kind)
