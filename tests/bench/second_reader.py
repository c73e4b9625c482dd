"""Two readers of one workbook: every cell of `load` beside the same cell of openpyxl, and why the two differ.

Each explanation is a rule that the two values must meet; a difference that meets none is counted as unexplained.
"""

import datetime as dt
import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sync.cells import is_error_word
from sync.model import CellValue, Flaw, FlawKind, LoadedFile, Table

UNEXPLAINED: Final = "UNEXPLAINED"
STRICT: Final = b"purl.oclc.org"
"""In the namespace of the strict form of the standard, which openpyxl does not know."""
EPOCH: Final = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - Excel knows no zones
LEAP: Final = dt.datetime(1900, 3, 1)  # noqa: DTZ001 - the same
DAYS_1904: Final = 1462
ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
ROWS_COMPARED: Final = 200_000
TIMES: Final = (dt.datetime, dt.date, dt.time, dt.timedelta)


@dataclass(slots=True)
class Comparison:
    """What comparing has shown so far."""

    workbooks: int = 0
    cells: int = 0
    differences: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    beside: Counter[str] = field(default_factory=Counter)
    """What could not be compared, and why."""

    def add(self, loaded: LoadedFile, name: str) -> None:
        """Read a workbook with openpyxl as well, and compare."""
        if loaded.format != "xlsx":
            return
        if sum(len(table.rows) for table in loaded.tables) > ROWS_COMPARED:
            self.beside["workbooks that are too large for openpyxl to be compared"] += 1
            return
        data = loaded.path.read_bytes()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
        except Exception:  # noqa: BLE001 - it raises whatever it likes; those files are ours alone
            self.beside["workbooks that openpyxl cannot read"] += 1
            return
        self.workbooks += 1
        theirs = {sheet.title: sheet for sheet in book.worksheets}
        for table in loaded.tables:
            if table.name in theirs:
                for reason, example in self._differences(table, theirs[table.name]):
                    self._count(reason, f"{name} {table.name}!{example}")
            elif table.rows and _is_strict(data):
                self.beside["sheets of strict workbooks, of which openpyxl lists none"] += 1
            elif table.rows and table.name not in {sheet.title for sheet in book.chartsheets}:
                self._count(UNEXPLAINED, f"{name} {table.name}: a sheet that openpyxl does not list")
        for lost in theirs.keys() - {table.name for table in loaded.tables}:
            if _has_dialogs(data):
                self.beside["dialog sheets, which hold no cells and only openpyxl lists"] += 1
            else:
                self._count(UNEXPLAINED, f"{name} {lost}: a sheet that only openpyxl lists")

    def show(self) -> None:
        """The figures, the explanations with an example each, and every difference without one."""
        if not self.workbooks:
            return
        print(f"\n{self.cells:,} cells of {self.workbooks:,} workbooks were compared with openpyxl.")
        for reason, count in self.differences.most_common():
            for number, example in enumerate(self.examples[reason]):
                print(f"  {count if not number else '':>7}  {reason}  ({example[:200]})")
        for reason, count in self.beside.most_common():
            print(f"  {count:>7}  {reason}")
        print(f"cells that differ without an explanation: {self.differences[UNEXPLAINED]}")

    def _count(self, reason: str, example: str) -> None:
        self.differences[reason] += 1
        kept = self.examples.setdefault(reason, [])
        if not kept or (reason == UNEXPLAINED and len(kept) < ROWS_COMPARED):
            kept.append(example)

    def _differences(self, table: Table, sheet: Worksheet) -> Iterator[tuple[str, str]]:
        ours = {
            (row.number, column): (cell, row.flaws.get(column - 1))
            for row in table.rows
            for column, cell in enumerate(row.cells, start=1)
            if cell is not None or column - 1 in row.flaws
        }
        them = {place: cell.value for place, cell in sheet._cells.items() if cell.value not in {None, ""}}
        for place in ours.keys() | them.keys():
            self.cells += 1
            value, flaw = ours.get(place, (None, None))
            if (value is None or flaw is not None) and _is_link(sheet, place):
                yield "the address of a link on a cell without a value: openpyxl gives it as the value", str(place)
                continue
            reason = difference(value, them.get(place), flaw, is_covered=_is_covered(sheet, place))
            if reason is not None:
                yield reason, f"{get_column_letter(place[1])}{place[0]}: {flaw or value!r} | {them.get(place)!r}"


def _is_covered(sheet: Worksheet, place: tuple[int, int]) -> bool:
    return isinstance(sheet._cells.get(place), openpyxl.cell.MergedCell)


