"""Laws of deciding: what is carried out is as asked, the second run is quiet, and nothing is gone that was not seen."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sync.diff import Known, decide, decide_again, digest
from sync.exchange import (
    Absent,
    Answer,
    NotDelivered,
    OneRecord,
    ReadBatch,
    ReadOne,
    Records,
    Refused,
    Throttled,
    Unheard,
)
from sync.frozen import replace
from sync.model import Conflict, Edit, FieldChange, PlannedRow, SectionId, ToUpdate, Unchanged
from sync.normalize import equal
from sync.ongoing import made_so
from sync.plan import ids_to_read, plan_hash, planned, to_send
from sync.ports import Desired, DesiredValue
from sync.reading import Found, Missing, Reader, Sight
from sync.section import ACTIONS, BY_NAME, FULL_RECORD, FieldKind, Json, Record
from sync.settle import Settled, settle
from sync.target import target
from sync.verify import Seen, verify
from tests.sections import edit, made, section

# what rows ask and servers hold ------------------------------------------------------------------------------------

texts = st.sampled_from(["", "A", "B", "a\nb", "caf\u00e9", "0"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=6
).map(lambda text: text.replace("\r", ""))
numbers = st.integers(0, 3)
VALUES: Mapping[str, st.SearchStrategy[Json]] = {
    "CourseId": st.integers(1, 3),
    "Title": texts,
    "DisplayOrder": numbers,
    "UnlockType": st.integers(1, 3),
    "UnlockAfterDays": numbers,
    "Active": st.booleans(),
    "SectionContents": texts,
}
IMAGES: Mapping[str, st.SearchStrategy[Json]] = {
    "NewImageUrl": st.sampled_from(["https://example.com/a.png", "https://example.com/b.png"]),
    "ClearImageFile": st.just(value=True),
}
jsons = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, width=16) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)

some_values = st.fixed_dictionaries({}, optional=dict(VALUES))
orders = st.just(dict[str, Json]()) | st.sampled_from(sorted(IMAGES)).flatmap(
    lambda name: st.fixed_dictionaries({name: IMAGES[name]})
)
asked_values = st.builds(lambda values, order: {**values, **order}, some_values, orders)
live_records = st.builds(
    lambda values, unknown, image, updated_on: section(
        **{**unknown, **values, "ImageFileName": image, "UpdatedOn": updated_on}
    ),
    st.fixed_dictionaries(dict(VALUES)),
    st.dictionaries(st.text(min_size=1, max_size=4).filter(lambda name: name not in BY_NAME), jsons, max_size=2),
    st.sampled_from([None, "a.png"]),
    st.sampled_from(["monday", "tuesday"]),
)


@st.composite
def knowns(draw: st.DrawFn) -> Known:
    """Anything that may be remembered: bases, desired values, rewritings, and either policy."""
    base = draw(some_values)
    sent, stored = draw(some_values), draw(some_values)
    return Known(
        base={name: digest(name, value) for name, value in base.items()},
        base_shown=base,
        desired={name: made(name, value, stored.get(name, value)) for name, value in sent.items()},
        restore_drift=draw(st.booleans()),
        on_conflict=draw(st.sampled_from(["refuse", "sheet", "live"])),
        untouched=draw(st.frozensets(st.sampled_from(sorted(VALUES)), max_size=2)),
        shown={name: digest(name, value) for name, value in draw(some_values).items()},
    )


def carried_out(record: Record, changes: Iterable[FieldChange]) -> dict[str, Json]:
    """What a faithful server holds after the PUT: the body, image orders carried out and forgotten."""
    held = target(record, tuple(changes))
    if held["NewImageUrl"]:
        held["ImageFileName"] = "new-" + str(held["NewImageUrl"])[-5:]
    if held["ClearImageFile"]:
        held["ImageFileName"] = None
    return {**held, "NewImageUrl": None, "ClearImageFile": None, "UpdatedOn": "after our PUT"}


def remembered(known: Known, changes: Sequence[FieldChange], live: Record | None = None) -> Known:
    """What is known of the section after the PUT."""
    desired: Desired = {**known.desired, **made_so(changes, "after our PUT", live)}
    return replace(known, desired=desired)


def same(left: Json, right: Json) -> bool:
    """Equal as JSON: `true` is no 1, and 5.0 is no 5."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


# one row -----------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(asked_values, live_records)
def test_a_carried_out_row_is_as_asked(values: dict[str, Json], live: dict[str, Json]) -> None:
    """Convergence: where nothing else is known, live becomes the edit in every field that the row names."""
    decision = decide(edit(values), live)

    assert isinstance(decision, ToUpdate | Unchanged)
    after = carried_out(live, decision.changes) if isinstance(decision, ToUpdate) else live
    state = {name: value for name, value in values.items() if name not in ACTIONS}
    assert [name for name, value in state.items() if not equal(name, after[name], value)] == []
    assert not (values.get("ClearImageFile") and after["ImageFileName"])
    assert not ("NewImageUrl" in values and not after["ImageFileName"])


