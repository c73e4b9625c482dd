"""The first courses and sections: read from a file, or a tiny built-in set."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.sandbox.fields import FIELDS, Record

FIRST_DAY: Final = "2025-01-15T10:30:00Z"
AUTHOR: Final = "admin@example.com"


@dataclass(frozen=True, slots=True)
class Seed:
    """What a server holds when it starts."""

    courses: Mapping[int, Record]
    sections: Mapping[int, Record]


def load(path: Path) -> Seed:
    """Read `{"courses": [...], "sections": [...]}`; documented fields that a record lacks get plain values.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a document.
    """
    return build(json.loads(path.read_bytes()), str(path))


def build(document: object, name: str = "seed") -> Seed:
    """Check a seed document and complete its records.

    Raises:
        ValueError: it is not of the documented form.
    """
    match document:
        case {"courses": list() as courses, "sections": list() as sections}:
            by_course = {_key(course, name): _course(course) for course in courses}
            return Seed(by_course, {_key(section, name): _section(section, by_course) for section in sections})
        case _:
            raise ValueError(f"{name}: expected an object with the lists courses and sections")


def _key(record: object, name: str) -> int:
    match record:
        case {"Id": int() as key}:
            return key
        case _:
            raise ValueError(f"{name}: a record without an integer Id: {str(record)[:80]}")


def _course(given: Record) -> Record:
    key = given["Id"]
    defaults = {
        "Id": key,
        "Title": f"Course {key}",
        "Active": True,
        "BusinessId": 1,
        "UniqueId": _unique("course", key),
        "CreatedOn": FIRST_DAY,
        "UpdatedOn": FIRST_DAY,
        "UpdatedBy": AUTHOR,
        "IsNew": False,
        "SystemId": None,
        "CustomFields": None,
        "LocalizationDetails": None,
    }
    return {**defaults, **given, "ToStringText": given.get("Title", f"Course {key}")}


def _section(given: Record, courses: Mapping[int, Record]) -> Record:
    key, course = given["Id"], given.get("CourseId")
    title = given.get("Title", f"Section {key}")
    defaults = {
        **{field.name: field.reset for field in FIELDS.values()},
        "Title": title,
        "Active": True,
        "CourseTitle": courses[course]["Title"] if isinstance(course, int) and course in courses else None,
        "UniqueId": _unique("section", key),
        "CreatedOn": FIRST_DAY,
        "UpdatedOn": FIRST_DAY,
        "UpdatedBy": AUTHOR,
        "IsNew": False,
        "ToStringText": title,
    }
    return {**defaults, **given}


def _unique(kind: str, key: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{key}"))


_TITLES: Final[Sequence[tuple[int, str]]] = (
    (101, "Welcome to the space"),
    (102, "Running your first event"),
    (103, "Growing a small business"),
)

BUILT_IN: Final = build(
    {
        "courses": [{"Id": key, "Title": title} for key, title in _TITLES],
        "sections": [
            {
                "Id": 1001,
                "CourseId": 101,
                "Title": "Finding your desk",
                "DisplayOrder": 1,
                "SectionContents": "<p>Hello</p>",
            },
            {
                "Id": 1002,
                "CourseId": 101,
                "Title": "House rules",
                "DisplayOrder": 2,
                "UnlockType": 2,
                "SystemId": "rules",
            },
            {
                "Id": 1003,
                "CourseId": 102,
                "Title": "Choosing a room",
                "DisplayOrder": 1,
                "SectionContents": "<p>Café, <b>stage</b> &amp; hall</p>",
                "XFutureField": {"a": [1, 2.5, None]},
            },
            {
                "Id": 1004,
                "CourseId": 102,
                "Title": "Selling tickets",
                "DisplayOrder": 2,
                "UnlockType": 3,
                "UnlockAfterDays": 7,
                "CustomFields": {"Level": "2"},
            },
            {"Id": 1005, "CourseId": 103, "Title": "Money", "DisplayOrder": 1, "ImageFileName": "money.png"},
            {"Id": 1006, "CourseId": 103, "Title": "People", "DisplayOrder": 2, "Active": False},
        ],
    }
)
