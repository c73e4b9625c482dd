"""What an unattended set-up hangs on, looked at here: disk, rights, lock, sign-in, clock, allowance, alerts, runs."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Literal, TypeAlias

from sync.adapters.alert_targets import targets_of, tell_all
from sync.adapters.lock import who_holds
from sync.adapters.metrics_file import need_metrics
from sync.adapters.store import Store, open_store
from sync.adapters.store.history import recent_runs
from sync.adapters.store.standing import known_states, known_untold, last_good_run, last_look
from sync.adapters.token_file import TokenFile
from sync.alerts import Event, Known, Message
from sync.bootstrap import open_ledger
from sync.config import Settings
from sync.errors import ConfigError, CourseSyncError, StoppedEarly
from sync.frozen import Frozen
from sync.model import QuotaUse
from sync.ports import Clock
from sync.times import duration, utc

MINUTE_S: Final = 60.0
LEAST_FREE: Final = 200 * 2**20
"""Bytes below which a run's journal and reports may not find room."""
SCARCE: Final = 0.9
"""The part of a window's allowance from which on little is left."""

State: TypeAlias = Literal["ok", "look", "failed", "not tried"]
Look: TypeAlias = "Callable[[], Finding]"


class Finding(Frozen):
    """One thing that `doctor` looked at; only what has failed makes its exit code."""

    what: str
    state: State
    detail: str
    exit_code: int = 0


def look_at_setup(settings: Settings, clock: Clock, *, try_alerts: bool = False) -> Iterator[Finding]:
    """Look at one thing after another; nothing is changed. `try_alerts` sends each alert target a message."""
    yield _tried("disk", lambda: judge_disk(shutil.disk_usage(settings.state_dir).free, settings.state_dir))
    yield _tried("permissions", lambda: judge_rights(_open_to_others(settings), settings.state_dir))
    yield _tried("lock", lambda: _lock(settings.state_dir))
    yield _tried("sign-in kept", lambda: _sign_in(settings, clock))
    with closing(open_store(settings.state_dir, clock)) as store:
        latest = recent_runs(store, at_most=1)
        last_wall = max(filter(None, (last_look(store), *(run.finished_wall for run in latest))), default=None)
        yield judge_clock(clock.wall(), last_wall)
        yield _tried("allowance", lambda: judge_allowance(_quota(store, settings, clock)))
        if settings.metrics_file is not None:
            path = settings.metrics_file
            yield _tried("metrics", lambda: _metrics(path))
        untold = tuple(known_untold(store))
        yield _tried("alerts", lambda: _alerts(settings, clock, untold, try_alerts=try_alerts))
        yield judge_runs(
            clock.wall(),
            last_good=last_good_run(store),
            last_code=latest[0].exit_code if latest else None,
            wrong={subject: known for subject, known in known_states(store).items() if known.event is not None},
        )


def judge_clock(now_wall: float, last_wall: float | None) -> Finding:
    """A clock that went back frees nothing and breaks nothing, but what is logged and told is then wrong."""
    if last_wall is not None and now_wall < last_wall - MINUTE_S:
        behind = duration(last_wall - now_wall)
        return Finding("clock", "look", f"{utc(now_wall)} is {behind} before the last run: was it put back?")
    return Finding("clock", "ok", utc(now_wall))


def judge_disk(free: int, folder: Path) -> Finding:
    """Room for journal and reports."""
    told = f"{free / 2**20:,.0f} MiB free for {folder}"
    if free < LEAST_FREE:
        return Finding("disk", "failed", f"{told}: make room", StoppedEarly.exit_code)
    return Finding("disk", "ok", told)


def judge_rights(open_to_others: Sequence[Path], folder: Path) -> Finding:
    """Customers' texts lie in the state directory."""
    if open_to_others:
        named = ", ".join(map(str, open_to_others[:3]))
        return Finding("permissions", "look", f"open to other users: {named}. chmod -R go= {folder}")
    return Finding("permissions", "ok", f"{folder} is open to its owner alone")


