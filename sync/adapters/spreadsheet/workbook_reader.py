"""Workbooks (.xlsx, .xlsm, .ods) to tables: calamine for the values, the XML's facts for the rest."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Final

from python_calamine import CalamineSheet

from sync.adapters.confined import give_back_memory
from sync.adapters.spreadsheet.adaptations import adapted, is_readable
from sync.adapters.spreadsheet.beside import Beside
from sync.adapters.spreadsheet.container import Content
from sync.adapters.spreadsheet.dtds import refuse_dtds
from sync.adapters.spreadsheet.facts import SheetFacts, read_facts
from sync.adapters.spreadsheet.grid import MAX_CELLS, reaches_too_far
from sync.adapters.spreadsheet.marking import Marking
from sync.adapters.spreadsheet.package import Package, damaged
from sync.adapters.spreadsheet.parts import FileEnd, Part, Rows, SheetEnd
from sync.adapters.spreadsheet.values import open_book, pieces, sheets
from sync.errors import InputError

_NO_FACTS: Final = SheetFacts("")
_FORMATTED_ROWS_NOTED: Final = 1_000
_LARGE: Final = 1_000_000
"""Bytes of a sheet's XML, some 4,000 rows: with less, a thread saves no time that anybody notices."""


def read_workbook(content: Content, beside: Callable[[bytes, str], Beside] = Beside) -> Iterator[Part]:
    """Read every sheet of an Excel workbook; of a large one, its values beside its XML's facts.

    Raises:
        InputError: `file.damaged`, `file.dtd`, `file.too_large`, `file.ambiguous`.
    """
    package = _checked(content)
    notes = tuple(_notes(package))
    begun = _begun(package, beside, content.data)
    if begun is None:
        facts = _reachable(read_facts(package), package)
        book = open_book(adapted(package, facts.values()) or content.data, package.file)
        return _read(content, facts, notes, sheets(book))
    with closing(begun):
        facts = _reachable(read_facts(package, begun.go_on), package)
        copy = adapted(package, facts.values())
        book, first = begun.result() if copy is None else (open_book(copy, package.file), None)
    return _read(content, facts, notes, sheets(book, first))


def read_open_document(content: Content) -> Iterator[Part]:
    """Read every sheet of an OpenDocument workbook.

    Raises:
        InputError: as `read_workbook`.
    """
    from sync.adapters.spreadsheet.open_document import read_open_document_facts  # noqa: PLC0415 - for these alone

    package = _checked(content)
    notes = ("Macros of the file were neither run nor kept.",) if package.holds(start="basic/") else ()
    facts = _reachable(read_open_document_facts(package), package)
    return _read(content, facts, notes, sheets(open_book(content.data, package.file)))


def _checked(content: Content) -> Package:
    if content.package is None:
        raise damaged(content.path.name)
    refuse_dtds(content.package)
    return content.package


def _begun(package: Package, beside: Callable[[bytes, str], Beside], data: bytes) -> Beside | None:
    """Have calamine begin with a large workbook that it can read as it is."""
    if max(map(len, package.kept.values()), default=0) < _LARGE or not is_readable(package):
        return None
    try:
        return beside(data, package.file).begin()
    except RuntimeError:  # no thread is to be had: one after the other, then
        return None


def _read(
    content: Content,
    facts: Mapping[str, SheetFacts],
    notes: tuple[str, ...],
    values_of_sheets: Iterator[tuple[str, CalamineSheet]],
) -> Iterator[Part]:
    file = content.path.name
    for name, values in values_of_sheets:
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


def _reachable(facts: dict[str, SheetFacts], package: Package) -> dict[str, SheetFacts]:
    """Refuse a stray value far outside before a reader makes room for everything up to it."""
    cells = 0
    for sheet in facts.values():
        cells += sheet.last_row * sheet.last_column
        if cells > MAX_CELLS:
            raise reaches_too_far(package.file, sheet.name, last_row=sheet.last_row, last_column=sheet.last_column)
    package.kept.clear()  # a sheet that no name leads to
    give_back_memory()  # the pass over the XML needed a part as a whole
    return facts


def _refuse_lost_rows(file: str, sheet: SheetFacts, rows: int) -> None:
    """Refuse a sheet of which the reader gives fewer rows than its XML holds."""
    raise InputError(
        f"{file}, sheet {sheet.name!r} can be read in two ways: with {rows:,} and with {sheet.last_certain:,} rows.",
        code="file.ambiguous",
        remedy="Open it in Excel, save it as an Excel workbook (.xlsx), and use that file.",
    )
