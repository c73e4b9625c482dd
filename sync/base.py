"""The very hidden sheet `Base` of an export: what the operator saw, written and read by one definition. Pure.

Row 1 says what the workbook was exported from, row 2 holds the headings, then comes one row a section, found by its
Id: sorting, filtering or deleting rows of the visible sheet does no harm. Every cell is a text of plain ASCII that no
program takes for a formula, a number or a date.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sync.diff import digest
from sync.errors import InputError
from sync.frozen import Frozen
from sync.model import RowNumber, SectionId, Table, TableRow
from sync.normalize import equal
from sync.origin import Origin, Seen
from sync.section import FIELDS, Access, Json, Record

BASE_SHEET: Final = "Base"
PREFIX: Final = "Base: "
"""How its headings begin, so that no reader takes it for a sheet of edits."""
ABOUT: Final = PREFIX + "about"
VERSION: Final = 1
BASE_FIELDS: Final = tuple(field.name for field in FIELDS if field.access is Access.EDITABLE)
HEADINGS: Final = tuple(PREFIX + name for name in ("Id", "UniqueId", "UpdatedOn", *BASE_FIELDS))
LONGEST_SHOWN: Final = 1_000
"""Characters of JSON up to which a value is kept itself; a longer one leaves its digest."""

_ROWS_ABOVE: Final = 2
_DIGEST: Final = re.compile("[0-9a-f]{64}(?:[0-9a-f]{64})?")
_DIGEST_ENDS: Final = 65
"""Where in a cell the digest ends; after it, of a text of several lines with tabs, comes that of the text without."""
_ID: Final = re.compile("[0-9]{1,19}")
_ROWS_NAMED: Final = 5


class BaseSection(Frozen):
    """One section as it was exported; its cells are read when they are asked for."""

    unique_id: str | None
    updated_on: str | None
    cells: Mapping[str, str]
    """By field, as they are written: the value, or its digest."""

    @property
    def digests(self) -> Mapping[str, str]:
        """The digest of every field."""
        return {
            name: cell[1:_DIGEST_ENDS] if cell[0] == "d" else digest(name, _value(cell))
            for name, cell in self.cells.items()
        }

    @property
    def shown(self) -> Mapping[str, Json]:
        """The values that are short enough to be kept."""
        return {name: _value(cell) for name, cell in self.cells.items() if cell[0] == "v"}

    def seen(self, values: Mapping[str, Json], *, exported_at: str, tabs_lost: bool = False) -> Seen:
        """Tell the fields of a row that the operator touched from those that are still as exported.

        With `tabs_lost` a text of several lines is so even if it lacks all the tabs that it was exported with.
        """
        digests: dict[str, str] = {}
        shown: dict[str, Json] = {}
        untouched: list[str] = []
        for name, value in values.items():
            cell = self.cells.get(name)
            if cell is None:
                continue
            if cell[0] == "d":
                now = digest(name, value)
                if now == cell[1:_DIGEST_ENDS] or (tabs_lost and now == cell[_DIGEST_ENDS:]):
                    untouched.append(name)
                else:
                    digests[name] = cell[1:_DIGEST_ENDS]
            elif equal(name, value, was := _value(cell)) or (
                tabs_lost and (bare := _without_tabs(was)) is not None and equal(name, value, bare)
            ):
                untouched.append(name)
            else:
                digests[name], shown[name] = digest(name, was), was
        return Seen(self.unique_id, exported_at, digests, shown, _names(tuple(untouched)))


class Base(Frozen):
    """Everything that a base sheet says."""

    origin: Origin
    sections: Mapping[SectionId, BaseSection]
    tabs_lost: bool = False
    """Whether the file is an .ods: LibreOffice saves texts of several lines in it without their tabs."""

    def seen(self, section_id: SectionId, values: Mapping[str, Json]) -> Seen | None:
        """What the operator saw of the fields that a row names; `None` for a section that was not exported."""
        section = self.sections.get(section_id)
        return (
            None
            if section is None
            else section.seen(values, exported_at=self.origin.exported_at, tabs_lost=self.tabs_lost)
        )


def base_rows(records: Iterable[Record], origin: Origin) -> Iterator[tuple[str, ...]]:
    """Give the rows of the sheet, from row 1 on."""
    about = {
        "version": VERSION,
        "account": origin.account,
        "base_url": origin.base_url,
        "exported_at": origin.exported_at,
    }
    yield ABOUT, json.dumps(about)
    yield HEADINGS
    for record in records:
        if not isinstance(record.get("Id"), int):
            continue
        kept = (_cell(name, record.get(name)) for name in ("UniqueId", "UpdatedOn", *BASE_FIELDS))
        yield (str(record.get("Id")), *kept)


def find_base(tables: Sequence[Table]) -> Table | None:
    """Find the base sheet of a file by its headings, whatever it is called and whether or not it is hidden by now."""
    return next((table for table in tables if _is_base(table)), None)


def read_base(table: Table, *, tabs_lost: bool = False) -> Base | None:
    """Read the base sheet; `None` if this is none. Of an .ods, say that texts of several lines may lack their tabs.

    Raises:
        InputError: `base.damaged`: it is ours, and cannot be read whole.
    """
    if not _is_base(table):
        return None
    origin = _origin(table.rows[0])
    columns = _columns(table)
    sections: dict[SectionId, BaseSection] = {}
    for row in table.rows[_ROWS_ABOVE:]:
        if any(cell is not None for cell in row.cells):
            section_id, section = _section(row, columns)
            if section_id in sections:
                raise _damaged(f"row {row.number} repeats the section {section_id}")
            sections[section_id] = section
    return Base(origin, sections, tabs_lost)


def exported_places(tables: Sequence[Table]) -> dict[SectionId, tuple[int, int]]:
    """Course and place of every exported section, also of those that are no row of the sheet any more."""
    table = find_base(tables)
    if table is None:
        return {}
    columns = _columns(table)
    at = [columns[name] for name in ("Id", "CourseId", "DisplayOrder")]
    places: dict[SectionId, tuple[int, int]] = {}
    for row in table.rows[_ROWS_ABOVE:]:
        key, course, order = (row.cells[column] if column < len(row.cells) else None for column in at)
        if (
            isinstance(key, str)
            and isinstance(course, str)
            and isinstance(order, str)
            and course[:1] == order[:1] == "v"
        ):
            pair = (_value(course), _value(order))
            if all(type(number) is int for number in pair):
                places[SectionId(int(key))] = pair
    return places


def carried_rows(table: Table, ids: Collection[str]) -> list[TableRow]:
    """Give the rows that a workbook made of some of the sections needs: both headings, and the sections' own."""
    return [
        row
        for at, row in enumerate(table.rows)
        if at < _ROWS_ABOVE or (row.cells and row.cells[0] is not None and str(row.cells[0]) in ids)
    ]