def judge_allowance(use: Sequence[QuotaUse]) -> Finding:
    """What is left of each window."""
    scarce = [each for each in use if each.used >= SCARCE * each.limit]
    if scarce:
        return Finding("allowance", "look", "; ".join(f"{each.window}: {each.used:,} taken" for each in scarce))
    least = min(use, key=lambda each: each.limit - each.used, default=None)
    left = "no limits" if least is None else f"{least.limit - least.used:,} left of {least.window}"
    return Finding("allowance", "ok", left)


def judge_runs(now_wall: float, *, last_good: float | None, last_code: int | None, wrong: dict[str, Known]) -> Finding:
    """When all was last well, and what is wrong now."""
    good = "no run has ended with 0 yet"
    if last_good is not None:
        good = f"the last good run ended {duration(max(0.0, now_wall - last_good))} ago"
    if wrong:
        told = "; ".join(f"{subject}: {known.event} since {utc(known.since_wall)}" for subject, known in wrong.items())
        return Finding("last run", "look", f"{good}; {told}")
    if last_code not in {None, 0}:
        return Finding("last run", "look", f"{good}; the last one ended with {last_code}")
    return Finding("last run", "ok", good)


def _tried(what: str, look: Look) -> Finding:
    try:
        return look()
    except CourseSyncError as error:
        return Finding(what, "failed", str(error), error.exit_code)
    except OSError as error:
        return Finding(what, "failed", f"it cannot be looked at: {error.strerror}", ConfigError.exit_code)


def _open_to_others(settings: Settings) -> list[Path]:
    if os.name != "posix":
        return []
    paths = [settings.state_dir, *sorted(settings.state_dir.glob("*"))]
    return [path for path in paths if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077]


def _lock(state_dir: Path) -> Finding:
    holder = who_holds(state_dir / "run.lock")
    return Finding("lock", "ok", "free" if holder is None else f"a run is at work: {holder}")


def _sign_in(settings: Settings, clock: Clock) -> Finding:
    if settings.token is not None:
        return Finding("sign-in kept", "ok", "a ready token; when it ends is not known here")
    stored = TokenFile(settings.state_dir).load()
    if stored is None:
        return Finding("sign-in kept", "not tried", "none is kept; each run signs in with the password")
    left_s = stored.expires_at - clock.wall()
    age = duration(max(0.0, stored.lifetime_s - left_s))
    if left_s <= 0 and stored.refresh_token is None and settings.password is None:
        return Finding("sign-in kept", "failed", "it has ended: coursesync login", ConfigError.exit_code)
    left = f"good for {duration(left_s)}" if left_s > 0 else "ended"
    return Finding("sign-in kept", "ok", f"{age} old, {left}, renewed by the runs")


def _quota(store: Store, settings: Settings, clock: Clock) -> tuple[QuotaUse, ...]:
    return open_ledger(store, settings, clock).use(clock.boot())


def _metrics(path: Path) -> Finding:
    need_metrics()
    if not os.access(path.parent, os.W_OK):
        raise ConfigError(f"{path.parent} cannot be written to.", remedy="Make it, or mend its permissions.")
    return Finding("metrics", "ok", str(path))


def _alerts(settings: Settings, clock: Clock, untold: Sequence[str], *, try_alerts: bool) -> Finding:
    targets = targets_of(
        settings.alerts, alert_targets=settings.alert_targets, webhook_secret=settings.webhook_secret, wall=clock.wall
    )
    if not targets:
        return Finding("alerts", "not tried", "no target: set COURSESYNC_ALERT_TARGETS_FILE, or [alerts] webhook")
    if untold and not try_alerts:
        waiting = f"{len(untold)} not delivered yet: {', '.join(untold[:3])}"
        return Finding("alerts", "look", f"{waiting}. Is a target dead? `doctor --try-alerts` sends each a message")
    if not try_alerts:
        return Finding("alerts", "ok", f"{len(targets)} to tell; `doctor --try-alerts` sends each a message")
    title = f"coursesync {settings.profile}: a message to try this target, sent by doctor"
    message = Message(Event.RECOVERED, "info", settings.profile, "doctor", title, ("Nothing has happened.",))
    taken = tell_all(message, targets, timeout_s=settings.alerts.timeout_s)
    dead = [name for name, took_it in taken if not took_it]
    if dead:
        return Finding("alerts", "failed", f"not delivered: {', '.join(dead)}", ConfigError.exit_code)
    return Finding("alerts", "ok", f"{len(taken)} took a message")
