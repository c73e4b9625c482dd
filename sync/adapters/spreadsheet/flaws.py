"""One pass over a workbook's XML for what no table reader tells: error cells, formulas without a value, hidden sheets.

A table reader gives a blank for an error cell and for a formula that was never calculated, and it builds the whole
rectangle up to the last cell. So this pass comes first: it also says how far each sheet reaches.
"""

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from xml.parsers import expat

from sync.adapters.spreadsheet.package import Package, damaged, dtd_refusal
from sync.errors import InputError
from sync.model import Flaw, FlawKind

MAX_ROW: Final = 1_048_576
MAX_COLUMN: Final = 16_384

_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONSHIPS: Final = "xl/_rels/workbook.xml.rels"
_DIGITS: Final = "0123456789"
_FORMULA_SHOWN: Final = 200
_PLAIN_CELL: Final = re.compile(rb'<c r="([A-Z]{1,3})[0-9]')
_PLAIN_ROW: Final = re.compile(rb'<row r="([0-9]{1,7})"')
_NOT_PLAIN: Final = (
    b"<f",
    b":f",
    b'"e"',
    b"'e'",
    b"<c>",
    b"<c\t",
    b"<c\n",
    b"<c\r",
    b"<row>",
    b":c ",
    b":c>",
    b"&#",
    b"<!",
)
"""What a formula, an error cell, or a cell that is written in another way would show somewhere."""
_PLAIN_CELLS: Final = 2_000_000