def refuse_foreign(origin: Origin | None, *, account: str, base_url: str) -> None:
    """Refuse a workbook that was exported from another account: its Ids mean other sections there.

    Raises:
        InputError: `base.foreign`.
    """
    if origin is None or (origin.account, origin.base_url) == (account, base_url):
        return
    theirs = f"{origin.base_url} ({origin.account or 'no account named'})"
    ours = f"{base_url} ({account or 'no account named'})"
    raise _foreign(f"This workbook was exported from {theirs}, not from {ours}.")


def is_another(live: Record, seen: Seen | None) -> bool:
    """Whether the Id means another section than when the workbook was exported; unknown is not another."""
    unique_id = live.get("UniqueId")
    return seen is not None and None not in (seen.unique_id, unique_id) and seen.unique_id != unique_id


def refuse_other_sections(rows: Sequence[tuple[RowNumber, SectionId]]) -> None:
    """Refuse a workbook in which rows name sections that are other ones by now, by their UniqueId.

    Raises:
        InputError: `base.foreign`.
    """
    if rows:
        named = ", ".join(f"{section_id} (row {row})" for row, section_id in rows[:_ROWS_NAMED])
        more = f" and {len(rows) - _ROWS_NAMED:,} more" if len(rows) > _ROWS_NAMED else ""
        raise _foreign(f"These Ids mean other sections than when this workbook was exported: {named}{more}.")


