"""`purge`: what is older than the profile keeps, gone from the disk and from the journal; told before it is done."""

import shutil
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from sync.adapters.dropfolder import DropFolder
from sync.adapters.lock import run_lock
from sync.adapters.store import Store
from sync.adapters.store.history import all_runs, find_run
from sync.adapters.store.purging import forget, give_back_space, what_is_gone
from sync.adapters.store.standing import forget_states, known_states
from sync.config import Settings
from sync.errors import ConfigError
from sync.failpoints import reach
from sync.frozen import Frozen
from sync.jobs.closing import note
from sync.jobs.prepared import old_folders
from sync.model import RunId
from sync.retention import DAY_S, STRAY_AFTER_S, Kept, Old, forgotten_states, is_over, old_enough
from sync.times import utc


class Purge(Frozen):
    """What is to go."""

    old: tuple[Old, ...]
    files: tuple[Path, ...]
    """Kept copies and reports."""
    deliveries: tuple[Path, ...] = ()
    """Folders below a drop folder that were done with long ago."""
    strays: tuple[Path, ...] = ()
    """Reports of plans, of checks and of what a rail held: no run in the journal knows them."""
    forgotten: tuple[str, ...] = ()
    """Sheets whose trouble was told long ago, and of which nothing was heard since."""
    plans: tuple[Path, ...] = ()
    """What was uploaded to the page, with the plans that were made of it."""

    @property
    def no_undo(self) -> tuple[RunId, ...]:
        """Runs that `undo` cannot take back afterwards."""
        return tuple(old.run.run_id for old in self.old if old.kind is Kept.BEFORE_IMAGES and old.run.requests.writes)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is old enough."""
        return not (self.old or self.deliveries or self.strays or self.forgotten or self.plans)

    def lines(self) -> tuple[str, ...]:
        """What is to go, for people."""
        counted = {kind: sum(1 for old in self.old if old.kind is kind) for kind in Kept}
        counted[Kept.REPORT] += len(self.strays)
        names = {Kept.UPLOAD: "sheets", Kept.BEFORE_IMAGES: "runs' before-images", Kept.REPORT: "reports"}
        told = [f"{number:,} {names[kind]}" for kind, number in counted.items() if number]
        if self.deliveries:
            told.append(f"{len(self.deliveries):,} files of the drop folder with their reports")
        if self.plans:
            told.append(f"{len(self.plans):,} uploads to the page with their plans")
        if self.forgotten:
            told.append(f"{len(self.forgotten):,} old troubles")
        lines = [", ".join(told) + "."] if told else ["Nothing is old enough."]
        if self.no_undo:
            lines.append(f"`undo` will not be possible any more for: {', '.join(self.no_undo)}")
        return tuple(lines)


def look_for_old(store: Store, settings: Settings, *, run: str | None, inbox: Path | None) -> Purge:
    """Find what is older than the profile keeps, or all of one run.

    Raises:
        ConfigError: there is no such run, or it can still be resumed.
    """
    only = None if run is None else _named(store, run)
    now = store.clock.wall()
    runs = all_runs(store)
    old = old_enough(runs, settings.keep, now_wall=now, gone=what_is_gone(store), only=only)
    deliveries: Sequence[Path] = ()
    if inbox is not None and only is None:
        deliveries = DropFolder(inbox).old(before_wall=now - settings.keep.uploads_days * DAY_S)
    files = tuple(path for each in old for path in _files(each, settings))
    if only is not None:
        return Purge(old, files)
    longest_s = max(settings.keep.reports_days * DAY_S, settings.plan_good_for_s, STRAY_AFTER_S)
    strays = _strays(settings.state_dir / "reports", {each.run_id for each in runs}, before_wall=now - longest_s)
    forgotten = forgotten_states(known_states(store), settings.keep, now_wall=now)
    plans = old_folders(settings.state_dir, before_wall=now - settings.keep.uploads_days * DAY_S)
    return Purge(old, files, tuple(deliveries), strays, forgotten, plans)


def purge(store: Store, settings: Settings, found: Purge) -> None:
    """Let it go: first from the disk, then from the journal, so that a death in between is made good by the next one.

    Raises:
        LockHeld: a run is at work.
        StoreNotWritten: the disk is full.
    """
    since = utc(store.clock.wall())
    with run_lock(settings.state_dir / "run.lock", since=since, holds="purge"):
        for path in (*found.files, *found.deliveries, *found.strays, *found.plans):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        reach("purge.files_gone")
        by_run: dict[RunId, list[Kept]] = {}
        for old in found.old:
            by_run.setdefault(old.run.run_id, []).append(old.kind)
        for run_id, kinds in by_run.items():
            forget(store, run_id, kinds)
            note(store, "purged", run_id=run_id, what=[kind.value for kind in kinds])
        if found.plans:
            note(store, "purged", plans=[folder.name for folder in found.plans])
        if found.strays:
            note(store, "purged", reports=[folder.name for folder in found.strays])
        if found.forgotten:
            forget_states(store, found.forgotten)
            note(store, "purged", troubles=list(found.forgotten))
        if found.deliveries:
            note(store, "purged", deliveries=[folder.name for folder in found.deliveries])
        give_back_space(store)


def _strays(reports: Path, runs: AbstractSet[str], *, before_wall: float) -> tuple[Path, ...]:
    if not reports.is_dir():
        return ()
    return tuple(
        folder
        for folder in sorted(reports.iterdir())
        if folder.name not in runs and not folder.is_symlink() and folder.stat().st_mtime < before_wall
    )


def _named(store: Store, run: str) -> RunId:
    facts = find_run(store, run)
    if facts is None:
        raise ConfigError(f"There is no run {run!r}.", remedy="See `coursesync history`.")
    if not is_over(facts):
        raise ConfigError(
            f"The run {facts.run_id} can still be resumed, and needs what it keeps.",
            remedy=f"End it first: coursesync resume {facts.run_id}",
        )
    return facts.run_id


def _files(old: Old, settings: Settings) -> tuple[Path, ...]:
    """What lies on the disk, and nowhere but in the state directory."""
    match old.kind:
        case Kept.UPLOAD:
            copy = Path(old.run.input_copy)
            return (copy,) if old.run.input_copy and copy.parent == settings.state_dir / "inputs" else ()
        case Kept.REPORT:
            return (settings.state_dir / "reports" / old.run.run_id,)
        case Kept.BEFORE_IMAGES:
            return ()
