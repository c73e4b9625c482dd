"""The operator's own workbook with the results on it: formats, widths and other sheets kept, formulas as values.

openpyxl opens the workbook without its plain rows, which go from file to file as they are, each with its result. What
is not written in a way that allows it is opened as a whole, as long as it is small.
"""

import warnings
from collections.abc import Mapping
from itertools import chain
from typing import IO, Any, Final
from zipfile import BadZipFile, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import SHARED_STRINGS

from sync.adapters.workbook.losses import losses
from sync.adapters.workbook.own_cells import CellWriter
from sync.adapters.workbook.own_looks import Looks
from sync.adapters.workbook.own_opened import annotate
from sync.adapters.workbook.own_package import Package, Wanted
from sync.adapters.workbook.own_plain import PlainRows
from sync.adapters.workbook.own_results import NewTexts, ResultCells
from sync.adapters.workbook.own_rows import NotCutError
from sync.adapters.workbook.own_splice import SheetStream
from sync.adapters.workbook.own_stream import RowWriter, Said
from sync.adapters.workbook.own_task import NotCarried, Task
from sync.adapters.workbook.own_text import kept_from_openpyxl
from sync.adapters.workbook.splice import save_with
from sync.adapters.workbook.summary import remove_summaries
from sync.frozen import Frozen
from sync.model import FlawKind, Status

MOST_ROWS_OPENED: Final = 10_000
"""Up to here a workbook is opened as a whole where its rows cannot be cut out."""
_MOST_BYTES: Final = 40_000_000
"""Of such a workbook, inflated: above it, openpyxl would need minutes and gigabytes."""
_MOST_INFLATED: Final = 200_000_000
"""What is read of a file at all."""
_UNOPENABLE: Final = (
    BadZipFile,
    InvalidFileException,
    OSError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    NotImplementedError,
    SyntaxError,
)
"""What openpyxl is known to raise over odd files; `SyntaxError` is the XML parsers' base."""
_MOST_ROUNDS: Final = 3


class _NotThereError(Exception):
    """The workbook has no sheet of that name, any more."""


class _Opened(Frozen):
    """A workbook that openpyxl has opened."""

    workbook: Workbook
    sheets: tuple[Worksheet, ...]
    """All of them, in the order of the file, also those that are not written again."""
    worksheet: Worksheet
    """The one that the results go on."""
    lost: tuple[str, ...]
    """What of the file is not kept, as sentences."""


def annotated(task: Task) -> bytes | NotCarried:
    """Write the results onto a copy of the original; or say why that file cannot be carried over."""
    try:
        with task.path.open("rb") as file, ZipFile(file) as archive:
            inflated = sum(part.file_size for part in archive.infolist())
            if inflated > _MOST_INFLATED:
                return NotCarried.ODD
            try:
                return in_stream(task, archive)
            except NotCutError:
                reason = NotCarried.LARGE
            except _UNOPENABLE:
                reason = NotCarried.ODD
            if task.rows > MOST_ROWS_OPENED:
                return reason
            return NotCarried.ODD if inflated > _MOST_BYTES else as_a_whole(task, archive)
    except (*_UNOPENABLE, _NotThereError):
        return NotCarried.ODD


def as_a_whole(task: Task, archive: ZipFile) -> bytes:
    """Let openpyxl open and write all of the workbook, cell by cell."""
    with task.path.open("rb") as file:
        opened = _open(kept_from_openpyxl(file, archive), task, archive)
    pages = annotate(opened.workbook, opened.worksheet, task, is_here=lambda _: True, lost=opened.lost)
    return save_with(opened.workbook, pages).getvalue()


def in_stream(task: Task, archive: ZipFile) -> bytes:
    """Let openpyxl open and write all of the workbook but its plain rows.

    Raises:
        NotCutError: the workbook is not written in a way that allows it.
    """
    odd: Mapping[str, frozenset[int]] = {}
    for _ in range(_MOST_ROUNDS):
        content, found = _streamed(task, archive, odd)
        if not found:
            return content
        odd = {path: odd.get(path, frozenset()) | found.get(path, frozenset()) for path in (*odd, *found)}
    raise NotCutError("rows that are odd in ever new ways")