@settings(max_examples=50)
@given(asked_values, live_records, knowns())
def test_a_body_says_nothing_that_was_not_decided(values: dict[str, Json], live: dict[str, Json], known: Known) -> None:
    """Each change is the sheet's value, sent as written; everything else goes back exactly as it was read."""
    decision = decide(edit(values), live, known)
    changes = decision.changes if isinstance(decision, ToUpdate | Conflict) else ()
    body = target(live, changes)

    named = [change.field for change in changes]
    assert len(set(named)) == len(named)
    assert all(
        same(change.after, values[change.field]) and same(change.before, live[change.field]) for change in changes
    )
    assert all(same(body[name], values[name]) for name in named)
    assert [name for name in live if name not in named and not same(body[name], live[name])] == []
    assert body.keys() == live.keys()


@settings(max_examples=100)
@given(asked_values, live_records, knowns(), st.sampled_from([None, "sheet", "live"]))
def test_the_second_run_is_quiet(
    values: dict[str, Json], live: dict[str, Json], known: Known, command: str | None
) -> None:
    """Idempotence: whatever was known before, and chosen, the same row is unchanged once it was carried out."""
    row = replace(edit(values), command=command)
    decision = decide(row, live, known)
    assume(isinstance(decision, ToUpdate))
    assert isinstance(decision, ToUpdate)
    after = carried_out(live, decision.changes)

    assert decide(row, after, remembered(known, decision.changes)) == Unchanged()


@settings(max_examples=50)
@given(some_values, live_records, st.data())
def test_the_second_run_is_quiet_though_the_server_rewrites(
    values: dict[str, Json], live: dict[str, Json], data: st.DataObject
) -> None:
    """A value that comes back in the server's own form is as asked, once a read has shown that form."""
    decision = decide(edit(values), live)
    assume(isinstance(decision, ToUpdate))
    assert isinstance(decision, ToUpdate)
    rewritten = {
        change.field: data.draw(VALUES[change.field], label=change.field)
        for change in decision.changes
        if data.draw(st.booleans(), label=f"rewrites {change.field}")
    }
    after = {**carried_out(live, decision.changes), **rewritten}

    assert decide(edit(values), after, remembered(Known(), decision.changes, after)) == Unchanged()


def is_rewriting(known: Known, name: str, value: Json, now: Json) -> bool:
    """Whether `now` is what the server is known to make of `value`."""
    desired = known.desired.get(name)
    return desired is not None and (desired.sent, desired.stored) == (digest(name, value), digest(name, now))


@example(
    values={"UnlockAfterDays": 1},
    live=section(UnlockAfterDays=0),
    known=Known(desired={"UnlockAfterDays": DesiredValue(digest("UnlockAfterDays", 0), digest("UnlockAfterDays", 2))}),
    later=section(UnlockAfterDays=2),
)
@settings(max_examples=50)
@given(asked_values, live_records, knowns(), live_records)
def test_nothing_is_sent_that_the_plan_did_not_name(
    values: dict[str, Json], live: dict[str, Json], known: Known, later: dict[str, Json]
) -> None:
    """Between plan and PUT: the planned fields or fewer, over live as it was planned on, or else a conflict.

    What the server is known to make of a value counts as that value.
    """
    known = replace(known, base={}, base_shown={}, on_conflict="refuse")
    plan = decide(edit(values), live, known)
    assume(isinstance(plan, ToUpdate))
    assert isinstance(plan, ToUpdate)
    again = decide_again(edit(values), plan, later, known)

    was = {change.field: change for change in plan.changes}
    assert decide_again(edit(values), plan, live, known) == plan
    if isinstance(again, ToUpdate):
        assert all(change.field in was for change in again.changes)
        assert all(
            equal(change.field, change.before, was[change.field].before)
            or is_rewriting(known, change.field, was[change.field].before, change.before)
            for change in again.changes
        )
        assert all(
            (change.kind, change.base) == (was[change.field].kind, was[change.field].base) for change in again.changes
        )


# noise -------------------------------------------------------------------------------------------------------------


@st.composite
def noisy(draw: st.DrawFn, name: str, value: Json) -> Json:
    """The same value as another hand would write it."""
    if BY_NAME[name].kind is FieldKind.TEXT and isinstance(value, str):
        if value == "":
            return draw(st.sampled_from(["", None]))
        text = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), value)
        return text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))
    return float(value) if type(value) is int and draw(st.booleans()) else value


def with_noise(data: st.DataObject, values: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name: data.draw(noisy(name, value), label=name) if name in VALUES else value for name, value in values.items()
    }


