"""OpenDocument sheets: values by the reader of tables, hazards by the XML, repetitions without end refused."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.adapters.spreadsheet import load_here
from sync.errors import InputError
from sync.hints import Hint, HintKind
from sync.model import Flaw, FlawKind, Table

NAMES = ("office", "table", "text", "style", "calcext")
SPACES = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in NAMES)
OfBody = Callable[..., Path]


def text(value: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string" {more}><text:p>{value}</text:p></table:table-cell>'


def number(value: float, more: str = "") -> str:
    kind = f'office:value-type="float" office:value="{value}"'
    return f"<table:table-cell {kind} {more}><text:p>x</text:p></table:table-cell>"


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def sheet(*rows: str, more: str = "", columns: str = "") -> str:
    return f'<table:table table:name="S" {more}>{columns}{"".join(rows)}</table:table>'


@pytest.fixture
def of_body(tmp_path: Path) -> OfBody:
    def make(body: str, styles: str = "", extra: dict[str, str] | None = None) -> Path:
        content = (
            f"<office:document-content {SPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
        )
        path = tmp_path / "a.ods"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr("META-INF/manifest.xml", "<manifest/>")
            archive.writestr("content.xml", content)
            for name, part in (extra or {}).items():
                archive.writestr(name, part)
        return path

    return make


def only(path: Path) -> Table:
    (table,) = load_here(path).tables
    return table


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_here(path)
    return caught.value.code


def test_values_are_kept_as_they_are(of_body: OfBody) -> None:
    """Numbers, texts, truth values; blank rows and columns keep their places."""
    true = '<table:table-cell office:value-type="boolean" office:boolean-value="true"/>'
    blank = '<table:table-cell table:number-columns-repeated="2"/>'
    table = only(of_body(sheet(row(text("Id"), blank, text("00123")), row(blank), row(number(1.5), number(2), true))))

    assert [each.cells for each in table.rows] == [("Id", None, None, "00123"), (None,) * 4, (1.5, 2, True, None)]


def test_flaws_and_formulas_are_told(of_body: OfBody) -> None:
    """An error by its type or by its word, a formula without a value, one with, one on another workbook."""
    table = only(
        of_body(
            sheet(
                row(
                    number(1),
                    text("#N/A", 'calcext:value-type="error" table:formula="of:=NA()"'),
                    text("Err:508", 'table:formula="of:=1("'),
                    '<table:table-cell table:formula="of:=[.A1]"/>',
                    number(2, 'table:formula="of:=[.A1]*2"'),
                    number(2, "table:formula=\"of:=['file:///x.ods'#$S.A1]\""),
                )
            )
        )
    )

    assert table.rows[0].flaws == {
        1: Flaw(FlawKind.ERROR_VALUE, "#N/A"),
        2: Flaw(FlawKind.ERROR_VALUE, "Err:508"),
        3: Flaw(FlawKind.UNCACHED_FORMULA, "=[.A1]"),
    }
    assert table.rows[0].hints == {
        4: Hint(HintKind.FORMULA, "=[.A1]*2"),
        5: Hint(HintKind.EXTERNAL_LINK, "=['file:///x.ods'#$S.A1]"),
    }


def test_what_is_hidden_or_merged_is_told(of_body: OfBody) -> None:
    """Sheets by their style, rows by hand and by filter, columns; merged ranges by their cells."""
    styles = '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>'
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    table = only(
        of_body(
            sheet(
                row(number(1), text("a")),
                row(number(2), text("b", 'table:number-rows-spanned="2"'), more='table:visibility="filter"'),
                row(number(3), "<table:covered-table-cell/>", more='table:visibility="collapse"'),
                more='table:style-name="h"',
                columns=columns,
            ),
            styles,
        )
    )

    assert (table.hidden, table.hidden_columns) == (True, {1})
    assert [each.hidden for each in table.rows] == [False, True, True]
    assert [each.merged for each in table.rows] == [{}, *[{1: Flaw(FlawKind.MERGED, "B2:B3")}] * 2]


def test_line_breaks_tabs_and_spaces_are_kept_and_remarks_are_not(of_body: OfBody) -> None:
    """The reader of tables passes over line breaks and tabs; a remark on the cell is not its text."""
    inner = (
        "<office:annotation><text:p>remark</text:p></office:annotation><text:p>a<text:line-break/>b<text:tab/>c"
        '<text:s text:c="2"/>d</text:p><text:p>e <text:span>f</text:span></text:p>'
    )
    cell = f'<table:table-cell office:value-type="string">{inner}</table:table-cell>'

    assert only(of_body(sheet(row(cell)))).rows[0].cells == ("a\nb\tc  d\ne f",)


def test_repetitions_of_nothing_cost_nothing(of_body: OfBody) -> None:
    """Every program repeats a blank row to the end of the grid."""
    end = row('<table:table-cell table:number-columns-repeated="16384"/>', more='table:number-rows-repeated="1048570"')

    assert len(only(of_body(sheet(row(text("Id")), end))).rows) == 1


def test_repetitions_of_values_are_rows(of_body: OfBody) -> None:
    """They are written once and stand on many rows, flaws and all."""
    error = text("#N/A", 'calcext:value-type="error"')
    table = only(of_body(sheet(row(number(1), error, more='table:number-rows-repeated="3"'))))

    assert [each.flaws.keys() for each in table.rows] == [{1}] * 3


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            row(number(1, 'table:number-columns-repeated="16384"'), more='table:number-rows-repeated="1048576"'),
            id="the whole grid",
        ),
        pytest.param(row(number(1), number(1)) + row(*[number(1)] * 4, more='table:number-rows-repeated="1048575"'),
                     id="four columns to the end"),
        pytest.param(row(number(1, 'table:number-columns-repeated="16385"')), id="beyond the last column"),
        pytest.param(row(number(1), more='table:number-rows-repeated="1048577"'), id="beyond the last row"),
    ],
)  # fmt: skip
def test_repetitions_without_end_are_refused(of_body: OfBody, rows: str) -> None:
    """A few bytes would fill the memory."""
    assert refused(of_body(sheet(rows))) == "file.too_large"


@pytest.mark.parametrize("times", ["-1", "x", "99999999999999999999", "1e9"])
def test_a_number_that_is_none_is_damage(of_body: OfBody, times: str) -> None:
    """Nothing is guessed."""
    assert refused(of_body(sheet(row(number(1), more=f'table:number-rows-repeated="{times}"')))) == "file.damaged"


def test_a_declaration_in_the_contents_is_refused(of_body: OfBody) -> None:
    """As in any workbook."""
    styles = '<!DOCTYPE a [<!ENTITY b "c">]><a/>'

    assert refused(of_body(sheet(row(number(1))), extra={"styles.xml": styles})) == "file.dtd"


def test_macros_are_mentioned(of_body: OfBody) -> None:
    """Neither run nor kept."""
    assert len(load_here(of_body(sheet(row(number(1))), extra={"Basic/script-lc.xml": "<x/>"})).notes) == 1
