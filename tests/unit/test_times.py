"""Times and durations, as people and reports write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.times import duration, minute, moment, next_showing, utc

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("wall", "text"),
    [
        pytest.param(0.0, "1970-01-01T00:00:00.000Z", id="epoch"),
        pytest.param(1_772_442_847.25, "2026-03-02T09:14:07.250Z", id="quarter of a second"),
        pytest.param(1_743_296_400.0, "2025-03-30T01:00:00.000Z", id="in the hour that summer time skips"),
        pytest.param(1_709_164_800.0, "2024-02-29T00:00:00.000Z", id="leap day"),
    ],
)
def test_a_time_is_written_in_utc_to_the_millisecond(wall: float, text: str) -> None:
    """Always of one width, so that texts sort as times do; the machine's time zone plays no part."""
    assert utc(wall) == text


def test_what_has_happened_is_never_dated_ahead() -> None:
    """A moment is shown by the minute that it was in; what is to come, by the minute that is then over."""
    wall = 1_772_442_847.25

    assert moment(wall) == "2026-03-02 09:14 UTC"
    assert minute(wall) == "2026-03-02 09:15 UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0, "0 s", id="nothing"),
        pytest.param(0.001, "1 s", id="hardly anything"),
        pytest.param(45, "45 s", id="seconds"),
        pytest.param(45.2, "46 s", id="seconds rounded up"),
        pytest.param(119, "119 s", id="last of the seconds"),
        pytest.param(119.5, "2 min", id="rounded up into minutes"),
        pytest.param(120, "2 min", id="first of the minutes"),
        pytest.param(121, "3 min", id="minutes rounded up"),
        pytest.param(119 * 60, "119 min", id="last of the minutes"),
        pytest.param(2 * 3600, "2 h", id="first of the hours"),
        pytest.param(2 * 3600 + 1, "2 h 1 min", id="hours and minutes, rounded up"),
        pytest.param(3 * 3600 + 20 * 60, "3 h 20 min", id="hours and minutes"),
        pytest.param(47 * 3600 + 59 * 60, "47 h 59 min", id="last of the hours"),
        pytest.param(48 * 3600, "2 days", id="first of the days"),
        pytest.param(48 * 3600 + 60, "3 days", id="days rounded up from a minute"),
        pytest.param(49 * 3600, "3 days", id="days rounded up from an hour"),
        pytest.param(20 * 86_400, "20 days", id="days"),
        pytest.param(9_999_999_999, "115741 days", id="a Retry-After of centuries"),
    ],
)
def test_a_duration_is_said_as_a_person_says_it(seconds: float, text: str) -> None:
    """Rounded up to the unit shown: what is promised is never shorter than what it takes."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("now", "time", "moment"),
    [
        pytest.param("2026-03-02T05:00Z", (6, 30), "2026-03-02T05:30Z", id="today"),
        pytest.param("2026-03-02T05:30Z", (6, 30), "2026-03-03T05:30Z", id="at that very time: tomorrow"),
        pytest.param("2026-03-28T19:00Z", (6, 0), "2026-03-29T04:00Z", id="over the switch to summer time"),
        pytest.param("2026-10-24T18:00Z", (6, 0), "2026-10-25T05:00Z", id="over the switch to winter time"),
        pytest.param("2026-03-29T00:10Z", (2, 30), "2026-03-29T01:30Z", id="left out: an hour later"),
        pytest.param("2026-10-25T00:10Z", (2, 30), "2026-10-25T00:30Z", id="the first of two"),
        pytest.param("2026-10-25T00:40Z", (2, 30), "2026-10-25T01:30Z", id="the second of two"),
        pytest.param("2026-10-25T01:40Z", (2, 30), "2026-10-26T01:30Z", id="after both"),
    ],
)
def test_an_hour_to_stop_at_is_what_the_clock_on_the_wall_shows(now: str, time: tuple[int, int], moment: str) -> None:
    """F11: over both switches of a year; a span of hours counted from now would be an hour off."""
    assert next_showing(*time, now=datetime.fromisoformat(now), zone=BERLIN) == datetime.fromisoformat(moment)


@given(st.integers(0, 366 * 24 * 60), st.integers(0, 23), st.integers(0, 59))
def test_the_next_showing_is_ahead_and_shown(minutes: int, hour: int, minute: int) -> None:
    """At most a day and an hour ahead, and the clock then shows that time, or an hour more where it is left out."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    moment = next_showing(hour, minute, now=now, zone=BERLIN)
    shown = moment.astimezone(BERLIN)

    assert timedelta(0) < moment - now <= timedelta(days=1) + HOUR
    assert (shown.hour, shown.minute) == (hour, minute) or (shown.month, shown.hour) == (3, hour + 1)


def test_a_time_that_no_clock_shows_is_refused() -> None:
    """No guess at what is meant."""
    with pytest.raises(ValueError, match="hour"):
        next_showing(24, 0, now=datetime(2026, 1, 1, tzinfo=UTC))
