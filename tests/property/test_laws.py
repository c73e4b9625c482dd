"""The six laws of a run, each beside a core with a bug that it has to see: a law that cannot fail says nothing.

A core is the deciding part of the program with one function in the place of each stage; a bug is a core in which one of
them is another. A faithful server carries out the bodies; it gives an empty text back as null, as the real one may.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sync.diff import NOTHING_KNOWN, Known, decide
from sync.errors import InternalError
from sync.frozen import replace
from sync.model import (
    CheckedRow,
    Conflict,
    Decision,
    Edit,
    InputFacts,
    InvalidRow,
    Issue,
    Label,
    Outcome,
    PlannedRow,
    RowNumber,
    RunId,
    RunReport,
    SectionId,
    SkippedRow,
    Status,
    ToUpdate,
    Unchanged,
)
from sync.normalize import equal
from sync.ongoing import made_so
from sync.plan import held, outcome_of, planned
from sync.reading import Found, Sight
from sync.report import check_complete
from sync.section import BY_NAME, Json, Record
from sync.target import target
from sync.undo import Written, plan_undo
from tests.sections import edit, section

States: TypeAlias = Mapping[SectionId, Record]
FIELDS: Mapping[str, st.SearchStrategy[Json]] = {
    "Title": st.sampled_from(["A", "B", "caf\u00e9", "cafe\u0301"]),
    "SectionContents": st.sampled_from(["", "A", "a\nb", "a\r\nb"]),
    "DisplayOrder": st.integers(0, 2),
    "Active": st.booleans(),
}
values = st.fixed_dictionaries({}, optional=dict(FIELDS))
ids = st.integers(1, 5).map(SectionId)
states = st.dictionaries(ids, st.fixed_dictionaries(dict(FIELDS)), min_size=1, max_size=5).map(
    lambda found: {number: section(number, **fields) for number, fields in found.items()}
)


@st.composite
def sheets(draw: st.DrawFn) -> tuple[Sequence[CheckedRow], States]:
    """Rows of different sections that the server holds, some invalid or left out, and what it holds."""
    live = draw(states)
    rows: list[CheckedRow] = []
    for row, number in enumerate(draw(st.permutations(sorted(live))), start=2):
        match draw(st.sampled_from(["edit", "edit", "edit", "invalid", "skipped"])):
            case "invalid":
                rows.append(InvalidRow(RowNumber(row), Label(str(number)), (Issue("cell.wrong", "is wrong"),)))
            case "skipped":
                rows.append(SkippedRow(RowNumber(row), Label(str(number))))
            case _:
                rows.append(edit(draw(values), number=number, row=row))
    return rows, live


# the core, and a server -------------------------------------------------------------------------------------------


def plan_rows(rows: Iterable[CheckedRow], live: States, known: Mapping[SectionId, Known]) -> list[PlannedRow]:
    return [
        planned(row, Found(row.id, live[row.id]), known.get(row.id, NOTHING_KNOWN))
        if isinstance(row, Edit)
        else held(row)
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Core:
    """The stages of a run; the real ones, unless a bug says otherwise."""

    plan: Callable[[Iterable[CheckedRow], States, Mapping[SectionId, Known]], Sequence[PlannedRow]] = plan_rows
    body: Callable[[Record, ToUpdate], Record] = lambda record, plan: target(record, plan.changes)
    undo: Callable[[Iterable[Written], Iterable[Sight]], Sequence[PlannedRow]] = plan_undo


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left behind."""

    outcomes: Sequence[Outcome]
    live: States
    written: Sequence[Written]
    known: Mapping[SectionId, Known]


def stored(body: Record) -> Record:
    """What a faithful server gives back after the PUT: an empty text may be null."""
    return {name: None if value == "" and name == "SectionContents" else value for name, value in body.items()}


def carry_out(core: Core, rows: Sequence[PlannedRow], live: States, known: Mapping[SectionId, Known]) -> Ran:
    after, memory, written = dict(live), dict(known), []
    for row in rows:
        if row.edit is None or not isinstance(row.decision, ToUpdate):
            continue
        number, record = row.edit.id, after[row.edit.id]
        after[number] = {**stored(core.body(record, row.decision)), "UpdatedOn": f"{record['UpdatedOn']}+"}
        written.append(Written(row.row, number, row.label, row.decision.changes, record))
        before = memory.get(number, NOTHING_KNOWN)
        memory[number] = replace(before, desired={**before.desired, **made_so(row.decision.changes, None)})
    return Ran([outcome_of(row, to_update=Status.UPDATED) for row in rows], after, written, memory)


