"""One pass over a worksheet's XML: every cell where there is something to find, a few searches where there is not."""

import re
from collections.abc import Callable
from typing import Final, TypeAlias
from xml.parsers import expat

from sync.adapters.spreadsheet.grid import MAX_ROW, Area, area, column_number, letters, outside, row_number
from sync.adapters.spreadsheet.markup import local, parse
from sync.hints import Hint, HintKind
from sync.model import Flaw, FlawKind

_DIGITS: Final = "0123456789"
_FORMULA_SHOWN: Final = 200
_TRUE: Final = frozenset({"1", "true"})
_EXTERNAL: Final = re.compile(r"\[[^\]]+\][^!\[\]]*!")
"""`[1]Sheet!A1`, or `[Book.xlsx]Sheet!A1`: a cell of another workbook."""
_PLAIN_CELL: Final = re.compile(
    rb'<c r="([A-Z]{1,3}+[0-9]{1,7}+)"(?: s="[0-9]++")?+(?: t="(?:s|n|b|e|str|inlineStr)")?+(?: [cv]m="[0-9]++")?+/?+>'
)
"""The head of a cell as Excel writes it, whole: nothing in it is written in another way."""
_PLAIN_ROW: Final = re.compile(rb'<row r="([0-9]{1,7})"')
_HIDDEN_ROW: Final = re.compile(rb'<row r="([0-9]{1,7})"[^>]*?\shidden="(?:1|true)"')
_DATA: Final = re.compile(rb"<sheetData\s*>(.*)</sheetData\s*>", re.DOTALL)
_VALUES: Final = (b"<v>", b"<is>")
_UNUSUAL: Final = re.compile(rb"<(?!/|c |v>|row |is>|t>|t )[^ />]*+[ />]?+")
"""The start of an element, or of anything else, that is not in every cell."""
_FORMULAS: Final = frozenset({b"<f>", b"<f ", b"<f/"})
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ERROR_TYPE: Final = b' t="e"'
_MOST_SPECIAL: Final = 200_000
"""Formulas and errors that are searched for one by one; where there are more, seeing every cell is as quick."""
_PLAIN_CELLS: Final = 2_000_000
_SCANNED_BYTES: Final = 1_000_000
_TEXTS: Final = frozenset({"s", "str", "inlineStr", "e"})
_TEXT: Final = re.compile(rb'\st="(?:s|str|inlineStr|e)"')
_CELLS_TRIED: Final = 200

Reached: TypeAlias = Callable[[int, int], None]
"""Hears the last row and the last column that a sheet's cells can reach, as soon as that is known."""


class Scan:
    """What was found on one sheet; rows and columns from 1, columns within `flaws` and `hints` from 0."""

    def __init__(self, file: str) -> None:
        """Start at the top of the sheet of `file`, which is named in refusals."""
        self.file = file
        self.flaws: dict[int, dict[int, Flaw]] = {}
        self.hints: dict[int, dict[int, Hint]] = {}
        self.last_row = 0
        self.last_column = 0
        self.last_certain = 0
        """The last row that holds a number, a truth value, or a formula's result that is not blank: a text in a table
        of texts may be an empty one."""
        self.last_formatted = 0
        self.hidden_rows: set[int] = set()
        self.hidden_columns: list[tuple[int, int]] = []
        self.merged: list[Area] = []
        self.links: list[tuple[Area, str]] = []
        """With the id of the relationship that says where they lead."""

    def around(self, tag: str, attributes: dict[str, str]) -> None:
        """See an element that stands before or behind the cells."""
        if tag == "mergeCell":
            place = area(attributes.get("ref", ""), self.file)
            if place is not None and place.cells > 1:
                self.merged.append(place)
        elif tag == "hyperlink":
            place = area(attributes.get("ref", ""), self.file)
            key = next((value for name, value in attributes.items() if local(name) == "id"), None)
            if place is not None and key is not None:
                self.links.append((place, key))
        elif tag == "col" and attributes.get("hidden", "").casefold() in _TRUE:
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdigit() and last.isdigit():
                self.hidden_columns.append((int(first), int(last)))


def scan_sheet(data: bytes, file: str, reached: Reached | None = None) -> Scan:
    """Read what the XML of a sheet tells; `reached` is called before the end of it, or not at all.

    Raises:
        InputError: `file.damaged`, `file.dtd`, `file.too_large`.
    """
    plain = _scan_plain(data, file, reached)
    if plain is not None:
        return plain
    scan = _CellScan(file)
    parse(data, scan.start, file, on_parser=scan.use)
    scan.close_cell()
    scan.last_column = max(scan.columns.values(), default=0)
    return scan


