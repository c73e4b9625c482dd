"""A loaded file in parts, so that nobody on its way holds all of it: rows, the end of a sheet, the end of the file."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias, assert_never

from sync.frozen import Frozen
from sync.model import LoadedFile, Table, TableRow


class Rows(Frozen):
    """Rows of the open sheet, below those that came before."""

    rows: tuple[TableRow, ...]


class SheetEnd(Frozen):
    """The rows that came since the last end were all of this sheet; further ones are the next sheet's."""

    name: str
    hidden: bool = False
    hidden_columns: frozenset[int] = frozenset()
    """From 0."""


class FileEnd(Frozen):
    """All sheets have come: what is true of the file as a whole."""

    sha256: str
    format: str
    notes: tuple[str, ...] = ()


Part: TypeAlias = Rows | SheetEnd | FileEnd


def parts_of(file: LoadedFile) -> Iterable[Part]:
    """Take a loaded file apart."""
    for table in file.tables:
        yield Rows(table.rows)
        yield SheetEnd(table.name, table.hidden, table.hidden_columns)
    yield FileEnd(file.sha256, file.format, file.notes)


def join(parts: Iterable[Part], path: Path) -> LoadedFile:
    """Put the parts of the file at `path` together.

    Raises:
        EOFError: they end before the file does.
    """
    tables: list[Table] = []
    rows: list[TableRow] = []
    for part in parts:
        match part:
            case Rows():
                rows.extend(part.rows)
            case SheetEnd():
                tables.append(Table(part.name, tuple(rows), part.hidden, part.hidden_columns))
                rows.clear()
            case FileEnd():
                return LoadedFile(path, part.sha256, part.format, tuple(tables), part.notes)
            case _:
                assert_never(part)
    raise EOFError("the parts of a file end with the end of the file")
