"""An HTTP answer as it came, and what its headers say: kind of content, how long to wait, where it points. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from sync.frozen import Frozen

LONGEST_WAIT_S = 1e10
"""Three hundred years: beyond anybody's patience, and still within what `datetime` can add."""
_SECONDS = re.compile(r"\+?[0-9]+(\.[0-9]*)?")
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})


class HttpAnswer(Frozen):
    """Status, headers and the whole body, none of it believed yet."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """In the server's order; a name can occur again."""
    body: bytes
    reason: str = ""
    """The words behind the status."""

    def values(self, name: str) -> Iterator[str]:
        """Every value of the header `name`, whatever its case."""
        return (value.strip() for key, value in self.headers if key.lower() == name.lower())

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty where the server names none."""
        for key, value in self.headers:
            if key.lower() == "content-type":
                return value.partition(";")[0].strip().lower()
        return ""

    @property
    def is_empty(self) -> bool:
        """Whether the body holds nothing but white space."""
        return not self.body.strip()

    @property
    def is_json(self) -> bool:
        """Whether the server calls the body JSON."""
        kind = self.content_type
        return kind in ("application/json", "text/json") or (kind.startswith("application/") and kind.endswith("+json"))

    @property
    def is_html(self) -> bool:
        """Whether the body is a page for people, by its name or by its first character."""
        return self.content_type in _HTML_TYPES or self.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def retry_after_s(answer: HttpAnswer, *, wall_now: float) -> float | None:
    """How many seconds the server asks us to wait from now; the longest, if it says so more than once.

    `wall_now` is seconds since the epoch, and counts only where a date comes without a `Date` header beside it:
    the server's own clock is the better one to take the difference from.

    Returns:
        `None` where there is no such header, or it is zero, negative, past or no time at all: then the caller's own
        back-off holds. At most `LONGEST_WAIT_S`.
    """
    sent_at = next((moment for moment in map(_moment, answer.values("date")) if moment is not None), wall_now)
    waits: list[float] = []
    for value in answer.values("retry-after"):
        pieces = [piece.strip() for piece in value.split(",")]
        if all(map(_SECONDS.fullmatch, pieces)):
            waits.extend(float(piece) for piece in pieces)
        elif (moment := _moment(value)) is not None:
            waits.append(moment - sent_at)
    longest = max(waits, default=0.0)
    return min(longest, LONGEST_WAIT_S) if longest > 0 else None


def pointed_at(answer: HttpAnswer) -> str:
    """Scheme and host that a redirect names, nothing else of it: a query can hold a token."""
    location = next(answer.values("location"), "")
    if not location:
        return "nowhere"
    try:
        parts = urlsplit(location)
        host = parts.hostname
        port = parts.port
    except ValueError:
        return "an address that cannot be read"
    if host is None:
        return "another page of the same server"
    if not (host.isascii() and host.isprintable() and parts.scheme in ("", "http", "https")):
        return "an address that cannot be read"
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return f"{scheme}{host}{f':{port}' if port else ''}"


def _moment(text: str) -> float | None:
    """Seconds since the epoch that an HTTP date means (RFC 9110 knows three forms of it)."""
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
