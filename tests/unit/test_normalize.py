"""The normal form: noise is never a change, and a change is never noise."""

import pytest

from sync.normalize import as_sent, equal, normal
from sync.section import BY_NAME, Json


@pytest.mark.parametrize(
    ("field", "left", "right"),
    [
        pytest.param("Title", "a\r\nb\rc", "a\nb\nc", id="line ends"),
        pytest.param("Title", "Cafe\u0301", "Caf\u00e9", id="composed letters"),
        pytest.param("SectionContents", None, "", id="null and empty text"),
        pytest.param("ImageFileName", None, "", id="null and empty text, read-only"),
        pytest.param("CourseId", 5.0, 5, id="whole number"),
        pytest.param("UnlockType", 3.0, 3, id="whole choice"),
        pytest.param("Active", None, None, id="null"),
        pytest.param("CustomFields", {"a": [1.0, None], "b": "x"}, {"b": "x", "a": [1, None]}, id="JSON, key order"),
        pytest.param("SomethingNew", [1, {"a": True}], (1, {"a": True}), id="a field outside of the table"),
    ],
)
def test_noise_is_no_change(field: str, left: Json, right: Json) -> None:
    """Both sides pass through the same function."""
    assert equal(field, left, right)
    assert equal(BY_NAME.get(field, field), right, left)


@pytest.mark.parametrize(
    ("field", "left", "right"),
    [
        pytest.param("Title", "a", "A", id="case"),
        pytest.param("Title", "a", "a ", id="space"),
        pytest.param("Title", "a\n", "a", id="line end at the end"),
        pytest.param("DisplayOrder", 1, 2, id="number"),
        pytest.param("DisplayOrder", "5", 5, id="text of digits"),
        pytest.param("DisplayOrder", None, 0, id="null and nought"),
        pytest.param("Active", True, 1, id="true and one"),
        pytest.param("Active", False, None, id="false and null"),
        pytest.param("CustomFields", {"a": True}, {"a": 1}, id="true and one inside"),
        pytest.param("CustomFields", {"a": "\r\n"}, {"a": "\n"}, id="texts of others are left alone"),
        pytest.param("CustomFields", {"a": 1}, {"a": 1, "b": 2}, id="more keys"),
        pytest.param("CustomFields", [1], [1, 2], id="longer list"),
        pytest.param("CustomFields", "ab", ["a", "b"], id="text and list"),
        pytest.param("SystemId", None, "", id="null and empty text, opaque"),
    ],
)
def test_a_change_is_no_noise(field: str, left: Json, right: Json) -> None:
    """Whatever the server could tell apart is told apart."""
    assert not equal(field, left, right)
    assert not equal(field, right, left)


def test_a_normal_form_is_its_own_normal_form() -> None:
    """Normalising twice changes nothing more."""
    values: list[tuple[str, Json]] = [("Title", "Cafe\u0301\r"), ("CourseId", 7.0), ("X", {"a": [1.0]}), ("Title", 4.5)]

    once = [normal(field, value) for field, value in values]

    assert [normal(field, value) for (field, _), value in zip(values, once, strict=True)] == once
    assert [type(value) for value in once] == [str, int, dict, float]


def test_text_is_sent_as_written_but_for_line_ends() -> None:
    """Accents keep their form and spaces their place."""
    assert as_sent(" Cafe\u0301\t\r\nb\rc\n ") == " Cafe\u0301\t\nb\nc\n "
