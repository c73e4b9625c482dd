"""Contents cleaned before they are sent, where the profile asks for it: what is kept, held, and said of it.

The cleaner itself is handed in. Nothing touches a text after it: what is sent is what the cleaner leaves alone.
"""

import re
from collections import Counter
from collections.abc import Callable
from itertools import takewhile
from typing import Final, TypeAlias

from sync.frozen import Frozen
from sync.normalize import as_sent

Cleaner: TypeAlias = Callable[[str], str]
"""Takes out of HTML what is not on a list."""

MAX_LENGTH: Final = 250_000
"""Characters that are cleaned; a cell of Excel has no more than 32,767."""
MAX_OPEN: Final = 500
"""Tags of one name that are open at once, and attributes of one tag: beyond, a parser's time grows as the square."""

_PASSES: Final = 4
_TAG: Final = re.compile(r"<(/?)([A-Za-z][^\s/>]*)([^>]*)")
_QUOTED: Final = re.compile(r"(?<=[^\s/>\"'=])=\s*(?:\"[^\"]*\"|'[^']*')")
_ATTRIBUTE: Final = re.compile(r"[\s/\"']+[^\s/>\"']")
_CLOSE_THEMSELVES: Final = frozenset(
    "area base br col dd dt embed hr img input li link meta option p rp rt source td th tr track wbr".split()  # noqa: SIM905 - a list of words
)
_UNSENDABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff\ufffd]")
_SHOWN: Final = 60


class Cleaned(Frozen):
    """A text that is to be sent instead of what the cell holds."""

    text: str
    message: str


class Uncleanable(Frozen):
    """Why a text cannot be cleaned, in the form of an issue (`cannot …`)."""

    message: str


def cleaned(text: str, cleaner: Cleaner) -> Cleaned | Uncleanable | None:
    """Clean a text as often as it takes until it stays as it is; `None` where there is nothing to clean.

    Text without markup is text, whatever signs it holds, and stays as written.
    """
    if "<" not in text:
        return None
    if len(text) > MAX_LENGTH:
        return Uncleanable(
            f"cannot be cleaned: it has {len(text):,} characters, and at most {MAX_LENGTH:,} are looked at"
        )
    if _is_tangled(text):
        return Uncleanable(f"cannot be cleaned: more than {MAX_OPEN} tags are open at once, or attributes in one tag")
    before, after = text, as_sent(cleaner(text))
    for _ in range(_PASSES):
        if after == before:
            break
        before, after = after, as_sent(cleaner(after))
    if after != before:
        return Uncleanable("cannot be cleaned: it becomes another text each time")
    if after == text:
        return None
    if not after.strip():
        return Uncleanable("cannot be cleaned: nothing would be left of it, and that would empty the field")
    if _UNSENDABLE.search(after):
        return Uncleanable("cannot be cleaned: it holds a control character, written as a reference (&#…;)")
    return Cleaned(after, f"is cleaned before it is sent: {_difference(text, after)}")


def _is_tangled(text: str) -> bool:
    unclosed: Counter[str] = Counter()
    for closing, name, rest in _TAG.findall(text):
        tag = name.casefold()
        if closing:
            unclosed[tag] = max(0, unclosed[tag] - 1)
        elif tag not in _CLOSE_THEMSELVES:
            unclosed[tag] += 1
            if unclosed[tag] > MAX_OPEN:
                return True
        if len(rest) > MAX_OPEN and len(_ATTRIBUTE.findall(_QUOTED.sub("=", rest))) > MAX_OPEN:
            return True
    return False


def _difference(before: str, after: str) -> str:
    """Show the first place where two texts part, and how many characters each of them has there."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    rest = min(len(before), len(after)) - same
    tail = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before[::-1][:rest], after[::-1][:rest], strict=True))
    )
    old, new = before[same : len(before) - tail], after[same : len(after) - tail]
    return f"{_excerpt(old)} becomes {_excerpt(new)} ({len(before):,} characters, then {len(after):,})"


def _excerpt(text: str) -> str:
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"
