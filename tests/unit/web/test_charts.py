"""The bars of a run: their shares, and the limit above them."""

from sync.web.charts import HIGH, MOST_BARS, WIDE, pace_chart, status_chart


def test_statuses_share_the_width() -> None:
    """As many parts of it as they are of the rows."""
    bars = status_chart({"updated": 3, "invalid": 1})

    assert [(bar.name, bar.x, bar.width) for bar in bars] == [
        ("updated", 0.0, WIDE * 0.75),
        ("invalid", WIDE * 0.75, WIDE * 0.25),
    ]


def test_a_minute_without_updates_is_a_gap() -> None:
    """The time between is there, and the limit is the height of the drawing where no minute is above it."""
    pace = pace_chart([(100, 30), (102, 60)], limit=60)

    assert pace is not None
    assert [bar.value for bar in pace.bars] == [30, 0, 60]
    assert [bar.height for bar in pace.bars] == [HIGH / 2, 0, HIGH]
    assert pace.limit_y == 0


def test_a_long_run_has_no_more_bars_than_can_be_seen() -> None:
    """Days are drawn by groups of minutes, and the limit goes with them."""
    pace = pace_chart([(at, 60) for at in range(10_000)], limit=60)

    assert pace is not None
    assert len(pace.bars) <= MOST_BARS
    assert sum(bar.value for bar in pace.bars) == 600_000
    assert pace_chart([], limit=60) is None
