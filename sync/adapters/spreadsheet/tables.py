"""The content of a file to its parts, in whichever process it is asked: each reader is loaded where it is used."""

from collections.abc import Callable, Iterable
from typing import TypeAlias, assert_never

from sync.adapters.spreadsheet.container import Content
from sync.adapters.spreadsheet.parts import Part, parts_of
from sync.adapters.spreadsheet.starting import Kind

Reader: TypeAlias = Callable[[Content, str | None], Iterable[Part]]


def read_parts(content: Content, *, encoding: str | None) -> Iterable[Part]:
    """Read every sheet of the content, as its parts are asked for; `encoding` is what a text is in that is not UTF-8.

    Raises:
        InputError: the file is damaged, too large, or in an encoding that cannot be told; also in mid-way.
    """
    return reader_of(content.kind)(content, encoding)


def reader_of(kind: Kind) -> Reader:
    """Load the reader of a kind: it takes the content and the encoding of a text that is not UTF-8."""
    match kind:
        case Kind.XLSX:
            from sync.adapters.spreadsheet.workbook_reader import read_workbook  # noqa: PLC0415 - needed for these alone

            return lambda content, _: read_workbook(content)
        case Kind.ODS:
            from sync.adapters.spreadsheet.workbook_reader import read_open_document  # noqa: PLC0415 - the same

            return lambda content, _: read_open_document(content)
        case Kind.CSV:
            from sync.adapters.spreadsheet.csv_reader import read_csv  # noqa: PLC0415 - the same

            return lambda content, encoding: parts_of(read_csv(content, encoding=encoding))
        case _:
            assert_never(kind)
