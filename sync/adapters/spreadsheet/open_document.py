"""What the XML of an OpenDocument sheet (.ods) says that no table reader tells, and how far its repetitions reach.

A few bytes can repeat a row a million times: what is repeated and blank is passed over, what holds values counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from sync.adapters.spreadsheet.facts import SheetFacts
from sync.adapters.spreadsheet.grid import MAX_CELLS, MAX_COLUMN, MAX_ROW, Area, outside, reaches_too_far
from sync.adapters.spreadsheet.markup import local, parse
from sync.adapters.spreadsheet.package import Package, damaged
from sync.cells import is_error_word
from sync.hints import Hint, HintKind
from sync.model import Flaw, FlawKind

_CONTENT: Final = "content.xml"
_HIDDEN: Final = frozenset({"collapse", "filter"})
_ERROR: Final = re.compile(r"Err:[0-9]{3}")
_FORMULA_SHOWN: Final = 200
_SIGNS: Final = {"text:s": " ", "text:tab": "\t", "text:line-break": "\n"}
_CELLS: Final = frozenset({"table:table-cell", "table:covered-table-cell"})


@dataclass(slots=True)
class _Cell:
    """The open cell."""

    attributes: Mapping[str, str]
    text: list[str] = field(default_factory=list)
    paragraphs: int = 0
    is_broken_up: bool = False
    """Whether it holds line breaks or tabs that the reader of tables passes over."""

    @property
    def holds(self) -> bool:
        return "office:value-type" in self.attributes or "table:formula" in self.attributes or any(self.text)


@dataclass(slots=True)
class _Sheet:
    """The open sheet, filled row by row."""

    name: str
    hidden: bool
    flaws: dict[int, dict[int, Flaw]] = field(default_factory=dict)
    hints: dict[int, dict[int, Hint]] = field(default_factory=dict)
    texts: dict[int, dict[int, str]] = field(default_factory=dict)
    last_row: int = 0
    last_column: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)
    row: int = 0
    """The last row that is finished; the open one begins below."""
    column: int = 0
    columns: int = 0
    """Columns that were declared so far."""
    repeated: int = 1
    row_hidden: bool = False
    row_flaws: dict[int, Flaw] = field(default_factory=dict)
    row_hints: dict[int, Hint] = field(default_factory=dict)
    row_texts: dict[int, str] = field(default_factory=dict)
    row_reach: int = 0


def read_open_document_facts(package: Package) -> dict[str, SheetFacts]:
    """Read the facts of every sheet, by its name.

    Raises:
        InputError: `file.damaged`, `file.dtd`, or `file.too_large` for values that are repeated without end.
    """
    scan = _Scan(package.file)
    parse(package.part(_CONTENT) or b"", scan.start, package.file, on_parser=scan.use)
    return {
        sheet.name: SheetFacts(
            sheet.name,
            sheet.hidden,
            sheet.flaws,
            sheet.hints,
            sheet.last_row,
            sheet.last_column,
            0,
            sheet.last_row,
            frozenset(sheet.hidden_rows),
            tuple(sheet.hidden_columns),
            tuple(sheet.merged),
            texts=sheet.texts,
        )
        for sheet in scan.sheets
    }


class _Scan:
    """The listener to the XML; prefixes are the ones that every program writes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.sheets: list[_Sheet] = []
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._sheet: _Sheet | None = None
        self._cell: _Cell | None = None
        self._aside = 0
        """How deep within a remark or a drawing, whose text is no cell's."""
        self._paragraph = False

    def use(self, parser: expat.XMLParserType) -> None:
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._aside or (self._cell is not None and tag in {"office:annotation", "draw:frame", "draw:custom-shape"}):
            self._aside += 1
        elif tag in _CELLS:
            self._cell = _Cell(attributes)
        elif tag == "text:p" and self._cell is not None:
            self._paragraph = True
            self._cell.text += "\n" * (self._cell.paragraphs > 0)
            self._cell.paragraphs += 1
        elif tag in _SIGNS and self._cell is not None:
            self._cell.text.append(_SIGNS[tag] * self._times(attributes, "text:c"))
            self._cell.is_broken_up |= tag != "text:s"
        elif tag == "table:table-row" and self._sheet is not None:
            self._start_row(self._sheet, attributes)
        elif tag == "table:table-column" and self._sheet is not None:
            repeated = self._times(attributes, "table:number-columns-repeated")
            if attributes.get("table:visibility") in _HIDDEN:
                self._sheet.hidden_columns.append((self._sheet.columns + 1, self._sheet.columns + repeated))
            self._sheet.columns += repeated
        elif tag == "table:table" and self._sheet is None:
            hidden = attributes.get("table:style-name", "") in self._hidden_styles
            self._sheet = _Sheet(attributes.get("table:name", ""), hidden)
        elif tag == "style:style":
            self._style = attributes.get("style:name", "")
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self._hidden_styles.add(self._style)

    def text(self, text: str) -> None:
        if self._paragraph and not self._aside and self._cell is not None:
            self._cell.text.append(text)

    def end(self, tag: str) -> None:
        if self._aside:
            self._aside -= 1
        elif tag == "text:p":
            self._paragraph = False
        elif tag in _CELLS:
            if self._sheet is not None and self._cell is not None:
                self._end_cell(self._sheet, self._cell)
            self._cell = None
        elif tag == "table:table-row" and self._sheet is not None:
            self._end_row(self._sheet)
        elif tag == "table:table" and self._sheet is not None:
            self.sheets.append(self._sheet)
            self._sheet = None

    def _start_row(self, sheet: _Sheet, attributes: Mapping[str, str]) -> None:
        sheet.column = sheet.row_reach = 0
        sheet.repeated = self._times(attributes, "table:number-rows-repeated")
        sheet.row_hidden = attributes.get("table:visibility") in _HIDDEN
        sheet.row_flaws, sheet.row_hints, sheet.row_texts = {}, {}, {}

    def _end_cell(self, sheet: _Sheet, cell: _Cell) -> None:
        repeated = self._times(cell.attributes, "table:number-columns-repeated")
        right = self._times(cell.attributes, "table:number-columns-spanned")
        down = self._times(cell.attributes, "table:number-rows-spanned")
        first = sheet.column + 1
        sheet.column += repeated
        if right * down > 1:
            top = sheet.row + 1
            sheet.merged.append(Area(top, first, top + down - 1, first + right - 1))
        if not cell.holds:
            return
        if sheet.column > MAX_COLUMN:
            raise outside(self.file)
        sheet.row_reach = sheet.column
        if cell.is_broken_up:
            sheet.row_texts |= dict.fromkeys(range(first - 1, sheet.column), "".join(cell.text))
        marks = _marks(cell)
        for column in range(first - 1, sheet.column):
            match marks:
                case Flaw():
                    sheet.row_flaws[column] = marks
                case Hint():
                    sheet.row_hints[column] = marks
                case None:
                    break

    def _end_row(self, sheet: _Sheet) -> None:
        first = sheet.row + 1
        sheet.row += sheet.repeated
        if sheet.row_reach:
            if sheet.row > MAX_ROW:
                raise outside(self.file)
            sheet.last_row = sheet.row
            sheet.last_column = max(sheet.last_column, sheet.row_reach)
            if sheet.last_row * sheet.last_column > MAX_CELLS:
                raise reaches_too_far(self.file, sheet.name, last_row=sheet.last_row, last_column=sheet.last_column)
            for row in range(first, sheet.row + 1):
                if sheet.row_flaws:
                    sheet.flaws[row] = sheet.row_flaws
                if sheet.row_hints:
                    sheet.hints[row] = sheet.row_hints
                if sheet.row_texts:
                    sheet.texts[row] = sheet.row_texts
                if sheet.row_hidden:
                    sheet.hidden_rows.add(row)

    def _times(self, attributes: Mapping[str, str], name: str) -> int:
        text = attributes.get(name, "1")
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ROW))):
            raise damaged(self.file)
        return max(1, int(text))


def _marks(cell: _Cell) -> Flaw | Hint | None:
    """Judge a cell that holds something."""
    shown = "".join(cell.text).strip()
    formula = cell.attributes.get("table:formula")
    is_error = next(
        (value for name, value in cell.attributes.items() if local(name) == "value-type" and value == "error"), None
    )
    if is_error is not None or (formula is not None and (_ERROR.fullmatch(shown) or is_error_word(shown))):
        return Flaw(FlawKind.ERROR_VALUE, shown or "an error")
    if formula is None:
        return None
    plain = f"={formula.partition('=')[2]}"[:_FORMULA_SHOWN]
    if "office:value-type" not in cell.attributes:
        return Flaw(FlawKind.UNCACHED_FORMULA, plain)
    kind = HintKind.EXTERNAL_LINK if "'file:" in formula or "'http" in formula else HintKind.FORMULA
    return Hint(kind, plain)
