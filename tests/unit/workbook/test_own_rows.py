"""A sheet's part is cut into its rows wherever the pieces end in which it is read, if it is written as usual."""

import zipfile
from io import BytesIO
from itertools import chain

import pytest

from sync.adapters.workbook.own_rows import MAIN, NotCutError, RawRow, SheetRows, number_of, rows_in, usual_rows

PIECE = 1 << 18
"""In pieces of as many bytes a part is read."""
HEAD = b'<worksheet xmlns="%b"><cols/>' % MAIN
FIRST = b'<row r="1"><c r="A1" t="inlineStr"><is><t>%b</t></is></c></row>'
SECOND = b'<row r="2" ht="20"><c r="A2"/></row>'
LAST = b'<row r="9"/>'
TAIL = b'<rowBreaks count="0"/></worksheet>'


def sheet(rows: bytes) -> bytes:
    return HEAD + b"<sheetData>" + rows + b"</sheetData>" + TAIL


def rows_of(content: bytes) -> tuple[list[RawRow], bytes, bytes]:
    """The rows of a part, and what stands around them."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.xml", content)
        rows = SheetRows(archive, "a.xml")
        return list(chain.from_iterable(map(rows_in, rows.blocks()))), rows.head, rows.tail


@pytest.mark.parametrize("sign", [SECOND, LAST, b"</sheetData>"], ids=["a-row", "a-row-without-cells", "the-end"])
def test_a_piece_may_end_anywhere(sign: bytes) -> None:
    """In the middle of a tag as well."""
    for at in range(len(sign) + 1):
        text = b"x" * (PIECE - at - sheet(FIRST % b"" + SECOND + LAST).index(sign))
        rows, head, tail = rows_of(sheet(FIRST % text + SECOND + LAST))

        assert rows == [
            RawRow(1, b"", FIRST[len(b'<row r="1">') : -len(b"</row>")] % text),
            RawRow(2, b' ht="20"', b'<c r="A2"/>'),
            RawRow(9, b"", b""),
        ]
        assert (head, tail) == (HEAD, TAIL)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(b'<row r="1"></row>text<row r="2"></row>', id="text-between-rows"),
        pytest.param(b'<row r="1"></row><c r="A2"/>', id="a-cell-without-a-row"),
        pytest.param(b'<row r="2"></row><row r="1"></row>', id="out-of-order"),
        pytest.param(b'<row r="1"></row><row r="1"></row>', id="twice"),
        pytest.param(b'<row r="0"></row>', id="row-0"),
        pytest.param(b'<row r="1048577"></row>', id="beyond-the-last"),
        pytest.param(b'<row r="1"><c r="A1"/>', id="without-an-end"),
        pytest.param(b"<row></row>", id="without-a-number"),
        pytest.param(b'<row r="1"><!-- --></row>', id="a-remark"),
    ],
)
def test_other_rows_are_not_cut(rows: bytes) -> None:
    """What is between the tags of two rows belongs to neither."""
    with pytest.raises(NotCutError):
        rows_of(sheet(rows))


@pytest.mark.parametrize("content", [HEAD, HEAD + b"<sheetData>", sheet(b"").replace(b"</sheetData>", b"</sheetDat>")])
def test_a_part_without_an_end_is_not_cut(content: bytes) -> None:
    """However it was cut off."""
    with pytest.raises(NotCutError):
        rows_of(content)


def test_a_row_without_an_end_is_not_sought_for_ever() -> None:
    """A part may inflate to hundreds of megabytes: each of its pieces would be looked at again and again."""
    with pytest.raises(NotCutError):
        rows_of(sheet(FIRST % (b"x" * 33_000_000)))


def test_usual_rows_are_cut_at_once() -> None:
    """They are the same as one by one; where one of them is not usual, none is given."""
    block = b"".join(b'<row r="%d" spans="1:1"><c r="A%d"/></row>' % (number, number) for number in range(7, 12))

    usual = usual_rows(block)

    assert [row + b"</row>" for row in usual] == [row.xml() for row in rows_in(block)]
    assert list(map(number_of, usual)) == [7, 8, 9, 10, 11]
    for other in (
        b"",
        b" ",
        LAST,
        LAST + block,
        block + LAST,
        block + b"\n",
        b"\n" + block,
        block + b"<row x='1' r='12'></row>",
    ):
        assert not usual_rows(other)


@pytest.mark.parametrize("row", [b'<row r="', b'<row r="x"', b'<row r=""', b'<row r="12345678"', '<row r="²"'.encode()])
def test_a_number_is_made_of_digits(row: bytes) -> None:
    """At most seven of them."""
    with pytest.raises(NotCutError):
        number_of(row)
