"""Sections, edits and what is known of them, as the tests of the deciding core make them."""

from collections.abc import Mapping

from sync.diff import Known, digest
from sync.model import Edit, Label, RowNumber, SectionId
from sync.origin import Origin
from sync.ports import DesiredValue
from sync.section import Json

ABSENT: Json = "(no value at all)"
"""Where `None` would be one; no test uses these words as a value."""
ORIGIN = Origin("quayside", "https://spaces.example.com/api", "2026-03-02T09:14:07.250Z")
"""What the workbooks of the tests were exported from."""


def section(number: int = 7, /, **fields: Json) -> dict[str, Json]:
    """A full record, as the server gives it, with `fields` laid over it; a field that we do not know included."""
    return {
        "Id": number,
        "CourseId": 12,
        "Title": "Yoga",
        "DisplayOrder": 1,
        "UnlockType": 1,
        "UnlockAfterDays": 0,
        "Active": True,
        "SectionContents": "<p>Breathe</p>",
        "NewImageUrl": None,
        "ClearImageFile": None,
        "ImageFileName": None,
        "CourseTitle": "Health",
        "UniqueId": f"unique-{number}",
        "CreatedOn": "2024-01-01T08:00:00Z",
        "UpdatedOn": "2025-01-15T10:30:00Z",
        "UpdatedBy": "admin@example.com",
        "IsNew": False,
        "ToStringText": "Yoga",
        "SystemId": None,
        "LocalizationDetails": None,
        "CustomFields": {"Room": "2"},
        "SomethingNew": [1, {"deep": None}],
        **fields,
    }


def edit(values: Mapping[str, Json], *, number: int = 7, row: int = 2, seen_updated_on: str | None = None) -> Edit:
    """A valid row that names `values`."""
    return Edit(RowNumber(row), SectionId(number), dict(values), Label(str(number)), seen_updated_on=seen_updated_on)


def base_of(values: Mapping[str, Json]) -> Known:
    """What an exported workbook keeps of what the operator saw."""
    return Known(base={name: digest(name, value) for name, value in values.items()}, base_shown=dict(values))


def made(name: str, sent: Json, stored: Json = ABSENT) -> DesiredValue:
    """What a run made so: `stored` where the server wrote it in its own form."""
    return DesiredValue(sent=digest(name, sent), stored=digest(name, sent if stored is ABSENT else stored))
