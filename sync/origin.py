"""Where an exported workbook comes from, what its operator saw of a section, and what a conflict was held against."""

from collections.abc import Mapping

from sync.frozen import Frozen, field
from sync.section import Json


class Origin(Frozen):
    """What a workbook was exported from, and when."""

    account: str
    base_url: str
    exported_at: str
    """ISO 8601 in UTC."""


class Seen(Frozen):
    """What the operator saw of one section, as far as its row names fields."""

    unique_id: str | None
    exported_at: str
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of the named fields whose cell is no longer as exported."""
    shown: Mapping[str, Json] = field(default_factory=dict)
    """The values themselves, of those that are short enough to be kept."""
    untouched: frozenset[str] = frozenset()
    """The named fields whose cell is still as exported."""


class Against(Frozen):
    """What a conflict was held against where that was no export, and who changed the section last."""

    not_as_made: frozenset[str] = frozenset()
    """Fields that are not as a run made them so."""
    older_sheet: frozenset[str] = frozenset()
    """Fields of which no more is known than that the sheet shows a former `UpdatedOn` of the section."""
    updated_by: str | None = None
    updated_on: str | None = None
    """As the live record says it."""
