"""Two sections of one course in the same place, once the plan is carried out: a warning on their rows. Pure.

The server takes it without a word, and then shows the two in an order of its own. Only what this plan moves is told of:
a collision that stands already, and that no row touches, is nobody's news. A swap is none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sync.frozen import replace
from sync.model import Issue, PlannedRow, SectionId, Severity, Source, ToUpdate
from sync.normalize import normal
from sync.section import Json, Record

_NAMED: Final = 3
_COURSE: Final = "CourseId"
_ORDER: Final = "DisplayOrder"

Place = tuple[int, int]
"""Course and place in it."""


@dataclass(slots=True)
class Places:
    """Where the sections that were read have their places now: three numbers each, and nothing else of them."""

    _now: dict[SectionId, Place] = field(default_factory=dict)

    def saw(self, section_id: SectionId, record: Record) -> None:
        """Remember the place of a section; one that is no pair of whole numbers is none."""
        course, order = record.get(_COURSE), record.get(_ORDER)
        place = place_of(course, order) or place_of(normal(_COURSE, course), normal(_ORDER, order))
        if place is not None:
            self._now[section_id] = place

    def with_warnings(
        self, rows: Sequence[PlannedRow], *, exported: Callable[[], Mapping[SectionId, Place]] = dict
    ) -> tuple[PlannedRow, ...]:
        """Add a warning to every row whose section shares its place afterwards, where this plan brings that about.

        `exported` gives the places that an exported workbook remembers, for sections that were not read: rows that
        the operator took out of it, or left out.
        """
        moved = {
            row.edit.id: place for row in rows if row.edit is not None and (place := self._moved_to(row)) is not None
        }
        if not moved:
            return tuple(rows)
        taken: dict[Place, list[SectionId]] = {place: [] for place in moved.values()}
        remembered = {key: place for key, place in exported().items() if key not in self._now}
        for section_id, place in {**remembered, **self._now, **moved}.items():
            if place in taken:
                taken[place].append(section_id)
        shared = {section_id: place for place, sharing in taken.items() if len(sharing) > 1 for section_id in sharing}
        row_of = {row.edit.id: f" (row {row.row})" for row in rows if row.edit is not None and row.edit.id in shared}
        where = {**{key: " (as exported)" for key in shared if key in remembered}, **row_of}
        return tuple(
            replace(row, issues=(*row.issues, _issue(row.edit.id, shared[row.edit.id], taken, where)))
            if row.edit is not None and row.edit.id in shared
            else row
            for row in rows
        )

    def _moved_to(self, row: PlannedRow) -> Place | None:
        """Where the plan puts the section of `row`; `None` if it leaves it where it is."""
        if row.edit is None or not isinstance(row.decision, ToUpdate) or row.edit.id not in self._now:
            return None
        after = {change.field: change.after for change in row.decision.changes}
        if _COURSE not in after and _ORDER not in after:
            return None
        course, order = self._now[row.edit.id]
        return place_of(normal(_COURSE, after.get(_COURSE, course)), normal(_ORDER, after.get(_ORDER, order)))


def place_of(course: Json, order: Json) -> Place | None:
    """Course and place in it; `None` where they are no pair of whole numbers."""
    return (course, order) if type(course) is int and type(order) is int else None


def _issue(
    section_id: SectionId,
    place: Place,
    taken: Mapping[Place, Sequence[SectionId]],
    where: Mapping[SectionId, str],
) -> Issue:
    others = [other for other in taken[place] if other != section_id]
    named = ", ".join(f"{other}{where.get(other, '')}" for other in others[:_NAMED])
    more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
    course, order = place
    plural = "" if len(others) == 1 else "s"
    return Issue(
        code="order.collision",
        field=_ORDER,
        message=f"would be {order} in course {course}, as that of section{plural} {named}{more}",
        source=Source.SYNC,
        severity=Severity.WARNING,
        attempted_value=order,
    )
