"""A PUT that breaks rules learns of every one of them at once."""

from typing import Any

import pytest

from sync.sandbox.options import SandboxOptions
from sync.sandbox.seed import BUILT_IN
from sync.sandbox.validation import broken_rules

BEFORE = BUILT_IN.sections[1001]


def broken(options: SandboxOptions | None = None, **changes: object) -> list[tuple[str, str]]:
    body = {**BEFORE, **changes}
    errors = broken_rules(body, BEFORE, BUILT_IN.courses, options or SandboxOptions())
    return [(error.property_name, error.message) for error in errors]


def test_an_echoed_record_breaks_no_rule() -> None:
    """What was read can be sent, read-only fields included."""
    assert broken() == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"Title": None}, ("Title", "is a required field"), id="title-null"),
        pytest.param({"Title": " \n"}, ("Title", "is a required field"), id="title-blank"),
        pytest.param({"CourseId": None}, ("CourseId", "is a required field"), id="no-course"),
        pytest.param({"CourseId": 999}, ("CourseId", "is not a valid course"), id="unknown-course"),
        pytest.param({"DisplayOrder": -1}, ("DisplayOrder", "must be greater than or equal to 0"), id="order"),
        pytest.param({"UnlockAfterDays": -1}, ("UnlockAfterDays", "must be greater than or equal to 0"), id="days"),
        pytest.param({"DisplayOrder": 1.5}, ("DisplayOrder", "is not valid"), id="fraction"),
        pytest.param({"DisplayOrder": True}, ("DisplayOrder", "is not valid"), id="bool-for-int"),
        pytest.param({"Active": "yes"}, ("Active", "is not valid"), id="text-for-bool"),
        pytest.param({"CustomFields": "x"}, ("CustomFields", "is not valid"), id="text-for-object"),
        pytest.param({"UnlockType": 4}, ("UnlockType", "is not a valid value"), id="enum"),
        pytest.param(
            {"SectionContents": "a<script>"},
            ("SectionContents", "contains markup that is not allowed"),
            id="script",
        ),
        pytest.param(
            {"NewImageUrl": "https://unreachable.example/a.png"},
            ("NewImageUrl", "the image could not be downloaded"),
            id="image",
        ),
        pytest.param({"NewImageUrl": "a.png"}, ("NewImageUrl", "the image could not be downloaded"), id="no-url"),
        pytest.param({"NewImageUrl": "https://[x"}, ("NewImageUrl", "the image could not be downloaded"), id="bad-url"),
    ],
)
def test_each_rule(changes: dict[str, Any], error: tuple[str, str]) -> None:
    """A broken rule names the field and says what is wrong."""
    assert broken(**changes) == [error]


def test_all_broken_rules_are_told_in_the_order_of_the_record() -> None:
    """One answer is enough to mend the row."""
    told = broken(Title="", CourseId=7, UnlockType=9, SectionContents="<script>")

    assert [name for name, _ in told] == ["CourseId", "Title", "UnlockType", "SectionContents"]


@pytest.mark.parametrize(
    ("options", "changes", "fields"),
    [
        pytest.param(SandboxOptions(unlock_type="stored"), {"UnlockType": 4}, [], id="enum-stored"),
        pytest.param(SandboxOptions(course_change="refused"), {"CourseId": 102}, ["CourseId"], id="course-fixed"),
        pytest.param(SandboxOptions(course_change="refused"), {}, [], id="course-same"),
        pytest.param(SandboxOptions(reject_contents=""), {"SectionContents": "<script>"}, [], id="all-markup"),
        pytest.param(
            SandboxOptions(reject_contents="bad"), {"SectionContents": "a bad b"}, ["SectionContents"], id="marker"
        ),
        pytest.param(SandboxOptions(required=frozenset({"Title"})), {"UnlockType": None}, [], id="required-list"),
    ],
)
def test_switches_bend_the_rules(options: SandboxOptions, changes: dict[str, Any], fields: list[str]) -> None:
    """What the documentation leaves open is a switch."""
    assert [name for name, _ in broken(options, **changes)] == fields


def test_read_only_fields_can_be_refused() -> None:
    """Under the switch every read-only field in a body is an error of its own."""
    told = broken(SandboxOptions(read_only="refused"))

    assert ("CourseTitle", "is read-only") in told
    assert {message for _, message in told} == {"is read-only"}
