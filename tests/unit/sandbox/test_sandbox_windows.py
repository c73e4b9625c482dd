"""Limits are strict sliding windows, judged when a request arrives."""

import pytest

from sync.sandbox.windows import Limit, SlidingWindows, Throttled

PER_MINUTE = Limit("write", 2, 60)


def test_a_full_window_refuses_until_its_first_request_is_one_window_old() -> None:
    """A slot is free again exactly one window after it was taken, not before."""
    windows = SlidingWindows([PER_MINUTE])

    judged = [windows.judge("me", "PUT", at) for at in (0, 30, 59.75, 60, 89, 90)]

    assert judged == [None, None, Throttled(PER_MINUTE, 0.25), None, Throttled(PER_MINUTE, 1), None]


def test_a_window_slides_and_does_not_begin_anew_each_minute() -> None:
    """Two requests at the end of one minute and one at the start of the next are three in a window."""
    windows = SlidingWindows([PER_MINUTE])

    assert [windows.judge("me", "PUT", at) is None for at in (58, 59, 61)] == [True, True, False]


@pytest.mark.parametrize(("count_throttled", "allowed"), [(False, True), (True, False)], ids=["free", "counted"])
def test_a_throttled_request_costs_allowance_only_when_told_so(*, count_throttled: bool, allowed: bool) -> None:
    """The switch decides whether knocking too early makes the wait longer."""
    windows = SlidingWindows([Limit("all", 1, 10)], count_throttled=count_throttled)
    windows.judge("me", "GET", 0)
    windows.judge("me", "GET", 9)

    assert (windows.judge("me", "GET", 11) is None) is allowed


def test_reads_do_not_count_as_writes() -> None:
    """A write limit judges POST, PUT and DELETE only."""
    windows = SlidingWindows([Limit("write", 1, 60)])

    judged = [windows.judge("me", method, 0) is None for method in ("GET", "GET", "PUT", "DELETE", "POST", "GET")]

    assert judged == [True, True, True, False, False, True]


def test_identities_do_not_share_a_window() -> None:
    """What one identity used up, another still has."""
    windows = SlidingWindows([Limit("all", 1, 60)])

    assert [windows.judge(who, "GET", 0) is None for who in ("a", "b", "a")] == [True, True, False]


def test_the_longest_wait_is_told_when_several_windows_are_full() -> None:
    """Coming back after the wait that is told meets no other full window."""
    slow = Limit("write", 1, 60)
    windows = SlidingWindows([Limit("all", 1, 0.1), slow])
    windows.judge("me", "PUT", 0)

    assert windows.judge("me", "PUT", 0.05) == Throttled(slow, pytest.approx(59.95))


def test_a_refused_request_takes_no_slot_in_any_window() -> None:
    """One full window must not fill the others."""
    windows = SlidingWindows([Limit("all", 2, 60), Limit("write", 1, 60)])
    judged = [windows.judge("me", method, 0) is None for method in ("PUT", "PUT", "PUT", "GET", "GET")]

    assert judged == [True, False, False, True, False]


def test_the_time_scale_shortens_every_window() -> None:
    """A minute passes in three seconds at a scale of twenty."""
    windows = SlidingWindows([Limit("write", 1, 60)], time_scale=20)

    assert [windows.judge("me", "PUT", at) is None for at in (0, 2.9, 3)] == [True, False, True]


@pytest.mark.parametrize(("wait_s", "header"), [(0.01, "1"), (1, "1"), (1.01, "2"), (59.2, "60")])
def test_retry_after_is_whole_seconds_rounded_up(wait_s: float, header: str) -> None:
    """Who waits as told is never too early."""
    assert Throttled(PER_MINUTE, wait_s).retry_after == header


@pytest.mark.parametrize(
    "words", ["write:60", "read:60:60", "all:x:1", "all:0:60", "all:1:0", "all:1:inf", "all:1:nan", ""]
)
def test_a_limit_in_wrong_words_is_refused(words: str) -> None:
    """Scope, count and seconds must all make sense."""
    with pytest.raises(ValueError, match=r"write|positive"):
        Limit.parse(words)


@pytest.mark.parametrize("words", ["write:60:60", "all:1:0.1"])
def test_a_limit_is_written_in_the_words_it_is_read_from(words: str) -> None:
    """The log names a limit as the command line does."""
    assert str(Limit.parse(words)) == words
