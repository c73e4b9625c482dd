"""The parts of a loaded file as bytes and back: how the reading process hands its result over, with no code in it.

`marshal` holds nothing but plain values, so that bytes from a process that read a hostile file cannot name a class;
100,000 rows of eight cells take half a second both ways.
"""

import marshal
import zlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, TypeAlias, assert_never

from sync.adapters.spreadsheet.parts import FileEnd, Part, Rows, SheetEnd
from sync.hints import Hint, HintKind
from sync.model import CellValue, Flaw, FlawKind, RowNumber, TableRow

_Marks: TypeAlias = tuple[
    dict[int, tuple[str, str]], dict[int, tuple[str, str]], dict[int, str], bool, tuple[str, str] | None
]
"""What a row carries beside its cells: flaws, hints, merged ranges, whether it is hidden, why it is broken."""
_VERSION: Final = 2
"""The last format that does not look for repeated objects: twice as fast here."""
_QUICKLY: Final = 1
"""The level of zlib; the next ones gain little and cost as much as the reading."""
_PLAIN: Final = frozenset({bool, int, float, str, type(None)})
_NO_FLAWS: Final[Mapping[int, Flaw]] = {}
_NO_HINTS: Final[Mapping[int, Hint]] = {}


def pack(part: Part) -> bytes:
    """Write a part as bytes: rows take a fifth of what they are as plain values, and so can wait for the last."""
    return zlib.compress(marshal.dumps(_as_values(part), _VERSION), _QUICKLY)


def unpack(data: bytes) -> Part:
    """Read what `pack` wrote.

    Raises:
        ValueError: these are other bytes (or EOFError, TypeError, zlib.error, as `marshal` and `zlib` have it).
    """
    kind, *values = marshal.loads(zlib.decompress(data))  # noqa: S302 - plain values only, from a process of our own
    if kind == "rows":
        return Rows(_unpack_rows(*values))
    if kind == "sheet":
        name, hidden, hidden_columns = values
        return SheetEnd(name, hidden, frozenset(hidden_columns))
    sha256, kind_of_file, notes = values
    return FileEnd(sha256, kind_of_file, tuple(notes))


def _as_values(part: Part) -> tuple[Any, ...]:
    match part:
        case Rows():
            return ("rows", *_pack_rows(part.rows))
        case SheetEnd():
            return ("sheet", part.name, part.hidden, sorted(part.hidden_columns))
        case FileEnd():
            return ("file", part.sha256, part.format, list(part.notes))
        case _:
            assert_never(part)


def _pack_rows(rows: Sequence[TableRow]) -> tuple[object, ...]:
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
    return [row.number for row in rows], cells, odd, marks


def _unpack_rows(
    numbers: list[int],
    cells: list[tuple[CellValue, ...]],
    odd: dict[int, dict[int, tuple[str, str]]],
    marks: dict[int, _Marks],
) -> tuple[TableRow, ...]:
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
    return tuple(rows)


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
