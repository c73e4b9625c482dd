"""What `doctor` makes of an unattended set-up: what has failed, what to look at, and what is well."""

from pathlib import Path

import pytest

from sync.alerts import Event, Known
from sync.jobs.setup import (
    Finding,
    judge_allowance,
    judge_clock,
    judge_disk,
    judge_rights,
    judge_runs,
)
from sync.model import QuotaUse

NOW = 1_772_442_847.0
FOLDER = Path("/state")
DAY = QuotaUse("5000 writes in a day", 4600, 5000)
HOLDS = {"sections.xlsx": Known(Event.HELD, "m", NOW - 60, told=True)}


@pytest.mark.parametrize(
    ("finding", "state", "words"),
    [
        pytest.param(judge_clock(NOW, None), "ok", "2026-03-02", id="clock"),
        pytest.param(judge_clock(NOW, NOW + 30), "ok", "2026-03-02", id="clock-a-little-back"),
        pytest.param(judge_clock(NOW, NOW + 7200), "look", "2 h before the last run", id="clock-put-back"),
        pytest.param(judge_disk(2**30, FOLDER), "ok", "1,024 MiB free", id="disk"),
        pytest.param(judge_disk(2**20, FOLDER), "failed", "1 MiB free for /state: make room", id="disk-full"),
        pytest.param(judge_rights([], FOLDER), "ok", "its owner alone", id="rights"),
        pytest.param(judge_rights([FOLDER], FOLDER), "look", "chmod -R go= /state", id="open-to-others"),
        pytest.param(judge_allowance([]), "ok", "no limits", id="no-limits"),
        pytest.param(judge_allowance([QuotaUse("w", 10, 60)]), "ok", "50 left of w", id="allowance"),
        pytest.param(judge_allowance([DAY]), "look", "4,600 taken", id="little-left"),
        pytest.param(judge_runs(NOW, last_good=None, last_code=None, wrong={}), "ok", "no run has ended", id="new"),
        pytest.param(judge_runs(NOW, last_good=NOW - 3600, last_code=0, wrong={}), "ok", "60 min ago", id="well"),
        pytest.param(judge_runs(NOW, last_good=NOW, last_code=5, wrong={}), "look", "ended with 5", id="stopped"),
        pytest.param(judge_runs(NOW, last_good=NOW, last_code=0, wrong=HOLDS), "look", "held since", id="in-trouble"),
    ],
)
def test_what_is_judged(finding: Finding, state: str, words: str) -> None:
    """Each in one state, with the figure that led to it; only what would stop a run makes an exit code."""
    assert (finding.state, bool(finding.exit_code)) == (state, state == "failed")
    assert words in finding.detail
