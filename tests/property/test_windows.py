"""Laws of the limits: no server can count too many, nothing waits longer than it must, and the floor is a floor."""

from dataclasses import dataclass
from itertools import pairwise
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.windows import SPACING_MARGIN_S, Limit, Scope, Windows, least_makespan_s

NOISE_S = 1e-9
"""Sums of floating-point seconds are not exact; the lengths and latencies below are, but for spacing margins."""

scopes = st.sampled_from(Scope)
counting = st.builds(Limit, scope=scopes, count=st.integers(1, 4), seconds=st.sampled_from([2.0, 4.0, 8.0, 32.0]))
spacing = st.builds(Limit, scope=scopes, count=st.integers(1, 3), seconds=st.sampled_from([0.125, 0.5, 1.0]))
some_limits = st.lists(counting | spacing, max_size=4)
latencies = st.integers(0, 96).map(lambda eighths: eighths / 8)


@dataclass(slots=True)
class Sent:
    """A request on its way: the server may count it at any moment from `left` to `answered`."""

    scope: Scope
    left: float
    answered: float


@dataclass(frozen=True, slots=True)
class Wish:
    """A request that somebody wants to send, and how long its answer will take."""

    scope: Scope
    latency: float
    idle: float = 0.0
    """So long the sender does something else first."""


wishes = st.lists(st.builds(Wish, scopes, latencies, st.sampled_from([0.0, 0.0, 0.0, 1.5, 40.0])), max_size=14)


def send_all(windows: Windows, wished: list[Wish], *, places: int) -> list[Sent]:
    """Send each as early as the windows allow, at most `places` in flight; answers are told as they come."""
    log: list[Sent] = []
    in_flight: list[Sent] = []
    now = 0.0
    for wish in wished:
        now += wish.idle
        while True:
            for sent in sorted(in_flight, key=lambda sent: sent.answered):
                if sent.answered <= now:
                    windows.answered(sent.scope, sent.answered)
                    in_flight.remove(sent)
            at = windows.earliest(wish.scope, now) if len(in_flight) < places else inf
            if at <= now:
                break
            now = min([at, *(sent.answered for sent in in_flight)])
        windows.sent(wish.scope, now)
        in_flight.append(Sent(wish.scope, now, now + wish.latency))
        log.append(in_flight[-1])
    return log


def counted_by(limit: Limit, log: list[Sent]) -> list[Sent]:
    return [sent for sent in log if limit.scope is Scope.ALL or sent.scope is Scope.WRITE]


def most_counted(limit: Limit, log: list[Sent]) -> int:
    """How many a strict server may find in one window, over all ways in which the requests may have travelled.

    A request can be in the half-open window that ends at `t` if it left by `t` and was answered after `t - seconds`.
    """
    counted = counted_by(limit, log)
    return max(
        (
            sum(each.left <= at.left and each.answered > at.left - limit.seconds + NOISE_S for each in counted)
            for at in counted
        ),
        default=0,
    )


@settings(max_examples=100)
@given(some_limits, wishes, st.integers(1, 8))
def test_no_server_ever_counts_too_many(limits: list[Limit], wished: list[Wish], places: int) -> None:
    """Whatever the latencies, and wherever between sending and answer each request arrives."""
    log = send_all(Windows(limits), wished, places=places)

    assert len(log) == len(wished)
    assert [limit for limit in limits if not limit.is_spacing and most_counted(limit, log) > limit.count] == []


@settings(max_examples=80)
@given(st.lists(spacing, min_size=1, max_size=3), st.lists(counting, max_size=1), wishes, st.integers(0, 3))
def test_spaced_requests_leave_apart(limits: list[Limit], more: list[Limit], wished: list[Wish], widened: int) -> None:
    """From sending to sending: the window and its margin, however often it was widened."""
    windows = Windows([*limits, *more])
    for _ in range(widened):
        windows.widen_spacing()
    log = send_all(windows, wished, places=8)

    for limit in limits:
        left = [sent.left for sent in counted_by(limit, log)]
        apart = limit.seconds + SPACING_MARGIN_S * 2**widened
        assert all(
            later - earlier >= apart - NOISE_S for earlier, later in zip(left, left[limit.count :], strict=False)
        )


