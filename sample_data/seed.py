"""The seed: the courses and sections that the sandbox starts with, full records as the API returns them."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sample_data.contents import contents
from sample_data.texts import CourseText, SectionText, load_courses

_FIRST_COURSE = 1_414_880_117
_FIRST_SECTION = 1_414_925_001
_OPENING = datetime(2024, 9, 2, 8, 5, 11, tzinfo=UTC)
_STAFF = (
    "ife.okafor@quayside.example",
    "svenja.petersen@quayside.example",
    "ines.moreira@quayside.example",
    "academy@quayside.example",
    "k.benali@quayside.example",
)
_TIMED = {"podcast", "security", "autonomos", "druk3d"}
_SEQUENTIAL = {"fire", "brandschutz", "workshop", "ceramica"}
_SHARED_PLACE = 7
"""In a course with a duplicate, this place carries the number of the place before it."""

_UNHEARD_OF: Mapping[tuple[str, int], Mapping[str, Any]] = {
    ("onboarding", 1): {"XEstimatedMinutes": 12.5},
    ("onboarding", 4): {"XBadges": [{"k": "first-week", "n": 12345678901234567890}, {"k": "v", "n": -0.5}]},
    ("fire", 6): {"XNested": {"level": {"deeper": [1, [2, [3, None]], {}]}, "flag": False}, "XEmpty": ""},
    ("podcast", 5): {"XGain": 1e-7, "XPeak": 6.02e23},
    ("coffee", 2): {"XNote": unicodedata.normalize("NFD", "Café crème à la façon d'Åse")},
    ("steuern", 3): {"XEmpty": "", "XNull": None, "XList": []},
    ("accueil", 7): {"XEmoji": "👩‍🚒🇫🇷", "XZeroWidth": "a\u200bb", "xestimatedminutes": 3},
    ("nyukai", 3): {"XNested": {"キー": {"値": 0.1}}},
    ("diyafa", 1): {"XDirection": "rtl", "XEstimatedMinutes": 5.0},
}
"""Fields that no page of the API names, by course and place: to be sent back as they came."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a section stands: its course and its place in it, from 1."""

    course: CourseText
    position: int
    text: SectionText


@dataclass(frozen=True, slots=True)
class Seed:
    """The two tables, and the way to find a record by what it is about."""

    courses: tuple[Mapping[str, Any], ...]
    sections: tuple[Mapping[str, Any], ...]
    places: Mapping[tuple[str, int], Mapping[str, Any]]

    def section(self, course: str, position: int) -> Mapping[str, Any]:
        """Return the section at a place (from 1) of the course with this key.

        Raises:
            KeyError: There is no such place.
        """
        return self.places[course, position]

    def of_course(self, course: str) -> tuple[Mapping[str, Any], ...]:
        """Return a course's sections in the order of their places."""
        return tuple(record for (key, _), record in self.places.items() if key == course)

    def as_json(self) -> str:
        """Write the seed file's text: sorted by Id, readable, a new line at its end."""
        tables = {"courses": self.courses, "sections": self.sections}
        return json.dumps(tables, ensure_ascii=False, indent=1) + "\n"


def make_seed() -> Seed:
    """Build both tables; the same each time."""
    library = load_courses()
    course_ids = _ids([f"course/{course.key}" for course in library], first=_FIRST_COURSE, gap=1_700)
    places = [
        Place(course, position, text) for course in library for position, text in enumerate(course.sections, start=1)
    ]
    by_birth = sorted(places, key=_added_later)
    section_ids = _ids([_name(place) for place in by_birth], first=_FIRST_SECTION, gap=23)
    records = {
        (place.course.key, place.position): _section(
            place, section_ids[_name(place)], course_ids[f"course/{place.course.key}"], library
        )
        for place in places
    }
    courses = [_course(course, course_ids[f"course/{course.key}"], rank) for rank, course in enumerate(library, 1)]
    return Seed(
        courses=tuple(sorted(courses, key=lambda record: int(record["Id"]))),
        sections=tuple(sorted(records.values(), key=lambda record: int(record["Id"]))),
        places=records,
    )


