"""Addresses that the server may be asked to fetch."""

from pathlib import Path

import pytest

from sync.image_url import ImagePolicy, ImageRules, refusal
from sync.model import CheckedRow, Edit, InvalidRow, LoadedFile, RowNumber, Severity, Table, TableRow
from sync.validate import check_sheet


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "https://example.com/a/B-c_d~%20.JPG",
        "https://example.com:443/a.jpeg?x=1&y=%41",
        "http://images.example.co.uk/a.gif",
        "https://xn--kse-qla.example.com/a.gif",
        "https://example.com/bücher.png",
    ],
)
def test_an_image_on_a_public_host_is_accepted(url: str) -> None:
    """The four extensions, http and https, the usual port, a query."""
    assert refusal(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("example.com/a.png", "https://"),
        ("//example.com/a.png", "https://"),
        ("ftp://example.com/a.png", "https://"),
        ("file:///a.png", "https://"),
        ("data:image/png;base64,AAAA", "https://"),
        ("https:///a.png", "https://"),
        ("https://user@example.com/a.png", "user name"),
        ("https://user:pass@example.com/a.png", "user name"),
        ("https://example.com:8443/a.png", "port"),
        ("https://example.com:x/a.png", "web address"),
        ("https://[::1/a.png", "web address"),
        ("https://10.0.0.1/a.png", "IP address"),
        ("https://2130706433/a.png", "IP address"),
        ("https://0x7f.1/a.png", "IP address"),
        ("https://0x7f000001/a.png", "IP address"),
        ("https://0177.0.0.1./a.png", "IP address"),
        ("https://[::1]/a.png", "IP address"),
        ("https://[::ffff:10.0.0.1]/a.png", "IP address"),
        ("https://localhost/a.png", "public host"),
        ("https://intranet/a.png", "public host"),
        ("https://a.localhost./a.png", "public host"),
        ("https://metadata.google.internal/a.png", "public host"),
        ("https://printer.local/a.png", "public host"),
        ("https://exämple.com/a.png", "plain letters"),
        ("https://exa_mple.com/a.png", "plain letters"),
        ("https://-a.example.com/a.png", "plain letters"),
        ("https://example.com/a.png#b", "#"),
        ("https://example.com/a.png#", "#"),
        ("https://@example.com/a.png", "user name"),
        ("https://example.com/a.png\x00", "control"),
        ("https://\uff11\uff12\uff17.0.0.1/a.png", "IP address"),
        ("https://exa%6Dple.com/a.png", "plain letters"),
        ("https://169.254.169.254/latest/a.png", "IP address"),
        ("https://example.com/a.webp", "must end in"),
        ("https://example.com/a.png/", "must end in"),
        ("https://example.com/a.svg", "must end in"),
        ("https://example.com/a", "must end in"),
        ("https://example.com/a?b=.png", "must end in"),
        ("https://example.com/a b.png", "spaces"),
        ("https://example.com/a\u00a0b.png", "spaces"),
        ("https://example.com/a\u200bb.png", "spaces"),
        ("https://example.com/a\r\nb.png", "spaces"),
        ("https://good.example.com\\@evil.example/a.png", "backslashes"),
        ("https://example.com/" + "a" * 2_080 + ".png", "2,083"),
    ],
)
def test_what_could_reach_elsewhere_is_refused(url: str, reason: str) -> None:
    """No credentials, no IP addresses, no internal names, nothing that two readers take apart in two ways."""
    assert reason in (refusal(url) or "")


def test_every_reason_is_named_not_only_the_first() -> None:
    """Who mends one problem must not meet the next one only then."""
    assert refusal("https://me@a:8443/b.webp") == (
        "must have no user name or password, and must have no port, and must be on a public host,"
        " and must end in .jpg, .jpeg, .png or .gif"
    )


@pytest.mark.parametrize(
    ("url", "is_refused"),
    [
        ("https://cdn.example.com/a.png", False),
        ("https://CDN.example.com./a.png", False),
        ("https://a.b.images.example.org/a.png", False),
        ("https://images.example.org/a.png", True),
        ("https://evilimages.example.org/a.png", True),
        ("https://cdn.example.com.evil.example/a.png", True),
        ("https://xcdn.example.com/a.png", True),
    ],
)
def test_where_hosts_are_named_the_others_are_refused(url: str, is_refused: bool) -> None:  # noqa: FBT001 - a value
    """A name stands for itself alone, `*.` for all below it; the list is in the text."""
    reason = refusal(url, frozenset({"cdn.example.com", "*.images.example.org"}))

    assert (reason is not None) == is_refused
    assert reason is None or "*.images.example.org, cdn.example.com" in reason


def judged(url: str, rules: ImageRules) -> CheckedRow:
    rows = (TableRow(RowNumber(1), ("Id", "NewImageUrl")), TableRow(RowNumber(2), (7, url)))
    file = LoadedFile(Path("a.xlsx"), "0" * 64, "xlsx", (Table("S", rows),))
    (row,) = check_sheet(file, aliases={}, images=rules).rows
    return row


def test_the_policy_says_what_becomes_of_the_row() -> None:
    """Off: nothing; report: a warning with the reason, sent as written; hold: the row is invalid."""
    url = "https://10.0.0.1/a.png"
    rows = [judged(url, ImageRules(policy)) for policy in ImagePolicy]

    assert [[(issue.code, issue.severity, issue.cell) for issue in row.issues] for row in rows] == [
        [],
        [("cell.doubtful_url", Severity.WARNING, "S!B2")],
        [("cell.not_a_url", Severity.ERROR, "S!B2")],
    ]
    assert [row.values if isinstance(row, Edit) else None for row in rows] == [{"NewImageUrl": url}] * 2 + [None]


@pytest.mark.parametrize("policy", ImagePolicy)
def test_what_is_no_text_is_held_under_every_policy(policy: ImagePolicy) -> None:
    """A control character in an address is nobody's wish."""
    assert isinstance(judged("https://example.com/\x01a.png", ImageRules(policy)), InvalidRow)


def test_a_host_that_is_not_on_the_list_follows_the_policy() -> None:
    """The list is a rule like the others."""
    rules = ImageRules(ImagePolicy.HOLD, frozenset({"example.com"}))

    assert isinstance(judged("https://example.com/a.png", rules), Edit)
    assert isinstance(judged("https://example.org/a.png", rules), InvalidRow)
