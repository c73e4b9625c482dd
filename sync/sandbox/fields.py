"""The course section record as the API documents it: the sandbox's own table, independent of the program's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Record: TypeAlias = Mapping[str, object]
"""One record as JSON holds it; never changed in place."""

Kind: TypeAlias = Literal["int", "text", "bool", "object"]
Access: TypeAlias = Literal["key", "write", "image", "read"]


@dataclass(frozen=True, slots=True)
class Field:
    """One documented field."""

    name: str
    kind: Kind
    access: Access
    reset: object = None
    """What an omitted optional field becomes where omitting resets."""


FIELDS: Final[Mapping[str, Field]] = {
    field.name: field
    for field in (
        Field("Id", "int", "key"),
        Field("CourseId", "int", "write"),
        Field("Title", "text", "write"),
        Field("DisplayOrder", "int", "write", 0),
        Field("UnlockAfterDays", "int", "write", 0),
        Field("UnlockType", "int", "write", 1),
        Field("SectionContents", "text", "write"),
        Field("Active", "bool", "write", reset=False),
        Field("NewImageUrl", "text", "image"),
        Field("ClearImageFile", "bool", "image"),
        Field("ImageFileName", "text", "read"),
        Field("CourseTitle", "text", "read"),
        Field("UniqueId", "text", "read"),
        Field("CreatedOn", "text", "read"),
        Field("UpdatedOn", "text", "read"),
        Field("UpdatedBy", "text", "read"),
        Field("IsNew", "bool", "read"),
        Field("ToStringText", "text", "read"),
        Field("SystemId", "text", "write"),
        Field("LocalizationDetails", "object", "write"),
        Field("CustomFields", "object", "write"),
    )
}

READ_ONLY: Final = frozenset(field.name for field in FIELDS.values() if field.access == "read")
IMAGE_ACTIONS: Final = frozenset(field.name for field in FIELDS.values() if field.access == "image")


def fits(value: object, kind: Kind) -> bool:
    """Tell whether a JSON value is of a field's kind; null always is."""
    match kind:
        case _ if value is None:
            return True
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "text":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "object":
            return isinstance(value, dict | list)
