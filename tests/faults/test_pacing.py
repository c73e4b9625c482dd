"""Throttling proven from the server's side: a strict sandbox counts, and never has to say no."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sync.windows import Limit, Scope, least_makespan_s
from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "sample_data" / "sandbox_seed.json"
SHEET = ROOT / "sample_data" / "many_rows_130.xlsx"
ROWS = 130
SCALE = 20
"""The suite's windows are so much shorter than the real ones, and its latencies with them."""


@dataclass(frozen=True)
class Proof:
    """What the server saw of one apply, beside other commands of the same profile."""

    throttled: Sequence[dict[str, Any]]
    puts: int
    makespan_s: float
    least_s: float

    @property
    def ratio(self) -> float:
        """How many times the least possible it took."""
        return self.makespan_s / self.least_s


def limits(scale: int) -> tuple[Limit, ...]:
    """A minute's limits, and the spacing of requests, on a faster clock."""
    return (
        Limit(Scope.WRITE, 60, 60 / scale),
        Limit(Scope.ALL, 120, 60 / scale),
        Limit(Scope.ALL, 1, 0.1 / scale),
    )


def prove(folder: Path, *, scale: int, latency_ms: float, others: Sequence[Sequence[str]] = ()) -> Proof:
    """Run an apply of 130 changed rows, with `others` at the same time and as often as they get round."""
    windows = limits(scale)
    words = [f"{limit.scope.value}:{limit.count}:{limit.seconds:g}" for limit in windows]
    options = [option for word in words for option in ("--limit", word)]
    with SandboxProcess(
        *options, "--latency-ms", f"{latency_ms:g}", "--jitter-ms", f"{latency_ms / 5:g}", seed=SEED
    ) as sandbox:
        profile = _profile(folder, sandbox.base_url, windows)
        started = time.monotonic()
        apply = _start(folder, profile, "apply", str(SHEET), "--yes")
        while apply.poll() is None and time.monotonic() - started < 200:
            for other in others:
                _start(folder, profile, *other).wait(60)
            time.sleep(0.05)
        assert apply.wait(200) == 0
        log = sandbox.log()
        puts = [entry for entry in sandbox.puts() if not entry["throttled"]]
    makespan_s = puts[-1]["arrived"] - puts[0]["arrived"]
    return Proof(
        [entry for entry in log if entry["throttled"]], len(puts), makespan_s, least_makespan_s(windows, len(puts))
    )


def _profile(folder: Path, base_url: str, windows: Sequence[Limit]) -> Path:
    tables = "\n".join(
        f'[[limits]]\nscope = "{limit.scope.value}"\ncount = {limit.count}\nseconds = {limit.seconds:g}'
        for limit in windows
    )
    path = folder / "pacing.toml"
    path.write_text(f'base_url = "{base_url}"\naccount = "pacing"\n{tables}\n')
    return path


def _start(folder: Path, profile: Path, *words: str) -> "subprocess.Popen[bytes]":
    env = os.environ | {"COURSESYNC_TOKEN": "sandbox-token", "COURSESYNC_STATE_DIR": str(folder / "state")}
    output = ["-o", str(folder / "export.csv")] if words[0] == "export" else []
    return subprocess.Popen(
        [sys.executable, "-m", "sync", *words, *output, "--config", str(profile)],
        env=env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _say(capsys: pytest.CaptureFixture[str], what: str, proof: Proof) -> None:
    with capsys.disabled():
        sys.stdout.write(
            f"\n| {what} | {proof.makespan_s:.2f} s | {proof.least_s:.2f} s"
            f" | {proof.ratio:.3f} | {len(proof.throttled)} |\n"
        )


OTHERS = (("plan", str(SHEET)), ("export",), ("doctor",))


@pytest.mark.e2e
@pytest.mark.parametrize("latency_ms", [0, 2.5, 25], ids=["no latency", "50 ms", "500 ms"])
def test_short_windows_are_kept_and_used(tmp_path: Path, latency_ms: float) -> None:
    """Not one throttle answer to an update; how near the least possible it comes is a figure of the long run."""
    proof = prove(tmp_path, scale=SCALE, latency_ms=latency_ms)

    assert proof.puts == ROWS
    assert [entry["window"] for entry in proof.throttled if "60" in str(entry["window"])] == []


@pytest.mark.e2e
def test_other_commands_of_the_profile_count_too(tmp_path: Path) -> None:
    """`plan`, `export` and `doctor` at the same time take their places in the same windows; no row is lost."""
    proof = prove(tmp_path, scale=SCALE, latency_ms=2.5, others=OTHERS)

    assert proof.puts == ROWS


@pytest.mark.soak
@pytest.mark.parametrize("latency_ms", [0, 50, 500])
def test_real_windows_are_kept_and_used(tmp_path: Path, latency_ms: float, capsys: pytest.CaptureFixture[str]) -> None:
    """At 60 a minute, 120 a minute and one in 100 ms: no throttle answer, within 2 % of the least possible."""
    proof = prove(tmp_path, scale=1, latency_ms=latency_ms)

    _say(capsys, f"{latency_ms:g} ms", proof)
    assert proof.puts == ROWS
    assert proof.throttled == []
    assert proof.ratio <= 1.02


@pytest.mark.soak
def test_real_windows_with_other_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same with `plan`, `export` and `doctor` of the profile going round and round."""
    proof = prove(tmp_path, scale=1, latency_ms=50, others=OTHERS)

    _say(capsys, "50 ms, with plan, export and doctor at once", proof)
    assert proof.puts == ROWS
    assert proof.throttled == []
