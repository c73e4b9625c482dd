"""The quick search through a sheet's XML finds what seeing every cell finds, or leaves the sheet to it."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.adapters.spreadsheet import scan as scans
from sync.adapters.spreadsheet.markup import parse
from sync.adapters.spreadsheet.scan import Scan

USUAL = (
    '<c r="{}"><v>5</v></c>',
    '<c r="{}" s="2"><v>0.5</v></c>',
    '<c r="{}" t="s"><v>3</v></c>',
    '<c r="{}" s="1" t="b"><v>1</v></c>',
    '<c r="{}" t="inlineStr"><is><t>x &lt;f&gt; "e"</t></is></c>',
    '<c r="{}" s="4"/>',
    '<c r="{}" t="e"><v>#N/A</v></c>',
    '<c r="{}" t="e"/>',
    '<c r="{}"><f>A1+1</f><v>2</v></c>',
    '<c r="{}"><f>A1+1</f></c>',
    '<c r="{}"><f>A1+1</f><v></v></c>',
    '<c r="{}" t="str"><f>A1</f><v></v></c>',
    '<c r="{}"><f t="shared" ref="A1:A9" si="0">B1</f><v>2</v></c>',
    '<c r="{}"><f t="shared" si="0"/><v>2</v></c>',
    '<c r="{}" t="e"><f>NA()</f><v>#N/A</v></c>',
    '<c r="{}"><f>[1]S!A1</f><v>2</v></c>',
)
ODD = (
    '<c t="e" r="{}"><v>#N/A</v></c>',
    "<c r='{}' t='e'><v>#N/A</v></c>",
    '<c r="{}" t="&#101;"><v>#N/A</v></c>',
    '<c\tr="{}"><f>1</f></c>',
    "<c><f>1</f></c>",
    '<!-- <c r="{}"><v>1</v></c> -->',
    "<![CDATA[<v>]]>",
    '<c r="{}"><v><![CDATA[<f>]]></v></c>',
    '<x:c xmlns:x="x" r="{}"><x:f>1</x:f></x:c>',
    '<c r="{}"><is><r><t>rich</t></r></is></c>',
    '<c r="Z9"><v>1</v></c>',
)
cells = st.sampled_from([*USUAL, *ODD])
usual_cells = st.sampled_from(USUAL)
attributes = st.sampled_from(["", ' hidden="1"', ' spans="1:3" hidden="true"', ' hidden="0"', ' ht="15"'])
around = st.sampled_from(
    [
        "",
        '<mergeCells><mergeCell ref="A1:B2"/></mergeCells>',
        '<cols><col min="2" max="3" hidden="1"/></cols>',
        '<hyperlinks><hyperlink ref="A1" r:id="rId1"/></hyperlinks>',
    ]
)


def sheet(rows: Sequence[tuple[str, Sequence[str]]], beside: str, numbers: Sequence[int] = range(1, 9)) -> bytes:
    written = "".join(
        f'<row r="{number}"{more}>'
        + "".join(cell.format(f"{chr(ord('A') + at)}{number}") for at, cell in enumerate(row))
        + "</row>"
        for number, (more, row) in zip(numbers, rows, strict=False)
    )
    return f'<worksheet xmlns:r="r"><sheetData>{written}</sheetData>{beside}</worksheet>'.encode()


def every_cell(data: bytes) -> Scan:
    scan = scans._CellScan("a.xlsx")
    parse(data, scan.start, "a.xlsx", on_parser=scan.use)
    scan.close_cell()
    return scan


def found(scan: Scan) -> tuple[object, ...]:
    certain = (scan.last_row, scan.last_certain, scan.last_formatted)
    return scan.flaws, scan.hints, *certain, scan.hidden_rows, scan.hidden_columns, scan.merged, scan.links


@given(
    st.lists(st.tuples(attributes, st.lists(cells, max_size=4)), max_size=5),
    around,
    st.lists(st.integers(1, 9), min_size=5, max_size=5),
)
def test_searching_finds_what_seeing_every_cell_finds(
    rows: Sequence[tuple[str, Sequence[str]]], beside: str, numbers: Sequence[int]
) -> None:
    """Whatever the search takes on, it tells the same; what is written in another way it does not take on."""
    data = sheet(rows, beside, numbers)
    quick = scans._scan_plain(data, "a.xlsx")

    assert quick is None or found(quick) == found(every_cell(data))


@settings(max_examples=300)
@given(st.lists(st.tuples(attributes, st.lists(usual_cells, min_size=1, max_size=4)), min_size=1, max_size=5), around)
def test_a_sheet_as_excel_writes_it_is_searched(rows: Sequence[tuple[str, Sequence[str]]], beside: str) -> None:
    """The quick way is taken for it, formulas and errors or not, and tells the same."""
    data = sheet(rows, beside)
    quick = scans._scan_plain(data, "a.xlsx")

    assert quick is not None
    assert found(quick) == found(every_cell(data))
