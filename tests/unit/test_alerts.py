"""Alerts: once when a trouble begins or becomes another, once when it is over, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.alerts import (
    ACCOUNT,
    WELL,
    AlertSettings,
    Event,
    Known,
    Message,
    Only,
    Seen,
    addresses,
    decide,
    gravest,
    of_error,
    of_report,
)
from sync.errors import (
    ConfigError,
    HeldRun,
    HourHasCome,
    InputError,
    Interrupted,
    LockHeld,
    OutOfAllowance,
    SignInError,
    SignInLost,
    StoppedEarly,
    StoreNotWritten,
)
from sync.model import InputFacts, Issue, Label, Outcome, RowNumber, RunId, RunReport, Source, Status

SETTINGS = AlertSettings()
WELL_AGAIN = Seen("sections.xlsx", None)
REFUSED = Seen("sections.xlsx", Event.REFUSED, "digest-1", "It has no Id column.", "coursesync check sections.xlsx")
OTHER = Seen("sections.xlsx", Event.REFUSED, "digest-2", "It is damaged.")

sights = st.sampled_from([WELL_AGAIN, REFUSED, OTHER, Seen("sections.xlsx", Event.HELD, "plan-1")])


def told(seen: list[Seen], settings: AlertSettings = SETTINGS, *, dead: frozenset[int] = frozenset()) -> list[str]:
    """The events that are told of one subject, night by night; in the nights `dead` no target takes anything."""
    known, events = WELL, []
    for night, each in enumerate(seen):
        step = decide(known, each, settings, profile="production", at_wall=float(night))
        if step.message is not None and night not in dead:
            events.append(step.message.event.value)
        known = step.undelivered if night in dead else step.delivered
    return events


@pytest.mark.parametrize(
    ("seen", "events"),
    [
        pytest.param([WELL_AGAIN, WELL_AGAIN], [], id="quiet"),
        pytest.param([REFUSED, REFUSED, REFUSED], ["refused"], id="once"),
        pytest.param([REFUSED, OTHER, OTHER], ["refused", "refused"], id="another-file"),
        pytest.param([REFUSED, WELL_AGAIN, WELL_AGAIN], ["refused", "recovered"], id="recovery-once"),
        pytest.param([REFUSED, WELL_AGAIN, REFUSED], ["refused", "recovered", "refused"], id="again"),
    ],
)
def test_a_change_of_state_is_told_once(seen: list[Seen], events: list[str]) -> None:
    """The same trouble again is no news; another one is, and so is its end."""
    assert told(seen) == events


@given(st.lists(sights, max_size=12))
def test_messages_alternate_between_a_trouble_and_its_end(seen: list[Seen]) -> None:
    """No recovery without a trouble that was told, none twice, and at the end the last word fits the last look."""
    events = told(seen)

    assert all(
        event != "recovered" or (place > 0 and events[place - 1] != "recovered") for place, event in enumerate(events)
    )
    if seen and events:
        assert (events[-1] == "recovered") == (seen[-1].event is None)
    assert len(events) <= len(seen)


@given(st.lists(sights, max_size=8))
def test_looking_twice_tells_nothing_more(seen: list[Seen]) -> None:
    """Each look repeated at once changes nothing: it is the state that is told, not the look."""
    assert told([each for each in seen for _ in range(2)]) == told(seen)


@given(st.lists(sights, min_size=1, max_size=8), st.sets(st.integers(0, 7)))
def test_what_no_target_took_is_told_at_the_next_look(seen: list[Seen], dead: set[int]) -> None:
    """A dead target loses no message for good: with two more looks like the last, the last state has been told."""
    events = told([*seen, seen[-1], seen[-1]], dead=frozenset(dead) - {len(seen), len(seen) + 1})

    last = seen[-1].event
    if last is not None:
        assert events[-1] == last.value
    elif events:
        assert events[-1] == "recovered"


def test_what_is_not_wanted_has_no_end_either() -> None:
    """A trouble below the severity, or of an event that is not listed, is not told, and so is its recovery."""
    grave = AlertSettings(severity="error")
    chosen = AlertSettings(events=frozenset({Event.REFUSED, Event.RECOVERED}))
    held = Seen("sections.xlsx", Event.HELD, "plan-1")

    assert told([held, WELL_AGAIN], AlertSettings(severity="warning")) == ["held"]
    assert told([held, WELL_AGAIN], grave) == []
    assert told([held, WELL_AGAIN, REFUSED, WELL_AGAIN], chosen) == ["refused", "recovered"]


def test_a_message_says_what_how_many_which_and_what_now() -> None:
    """Counts, at most three examples on one line each, and the next command; the same for programs."""
    report = a_report(
        4,
        *(outcome(row, Status.REJECTED, "Title", "is a required\nfield" + "!" * 300) for row in range(2, 7)),
        outcome(7, Status.UPDATED),
    )
    _account, seen = of_report(
        report, SETTINGS, sheet="sections.xlsx", reason="", command="coursesync apply failed.xlsx"
    )
    message = decide(WELL, seen, SETTINGS, profile="production", at_wall=0.0).message

    assert message is not None
    assert message.title == "coursesync production: rows of sections.xlsx need attention"
    assert message.lines[0] == "6 rows: 1 updated, 5 rejected."
    assert [line[:8] for line in message.lines[1:4]] == ["  row 2 ", "  row 3 ", "  row 4 "]
    assert all("\n" not in line and len(line) <= 170 for line in message.lines)
    assert message.lines[-1] == "Next: coursesync apply failed.xlsx"
    assert message.object["counts"] == {"updated": 1, "rejected": 5}
    assert (message.object["event"], message.object["severity"]) == ("attention", "warning")


def test_what_a_rail_holds_is_told_with_the_rows_that_it_names() -> None:
    """Three of them, though none needs attention: whoever approves it sees what it is about."""
    rows = tuple(f"row {row} · 1414925001 · CourseId: 1 → 2" for row in range(2, 7))
    report = a_report(6, *(outcome(row, Status.TO_UPDATE) for row in range(2, 7)))
    _account, seen = of_report(report, SETTINGS, sheet="sections.xlsx", reason="Held.", command="approve", held=rows)

    assert (seen.event, seen.examples) == (Event.HELD, rows[:3])


def test_failed_rows_are_told_above_the_share_of_the_profile() -> None:
    """At the share or below it, a run with rows that need attention counts as well."""
    report = a_report(4, outcome(2, Status.REJECTED), outcome(3, Status.UPDATED), outcome(4, Status.UPDATED))

    def event(share: float) -> Event | None:
        settings = AlertSettings(attention_share=share)
        return of_report(report, settings, sheet="s", reason="", command="")[1].event

    assert (event(0.0), event(0.3), event(0.34)) == (Event.ATTENTION, Event.ATTENTION, None)


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (LockHeld("held"), []),
        (Interrupted("told to end", signal_number=15), []),
        (HourHasCome("--until"), []),
        (SignInError("refused"), [(ACCOUNT, Event.SIGN_IN_LOST)]),
        (SignInLost("401"), [(ACCOUNT, Event.SIGN_IN_LOST)]),
        (StoppedEarly("outage"), [(ACCOUNT, Event.STOPPED)]),
        (InputError("no Id", code="x"), [("s.xlsx", Event.REFUSED)]),
        (HeldRun("a rail"), [("s.xlsx", Event.HELD)]),
        (ConfigError("a key"), [(ACCOUNT, Event.BROKEN)]),
        (ZeroDivisionError("with a cell's value"), [(ACCOUNT, Event.BROKEN)]),
    ],
)
def test_an_error_says_who_is_in_trouble(error: Exception, seen: list[tuple[str, Event]]) -> None:
    """What was asked for, or another run at work, is no trouble; an unforeseen error is not quoted."""
    found = of_error(error, sheet="s.xlsx")

    assert [(each.subject, each.event) for each in found] == seen
    assert not any("cell's value" in each.reason for each in found)


def test_another_kind_of_stop_is_news() -> None:
    """An outage, an allowance used up and a full disk are three troubles."""
    stops = [StoppedEarly("x"), StoppedEarly("y"), OutOfAllowance("x", wait_s=1), StoreNotWritten("x")]
    known, events = WELL, 0
    for stop in stops:
        (seen,) = of_error(stop, sheet="s")
        step = decide(known, seen, SETTINGS, profile="p", at_wall=0.0)
        known, events = step.delivered, events + (step.message is not None)

    assert events == 3


def test_addresses_may_be_for_some_messages_only() -> None:
    """Words before the first `=` choose events and severities; an address's own `=` stays with it."""
    found = addresses("mailto://me:word@host?to=a=b\nerror,held=pover://x@y\n")

    assert found == (Only("mailto://me:word@host?to=a=b"), Only("pover://x@y", frozenset({"error", "held"})))
    with pytest.raises(ValueError, match=r"^eror$"):
        addresses("eror=pover://x@y")
    assert found[0].takes(Message(Event.RECOVERED, "info", "p", "s", "t", ()))
    assert found[1].takes(Message(Event.HELD, "warning", "p", "s", "t", ()))
    assert found[1].takes(Message(Event.BROKEN, "error", "p", "s", "t", ()))
    assert not found[1].takes(Message(Event.RECOVERED, "info", "p", "s", "t", ()))


