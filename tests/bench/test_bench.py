"""Figures, not judgements: each prints a row of the table in the README. Run them with `make bench`."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.windows import Limit, Scope, least_makespan_s
from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_LIMITS = (
    Limit(Scope.WRITE, 60, 60),
    Limit(Scope.ALL, 1, 0.1),
    Limit(Scope.ALL, 120, 60),
)

pytestmark = pytest.mark.bench


def _median_s(act: Callable[[], object], runs: int) -> float:
    act()
    times: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _process(*words: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, check=False, timeout=300)


def test_help_opens_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """`coursesync --help` as a whole process, beside a bare interpreter."""
    help_s = _median_s(lambda: _process("-m", "sync", "--help"), 9)
    bare_s = _median_s(lambda: _process("-c", "pass"), 9)

    with capsys.disabled():
        print(f"\n| `coursesync --help` | {help_s:.3f} s, {help_s / bare_s:.1f} times a bare interpreter |")


def test_130_rows_under_the_default_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """130 changed rows, 200 ms latency: no throttle answer, and how near the least possible it comes."""
    with SandboxProcess("--latency-ms", "200", seed=ROOT / "sample_data" / "sandbox_seed.json") as sandbox:
        env = os.environ | {
            "COURSESYNC_BASE_URL": sandbox.base_url,
            "COURSESYNC_TOKEN": "sandbox-token",
            "COURSESYNC_STATE_DIR": str(tmp_path / "state"),
        }
        start = time.perf_counter()
        done = _process("-m", "sync", "apply", "sample_data/many_rows_130.xlsx", "--yes", env=env)
        wall_s = time.perf_counter() - start
        puts, log = sandbox.puts(), sandbox.log()

    sent_s = puts[-1]["arrived"] - puts[0]["arrived"]
    least_s = least_makespan_s(DEFAULT_LIMITS, len(puts))
    assert done.returncode == 0
    assert [entry for entry in log if entry["throttled"]] == []
    with capsys.disabled():
        print(
            f"\n| 130 changed rows, default limits, 200 ms latency | {wall_s:.1f} s for the whole process;"
            f" first to last update {sent_s:.1f} s, {sent_s / least_s:.3f} of the least possible {least_s:.1f} s;"
            " no throttle answer |"
        )
