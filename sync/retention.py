"""How long the contents of runs are kept, and what is old enough to go. Pure; the deeds are `jobs/purging.py`'s.

Nothing of a run that can still be resumed is ever old enough.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from sync.alerts import ACCOUNT, Known
from sync.frozen import Frozen
from sync.model import RunFacts, RunId

DAY_S: Final = 86_400.0
STRAY_AFTER_S: Final = DAY_S
"""A report that no run knows may be being written: so old it is not."""


class Kept(StrEnum):
    """What a run leaves behind that holds customers' texts."""

    UPLOAD = "upload"
    """The kept copy of its sheet."""
    BEFORE_IMAGES = "before_images"
    """The records as they were before each update, and what changed: `undo` needs them."""
    REPORT = "report"
    """The report's files, and the texts in the journal from which `report` would write them again."""


class Retention(Frozen):
    """Days that each kind is kept after its run ended."""

    uploads_days: float = 90.0
    before_images_days: float = 90.0
    reports_days: float = 90.0

    def days(self, kind: Kept) -> float:
        """How long this kind is kept."""
        match kind:
            case Kept.UPLOAD:
                return self.uploads_days
            case Kept.BEFORE_IMAGES:
                return self.before_images_days
            case Kept.REPORT:
                return self.reports_days


class Old(Frozen):
    """One kind of one run that is to go."""

    run: RunFacts
    kind: Kept


def old_enough(
    runs: Iterable[RunFacts],
    retention: Retention,
    *,
    now_wall: float,
    gone: Mapping[RunId, frozenset[Kept]],
    only: RunId | None = None,
) -> tuple[Old, ...]:
    """What is to go, oldest run first; `gone` has what went before.

    `only` names a run of which everything goes, however young. The copy of a sheet stays while another run that keeps
    its own still points at it.
    """
    everything = sorted(runs, key=lambda run: (run.started_wall, run.run_id))
    due = [
        Old(run, kind)
        for run in everything
        for kind in Kept
        if kind not in gone.get(run.run_id, frozenset())
        and is_over(run)
        and (run.run_id == only if only is not None else _age_s(run, now_wall) > retention.days(kind) * DAY_S)
    ]
    uploads = {old.run.run_id for old in due if old.kind is Kept.UPLOAD}
    in_use = {
        run.input_copy
        for run in everything
        if run.run_id not in uploads and Kept.UPLOAD not in gone.get(run.run_id, frozenset())
    }
    return tuple(old for old in due if old.kind is not Kept.UPLOAD or old.run.input_copy not in in_use)


def forgotten_states(states: Mapping[str, Known], retention: Retention, *, now_wall: float) -> tuple[str, ...]:
    """Sheets that stand as they did longer ago than reports are kept; how the account stands is never forgotten.

    Where each night's sheet has a name of its own, nothing else ends the trouble of one that was dealt with.
    """
    before_wall = now_wall - retention.reports_days * DAY_S
    return tuple(subject for subject, known in states.items() if subject != ACCOUNT and known.since_wall < before_wall)


def is_over(run: RunFacts) -> bool:
    """Whether the run has ended for good: nothing of one that can be resumed may go."""
    return run.state == "finished"


def _age_s(run: RunFacts, now_wall: float) -> float:
    ended = run.finished_wall if run.finished_wall is not None else run.started_wall
    return now_wall - ended