def _scan_plain(data: bytes, file: str, reached: Reached | None = None) -> Scan | None:
    """Scan a sheet that is written as Excel writes it by searching; `None` for any other, or for one full of formulas.

    Formulas and errors alone are seen one by one. Half the time of the whole pass. Cells that hold a format alone
    count here for the last column.
    """
    cells = _DATA.search(data)
    if cells is None or data.count(b"<sheetData") != 1:
        return None
    special = _special_cells(data, *cells.span(1))
    if special is None:
        return None
    rows = _PLAIN_ROW.findall(data)
    columns = _columns_of_plain_cells(data, set(rows))
    if columns is None or len(rows) != data.count(b"<row "):
        return None
    last_column = max((column_number(text.decode("ascii"), file) for text in columns), default=0)
    numbers = list(map(int, rows))
    if sorted(set(numbers)) != numbers:
        return None  # rows out of order, or one of them twice: the last value need not be in the last row
    last_formatted = max(numbers, default=0)
    if last_formatted * last_column > _PLAIN_CELLS or last_formatted > MAX_ROW:
        return None
    if reached is not None:
        reached(last_formatted, last_column)
    parse(data, None, file)  # well-formed to its end: readers of tables are lenient there
    scan = _CellScan(file)
    parse(data[: cells.start()] + special + data[cells.end() :], scan.start, file, on_parser=scan.use)
    scan.close_cell()
    scan.last_formatted, scan.last_column = last_formatted, last_column
    last_value = max(data.rfind(value) for value in _VALUES)
    if last_value >= 0:
        found = _PLAIN_ROW.match(data, data.rfind(b"<row ", 0, last_value))
        scan.last_row = max(scan.last_row, 0 if found is None else int(found.group(1)))
    scan.last_certain = max(scan.last_certain, _last_number(data))
    if data.find(b" hidden=", *cells.span()) >= 0:
        scan.hidden_rows = set(map(int, _HIDDEN_ROW.findall(data)))
    return scan


def _columns_of_plain_cells(data: bytes, rows: set[bytes]) -> set[bytes] | None:
    """Give the letters of all columns; `None` where a cell is written in another way, or stands in another row.

    Some rows at a time: the references of a million cells weigh more than the sheet.
    """
    columns: set[bytes] = set()
    start, cells = 0, 0
    while start < len(data):
        end = data.find(b"<row ", start + _SCANNED_BYTES)
        end = len(data) if end < 0 else end
        references = _PLAIN_CELL.findall(data, start, end)
        joined = b" ".join(references)
        if not rows.issuperset(joined.translate(None, _LETTERS).split()):
            return None
        columns.update(joined.translate(None, b"0123456789").split())
        cells += len(references)
        start = end
    return columns if cells == data.count(b"<c ") else None


def _special_cells(data: bytes, start: int, end: int) -> bytes | None:
    """Give the cells that hold a formula or an error alone, in order.

    `None` where too many do, or where there is an element, a comment or a prefix that Excel does not write there.
    """
    heads: set[int] = set()
    for element in _UNUSUAL.finditer(data, start, end):
        if element[0] not in _FORMULAS or len(heads) > _MOST_SPECIAL:
            return None
        heads.add(data.rfind(b"<c ", start, element.start()))
    place = data.find(_ERROR_TYPE, start, end)
    while place >= 0:
        heads.add(data.rfind(b"<c ", start, place))
        if len(heads) > _MOST_SPECIAL:
            return None
        place = data.find(_ERROR_TYPE, place + 1, end)
    found = (data[head : _end_of_cell(data, head)] for head in sorted(heads))
    return b"<sheetData>" + b"".join(found) + b"</sheetData>"


def _end_of_cell(data: bytes, head: int) -> int:
    close = data.find(b">", head) + 1
    return close if data[close - 2 : close] == b"/>" else data.find(b"</c>", close) + 4


def _last_number(data: bytes) -> int:
    """Find the last row with a cell that is no text, looking at the last cells alone."""
    end = len(data)
    for _ in range(_CELLS_TRIED):
        value = data.rfind(b"<v>", 0, end)
        cell = data.rfind(b"<c ", 0, max(value, 0))
        if cell < 0:
            return 0
        is_uncached = data.startswith(b"</v>", value + 3) and data.find(b"<f", cell, value) >= 0
        if not is_uncached and not _TEXT.search(data, cell, value):
            found = _PLAIN_CELL.match(data, cell)
            return 0 if found is None else int(found.group(1).lstrip(_LETTERS))
        end = cell
    return 0


