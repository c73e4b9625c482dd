"""Which sections an export takes: by course, by whether they are active, by when they last changed. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Self

from sync.errors import ConfigError
from sync.frozen import Frozen
from sync.section import Json, Record

_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?)?Z?")


class Selection(Frozen):
    """What is asked for; a part that is not said takes every section."""

    courses: tuple[int, ...] = ()
    active: bool | None = None
    changed_since: datetime | None = None
    """Without a time zone: it is held against `UpdatedOn` as the server writes it, whose `Z` cannot be believed."""

    @classmethod
    def of(cls, courses: tuple[int, ...], *, active: bool | None, changed_since: str | None) -> Self:
        """Read the options of an export.

        Raises:
            ConfigError: `changed_since` is neither a date nor a date with a time.
        """
        since = None if changed_since is None else _moment(changed_since)
        if changed_since is not None and since is None:
            raise ConfigError(
                f"--changed-since takes a date such as 2025-01-15, or 2025-01-15T10:30, and not {changed_since!r}.",
                remedy="It is held against UpdatedOn as the server writes it, without a time zone.",
            )
        return cls(courses, active, since)

    def takes(self, record: Record) -> bool:
        """Whether this section is asked for. One whose `UpdatedOn` cannot be read may have changed: it is taken."""
        if self.courses and record.get("CourseId") not in self.courses:
            return False
        if self.active is not None and (record.get("Active") is True) is not self.active:
            return False
        if self.changed_since is None:
            return True
        updated_on = _moment(record.get("UpdatedOn"))
        return updated_on is None or updated_on >= self.changed_since

    def empty_courses(self, records: Sequence[Record]) -> Iterator[str]:
        """Say of each course that was named and has no section among the `records` taken: its number may be wrong."""
        found = {record.get("CourseId") for record in records}
        for course in dict.fromkeys(self.courses):
            if course not in found:
                everything = self.active is None and self.changed_since is None
                what = "section" if everything else "section of the kind asked for"
                yield f"Course {course} has no {what}, or there is no such course."


def _moment(text: Json) -> datetime | None:
    """Read what stands there as a clock on the wall would show it; `None` where it is no moment."""
    found = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}{found[3] or ':00'}")
    except ValueError:
        return None