def run(core: Core, rows: Sequence[CheckedRow], live: States, known: Mapping[SectionId, Known] | None = None) -> Ran:
    return carry_out(core, core.plan(rows, live, known or {}), live, known or {})


# the laws ----------------------------------------------------------------------------------------------------------

Law: TypeAlias = Callable[[Core, Sequence[CheckedRow], States], None]


def convergence(core: Core, rows: Sequence[CheckedRow], live: States) -> None:
    """After a run, live equals the sheet in every field that it names."""
    after = run(core, rows, live).live

    for row in rows:
        if isinstance(row, Edit):
            assert [name for name, value in row.values.items() if not equal(name, after[row.id][name], value)] == []


def idempotence(core: Core, rows: Sequence[CheckedRow], live: States) -> None:
    """The second plan of the same sheet is empty."""
    first = run(core, rows, live)

    assert [row for row in core.plan(rows, first.live, first.known) if isinstance(row.decision, ToUpdate)] == []


def completeness(core: Core, rows: Sequence[CheckedRow], live: States) -> None:
    """Every row of the sheet has exactly one status of the closed list, and the counts add up."""
    outcomes = run(core, rows, live).outcomes
    facts = InputFacts("sheet.xlsx", "0" * 64, "Sections", len(rows))
    report = RunReport(RunId("r"), "apply", "p", "u", facts, tuple(outcomes), "then", "now", 0)

    try:
        check_complete(report)
    except InternalError as error:
        raise AssertionError(error.message) from error
    assert sorted(outcome.row for outcome in outcomes) == sorted(row.row for row in rows)


def order_does_not_matter(core: Core, rows: Sequence[CheckedRow], live: States) -> None:
    """Rows moved about in the sheet get the same statuses, and leave the same behind."""
    there, back = run(core, rows, live), run(core, list(reversed(rows)), live)

    assert sorted((one.row, one.status) for one in there.outcomes) == sorted(
        (one.row, one.status) for one in back.outcomes
    )
    assert there.live == back.live


def nothing_unnamed_changes(core: Core, rows: Sequence[CheckedRow], live: States) -> None:
    """A field that no row names is exactly as it was, unknown ones included, and none is gone or new."""
    live = {number: stored(record) for number, record in live.items()}
    after = run(core, rows, live).live
    named = {row.id: {*row.values, "UpdatedOn"} for row in rows if isinstance(row, Edit)}

    for number, record in live.items():
        assert after[number].keys() == record.keys()
        unnamed = record.keys() - named.get(number, set())
        assert [name for name in unnamed if repr(after[number][name]) != repr(record[name])] == []


def undo_is_the_identity(core: Core, rows: Sequence[CheckedRow], live: States) -> None:
    """Where nobody else wrote: after a run and its undo, every field is as it was; nothing is left to undo."""
    live = {number: stored(record) for number, record in live.items()}
    ran = run(core, rows, live)
    undone = carry_out(core, core.undo(ran.written, sights(ran.live)), ran.live, ran.known)

    for number, record in live.items():
        assert [name for name in FIELDS if not equal(name, undone.live[number][name], record[name])] == []
    again = core.undo(ran.written, sights(undone.live))
    assert [row for row in again if not isinstance(row.decision, Unchanged)] == []


def sights(live: States) -> list[Found]:
    return [Found(number, record) for number, record in live.items()]


LAWS: Sequence[Law] = (
    convergence,
    idempotence,
    completeness,
    order_does_not_matter,
    nothing_unnamed_changes,
    undo_is_the_identity,
)

# the bugs ----------------------------------------------------------------------------------------------------------


def deciding(rule: Callable[[Edit, Record, Known], Decision]) -> Core:
    """A core that decides the rows that are valid by another rule."""

    def plan(rows: Iterable[CheckedRow], live: States, known: Mapping[SectionId, Known]) -> list[PlannedRow]:
        return [
            replace(row, decision=rule(row.edit, live[row.edit.id], known.get(row.edit.id, NOTHING_KNOWN)))
            if row.edit is not None and not isinstance(row.decision, Conflict)
            else row
            for row in plan_rows(rows, live, known)
        ]

    return Core(plan=plan)


def never_writes_what_is_empty(asked: Edit, live: Record, known: Known) -> Decision:
    return decide(
        replace(asked, values={name: value for name, value in asked.values.items() if value != ""}), live, known
    )