class _CellScan(Scan):
    """The listener to the XML of one sheet.

    It runs for every element of a sheet, of which there can be millions, so it hears starts only, and a cell is
    judged when the next one starts.
    """

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.columns: dict[str, int] = {}
        """Column letters that hold a value, with their number from 1."""
        self._row = 0
        self._digits = "0"
        self._letters = ""
        self._column = 0
        self._in_cell = False
        self._type = ""
        self._formula: list[str] | None = None
        self._shared: dict[str, str] = {}
        """The formulas that stand for several cells, by their number."""
        self._share = ""
        self._value: list[str] | None = None
        self._parser: expat.XMLParserType | None = None

    def use(self, parser: expat.XMLParserType) -> None:
        """Take the parser, to listen to text only where it matters."""
        self._parser = parser

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """See the start of an element."""
        if ":" in tag:
            tag = local(tag)
        if tag == "c":
            if self._formula is not None or self._type == "e":
                self.close_cell()
            self._in_cell = True
            self._type = attributes.get("t", "")
            self._place(attributes.get("r"))
        elif not self._in_cell:
            self._start_other(tag, attributes)
        elif tag in {"v", "is"}:
            self.last_row = max(self.last_row, self._row)
            self.columns[self._letters] = self._column
            if self._type not in _TEXTS and self._formula is None:
                self.last_certain = max(self.last_certain, self._row)
            if self._formula is not None or self._type == "e":
                self._value = []
                self._listen(self._value)
        elif tag == "f":
            self._formula = []
            self._share = attributes.get("si", "") if attributes.get("t") == "shared" else ""
            self._listen(self._formula)
        elif tag not in {"t", "r"}:
            self.close_cell()
            self._start_other(tag, attributes)

    def _place(self, reference: str | None) -> None:
        """Tell where the cell stands: by its own reference, else right of the cell before it."""
        if reference is None:
            self._column += 1
            self._letters = letters(self._column)
            return
        self._letters = reference.rstrip(_DIGITS)
        self._column = self.columns.get(self._letters) or column_number(self._letters, self.file)
        digits = reference[len(self._letters) :]
        if digits != self._digits:
            self._row = row_number(digits, self.file)
            self._digits = digits
            self.last_formatted = max(self.last_formatted, self._row)

    def close_cell(self) -> None:
        """Judge the open cell, now that all of it was seen."""
        shown = "".join(self._value or ()).strip()
        formula = self._formula_text() if self._formula is not None else ""
        flaw = None
        if self._type == "e":
            flaw = Flaw(FlawKind.ERROR_VALUE, shown or "an error")
        elif self._formula is not None and not shown and (self._value is None or self._type != "str"):
            # `t="str"` with an empty value is a formula that gave an empty text: that is a value.
            flaw = Flaw(FlawKind.UNCACHED_FORMULA, f"={formula}"[:_FORMULA_SHOWN] if formula else "a formula")
        elif self._formula is not None:
            if shown:
                self.last_certain = max(self.last_certain, self._row)
            kind = HintKind.EXTERNAL_LINK if _EXTERNAL.search(formula) else HintKind.FORMULA
            self.hints.setdefault(self._row, {})[self._column - 1] = Hint(kind, f"={formula}"[:_FORMULA_SHOWN])
        if flaw is not None:
            self.last_row = max(self.last_row, self._row)
            self.columns[self._letters] = self._column
            self.flaws.setdefault(self._row, {})[self._column - 1] = flaw
        self._in_cell = False
        self._type = ""
        self._formula = self._value = None
        if self._parser is not None:
            self._parser.CharacterDataHandler = None

    def _formula_text(self) -> str:
        text = "".join(self._formula or ()).strip()
        if self._share:
            text = self._shared.setdefault(self._share, text) if text else self._shared.get(self._share, "")
        return text

    def _start_other(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "row":
            self.around(tag, attributes)
            return
        number = attributes.get("r")
        self._row = self._row + 1 if number is None else row_number(number, self.file)
        self._digits = number or str(self._row)
        self._column = 0
        if self._row > MAX_ROW:
            raise outside(self.file)
        self.last_formatted = max(self.last_formatted, self._row)
        if attributes.get("hidden", "").casefold() in _TRUE:
            self.hidden_rows.add(self._row)

    def _listen(self, parts: list[str]) -> None:
        if self._parser is not None:
            self._parser.CharacterDataHandler = parts.append
