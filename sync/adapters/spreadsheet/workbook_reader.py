"""Workbooks (.xlsx, .xlsm, .ods) to tables: pandas with calamine for the values, the XML's facts for the rest."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

import pandas as pd
from python_calamine import CalamineError

from sync.adapters.spreadsheet.adaptations import adapted
from sync.adapters.spreadsheet.container import Content, Kind
from sync.adapters.spreadsheet.facts import SheetFacts, read_facts
from sync.adapters.spreadsheet.grid import MAX_CELLS, Area, reaches_too_far
from sync.adapters.spreadsheet.open_document import read_open_document_facts
from sync.adapters.spreadsheet.package import Package, damaged, refuse_dtds
from sync.errors import InputError
from sync.hints import Hint, HintKind
from sync.model import CellValue, Flaw, FlawKind, LoadedFile, RowNumber, Table, TableRow

MAX_MARKED: Final = 200_000
"""Cells under merged ranges, or under links, that are marked one by one."""

_NO_FACTS: Final = SheetFacts("")
_MERGED_WHOLE: Final = 10_000
_FORMATTED_ROWS_NOTED: Final = 1_000
_NO_FLAWS: Final[Mapping[int, Flaw]] = {}
_NO_HINTS: Final[Mapping[int, Hint]] = {}


def read_workbook(content: Content) -> LoadedFile:
    """Read every sheet of an Excel workbook.

    Raises:
        InputError: `file.damaged`, `file.dtd`, `file.too_large`, `file.ambiguous`.
    """
    package = _checked(content)
    return _read(content, read_facts(package), tuple(_notes(package)))


def read_open_document(content: Content) -> LoadedFile:
    """Read every sheet of an OpenDocument workbook.

    Raises:
        InputError: as `read_workbook`.
    """
    package = _checked(content)
    notes = ("Macros of the file were neither run nor kept.",) if package.holds(start="basic/") else ()
    return _read(content, read_open_document_facts(package), notes)


def _checked(content: Content) -> Package:
    if content.package is None:
        raise damaged(content.path.name)
    refuse_dtds(content.package)
    return content.package


def _read(content: Content, facts: dict[str, SheetFacts], notes: tuple[str, ...]) -> LoadedFile:
    file = content.path.name
    _check_reach(facts, file)
    tables = []
    data = content.data
    if content.package is not None and content.kind is Kind.XLSX:
        data = adapted(content.package, facts.values()) or data
    for name, frame in _frames(data, file).items():
        sheet = facts.get(name, _NO_FACTS)
        if len(frame) < sheet.last_certain:
            _refuse_lost_rows(file, sheet, len(frame))
        tables.append(_table(name, frame, sheet, file))
    return LoadedFile(
        content.path, content.sha256, content.kind.value, tuple(tables), (*notes, *_formatted_rows(facts))
    )


def _notes(package: Package) -> Iterator[str]:
    """Say what else the workbook carries, and what became of it."""
    if package.holds(end="vbaproject.bin") or package.holds(start="xl/macrosheets/"):
        yield "The workbook contains macros: they were neither run nor kept."
    if package.holds(start="xl/externallinks/"):
        yield "The workbook has links to other workbooks: their values are copies from when it was last calculated."
    if package.holds(start="xl/embeddings/") or package.holds(start="xl/activex/"):
        yield "The workbook contains embedded objects: they were not opened."
    if package.holds(start="xl/connections.xml") or package.holds(start="xl/querytables/"):
        yield "The workbook has data connections: they were not refreshed."


def _formatted_rows(facts: Mapping[str, SheetFacts]) -> Iterator[str]:
    for sheet in facts.values():
        count = sheet.last_formatted - sheet.last_row
        if count > _FORMATTED_ROWS_NOTED and not sheet.hidden:
            yield (
                f"{count:,} rows below row {sheet.last_row:,} of sheet {sheet.name!r} have a format and no value; they "
                "are no rows."
            )


def _frames(data: bytes, file: str) -> dict[str, pd.DataFrame]:
    """Read the values as the file holds them: nothing guessed, nothing taken for missing, rows from Excel's row 1."""
    try:
        return pd.read_excel(
            io.BytesIO(data),
            engine="calamine",
            sheet_name=None,
            header=None,
            dtype=object,
            keep_default_na=False,
            na_filter=False,
        )
    except (CalamineError, ValueError, OverflowError) as exc:
        raise damaged(file) from exc
    except BaseException as exc:
        # A panic of the Rust reader is no `Exception`, and its type cannot be imported.
        if type(exc).__name__ == "PanicException":
            raise damaged(file) from exc
        raise


def _check_reach(facts: dict[str, SheetFacts], file: str) -> None:
    """Refuse a stray value far outside before a reader makes room for everything up to it."""
    cells = 0
    for sheet in facts.values():
        cells += sheet.last_row * sheet.last_column
        if cells > MAX_CELLS:
            raise reaches_too_far(file, sheet.name, last_row=sheet.last_row, last_column=sheet.last_column)


