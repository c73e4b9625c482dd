"""Plain text (.csv, .tsv) to a table: delimiter and quotes told, or refused, before pandas reads the values."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pandas as pd

from sync.adapters.spreadsheet.container import MAX_FILE_BYTES, Content
from sync.adapters.spreadsheet.encodings import SAVE_AS_UTF8, decode
from sync.adapters.spreadsheet.grid import MAX_CELLS
from sync.errors import InputError
from sync.frozen import Frozen, replace
from sync.headings import COMMAND, OWN_HEADINGS, heading_key
from sync.hints import Hint
from sync.model import Flaw, FlawKind, LoadedFile, RowNumber, Table, TableRow
from sync.section import BY_NAME, FieldKind

DELIMITERS: Final = (",", ";", "\t", "|")
HEADER_WITHIN: Final = 20
"""The header is sought in this many rows."""
MAX_COLUMNS: Final = 1_000

_BLOCK: Final = 16
_SEPARATOR_LINE: Final = re.compile(r"\A(?:sep=|\"sep=)(.)\"?(?:\r\n|\r|\n|\Z)", re.IGNORECASE)
_DELIMITER_NAMES: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_CELLS_NAMED: Final = 5
_SHOWN: Final = 40
_NO_FLAWS: Final[Mapping[int, Flaw]] = {}
_NO_HINTS: Final[Mapping[int, Hint]] = {}
_ONE_LINE: Final = frozenset({FieldKind.INTEGER, FieldKind.UNLOCK_TYPE, FieldKind.BOOLEAN, FieldKind.IMAGE_URL})


class _Shape(Frozen):
    """The records of a text, before they are a table."""

    records: Sequence[Sequence[str]]
    lines: Sequence[int]
    """The physical line on which each record ends, from 1."""
    header: int | None
    """The index of the record with most of our headings."""

    @property
    def width(self) -> int:
        return max(map(len, self.records), default=0)


def read_csv(content: Content, *, encoding: str | None = None) -> LoadedFile:
    """Read a CSV file as the one sheet that Excel would show, a row for each record.

    Raises:
        InputError: `file.encoding`, `file.binary`, `file.stray_quote`, `file.ambiguous`, `file.too_large`.
    """
    file = content.path.name
    csv.field_size_limit(MAX_FILE_BYTES)  # one cell may be as long as a file; the limit is the process's own
    decoded, used = decode(content.data, file, declared=encoding)
    text, declared = _without_separator_line(decoded)
    delimiter = declared or _delimiter(text)
    shape = _shape(text, delimiter, file, skipped_lines=1 if declared else 0)
    _refuse_swallowed_rows(shape, delimiter, file)
    table = Table(content.path.stem, _rows(text, delimiter, shape, file))
    named = _DELIMITER_NAMES.get(delimiter, repr(delimiter))
    notes = [] if delimiter == "," else [f"The cells of {file} are separated by {named}."]
    if used is not None:
        notes.append(_read_as(file, used, table.rows))
    return LoadedFile(content.path, content.sha256, content.kind.value, (table,), tuple(notes))


def _read_as(file: str, encoding: str, rows: Iterable[TableRow]) -> str:
    """Show what the declared encoding made of the letters beyond ASCII, for somebody to look at."""
    found = [
        f"row {row.number} {cell.strip()[:_SHOWN]!r}"
        for row in rows
        for cell in row.cells
        if isinstance(cell, str) and not cell.isascii()
    ]
    more = f" and {len(found) - _CELLS_NAMED:,} more" if len(found) > _CELLS_NAMED else ""
    named = ", ".join(found[:_CELLS_NAMED])
    return f"{file} was read as {encoding}, as declared; see whether its letters are right: {named}{more}."


def _without_separator_line(text: str) -> tuple[str, str | None]:
    """Take off the line `sep=;`, which Excel reads and does not show as a row."""
    found = _SEPARATOR_LINE.match(text)
    return (text, None) if found is None else (text[found.end() :], found.group(1))


def _delimiter(text: str) -> str:
    """Choose the delimiter whose header line yields most of our headings; else the one that yields most cells."""
    head = text.splitlines()[:HEADER_WITHIN]

    def yields(delimiter: str) -> tuple[int, int]:
        records = list(csv.reader(head, delimiter=delimiter))
        first = next((record for record in records if any(record)), [])
        return max(map(_headings_in, records), default=0), len(first)

    return max(DELIMITERS, key=yields)


def _headings_in(record: Iterable[str]) -> int:
    """Count the headings of ours in a record."""
    return len({OWN_HEADINGS.get(heading_key(cell)) for cell in record} - {None})


def _shape(text: str, delimiter: str, file: str, *, skipped_lines: int) -> _Shape:
    """Split the text into records, strictly.

    pandas alone cannot be trusted here: it does not say on which row a record has too many cells, cuts a first
    record that is longer than the others, and takes a quote in the wrong place in its stride.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records, lines = [], []
    end = 0
    try:
        for record in reader:
            end = reader.line_num
            records.append(record)
            lines.append(end + skipped_lines)
    except csv.Error as exc:
        start = end + 1 + skipped_lines
        raise InputError(
            f"{file} has a quotation mark out of place in the row that begins on line {start}: where its cells end "
            "cannot be told.",
            code="file.stray_quote",
            remedy="Write a quotation mark inside a cell twice, or save the sheet as a workbook (.xlsx).",
        ) from exc
    counts = [_headings_in(record) for record in records[:HEADER_WITHIN]]
    best = max(counts, default=0)
    shape = _Shape(records, lines, counts.index(best) if best else None)
    if shape.width > MAX_COLUMNS or shape.width * len(records) > MAX_CELLS:
        raise InputError(
            f"{file} has {len(records):,} rows of up to {shape.width:,} cells; at most {MAX_COLUMNS:,} columns and "
            f"{MAX_CELLS:,} cells are read.",
            code="file.too_large",
            remedy="Split the sheet, or remove the columns outside of the table.",
        )
    return shape