def compares_without_normal_forms(asked: Edit, live: Record, known: Known) -> Decision:
    decision = decide(asked, live, known)
    full = decide(asked, {**live, **dict.fromkeys(asked.values, "something else")}, NOTHING_KNOWN)
    if not isinstance(full, ToUpdate):
        return decision
    differ = tuple(change for change in full.changes if change.after != live[change.field])
    return ToUpdate(differ, updated_on=None) if differ else decision


def keeps_one_row_a_title(
    rows: Iterable[CheckedRow], live: States, known: Mapping[SectionId, Known]
) -> list[PlannedRow]:
    """Rows keyed by what they show, as a join would."""
    return list({(row.label.title, type(row.decision)): row for row in plan_rows(rows, live, known)}.values())


def lets_the_first_row_win(
    rows: Iterable[CheckedRow], live: States, known: Mapping[SectionId, Known]
) -> list[PlannedRow]:
    """Two rows that ask for the same Title: the second is left alone."""
    taken: set[Json] = set()
    result = []
    for row in plan_rows(rows, live, known):
        title = None if row.edit is None else row.edit.values.get("Title")
        result.append(replace(row, decision=Unchanged()) if title in taken else row)
        taken |= {title} - {None}
    return result


def sends_what_it_knows(record: Record, plan: ToUpdate) -> Record:
    """A body of the documented fields; what is not documented comes back without a value."""
    return {name: value if name in BY_NAME else None for name, value in target(record, plan.changes).items()}


def sends_the_minimum(record: Record, plan: ToUpdate) -> Record:
    """The documentation's own example: required fields only, and the rest is reset."""
    required = ("Id", "CourseId", "Title", "DisplayOrder", "UnlockType", "UnlockAfterDays", "UpdatedOn")
    changed = {change.field: change.after for change in plan.changes}
    return {name: changed.get(name, record[name] if name in required else None) for name in record}


def undoes_what_is_empty_not(written: Iterable[Written], live: Iterable[Sight]) -> Sequence[PlannedRow]:
    """What was empty before is not put back: a value that is falsy counts as none."""
    kept = [replace(one, changes=tuple(each for each in one.changes if one.before[each.field])) for one in written]
    return plan_undo([one for one in kept if one.changes], live)


def undoes_to_what_was_sent(written: Iterable[Written], live: Iterable[Sight]) -> Sequence[PlannedRow]:
    """The after-image in the place of the before-image."""
    return plan_undo(
        [replace(one, before={**one.before, **{each.field: each.after for each in one.changes}}) for one in written],
        live,
    )


BUGS: Sequence[tuple[Law, Core]] = (
    (convergence, deciding(never_writes_what_is_empty)),
    (idempotence, deciding(compares_without_normal_forms)),
    (completeness, Core(plan=keeps_one_row_a_title)),
    (order_does_not_matter, Core(plan=lets_the_first_row_win)),
    (nothing_unnamed_changes, Core(body=sends_what_it_knows)),
    (nothing_unnamed_changes, Core(body=sends_the_minimum)),
    (undo_is_the_identity, Core(undo=undoes_what_is_empty_not)),
    (undo_is_the_identity, Core(undo=undoes_to_what_was_sent)),
)
NAMES = ["never empties", "no normal forms", "keyed by title", "first wins", "known only", "minimum", "falsy", "after"]


def hold(law: Law, core: Core, *, examples: int, explain: bool) -> None:
    """Try the law on so many sheets.

    Raises:
        AssertionError: it does not hold.
    """
    phases = (Phase.generate, Phase.shrink) if explain else (Phase.generate,)

    @settings(
        max_examples=examples,
        phases=phases,
        database=None,
        derandomize=not explain,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow],
        deadline=None,
    )
    @given(sheets())
    def every_sheet(sheet: tuple[Sequence[CheckedRow], States]) -> None:
        law(core, *sheet)

    every_sheet()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_law_holds(law: Law) -> None:
    """For every sheet that can be thought of, as far as they were tried."""
    hold(law, Core(), examples=100, explain=True)


@pytest.mark.parametrize(("law", "core"), BUGS, ids=NAMES)
def test_the_law_sees_the_bug(law: Law, core: Core) -> None:
    """A core with this bug does not pass."""
    with pytest.raises(AssertionError):
        hold(law, core, examples=500, explain=False)


def test_every_law_has_a_bug() -> None:
    """None is there that was never seen to fail; and idempotence alone would let the emptiest bug pass."""
    assert {law for law, _ in BUGS} == set(LAWS)
    hold(idempotence, deciding(never_writes_what_is_empty), examples=100, explain=False)
