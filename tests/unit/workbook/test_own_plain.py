"""Rows are plain if openpyxl, having read them, would write what stands there: only those are passed on unseen."""

import zipfile
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font

from sync.adapters.workbook.own_looks import Looks
from sync.adapters.workbook.own_plain import PlainRows
from sync.adapters.workbook.own_rows import RawRow
from sync.adapters.workbook.own_strings import Strings

DATE, BOLD, NONE = 1, 2, 99
"""Styles of the workbook below; the last is not there."""
TEXTS, FORMULA = 10, 3
"""How many texts its table has; and the one that looks like a formula."""


@pytest.fixture(scope="module")
def plain() -> PlainRows:
    """What tells the rows of a sheet that has cells in A to C, and old results in E and F."""
    made, file = Workbook(), BytesIO()
    made.worksheets[0]["A1"].number_format = "dd/mm/yyyy"
    made.worksheets[0]["A2"].font = Font(bold=True)
    made.save(file)
    workbook = load_workbook(file)
    with zipfile.ZipFile(BytesIO(), "w") as archive:
        strings = Strings(archive, None, wanted=frozenset(), choices=False)
    strings.count = TEXTS
    strings.formula_like.add(FORMULA)
    return PlainRows([1, 2, 3], [5, 6], Looks(workbook, workbook.worksheets[0]), strings)


def row(cells: str, number: int = 7) -> bytes:
    return f'<row r="{number}" spans="1:3">{cells}</row>'.encode()


def stays(plain: PlainRows, xml: bytes) -> bool:
    """Whether the row is told as plain, between two that are."""
    told = plain.tell(row('<c r="A6"/>', 6) + xml + row('<c r="A8"/>', 8))
    return told.numbers == [6, 7, 8] and not told.odd and not any(told.between)


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param("", id="none"),
        pytest.param('<c r="A7"/><c r="B7" s="2"></c><c r="C7" t="n"/>', id="blank"),
        pytest.param('<c r="A7"><v>0</v></c><c r="B7" t="n"><v>-5</v></c><c r="C7" s="2"><v>1.5</v></c>', id="numbers"),
        pytest.param(f'<c r="A7" s="{DATE}"/><c r="B7" s="{DATE}"><v>45000</v></c>', id="dates"),
        pytest.param(f'<c r="A7" s="{DATE}" t="s"><v>1</v></c>', id="a-text-in-the-look-of-a-date"),
        pytest.param('<c r="A7" t="s"><v>9</v></c><c r="C7" t="b"><v>1</v></c>', id="a-text-and-a-truth-value"),
        pytest.param('<c r="A7" t="inlineStr"><is><t>a &amp; b=1</t></is></c>', id="a-text-in-its-cell"),
        pytest.param('<c r="B7"><f>A7*2</f><v>4</v></c><c r="C7"><f t="shared" si="0"/><v>-4.5</v></c>', id="formulas"),
        pytest.param('<c r="A7"/><c r="E7" t="s"><v>3</v></c><c r="F7" s="99"><v>007</v></c>', id="old-results"),
    ],
)
def test_what_would_be_written_again_stays(plain: PlainRows, cells: str) -> None:
    """Each cell of such a row is of a kind that most cells are of."""
    assert stays(plain, row(cells))


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param('<c r="A7"><v>1.50</v></c>', id="a-number-in-another-spelling"),
        pytest.param('<c r="A7"><v>9.95</v></c>', id="a-number-that-is-written-with-all-its-digits"),
        pytest.param('<c r="A7"><v>1E+21</v></c>', id="a-number-with-an-exponent"),
        pytest.param('<c r="A7"><v>1234567890123456</v></c>', id="more-digits-than-are-kept"),
        pytest.param(f'<c r="A7" s="{DATE}"><v>45000.123456789</v></c>', id="a-time-that-is-not-kept"),
        pytest.param(f'<c r="A7" s="{DATE}"><v>99999999</v></c>', id="a-date-that-no-calendar-has"),
        pytest.param(f'<c r="A7" s="{NONE}"/>', id="a-style-that-is-not-there"),
        pytest.param(f'<c r="A7" t="s"><v>{TEXTS}</v></c>', id="a-text-that-is-not-there"),
        pytest.param(f'<c r="A7" t="s"><v>{FORMULA}</v></c>', id="a-text-like-a-formula"),
        pytest.param('<c r="A7" t="inlineStr"><is><t>=1</t></is></c>', id="such-a-text-in-its-cell"),
        pytest.param('<c r="A7" t="inlineStr"><is><t>&#61;1</t></is></c>', id="such-a-text-in-disguise"),
        pytest.param('<c r="A7" t="inlineStr"><is><r><t>a</t></r></is></c>', id="a-text-with-formats"),
        pytest.param('<c r="A7" t="s"/>', id="a-text-without-a-number"),
        pytest.param('<c r="A7" t="str"><f>B7</f><v>4</v></c>', id="a-formula-of-a-text"),
        pytest.param('<c r="A7"><f>B7</f></c>', id="a-formula-without-a-value"),
        pytest.param('<c r="A7" t="e"><v>#N/A</v></c>', id="an-error"),
        pytest.param('<c r="A7" cm="1"><v>1</v></c>', id="an-attribute-that-is-not-kept"),
        pytest.param('<c r="A8"/>', id="a-cell-of-another-row"),
        pytest.param('<c r="B7"/><c r="A7"/>', id="out-of-order"),
        pytest.param('<c r="A7"/><c r="A7"/>', id="twice"),
        pytest.param('<c r="D7"/>', id="further-right"),
        pytest.param('<c r="E7"/><c r="A7"/>', id="old-results-in-between"),
        pytest.param('text<c r="A7"/>', id="text-between-cells"),
    ],
)
def test_what_would_be_written_otherwise_is_looked_at(plain: PlainRows, cells: str) -> None:
    """The row for itself: those around it stay."""
    told = plain.tell(row('<c r="A6"/>', 6) + row(cells) + row('<c r="A8"/>', 8))

    assert not stays(plain, row(cells))
    assert {told.numbers[place] for place in range(len(told.numbers)) if place not in told.odd} == {6, 8}


def test_a_row_is_given_back_as_it_was(plain: PlainRows) -> None:
    """What stays of it, and what is replaced."""
    cells = '<c r="A7"><v>1.50</v></c>', '<c r="E7"/>'

    told = plain.tell(row("".join(cells)))

    assert (told.cells, told.replaced, told.odd) == ([cells[0].encode()], [cells[1].encode()], {0})
    assert told.row(0) == RawRow(7, b' spans="1:3"', "".join(cells).encode())
