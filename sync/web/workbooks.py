"""Workbooks to begin with: the live sections that somebody asks for, or an empty template."""

import re
from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from itertools import pairwise
from typing import Final, Literal

from starlette.exceptions import HTTPException
from starlette.responses import Response

from sync.jobs.prepared import Export, Prepared
from sync.web.texts import text
from sync.web.visits import Visit, to

COURSES_MOST: Final = 50
_COURSES: Final = re.compile(r"[\s,;]*(?:\d{1,10}[\s,;]+)*(?:\d{1,10})?", re.ASCII)
_NUMBER: Final = re.compile(r"\d+", re.ASCII)


def prepare_workbook(visit: Visit) -> Response:
    """Begin an export or a template, in a process of its own."""
    desk, person, at_wall = visit.site.desk, visit.person.name, visit.site.clock.wall()
    if visit.field("kind") == "export":
        made = desk.export(_export(visit), person=person, at_wall=at_wall)
    else:
        made = desk.template(person=person, at_wall=at_wall)
    visit.note(f"{made.about.kind.value}_begun", prepared=made.name, options=list(made.about.words))
    return to(f"/plans/{made.name}")


def _export(visit: Visit) -> Export:
    """What the form asks for.

    Raises:
        HTTPException: a course is no number, or the date is none.
    """
    courses = visit.field("courses")
    if not _COURSES.fullmatch(courses) or len(_NUMBER.findall(courses)) > COURSES_MOST:
        raise HTTPException(HTTPStatus.BAD_REQUEST, detail="error.courses")
    since = visit.field("since").strip()
    if since and not _is_date(since):
        raise HTTPException(HTTPStatus.BAD_REQUEST, detail="error.date")
    return Export(
        tuple(dict.fromkeys(map(int, _NUMBER.findall(courses)))),
        _activity(visit.field("active")),
        since,
        ".csv" if visit.field("format") == "csv" else ".xlsx",
    )


def _activity(word: str) -> Literal["", "active", "inactive"]:
    match word:
        case "active" | "inactive":
            return word
        case _:
            return ""


def _is_date(word: str) -> bool:
    try:
        return date.fromisoformat(word).isoformat() == word
    except ValueError:
        return False


def asked_for(prepared: Prepared) -> str:
    """Say in words what of the live sections a file has; empty where it has all, or is none of them."""
    return ", ".join(_said(prepared.about.words))


def _said(words: Sequence[str]) -> list[str]:
    courses = [after for word, after in pairwise(words) if word == "--course"]
    since = [after for word, after in pairwise(words) if word == "--changed-since"]
    said = [text("workbook.courses", courses=", ".join(courses))] if courses else []
    said += [text("workbook.active")] if "--active" in words else []
    said += [text("workbook.inactive")] if "--inactive" in words else []
    return said + [text("workbook.since", date=day) for day in since]
