"""What a PUT, and another person, does to a record."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sync.sandbox.options import SandboxOptions
from sync.sandbox.records import RecordStore
from sync.sandbox.seed import BUILT_IN, build

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNKNOWN = 1003


@pytest.fixture
def store() -> RecordStore:
    return RecordStore(BUILT_IN, lambda: NOON)


def put(store: RecordStore, key: int, options: SandboxOptions | None = None, **changes: object) -> dict[str, Any]:
    body = {**store.sections[key], **changes}
    return put_body(store, body, options)


def put_body(store: RecordStore, body: dict[str, Any], options: SandboxOptions | None = None) -> dict[str, Any]:
    change = store.put(body, "me@example.com", options or SandboxOptions())
    assert change.after is not None
    return dict(change.after)


def test_an_echo_changes_only_the_audit_fields(store: RecordStore) -> None:
    """A full record sent back is stored as it was, unknown fields included."""
    before = store.sections[UNKNOWN]

    after = put(store, UNKNOWN)

    assert after == {**before, "UpdatedOn": "2026-03-01T12:00:00.000000Z", "UpdatedBy": "me@example.com"}
    assert after["XFutureField"] == {"a": [1, 2.5, None]}


def test_omitted_optional_fields_are_reset(store: RecordStore) -> None:
    """The minimal body of the documentation wipes what it does not carry."""
    minimal = {"Id": UNKNOWN, "CourseId": 102, "Title": "T", "DisplayOrder": 1, "UnlockAfterDays": 0, "UnlockType": 1}

    after = put_body(store, minimal)

    wiped = {name: after[name] for name in ("SectionContents", "Active", "CustomFields", "SystemId", "XFutureField")}
    assert wiped == {
        "SectionContents": None,
        "Active": False,
        "CustomFields": None,
        "SystemId": None,
        "XFutureField": None,
    }
    assert after["UniqueId"] == BUILT_IN.sections[UNKNOWN]["UniqueId"]


def test_omitted_fields_are_kept_under_the_switch(store: RecordStore) -> None:
    """The other reading of the documentation."""
    after = put_body(store, {"Id": UNKNOWN, "Title": "T"}, SandboxOptions(omitted="kept"))

    assert after["SectionContents"] == BUILT_IN.sections[UNKNOWN]["SectionContents"]


def test_read_only_fields_in_a_body_are_ignored(store: RecordStore) -> None:
    """Nobody writes audit fields, or the title of a course."""
    after = put(store, 1001, CourseTitle="x", UniqueId="x", CreatedOn="x", ImageFileName="x", UpdatedOn="x")

    assert "x" not in after.values()


def test_derived_fields_follow(store: RecordStore) -> None:
    """Another course brings its title; another title the record's text."""
    after = put(store, 1001, CourseId=102, Title="New")

    assert (after["CourseTitle"], after["ToStringText"]) == ("Running your first event", "New")


def test_fields_nobody_knows_are_stored_as_sent(store: RecordStore) -> None:
    """A new field in a body appears in the record."""
    assert put(store, 1001, XNew=[1])["XNew"] == [1]


def test_each_image_url_uploads_again_and_is_not_shown(store: RecordStore) -> None:
    """The file name is the only sign of an image, and a new one each time."""
    first = put(store, 1001, NewImageUrl="https://example.com/a.PNG?x=1")
    second = put(store, 1001, NewImageUrl="https://example.com/a.PNG?x=1")

    assert (first["NewImageUrl"], second["NewImageUrl"]) == (None, None)
    assert first["ImageFileName"].endswith(".png")
    assert first["ImageFileName"] != second["ImageFileName"]


def test_clearing_an_image(store: RecordStore) -> None:
    """ClearImageFile takes the image away and does not stay set."""
    after = put(store, 1005, ClearImageFile=True)

    assert (after["ImageFileName"], after["ClearImageFile"]) == (None, None)


def test_every_change_has_its_own_later_time(store: RecordStore) -> None:
    """UpdatedOn grows strictly even while the clock stands still, over all records."""
    stamps = [
        put(store, 1001)["UpdatedOn"],
        put(store, 1002)["UpdatedOn"],
        store.edit(1001, {}, "x").after["UpdatedOn"],
    ]

    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("no_change", "changes", "moves"),
    [("moved", {}, True), ("kept", {}, False), ("kept", {"Title": "New"}, True), ("kept", {"DisplayOrder": 1.0}, True)],
    ids=["moved", "kept", "kept-but-changed", "kept-but-another-kind-of-number"],
)
def test_whether_a_put_that_changes_nothing_moves_updated_on(
    store: RecordStore, no_change: str, changes: dict[str, Any], *, moves: bool
) -> None:
    """Both readings are offered, and only the PUT that changes nothing is concerned."""
    options = SandboxOptions(no_change=no_change)

    after = put(store, 1001, options, **changes)

    assert (after["UpdatedOn"] != BUILT_IN.sections[1001]["UpdatedOn"]) is moves


def test_html_is_normalised_under_the_switch(store: RecordStore) -> None:
    """What is stored is not what was sent."""
    assert put(store, 1001, SandboxOptions(html="rewrite"), SectionContents=" a<br> ")["SectionContents"] == "a<br />"


def test_ignored_fields_are_accepted_and_not_stored(store: RecordStore) -> None:
    """The field keeps its old value, known or not."""
    options = SandboxOptions(ignored_fields=frozenset({"SectionContents", "XNew", "NewImageUrl"}))

    after = put(store, 1001, options, SectionContents="n", XNew=1, NewImageUrl="https://example.com/a.png", Title="T")

    assert after["SectionContents"] == "<p>Hello</p>"
    assert (after["Title"], after["ImageFileName"], "XNew" in after) == ("T", None, False)


def test_other_people_edit_and_delete(store: RecordStore) -> None:
    """An edit from outside is no request, but it is in the history with its author."""
    store.edit(1001, {"Title": "Theirs"}, "someone@else.example")
    store.delete(1002, "someone@else.example")

    assert store.sections[1001]["UpdatedBy"] == "someone@else.example"
    assert [(one.number, one.section_id, one.after is None) for one in store.history] == [
        (1, 1001, False),
        (2, 1002, True),
    ]


def test_reset_brings_the_seed_back(store: RecordStore) -> None:
    """No change survives."""
    put(store, 1001, Title="New")
    store.delete(1002, "x")

    store.reset()

    assert (store.sections, store.history) == (BUILT_IN.sections, [])


@pytest.mark.parametrize("document", [[], {"courses": []}, {"courses": [], "sections": [{"Title": "no id"}]}, None])
def test_a_malformed_seed_is_refused(document: object) -> None:
    """A seed that means nothing is not taken for an empty one."""
    with pytest.raises(ValueError, match="seed"):
        build(document)


def test_a_seed_keeps_what_it_says_and_gets_the_rest() -> None:
    """Documented fields that a short record lacks are filled in."""
    seed = build({"courses": [{"Id": 1, "Title": "C"}], "sections": [{"Id": 2, "CourseId": 1, "Title": "S", "X": 0}]})

    section = seed.sections[2]
    assert (section["CourseTitle"], section["X"], section["UnlockType"], len(section)) == ("C", 0, 1, 22)
