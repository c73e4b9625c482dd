"""F12, F13 and F20: a wall clock that is set, a machine that sleeps, a day's allowance that is used up.

No process can move its machine's clock or send it to sleep, so these run in the simulated world (`simulated_profile`),
with the real store, ledger, journal and jobs, and are judged by its own checker; what a process can see of a sleep is a
SIGSTOP, and a window of a few seconds stands for the day.
"""

import signal
import time
from pathlib import Path

import pytest

from sync.windows import Limit, Scope
from tests.faults.desk import Desk
from tests.simulated_profile import Fate, Profile, Told
from tests.simulated_promises import Watcher
from tests.simulated_server import section
from tests.simulation import SimulatedSenders
from tests.world import DOCUMENTED

DAY_S = 86_400.0
ROWS = 62
"""More than leave in the first minute."""


def profile_of(folder: Path, *, rows: int, limits: tuple[Limit, ...] = DOCUMENTED) -> tuple[Profile, Watcher]:
    """A profile with a sheet that changes so many rows, and what watches it."""
    profile = Profile(folder, [section(number) for number in range(1, rows + 1)], limits=limits, in_flight=4)
    watcher = Watcher(profile, {number: dict(record) for number, record in profile.server.records.items()})
    profile.saw = watcher.saw
    profile.write({number: {"Title": f"Asked {number}"} for number in range(1, rows + 1)})
    return profile, watcher


def statuses(told: Told | None) -> list[str]:
    """The status of each row."""
    assert told is not None
    assert told.result is not None, told.error
    return [outcome.status.value for outcome in told.result.report.outcomes]


@pytest.mark.parametrize("seconds", [DAY_S, -DAY_S], ids=["a day on", "a day back"])
@pytest.mark.parametrize("turn", [3, 120])
def test_a_wall_clock_that_is_set_changes_nothing(seconds: float, turn: int, tmp_path: Path) -> None:
    """F12: the run goes on at the same pace to the same end; nothing is throttled, nothing settled too early."""
    (tmp_path / "plain").mkdir()
    plain, _ = profile_of(tmp_path / "plain", rows=ROWS)
    began = plain.now
    assert plain.apply().code == 0
    took_s = plain.now - began

    (tmp_path / "set").mkdir()
    profile, watcher = profile_of(tmp_path / "set", rows=ROWS)
    began = profile.now
    told = profile.apply(Fate(at_turn={turn: lambda _: profile.clock.jump(seconds)}))

    assert (statuses(told), watcher.promises()) == (["updated"] * ROWS, [])
    assert profile.now - began == pytest.approx(took_s)


def test_a_machine_that_sleeps_goes_on_where_it_was(tmp_path: Path) -> None:
    """F13: what was under way is settled, rows read before the sleep are read again, and nothing is sent twice."""
    profile, watcher = profile_of(tmp_path, rows=ROWS)
    torn: list[float] = []

    def sleep(senders: SimulatedSenders) -> None:
        torn.append(profile.now)
        senders.fall_asleep(8 * 3600.0)

    told = profile.apply(Fate(at_turn={60: sleep}))
    (asleep_at,) = torn
    read_before = max(served.at for served in profile.server.reads if served.at <= asleep_at)
    put_after = min(served.sent_at for served in profile.server.puts if served.sent_at > asleep_at)
    read_after = min(served.at for served in profile.server.reads if served.at > asleep_at)

    assert (statuses(told), watcher.promises()) == (["updated"] * ROWS, [])
    assert read_before < asleep_at < read_after < put_after
    assert len(profile.server.effects) == ROWS


def test_a_day_of_allowance_ends_the_run_and_the_next_day_goes_on(tmp_path: Path) -> None:
    """F20: it stops before the server refuses, a restart counts on, and the next day goes on at the next row."""
    profile, watcher = profile_of(tmp_path, rows=10, limits=(Limit(Scope.WRITE, 4, DAY_S),))
    first = profile.apply()
    assert (first.code, statuses(first)) == (5, ["updated"] * 4 + ["not_attempted"] * 6)
    profile.clock.jump(DAY_S)
    assert (told := profile.resume()) is not None
    assert (told.code, len(profile.server.puts)) == (5, 4), "a clock that is set frees nothing"
    profile.clock.sleep(DAY_S + 10.0)
    assert statuses(profile.resume()) == ["updated"] * 8 + ["not_attempted"] * 2
    profile.clock.sleep(DAY_S + 10.0)
    last = profile.resume()

    assert last is not None
    assert (last.code, statuses(last), watcher.promises()) == (0, ["updated"] * 10, [])
    assert profile.server.throttled == []


@pytest.mark.e2e
def test_a_short_day_of_allowance_is_kept_by_processes(desk: Desk) -> None:
    """F20, for real: a window of five seconds stands for the day; three commands, no throttle answer."""
    day = {"scope": "write", "count": 3, "seconds": 5}
    desk.profile(limits=[day], wait_max_s=1)
    desk.sandbox.options(limits=["write:3:5"])
    desk.rename(5)
    first = desk.apply()
    assert (first.code, desk.statuses()) == (5, ["updated"] * 3 + ["not_attempted"] * 2), first
    again = desk.resume()
    assert (again.code, len(desk.sandbox.puts())) == (5, 3), again
    time.sleep(5.0)
    last = desk.resume()

    assert (last.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 5, []), last
    assert not any(entry["throttled"] for entry in desk.sandbox.log())


@pytest.mark.e2e
def test_a_process_that_stood_still_finds_its_connections_again(desk: Desk) -> None:
    """F13, as far as a process sees it: stopped for longer than any time-out, it ends as if nothing had been."""
    desk.profile(in_flight=2, timeout_s=1)
    desk.sandbox.options(latency_ms=100)
    desk.rename(8)
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(3)
    running.signal(signal.SIGSTOP)
    time.sleep(3.0)
    running.signal(signal.SIGCONT)
    ended = desk.note(running.ended())

    assert (ended.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), ended
    assert sum(entry["applied"] for entry in desk.sandbox.puts()) == 8
