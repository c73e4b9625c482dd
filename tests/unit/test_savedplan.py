"""The saved plan: it comes back as it went, and anything else is refused with its own sentence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.adapters.exact_json import ExactNumber
from sync.diff import Known, decide, digest
from sync.errors import InternalError, PlanRefused
from sync.frozen import replace
from sync.model import (
    ChangeKind,
    Conflict,
    FieldChange,
    Held,
    InputFacts,
    Issue,
    Label,
    Outcome,
    PlannedRow,
    RowNumber,
    SectionId,
    Severity,
    Source,
    Status,
    ToUpdate,
    Unchanged,
)
from sync.ports import DesiredValue
from sync.savedplan import (
    EXPIRES_AFTER_S,
    Accepted,
    RestingRow,
    SavedChange,
    SavedPlan,
    SavedRow,
    accepted_by,
    expiry,
    live_digest,
    plan_json,
    resting_row,
    saved_row,
    still_accepted,
)
from sync.sealing import _seal, _text, check_checksum, check_expiry, checksum, is_plan, open_sealed, seal
from sync.section import Json
from tests.built import built
from tests.sections import edit, section

KEY = bytes(range(32))
MADE = 1_772_442_840.0
"""2026-03-02 09:14 UTC."""
CREATED, EXPIRES = expiry(MADE)
ROW = SavedRow(
    RowNumber(2),
    SectionId(7),
    "unique-7",
    Label("7", "12", "Yoga"),
    (SavedChange("Title", digest("Title", "Yoga"), "Pilates"),),
    ("Title", "Active"),
    live_digest(("Title", "Active"), section(7)),
)
PLAN = SavedPlan(
    account="berlin",
    base_url="https://a.example/api",
    input=InputFacts("sheets/march.xlsx", "0" * 64, "Sections", 3),
    plan_hash="1" * 64,
    created_at=CREATED,
    expires_at=EXPIRES,
    rows=(ROW,),
)
TEXT = seal(PLAN, KEY)


def opened(
    text: str, *, key: bytes = KEY, account: str = "berlin", base_url: str = "https://a.example/api"
) -> SavedPlan:
    return open_sealed(text, key, account=account, base_url=base_url)


def refusal(text: str, **given_: object) -> str:
    with pytest.raises(PlanRefused) as caught:
        opened(text, **given_)  # type: ignore[arg-type]  # each test hands in what it changes
    assert caught.value.exit_code == 7
    assert caught.value.remedy
    return caught.value.message


# round trip --------------------------------------------------------------------------------------------------------

words = st.text(max_size=8)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
changes = built(SavedChange, words, digests, values, st.sampled_from(ChangeKind))
issues = built(
    Issue,
    code=words,
    message=words,
    field=st.none() | words,
    source=st.sampled_from(Source),
    severity=st.sampled_from(Severity),
    attempted_value=st.none() | words | st.integers() | st.booleans(),
    cell=st.none() | words,
)
accepted = st.lists(built(Accepted, words, values, digests), max_size=2).map(tuple)
saved_rows = built(
    SavedRow,
    row=st.integers(1).map(RowNumber),
    id=st.integers(1).map(SectionId),
    unique_id=st.none() | words,
    label=built(Label, words, words, words),
    changes=st.lists(changes, max_size=3).map(tuple),
    named=st.lists(words, max_size=3).map(tuple),
    live=digests,
    issues=st.lists(issues, max_size=2).map(tuple),
    accepted=accepted,
)
resting_rows = built(
    RestingRow,
    row=st.integers(1).map(RowNumber),
    id=st.none() | st.integers(1).map(SectionId),
    label=built(Label, words, words, words),
    status=st.sampled_from(Status),
    issues=st.lists(issues, max_size=2).map(tuple),
    accepted=accepted,
)
plans = built(
    SavedPlan,
    account=words,
    base_url=words,
    input=built(InputFacts, words, digests, words, st.integers(0)),
    plan_hash=digests,
    created_at=st.just(CREATED),
    expires_at=st.just(EXPIRES),
    rows=st.lists(saved_rows, max_size=3).map(tuple),
    rest=st.lists(resting_rows, max_size=3).map(tuple),
    allowed=st.lists(words, max_size=2).map(tuple),
    input_format=words,
    header_row=st.integers(1).map(RowNumber),
)


def kinds(plan: SavedPlan) -> list[str]:
    """The values that are sent or accepted, as JSON: Python alone holds `True == 1 == 1.0`."""
    sent = [change.after for row in plan.rows for change in row.changes]
    kept = [each.value for row in (*plan.rows, *plan.rest) for each in row.accepted]
    return [json.dumps(value, sort_keys=True) for value in (*sent, *kept)]


@given(plans, st.binary(min_size=32, max_size=64))
def test_a_plan_comes_back_as_it_went(plan: SavedPlan, key: bytes) -> None:
    """Every value and its kind, and the same text again."""
    text = seal(plan, key)

    again = open_sealed(text, key, account=plan.account, base_url=plan.base_url)

    assert again == plan
    assert kinds(again) == kinds(plan)
    assert seal(again, key) == text


@given(st.integers(0, len(TEXT.encode()) - 1), st.integers(1, 255))
def test_any_flipped_byte_is_refused(at: int, flip: int) -> None:
    """Wherever it is, white space and the seal itself included."""
    data = bytearray(TEXT.encode())
    data[at] ^= flip

    refusal(data.decode("latin-1"))


def test_every_bit_of_a_plan_is_held_by_its_seal() -> None:
    """Each bit of each byte, one after the other."""
    data = TEXT.encode()

    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            with pytest.raises(PlanRefused):
                opened(changed.decode("latin-1"))


@given(st.text() | values.map(json.dumps))
def test_whatever_is_no_plan_is_refused(text: str) -> None:
    """No other error comes out, whatever comes in."""
    refusal(text)


@given(values, values)
def test_a_plan_that_somebody_made_up_is_refused(body: Json, given_seal: Json) -> None:
    """The right marks around anything do not make a plan."""
    refusal(json.dumps({"coursesync_plan": 1, "plan": body, "seal": given_seal}))


def test_what_is_accepted_holds_for_what_was_seen_alone() -> None:
    """While live is still that value, and no run has made another one so meanwhile."""
    made = {"Title": DesiredValue(digest("Title", "Ours"), digest("Title", "Ours"))}
    since = {"Title": DesiredValue(digest("Title", "Newer"), digest("Title", "Newer"))}
    asked = edit({"Title": "Pilates", "Active": True})
    row = PlannedRow(asked.row, asked.label, Unchanged(), asked, accepted={"Title": "Theirs", "Active": True})

    accepted = accepted_by(row, made)

    assert accepted == (Accepted("Title", "Theirs", digest("Title", "Ours")),)
    assert still_accepted(accepted, section(Title="Theirs"), made) == {"Title": "Theirs"}
    assert still_accepted(accepted, section(Title="Moved on"), made) == {}
    assert still_accepted(accepted, section(Title="Theirs"), since) == {}
    assert still_accepted(accepted, section(Title="Theirs"), {}) == {}


# refusals ----------------------------------------------------------------------------------------------------------

EDITED = "This plan was edited after it was made, or was made with another state directory."
NO_PLAN = "This file is not a plan that `coursesync plan` has saved."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(TEXT.replace("Pilates", "Piloten"), EDITED, id="value"),
        pytest.param(TEXT.replace('"row":2', '"row":3'), EDITED, id="row"),
        pytest.param(TEXT.replace("2026-03-03", "2027-03-03"), EDITED, id="expiry"),
        pytest.param(TEXT.replace("Pilates", "\ud800"), EDITED, id="half a character"),
        pytest.param(TEXT.replace("\n", "\r\n"), EDITED, id="line ends"),
        pytest.param(TEXT.rstrip(), EDITED, id="last line end"),
        pytest.param(json.dumps(json.loads(TEXT), indent=2), EDITED, id="written anew"),
        pytest.param(TEXT.replace('"id":7', '"id":8,"id":7'), EDITED, id="field twice"),
        pytest.param(TEXT.replace('"seal":"', '"seal":"\\ud800'), EDITED, id="odd seal"),
        pytest.param(TEXT[: len(TEXT) // 2], NO_PLAN, id="cut off"),
        pytest.param("", NO_PLAN, id="empty"),
        pytest.param("[" * 100_000, NO_PLAN, id="deep"),
        pytest.param(TEXT.replace('"id":7', '"id":NaN'), NO_PLAN, id="not a number"),
        pytest.param(TEXT.replace('"id":7', '"id":1e999'), NO_PLAN, id="infinite"),
        pytest.param('{"coursesync_plan":1}', NO_PLAN, id="nothing in it"),
        pytest.param("Id,Title\n7,Yoga\n", NO_PLAN, id="a sheet"),
        pytest.param(
            TEXT.replace('"coursesync_plan":1', '"coursesync_plan":2'),
            "This plan has version 2, and this program reads version 1.",
            id="version",
        ),
        pytest.param(
            TEXT.replace('"coursesync_plan":1', '"coursesync_plan":true'),
            "This plan has version True, and this program reads version 1.",
            id="no version",
        ),
    ],
)
def test_each_fault_of_a_plan_has_its_sentence(text: str, said: str) -> None:
    """Exit 7, with what to do."""
    assert refusal(text) == said


def test_a_plan_of_another_account_or_server_is_refused() -> None:
    """Both are named, as the plan has them and as the profile does; nothing in them reaches the terminal raw."""
    assert refusal(TEXT, account="paris") == (
        "This plan is for “https://a.example/api” (“berlin”), and this profile is “https://a.example/api” (“paris”)."
    )
    assert "“http://127.0.0.1:1/api” (“berlin”)." in refusal(TEXT, base_url="http://127.0.0.1:1/api")
    assert "“http://127.0.0.1:1/api”." in refusal(TEXT, base_url="http://127.0.0.1:1/api", account="")
    assert "\x1b" not in refusal(TEXT.replace("berlin", "\\u001b[2J"))


def test_a_plan_sealed_elsewhere_is_refused() -> None:
    """The key belongs to the state directory that made it."""
    assert refusal(TEXT, key=bytes(32)) == EDITED


def test_a_plan_expires_after_a_day() -> None:
    """To the second: at its end it is too late."""
    check_expiry(PLAN, MADE + EXPIRES_AFTER_S - 0.01)

    with pytest.raises(PlanRefused) as caught:
        check_expiry(PLAN, MADE + EXPIRES_AFTER_S)
    assert caught.value.message == (
        "This plan was made at 2026-03-02T09:14:00.000Z and expired at 2026-03-03T09:14:00.000Z:"
        " much may have changed since."
    )


def test_a_checksum_names_the_very_text_that_was_reviewed() -> None:
    """The same that `sha256sum` gives, in either case; any other is refused, with both."""
    check_checksum(TEXT, checksum(TEXT))
    check_checksum(TEXT, f" {checksum(TEXT).upper()}\n")

    with pytest.raises(PlanRefused, match=f"its checksum is {checksum(TEXT)}, not abc"):
        check_checksum(TEXT, "abc")


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(replace(PLAN, rows=(replace(ROW, changes=(SavedChange("A", "", float("nan")),)),)), id="nan"),
        pytest.param(
            replace(PLAN, rows=(replace(ROW, changes=(SavedChange("A", "", ExactNumber("0.30000000000000000001")),)),)),
            id="a number that would be rounded",
        ),
    ],
)
def test_a_value_that_would_not_come_back_is_not_saved(plan: SavedPlan) -> None:
    """Better no plan than one that sends something else."""
    with pytest.raises(InternalError):
        seal(plan, KEY)


def test_a_short_key_seals_nothing() -> None:
    """An empty key file would make every plan anybody's."""
    with pytest.raises(InternalError):
        seal(PLAN, b"")
    with pytest.raises(InternalError):
        opened(TEXT, key=KEY[:31])


