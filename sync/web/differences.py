"""A value before and after as lines that can be read: what is gone, what is new, and what stays around it. Pure.

Everything here is text: contents are never rendered as the markup that they are.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, Literal

from sync.frozen import Frozen
from sync.preview import visible
from sync.section import Json

SHORT: Final = 90
"""A value up to this length is shown on a line of its own, whole."""
CONTEXT: Final = 1
"""Lines that stay, shown around those that do not."""
MOST_LINES: Final = 3_000
MOST_WORDS: Final = 500
_BREAKS: Final = re.compile(r"(?<=>)(?=<(?:p|h\d|ul|ol|li|div|table|tr|section|blockquote)\b)|\n", re.IGNORECASE)
_WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]")

Kind = Literal["same", "old", "new", "gap"]


class Part(Frozen):
    """A piece of a line."""

    text: str
    marked: bool = False
    """Whether it is what differs."""


class Line(Frozen):
    """One line of a difference."""

    kind: Kind
    parts: tuple[Part, ...]


def is_long(value: Json) -> bool:
    """Whether a value is better shown by its lines."""
    return isinstance(value, str) and (len(value) > SHORT or "\n" in value)


def difference(before: str, after: str) -> tuple[Line, ...]:
    """The lines that differ, with a little of what stays around them."""
    old, new = _lines(before)[:MOST_LINES], _lines(after)[:MOST_LINES]
    found = tuple(_compared(old, new))
    return found or (Line("same", (Part("(only line ends differ)"),)),)


def _lines(text: str) -> list[str]:
    return [line for line in _BREAKS.split(text.replace("\r\n", "\n")) if line]


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    if all(tag == "equal" for tag, *_ in steps):
        return
    for number, (tag, i1, i2, j1, j2) in enumerate(steps):
        if tag == "equal":
            yield from _staying(old[i1:i2], first=number == 0, last=number == len(steps) - 1)
            continue
        pairs = min(i2 - i1, j2 - j1)
        for at in range(pairs):
            yield from _pair(old[i1 + at], new[j1 + at])
        yield from (_plain("old", line) for line in old[i1 + pairs : i2])
        yield from (_plain("new", line) for line in new[j1 + pairs : j2])


def _staying(lines: Sequence[str], *, first: bool, last: bool) -> Iterator[Line]:
    head = [] if first else list(lines[:CONTEXT])
    rest = lines[len(head) :]
    tail = [] if last else list(rest[max(0, len(rest) - CONTEXT) :])
    left = len(lines) - len(head) - len(tail)
    yield from (_plain("same", line) for line in head)
    if left:
        yield Line("gap", (Part(f"{left:,} line{'' if left == 1 else 's'} as before"),))
    yield from (_plain("same", line) for line in tail)


def _pair(old: str, new: str) -> Iterator[Line]:
    mine, theirs = _WORDS.findall(old), _WORDS.findall(new)
    if len(mine) > MOST_WORDS or len(theirs) > MOST_WORDS:
        yield _plain("old", old)
        yield _plain("new", new)
        return
    before: list[Part] = []
    after: list[Part] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        _add(before, "".join(mine[i1:i2]), marked=tag != "equal")
        _add(after, "".join(theirs[j1:j2]), marked=tag != "equal")
    yield Line("old", tuple(before))
    yield Line("new", tuple(after))


def _add(parts: list[Part], text: str, *, marked: bool) -> None:
    if text:
        parts.append(Part(visible(text), marked))


def _plain(kind: Kind, line: str) -> Line:
    return Line(kind, (Part(visible(line)),))
