"""Laws of undo: apply and undo is the identity where nobody else wrote, and nobody else's writing is ever lost."""

from collections.abc import Iterable, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from sync.diff import Known, decide_again, digest
from sync.model import Edit, FieldChange, Label, PlannedRow, RowNumber, SectionId, ToUpdate
from sync.normalize import equal
from sync.plan import planned
from sync.reading import Found
from sync.section import Json, Record
from sync.target import target
from sync.undo import Written, plan_undo
from tests.sections import section

texts = st.sampled_from(["", "A", "b", "caf\u00e9", "cafe\u0301", "a\nb", " A "])
VALUES: Mapping[str, st.SearchStrategy[Json]] = {
    "CourseId": st.integers(1, 3),
    "Title": texts,
    "DisplayOrder": st.integers(0, 2),
    "Active": st.booleans(),
    "SectionContents": texts,
}
fields = st.fixed_dictionaries({}, optional=dict(VALUES))
States = dict[SectionId, Record]
states = st.dictionaries(st.integers(1, 4).map(SectionId), fields, min_size=1, max_size=4).map(
    lambda found: {number: section(number, **values) for number, values in found.items()}
)
sheets = st.dictionaries(st.integers(1, 4).map(SectionId), fields, max_size=4)


def plan(sheet: Mapping[SectionId, Mapping[str, Json]], live: States) -> list[PlannedRow]:
    edits = (
        Edit(RowNumber(number + 1), number, values, Label(str(number)))
        for number, values in sheet.items()
        if number in live
    )
    return [planned(edit, Found(edit.id, live[edit.id]), Known()) for edit in edits]


def carry_out(rows: Iterable[PlannedRow], live: States, *, rewrites: bool = False) -> tuple[States, list[Written]]:
    """What the server holds after the rows, decided once more as a run does, and what the journal keeps of them."""
    after, kept = dict(live), []
    for row in rows:
        if row.edit is None or not isinstance(row.decision, ToUpdate):
            continue
        record = after[row.edit.id]
        again = decide_again(row.edit, row.decision, record)
        if isinstance(again, ToUpdate):
            body = target(record, again.changes)
            body |= {change.field: stored_as(change, rewrites=rewrites) for change in again.changes}
            after[row.edit.id] = {**body, "UpdatedOn": f"{record['UpdatedOn']}+"}
            kept.append(Written(row.row, row.edit.id, row.label, again.changes, record, rewritten(again.changes, body)))
    return after, kept


def stored_as(change: FieldChange, *, rewrites: bool) -> Json:
    return change.after.strip().upper() if rewrites and isinstance(change.after, str) else change.after


def rewritten(changes: Sequence[FieldChange], body: Record) -> dict[str, str]:
    return {change.field: digest(change.field, body[change.field]) for change in changes}


def sights(live: States) -> list[Found]:
    return [Found(number, record) for number, record in live.items()]


def content(live: States) -> dict[SectionId, dict[str, Json]]:
    return {number: {name: record[name] for name in VALUES} for number, record in live.items()}


@given(states, sheets)
def test_apply_and_undo_is_the_identity_where_nobody_else_wrote(live: States, sheet: dict[SectionId, Record]) -> None:
    """Every field is exactly as it was, and undoing the undo gives exactly what the run had made."""
    applied, run = carry_out(plan(sheet, live), live)

    undone, undo = carry_out(plan_undo(run, sights(applied)), applied)
    redone, _ = carry_out(plan_undo(undo, sights(undone)), undone)

    assert content(undone) == content(live)
    assert content(redone) == content(applied)


@given(states, sheets, sheets)
def test_undo_loses_nobody_elses_writing(
    live: States, sheet: dict[SectionId, Record], theirs: dict[SectionId, Record]
) -> None:
    """A field is as before where live still was as we wrote it; every other one is as somebody else left it."""
    applied, run = carry_out(plan(sheet, live), live)
    moved, _ = carry_out(plan(theirs, applied), applied)

    undone, _ = carry_out(plan_undo(run, sights(moved)), moved)

    ours = {(each.id, change.field): change for each in run for change in each.changes}
    for number, record in moved.items():
        for name in VALUES:
            change = ours.get((number, name))
            is_ours = change is not None and equal(name, record[name], change.after)
            assert undone[number][name] == (live if is_ours else moved)[number][name]


@given(states, sheets)
def test_undo_knows_a_servers_rewriting_as_ours(live: States, sheet: dict[SectionId, Record]) -> None:
    """A server that stores texts in its own form: every value that it had stored before comes back, but for noise."""
    stored = {number: {**record, **normalised(record)} for number, record in live.items()}
    applied, run = carry_out(plan(sheet, stored), stored, rewrites=True)

    undone, _ = carry_out(plan_undo(run, sights(applied)), applied, rewrites=True)

    for number, record in stored.items():
        assert all(equal(name, undone[number][name], record[name]) for name in VALUES)


def normalised(record: Record) -> dict[str, Json]:
    return {name: value.strip().upper() for name in VALUES if isinstance(value := record[name], str)}


@given(states, sheets)
def test_an_undo_that_is_done_has_nothing_left_to_do(live: States, sheet: dict[SectionId, Record]) -> None:
    """Planned once more, the same undo sends nothing and complains of nothing."""
    applied, run = carry_out(plan(sheet, live), live)
    undone, _ = carry_out(plan_undo(run, sights(applied)), applied)

    again = plan_undo(run, sights(undone))

    assert [row for row in again if isinstance(row.decision, ToUpdate) or row.issues] == []