@settings(max_examples=50)
@given(some_values, live_records, knowns(), st.data())
def test_noise_never_matters(values: dict[str, Json], live: dict[str, Json], known: Known, data: st.DataObject) -> None:
    """On either side, in either direction: the same fields are changed, or none, or in conflict."""
    plain = decide(edit(values), live, known)
    noise = decide(edit(with_noise(data, values)), with_noise(data, live), known)

    assert type(noise) is type(plain)
    assert [change.field for change in getattr(noise, "changes", ())] == [
        change.field for change in getattr(plain, "changes", ())
    ]


@settings(max_examples=50)
@given(live_records, knowns(), st.data())
def test_a_row_that_asks_for_what_is_live_is_unchanged(
    live: dict[str, Json], known: Known, data: st.DataObject
) -> None:
    """Whoever made it so, however it is written."""
    asked = with_noise(data, {name: live[name] for name in VALUES})

    assert decide(edit(asked, seen_updated_on="long ago"), live, known) == Unchanged()


@settings(max_examples=50)
@given(st.sampled_from([*VALUES, "NewImageUrl", "CustomFields", "SomethingNew"]), jsons, jsons)
def test_digests_agree_as_values_do(name: str, left: Json, right: Json) -> None:
    """A base is kept as a digest: it has to tell apart just what a comparison of the values would."""
    assert (digest(name, left) == digest(name, right)) == equal(name, left, right)


# many rows ---------------------------------------------------------------------------------------------------------


@st.composite
def sheets(draw: st.DrawFn) -> tuple[list[Edit], dict[SectionId, dict[str, Json]]]:
    """Rows of different sections, and what the server holds for most of them."""
    numbers = draw(st.lists(st.integers(1, 30), unique=True, max_size=8))
    rows = [edit(draw(asked_values), number=number, row=2 + at) for at, number in enumerate(numbers)]
    held = {SectionId(number): {**draw(live_records), "Id": number} for number in numbers if draw(st.integers(0, 4))}
    return rows, held


def plan_of(rows: Iterable[Edit], held: Mapping[SectionId, Record], answers: Iterable[SectionId]) -> list[PlannedRow]:
    """Plan rows in the order in which `answers` come, then give them in the sheet's."""
    of = {row.id: row for row in rows}
    plan = {
        number: planned(of[number], Found(number, held[number]) if number in held else Missing(number))
        for number in answers
    }
    return [plan[number] for number in of]


@settings(max_examples=50)
@given(sheets(), st.data())
def test_the_order_of_rows_and_answers_does_not_matter(
    sheet: tuple[list[Edit], dict[SectionId, dict[str, Json]]], data: st.DataObject
) -> None:
    """Each row is decided by itself: rows moved about in the sheet get the same decisions, and a plan the same name."""
    rows, held = sheet
    plan = plan_of(rows, held, ids_to_read(rows))
    other_answers = plan_of(rows, held, data.draw(st.permutations(ids_to_read(rows))))
    moved = data.draw(st.permutations(rows))
    of_moved = plan_of(moved, held, ids_to_read(moved))

    assert other_answers == plan
    assert named(other_answers) == named(plan)
    assert sorted(of_moved, key=lambda row: row.row) == plan
    assert [row.row for row in to_send(of_moved)] == [row.row for row in of_moved if row in to_send(plan)]


def named(plan: Sequence[PlannedRow]) -> str:
    return plan_hash(plan, base_url="https://a.example/api", input_sha256="0" * 64)


# after the PUT -----------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(asked_values, live_records)
def test_reading_tells_whether_a_put_was_applied(values: dict[str, Json], live: dict[str, Json]) -> None:
    """Settling and verifying agree with what the server did: all of it, or nothing."""
    decision = decide(edit(values), live)
    assume(isinstance(decision, ToUpdate))
    assert isinstance(decision, ToUpdate)
    changes, after = decision.changes, carried_out(live, decision.changes)
    state = [change for change in changes if change.field not in ACTIONS]

    assert settle(changes, before=live, live=after) is Settled.APPLIED
    assert settle(changes, before=live, live=live) is Settled.NOT_APPLIED
    assert settle(changes, before=live, live={**live, "UpdatedOn": "by somebody"}) is not Settled.NOT_APPLIED
    assert verify(changes, before=live, live=after, put_updated_on="after our PUT").seen is Seen.AS_ASKED
    assert verify(changes, before=live, live=after, put_updated_on="after our PUT").touched == ()
    ignored = verify(changes, before=live, live={**live, "UpdatedOn": "after our PUT"}, put_updated_on="after our PUT")
    assert ignored.seen is (Seen.NOT_STORED if state else Seen.AS_ASKED)


