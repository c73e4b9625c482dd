"""Contents cleaned before they are sent: what acts is gone, what shows stays, and both texts can be seen."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.adapters.html_cleaner import html_cleaner
from sync.base import base_rows, read_base
from sync.errors import ConfigError
from sync.html_cleaning import MAX_LENGTH, Cleaned, Uncleanable, cleaned
from sync.html_risks import HtmlPolicy, risks
from sync.model import CheckedRow, Edit, InvalidRow, LoadedFile, Origin, RowNumber, Severity, Table, TableRow
from sync.section import Json
from sync.validate import check_sheet

CLEANER = html_cleaner({})
ACTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '<a href="JaVa&#115;cript&colon;alert(1)">x</a>',
    '<iframe srcdoc="<p>x</p>"></iframe>',
    '<p style="background:url(https://example.com/a)">x</p>',
    '<img src="data:image/png;base64,AAAA">',
    '<form action="https://example.com"><input></form>',
    '<meta http-equiv="refresh" content="0;url=x">',
    "<!--><img onerror=x>-->",
)
MARKUP = (
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<table>",
    "<td>",
    "<br/>",
    "<a href=https://example.com>",
    "</a>",
    "<!--",
    "-->",
)
SIGNS = ("&amp;", "&lt;b&gt;", "&#13;", "&#1;", "&nbsp;", "text", " ", "\n", "<", ">", '"', "'", "=", "<![CDATA[")
pieces = st.sampled_from([*ACTS, *MARKUP, *SIGNS])
markups = st.lists(pieces | st.text(max_size=5), max_size=12).map("".join)


def judged(html: str, *, base: Mapping[str, Json] | None = None, policy: HtmlPolicy = HtmlPolicy.CLEAN) -> CheckedRow:
    rows = (TableRow(RowNumber(1), ("Id", "SectionContents")), TableRow(RowNumber(2), (7, html)))
    tables = [Table("S", rows)]
    if base is not None:
        shown = base_rows([{"Id": 7, **base}], Origin("a", "https://example.com/api", "2026-01-01T00:00:00Z"))
        kept = tuple(TableRow(RowNumber(n), cells) for n, cells in enumerate(shown, start=1))
        tables.append(Table("base", kept, hidden=True))
        assert read_base(tables[1]) is not None
    file = LoadedFile(Path("a.xlsx"), "0" * 64, "xlsx", tuple(tables))
    (row,) = check_sheet(file, aliases={}, html=policy, cleaner=CLEANER).rows
    return row


@given(markups)
def test_what_was_cleaned_has_nothing_left_to_clean_and_nothing_that_acts(html: str) -> None:
    """Cleaning is the last hand on a text: once more changes nothing, and no risk is left in it."""
    match cleaned(html, CLEANER):
        case Cleaned(text=text):
            assert cleaned(text, CLEANER) is None
            assert risks(text) == ()
        case None:
            assert risks(html) == ()
        case Uncleanable(message=message):
            assert message.startswith("cannot be cleaned")


@pytest.mark.parametrize("html", ACTS)
def test_what_acts_is_taken_out_and_both_texts_are_shown(html: str) -> None:
    """The sheet's text is the attempted value; what is sent is the edit; the message shows where they part."""
    row = judged(f"<p>before</p>{html}<p>after</p>")

    assert isinstance(row, Edit)
    sent = str(row.values["SectionContents"])
    assert sent.startswith("<p>before</p>")
    assert sent.endswith("<p>after</p>")
    assert risks(sent) == ()
    (issue,) = row.issues
    assert (issue.code, issue.severity, issue.cell) == ("html.cleaned", Severity.WARNING, "S!B2")
    assert issue.attempted_value == f"<p>before</p>{html}<p>after</p>"
    assert " becomes " in issue.message


@pytest.mark.parametrize(
    "html", ["a & b", "1 > 2", "<p>plain</p>", '<a href="https://example.com/?a=1&amp;b=2">x</a>', "[x]"]
)
def test_what_shows_stays_as_written(html: str) -> None:
    """Text without markup, and markup of the list, are not touched, and nothing is added to links."""
    row = judged(html)

    assert isinstance(row, Edit)
    assert (row.values["SectionContents"], row.issues) == (html, ())


@pytest.mark.parametrize(
    ("html", "why"),
    [
        pytest.param("<script>x</script>", "nothing would be left", id="empties the field"),
        pytest.param("<p>a&#1;<i></i><x></p>", "control character", id="makes a control character"),
        pytest.param("<b>" * 501, "500 tags", id="tags without end"),
        pytest.param("<p " + " ".join(f"a{n}" for n in range(600)) + ">", "attributes", id="attributes without end"),
        pytest.param("<p>" + "x" * MAX_LENGTH, "250,000", id="too long"),
    ],
)
def test_what_cannot_be_cleaned_holds_the_row(html: str, why: str) -> None:
    """Nothing is sent that was not cleaned, and no field is emptied by cleaning."""
    row = judged(html)

    assert isinstance(row, InvalidRow)
    assert (row.issues[0].code, why in row.issues[0].message) == ("html.not_cleanable", True)


def test_a_cleaner_that_never_settles_holds_the_text() -> None:
    """What it makes of a text must be what it leaves alone."""
    assert isinstance(cleaned("<p>", lambda text: text + "<p>"), Uncleanable)


def test_a_cell_that_the_operator_did_not_touch_is_left_alone() -> None:
    """Exported contents that act are the server's: who has not edited them asks for nothing."""
    html = "<p>x</p><script>y</script>"
    untouched, touched = judged(html, base={"SectionContents": html}), judged(html, base={"SectionContents": "z"})

    assert isinstance(untouched, Edit)
    assert untouched.values == {"SectionContents": html}
    assert untouched.base is not None
    assert "SectionContents" in untouched.base.untouched
    assert isinstance(touched, Edit)
    assert touched.values == {"SectionContents": "<p>x</p>"}


@pytest.mark.parametrize("policy", [HtmlPolicy.REPORT, HtmlPolicy.HOLD, HtmlPolicy.OFF])
def test_without_a_cleaner_no_text_is_changed(policy: HtmlPolicy) -> None:
    """Cleaning is for those who ask for it."""
    rows = (TableRow(RowNumber(1), ("Id", "SectionContents")), TableRow(RowNumber(2), (7, "<p onclick=x>a<br/></p>")))
    file = LoadedFile(Path("a.xlsx"), "0" * 64, "xlsx", (Table("S", rows),))
    (row,) = check_sheet(file, aliases={}, html=policy).rows

    assert json.dumps([issue.code for issue in row.issues]).count("html.cleaned") == 0
    assert not isinstance(row, Edit) or row.values == {"SectionContents": "<p onclick=x>a<br/></p>"}


def test_a_profile_adds_to_the_list() -> None:
    """A tag with its attributes, and attributes of every tag."""
    cleaner = html_cleaner({"iframe": ["src"], "*": ["class"]})
    html = '<p class="a"><iframe src="https://example.com/v"></iframe></p>'

    assert cleaned(html, cleaner) is None
    assert isinstance(cleaned(html, CLEANER), Cleaned)


@pytest.mark.parametrize(
    "allowed", [{"script": []}, {"Style": []}, {"p": ["onclick"]}, {"*": ["OnLoad"]}, {"iframe": ["srcdoc"]}]
)
def test_what_runs_is_on_no_list(allowed: dict[str, list[str]]) -> None:
    """A profile cannot switch off what cleaning is for."""
    with pytest.raises(ConfigError):
        html_cleaner(allowed)
