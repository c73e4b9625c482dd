"""The plan: every row with what is to be done about it, its line in a report, its name and its cost."""

import pytest

from sync.diff import Known
from sync.frozen import replace
from sync.model import (
    Conflict,
    Decision,
    FieldChange,
    Gone,
    Held,
    InvalidRow,
    Issue,
    Label,
    Outcome,
    PlannedRow,
    RowNumber,
    SectionId,
    Severity,
    SkippedRow,
    Status,
    ToUpdate,
    Unchanged,
)
from sync.plan import Cost, cost, held, ids_to_read, outcome_of, plan_hash, planned, to_send
from sync.reading import Found, Missing
from sync.section import Json
from sync.windows import Limit, Scope
from tests.sections import base_of, edit, section

WARNING = Issue("cell.white_space", "counts as blank", "Active", severity=Severity.WARNING)
SEEN = "2025-01-15T10:30:00Z"
CHANGE = FieldChange("Title", "Yoga", "Pilates")


def found(**fields: Json) -> Found:
    return Found(SectionId(7), section(7, **fields))


# rows --------------------------------------------------------------------------------------------------------------


def test_rows_on_which_live_has_no_say_keep_their_verdict() -> None:
    """Invalid and skipped rows with their issues; a valid row of a `check` with its edit."""
    label, asked = Label("7"), replace(edit({"Title": "A"}), issues=(WARNING,))
    error = Issue("cell.required", "is a required field", "Id")

    assert [
        held(InvalidRow(RowNumber(3), label, (error,))),
        held(SkippedRow(RowNumber(4), label, (WARNING,))),
        held(asked),
    ] == [
        PlannedRow(RowNumber(3), label, Held(Status.INVALID), None, (error,)),
        PlannedRow(RowNumber(4), label, Held(Status.SKIPPED), None, (WARNING,)),
        PlannedRow(RowNumber(2), label, Held(Status.VALID), asked, (WARNING,)),
    ]


@pytest.mark.parametrize(
    ("sight", "known", "decision", "codes"),
    [
        pytest.param(found(), Known(), ToUpdate((CHANGE,), SEEN), [], id="to-update"),
        pytest.param(found(Title="Pilates"), Known(), Unchanged(), [], id="unchanged"),
        pytest.param(
            found(),
            base_of({"Title": "Tai Chi"}),
            Conflict((replace(CHANGE, base="Tai Chi"),)),
            ["conflict.moved"],
            id="conflict",
        ),
        pytest.param(Missing(SectionId(7)), Known(), Gone(), ["api.not_found"], id="gone"),
    ],
)
def test_a_valid_row_is_planned_on_what_the_server_holds(
    sight: Found | Missing, known: Known, decision: Decision, codes: list[str]
) -> None:
    """The decision, with the sheet's warnings first and then what the comparison found."""
    asked = replace(edit({"Title": "Pilates"}), issues=(WARNING,))

    row = planned(asked, sight, known)

    assert (row.decision, row.edit, [issue.code for issue in row.issues]) == (
        decision,
        asked,
        ["cell.white_space", *codes],
    )


def test_a_changed_read_only_cell_is_told_with_the_plan() -> None:
    """It changes nothing, which the operator may not have meant."""
    asked = replace(edit({"Title": "Pilates"}), read_only={"CourseTitle": "Sports"})

    row = planned(asked, found())

    assert isinstance(row.decision, ToUpdate)
    assert [(issue.code, issue.severity) for issue in row.issues] == [("cell.read_only", Severity.WARNING)]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        pytest.param(Label("7"), Label("7", "12", "Yoga"), id="the sheet is silent"),
        pytest.param(Label("007", "12 · Health", "Flow"), Label("007", "12 · Health", "Flow"), id="the sheet speaks"),
    ],
)
def test_a_row_is_named_as_the_sheet_has_it_and_by_live_where_it_is_silent(label: Label, expected: Label) -> None:
    """The operator finds the section by its title even in a sheet that does not show titles."""
    assert planned(replace(edit({"Active": False}), label=label), found()).label == expected


@pytest.mark.parametrize(
    ("decision", "status", "changes", "http_status"),
    [
        pytest.param(ToUpdate((CHANGE,), SEEN), Status.TO_UPDATE, (CHANGE,), None, id="to-update"),
        pytest.param(Unchanged(), Status.UNCHANGED, (), None, id="unchanged"),
        pytest.param(Conflict((CHANGE,)), Status.CONFLICT, (CHANGE,), None, id="conflict"),
        pytest.param(Gone(), Status.REJECTED, (), 404, id="gone"),
        pytest.param(Held(Status.INVALID), Status.INVALID, (), None, id="invalid"),
        pytest.param(Held(Status.SKIPPED), Status.SKIPPED, (), None, id="skipped"),
        pytest.param(Held(Status.VALID), Status.VALID, (), None, id="valid"),
    ],
)
def test_each_decision_has_its_line_in_the_report(
    decision: Decision, status: Status, changes: tuple[FieldChange, ...], http_status: int | None
) -> None:
    """What the report says if nothing more happens."""
    row = PlannedRow(RowNumber(5), Label("7"), decision, edit({"Title": "Pilates"}), (WARNING,))

    assert outcome_of(row, to_update=Status.TO_UPDATE) == Outcome(
        RowNumber(5), Label("7"), status, SectionId(7), changes, (WARNING,), http_status
    )


