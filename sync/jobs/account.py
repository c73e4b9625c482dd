"""What an account holds: the sections and courses for an export, and the looks that `doctor` takes."""

from sync.bootstrap import Session
from sync.exchange import ReadPage
from sync.line import Line
from sync.listing import read_list, read_page
from sync.live import read_live
from sync.model import (
    SectionId,
)
from sync.ports import StopAsked
from sync.reading import Found
from sync.section import Record
from sync.selection import Selection


def read_account(
    session: Session, selection: Selection, stop_asked: StopAsked
) -> tuple[tuple[Record, ...], tuple[tuple[int, str], ...]]:
    """Every section that the selection takes as a full record, and all courses with their titles.

    The list is asked for the courses alone: how the server matches anything else is not known, so that is decided here.

    Raises:
        CourseSyncError: as `listing.read_list` and `live.read_live`.
    """
    line, clock = session.line(), session.clock
    chosen: list[tuple[tuple[str, str], ...]] = [
        (("CourseSection_Course", str(course)),) for course in dict.fromkeys(selection.courses)
    ]
    listed = [
        record
        for filters in chosen or [()]
        for record in read_list("coursesections", line, clock, filters=filters, stop_asked=stop_asked)
    ]
    ids = [SectionId(value) for record in listed if isinstance(value := record.get("Id"), int)]
    reading = session.reading(line, stop_asked)
    sights = read_live(
        ids,
        line,
        clock,
        ids_per_request=reading.ids_per_request,
        wait_max_s=reading.wait_max_s,
        stop_asked=stop_asked,
    )
    records = tuple(sight.record for sight in sights if isinstance(sight, Found))
    kept = tuple(record for record in records if selection.takes(record))
    return kept, _titles(line, session, stop_asked)


def read_courses(session: Session, stop_asked: StopAsked) -> tuple[tuple[int, str], ...]:
    """All courses, number and title.

    Raises:
        CourseSyncError: as `listing.read_list`.
    """
    return _titles(session.line(), session, stop_asked)


def _titles(line: Line, session: Session, stop_asked: StopAsked) -> tuple[tuple[int, str], ...]:
    return tuple(
        (course_id, str(record.get("Title") or ""))
        for record in read_list("courses", line, session.clock, stop_asked=stop_asked)
        if isinstance(course_id := record.get("Id"), int)
    )


def list_a_page(session: Session) -> tuple[int | None, SectionId | None]:
    """How many sections the list counts, and the Id of the first one, if there is any.

    Raises:
        CourseSyncError: as `listing.read_page`.
    """
    line = session.line()
    page = read_page(ReadPage("coursesections", 1, 1), line, session.clock)
    line.settle_debts()
    ids = [value for record in page.records if isinstance(value := record.get("Id"), int)]
    return page.total, SectionId(ids[0]) if ids else None


def read_whole(session: Session, section_id: SectionId) -> SectionId:
    """Read one full record, as every plan does.

    Raises:
        CourseSyncError: as `live.read_live`.
    """
    line = session.line()
    sights = read_live(
        [section_id],
        line,
        session.clock,
        ids_per_request=1,
        wait_max_s=session.settings.wait_max_s,
    )
    return next(iter(sights)).id
