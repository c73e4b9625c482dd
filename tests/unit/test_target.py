"""What a PUT sends: the record as it was read, with the changes laid over it."""

import json

from sync.model import FieldChange
from sync.target import target
from tests.sections import section


def test_a_body_is_the_record_with_the_changes_laid_over_it() -> None:
    """All other fields stand as they were read, unknown ones included, in their order and as the same JSON."""
    record = section(Price=5.0, CustomFields={"b": [1, None], "a": ""})

    body = target(record, [FieldChange("Title", "Yoga", "Pilates"), FieldChange("DisplayOrder", 1, 0)])

    assert json.dumps(body) == json.dumps({**record, "Title": "Pilates", "DisplayOrder": 0})


def test_a_body_of_no_change_is_the_record() -> None:
    """Laying nothing over a record gives the record."""
    assert target(section(), []) == section()


def test_a_change_is_sent_as_it_was_written() -> None:
    """The normal form is for comparing: letters are not composed on the way out."""
    body = target(section(), [FieldChange("Title", "Yoga", "cafe\u0301 ")])

    assert body["Title"] == "cafe\u0301 "


def test_image_orders_go_into_the_body() -> None:
    """They are fields of the body like all others."""
    body = target(section(ImageFileName="a.png"), [FieldChange("ClearImageFile", None, True)])

    assert body == section(ImageFileName="a.png", ClearImageFile=True)


def test_the_profile_may_leave_fields_out() -> None:
    """`body_omit` takes a field away, whether the record has it or not."""
    body = target(section(), [FieldChange("Title", "Yoga", "B")], omit=frozenset({"ToStringText", "NotThere"}))

    assert body == {name: value for name, value in section(Title="B").items() if name != "ToStringText"}


def test_the_record_stays_as_it_was() -> None:
    """The before-image is what undo and settling lean on."""
    record = section()

    target(record, [FieldChange("Title", "Yoga", "B")], omit=frozenset({"IsNew"}))

    assert record == section()
