"""Where an exported workbook comes from, and what its operator saw of a section: values that pass between stages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.section import Json


@dataclass(frozen=True, slots=True)
class Origin:
    """What a workbook was exported from, and when."""

    account: str
    base_url: str
    exported_at: str
    """ISO 8601 in UTC."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the operator saw of one section, as far as its row names fields."""

    unique_id: str | None
    exported_at: str
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of the named fields whose cell is no longer as exported."""
    shown: Mapping[str, Json] = field(default_factory=dict)
    """The values themselves, of those that are short enough to be kept."""
    untouched: frozenset[str] = frozenset()
    """The named fields whose cell is still as exported."""
