"""Times and durations as people and reports write them. Pure."""

from datetime import UTC, datetime, timedelta, tzinfo


def utc(wall: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC, to the millisecond: `2026-03-02T09:14:07.250Z`."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def minute(wall: float) -> str:
    """The same to the minute, as a person reads it: `2026-03-02 09:15 UTC`; the minute that is then over."""
    return f"{datetime.fromtimestamp(-(-wall // 60) * 60, UTC):%Y-%m-%d %H:%M} UTC"


def moment(wall: float) -> str:
    """When something happened, as a person reads it: `2026-03-02 09:14 UTC`, the minute that it was in."""
    return f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%d %H:%M} UTC"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `2 days`: as a person says it, rounded up to the unit shown."""
    whole = int(seconds) + (seconds > int(seconds))
    if whole < 120:  # noqa: PLR2004 - two minutes are still said in seconds
        return f"{whole} s"
    minutes = -(-whole // 60)
    if minutes < 120:  # noqa: PLR2004 - two hours are still said in minutes
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004 - two days are still said in hours
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{-(-minutes // 1440)} days"


def next_showing(hour: int, minute: int, *, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The first moment after `now` at which a clock in `zone` shows this time, in UTC; this machine's zone if `None`.

    Where clocks are put back, a time comes twice, and both count. Where they are put forward, a time that is left out
    comes as much later as they are put forward.

    Raises:
        ValueError: it is no time of day.
    """
    today = now.astimezone(zone).replace(tzinfo=None, fold=0)
    moments: list[datetime] = []
    for day in (0, 1):
        shown = (today + timedelta(days=day)).replace(hour=hour, minute=minute, second=0, microsecond=0)
        first, second = (_in_utc(shown.replace(fold=fold), zone) for fold in (0, 1))
        # The second reading of a time that is left out lies before the first, and no clock shows it.
        moments += [first, max(first, second)]
    return min(moment for moment in moments if moment > now)


def _in_utc(shown: datetime, zone: tzinfo | None) -> datetime:
    return (shown.astimezone() if zone is None else shown.replace(tzinfo=zone)).astimezone(UTC)
