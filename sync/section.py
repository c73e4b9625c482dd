"""CourseSection: its fields, types, what is required and what is read-only; the one place that knows the record.

Source of every fact: the official page of the entity (`GET/PUT /content/coursesections`), third generation;
where the pages disagree, the stricter reading stands here.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import TypeAlias

from sync.frozen import Frozen

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""A value as JSON has it. Numbers keep their kind: an `int` is written without a point."""

Record: TypeAlias = Mapping[str, Json]
"""A whole section as the server sent it, unknown fields included."""


class UnlockType(IntEnum):
    """When a member may open the section (`eLessonUnlockType`)."""

    Immediate = 1
    Sequential = 2
    Timed = 3


class FieldKind(StrEnum):
    """What a field's value is, and so how a cell is read and how two values are compared."""

    INTEGER = "integer"
    UNLOCK_TYPE = "unlock_type"
    BOOLEAN = "boolean"
    TEXT = "text"
    IMAGE_URL = "image_url"
    OPAQUE = "opaque"
    """Never read by us: echoed back as it came."""


class Access(StrEnum):
    """What a sheet may do with a field."""

    KEY = "key"
    EDITABLE = "editable"
    ACTION = "action"
    """Write-only in effect: an order to the server that no read gives back (images)."""
    READ_ONLY = "read_only"
    """The server's own; a sheet may show it, and a changed cell is a warning."""
    ECHOED = "echoed"
    """Read and written by the API, but no column of a sheet: sent back as read."""


class SectionField(Frozen):
    """One field of the record."""

    name: str
    kind: FieldKind
    access: Access
    required: bool = False
    """A PUT without it is rejected, so it can never be cleared."""
    clearable: bool = False
    """`[clear]` may empty it."""
    minimum: int | None = None
    meaning: str = ""
    """One sentence for people: the template's comment on the heading."""


FIELDS: tuple[SectionField, ...] = (
    SectionField(
        "Id",
        FieldKind.INTEGER,
        Access.KEY,
        required=True,
        minimum=1,
        meaning="The section's number. Never change it.",
    ),
    SectionField(
        "CourseId",
        FieldKind.INTEGER,
        Access.EDITABLE,
        required=True,
        minimum=1,
        meaning="The course that the section belongs to: a number, or `123 · Title`.",
    ),
    SectionField("Title", FieldKind.TEXT, Access.EDITABLE, required=True, meaning="What members see in the list."),
    SectionField(
        "DisplayOrder",
        FieldKind.INTEGER,
        Access.EDITABLE,
        required=True,
        minimum=0,
        meaning="The place in the course: lower comes first.",
    ),
    SectionField(
        "UnlockType",
        FieldKind.UNLOCK_TYPE,
        Access.EDITABLE,
        required=True,
        meaning="1 Immediate, 2 Sequential or 3 Timed.",
    ),
    SectionField(
        "UnlockAfterDays",
        FieldKind.INTEGER,
        Access.EDITABLE,
        required=True,
        minimum=0,
        meaning="Days until the section opens; has effect only with UnlockType Timed.",
    ),
    SectionField(
        "Active",
        FieldKind.BOOLEAN,
        Access.EDITABLE,
        meaning="Whether enrolled members can see the section: TRUE or FALSE.",
    ),
    SectionField(
        "SectionContents",
        FieldKind.TEXT,
        Access.EDITABLE,
        clearable=True,
        meaning="The contents, as HTML. `[clear]` empties them.",
    ),
    SectionField(
        "NewImageUrl",
        FieldKind.IMAGE_URL,
        Access.ACTION,
        meaning="Address of a jpg, jpeg, png or gif of at most 10 MB that the server fetches.",
    ),
    SectionField(
        "ClearImageFile",
        FieldKind.BOOLEAN,
        Access.ACTION,
        meaning="TRUE removes the image. Not together with NewImageUrl.",
    ),
    SectionField("ImageFileName", FieldKind.TEXT, Access.READ_ONLY, meaning="The image that the section has."),
    SectionField("CourseTitle", FieldKind.TEXT, Access.READ_ONLY, meaning="The title of the course."),
    SectionField("UniqueId", FieldKind.TEXT, Access.READ_ONLY, meaning="The section's identity across accounts."),
    SectionField("CreatedOn", FieldKind.TEXT, Access.READ_ONLY, meaning="When the section was made."),
    SectionField("UpdatedOn", FieldKind.TEXT, Access.READ_ONLY, meaning="When the section last changed."),
    SectionField("UpdatedBy", FieldKind.TEXT, Access.READ_ONLY, meaning="Who changed it last."),
    SectionField("IsNew", FieldKind.OPAQUE, Access.READ_ONLY),
    SectionField("ToStringText", FieldKind.TEXT, Access.READ_ONLY),
    SectionField("SystemId", FieldKind.OPAQUE, Access.ECHOED),
    SectionField("LocalizationDetails", FieldKind.OPAQUE, Access.ECHOED),
    SectionField("CustomFields", FieldKind.OPAQUE, Access.ECHOED),
)

BY_NAME: Mapping[str, SectionField] = {field.name: field for field in FIELDS}

ACTIONS: frozenset[str] = frozenset(field.name for field in FIELDS if field.access is Access.ACTION)
EDITABLE: tuple[SectionField, ...] = tuple(
    field for field in FIELDS if field.access in (Access.EDITABLE, Access.ACTION)
)

FULL_RECORD: frozenset[str] = frozenset(BY_NAME)
"""A record that lacks one of these is partial, and never the ground of a PUT."""


def missing_fields(record: Record, *, expected: frozenset[str] = FULL_RECORD) -> tuple[str, ...]:
    """Name the table's fields that `record` lacks, sorted; empty for a full record."""
    if expected <= record.keys():
        return ()  # each record of each read is asked twice
    return tuple(sorted(expected - record.keys()))
