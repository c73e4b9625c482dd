"""C36 of the catalogue of bad input: what acts in HTML is named, whatever its clothes; what shows is not."""

import time
from pathlib import Path

import pytest

from sync.html_risks import HtmlPolicy, risks
from sync.model import CheckedRow, Edit, InvalidRow, LoadedFile, RowNumber, Severity, Table, TableRow
from sync.validate import check_sheet


@pytest.mark.parametrize(
    ("html", "code"),
    [
        pytest.param("<p>a</p><script>alert(1)</script>", "html.script", id="script"),
        pytest.param("<SCRIPT SRC=//x.example/a.js>", "html.script", id="script, unclosed and in capitals"),
        pytest.param("<script/x>alert(1)</script>", "html.script", id="script with a slash"),
        pytest.param("<img src=x onerror=alert(1)>", "html.event_handler", id="handler"),
        pytest.param("<svg/onload=alert(1)>", "html.event_handler", id="handler after a slash"),
        pytest.param('<p title="a"onclick="x()">', "html.event_handler", id="handler behind a quote"),
        pytest.param("<img src=x\nonError\t=\nalert(1)", "html.event_handler", id="handler, spaced and unclosed"),
        pytest.param('<p a=b"> <img onerror=x> ">', "html.event_handler", id="handler behind a quote that is none"),
        pytest.param('<p title="<b>" onclick="x()">', "html.event_handler", id="handler behind a tag in a quote"),
        pytest.param("<!--><img onerror=x>-->", "html.event_handler", id="handler in a comment that is none"),
        pytest.param('<a href="javascript:alert(1)">', "html.script_address", id="address"),
        pytest.param('<a href="JaVa&#115;cript&colon;alert(1)">', "html.script_address", id="address in references"),
        pytest.param('<a href=" \x01java\tscr\nipt:alert(1)">', "html.script_address", id="address with controls"),
        pytest.param("<a href=vbscript:x>", "html.script_address", id="another script"),
        pytest.param('<img src="data:image/png;base64,AAAA">', "html.data_address", id="data"),
        pytest.param('<iframe src="https://example.com"></iframe>', "html.frame", id="iframe"),
        pytest.param('<p srcdoc="x">', "html.frame", id="srcdoc"),
        pytest.param("<object data=x>", "html.object", id="object"),
        pytest.param("<embed src=x>", "html.object", id="embed"),
        pytest.param('<form action="https://example.com">', "html.form", id="form"),
        pytest.param('<meta http-equiv="Refresh" content="0;url=x">', "html.refresh", id="refresh"),
        pytest.param('<p style="background:url(https://example.com/a)">', "html.style_address", id="style"),
        pytest.param('<p style="width: exp/**/ression(x)">', "html.style_address", id="style with a comment"),
    ],
)
def test_what_acts_is_named(html: str, code: str) -> None:
    """Each kind once, with the place where it stands."""
    found = {risk.code: risk for risk in risks(html)}

    assert code in found
    assert found[code].excerpt in html or found[code].excerpt.startswith("<")


@pytest.mark.parametrize(
    "html",
    [
        "",
        "plain text",
        "1 < 2 & 3 > 2",
        "<p>Come on = now; the script: data: none</p>",
        '<p class="on">on sale = 5 &amp; more</p>',
        '<a href="https://example.com/?a=1&amp;b=javascript">x</a>',
        '<p style="color: red; margin: 0">x</p>',
        "<p class=MsoNormal><o:p>&nbsp;</o:p></p>",
        "<table><tr><td>unclosed",
        '<img src="https://example.com/a.png" alt="only data: here">',
        "<format>x</format><scripture>x</scripture>",
        '<meta charset="utf-8">',
    ],
)
def test_what_shows_is_not_named(html: str) -> None:
    """Markup of every day, text with signs in it, and what word processors leave behind."""
    assert risks(html) == ()


@pytest.mark.parametrize(
    "piece", ['<a "', "<a '", "<!--", "<p style=", "<script", "<a href=&", "<![CDATA[", "<a on", "/*", "<p style=/*"]
)
def test_hostile_text_takes_no_time(piece: str) -> None:
    """A million characters of beginnings without an end."""
    start = time.process_time()

    risks(piece * (1_000_000 // len(piece)))

    assert time.process_time() - start < 10


def judged(html: str, policy: HtmlPolicy) -> CheckedRow:
    rows = (TableRow(RowNumber(1), ("Id", "SectionContents")), TableRow(RowNumber(2), (7, html)))
    file = LoadedFile(Path("a.xlsx"), "0" * 64, "xlsx", (Table("S", rows),))
    (row,) = check_sheet(file, aliases={}, html=policy).rows
    return row


def test_the_policy_says_what_becomes_of_the_row() -> None:
    """Off: nothing; report: a warning, and the text is sent as written; hold: the row is invalid."""
    html = "<iframe src=x></iframe>"
    rows = [judged(html, policy) for policy in (HtmlPolicy.OFF, HtmlPolicy.REPORT, HtmlPolicy.HOLD)]

    assert [type(row) for row in rows] == [Edit, Edit, InvalidRow]
    assert [[(issue.code, issue.severity, issue.cell) for issue in row.issues] for row in rows] == [
        [],
        [("html.frame", Severity.WARNING, "S!B2")],
        [("html.frame", Severity.ERROR, "S!B2")],
    ]
    assert isinstance(rows[1], Edit)
    assert rows[1].values == {"SectionContents": html}


def test_a_text_has_a_size_limit_with_its_number() -> None:
    """An image pasted into the contents as text is millions of characters long."""
    row = judged("x" * 5_000_001, HtmlPolicy.REPORT)

    assert [(issue.code, "5,000,000" in issue.message) for issue in row.issues] == [("cell.too_long", True)]