def _refuse_lost_rows(file: str, sheet: SheetFacts, rows: int) -> None:
    """Refuse a sheet of which the reader gives fewer rows than its XML holds."""
    raise InputError(
        f"{file}, sheet {sheet.name!r} can be read in two ways: with {rows:,} and with {sheet.last_certain:,} rows.",
        code="file.ambiguous",
        remedy="Open it in Excel, save it as an Excel workbook (.xlsx), and use that file.",
    )


def _table(name: str, frame: pd.DataFrame, facts: SheetFacts, file: str) -> Table:
    """Make rows of a frame, down to the last that holds a value or a flaw."""
    rows = [
        # Only a text can be blank here: 0 and False are values.
        TableRow(
            RowNumber(number), tuple([None if cell == "" else cell for cell in cells]), _NO_FLAWS, _NO_HINTS, _NO_FLAWS
        )
        for number, cells in enumerate(frame.itertuples(index=False, name=None), start=1)
    ]
    _lay_over(rows, facts, file, width=frame.shape[1])
    while rows and not rows[-1].flaws and not rows[-1].merged and _is_blank(rows[-1].cells):
        rows.pop()
    width = max((len(row.cells) for row in rows), default=0)
    hidden = frozenset(
        column - 1 for first, last in facts.hidden_columns for column in range(first, min(last, width) + 1)
    )
    return Table(name, tuple(rows), facts.hidden, hidden)


def _lay_over(rows: list[TableRow], facts: SheetFacts, file: str, *, width: int) -> None:
    """Put what the XML tells on the rows; the reader drops rows and columns that hold nothing else."""
    merged: dict[int, dict[int, Flaw]] = {}
    _mark_merged(rows, merged, facts, file)
    hints = {row: dict(found) for row, found in facts.hints.items()}
    _mark_links(rows, hints, facts, file)
    for number, texts in facts.texts.items():
        if number <= len(rows):
            cells = tuple([texts.get(column, cell) for column, cell in enumerate(rows[number - 1].cells)])
            rows[number - 1] = replace(rows[number - 1], cells=cells)
    for number in sorted({*facts.flaws, *merged, *hints, *facts.hidden_rows}):
        flaws = facts.flaws.get(number, _NO_FLAWS)
        if number > len(rows) and not (flaws or number in merged):
            continue
        while len(rows) < number:
            rows.append(TableRow(RowNumber(len(rows) + 1), (None,) * width))
        cells = rows[number - 1].cells
        missing = max(flaws, default=-1) + 1 - len(cells)
        rows[number - 1] = TableRow(
            RowNumber(number),
            cells + (None,) * missing,
            flaws,
            hints.get(number, _NO_HINTS),
            merged.get(number, _NO_FLAWS),
            number in facts.hidden_rows,
        )


def _mark_merged(rows: Sequence[TableRow], marks: dict[int, dict[int, Flaw]], facts: SheetFacts, file: str) -> None:
    """Mark every cell of a merged range that holds a value; merging has emptied all of them but the first.

    Of a range that goes on for ever, only what lies within the rows and columns that hold values.
    """
    marked = 0
    for merged in facts.merged:
        place: Area | None = merged
        if merged.cells > _MERGED_WHOLE:
            place = merged.within(last_row=facts.last_row, last_column=max(facts.last_column, merged.left))
        if place is None or _cell(rows, place.top, place.left) is None:
            continue
        marked += place.cells
        _refuse_too_many(marked, facts, file)
        flaw = Flaw(FlawKind.MERGED, str(merged))
        for row in range(place.top, place.bottom + 1):
            of_row = marks.setdefault(row, {})
            for column in range(place.left - 1, place.right):
                of_row.setdefault(column, flaw)


def _mark_links(rows: Sequence[TableRow], hints: dict[int, dict[int, Hint]], facts: SheetFacts, file: str) -> None:
    """Mark every cell that shows an address and leads to another."""
    seen = 0
    for link, target in facts.links:
        place = link.within(last_row=len(rows), last_column=facts.last_column)
        if place is None:
            continue
        seen += place.cells
        _refuse_too_many(seen, facts, file)
        for row in range(place.top, place.bottom + 1):
            for column in range(place.left, place.right + 1):
                cell = _cell(rows, row, column)
                if isinstance(cell, str) and cell.strip() and _address(cell) != _address(target):
                    hints.setdefault(row, {})[column - 1] = Hint(HintKind.LINK_TARGET, target)


def _refuse_too_many(marked: int, facts: SheetFacts, file: str) -> None:
    if marked > MAX_MARKED:
        raise InputError(
            f"{file}, sheet {facts.name!r} has more than {MAX_MARKED:,} cells that are merged or carry links.",
            code="file.too_large",
            remedy="Unmerge the cells, or copy the values alone into a new workbook.",
        )


def _address(text: str) -> str:
    """What is left of an address when the ways in which programs write the same one do not count."""
    return unquote(text).strip().rstrip("/").casefold()


def _cell(rows: Sequence[TableRow], row: int, column: int) -> CellValue:
    """Give the cell at a row and a column from 1; `None` where the reader gave none."""
    if row > len(rows) or column > len(rows[row - 1].cells):
        return None
    return rows[row - 1].cells[column - 1]


def _is_blank(cells: Sequence[CellValue]) -> bool:
    return all(cell is None for cell in cells)
