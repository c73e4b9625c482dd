"""Who is asked before anything is sent, is told what happens, and may end a run early."""

from collections.abc import Callable

from sync.frozen import Frozen, field
from sync.jobs.proposals import Proposal
from sync.jobs.sheets import Preview
from sync.model import RunFacts
from sync.ports import Events, StopAsked


class PickUp(Frozen):
    """An unfinished run of the very same sheet, which is gone on with instead of beginning anew."""

    facts: RunFacts
    rows_left: int


Question = Preview | PickUp | Proposal
"""What a person is asked to approve before anything is sent."""


class Watch(Frozen):
    """Who is asked, told, and may end a run."""

    events: Events
    stop_asked: StopAsked
    confirm: Callable[[Question], bool] = field(default=lambda _: True)
