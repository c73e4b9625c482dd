"""The limits as sliding windows: when a request may leave, to the moment."""

from math import inf

import pytest

from sync.windows import (
    SPACING_MARGIN_MAX_S,
    SPACING_MARGIN_S,
    Limit,
    Scope,
    Window,
    Windows,
    least_makespan_s,
    shared,
)

WRITE, ALL = Scope.WRITE, Scope.ALL
PER_MINUTE = Limit(WRITE, 3, 60.0)
SPACING = Limit(ALL, 1, 0.1)


def test_a_slot_is_free_again_one_window_after_its_answer() -> None:
    """The server counted the request no later than that; counted from sending, it could still be in its window."""
    window = Window(PER_MINUTE)
    for at in (0.0, 1.0, 2.0):
        window.sent(at)
        window.answered(at + 10.0)

    assert (window.earliest(20.0), window.used(69.9), window.used(70.0)) == (70.0, 3, 2)


def test_a_request_in_flight_holds_its_slot_without_end() -> None:
    """Nobody knows when the server will count it."""
    windows = Windows([Limit(WRITE, 1, 60.0)])
    windows.sent(WRITE, 0.0)

    assert [windows.earliest(WRITE, now) for now in (0.0, 60.0, 1e9)] == [inf, inf, inf]
    windows.answered(WRITE, 1e9)
    assert windows.earliest(WRITE, 1e9) == 1e9 + 60.0


def test_answers_count_in_the_order_in_which_they_came() -> None:
    """The slot that is free first is that of the first answer, not of the first request."""
    windows = Windows([PER_MINUTE])
    for at in (0.0, 0.0, 0.0):
        windows.sent(WRITE, at)
    for at in (30.0, 5.0, 12.0):
        windows.answered(WRITE, at)

    assert windows.earliest(WRITE, 31.0) == 65.0


def test_the_window_is_half_open() -> None:
    """Exactly one window after the answer the slot is free."""
    windows = Windows([Limit(WRITE, 1, 60.0)])
    windows.sent(WRITE, 0.0)
    windows.answered(WRITE, 4.0)

    assert (windows.earliest(WRITE, 63.0), windows.earliest(WRITE, 64.0)) == (64.0, 64.0)


def test_spacing_runs_from_the_moment_of_sending() -> None:
    """A wait for the answer would waste the allowance: slow answers do not slow the sender."""
    windows = Windows([SPACING])
    windows.sent(WRITE, 10.0)

    assert windows.earliest(WRITE, 10.0) == 10.0 + 0.1 + SPACING_MARGIN_S
    windows.answered(WRITE, 99.0)
    assert windows.earliest(WRITE, 10.0) == 10.0 + 0.1 + SPACING_MARGIN_S


@pytest.mark.parametrize("looked_at", [0.0, 0.05, 0.2, 0.4])
def test_spacing_counts_from_when_a_request_really_left(looked_at: float) -> None:
    """A busy machine lets go at 0 and sends at 0.3; it does not matter whether somebody looked meanwhile."""
    windows = Windows([SPACING, Limit(WRITE, 1, 60.0)])
    windows.sent(WRITE, 0.0)
    windows.earliest(ALL, looked_at)
    windows.left(WRITE, 0.0, 0.3)
    windows.answered(WRITE, 0.35)

    assert [used for _, used in windows.use(0.4)] == [1, 1]
    assert windows.earliest(ALL, 0.4) == pytest.approx(0.4 + SPACING_MARGIN_S)
    assert windows.earliest(WRITE, 0.5) == pytest.approx(60.35)


@pytest.mark.parametrize(
    ("seconds", "spaces"), [pytest.param(1.0, True, id="a second"), pytest.param(1.001, False, id="longer")]
)
def test_a_window_of_a_second_or_less_spaces(seconds: float, *, spaces: bool) -> None:
    """A longer one counts answers."""
    assert Limit(ALL, 10, seconds).is_spacing is spaces


def test_bursts_are_sent_where_they_are_allowed() -> None:
    """Ten in 100 ms leave at once; the eleventh waits for the first."""
    windows = Windows([Limit(ALL, 10, 0.1)])
    for _ in range(10):
        assert windows.earliest(ALL, 5.0) == 5.0
        windows.sent(ALL, 5.0)

    assert windows.earliest(ALL, 5.0) == pytest.approx(5.1 + SPACING_MARGIN_S)


@pytest.mark.parametrize(
    ("throttles", "margin_s"), [(0, 0.01), (1, 0.02), (3, 0.08), (4, SPACING_MARGIN_MAX_S), (9, 0.1)]
)
def test_a_throttle_widens_the_spacing_up_to_a_bound(throttles: int, margin_s: float) -> None:
    """Networks bunch requests together; counting windows stay as they are."""
    windows = Windows([SPACING, Limit(WRITE, 1, 60.0)])
    for _ in range(throttles):
        windows.widen_spacing()
    windows.sent(WRITE, 0.0)
    windows.answered(WRITE, 2.0)

    assert windows.earliest(ALL, 0.0) == pytest.approx(0.1 + margin_s)
    assert windows.earliest(WRITE, 3.0) == 62.0


def test_reads_leave_the_allowance_of_writes_alone() -> None:
    """A limit of scope `all` counts both, one of scope `write` only what writes."""
    windows = Windows([Limit(WRITE, 1, 60.0), Limit(ALL, 3, 60.0)])
    windows.sent(ALL, 0.0)
    windows.sent(WRITE, 0.0)
    windows.answered(ALL, 1.0)
    windows.answered(WRITE, 2.0)

    assert [used for _, used in windows.use(3.0)] == [1, 2]
    assert (windows.earliest(ALL, 3.0), windows.earliest(WRITE, 3.0)) == (3.0, 62.0)
    windows.sent(ALL, 3.0)
    assert windows.earliest(ALL, 3.0) == 61.0


