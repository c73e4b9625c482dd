"""Times and durations, as people and reports write them."""

import pytest

from sync.times import duration, utc


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