def _number(name: str, below: int) -> int:
    """Draw a number in `range(below)` from a name: looks random, depends on nothing else."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big") % below


def _name(place: Place) -> str:
    return f"{place.course.key}/{place.position}"


def _added_later(place: Place) -> bool:
    """Tell whether a section was written after the others, so that its Id is higher than theirs."""
    return _number(f"later/{_name(place)}", 9) == 0


def _ids(names: Sequence[str], *, first: int, gap: int) -> dict[str, int]:
    ids: dict[str, int] = {}
    current = first
    for name in names:
        ids[name] = current
        current += 1 + _number(f"gap/{name}", gap)
    return ids


def _audit(name: str) -> dict[str, Any]:
    created = _OPENING + timedelta(minutes=_number(f"created/{name}", 690_000), seconds=_number(name, 60))
    days = _number(f"updated/{name}", 66) if _number(f"touched/{name}", 5) else 0
    updated = created + timedelta(days=days, seconds=_number(f"second/{name}", 40_000) if days else 0)
    return {
        "UniqueId": str(uuid5(NAMESPACE_URL, f"https://quayside.example/academy/{name}")),
        "CreatedOn": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "UpdatedOn": f"{updated:%Y-%m-%dT%H:%M:%SZ}",
        "UpdatedBy": _STAFF[_number(f"by/{name}", len(_STAFF))],
        "IsNew": False,
    }


def _course(course: CourseText, number: int, rank: int) -> dict[str, Any]:
    return {
        "Id": number,
        "Title": course.title,
        "SummaryText": course.summary,
        "Active": course.key != "huerto",
        "Visibility": 1 + _number(f"visibility/{course.key}", 3),
        "DisplayOrder": rank,
        "Language": course.language,
        **_audit(f"course/{course.key}"),
        "ToStringText": course.title,
        "SystemId": None,
        "LocalizationDetails": None,
        "CustomFields": None,
    }


def _section(place: Place, number: int, course_id: int, library: Sequence[CourseText]) -> dict[str, Any]:
    name, text = _name(place), place.text
    html = contents(place.course, text, place.position, library)
    unlock_type, days = _unlock(place)
    record: dict[str, Any] = {
        "Id": number,
        "CourseId": course_id,
        "Title": text.title,
        "DisplayOrder": _display_order(place),
        "UnlockAfterDays": days,
        "UnlockType": unlock_type,
        "SectionContents": html,
        "Active": bool(html) and _number(f"active/{name}", 17) != 0,
        "NewImageUrl": None,
        "ClearImageFile": None,
        "ImageFileName": _image(name, number),
        "CourseTitle": place.course.title,
        **_audit(f"section/{name}"),
        "ToStringText": text.title,
        "SystemId": None if _number(f"system/{name}", 3) else f"LMS-{place.course.key.upper()}-{place.position:02d}",
        "LocalizationDetails": _localization(name, place),
        "CustomFields": _custom_fields(name),
    }
    record.update(_UNHEARD_OF.get((place.course.key, place.position), {}))
    return record


def _display_order(place: Place) -> int:
    match place.course.order:
        case "tens":
            return place.position * 10
        case "duplicate" if place.position == _SHARED_PLACE:
            return place.position - 1
        case _:
            return place.position


def _unlock(place: Place) -> tuple[int, int]:
    if place.course.key in _TIMED:
        return 3, (place.position - 1) * 3
    if place.course.key in _SEQUENTIAL and place.position > 1:
        return 2, 0
    return 1, 30 if _number(f"idle-days/{_name(place)}", 25) == 0 else 0


def _image(name: str, number: int) -> str | None:
    if _number(f"image/{name}", 3):
        return None
    return f"section_{number % 10_000}.{('jpg', 'png', 'jpg', 'gif')[_number(f'kind/{name}', 4)]}"


def _localization(name: str, place: Place) -> object:
    """Mostly null, here and there an object or a list of them."""
    language, title = place.course.language, place.text.title
    match _number(f"localization/{name}", 12):
        case 0:
            return {"Language": language, "Fields": [{"Name": "Title", "Value": title}]}
        case 1:
            return [{"Lang": language, "Title": title}, {"Lang": "en", "Title": None}]
        case _:
            return None


def _custom_fields(name: str) -> object:
    match _number(f"custom/{name}", 7):
        case 0:
            return {"Data": [{"Name": "Reviewed by", "Value": _STAFF[0]}, {"Name": "Minutes", "Value": 7}]}
        case 1:
            return {}
        case _:
            return None