def test_a_nested_text_is_refused_at_any_depth() -> None:
    """Whether it is too deep to be read or not."""
    for depth in range(900, 1000):
        deep = f'{{"account":"berlin","base_url":"https://a.example/api","x":{"[" * depth}{"]" * depth}}}'

        refusal(f'{{"coursesync_plan":1,"plan":{deep},"seal":""}}')


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"input": 3}, id="input"),
        pytest.param({"rows": [3]}, id="row"),
        pytest.param({"input": {"path": "", "sha256": "", "sheet": "", "rows": "3"}}, id="number"),
        pytest.param({"rows": [{"row": 2, "id": 7, "unique_id": None, "label": "A", "issues": []}]}, id="label"),
    ],
)
def test_a_sealed_plan_of_another_shape_is_a_fault_of_ours(change: dict[str, Json]) -> None:
    """Nobody but us can have sealed it."""
    text = _text({**plan_json(PLAN), **change})

    with pytest.raises(InternalError, match="shape"):
        opened(f'{text}\n"seal":"{_seal(text, KEY)}"}}\n')


@pytest.mark.parametrize(
    ("head", "found"),
    [
        pytest.param(TEXT.encode(), True, id="as it was written"),
        pytest.param(b"\xef\xbb\xbf\n " + TEXT.encode(), True, id="with a mark and a line before it"),
        pytest.param(json.dumps(json.loads(TEXT), indent=8).encode()[:60], True, id="written anew, cut off"),
        pytest.param(b"Id,Title\n7,coursesync_plan\n", False, id="a sheet that speaks of it"),
        pytest.param(b'{"a": 1}', False, id="other JSON"),
        pytest.param(b"PK\x03\x04", False, id="a workbook"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_a_plan_is_known_by_its_content(head: bytes, *, found: bool) -> None:
    """Not by its name; and an edited one is still a plan, to be refused as such."""
    assert is_plan(head) is found


# rows --------------------------------------------------------------------------------------------------------------


def test_a_planned_row_is_saved_by_digests() -> None:
    """The values that are sent, the digest of what was there, and no more of the record."""
    asked = edit({"Title": "Pilates", "Active": True}, row=2)
    decision = ToUpdate((FieldChange("Title", "Yoga", "Pilates"),), section(7)["UpdatedOn"])  # type: ignore[arg-type]  # a text
    planned = PlannedRow(RowNumber(2), Label("7", "12", "Yoga"), decision, asked)
    live = live_digest(asked.values, section(7))

    assert saved_row(planned, unique_id="unique-7", live=live) == ROW
    assert "Breathe" not in TEXT
    with pytest.raises(InternalError):
        saved_row(replace(planned, decision=Unchanged()), unique_id=None, live=live)


@pytest.mark.parametrize(
    ("fields", "moved"),
    [
        pytest.param({}, False, id="as it was"),
        pytest.param({"DisplayOrder": 9}, False, id="a field that the row does not name"),
        pytest.param({"Title": "Flow"}, True, id="the changed field"),
        pytest.param({"Active": False}, True, id="a named field that was as asked"),
        pytest.param({"UpdatedOn": "2025-02-01T09:00:00Z"}, True, id="the time of the last change"),
    ],
)
def test_a_row_knows_whether_its_section_moved(fields: dict[str, Json], *, moved: bool) -> None:
    """On normal forms, for what the row names."""
    assert ROW.moved(section(7, **fields)) is moved


def test_a_row_knows_its_section_by_its_unique_id() -> None:
    """The same number in another account is another section."""
    assert not ROW.is_other(section(7))
    assert ROW.is_other(section(7, UniqueId="other"))
    assert not replace(ROW, unique_id=None).is_other(section(7))


def test_a_saved_row_is_decided_once_more_on_what_is_live() -> None:
    """Its edit, with the digests as base: unmoved → the same change, done already → nothing, moved → conflict."""
    known = Known(base=ROW.base)

    assert isinstance(decide(ROW.edit, section(7), known), ToUpdate)
    assert decide(ROW.edit, section(7, Title="Pilates"), known) == Unchanged()
    assert isinstance(decide(ROW.edit, section(7, Title="Flow"), known), Conflict)
    assert (ROW.edit.row, ROW.edit.id, ROW.edit.label) == (ROW.row, ROW.id, ROW.label)


def test_a_row_that_rests_keeps_its_place_in_the_report() -> None:
    """Status and messages as the plan found them; nothing more is decided on it."""
    note = Issue("cell.not_a_number", "must be a whole number", "DisplayOrder", attempted_value="soon", cell="S!B2")
    outcome = Outcome(RowNumber(9), Label("x7"), Status.INVALID, issues=(note,))

    rest = resting_row(outcome)

    assert rest.planned == PlannedRow(RowNumber(9), Label("x7"), Held(Status.INVALID), issues=(note,))