def _wrong_lengths(shape: _Shape) -> dict[int, Flaw]:
    """Tell the rows, by index, that have more or fewer cells than there are headings.

    A value right of the last heading means that a delimiter inside a cell has pushed the others along. A row that
    ends early may have lost a delimiter, or its end. But Excel leaves off blank cells at the end for whole blocks of
    16 rows: a row that is as long as all others of its block is as Excel wrote it.
    """
    if shape.header is None:
        return {}
    width = len(shape.records[shape.header])
    wrong = {}
    for index, record in enumerate(shape.records[shape.header + 1 :], start=shape.header + 1):
        if len(record) > width and any(cell.strip() for cell in record[width:]):
            wrong[index] = Flaw(FlawKind.EXTRA_CELLS, f"{len(record)} of {width}")
        elif len(record) < width and any(record) and not _is_cut_by_excel(shape, index):
            wrong[index] = Flaw(FlawKind.MISSING_CELLS, f"{len(record)} of {width}")
    return wrong


def _is_cut_by_excel(shape: _Shape, index: int) -> bool:
    """Whether every row of the block of 16, counted from the top of the sheet, has as many cells as this one."""
    first = index - index % _BLOCK
    return len({len(record) for record in shape.records[first : first + _BLOCK]}) == 1


def _refuse_swallowed_rows(shape: _Shape, delimiter: str, file: str) -> None:
    """Refuse a cell that holds what reads like rows: one stray quote begins it, and a later one ends it unnoticed."""
    if shape.header is None:
        return
    names = [OWN_HEADINGS.get(heading_key(cell)) for cell in shape.records[shape.header]]
    one_line = {index for index, name in enumerate(names) if _is_one_line(name)}
    id_column = names.index("Id") if "Id" in names else None
    for index, record in enumerate(shape.records[shape.header + 1 :], start=shape.header + 1):
        for column, cell in enumerate(record):
            if "\n" not in cell and "\r" not in cell:
                continue
            if (column in one_line and len(cell.split()) > 1) or _holds_a_row(cell, delimiter, id_column, len(names)):
                raise InputError(
                    f"{file} has a cell on row {index + 1} (up to line {shape.lines[index]}) that runs over several "
                    "lines and seems to have swallowed the rows after it.",
                    code="file.stray_quote",
                    remedy="Remove the quotation mark that is out of place, or save as a workbook (.xlsx).",
                )


def _is_one_line(name: str | None) -> bool:
    if name is None:
        return False
    return name == COMMAND or BY_NAME[name].kind in _ONE_LINE


def _holds_a_row(cell: str, delimiter: str, id_column: int | None, width: int) -> bool:
    """Whether a line of the cell reads like a row: an Id in the Id's place, and as many cells as there are headings.

    The first line belongs to the row itself, and the last lacks what follows the quote that ends the cell.
    """
    if id_column is None:
        return False
    lines = [line.split(delimiter) for line in cell.splitlines()[1:]]
    return any(
        len(cells) >= max(width - (number == len(lines)), 2)
        and id_column < len(cells)
        and cells[id_column].strip('" ').isdigit()
        for number, cells in enumerate(lines, start=1)
    )


def _frame(text: str, delimiter: str, width: int, file: str) -> pd.DataFrame:
    try:
        return pd.read_csv(
            io.StringIO(text, newline=""),
            sep=delimiter,
            header=None,
            names=range(width),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=False,
            engine="c",
            low_memory=False,
        )
    except ValueError as exc:
        if "out of memory" in str(exc):
            raise MemoryError from exc
        raise _ambiguous(file) from exc


def _ambiguous(file: str) -> InputError:
    """Two readings of one text: neither may be written anywhere."""
    return InputError(f"{file} can be read in two ways.", code="file.ambiguous", remedy=SAVE_AS_UTF8)


def _rows(text: str, delimiter: str, shape: _Shape, file: str) -> tuple[TableRow, ...]:
    """Read the values with pandas, all as text, and number the rows as Excel does: one for each record."""
    if not shape.width:
        return ()
    frame = _frame(text, delimiter, shape.width, file)
    if len(frame) != len(shape.records):
        raise _ambiguous(file)
    rows = [
        TableRow(RowNumber(number), tuple([cell or None for cell in cells]), _NO_FLAWS, _NO_HINTS, _NO_FLAWS)
        for number, cells in enumerate(frame.itertuples(index=False, name=None), start=1)
    ]
    for index, flaw in _wrong_lengths(shape).items():
        rows[index] = replace(rows[index], broken=flaw)
    while rows and not any(rows[-1].cells):
        rows.pop()
    return tuple(rows)
