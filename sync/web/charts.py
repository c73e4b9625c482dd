"""Figures as bars: how many rows of each status, how many updates in each minute. Pure; the template draws them."""

from collections.abc import Mapping, Sequence
from typing import Final

from sync.frozen import Frozen

WIDE: Final = 600
HIGH: Final = 100
MOST_BARS: Final = 60
"""Minutes that are drawn one by one; longer runs are drawn by groups of them."""


class Bar(Frozen):
    """One bar, in the units of the drawing."""

    name: str
    value: int
    x: float
    y: float
    width: float
    height: float


class Pace(Frozen):
    """The bars of the updates by minute, and where the limit lies."""

    bars: tuple[Bar, ...]
    limit: int | None
    limit_y: float
    most: int
    minutes: int
    """That one bar stands for."""


def status_chart(counts: Mapping[str, int]) -> tuple[Bar, ...]:
    """One bar a status, beside one another, as wide as their shares."""
    total = sum(counts.values()) or 1
    bars, x = [], 0.0
    for name, value in counts.items():
        width = value * WIDE / total
        bars.append(Bar(name, value, round(x, 1), 0.0, round(width, 1), 24.0))
        x += width
    return tuple(bars)


def pace_chart(pace: Sequence[tuple[int, int]], *, limit: int | None) -> Pace | None:
    """The updates of each minute from the first to the last; `None` where there were none."""
    if not pace:
        return None
    first, last = pace[0][0], pace[-1][0]
    minutes = -(-(last - first + 1) // MOST_BARS)
    groups = [0] * ((last - first) // minutes + 1)
    for minute, count in pace:
        groups[(minute - first) // minutes] += count
    ceiling = limit * minutes if limit is not None else None
    most = max(*groups, ceiling or 0, 1)
    width = WIDE / len(groups)
    bars = tuple(
        Bar(
            str(at * minutes),
            value,
            round(at * width, 1),
            round(HIGH - value * HIGH / most, 1),
            round(max(1.0, width * 0.9), 1),
            round(value * HIGH / most, 1),
        )
        for at, value in enumerate(groups)
    )
    limit_y = HIGH - (ceiling or 0) * HIGH / most
    return Pace(bars, limit, round(limit_y, 1), most, minutes)
