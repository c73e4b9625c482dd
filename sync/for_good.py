"""A run that somebody stopped for good: it has ended, whatever of it was not reached, and stays so. Pure.

In the journal it is `finished`, and why it ended says the rest: what was sent stands, the other rows are not attempted.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from sync.model import NEEDS_ATTENTION, Issue, Severity, Source, Status

CODE: Final = "run.stopped_for_good"
"""The code of the note that says so."""
ATTENTION: Final = 4
"""The contract's exit code for a run that has ended with rows that need attention."""


def stopped_for_good(name: str) -> Issue:
    """Why the run has ended; `name` is who wanted it."""
    message = (
        f"{name} stopped the run for good: rows that it had not reached are not attempted, and nothing resumes it."
    )
    return Issue(CODE, message, source=Source.SYNC, severity=Severity.NOTE)


def is_for_good(issues: Iterable[Issue]) -> bool:
    """Whether a run was stopped for good, by the issues of its report."""
    return any(issue.code == CODE for issue in issues)


def exit_code_for_good(present: AbstractSet[Status]) -> int:
    """The exit code of such a run by the statuses of its rows: it has ended, so none of them can be resumed."""
    return ATTENTION if present & NEEDS_ATTENTION else 0