_StartHandler: TypeAlias = Callable[[str, dict[str, str]], None]


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What the XML says of one sheet."""

    name: str
    hidden: bool = False
    flaws: Mapping[int, Mapping[int, Flaw]] = field(default_factory=dict)
    """By row as Excel numbers it, then by column from 0."""
    last_row: int = 0
    """The last row that holds a value; 0 for an empty sheet."""
    last_column: int = 0
    """The last column that holds a value, from 1."""


def read_facts(package: Package) -> dict[str, SheetFacts]:
    """Read the facts of every sheet that has a part, by the sheet's name.

    Raises:
        InputError: `file.damaged`, `file.dtd`, or `file.too_large` for a cell outside of Excel's grid.
    """
    targets = _targets(package)
    facts = {}
    for name, relationship, hidden in _sheets(package):
        data = package.part(targets.get(relationship, ""))
        if data is not None:
            facts[name] = _scan(data, name, package.file, hidden=hidden)
    return facts


def _targets(package: Package) -> dict[str, str]:
    """Map relationship ids of the workbook to part names."""
    targets: dict[str, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "Relationship":
            target = attributes.get("Target", "").replace("\\", "/")
            path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            targets[attributes.get("Id", "")] = path

    _parse(package.part(_RELATIONSHIPS) or b"<none/>", start, package.file)
    return targets


def _sheets(package: Package) -> list[tuple[str, str, bool]]:
    """List name, relationship id and hiddenness of each sheet, in the workbook's order."""
    sheets: list[tuple[str, str, bool]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "sheet":
            plain = {_local(name): value for name, value in attributes.items() if name != "id"}
            hidden = plain.get("state", "visible") in {"hidden", "veryHidden"}
            sheets.append((plain.get("name", ""), plain.get("id", ""), hidden))

    _parse(package.part(_WORKBOOK) or b"<none/>", start, package.file)
    return sheets


def _scan(data: bytes, name: str, file: str, *, hidden: bool) -> SheetFacts:
    reach = _reach_of_plain(data)
    if reach is not None:
        _parse(data, None, file)  # well-formed to its end: readers of tables are lenient there
        return SheetFacts(name, hidden, {}, *reach)
    scan = _SheetScan(name, file)
    _parse(data, scan.start, file, on_parser=scan.use)
    scan.close_cell()
    return SheetFacts(name, hidden, scan.flaws, scan.last_row, max(scan.columns.values(), default=0))


def _reach_of_plain(data: bytes) -> tuple[int, int] | None:
    """Tell the last row and column of a sheet without formulas and errors, written as Excel writes it; else `None`.

    A tenth of the time of the whole pass. Cells that hold a format alone count here, so a far one is passed on.
    """
    if b"<sheetData" not in data or any(mark in data for mark in _NOT_PLAIN):
        return None
    columns = _PLAIN_CELL.findall(data)
    rows = _PLAIN_ROW.findall(data)
    if len(columns) != data.count(b"<c ") or len(rows) != data.count(b"<row "):
        return None
    last_row = max(map(int, rows), default=0)
    last_column = max((_column_number(text.decode("ascii"), "") for text in set(columns)), default=0)
    return (last_row, last_column) if last_row * last_column <= _PLAIN_CELLS and last_row <= MAX_ROW else None


class _SheetScan:
    """The state of the pass over one sheet: the open cell, and what was found so far."""

    def __init__(self, name: str, file: str) -> None:
        self.name = name
        self.file = file
        self.flaws: dict[int, dict[int, Flaw]] = {}
        self.last_row = 0
        self.columns: dict[str, int] = {}
        """Column letters that hold a value, with their number from 1."""
        self._row = 0
        self._letters = ""
        self._column = 0
        self._in_cell = False
        self._type = ""
        self._formula: list[str] | None = None
        self._value: list[str] | None = None
        self._parser: expat.XMLParserType | None = None

    def use(self, parser: expat.XMLParserType) -> None:
        """Take the parser, to listen to text only where it matters."""
        self._parser = parser

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """See the start of an element."""
        if ":" in tag:
            tag = _local(tag)
        if tag == "c":
            if self._formula is not None or self._type == "e":
                self.close_cell()
            self._in_cell = True
            self._type = attributes.get("t", "")
            reference = attributes.get("r")
            if reference is None:
                # A cell without a reference stands right of the cell before it.
                self._column += 1
                self._letters = letters(self._column)
            else:
                self._letters = reference.rstrip(_DIGITS)
                self._column = self.columns.get(self._letters) or _column_number(self._letters, self.file)
        elif not self._in_cell:
            if tag == "row":
                self._start_row(attributes)
        elif tag in {"v", "is"}:
            self.last_row = max(self.last_row, self._row)
            self.columns[self._letters] = self._column
            if self._formula is not None or self._type == "e":
                self._value = []
                self._listen(self._value)
        elif tag == "f":
            self._formula = []
            self._listen(self._formula)
        elif tag not in {"t", "r"}:
            self.close_cell()
            if tag == "row":
                self._start_row(attributes)

    def close_cell(self) -> None:
        """Judge the open cell, now that all of it was seen."""
        flaw = None
        shown = "".join(self._value or ()).strip()
        if self._type == "e":
            flaw = Flaw(FlawKind.ERROR_VALUE, shown or "an error")
        elif self._formula is not None and not shown and (self._value is None or self._type != "str"):
            # `t="str"` with an empty value is a formula that gave an empty text: that is a value.
            formula = "".join(self._formula).strip()
            flaw = Flaw(FlawKind.UNCACHED_FORMULA, f"={formula}"[:_FORMULA_SHOWN] if formula else "a formula")
        if flaw is not None:
            self.flaws.setdefault(self._row, {})[self._column - 1] = flaw
        self._in_cell = False
        self._type = ""
        self._formula = self._value = None
        if self._parser is not None:
            self._parser.CharacterDataHandler = None

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r")
        self._row = self._row + 1 if number is None else _row_number(number, self.file)
        self._column = 0
        if self._row > MAX_ROW:
            raise _outside(self.file)

    def _listen(self, parts: list[str]) -> None:
        if self._parser is not None:
            self._parser.CharacterDataHandler = parts.append


def letters(column: int) -> str:
    """Give the letters of a column that is counted from 1."""
    text = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _column_number(text: str, file: str) -> int:
    number = 0
    for letter in text.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
        if not ("A" <= letter <= "Z") or number > MAX_COLUMN:
            raise _outside(file)
    return number


def _row_number(text: str, file: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ROW))):
        raise _outside(file)
    return int(text)


def _outside(file: str) -> InputError:
    return InputError(
        f"{file} holds cells outside of Excel's grid of {MAX_ROW:,} rows and {MAX_COLUMN:,} columns.",
        code="file.too_large",
        remedy="Copy the one sheet with the sections into a new workbook.",
    )


def _local(tag: str) -> str:
    """Take the prefix off a name."""
    return tag.rpartition(":")[2]


def _parse(
    data: bytes,
    start: _StartHandler | None,
    file: str,
    *,
    on_parser: Callable[[expat.XMLParserType], None] | None = None,
) -> None:
    """Run one pass over a part, refusing a DTD at its first token."""

    def refuse(*_: object) -> None:
        raise dtd_refusal(file)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    if on_parser is not None:
        on_parser(parser)
    try:
        parser.Parse(data, True)  # noqa: FBT003 - the signature of expat
    except expat.ExpatError as exc:
        raise damaged(file) from exc
    except (LookupError, ValueError) as exc:  # an encoding that is unknown, or not one of XML's
        raise damaged(file) from exc
