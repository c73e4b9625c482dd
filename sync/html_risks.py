"""What in a section's HTML can act rather than show: reported or held by policy, never changed here.

It looks at the text from every place where a tag can start and takes a doubtful quotation mark both ways, so that it
finds too much rather than too little: a parser that reads odd markup in one way only misses what a browser makes of
the other. Each character is looked at a bounded number of times, however hostile the text.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from html import unescape
from typing import Final

from sync.frozen import Frozen


class HtmlPolicy(StrEnum):
    """What becomes of a row whose contents hold something that acts."""

    OFF = "off"
    REPORT = "report"
    """A warning names it; the row is sent as it is."""
    HOLD = "hold"
    CLEAN = "clean"
    """What is not on the profile's list is taken out before sending, and both texts are shown."""


class Risk(Frozen):
    """One kind of thing that acts, with the first place where it stands."""

    code: str
    message: str
    excerpt: str


_TAG: Final = re.compile(r"<(?=[A-Za-z!?/])")
_NAME: Final = re.compile(r"[A-Za-z][^\s/>\"'<]*")
_ACTIVE: Final = {
    "script": ("html.script", "holds a script"),
    "iframe": ("html.frame", "holds a frame (iframe) with another page"),
    "frame": ("html.frame", "holds a frame with another page"),
    "object": ("html.object", "holds an embedded object"),
    "embed": ("html.object", "holds an embedded object"),
    "applet": ("html.object", "holds an embedded object"),
    "form": ("html.form", "holds a form"),
}
_HANDLER: Final = re.compile(r"(?:^|[\s/\"'`])on[a-z]+\s*=", re.IGNORECASE)
_SRCDOC: Final = re.compile(r"(?:^|[\s/\"'`])srcdoc\s*=", re.IGNORECASE)
_SCRIPT_ADDRESS: Final = re.compile(r"(?:=[\"'`]?|url\([\"']?)(?:javascript|vbscript|livescript):", re.IGNORECASE)
_DATA_ADDRESS: Final = re.compile(r"(?:=[\"'`]?|url\([\"']?)data:", re.IGNORECASE)
_STYLE: Final = re.compile(r"style=.*?(?:url\(|expression\(|@import)", re.IGNORECASE | re.DOTALL)
_REFRESH: Final = re.compile(r"http-equiv=[\"'`]?refresh", re.IGNORECASE)
_IGNORED: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]+")
"""Characters that a browser passes over within the name of a scheme."""
_CSS_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_PERHAPS: Final = re.compile(
    r"<\s*(?:script|i?frame|object|embed|applet|form|meta)|on[a-z]+\s*=|script|data|srcdoc|style|&|:", re.IGNORECASE
)
"""Without any of these there is nothing to find."""
_ACTIVE_TAG: Final = re.compile(f"<(?:{'|'.join(_ACTIVE)})", re.IGNORECASE)
"""Where nothing has an attribute, only such a tag can act."""
_EXCERPT: Final = 100


def risks(html: str) -> tuple[Risk, ...]:
    """Name what can act in `html`, each kind once, in the order in which they stand."""
    if "<" not in html or not (_PERHAPS if "=" in html else _ACTIVE_TAG).search(html):
        return ()
    found: dict[str, Risk] = {}
    for segment in _TAG.split(html)[1:]:
        for code, message in _of_tag(segment):
            found.setdefault(code, Risk(code, message, f"<{segment[:_EXCERPT]}"))
    return tuple(found.values())


def _of_tag(segment: str) -> Iterator[tuple[str, str]]:
    """Judge what stands from one start of a tag to the next."""
    name = _NAME.match(segment)
    tag = name.group().casefold() if name else ""
    if tag in _ACTIVE:
        yield _ACTIVE[tag]
    end = segment.rfind(">")
    attributes = segment if end < 0 else segment[:end]
    if "=" not in attributes:
        return
    if _HANDLER.search(attributes):
        yield "html.event_handler", "holds an event handler (on…=), which runs as a script"
    if _SRCDOC.search(attributes):
        yield "html.frame", "holds a frame (srcdoc) with another page"
    bare = _IGNORED.sub("", unescape(attributes))
    if _SCRIPT_ADDRESS.search(bare):
        yield "html.script_address", "holds an address that runs as a script (javascript:)"
    if _DATA_ADDRESS.search(bare):
        yield "html.data_address", "holds a file within an address (data:)"
    if _STYLE.search(_CSS_COMMENT.sub("", bare)):
        yield "html.style_address", "holds a style that loads from an address (url)"
    if tag == "meta" and _REFRESH.search(bare):
        yield "html.refresh", "holds an order to open another page (meta refresh)"
