"""Wrong runs: exceptions grouped by what the caller can do. Wrong rows are data (`model.Issue`).

CourseSyncError            every error of ours; carries the exit code and the next step
├── ConfigError       (2)  a setting, an option, a certificate, a wrong address: mend it and start again
├── SignInError       (2)  the server did not take the token or the password at the start
├── InputError        (3)  the sheet cannot be read, or its headings cannot be told: mend the sheet
├── StoppedEarly      (5)  quota, throttle, outage, lost sign-in, incomplete read: `resume` goes on
├── HeldRun           (6)  a rail, or a missing approval, holds the run: nothing was sent
├── PlanRefused       (7)  the saved plan was edited, has expired or belongs elsewhere
├── LockHeld          (8)  another run of this profile is at work
├── Interrupted (130/143)  a signal asked the run to end: `resume` goes on
└── InternalError     (1)  a promise of ours does not hold: report it
"""

from typing import Final

AGAIN: Final = "Give the same command again."
"""The remedy where it may be that no run has begun: then there is nothing to resume; one that has is picked up."""


class CourseSyncError(Exception):
    """Any reason why a run cannot go on, in one sentence, with the remedy in its text."""

    exit_code: int = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        """Keep the sentence and the next step apart, so that both a person and a machine can use them."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """The sentence, then the next step."""
        return f"{self.message} {self.remedy}".strip()


class InternalError(CourseSyncError):
    """A promise of this program does not hold."""


class ConfigError(CourseSyncError):
    """A setting, option, certificate or address is wrong."""

    exit_code = 2


class SignInError(ConfigError):
    """The server refused the sign-in at the start; nothing was sent."""


class InputError(CourseSyncError):
    """The sheet is refused as a whole; nothing was sent."""

    exit_code = 3

    def __init__(self, message: str, *, code: str, remedy: str = "") -> None:
        """Carry the stable dotted `code` of the refusal beside its sentence."""
        super().__init__(message, remedy=remedy)
        self.code = code


class StoppedEarly(CourseSyncError):  # noqa: N818 - it is no failure: the run can go on
    """The run stopped before its end, or could not be reached, and can be resumed."""

    exit_code = 5


class OutOfAllowance(StoppedEarly):
    """The allowance of a window is used up, and its renewal is further off than the run waits."""

    def __init__(self, message: str, *, wait_s: float, remedy: str = "") -> None:
        """Carry how many seconds from now the allowance is renewed."""
        super().__init__(message, remedy=remedy)
        self.wait_s = wait_s


class SignInLost(StoppedEarly):
    """The server no longer accepts the sign-in that the run began with."""


class StoreNotWritten(StoppedEarly):
    """The store's disk is full or fails, or another process keeps the store for itself."""


class CanaryStopped(StoppedEarly):
    """Rows of the canary did not go well: to go on, or to take them back, is for the operator to say."""


class HourHasCome(StoppedEarly):
    """The hour at which the operator wanted the run to stop."""


class HeldRun(CourseSyncError):  # noqa: N818 - a rail did its work
    """A rail holds the run, or nobody has approved it; nothing was sent."""

    exit_code = 6


class PlanRefused(CourseSyncError):  # noqa: N818 - the plan is at fault, not the program
    """The saved plan was edited, has expired or belongs to another account; nothing was sent."""

    exit_code = 7


class LockHeld(CourseSyncError):  # noqa: N818 - an orderly state
    """Another run of the same profile is at work."""

    exit_code = 8


class Interrupted(CourseSyncError):  # noqa: N818 - asked for by a person or the system
    """A signal asked the run to end; what was in flight is settled or open in the journal."""

    def __init__(self, message: str, *, signal_number: int, remedy: str = "") -> None:
        """Carry the number of the signal, from which the exit code follows (128 + number)."""
        super().__init__(message, remedy=remedy)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number
