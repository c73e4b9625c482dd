"""The store of courses and sections, and what a PUT does to a record."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from sync.sandbox import markup
from sync.sandbox.fields import FIELDS, IMAGE_ACTIONS, READ_ONLY, Record
from sync.sandbox.options import SandboxOptions
from sync.sandbox.seed import Seed

ONE_STEP: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one record, by a PUT or by somebody else."""

    number: int
    """Counts the changes of this store from 1."""
    section_id: int
    by: str
    before: Record
    after: Record | None
    """None when the record was deleted."""


class RecordStore:
    """Holds the records; a change replaces a record and never alters it in place."""

    def __init__(self, seed: Seed, now: Callable[[], datetime]) -> None:
        """Start from a seed; `now` is the server's wall clock, with a time zone."""
        self._seed = seed
        self._now = now
        self._last_update = datetime.min.replace(tzinfo=UTC)
        self._images = 0
        self.courses: Mapping[int, Record] = seed.courses
        self.sections: dict[int, Record] = dict(seed.sections)
        self.history: list[Change] = []

    def reset(self) -> None:
        """Hold the seed again, with no history."""
        self.courses = self._seed.courses
        self.sections = dict(self._seed.sections)
        self.history.clear()

    def put(self, body: Record, user: str, options: SandboxOptions) -> Change:
        """Carry out an update whose body was found right.

        Raises:
            KeyError: there is no section of that Id.
        """
        before = self.sections[_id(body)]
        after = {**self._laid_over(before, body, options), **self._image(before, body, options)}
        after |= self._derived(after)
        if options.no_change == "moved" or not _same(before, after):
            after |= {"UpdatedOn": self._stamp(), "UpdatedBy": user}
        return self._replace(before, after, user)

    def edit(self, section_id: int, fields: Record, by: str) -> Change:
        """Change fields as another person would in the admin panel; no rule is checked.

        Raises:
            KeyError: there is no section of that Id.
        """
        before = self.sections[section_id]
        after = {**before, **fields}
        return self._replace(before, {**after, **self._derived(after), "UpdatedOn": self._stamp(), "UpdatedBy": by}, by)

    def delete(self, section_id: int, by: str) -> Change:
        """Remove a section.

        Raises:
            KeyError: there is no section of that Id.
        """
        before = self.sections.pop(section_id)
        return self._remember(Change(len(self.history) + 1, section_id, by, before, None))

    def _laid_over(self, before: Record, body: Record, options: SandboxOptions) -> dict[str, object]:
        after: dict[str, object] = {}
        for name, old in before.items():
            if name == "Id" or name in READ_ONLY or name in options.ignored_fields:
                after[name] = old
            elif name in IMAGE_ACTIONS:
                after[name] = None
            elif name in body:
                after[name] = _stored(name, body[name], options)
            else:
                after[name] = old if options.omitted == "kept" else _reset(name)
        unknown = body.keys() - before.keys() - READ_ONLY - options.ignored_fields
        return after | {name: body[name] for name in body if name in unknown}

    def _image(self, before: Record, body: Record, options: SandboxOptions) -> dict[str, object]:
        url = body.get("NewImageUrl")
        if isinstance(url, str) and url and "NewImageUrl" not in options.ignored_fields:
            self._images += 1
            suffix = PurePosixPath(urlsplit(url).path).suffix.lower() or ".jpg"
            return {"ImageFileName": f"section-{before['Id']}-{self._images}{suffix}"}
        if body.get("ClearImageFile") is True and "ClearImageFile" not in options.ignored_fields:
            return {"ImageFileName": None}
        return {}

    def _derived(self, record: Record) -> dict[str, object]:
        course = record.get("CourseId")
        known = self.courses.get(course) if isinstance(course, int) else None
        return {"CourseTitle": known["Title"] if known else None, "ToStringText": record.get("Title")}

    def _stamp(self) -> str:
        """Return a time that no other change has, later than all before."""
        self._last_update = max(self._now().astimezone(UTC), self._last_update + ONE_STEP)
        return self._last_update.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _replace(self, before: Record, after: Record, by: str) -> Change:
        section_id = _id(before)
        self.sections[section_id] = after
        return self._remember(Change(len(self.history) + 1, section_id, by, before, after))

    def _remember(self, change: Change) -> Change:
        self.history.append(change)
        return change


def _id(record: Record) -> int:
    value = record.get("Id")
    if not isinstance(value, int):
        raise KeyError(value)
    return value


def _reset(name: str) -> object:
    field = FIELDS.get(name)
    return field.reset if field else None


def _stored(name: str, value: object, options: SandboxOptions) -> object:
    return markup.rewrite(value, options.html) if name == "SectionContents" and isinstance(value, str) else value


def _same(before: Record, after: Record) -> bool:
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
