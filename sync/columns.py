"""Which sheet of a file holds the rows, on which row its header stands, and which column is which field."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sync.cells import shown
from sync.errors import InputError
from sync.frozen import Frozen
from sync.headings import heading_key, known_headings
from sync.model import CellValue, Issue, LoadedFile, RowNumber, Severity, Table, TableRow
from sync.section import BY_NAME, Access

HEADER_WITHIN: Final = 20
"""The header is sought in this many rows from the top."""
FORMAT_ROWS: Final = frozenset({65_536, 1_048_576})
"""The rows of a sheet in .xls and in .xlsx; whoever writes more loses the rest without a word."""
REPORT_CSV: Final = (
    "sheet,row,Id,CourseId,Title,status,changed,messages,http_status,attempts,verified,updated_on,updated_by,run_id"
)
"""The header of `report.csv`, whose text is guarded against formulas and so is no longer the operator's."""
RESULT: Final = "result:"
"""The start, as a key, of the headings that a report adds."""

_PLAIN_NAME: Final = re.compile(r"[^\W\d][\w.]*")
_LIKE_A_CELL: Final = re.compile(r"[A-Z]{1,3}[0-9]+|R[0-9]*(?:C[0-9]*)?|C[0-9]*|TRUE|FALSE", re.IGNORECASE)
_HEADINGS_NAMED: Final = 12
_HEADING_SHOWN: Final = 30
_ROWS_NAMED: Final = 5
_NEAR: Final = 0.6


class Layout(Frozen):
    """Where in a file the rows and their fields are."""

    table: Table
    header_row: RowNumber
    columns: Mapping[str, int]
    """Field (or `Command`) to column, from 0; without the columns that are ignored."""
    issues: tuple[Issue, ...] = ()

    def rows(self) -> Iterator[TableRow]:
        """Give the rows below the header, in order, that say anything in a column of ours: the others are no rows."""
        columns = tuple(self.columns.values())
        for row in self.table.rows[self.header_row :]:
            if _speaks(row, columns):
                yield row

    def left_out(self) -> tuple[RowNumber, ...]:
        """Give the rows that hold something, but nothing in a column of ours."""
        columns = tuple(self.columns.values())
        others = [column for column, _, key in _headings(self.table.rows[self.header_row - 1]) if _is_foreign(key)]
        return tuple(
            row.number
            for row in self.table.rows[self.header_row :]
            if not _speaks(row, columns) and _speaks(row, tuple(set(others) - set(columns)))
        )


def left_out_notes(layout: Layout) -> Iterator[Issue]:
    """Say which rows are no rows, though they hold something."""
    rows = layout.left_out()
    if rows:
        named = ", ".join(str(row) for row in rows[:_ROWS_NAMED])
        more = f" and {len(rows) - _ROWS_NAMED} more" if len(rows) > _ROWS_NAMED else ""
        yield Issue(
            "row.not_ours",
            f"rows that hold nothing in a column of ours are left out: {named}{more}",
            severity=Severity.NOTE,
        )


def column_letters(column: int) -> str:
    """Give Excel's letters for a column that is counted from 0."""
    text = ""
    number = column + 1
    while number > 0:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def sheet_prefix(sheet: str) -> str:
    """Write a sheet's name as Excel writes it before a cell, quoted where Excel quotes: `'My sheet'!`."""
    if _PLAIN_NAME.fullmatch(sheet) and not _LIKE_A_CELL.fullmatch(sheet):
        return f"{sheet}!"
    return "'" + sheet.replace("'", "''") + "'!"


def cell_reference(sheet: str, row: int, column: int) -> str:
    """Name a cell as Excel does: `Sections!D14` for row 14 and column 3 (from 0)."""
    return f"{sheet_prefix(sheet)}{column_letters(column)}{row}"


