"""The base sheet of an export: what it keeps, how it is read back, and what is refused."""

import json

import pytest

from sync.base import (
    BASE_FIELDS,
    HEADINGS,
    LONGEST_SHOWN,
    Base,
    base_rows,
    carried_rows,
    exported_places,
    find_base,
    is_another,
    read_base,
    refuse_foreign,
    refuse_other_sections,
)
from sync.diff import digest
from sync.errors import InputError
from sync.frozen import replace
from sync.model import CellValue, RowNumber, SectionId, Table, TableRow
from sync.origin import Seen
from sync.section import Json
from tests.sections import ORIGIN, section

SEVEN = SectionId(7)


def table_of(*records: dict[str, Json], name: str = "Base", hidden: bool = True) -> Table:
    rows = base_rows(records or (section(7),), ORIGIN)
    return Table(name, tuple(TableRow(RowNumber(at), row) for at, row in enumerate(rows, start=1)), hidden)


def with_cell(table: Table, row: int, column: int, value: CellValue) -> Table:
    cells = list(table.rows[row - 1].cells)
    cells[column] = value
    rows = list(table.rows)
    rows[row - 1] = TableRow(RowNumber(row), tuple(cells))
    return replace(table, rows=tuple(rows))


def read(table: Table) -> Base:
    base = read_base(table)
    assert base is not None
    return base


# tabs that LibreOffice loses in an .ods -----------------------------------------------------------------------------


@pytest.mark.parametrize("more", ["", "x" * LONGEST_SHOWN], ids=["short", "long"])
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param("<ul>\n<li>a</li>\n</ul>", True, id="no tab is left"),
        pytest.param("<ul>\n\t<li>a</li>\n</ul>", True, id="as exported"),
        pytest.param("<ul>\n<li>b</li>\n</ul>", False, id="edited beside"),
    ],
)
def test_a_text_whose_tabs_the_program_lost_is_untouched(more: str, cell: str, expected: bool) -> None:  # noqa: FBT001 - a parameter
    """Saving as .ods is no edit; in any other file the tabs were taken out by somebody."""
    table = table_of(section(7) | {"SectionContents": "<ul>\n\t<li>a</li>\n</ul>" + more})
    values: dict[str, Json] = {"SectionContents": cell + more}
    ods, other = read_base(table, tabs_lost=True), read(table)
    assert ods is not None

    seen, seen_elsewhere = ods.seen(SEVEN, values), other.seen(SEVEN, values)

    assert seen is not None
    assert seen_elsewhere is not None
    assert ("SectionContents" in seen.untouched) is expected
    assert ("SectionContents" in seen_elsewhere.untouched) is ("\t" in cell)


def test_the_tabs_of_a_single_line_count() -> None:
    """There LibreOffice keeps them."""
    base = read_base(table_of(section(7) | {"Title": "a\t b"}), tabs_lost=True)
    assert base is not None

    seen = base.seen(SEVEN, {"Title": "a b"})

    assert seen is not None
    assert seen.untouched == frozenset()


# there and back ----------------------------------------------------------------------------------------------------


def str_id(value: Json) -> str:
    return ascii(value)[:20] + (f" ({len(value)})" if isinstance(value, str) else "")


ODD: tuple[Json, ...] = (
    None,
    "",
    "=1+1",
    "@home",
    "a\r\nb\tc",
    "_x0041_",
    "\ud800",
    "\U0001f600" * 30,
    '"quoted"',
    "x" * (LONGEST_SHOWN - 2),
    "x" * (LONGEST_SHOWN - 1),
    "x" * 50_000,
    0,
    -5,
    10**18,
    1.5,
    True,
    False,
)


@pytest.mark.parametrize("value", ODD, ids=str_id)
def test_every_value_comes_back_as_it_was_or_as_its_digest(value: Json) -> None:
    """The digest always agrees; the value itself is there where it is short and exact."""
    table = table_of(section(7, Title=value))
    kept = read(table).sections[SEVEN]

    cell = str(table.rows[2].cells[HEADINGS.index("Base: Title")])
    assert kept.digests["Title"] == digest("Title", value)
    assert kept.shown.get("Title", value) == value
    assert ("Title" in kept.shown) == (cell[0] == "v")
    assert len(cell) <= LONGEST_SHOWN + 1


