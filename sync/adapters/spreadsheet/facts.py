"""What a workbook's XML says that no table reader tells: errors, formulas, what is hidden or merged, links, reach.

A table reader gives a blank for an error cell and for a formula that was never calculated, shows hidden rows like
others, and builds the whole rectangle up to the last cell. So this pass comes first.
"""

import posixpath
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from sync.adapters.spreadsheet.grid import MAX_CELLS, Area
from sync.adapters.spreadsheet.markup import local, parse
from sync.adapters.spreadsheet.package import Package
from sync.adapters.spreadsheet.scan import Scan, scan_sheet
from sync.frozen import Frozen, field
from sync.hints import Hint
from sync.model import Flaw

WORKBOOK: Final = "xl/workbook.xml"
RELATIONSHIPS: Final = "xl/_rels/workbook.xml.rels"


class SheetFacts(Frozen):
    """What the XML says of one sheet; rows and columns as Excel counts them, from 1, except within `flaws`."""

    name: str
    hidden: bool = False
    flaws: Mapping[int, Mapping[int, Flaw]] = field(default_factory=dict)
    """By row, then by column from 0."""
    hints: Mapping[int, Mapping[int, Hint]] = field(default_factory=dict)
    """The same."""
    last_row: int = 0
    """The last row that holds a value; 0 for an empty sheet."""
    last_column: int = 0
    """The last column that holds a value, or a format in it."""
    last_certain: int = 0
    """The last row that is known to hold a number, a truth value, or a formula's result that is not blank."""
    last_formatted: int = 0
    """The last row that is written down at all."""
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: tuple[tuple[int, int], ...] = ()
    """First and last of each run of columns."""
    merged: tuple[Area, ...] = ()
    links: tuple[tuple[Area, str], ...] = ()
    """Where the links of cells lead outside of the workbook."""
    texts: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    """Texts of which the reader of tables loses characters, by row, then by column from 0."""


def read_facts(package: Package, within_reach: Callable[[], None] | None = None) -> dict[str, SheetFacts]:
    """Read the facts of every sheet that has a part, by the sheet's name.

    Args:
        package: the workbook.
        within_reach: is called as soon as it is certain that no sheet reaches too far, if that is before the end.

    Raises:
        InputError: `file.damaged`, `file.dtd`, or `file.too_large` for a cell outside of Excel's grid.
    """
    targets = _targets(package, RELATIONSHIPS, "xl")
    named = [(name, targets.get(relationship, ""), hidden) for name, relationship, hidden in _sheets(package)]
    last = max((index for index, (_, part, _) in enumerate(named) if part.lower() in package.names), default=-1)
    facts = {}
    cells = 0
    for index, (name, part, hidden) in enumerate(named):
        data = package.part(part)
        if data is not None:
            reached = None if within_reach is None or index != last else partial(_tell, within_reach, cells)
            scan = scan_sheet(data, package.file, reached)
            del data
            cells += scan.last_row * scan.last_column
            facts[name] = _facts_of(scan, package, part, name, hidden=hidden)
    return facts


def _tell(within_reach: Callable[[], None], cells: int, last_row: int, last_column: int) -> None:
    """Pass on that the last sheet is within reach, after others with so many cells."""
    if cells + last_row * last_column <= MAX_CELLS:
        within_reach()


def _facts_of(scan: Scan, package: Package, part: str, name: str, *, hidden: bool) -> SheetFacts:
    links: list[tuple[Area, str]] = []
    if scan.links:
        folder, _, base = part.rpartition("/")
        targets = _targets(package, f"{folder}/_rels/{base}.rels", None)
        links = [(place, targets[key]) for place, key in scan.links if key in targets]
    return SheetFacts(
        name,
        hidden,
        scan.flaws,
        scan.hints,
        scan.last_row,
        scan.last_column,
        scan.last_certain,
        scan.last_formatted,
        frozenset(scan.hidden_rows),
        tuple(scan.hidden_columns),
        tuple(scan.merged),
        tuple(links),
    )


def _targets(package: Package, part: str, folder: str | None) -> dict[str, str]:
    """Map relationship ids to part names below `folder`; without a folder to addresses outside, as they stand."""
    targets: dict[str, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) != "Relationship":
            return
        target = attributes.get("Target", "")
        if folder is not None:
            target = target.replace("\\", "/")
            target = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
        elif attributes.get("TargetMode", "").casefold() != "external":
            return
        targets[attributes.get("Id", "")] = target

    parse(package.part(part) or b"<none/>", start, package.file)
    return targets


def _sheets(package: Package) -> list[tuple[str, str, bool]]:
    """List name, relationship id and hiddenness of each sheet, in the workbook's order."""
    sheets: list[tuple[str, str, bool]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "sheet":
            plain = {local(name): value for name, value in attributes.items() if name != "id"}
            hidden = plain.get("state", "visible") in {"hidden", "veryHidden"}
            sheets.append((plain.get("name", ""), plain.get("id", ""), hidden))

    parse(package.part(WORKBOOK) or b"<none/>", start, package.file)
    return sheets
