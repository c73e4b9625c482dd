"""Find rows by what they are, whatever they come from: status, field, course, an issue's code, and words. Pure."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Protocol

from sync.frozen import Frozen

WORDS_OF_A_VALUE: Final = 400
"""Characters of each value that a search looks through."""


class Filter(Frozen):
    """Which rows are wanted; what is empty asks for nothing."""

    status: str = ""
    field: str = ""
    course: str = ""
    words: str = ""
    code: str = ""
    """Of an issue."""


class Findable(Protocol):
    """What a row is found by."""

    @property
    def status(self) -> str:
        """Its status."""
        ...

    @property
    def course(self) -> str:
        """The course as its label says it."""
        ...

    @property
    def fields(self) -> Collection[str]:
        """The fields that it changes."""
        ...

    @property
    def codes(self) -> Collection[str]:
        """The codes of its issues."""
        ...

    @property
    def words(self) -> str:
        """All that a search looks through, as `searched` makes it."""
        ...


def searched(said: Iterable[str]) -> str:
    """One text to search, of everything that a row says."""
    return " ".join(text[:WORDS_OF_A_VALUE] for text in said).casefold()


def places_of(lines: Sequence[Findable], wanted: Filter) -> list[int]:
    """The places of the rows that are wanted, from 0."""
    words = wanted.words.casefold().split()
    return [
        at
        for at, line in enumerate(lines)
        if (not wanted.status or line.status == wanted.status)
        and (not wanted.field or wanted.field in line.fields)
        and (not wanted.course or line.course == wanted.course)
        and (not wanted.code or wanted.code in line.codes)
        and all(word in line.words for word in words)
    ]


def fields_of(lines: Iterable[Findable]) -> tuple[str, ...]:
    """The fields that any row changes."""
    return tuple(sorted({name for line in lines for name in line.fields}))


def courses_of(lines: Iterable[Findable]) -> tuple[str, ...]:
    """The courses of all rows, numbers in their order."""
    return tuple(sorted({line.course for line in lines if line.course}, key=lambda course: (len(course), course)))
