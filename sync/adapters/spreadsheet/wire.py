"""Loaded tables as bytes and back: how the reading process hands its result over, cheaply and without code in it.

`marshal` holds nothing but plain values, so that bytes from a process that read a hostile file cannot name a class;
100,000 rows of ten cells take a fifth of a second both ways.
"""

import marshal
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final, TypeAlias

from sync.hints import Hint, HintKind
from sync.model import CellValue, Flaw, FlawKind, LoadedFile, RowNumber, Table, TableRow

_Marks: TypeAlias = tuple[
    dict[int, tuple[str, str]], dict[int, tuple[str, str]], dict[int, str], bool, tuple[str, str] | None
]
"""What a row carries beside its cells: flaws, hints, merged ranges, whether it is hidden, why it is broken."""
_PackedTable: TypeAlias = tuple[
    str,
    bool,
    list[int],
    list[int],
    list[tuple[CellValue, ...]],
    dict[int, dict[int, tuple[str, str]]],
    dict[int, _Marks],
]
"""Name, whether it is hidden, hidden columns, row numbers, cells, the times among them, what rows carry beside them."""
_VERSION: Final = 2
"""The last format that does not look for repeated objects: twice as fast here."""
_PLAIN: Final = frozenset({bool, int, float, str, type(None)})
_NO_FLAWS: Final[Mapping[int, Flaw]] = {}
_NO_HINTS: Final[Mapping[int, Hint]] = {}


def pack(file: LoadedFile) -> bytes:
    """Write a loaded file as bytes, without its path."""
    tables = [_pack_table(table) for table in file.tables]
    return marshal.dumps((file.sha256, file.format, tables, list(file.notes)), _VERSION)


def unpack(data: bytes, path: Path) -> LoadedFile:
    """Read what `pack` wrote.

    Raises:
        ValueError: these are other bytes (or EOFError, TypeError, as `marshal` has it).
    """
    sha256, kind, tables, notes = marshal.loads(data)  # noqa: S302 - plain values only, from a process of our own
    return LoadedFile(path, sha256, kind, tuple(_unpack_table(table) for table in tables), tuple(notes))


def _pack_table(table: Table) -> tuple[object, ...]:
    rows = table.rows
    odd = {}
    cells = [row.cells for row in rows]
    for index, each in enumerate(cells):
        if not _PLAIN.issuperset(map(type, each)):
            odd[index] = {column: _pack_time(cell) for column, cell in enumerate(each) if type(cell) not in _PLAIN}
            cells[index] = tuple([cell if type(cell) in _PLAIN else None for cell in each])
    marks: dict[int, object] = {}
    for index, row in enumerate(rows):
        if row.flaws or row.hints or row.merged or row.hidden or row.broken is not None:
            marks[index] = (
                {column: (flaw.kind.value, flaw.shown) for column, flaw in row.flaws.items()},
                {column: (hint.kind.value, hint.shown) for column, hint in row.hints.items()},
                {column: flaw.shown for column, flaw in row.merged.items()},
                row.hidden,
                None if row.broken is None else (row.broken.kind.value, row.broken.shown),
            )
    return table.name, table.hidden, sorted(table.hidden_columns), [row.number for row in rows], cells, odd, marks


def _unpack_table(packed: _PackedTable) -> Table:
    name, hidden, hidden_columns, numbers, cells, odd, marks = packed
    for index, found in odd.items():
        cells[index] = tuple(
            [_unpack_time(*found[column]) if column in found else cell for column, cell in enumerate(cells[index])]
        )
    rows = [
        TableRow(RowNumber(number), each, _NO_FLAWS, _NO_HINTS, _NO_FLAWS)
        for number, each in zip(numbers, cells, strict=True)
    ]
    for index, (flaws, hints, merged, row_hidden, broken) in marks.items():
        rows[index] = TableRow(
            rows[index].number,
            rows[index].cells,
            {column: Flaw(FlawKind(kind), shown) for column, (kind, shown) in flaws.items()},
            {column: Hint(HintKind(kind), shown) for column, (kind, shown) in hints.items()},
            {column: Flaw(FlawKind.MERGED, shown) for column, shown in merged.items()},
            row_hidden,
            None if broken is None else Flaw(FlawKind(broken[0]), broken[1]),
        )
    return Table(name, tuple(rows), hidden, frozenset(hidden_columns))


def _pack_time(value: CellValue) -> tuple[str, str]:
    match value:
        case datetime():
            return "datetime", value.isoformat()
        case date():
            return "date", value.isoformat()
        case time():
            return "time", value.isoformat()
        case timedelta():
            return "timedelta", str(value // timedelta(microseconds=1))
        case _:
            raise TypeError(f"no cell is a {type(value).__name__}")


def _unpack_time(kind: str, text: str) -> CellValue:
    match kind:
        case "datetime":
            return datetime.fromisoformat(text)
        case "date":
            return date.fromisoformat(text)
        case "time":
            return time.fromisoformat(text)
        case _:
            return timedelta(microseconds=int(text))