@settings(max_examples=50)
@given(some_values, live_records, st.data())
def test_what_is_remembered_as_a_rewriting_was_stored_in_every_field(
    values: dict[str, Json], live: dict[str, Json], data: st.DataObject
) -> None:
    """A field that is still as before is never remembered as done: the next run would be silent about it."""
    decision = decide(edit(values), live)
    assume(isinstance(decision, ToUpdate))
    assert isinstance(decision, ToUpdate)
    now = {
        change.field: data.draw(st.sampled_from([change.before, change.after]) | VALUES[change.field])
        for change in decision.changes
    }
    after = {**live, **now, "UpdatedOn": "after our PUT"}
    seen = verify(decision.changes, before=live, live=after, put_updated_on="after our PUT")
    stayed = {change.field for change in decision.changes if equal(change.field, now[change.field], change.before)}

    assert set(seen.differs) == {
        change.field for change in decision.changes if not equal(change.field, now[change.field], change.after)
    }
    assert seen.seen is (Seen.NOT_STORED if stayed else Seen.REWRITTEN if seen.differs else Seen.AS_ASKED)


# reading -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Server:
    """Holds some sections, and answers batches in one of the ways that the documentation leaves open."""

    held: frozenset[int]
    most_at_once: int
    beyond: str
    """What becomes of a batch that is too long: `cut`, `nothing` or `404`."""
    unknown: str
    """What becomes of Ids that are not held: `dropped`, or a `404` to the whole batch."""
    partial: frozenset[int]
    """Sections whose record is partial in a batch."""
    asked: int = 0

    def answer(self, request: ReadBatch | ReadOne) -> Answer:
        """What comes back when nothing goes wrong on the way."""
        self.asked += 1
        if isinstance(request, ReadOne):
            return OneRecord(section(request.id)) if request.id in self.held else Absent(request.id)
        too_long = len(request.ids) > self.most_at_once
        if (too_long and self.beyond == "404") or (self.unknown == "404" and set(request.ids) - self.held):
            return Refused((), 404, "api.not_found")
        ids = request.ids[: 0 if self.beyond == "nothing" else self.most_at_once] if too_long else request.ids
        return Records(tuple(self.record(number) for number in reversed(ids) if number in self.held))

    def record(self, number: int) -> dict[str, Json]:
        """The section as a batch shows it."""
        lost = "CustomFields" if number in self.partial else ""
        return {name: value for name, value in section(number).items() if name != lost}


@st.composite
def servers(draw: st.DrawFn) -> tuple[Server, list[SectionId]]:
    wanted = draw(st.lists(st.integers(1, 90), unique=True, max_size=90) | st.just(list(range(1, 91))))
    held = frozenset(draw(st.lists(st.sampled_from(wanted), unique=True))) if wanted else frozenset[int]()
    held = frozenset(wanted) - held if draw(st.booleans()) else held
    partial = draw(st.frozensets(st.integers(1, 90), max_size=5))
    most = draw(st.integers(1, 5) | st.integers(1, 100))
    beyond, unknown = draw(st.sampled_from(["cut", "nothing", "404"])), draw(st.sampled_from(["dropped", "404"]))
    return Server(held, most, beyond, unknown, partial), [SectionId(number) for number in wanted]


@settings(max_examples=50)
@given(servers(), st.integers(1, 60), st.integers(1, 8), st.data())
def test_a_reader_finds_what_is_held_and_misses_what_is_not(
    given_server: tuple[Server, list[SectionId]], ids_per_request: int, places: int, data: st.DataObject
) -> None:
    """Any server, any order of answers, troubles on the way: each Id once, found or missing as the server holds it."""
    server, wanted = given_server
    reader, sights = Reader(ids_per_request), list[Sight]()
    reader.want(wanted)
    in_flight: list[ReadBatch | ReadOne] = []
    troubled: set[ReadBatch | ReadOne] = set()
    now = 0.0
    while not reader.idle:
        now = max(now, reader.ready_at(now) or 0.0)
        while len(in_flight) < places and (request := reader.next_request(now)) is not None:
            in_flight.append(request)
        request = in_flight.pop(data.draw(st.integers(0, len(in_flight) - 1)))
        if request not in troubled and data.draw(st.integers(0, 9)) == 0:
            troubled.add(request)
            trouble = data.draw(st.sampled_from([Unheard("lost"), NotDelivered("refused"), Throttled(None, 429)]))
            assert reader.take(request, trouble, now, token_renewed=False) == ()
        else:
            sights += reader.take(request, server.answer(request), now, token_renewed=False)

    assert len(sights) == len(wanted)
    assert {sight.id: sight for sight in sights} == {
        number: Found(number, section(number)) if number in server.held else Missing(number) for number in wanted
    }
    assert all(sight.record.keys() >= FULL_RECORD for sight in sights if isinstance(sight, Found))
    assert server.asked <= 3 * len(wanted) + 10
