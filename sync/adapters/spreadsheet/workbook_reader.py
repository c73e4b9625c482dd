"""Workbooks (.xlsx, .xlsm, .ods) to tables: pandas with calamine for the values, the XML's facts for the rest."""

from collections.abc import Iterator, Mapping
from typing import Final

from sync.adapters.confined import give_back_memory
from sync.adapters.spreadsheet.adaptations import adapted
from sync.adapters.spreadsheet.container import Content
from sync.adapters.spreadsheet.facts import SheetFacts, read_facts
from sync.adapters.spreadsheet.grid import MAX_CELLS, reaches_too_far
from sync.adapters.spreadsheet.marking import Marking
from sync.adapters.spreadsheet.package import Package, damaged, refuse_dtds
from sync.adapters.spreadsheet.parts import FileEnd, Part, Rows, SheetEnd
from sync.adapters.spreadsheet.starting import Kind
from sync.adapters.spreadsheet.values import pieces, sheets
from sync.errors import InputError

_NO_FACTS: Final = SheetFacts("")
_FORMATTED_ROWS_NOTED: Final = 1_000


def read_workbook(content: Content) -> Iterator[Part]:
    """Read every sheet of an Excel workbook.

    Raises:
        InputError: `file.damaged`, `file.dtd`, `file.too_large`, `file.ambiguous`.
    """
    package = _checked(content)
    return _read(content, read_facts(package), tuple(_notes(package)))


def read_open_document(content: Content) -> Iterator[Part]:
    """Read every sheet of an OpenDocument workbook.

    Raises:
        InputError: as `read_workbook`.
    """
    from sync.adapters.spreadsheet.open_document import read_open_document_facts  # noqa: PLC0415 - for these alone

    package = _checked(content)
    notes = ("Macros of the file were neither run nor kept.",) if package.holds(start="basic/") else ()
    return _read(content, read_open_document_facts(package), notes)


def _checked(content: Content) -> Package:
    if content.package is None:
        raise damaged(content.path.name)
    refuse_dtds(content.package)
    return content.package


def _read(content: Content, facts: dict[str, SheetFacts], notes: tuple[str, ...]) -> Iterator[Part]:
    file = content.path.name
    _check_reach(facts, file)
    data = content.data
    if content.package is not None and content.kind is Kind.XLSX:
        data = adapted(content.package, facts.values()) or data
    give_back_memory()  # the pass over the XML needed a part or two of it as a whole
    for name, values in sheets(data, file):
        sheet = facts.get(name, _NO_FACTS)
        marking = Marking(sheet, file)
        for rows in marking.rows(pieces(values, file)):
            yield Rows(tuple(rows))
        if marking.read < sheet.last_certain:
            _refuse_lost_rows(file, sheet, marking.read)
        yield SheetEnd(name, sheet.hidden, _hidden_columns(sheet, marking.width))
    yield FileEnd(content.sha256, content.kind.value, (*notes, *_formatted_rows(facts)))


def _hidden_columns(facts: SheetFacts, width: int) -> frozenset[int]:
    """Give the hidden ones among the columns that hold something, from 0."""
    return frozenset(
        column - 1 for first, last in facts.hidden_columns for column in range(first, min(last, width) + 1)
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
