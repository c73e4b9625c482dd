"""The record: which fields there are, what a sheet may do with each, and when a record is whole."""

import pytest

from sync.section import (
    ACTIONS,
    BY_NAME,
    EDITABLE,
    FIELDS,
    FULL_RECORD,
    Access,
    FieldKind,
    UnlockType,
    missing_fields,
)
from tests.sections import section


def test_each_field_is_what_the_official_page_says() -> None:
    """Name, kind, access and whether a PUT requires it: the table of the API, written down a second time."""
    number, text, opaque = FieldKind.INTEGER, FieldKind.TEXT, FieldKind.OPAQUE

    assert [(field.name, field.kind, field.access, field.required) for field in FIELDS] == [
        ("Id", number, Access.KEY, True),
        ("CourseId", number, Access.EDITABLE, True),
        ("Title", text, Access.EDITABLE, True),
        ("DisplayOrder", number, Access.EDITABLE, True),
        ("UnlockType", FieldKind.UNLOCK_TYPE, Access.EDITABLE, True),
        ("UnlockAfterDays", number, Access.EDITABLE, True),
        ("Active", FieldKind.BOOLEAN, Access.EDITABLE, False),
        ("SectionContents", text, Access.EDITABLE, False),
        ("NewImageUrl", FieldKind.IMAGE_URL, Access.ACTION, False),
        ("ClearImageFile", FieldKind.BOOLEAN, Access.ACTION, False),
        ("ImageFileName", text, Access.READ_ONLY, False),
        ("CourseTitle", text, Access.READ_ONLY, False),
        ("UniqueId", text, Access.READ_ONLY, False),
        ("CreatedOn", text, Access.READ_ONLY, False),
        ("UpdatedOn", text, Access.READ_ONLY, False),
        ("UpdatedBy", text, Access.READ_ONLY, False),
        ("IsNew", opaque, Access.READ_ONLY, False),
        ("ToStringText", text, Access.READ_ONLY, False),
        ("SystemId", opaque, Access.ECHOED, False),
        ("LocalizationDetails", opaque, Access.ECHOED, False),
        ("CustomFields", opaque, Access.ECHOED, False),
    ]


def test_only_optional_texts_can_be_cleared() -> None:
    """What a PUT requires cannot be emptied."""
    assert {field.name for field in FIELDS if field.clearable} == {"SectionContents"}
    assert not any(field.required for field in FIELDS if field.clearable)


def test_image_orders_are_no_state() -> None:
    """They can be edited, and no read gives them back."""
    assert {"NewImageUrl", "ClearImageFile"} == ACTIONS
    assert {field.name for field in EDITABLE} > ACTIONS


def test_every_column_of_a_sheet_is_explained() -> None:
    """The template's comment on each heading."""
    assert [field.name for field in EDITABLE if not field.meaning.endswith(".")] == []
    assert BY_NAME["Id"].meaning != ""


def test_unlock_types_are_the_apis() -> None:
    """`eLessonUnlockType`."""
    assert {each.name: each.value for each in UnlockType} == {"Immediate": 1, "Sequential": 2, "Timed": 3}


@pytest.mark.parametrize("name", sorted(FULL_RECORD))
def test_a_record_that_lacks_any_field_of_the_table_is_partial(name: str) -> None:
    """A PUT built on it could reset that field."""
    record = section()
    del record[name]

    assert missing_fields(record) == (name,)


def test_a_null_is_no_missing_field_and_an_unknown_one_is_no_flaw() -> None:
    """Whole means that each name is there, whatever its value."""
    assert missing_fields(dict.fromkeys(FULL_RECORD)) == ()
    assert missing_fields(section(Whatever=1)) == ()
    assert missing_fields({}) == tuple(sorted(FULL_RECORD))
    assert missing_fields({"Title": "A"}, expected=frozenset({"Title", "Id"})) == ("Id",)