@pytest.mark.parametrize("value", ODD, ids=str_id)
def test_no_cell_is_anything_but_plain_text(value: Json) -> None:
    """Nothing that a program takes for a formula, an error or an escaped character, whatever the section holds."""
    table = table_of(section(7, Title=value, UniqueId=value, UpdatedOn=value))

    for row in table.rows:
        for cell in row.cells:
            assert isinstance(cell, str)
            assert cell.isascii()
            assert cell.isprintable()
            assert cell[0] not in "=+-@#"
            assert "_x" not in cell


def test_the_sheet_says_where_it_comes_from() -> None:
    """Account, address and moment, beside every editable field of every section."""
    base = read(table_of(section(7), section(8, UniqueId=None, UpdatedOn=None)))

    assert base.origin == ORIGIN
    assert list(base.sections) == [7, 8]
    assert (base.sections[SEVEN].unique_id, base.sections[SEVEN].updated_on) == ("unique-7", "2025-01-15T10:30:00Z")
    assert (base.sections[SectionId(8)].unique_id, base.sections[SectionId(8)].updated_on) == (None, None)
    assert all(set(kept.digests) == set(BASE_FIELDS) for kept in base.sections.values())


@pytest.mark.parametrize(
    ("name", "hidden"), [("Base", True), ("Base", False), ("Base (2)", True)], ids=["as written", "shown", "renamed"]
)
def test_the_sheet_is_known_by_its_headings(name: str, *, hidden: bool) -> None:
    """Other programs show hidden sheets, or rename them; an operator's own sheet called Base is not ours."""
    own = Table("Base", (TableRow(RowNumber(1), ("Base", "Salary")), TableRow(RowNumber(2), (1, 2))))
    ours = table_of(name=name, hidden=hidden)

    assert find_base([own, ours]) is ours
    assert find_base([own]) is None
    assert read_base(own) is None


def test_rows_and_columns_may_be_moved() -> None:
    """Found by Id and heading: order plays no part, blank rows none either."""
    table = table_of(section(7), section(8, Title="Eight"))
    about, *others = table.rows
    turned = [TableRow(row.number, tuple(reversed(row.cells))) for row in others]
    moved = (about, turned[0], turned[2], TableRow(RowNumber(9), (None, None)), turned[1])

    assert read(replace(table, rows=moved)) == read(table)


def test_what_a_smaller_workbook_carries() -> None:
    """Both headings and the sections that it holds, so that it reads as the whole one does."""
    table = table_of(section(7), section(8), section(9))

    smaller = replace(table, rows=tuple(carried_rows(table, {"9", "7", "x"})))

    assert [row.cells[0] for row in smaller.rows] == ["Base: about", "Base: Id", "7", "9"]
    assert read(smaller).sections[SEVEN] == read(table).sections[SEVEN]


# what the operator touched -----------------------------------------------------------------------------------------


def test_touched_cells_are_told_from_those_as_exported() -> None:
    """By normal form: noise is no touch; a long value is known by its digest, and cannot be shown."""
    long = "<p>" + "x" * 2_000
    base = read(table_of(section(7, Title="caf\u00e9", SectionContents=long, DisplayOrder=3)))

    assert base.seen(SEVEN, {"Title": "cafe\u0301", "SectionContents": long, "DisplayOrder": 3}) == Seen(
        "unique-7", ORIGIN.exported_at, {}, {}, frozenset({"Title", "SectionContents", "DisplayOrder"})
    )
    assert base.seen(SEVEN, {"Title": "tea", "SectionContents": "", "Active": True, "NewImageUrl": "x"}) == Seen(
        "unique-7",
        ORIGIN.exported_at,
        {"Title": digest("Title", "caf\u00e9"), "SectionContents": digest("SectionContents", long)},
        {"Title": "caf\u00e9"},
        frozenset({"Active"}),
    )
    assert base.seen(SectionId(8), {"Title": "tea"}) is None


# refusals ----------------------------------------------------------------------------------------------------------


def about(**changes: Json) -> str:
    known = {"version": 1, "account": "a", "base_url": "b", "exported_at": "c"}
    return json.dumps({**known, **changes})