def find_layout(file: LoadedFile, *, aliases: Mapping[str, str]) -> Layout:
    """Find the one visible sheet that has an `Id` heading and at least one other of ours.

    Raises:
        InputError: `file.no_header`, `file.no_id_column`, `file.hidden_sheet`, `file.two_sheets`,
            `file.duplicate_heading`, `file.merged_heading`, `file.report_csv`, `file.cut_off`, `file.no_rows`.
    """
    known = known_headings(aliases)
    found = [
        (table, header) for table in file.tables if not table.hidden and (header := _header(table, known)) is not None
    ]
    if not found:
        raise _no_header(file, known)
    if len(found) > 1:
        named = " and ".join(table.name for table, _ in found)
        raise InputError(
            f"{file.path.name} has more than one sheet with sections: {named}.",
            code="file.two_sheets",
            remedy="Hide or remove all but one of them.",
        )
    table, header = found[0]
    if ",".join(shown(cell) for cell in header.cells if cell is not None) == REPORT_CSV:
        raise InputError(
            f"{file.path.name} is a report.csv, whose text is guarded against formulas.",
            code="file.report_csv",
            remedy="Use the report.xlsx or failed.xlsx that lies beside it.",
        )
    _refuse_cut_off(file, table)
    columns, issues = _columns(table, header, known)
    layout = Layout(table, header.number, columns, (*_chosen(file, table, header), *issues))
    if next(layout.rows(), None) is None:
        raise InputError(
            f"{file.path.name}, sheet {table.name!r} has no rows below its header on row {header.number}.",
            code="file.no_rows",
            remedy="Add the rows to be changed, each with its Id.",
        )
    return layout


def _speaks(row: TableRow, columns: Sequence[int]) -> bool:
    """Whether a row has a value, or a flaw, in one of the columns."""
    cells = row.cells
    for column in columns:
        if column < len(cells):
            cell = cells[column]
            if cell is not None and (not isinstance(cell, str) or cell.strip()):
                return True
    if row.flaws and not row.flaws.keys().isdisjoint(columns):
        return True
    return bool(row.merged) and not row.merged.keys().isdisjoint(columns)


def _header(table: Table, known: Mapping[str, str]) -> TableRow | None:
    """Find the first row that has an `Id` heading and another of ours."""
    for row in table.rows[:HEADER_WITHIN]:
        names = {known.get(key) for _, _, key in _headings(row)} - {None}
        if "Id" in names and len(names) > 1:
            return row
    return None


def _headings(row: TableRow) -> Iterator[tuple[int, str, str]]:
    """Give column, text and key of each heading that is not blank."""
    for column, cell in enumerate(row.cells):
        if cell is not None:
            text = shown(cell)
            key = heading_key(text)
            if key:
                yield column, text, key


def _no_header(file: LoadedFile, known: Mapping[str, str]) -> InputError:
    """Say what was found instead of a header."""
    name = file.path.name
    for table in file.tables:
        if table.hidden and _header(table, known) is not None:
            return InputError(
                f"{name} has sections on the sheet {table.name!r} only, and that sheet is hidden.",
                code="file.hidden_sheet",
                remedy="Unhide the sheet in Excel and save the file.",
            )
    best: tuple[int, Table | None, TableRow | None] = (0, None, None)
    for table in file.tables:
        for row in table.rows[:HEADER_WITHIN]:
            count = len({known[key] for _, _, key in _headings(row) if key in known})
            if count > best[0]:
                best = (count, table, row)
    _, table_found, row_found = best
    if table_found is None or row_found is None:
        sheets = ", ".join(table.name for table in file.tables) or "none"
        return InputError(
            f"{name} has no header with our headings in the first {HEADER_WITHIN} rows "
            f"(sheets: {sheets}{_first_texts(file.tables)}).",
            code="file.no_header",
            remedy="Start from `coursesync template` or `coursesync export`, or name your headings under [aliases].",
        )
    texts = [text for _, text, _ in _headings(row_found)]
    headings = ", ".join(texts[:_HEADINGS_NAMED])
    if not any(known.get(key) == "Id" for _, _, key in _headings(row_found)):
        return InputError(
            f"{name}, sheet {table_found.name!r} has no Id column: row {row_found.number} has {headings}.",
            code="file.no_id_column",
            remedy="Add a column Id with each section's number; `coursesync export` writes it.",
        )
    return InputError(
        f"{name}, sheet {table_found.name!r} has an Id column and no other of ours: row {row_found.number} has "
        f"{headings}.",
        code="file.no_header",
        remedy="Start from `coursesync template` or `coursesync export`, or name your headings under [aliases].",
    )


def _first_texts(tables: Sequence[Table]) -> str:
    """Show the first row that has a text where a heading might stand, shortened; nothing where there is none."""
    for table in tables:
        for row in table.rows[:HEADER_WITHIN]:
            texts = [" ".join(text.split()) for _, text, _ in _headings(row)]
            if texts:
                named = [text if len(text) <= _HEADING_SHOWN else f"{text[:_HEADING_SHOWN]}…" for text in texts]
                more = ", …" if len(texts) > _HEADINGS_NAMED else ""
                return f"; row {row.number} of {table.name} has {', '.join(named[:_HEADINGS_NAMED])}{more}"
    return ""