def _streamed(
    task: Task, archive: ZipFile, odd: Mapping[str, frozenset[int]]
) -> tuple[bytes, Mapping[str, frozenset[int]]]:
    """Write the workbook; with the rows, by the path of their sheet, that openpyxl must be given as well."""
    said = _said(task)
    paths = _paths_of(archive, task)
    wanted = {path: Wanted(rows=odd.get(path, frozenset())) for path in paths.sheets}
    wanted[paths.own] = Wanted(task.header_row, _rows_to_open(task) | odd.get(paths.own, frozenset()))
    package = Package(archive, wanted, paths.texts, choices=bool(said.conflicts))
    opened = _open(package.reduced(), task, archive)
    own = next(part for part in package.parts if part.path == paths.own)
    pages = annotate(opened.workbook, opened.worksheet, task, is_here=own.special.__contains__, lost=opened.lost)
    looks = Looks(opened.workbook, opened.worksheet)
    cells, texts = CellWriter(package.strings, looks), NewTexts(package.strings.count)
    streams: dict[str, SheetStream] = {}
    for sheet, part in zip(opened.sheets, package.parts, strict=True):
        if sheet not in opened.workbook.worksheets:
            continue
        results = None
        if part is own:
            results = ResultCells(task, looks, texts, locked=bool(sheet.protection.sheet))
        last = part.last_column if results is None else min(part.last_column, results.first - 1)
        plain = PlainRows(range(1, last + 1), results.replaced if results else (), looks, package.strings)
        writer = RowWriter(cells, plain, sheet, results=results, said=said if results else None)
        streams[sheet.title] = SheetStream(archive, part, writer, said if results else Said(), results)
    content = save_with(
        opened.workbook,
        {**pages, **{title: stream.pieces for title, stream in streams.items()}},
        lambda: chain(package.strings.entries(), texts.entries()),
    )
    found = {stream.path: frozenset(stream.odd) for stream in streams.values() if stream.odd}
    return content.getvalue(), found


def _said(task: Task) -> Said:
    uncached = {
        row: {column + 1: flaw.shown for column, flaw in flaws.items() if flaw.kind is FlawKind.UNCACHED_FORMULA}
        for row, flaws in task.flaws.items()
    }
    conflicted = {place for place, (status, *_) in enumerate(task.results.said) if status == Status.CONFLICT}
    conflicts = frozenset(row for row, place in task.results.rows.items() if place in conflicted) if conflicted else ()
    command = None if task.command is None else task.command + 1
    return Said(task.results, uncached, frozenset(() if command is None else conflicts), command)


def _rows_to_open(task: Task) -> frozenset[int]:
    """Rows that get a comment."""
    uncached = {
        row
        for row, flaws in task.flaws.items()
        for column, flaw in flaws.items()
        if column in task.ours and flaw.kind is FlawKind.UNCACHED_FORMULA
    }
    return frozenset(uncached | {row for row, _ in task.marked})


class _Paths(Frozen):
    """Where the parts of a workbook lie."""

    sheets: tuple[str, ...]
    """Those with rows, in the order in which openpyxl opens them."""
    own: str
    texts: str | None


def _paths_of(archive: ZipFile, task: Task) -> _Paths:
    with warnings.catch_warnings(), task.path.open("rb") as file:
        warnings.simplefilter("ignore")  # what there is to say is said when the workbook is opened
        file_like: Any = file
        reader: Any = ExcelReader(file_like, data_only=True, keep_links=False, rich_text=True)
        reader.read_manifest()
        reader.read_workbook()
        found = [
            (sheet.name, relation.target)
            for sheet, relation in reader.parser.find_sheets()
            if relation.target in archive.namelist() and "chartsheet" not in relation.Type
        ]
        texts = reader.package.find(SHARED_STRINGS)
    own = next((path for name, path in found if name == task.sheet), None)
    if own is None:
        raise _NotThereError
    sheets = tuple(path for _, path in found)
    if len(set(sheets)) != len(sheets):
        raise NotCutError("sheets that share their rows")
    return _Paths(sheets, own, None if texts is None else texts.PartName[1:])


def _open(source: IO[bytes], task: Task, archive: ZipFile) -> _Opened:
    """Open the workbook with the formulas' cached values, and tell what of it is lost."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        workbook = load_workbook(source, data_only=True, keep_links=False, rich_text=True)
    sheets = tuple(workbook.worksheets)
    worksheet = next((each for each in sheets if each.title == task.sheet), None)
    if worksheet is None:
        raise _NotThereError
    own_charts = remove_summaries(workbook)
    warned = [str(warning.message) for warning in said]
    return _Opened(workbook, sheets, worksheet, losses(archive, workbook, warned, own_charts=own_charts))