def _is_link(sheet: Worksheet, place: tuple[int, int]) -> bool:
    """Whether openpyxl shows where a link leads, in the place of a value that there is not."""
    cell = sheet._cells.get(place)
    link = getattr(cell, "hyperlink", None)
    return link is not None and cell.value is not None and cell.value in {link.target, link.location}


def _has_dialogs(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return any("dialogsheets/" in name.lower() for name in archive.namelist())


def _is_strict(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        return STRICT in archive.read(names["xl/workbook.xml"])


def difference(ours: CellValue, theirs: object, flaw: Flaw | None, *, is_covered: bool = False) -> str | None:
    """Say why two readings of a cell differ; `None` where they do not."""
    if flaw is not None:
        return _of_flaw(flaw, theirs)
    if ours == theirs and isinstance(ours, bool) == isinstance(theirs, bool):
        return None
    if isinstance(ours, TIMES) or isinstance(theirs, TIMES):
        return _of_times(ours, theirs)
    if isinstance(ours, str) and isinstance(theirs, str):
        return _of_texts(ours, theirs)
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return _of_numbers(ours, theirs)
    if ours is None and isinstance(theirs, str) and not theirs.strip():
        return "white space at the ends of a text that does not ask to keep it: taken off here, as Excel does"
    if theirs is None and is_covered:
        return "a value under a merged range: openpyxl gives none, here it holds the row"
    return UNEXPLAINED


def _of_flaw(flaw: Flaw, theirs: object) -> str | None:
    """A flaw is no value: openpyxl gives the error as a text, and nothing for a formula without a value."""
    match flaw.kind:
        case FlawKind.ERROR_VALUE if theirs is None or (isinstance(theirs, str) and is_error_word(theirs)):
            return None
        case FlawKind.UNCACHED_FORMULA if theirs is None:
            return None
        case _:
            return UNEXPLAINED


def _of_numbers(ours: float, theirs: float) -> str | None:
    if isinstance(ours, bool) != isinstance(theirs, bool):
        return UNEXPLAINED
    if abs(ours - theirs) <= 1e-15 * max(1.0, abs(ours), abs(theirs)):
        return None
    if min(abs(ours), abs(theirs)) >= 1e15 and abs(ours - theirs) <= 1e-15 * 10 * abs(theirs):
        return "a number of more than 15 digits: held here as rounded"
    return UNEXPLAINED


def _of_texts(ours: str, theirs: str) -> str | None:
    left, right = _line_ends(ours), _line_ends(theirs)
    if left == right:
        return None
    if left == right.strip(" \t\n\r"):
        return "white space at the ends of a text that does not ask to keep it: taken off here, as Excel does"
    if _unescaped(left) == _unescaped(right):
        return "escapes (_x000D_): decoded once here, as Excel does; never or twice by openpyxl"
    return UNEXPLAINED


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unescaped(text: str) -> str:
    """Decode until nothing is left to be decoded; half a character stays as it is."""
    for _ in range(4):
        text = ESCAPE.sub(
            lambda found: found[0] if "d8" <= found[1][:2].lower() <= "df" else chr(int(found[1], 16)), text
        )
    return _line_ends(text)


def _of_times(ours: CellValue, theirs: object) -> str | None:
    """Compare as the number that stands in the file; either way the cell is a date, and holds its row."""
    left, right = _serial(ours), _serial(theirs)
    if left is None or right is None:
        return UNEXPLAINED
    apart = abs(left - right)
    if apart < 2e-5:
        return None
    if abs(apart - DAYS_1904) < 2e-5:
        return "a date by the calendar of 1904: openpyxl counts from 1900 for times alone"
    if right < 0 and isinstance(ours, dt.time):
        return "a date before 1900, which Excel does not show: its time alone here; held either way"
    if apart <= 1 + 2e-5 and EPOCH + dt.timedelta(days=max(left, right)) <= LEAP:
        return "a date before 1 March 1900, where Excel counts a day that was none; held either way"
    return UNEXPLAINED


def _serial(value: object) -> float | None:
    match value:
        case dt.datetime():
            return (value.replace(tzinfo=None) - EPOCH) / dt.timedelta(days=1)
        case dt.date():
            return float((dt.datetime.combine(value, dt.time()) - EPOCH).days)
        case dt.time():
            return (value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6) / 86_400
        case dt.timedelta():
            return value / dt.timedelta(days=1)
        case bool() | None:
            return None
        case int() | float():
            return float(value)
        case _:
            return None