def _columns(table: Table, header: TableRow, known: Mapping[str, str]) -> tuple[dict[str, int], list[Issue]]:
    """Map each heading of ours to its column, and report the others."""
    columns: dict[str, int] = {}
    issues: list[Issue] = []
    for column, text, key in _headings(header):
        name = known.get(key)
        cell = cell_reference(table.name, header.number, column)
        if name is None:
            if _is_foreign(key):
                issues.append(_unknown(text, key, cell, known))
        elif name in BY_NAME and BY_NAME[name].access is Access.ECHOED:
            issues.append(
                _warning("heading.echoed", "is sent back as the server holds it; the column is ignored", cell, text)
            )
        elif name in columns:
            first = cell_reference(table.name, header.number, columns[name])
            raise InputError(
                f"The column {name} is there twice, at {first} and {cell}.",
                code="file.duplicate_heading",
                remedy="Remove one of them, or rename it.",
            )
        else:
            columns[name] = column
            _refuse_merged(table, header, column, name)
            if column in table.hidden_columns and (name not in BY_NAME or BY_NAME[name].access is not Access.READ_ONLY):
                issues.append(_note("heading.hidden", "is a hidden column, and counts like the others", cell, text))
    issues.extend(_unnamed(table, header))
    return columns, issues


def _refuse_cut_off(file: LoadedFile, table: Table) -> None:
    """Refuse a sheet that ends on the very last row of a format: what came after it is lost."""
    last = table.rows[-1].number
    if last in FORMAT_ROWS:
        raise InputError(
            f"{file.path.name}, sheet {table.name!r} ends on row {last:,}, the last one that a format of Excel has: it "
            "looks cut off.",
            code="file.cut_off",
            remedy="Split the sheet where it was made, or remove a row from it if it is whole.",
        )


def _refuse_merged(table: Table, header: TableRow, column: int, name: str) -> None:
    """Refuse a heading that stands over several columns: which of them holds the values cannot be told."""
    flaw = header.merged.get(column)
    if flaw is not None and any(header.merged.get(near) == flaw for near in (column - 1, column + 1)):
        raise InputError(
            f"The heading {name} stands in the merged cells {sheet_prefix(table.name)}{flaw.shown}.",
            code="file.merged_heading",
            remedy="Unmerge them and leave the heading over the column that it is for.",
        )


def _is_foreign(key: str) -> bool:
    """Whether a heading is the operator's own rather than one that a report added."""
    return not key.startswith(RESULT)


def _unnamed(table: Table, header: TableRow) -> Iterator[Issue]:
    """Warn of columns that hold values and have no heading, or one that cannot be read."""
    named = {column for column, _, _ in _headings(header)}
    rows = table.rows[header.number :]
    width = max((len(row.cells) for row in table.rows[header.number - 1 :]), default=0)
    for column in range(width):
        if column in named:
            continue
        cell = cell_reference(table.name, header.number, column)
        if column in header.flaws:
            shown_there = header.flaws[column].shown
            yield _warning("heading.unreadable", "cannot be read; the column is ignored", cell, shown_there)
        elif any(column < len(row.cells) and row.cells[column] is not None for row in rows):
            message = f"column {column_letters(column)} has values but no heading, so it is ignored"
            yield _warning("heading.missing", message, cell, None)


def _unknown(text: str, key: str, cell: str, known: Mapping[str, str]) -> Issue:
    near = difflib.get_close_matches(key, known, n=1, cutoff=_NEAR)
    hint = f"; did you mean {known[near[0]]}?" if near else ""
    return _warning("heading.unknown", f"is no heading of ours, so the column is ignored{hint}", cell, text)


def _warning(code: str, message: str, cell: str, heading: CellValue) -> Issue:
    text = None if heading is None else shown(heading).strip()
    return Issue(
        code, f"{text} {message}" if text else message, severity=Severity.WARNING, attempted_value=text, cell=cell
    )


def _note(code: str, message: str, cell: str, heading: str) -> Issue:
    return Issue(code, f"{heading.strip()} {message}", severity=Severity.NOTE, cell=cell)


def _chosen(file: LoadedFile, table: Table, header: TableRow) -> Iterator[Issue]:
    """Note the choice where there was one."""
    if sum(not other.hidden for other in file.tables) > 1:
        cell = cell_reference(table.name, header.number, 0)
        yield Issue("sheet.chosen", f"the sheet {table.name!r} is used", severity=Severity.NOTE, cell=cell)
    if header.number > 1:
        cell = cell_reference(table.name, header.number, 0)
        message = f"row {header.number} is taken for the header; the rows above it are left alone"
        yield Issue("sheet.header", message, severity=Severity.NOTE, cell=cell)