@pytest.mark.parametrize(
    ("row", "column", "value", "says"),
    [
        pytest.param(1, 0, None, "first row", id="no about"),
        pytest.param(1, 1, "{", "first row", id="about is no JSON"),
        pytest.param(1, 1, "[]", "first row", id="about is no object"),
        pytest.param(1, 1, about(account=7), "first row", id="account is no text"),
        pytest.param(1, 1, about(version=0), "first row", id="version that never was"),
        pytest.param(1, 1, about(version=2), "newer coursesync", id="version to come"),
        pytest.param(2, 0, "Id", "no heading 'Base: Id'", id="heading gone"),
        pytest.param(2, 4, None, "no heading 'Base: Title'", id="field's heading gone"),
        pytest.param(3, 0, None, "row 3 has no Id", id="no Id"),
        pytest.param(3, 0, 7.5, "row 3 has no Id", id="Id that is none"),
        pytest.param(3, 4, None, "Title of section 7 (row 3)", id="value gone"),
        pytest.param(3, 4, "Yoga", "Title of section 7 (row 3)", id="value typed over"),
        pytest.param(3, 4, "v'Yoga'", "Title of section 7 (row 3)", id="value is no JSON"),
        pytest.param(3, 4, "d" + "0" * 63, "Title of section 7 (row 3)", id="digest cut"),
        pytest.param(3, 4, "d" + "0" * 65, "Title of section 7 (row 3)", id="digest too long"),
        pytest.param(3, 4, "", "Title of section 7 (row 3)", id="empty text"),
        pytest.param(3, 4, True, "Title of section 7 (row 3)", id="no text"),
        pytest.param(4, 0, "7", "row 4 repeats the section 7", id="section twice"),
    ],
)
def test_a_damaged_base_is_refused(row: int, column: int, value: CellValue, says: str) -> None:
    """What was seen is known for all rows or for none: a guess could undo somebody's work."""
    with pytest.raises(InputError, match="damaged") as caught:
        read_base(with_cell(table_of(section(7), section(8)), row, column, value))

    assert caught.value.code == "base.damaged"
    assert says in caught.value.message
    assert "Export again" in caught.value.remedy


def test_a_base_cut_to_its_first_row_is_damaged() -> None:
    """Headings are part of it."""
    table = table_of()

    with pytest.raises(InputError, match="no heading"):
        read_base(replace(table, rows=table.rows[:1]))


@pytest.mark.parametrize(
    ("account", "base_url"), [("other", ORIGIN.base_url), (ORIGIN.account, "https://other.example.com/api")]
)
def test_a_workbook_of_another_account_is_refused(account: str, base_url: str) -> None:
    """Its Ids mean other sections there; the message names both sides."""
    with pytest.raises(InputError, match="was exported from") as caught:
        refuse_foreign(ORIGIN, account=account, base_url=base_url)

    assert caught.value.code == "base.foreign"
    assert {ORIGIN.account, account, ORIGIN.base_url, base_url} <= set(
        caught.value.message.replace("(", " ").replace(")", " ").replace(",", " ").rstrip(".").split()
    )


def test_a_workbook_of_this_account_or_of_none_passes() -> None:
    """A sheet without a base says nothing of an account."""
    refuse_foreign(ORIGIN, account=ORIGIN.account, base_url=ORIGIN.base_url)
    refuse_foreign(None, account="any", base_url="any")


@pytest.mark.parametrize(
    ("seen", "live", "another"),
    [
        pytest.param("u", "u", False, id="the same"),
        pytest.param("u", "w", True, id="another"),
        pytest.param(None, "w", False, id="not known then"),
        pytest.param("u", None, False, id="not known now"),
    ],
)
def test_an_id_that_means_another_section_by_now_is_seen(seen: str | None, live: Json, *, another: bool) -> None:
    """By UniqueId, which an Id of another account does not share."""
    assert is_another(section(7, UniqueId=live), Seen(seen, "then")) is another
    assert is_another(section(7, UniqueId=live), None) is False


def test_sections_that_are_other_ones_refuse_the_workbook() -> None:
    """The first few are named, the others counted."""
    rows = [(RowNumber(row), SectionId(row * 10)) for row in range(2, 9)]

    refuse_other_sections([])
    with pytest.raises(InputError, match=r"20 \(row 2\), .*, 60 \(row 6\) and 2 more") as caught:
        refuse_other_sections(rows)

    assert caught.value.code == "base.foreign"


def test_places_are_known_of_every_exported_section() -> None:
    """Whether or not it is a row of the sheet; a place that is no pair of whole numbers is none."""
    table = table_of(section(7, DisplayOrder=3), section(8, CourseId=None), section(9, DisplayOrder=True), section(10))

    assert exported_places([table]) == {7: (12, 3), 10: (12, 1)}
    assert exported_places([]) == {}
