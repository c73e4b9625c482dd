"""Laws of the short way: a plain row is judged by one look exactly as it is judged cell by cell."""

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from sync.cells import Value, plainness_of, read_cell
from sync.frozen import replace
from sync.hints import Hint, HintKind
from sync.html_risks import HtmlPolicy
from sync.model import CellValue, CheckedSheet, LoadedFile, RowNumber, Table, TableRow
from sync.section import EDITABLE, SectionField
from sync.validate import check_sheet

HEADINGS = ("Id", "CourseId", "Title", "DisplayOrder", "UnlockType", "UnlockAfterDays", "Active", "SectionContents")
MORE = ("ClearImageFile", "NewImageUrl", "Command", "UpdatedOn", "CourseTitle", "Note")
NO_REMARK = {0: Hint(HintKind.LINK_TARGET, "https://elsewhere.example")}
"""What a cell that is no address may carry without a word being said of it: such a row is judged cell by cell."""

texts = st.one_of(
    st.sampled_from(
        ["", " ", "A", "Intro", "Part " * 60, "n/a", "null", "#REF!", "[clear]", "'=1", '="x"', "<p>x</p>", "a\r\nb"]
    ),
    st.sampled_from(["<script>x</script>", '<a href="javascript:x">', "Käse", "e\u0301", "\ufeffx", "a\x00", "skip"]),
    st.text(max_size=12),
)
cells: st.SearchStrategy[CellValue] = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.sampled_from([10**15, 2**53 + 1, 1.5, 3.0]), texts
)
likely = st.tuples(
    st.integers(1, 60),
    st.none() | st.integers(1, 9),
    st.none() | texts,
    st.none() | st.integers(0, 9),
    st.none() | st.integers(1, 4),
    st.none() | st.integers(0, 9),
    st.none() | st.booleans(),
    st.none() | texts,
)
PLAIN: tuple[CellValue, ...] = (1, 7, "Intro", 0, 1, 0, True, "<p>x</p>")
NOTHING: tuple[CellValue, ...] = (None,) * len(MORE)
first_cells = st.one_of(likely, st.tuples(*[cells] * len(HEADINGS)))
rows = st.lists(st.tuples(first_cells, st.tuples(*[st.just(None) | st.just(None) | cells] * len(MORE))), max_size=6)
Found = list[tuple[tuple[CellValue, ...], tuple[CellValue, ...]]]


def judged(found: Found, *, more: int, html: HtmlPolicy, slowly: bool) -> CheckedSheet:
    """Judge a sheet with one more row at its end, which is plain: a sheet without rows is refused."""
    table = [TableRow(RowNumber(1), (*HEADINGS, *MORE[:more]))]
    last = ((61, 7, "Last", 1, 1, 0, True, None), NOTHING)
    for number, (first, rest) in enumerate([*found, last], start=2):
        row = TableRow(RowNumber(number), (*first, *rest[:more]))
        table.append(replace(row, hints=NO_REMARK) if slowly else row)
    file = LoadedFile(Path("a.xlsx"), "0" * 64, "xlsx", (Table("Sections", tuple(table)),))
    return check_sheet(file, aliases={}, html=html)


@given(rows, st.integers(0, len(MORE)), st.sampled_from([HtmlPolicy.REPORT, HtmlPolicy.HOLD, HtmlPolicy.OFF]))
@example([(PLAIN, NOTHING)], 6, HtmlPolicy.REPORT)
@example([((1, 7, "Part " * 60, *PLAIN[3:]), (*NOTHING[:3], "2026-01-02", " Course ", None))], 6, HtmlPolicy.REPORT)
@example([(PLAIN, (False, *NOTHING[1:]))], 6, HtmlPolicy.REPORT)
@example([((1, 7, "Intro", 0, 1, 5, True, "Text"), NOTHING)], 6, HtmlPolicy.REPORT)
@example([((1, 7, "Intro", 0, 3, 5, True, "<script>x</script>"), NOTHING)], 6, HtmlPolicy.REPORT)
@example([((1, 7, "Intro", 0, 3, 5, True, "<script>x</script>"), NOTHING)], 6, HtmlPolicy.OFF)
def test_the_short_way_ends_where_the_long_one_does(found: Found, more: int, html: HtmlPolicy) -> None:
    """Edits, invalid rows, remarks, names: the same in every row, whatever else the sheet holds."""
    short = judged(found, more=more, html=html, slowly=False)
    long = judged(found, more=more, html=html, slowly=True)

    assert short.rows == long.rows
    assert [type(row) for row in short.rows] == [type(row) for row in long.rows]
    assert [repr(row) for row in short.rows] == [repr(row) for row in long.rows]  # True is no 1


@given(cells, st.sampled_from(EDITABLE))
def test_what_is_plain_is_its_own_value(cell: CellValue, field: SectionField) -> None:
    """Nothing is changed, and nothing is remarked."""
    if plainness_of(field)(cell):
        meaning = read_cell(field, cell)

        assert isinstance(meaning, Value)
        assert (type(meaning.value), meaning.value, meaning.remark) == (type(cell), cell, None)
