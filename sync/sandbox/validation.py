"""The rules that a PUT must keep; every broken one is told at once."""

from collections.abc import Container, Iterator
from typing import Final
from urllib.parse import urlsplit

from sync.sandbox.answers import FieldError
from sync.sandbox.fields import FIELDS, READ_ONLY, Record, fits
from sync.sandbox.options import SandboxOptions

UNREACHABLE_HOST: Final = "unreachable.example"
UNLOCK_TYPES: Final = frozenset({1, 2, 3})


def broken_rules(body: Record, before: Record, courses: Container[int], options: SandboxOptions) -> list[FieldError]:
    """List what is wrong with a body for the section that now is `before`, in the order of the record's fields."""
    errors = {
        error.property_name: error
        for error in (*_wrong_values(body, before, courses, options), *_wrong_kinds(body), *_missing(body, options))
    }
    if options.read_only == "refused":
        errors |= {name: FieldError(name, "is read-only", body[name]) for name in READ_ONLY & body.keys()}
    return [errors[name] for name in FIELDS if name in errors]


def _missing(body: Record, options: SandboxOptions) -> Iterator[FieldError]:
    for name in options.required:
        value = body.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            yield FieldError(name, "is a required field", value)


def _wrong_kinds(body: Record) -> Iterator[FieldError]:
    for name, value in body.items():
        field = FIELDS.get(name)
        if field and field.access != "read" and not fits(value, field.kind):
            yield FieldError(name, "is not valid", value)


def _wrong_values(
    body: Record, before: Record, courses: Container[int], options: SandboxOptions
) -> Iterator[FieldError]:
    course = body.get("CourseId")
    if isinstance(course, int):
        if course not in courses:
            yield FieldError("CourseId", "is not a valid course", course)
        elif options.course_change == "refused" and course != before.get("CourseId"):
            yield FieldError("CourseId", "cannot be changed", course)
    for name in ("DisplayOrder", "UnlockAfterDays"):
        number = body.get(name)
        if isinstance(number, int) and number < 0:
            yield FieldError(name, "must be greater than or equal to 0", number)
    unlock = body.get("UnlockType")
    if isinstance(unlock, int) and unlock not in UNLOCK_TYPES and options.unlock_type == "refused":
        yield FieldError("UnlockType", "is not a valid value", unlock)
    contents = body.get("SectionContents")
    if isinstance(contents, str) and options.reject_contents and options.reject_contents in contents:
        yield FieldError("SectionContents", "contains markup that is not allowed", contents)
    url = body.get("NewImageUrl")
    if isinstance(url, str) and url and not _fetchable(url):
        yield FieldError("NewImageUrl", "the image could not be downloaded", url)


def _fetchable(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.hostname not in {None, UNREACHABLE_HOST}
