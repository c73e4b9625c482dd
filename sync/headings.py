"""How a heading names a field: the one matching rule, for the columns of a sheet and for telling a CSV's delimiter."""

import unicodedata
from collections.abc import Mapping
from typing import Final

from sync.section import BY_NAME

COMMAND: Final = "Command"
"""The one column of ours that is no field: what the operator wants done with the row."""
CHOICES: Final = frozenset({"sheet", "live"})
"""The words in it that decide a conflict."""

RESULT_PREFIX: Final = "Result: "
"""How the heading of a result column begins; the loader ignores such columns."""
RESULT_HEADINGS: Final = tuple(
    RESULT_PREFIX + name
    for name in ("Status", "Messages", "Changed", "Verified", "Attempts", "Updated on", "Updated by", "Row", "Run")
)


def heading_key(text: str) -> str:
    """What is left of a heading when case, spaces, underscores and invisible characters do not count."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in folded if not (character == "_" or _is_invisible(character)))


def _is_invisible(character: str) -> bool:
    """Whether `character` shows nothing: spaces, line ends, controls, joiners, soft hyphens, byte order marks."""
    return character.isspace() or unicodedata.category(character) in {"Cf", "Cc"}


OWN_HEADINGS: Final[Mapping[str, str]] = {heading_key(name): name for name in (*BY_NAME, COMMAND)}
"""Every heading that needs no alias: its key, and the field's name (or `Command`)."""


def known_headings(aliases: Mapping[str, str]) -> Mapping[str, str]:
    """Add a profile's aliases (heading = field) to the headings of ours; a field's own name wins over an alias."""
    added = {heading_key(heading): OWN_HEADINGS.get(heading_key(name)) for heading, name in aliases.items()}
    return {key: name for key, name in added.items() if key and name is not None} | dict(OWN_HEADINGS)


def field_of(heading: object) -> str | None:
    """Name the field or `Command` that a plain heading means, for widths and drop-downs only."""
    return OWN_HEADINGS.get(heading_key(str(heading or "")))


def is_choice(cell: object) -> bool:
    """Whether this cell of `Command` decides a conflict, and not something else about its row."""
    return isinstance(cell, str) and cell.strip().casefold() in CHOICES
