"""The rails of a command: hold what is planned against them, before anybody is asked and anything is sent."""

from collections.abc import Collection, Container, Sequence

from sync.bootstrap import Session
from sync.errors import HeldRun
from sync.frozen import replace
from sync.model import PlannedRow, RunReport, SectionId
from sync.rails import Judged, judge

NO_IMAGES: frozenset[SectionId] = frozenset()
"""For plans that cannot replace an image, such as an undo."""


def judge_rails(
    session: Session,
    rows: Sequence[PlannedRow],
    *,
    allowed: Collection[str] = (),
    with_image: Container[SectionId] = NO_IMAGES,
) -> Judged:
    """Hold planned rows against the rails of the profile.

    `with_image` has the sections that have an image, by the live records that the plan was made on. Add `issues` of
    what comes back to the facts of the run: by them `history` tells what was lifted.
    """
    return judge(rows, settings=session.settings.rails, allowed=allowed, with_image=with_image)


def held_report(report: RunReport, judged: Judged) -> RunReport:
    """What a plan, or a run that has not begun, reports: where a rail holds it, exit code 6 and why."""
    code = HeldRun.exit_code if judged.held else report.exit_code
    return replace(report, exit_code=code, issues=(*report.issues, *judged.issues))