@given(st.lists(st.sampled_from([0, 1, 3, 4, 5, 6]), max_size=8))
def test_the_gravest_of_several_files_decides(codes: list[int]) -> None:
    """In the order 1, 5, 6, 4, 3; 0 only where all are."""
    rank = [1, 5, 6, 4, 3, 0]

    assert gravest(codes) == min(codes, key=rank.index, default=0)


def test_what_was_never_in_trouble_is_remembered_as_such() -> None:
    """A quiet subject stays as it was."""
    assert decide(WELL, WELL_AGAIN, SETTINGS, profile="p", at_wall=9.0).delivered == WELL
    assert decide(Known(Event.HELD, "m", 1.0, told=True), WELL_AGAIN, SETTINGS, profile="p", at_wall=9.0).delivered == (
        Known(None, "", 9.0, told=False)
    )


def outcome(row: int, status: Status, field: str = "Title", message: str = "is a required field") -> Outcome:
    issues = () if status is Status.UPDATED else (Issue("api.rejected", message, field, source=Source.API),)
    return Outcome(RowNumber(row), Label(str(row), "7", "T"), status, issues=issues)


def a_report(code: int, *outcomes: Outcome) -> RunReport:
    return RunReport(
        RunId("r1"),
        "apply",
        "production",
        "u",
        InputFacts("sections.xlsx", "0" * 64, "Sections", len(outcomes)),
        outcomes,
        "a",
        "b",
        code,
    )