def _is_base(table: Table) -> bool:
    cells = (cell for row in table.rows[:_ROWS_ABOVE] for cell in row.cells)
    return any(isinstance(cell, str) and cell.startswith(PREFIX) for cell in cells)


def _cell(name: str, value: Json) -> str:
    """Write one value: itself where it is short and exact as JSON, else its digest."""
    if value is None or isinstance(value, str | int):
        # No `_x0041_` is left in it, which some programs take for a character and others do not.
        text = json.dumps(value).replace("_x", "\\u005fx")
        if len(text) <= LONGEST_SHOWN:
            return "v" + text
    bare = _without_tabs(value)
    return "d" + digest(name, value) + ("" if bare is None else digest(name, bare))


def _without_tabs(value: Json) -> str | None:
    """A text of several lines without its tabs; `None` for any other value."""
    if isinstance(value, str) and "\t" in value and ("\n" in value or "\r" in value):
        return value.replace("\t", "")
    return None


def _value(cell: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(cell[1:])


@lru_cache(maxsize=256)
def _names(names: tuple[str, ...]) -> frozenset[str]:
    """One object for all rows of a sheet that leave the same cells alone."""
    return frozenset(names)


def _origin(row: TableRow) -> Origin:
    match row.cells:
        case (str(heading), str(text), *_) if heading == ABOUT:
            pass
        case _:
            raise _damaged("its first row does not say what was exported")
    try:
        about = json.loads(text)
    except ValueError:
        about = None
    match about:
        case {
            "version": int(version),
            "account": str(account),
            "base_url": str(base_url),
            "exported_at": str(exported_at),
        } if version == VERSION:
            return Origin(account, base_url, exported_at)
        case {"version": int(version)} if version > VERSION:
            raise _damaged(f"a newer coursesync has written it (version {version})")
        case _:
            raise _damaged("its first row does not say what was exported")


def _columns(table: Table) -> Mapping[str, int]:
    headings = table.rows[1].cells if len(table.rows) > 1 else ()
    columns = {
        cell.removeprefix(PREFIX): at
        for at, cell in enumerate(headings)
        if isinstance(cell, str) and cell.startswith(PREFIX)
    }
    missing = [heading for heading in HEADINGS if heading.removeprefix(PREFIX) not in columns]
    if missing:
        raise _damaged(f"it has no heading {missing[0]!r}")
    return columns


def _section(row: TableRow, columns: Mapping[str, int]) -> tuple[SectionId, BaseSection]:
    texts = {name: row.cells[at] if at < len(row.cells) else None for name, at in columns.items()}
    key = texts["Id"]
    if not isinstance(key, str) or not _ID.fullmatch(key):
        raise _damaged(f"row {row.number} has no Id")
    cells: dict[str, str] = {}
    for name in ("UniqueId", "UpdatedOn", *BASE_FIELDS):
        cell = texts[name]
        if not isinstance(cell, str) or not _is_sound(cell):
            raise _damaged(f"{name} of section {key} (row {row.number}) cannot be read")
        cells[name] = cell
    unique_id, updated_on = _text(cells.pop("UniqueId")), _text(cells.pop("UpdatedOn"))
    return SectionId(int(key)), BaseSection(unique_id, updated_on, cells)


def _is_sound(cell: str) -> bool:
    if cell[:1] == "d":
        return bool(_DIGEST.fullmatch(cell, 1))
    try:
        json.loads(cell[1:])
    except ValueError:
        return False
    return cell[:1] == "v"


def _text(cell: str) -> str | None:
    value = _value(cell) if cell[0] == "v" else None
    return value if isinstance(value, str) else None


def _damaged(what: str) -> InputError:
    return InputError(
        f"The hidden sheet {BASE_SHEET!r}, which keeps what you saw when this workbook was exported, is damaged:"
        f" {what}.",
        code="base.damaged",
        remedy="Export again and make the edits there; or save the sheet with the sections as CSV, which leaves the"
        " hidden one out: then only the UpdatedOn column tells whether somebody changed a section meanwhile.",
    )


def _foreign(what: str) -> InputError:
    return InputError(
        what,
        code="base.foreign",
        remedy="Nothing was sent. Use the profile that it was exported with, or export again from this one.",
    )