def test_the_tightest_limit_decides() -> None:
    """All windows have to allow it."""
    windows = Windows([SPACING, Limit(WRITE, 1, 60.0), Limit(WRITE, 2, 3600.0)])
    earliest: list[float] = []
    for _ in range(3):
        now = windows.earliest(WRITE, earliest[-1] if earliest else 0.0)
        earliest.append(now)
        windows.sent(WRITE, now)
        windows.answered(WRITE, now)

    assert earliest == [0.0, 60.0, 3600.0]


def test_without_limits_everything_may_leave_at_once() -> None:
    """`limits = []` means none."""
    windows = Windows([])
    windows.sent(WRITE, 0.0)

    assert (windows.earliest(WRITE, 1.0), windows.room(WRITE, 1.0, 2.0), windows.use(1.0)) == (1.0, None, ())


@pytest.mark.parametrize(
    ("until", "room"),
    [
        pytest.param(5.0, 1, id="now"),
        pytest.param(60.9, 1, id="just before the first is free"),
        pytest.param(61.0, 2, id="the first is free"),
        pytest.param(62.0, 3, id="two are free"),
        pytest.param(1e9, 3, id="never more than the limit"),
    ],
)
def test_room_is_what_can_leave_by_then(until: float, room: int) -> None:
    """Counted as if none of them were answered meanwhile."""
    windows = Windows([PER_MINUTE, SPACING])
    for answered in (1.0, 2.0):
        windows.sent(WRITE, 0.0)
        windows.answered(WRITE, answered)

    assert windows.room(WRITE, 5.0, until) == room


def test_the_tightest_limit_decides_about_room() -> None:
    """All windows have to have it."""
    windows = Windows([Limit(WRITE, 5, 60.0), Limit(ALL, 3, 60.0), Limit(WRITE, 4, 3600.0)])

    assert (windows.room(WRITE, 0.0, 0.0), windows.room(ALL, 0.0, 0.0)) == (3, 3)


def test_room_leaves_spacing_aside_and_in_flight_in() -> None:
    """A request in flight may hold its slot past any moment."""
    windows = Windows([PER_MINUTE, SPACING])
    windows.sent(WRITE, 0.0)

    assert windows.room(WRITE, 0.0, 1e9) == 2
    assert windows.room(ALL, 0.0, 1e9) is None


@pytest.mark.parametrize(
    ("limit", "share", "expected"),
    [
        pytest.param(Limit(WRITE, 60, 60.0), 1.0, 60, id="all of it"),
        pytest.param(Limit(WRITE, 60, 60.0), 0.5, 30, id="half"),
        pytest.param(Limit(ALL, 5, 60.0), 0.5, 2, id="rounded down"),
        pytest.param(Limit(ALL, 5, 60.0), 0.01, 1, id="at least one"),
        pytest.param(SPACING, 0.5, 1, id="spacing is not shared"),
        pytest.param(Limit(ALL, 10, 0.1), 0.5, 10, id="a burst is not shared"),
    ],
)
def test_a_share_leaves_room_for_other_integrations(limit: Limit, share: float, expected: int) -> None:
    """The account's windows count them as well."""
    assert shared([limit], quota_share=share) == (Limit(limit.scope, expected, limit.seconds),)


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        pytest.param(PER_MINUTE, "3 writes in 60 s", id="writes"),
        pytest.param(SPACING, "1 requests in 0.1 s", id="requests"),
        pytest.param(Limit(ALL, 200_000, 86_400.0), "200000 requests in 86400 s", id="a day"),
    ],
)
def test_a_limit_is_said_in_words(limit: Limit, text: str) -> None:
    """The name of its window in a report."""
    assert str(limit) == text


@pytest.mark.parametrize(
    ("limits", "requests", "seconds"),
    [
        pytest.param([PER_MINUTE], 0, 0.0, id="nothing"),
        pytest.param([PER_MINUTE], 3, 0.0, id="a window's worth at once"),
        pytest.param([PER_MINUTE], 4, 60.0, id="one more waits a window"),
        pytest.param([PER_MINUTE], 10, 180.0, id="window after window"),
        pytest.param([SPACING], 11, 1.0, id="spaced"),
        pytest.param([SPACING, PER_MINUTE], 4, 60.0, id="both"),
        pytest.param([], 1000, 0.0, id="no limits"),
        pytest.param([Limit(WRITE, 60, 60.0)], 1000, 960.0, id="1,000 rows take 16 minutes"),
        pytest.param([Limit(WRITE, 60, 60.0), Limit(WRITE, 5000, 86400.0)], 5001, 86400.0, id="5,001 a second day"),
    ],
)
def test_the_least_time_is_what_the_limits_alone_take(limits: list[Limit], requests: int, seconds: float) -> None:
    """The floor that a run is measured against."""
    assert least_makespan_s(limits, requests) == pytest.approx(seconds)


def test_places_that_are_taken_already_push_the_end_back() -> None:
    """A plan over the day's rest ends tomorrow: what is taken counts as free one window from now."""
    day = Limit(Scope.WRITE, 100, 86400)

    assert least_makespan_s([day], 60, used={day: 40}) == 0.0
    assert least_makespan_s([day], 61, used={day: 40}) == 86400.0
    assert least_makespan_s([day], 161, used={day: 40}) == 2 * 86400.0