def earliest_by_hand(limits: list[Limit], log: list[Sent], scope: Scope, now: float) -> float:
    """The first moment from `now` on at which every limit that counts `scope` has a place, written down plainly."""
    latest = now
    for limit in limits:
        if limit.scope is Scope.WRITE and scope is not Scope.WRITE:
            continue
        if limit.is_spacing:
            free_at = [sent.left + (limit.seconds + SPACING_MARGIN_S) for sent in counted_by(limit, log)]
        else:
            free_at = [
                sent.answered + limit.seconds if sent.answered <= now else inf for sent in counted_by(limit, log)
            ]
        moments = [now, *(at for at in free_at if at > now)]
        latest = max(latest, min(at for at in moments if sum(free > at for free in free_at) < limit.count or at == inf))
    return latest


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Limit], list[Sent], Windows, float]:
    """Limits, what was sent under them, what they know of it, and a moment at which some of it is still in flight."""
    limits = draw(some_limits)
    log = send_all(Windows(limits), draw(wishes), places=8)
    last = log[-1].left if log else 0.0
    now = last + draw(st.sampled_from([0.0, 0.125, 1.0, 3.0, 20.0]))
    windows = Windows(limits)
    for sent in log:
        windows.sent(sent.scope, sent.left)
        if sent.answered <= now:
            windows.answered(sent.scope, sent.answered)
    return limits, log, windows, now


@settings(max_examples=100)
@given(histories(), scopes)
def test_nothing_waits_longer_than_it_must(
    history: tuple[list[Limit], list[Sent], Windows, float], scope: Scope
) -> None:
    """`earliest` is the very first moment at which all windows have a place."""
    limits, log, windows, now = history

    assert windows.earliest(scope, now) == earliest_by_hand(limits, log, scope, now)


@settings(max_examples=100)
@given(histories(), scopes, st.sampled_from([0.0, 1.0, 4.0, 9.0, 100.0]))
def test_room_is_how_many_can_leave_one_after_another(
    history: tuple[list[Limit], list[Sent], Windows, float], scope: Scope, ahead: float
) -> None:
    """Sending at the earliest moment again and again, unanswered, gives just as many by then."""
    limits, log, _, now = history
    windows, until, sent = Windows([limit for limit in limits if not limit.is_spacing]), now + ahead, 0
    for each in log:
        windows.sent(each.scope, each.left)
        if each.answered <= now:
            windows.answered(each.scope, each.answered)
    room, at = windows.room(scope, now, until), now
    while room is not None and (at := windows.earliest(scope, at)) <= until:
        windows.sent(scope, at)
        sent += 1

    counted = [limit for limit in limits if not limit.is_spacing and (limit.scope is Scope.ALL or scope is Scope.WRITE)]
    assert room == (sent if counted else None)


@settings(max_examples=80)
@given(histories())
def test_use_is_what_a_server_may_still_count(history: tuple[list[Limit], list[Sent], Windows, float]) -> None:
    """In flight, or answered less than a window ago; never more than the limit."""
    limits, log, windows, now = history

    assert [(limit, used) for limit, used in windows.use(now) if not limit.is_spacing] == [
        (limit, sum(sent.answered > now or sent.answered + limit.seconds > now for sent in counted_by(limit, log)))
        for limit in limits
        if not limit.is_spacing
    ]
    assert all(used <= limit.count for limit, used in windows.use(now))


@settings(max_examples=100)
@given(some_limits, st.lists(latencies, min_size=1, max_size=14), st.integers(1, 8))
def test_the_least_time_is_a_floor(limits: list[Limit], answers_after: list[float], places: int) -> None:
    """No run of writes is faster."""
    log = send_all(Windows(limits), [Wish(Scope.WRITE, latency) for latency in answers_after], places=places)

    assert log[-1].left - log[0].left >= least_makespan_s(limits, len(log)) - NOISE_S


@settings(max_examples=60)
@given(st.lists(counting, max_size=4), st.integers(0, 16))
def test_with_answers_at_once_the_floor_is_reached(limits: list[Limit], requests: int) -> None:
    """Counting windows lose nothing but the latency."""
    log = send_all(Windows(limits), [Wish(Scope.WRITE, 0.0)] * requests, places=1)

    assert (log[-1].left if log else 0.0) == least_makespan_s(limits, requests)


@settings(max_examples=60)
@given(some_limits, st.integers(0, 12))
def test_the_floor_rises_with_requests_and_limits(limits: list[Limit], requests: int) -> None:
    """One more request, or one more limit, is never faster."""
    floors = [least_makespan_s(limits, count) for count in range(requests + 1)]

    assert all(more >= fewer for fewer, more in pairwise(floors))
    assert all(least_makespan_s(limits[:at], requests) <= floors[-1] for at in range(len(limits)))


@settings(max_examples=60)
@given(some_limits, wishes)
def test_with_nothing_in_flight_there_is_always_a_next_moment(limits: list[Limit], wished: list[Wish]) -> None:
    """`inf` means that an answer is awaited, and nothing else."""
    windows = Windows(limits)
    log = send_all(windows, wished, places=1)
    if log:
        windows.answered(log[-1].scope, log[-1].answered)
    now = log[-1].answered if log else 0.0

    assert all(windows.earliest(scope, now) < inf for scope in Scope)
