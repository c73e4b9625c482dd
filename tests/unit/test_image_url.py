"""Addresses that the server may be asked to fetch."""

import pytest

from sync.image_url import refusal


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
