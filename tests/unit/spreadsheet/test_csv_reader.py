"""CSV: encodings, delimiters, row numbers, and quotes that lie."""

from pathlib import Path

import pytest

from sync.adapters.spreadsheet import load_here
from sync.errors import InputError
from sync.model import CellValue, Flaw, FlawKind


def read(tmp_path: Path, data: bytes | str) -> list[tuple[int, tuple[CellValue, ...]]]:
    path = tmp_path / "Sections.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    (table,) = load_here(path).tables
    assert table.name == "Sections"
    return [(row.number, row.cells) for row in table.rows]


def refused(tmp_path: Path, data: bytes | str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(tmp_path, data)
    return caught.value


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("Id,Title\n1,Käse\n".encode(), id="UTF-8"),
        pytest.param("Id,Title\n1,Käse\n".encode("utf-8-sig"), id="UTF-8 with mark"),
        pytest.param("\ufeffId\tTitle\n1\tKäse\n".encode("utf-16-le"), id="Excel's Unicode text"),
        pytest.param("\ufeffId,Title\n1,Käse\n".encode("utf-16-be"), id="UTF-16 BE"),
        pytest.param("Id;Title\r\n1;Käse\r\n".encode(), id="semicolons"),
        pytest.param("sep=;\r\nId;Title\r\n1;Käse\r\n".encode(), id="sep line"),
        pytest.param("sep=#\r\nId#Title\r\n1#Käse\r\n".encode(), id="sep line with any character"),
        pytest.param("Id|Title\n1|Käse".encode(), id="bars, no final line end"),
        pytest.param("Id,Title\r1,Käse\r".encode(), id="old Mac line ends"),
        pytest.param('"Id","Title"\n"1","Käse"\n\n\n,\n'.encode(), id="quoted, blank rows after"),
    ],
)
def test_one_table_in_many_clothes(tmp_path: Path, data: bytes) -> None:
    """Byte order mark, encoding and delimiter are told from the text; the rows are the same."""
    assert read(tmp_path, data) == [(1, ("Id", "Title")), (2, ("1", "Käse"))]


def test_cells_are_text_as_written(tmp_path: Path) -> None:
    """Nothing is guessed: no numbers, no missing values, no trimming; a blank cell is None."""
    data = 'Id,Title,Active\n00123,NA,\n1.50, x ,NULL\n,"",nan\n'

    assert read(tmp_path, data)[1:] == [
        (2, ("00123", "NA", None)),
        (3, ("1.50", " x ", "NULL")),
        (4, (None, None, "nan")),
    ]


def test_rows_are_numbered_as_excel_shows_them(tmp_path: Path) -> None:
    """A row is a record: line ends inside a cell do not count, blank lines do."""
    data = 'Title of the list\n\nId,SectionContents\n1,"a\nb\r\nc"\n\n2,x\n'

    assert read(tmp_path, data) == [
        (1, ("Title of the list", None)),
        (2, (None, None)),
        (3, ("Id", "SectionContents")),
        (4, ("1", "a\nb\r\nc")),
        (5, (None, None)),
        (6, ("2", "x")),
    ]


def test_the_delimiter_that_yields_our_headings_wins(tmp_path: Path) -> None:
    """Commas in a title row or in the cells do not outvote the header."""
    data = "one, two, three, four, five\nId;Title\n1;a,b,c,d\n"

    assert read(tmp_path, data)[1:] == [(2, ("Id", "Title")), (3, ("1", "a,b,c,d"))]


def test_the_first_line_may_be_longer_than_the_others(tmp_path: Path) -> None:
    """No cell is cut off, wherever the longest row stands."""
    assert read(tmp_path, "a,b,c\nId,Title\n1,x\n")[0] == (1, ("a", "b", "c"))


def test_another_encoding_is_refused_with_its_place(tmp_path: Path) -> None:
    """cp1252 cannot be told from other encodings: the place helps to find the letter."""
    error = refused(tmp_path, "Id,Title\n1,Käse\n".encode("cp1252"))

    assert error.code == "file.encoding"
    assert "offset 12 (line 2)" in error.message
    assert "CSV UTF-8" in error.remedy
    assert 'encoding = "cp1252"' in error.remedy


def test_utf_32_is_refused(tmp_path: Path) -> None:
    """Its mark begins like that of UTF-16."""
    assert refused(tmp_path, "Id,Title\n".encode("utf-32")).code == "file.encoding"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        pytest.param('Id,Title\n1,A\n2,"B\n3,C\n', "line 3", id="never closed"),
        pytest.param('Id,Title\n1,"A "quoted" word"\n', "line 2", id="quotes inside"),
        pytest.param('Id,Title,CourseId\n1,"A,1\n2,B",1\n', "line 3", id="swallows a row into a text"),
        pytest.param('Id,Title,DisplayOrder\n1,A,"2\n2,B,3"\n', "line 3", id="swallows a row into a number"),
        pytest.param('sep=,\nId,Title\n1,"A\n', "line 3", id="lines are counted with the sep line"),
    ],
)
def test_a_stray_quote_is_refused(tmp_path: Path, data: str, line: str) -> None:
    """It swallows rows without a word; the place is named."""
    error = refused(tmp_path, data)

    assert error.code == "file.stray_quote"
    assert line in error.message


def test_line_ends_in_a_text_are_no_stray_quote(tmp_path: Path) -> None:
    """HTML has lines, also such with numbers and commas."""
    data = 'Id,Title,SectionContents\n1,A,"<p>\n1, 2\n</p>"\n'

    assert read(tmp_path, data)[1] == (2, ("1", "A", "<p>\n1, 2\n</p>"))


def test_rows_of_another_length_are_marked(tmp_path: Path) -> None:
    """An unquoted delimiter pushes the cells along, a lost one pulls them. Blank cells too many are harmless."""
    path = tmp_path / "a.csv"
    path.write_text("Id,Title,Active\n1,A,,,\n2,B, and C,\n3,C\n\n4,D,1,E\n")

    (table,) = load_here(path).tables

    assert {row.number: row.broken for row in table.rows if row.broken} == {
        4: Flaw(FlawKind.MISSING_CELLS, "2 of 3"),
        6: Flaw(FlawKind.EXTRA_CELLS, "4 of 3"),
    }


def test_blocks_that_excel_has_shortened_are_whole(tmp_path: Path) -> None:
    """Excel leaves off blank cells at the end for blocks of 16 rows; within a block all rows are of one length."""
    path = tmp_path / "a.csv"
    block = "".join(f"{number},A,\n" for number in range(2, 17))
    path.write_text("Id,Title,Active\n" + block + "17,A\n" * 16 + "33,A\n34,A,1\n")

    (table,) = load_here(path).tables

    assert [row.number for row in table.rows if row.broken] == [33]


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    """No limit of a library cuts or refuses a long text."""
    text = "x" * 200_000

    assert read(tmp_path, f"Id,SectionContents\n1,{text}\n")[1] == (2, ("1", text))


def test_the_delimiter_is_noted(tmp_path: Path) -> None:
    """What was assumed is said."""
    path = tmp_path / "a.csv"
    path.write_text("Id;Title\n1;A\n", encoding="utf-8")

    assert load_here(path).notes == ("The cells of a.csv are separated by semicolons.",)
