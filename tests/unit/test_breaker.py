"""When the server is in trouble: pause, probe, give up; and how long a throttle is waited out."""

import pytest

from sync.breaker import (
    BREAKER_WAIT_S,
    DISBELIEF_S,
    PROBES,
    THROTTLE_MARGIN_S,
    THROTTLE_WAIT_MAX_S,
    THROTTLES_STOP,
    TROUBLE_OPENS,
    Breaker,
)


def troubled(times: int, *, at: float = 100.0) -> Breaker:
    breaker = Breaker(wait_max_s=900.0)
    for _ in range(times):
        breaker.troubled(at, "refused")
    return breaker


def test_trouble_in_a_row_opens_the_breaker() -> None:
    """Up to then requests go on; after it everything waits, and then one request probes."""
    assert [(each.probing, each.open_until) for each in (troubled(TROUBLE_OPENS - 1), troubled(TROUBLE_OPENS))] == [
        (False, 0.0),
        (True, 100.0 + BREAKER_WAIT_S),
    ]


def test_one_answer_closes_it() -> None:
    """Yes or no, the server is there: everything may go at once, and counting begins anew."""
    breaker = troubled(TROUBLE_OPENS + 3)

    breaker.well()

    assert breaker == Breaker(wait_max_s=900.0)


def test_trouble_that_is_not_in_a_row_does_not_add_up() -> None:
    """A server that answers now and then is slow, not gone."""
    breaker = Breaker(wait_max_s=900.0)
    for _ in range(10 * TROUBLE_OPENS):
        for _ in range(TROUBLE_OPENS - 1):
            breaker.troubled(1.0, "refused")
        breaker.well()

    assert (breaker.probing, breaker.stop) == (False, None)


def test_what_was_in_flight_when_it_opened_is_no_probe() -> None:
    """Eight requests that fail together are one sign of trouble, not a sign and three probes."""
    breaker = troubled(TROUBLE_OPENS + 20)

    assert (breaker.failed_probes, breaker.stop) == (0, None)


def test_each_failed_probe_doubles_the_pause_and_the_last_one_stops() -> None:
    """With the reason of the last one in the words."""
    breaker, now, seen = troubled(TROUBLE_OPENS), 100.0, []
    for _ in range(PROBES):
        now = breaker.open_until
        breaker.troubled(now, "timed out")
        seen.append((breaker.open_until - now, breaker.stop))

    assert seen == [
        (2 * BREAKER_WAIT_S, None),
        (4 * BREAKER_WAIT_S, None),
        (8 * BREAKER_WAIT_S, "The server could not be reached: timed out."),
    ]


def test_a_pause_is_never_shortened_by_later_trouble() -> None:
    """An answer that was on its way for long comes after a longer pause was set."""
    breaker = troubled(TROUBLE_OPENS, at=100.0)
    breaker.troubled(20.0, "late")

    assert breaker.open_until == 100.0 + BREAKER_WAIT_S


@pytest.mark.parametrize(
    ("retry_after_s", "wait_s", "stops"),
    [
        pytest.param(1.0, 1.0 + THROTTLE_MARGIN_S, False, id="a second"),
        pytest.param(900.0, 900.0 + THROTTLE_MARGIN_S, False, id="as long as this run waits"),
        pytest.param(900.5, 900.5 + THROTTLE_MARGIN_S, False, id="longer than this run waits"),
        pytest.param(86_400.0, 86_400.0 + THROTTLE_MARGIN_S, False, id="as long as the longest window"),
        pytest.param(86_401.0, DISBELIEF_S, True, id="longer than any window"),
        pytest.param(9_999_999_999.0, DISBELIEF_S, True, id="centuries"),
    ],
)
def test_retry_after_is_waited_out_unless_no_limit_explains_it(
    retry_after_s: float, wait_s: float, *, stops: bool
) -> None:
    """A little late rather than a little early, without jitter; what cannot be meant locks nobody out."""
    breaker = Breaker(wait_max_s=900.0)

    assert (breaker.throttled(retry_after_s, 0.9), breaker.stop is not None) == (wait_s, stops)


def test_the_stop_says_how_long_the_server_asked_to_wait() -> None:
    """The operator decides from it when to resume."""
    breaker = Breaker(wait_max_s=60.0)

    breaker.throttled(100 * 3600.0, 0.0)

    assert breaker.stop == (
        "The server asks to wait 5 days, which no limit explains; the next request is tried in 60 s."
    )


def test_without_retry_after_the_wait_doubles_up_to_a_minute() -> None:
    """From a second on, and back to it once the server has answered."""
    breaker = Breaker(wait_max_s=900.0)
    waits = [breaker.throttled(None, 0.0) for _ in range(9)]
    breaker.well()

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, THROTTLE_WAIT_MAX_S, THROTTLE_WAIT_MAX_S, THROTTLE_WAIT_MAX_S]
    assert breaker.throttled(None, 0.0) == 1.0


def test_jitter_lengthens_our_own_wait_by_a_quarter_at_most() -> None:
    """Two runs of one account do not knock at the same moment, and neither knocks early."""
    assert [Breaker(wait_max_s=900.0).throttled(None, jitter) for jitter in (0.0, 0.5, 0.999)] == pytest.approx(
        [1.0, 1.125, 1.24975]
    )


def test_throttles_without_end_stop_the_run() -> None:
    """Each was waited out: the allowance is not ours."""
    breaker = Breaker(wait_max_s=900.0)

    stops = [(breaker.throttled(None, 0.0), breaker.stop)[1] for _ in range(THROTTLES_STOP)]

    assert stops == [None] * (THROTTLES_STOP - 1) + [
        "The server throttles every request; something else uses up this account's allowance."
    ]


def test_throttling_is_no_trouble() -> None:
    """A throttle says that the server is well: it opens nothing, and counts apart."""
    breaker = Breaker(wait_max_s=900.0)
    for _ in range(2 * TROUBLE_OPENS):
        breaker.throttled(1.0, 0.0)

    assert (breaker.probing, breaker.trouble_in_a_row, breaker.open_until, breaker.stop) == (False, 0, 0.0, None)
