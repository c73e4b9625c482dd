"""Failpoints: nothing happens unless the environment names one, and then the process is gone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sync import failpoints

ROOT = Path(__file__).parents[2]
SCRIPT = """
from sync.failpoints import reach
for name in ("first", "second", "first", "third"):
    reach(name)
    print(name, flush=True)
"""


def passed(failpoint: str) -> tuple[int, list[str]]:
    env = {**os.environ, failpoints.VARIABLE: failpoint}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=20
    )
    return ended.returncode, ended.stdout.split()


@pytest.mark.parametrize(
    ("failpoint", "survived"),
    [("first:1", []), ("first:2", ["first", "second"]), ("*:2", ["first"]), ("*:4", ["first", "second", "first"])],
)
def test_the_process_dies_at_the_point_it_is_told(failpoint: str, survived: list[str]) -> None:
    """By SIGKILL, when the point is reached for the k-th time."""
    assert passed(failpoint) == (-signal.SIGKILL, survived)


@pytest.mark.parametrize("failpoint", ["", "fourth:1", "first:3", "*:5"])
def test_a_point_that_is_not_reached_kills_nothing(failpoint: str) -> None:
    """Nor does an empty variable."""
    assert passed(failpoint) == (0, ["first", "second", "first", "third"])


@pytest.mark.parametrize("failpoint", ["first", "first:", "first:0", "first:-1", ":1", "first:one"])
def test_a_wrong_failpoint_is_refused(failpoint: str) -> None:
    """A test that names its point wrongly must not pass unnoticed."""
    with pytest.raises(ValueError, match="form name:k"):
        failpoints.arm({failpoints.VARIABLE: failpoint})
