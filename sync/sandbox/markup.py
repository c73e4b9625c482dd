"""What the server may do to HTML on its way in: nothing, trim it, or write it anew; each is idempotent."""

import re
from typing import Final, Literal, TypeAlias, assert_never

Rewriting: TypeAlias = Literal["off", "trim", "rewrite"]

_TAG: Final = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^<>\s=/]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'))?)*)\s*(/?)>")
_ATTRIBUTE: Final = re.compile(r"([^\s=/]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'))?")
_VOID: Final = frozenset({"br", "hr", "img", "input", "wbr"})


def rewrite(html: str, how: Rewriting) -> str:
    """Return the HTML as the server would store it.

    `rewrite` trims, lowers tag and attribute names, sorts attributes, uses double quotes and closes void tags.
    """
    match how:
        case "off":
            return html
        case "trim":
            return html.strip()
        case "rewrite":
            return _TAG.sub(_tag, html.strip())
        case _:
            assert_never(how)


def _tag(found: re.Match[str]) -> str:
    name = found[1].lower()
    attributes = sorted((one[1].lower(), one[2]) for one in _ATTRIBUTE.finditer(found[2]))
    words = [name, *(key if value is None else f"{key}={_quoted(value)}" for key, value in attributes)]
    return f"<{' '.join(words)}{' /' if found[3] or name in _VOID else ''}>"


def _quoted(value: str) -> str:
    inner = value[1:-1]
    return value if '"' in inner else f'"{inner}"'