def test_what_would_be_sent_is_named_by_the_caller() -> None:
    """`to_update` in a plan, `not_attempted` at the start of a run; an invalid row has no Id to be trusted."""
    sending = PlannedRow(RowNumber(2), Label("7"), ToUpdate((CHANGE,), SEEN), edit({}))
    invalid = PlannedRow(RowNumber(3), Label("x"), Held(Status.INVALID))

    assert outcome_of(sending, to_update=Status.NOT_ATTEMPTED).status is Status.NOT_ATTEMPTED
    assert outcome_of(invalid, to_update=Status.TO_UPDATE).section_id is None


def test_only_updates_are_sent_in_the_sheets_order() -> None:
    """No PUT for any other decision."""
    decisions = (
        ToUpdate((CHANGE,), SEEN), Unchanged(), Conflict((CHANGE,)), Gone(), Held(Status.INVALID), ToUpdate((), None)
    )  # fmt: skip
    rows = [PlannedRow(RowNumber(9 - at), Label(), decision) for at, decision in enumerate(decisions)]

    assert [row.row for row in to_send(rows)] == [9, 4]


def test_each_id_is_read_once_and_only_for_valid_rows() -> None:
    """In the sheet's order."""
    rows = (
        edit({}, number=9),
        InvalidRow(RowNumber(3), Label("4"), ()),
        edit({}, number=2),
        SkippedRow(RowNumber(5), Label("5")),
        edit({}, number=9),
    )

    assert ids_to_read(rows) == (9, 2)


# the name of a plan ------------------------------------------------------------------------------------------------


def named(*rows: PlannedRow, base_url: str = "https://a.example/api", sha256: str = "0" * 64) -> str:
    return plan_hash(rows, base_url=base_url, input_sha256=sha256)


def sending(*, row: int = 2, number: int = 7, change: FieldChange = CHANGE) -> PlannedRow:
    asked = edit({change.field: change.after}, number=number, row=row)
    return PlannedRow(RowNumber(row), Label(str(number)), ToUpdate((change,), SEEN), asked)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(named(sending(), base_url="https://b.example/api"), id="server"),
        pytest.param(named(sending(), sha256="1" * 64), id="sheet"),
        pytest.param(named(sending(row=3)), id="row"),
        pytest.param(named(sending(number=8)), id="section"),
        pytest.param(named(sending(change=FieldChange("SectionContents", "Yoga", "Pilates"))), id="field"),
        pytest.param(named(sending(change=replace(CHANGE, before="Tai Chi"))), id="live value"),
        pytest.param(named(sending(change=replace(CHANGE, after="Flow"))), id="new value"),
        pytest.param(named(sending(), sending(row=3, number=8)), id="one row more"),
        pytest.param(named(), id="no row"),
    ],
)
def test_another_plan_has_another_name(other: str) -> None:
    """Whatever would be done differently, the name tells."""
    assert other != named(sending())


def test_the_name_hangs_on_what_would_be_done_alone() -> None:
    """Unchanged and held rows, labels and warnings do not count, and the same plan has the same name again."""
    silent = PlannedRow(RowNumber(1), Label(), Unchanged(), edit({}))
    talkative = replace(sending(), label=Label("x"), issues=(WARNING,))

    assert named(silent, talkative) == named(sending())
    assert len(named()) == 64


# cost --------------------------------------------------------------------------------------------------------------

SPACING = Limit(Scope.ALL, 1, 0.1)
PER_MINUTE = Limit(Scope.WRITE, 60, 60.0)


@pytest.mark.parametrize(
    ("writes", "limits", "verify", "expected"),
    [
        pytest.param(0, [PER_MINUTE], True, Cost(0, 0, 0.0), id="nothing"),
        pytest.param(1, [PER_MINUTE], True, Cost(1, 2, 1.0), id="one"),
        pytest.param(60, [PER_MINUTE], True, Cost(60, 2, 1.0), id="a whole window"),
        pytest.param(61, [PER_MINUTE], True, Cost(61, 4, 61.5), id="one more"),
        pytest.param(61, [PER_MINUTE], False, Cost(61, 2, 61.5), id="not verified"),
        pytest.param(11, [SPACING], True, Cost(11, 2, 2.0), id="spacing alone"),
        pytest.param(11, [SPACING, Limit(Scope.WRITE, 1, 0.1)], True, Cost(11, 2, 2.0), id="spaced writes"),
        pytest.param(300, [], True, Cost(300, 4, 1.5), id="no limits, by batches"),
        pytest.param(121, [PER_MINUTE, Limit(Scope.WRITE, 100, 86400.0)], True, Cost(121, 6, 86402.0), id="a day more"),
    ],
)
def test_a_plan_costs_its_writes_a_fresh_read_a_window_and_a_verifying_one(
    writes: int, limits: list[Limit], expected: Cost, *, verify: bool
) -> None:
    """At half a second a request; the seconds are what the limits and the waiting for answers take."""
    got = cost(writes, limits=limits, ids_per_request=150, latency_s=0.5, verify=verify)

    assert (got.writes, got.reads, got.seconds) == (expected.writes, expected.reads, pytest.approx(expected.seconds))
