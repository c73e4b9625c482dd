"""Whole processes, timed from start to end, or weighed: the memory of a process and of all that it started."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOKS_EVERY_S = 0.02
LONGEST_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Command:
    """The words of one process, and what is done before it starts and after it has ended."""

    words: Sequence[str]
    env: Mapping[str, str]
    exit_code: int = 0
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None
    """Done to what it left, outside of the time."""


class WrongEndError(Exception):
    """A measured process did not end as it should, so its time says nothing."""


def seconds(command: Command) -> float:
    """Wall time from the start of the process to its end."""
    command.before()
    start = time.perf_counter()
    process = _start(command)
    said = process.communicate(timeout=LONGEST_S)[0]
    passed = time.perf_counter() - start
    _judge(command, process.returncode, said)
    command.after()
    return passed


def peak_bytes(command: Command) -> int:
    """The most memory that the process and its children held at one moment, pages that they share counted once."""
    return weighed(command)[1]


def weighed(command: Command, *, looks_every_s: float = LOOKS_EVERY_S) -> tuple[float, int]:
    """Wall time and peak memory of one run; a look at the memory takes time from the process that is looked at."""
    command.before()
    start, most = time.perf_counter(), 0
    process = _start(command)
    while process.poll() is None:
        most = max(most, sum(map(_held, _tree(process.pid))))
        time.sleep(looks_every_s)
    passed = time.perf_counter() - start
    said = process.communicate()[0]
    _judge(command, process.returncode, said)
    return passed, most


@dataclass(frozen=True, slots=True)
class Times:
    """The median of several runs, in seconds: by the clock, and by the processor, which a busy machine changes less."""

    clock: float
    processor: float


def medians(commands: Mapping[str, Command], rounds: int) -> dict[str, Times]:
    """The median time of each, one round after another, so that what else the machine does meets all alike."""
    rounds = at_most(rounds)
    clock: dict[str, list[float]] = {name: [] for name in commands}
    processor: dict[str, list[float]] = {name: [] for name in commands}
    order = list(commands)
    for _ in range(rounds):
        for name in order:
            before = _children_s()
            clock[name].append(seconds(commands[name]))
            processor[name].append(_children_s() - before)
        order = order[1:] + order[:1]
    return {name: Times(statistics.median(clock[name]), statistics.median(processor[name])) for name in commands}


def _children_s() -> float:
    """Processor time of every process that was started here, and of those that it started, and is over."""
    times = os.times()
    return times.children_user + times.children_system


def at_most(rounds: int) -> int:
    """So many rounds, unless `BENCH_ROUNDS` in the environment bounds them, for a first look."""
    return min(rounds, int(os.environ.get("BENCH_ROUNDS", rounds)))


def _start(command: Command) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        list(command.words),
        cwd=ROOT,
        env=dict(command.env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _judge(command: Command, code: int, said: bytes) -> None:
    if code != command.exit_code:
        raise WrongEndError(f"{' '.join(command.words)} ended with {code}: {said.decode(errors='replace')[-2000:]}")


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _held(pid: int) -> int:
    """The proportional share of memory (PSS) of one process; 0 for one that has just ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
