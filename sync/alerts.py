"""Which change of state is worth a message, and what the message says. Pure.

A subject is what can be well or not: the `account` (can we get through to it?) and each sheet by its name. A trouble is
told once, when it begins or becomes another one, and once more when it is over. What was never told has no end either.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from sync.errors import (
    CourseSyncError,
    HeldRun,
    HourHasCome,
    InputError,
    Interrupted,
    LockHeld,
    PlanRefused,
    SignInError,
    SignInLost,
    StoppedEarly,
)
from sync.frozen import Frozen, field, replace
from sync.model import NEEDS_ATTENTION, Outcome, RunReport
from sync.report import counts, messages
from sync.section import Json

AlertSeverity: TypeAlias = Literal["info", "warning", "error"]

SEVERITIES: Final[tuple[AlertSeverity, ...]] = ("info", "warning", "error")
"""From the lightest to the gravest."""
EXAMPLES_SHOWN: Final = 3
EXAMPLE_MAX: Final = 160
ACCOUNT: Final = "account"


class Event(StrEnum):
    """What there is to tell."""

    REFUSED = "refused"
    """A sheet was refused; nothing was sent."""
    HELD = "held"
    """A rail holds a run, or it awaits approval; nothing was sent."""
    ATTENTION = "attention"
    """A run ended, and more of its rows need attention than the profile's share."""
    LEFT = "left"
    """A file in the drop folder is not taken, and waits for somebody."""
    STOPPED = "stopped"
    """A run stopped early, or could not be begun: outage, allowance, a full disk."""
    SIGN_IN_LOST = "sign_in_lost"
    BROKEN = "broken"
    """A wrong setting, or an error of the program's own."""
    RECOVERED = "recovered"


SEVERITY: Final[dict[Event, AlertSeverity]] = {
    Event.REFUSED: "error",
    Event.HELD: "warning",
    Event.ATTENTION: "warning",
    Event.LEFT: "warning",
    Event.STOPPED: "warning",
    Event.SIGN_IN_LOST: "error",
    Event.BROKEN: "error",
    Event.RECOVERED: "info",
}


class AlertSettings(Frozen):
    """What a profile wants to be told."""

    events: frozenset[Event] = frozenset(Event)
    severity: AlertSeverity = "info"
    """The lightest that is told."""
    attention_share: float = 0.0
    """Rows that need attention, as a share of the sheet's rows, above which it is told."""
    webhook: str | None = None
    """Gets each message as signed JSON."""
    timeout_s: float = 10.0
    """So long all targets together may take."""

    def wants(self, event: Event) -> bool:
        """Whether this kind of message is told at all."""
        return event in self.events and SEVERITIES.index(SEVERITY[event]) >= SEVERITIES.index(self.severity)


class Seen(Frozen):
    """How a subject stood at the end of a run."""

    subject: str
    event: Event | None
    """`None` where all is well."""
    mark: str = ""
    """Tells one trouble from another of the same kind."""
    reason: str = ""
    command: str = ""
    """The next command."""
    run_id: str | None = None
    rows: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    examples: tuple[str, ...] = ()


class Known(Frozen):
    """How a subject stood when it was last looked at."""

    event: Event | None
    mark: str
    since_wall: float
    told: bool
    """Whether a target took the message of this trouble."""


WELL: Final = Known(None, "", 0.0, told=False)


class Message(Frozen):
    """One message, for people and for programs."""

    event: Event
    severity: AlertSeverity
    profile: str
    subject: str
    title: str
    lines: tuple[str, ...]
    facts: dict[str, Json] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """The text below the title."""
        return "\n".join(self.lines)

    @property
    def object(self) -> dict[str, Json]:
        """What a webhook gets."""
        return {
            "event": self.event.value,
            "severity": self.severity,
            "profile": self.profile,
            "subject": self.subject,
            "title": self.title,
            "text": self.body,
            **self.facts,
        }


class Untold(Frozen):
    """A message that no target took, and what is to be remembered of its subject once one takes it."""

    message: Message
    delivered: Known


class Step(Frozen):
    """What a look at one subject leads to."""

    message: Message | None
    delivered: Known
    """What to remember when the message got through, or where there is none."""
    undelivered: Known
    """What to remember when no target took it: it is told again after the next run."""


def decide(known: Known, seen: Seen, settings: AlertSettings, *, profile: str, at_wall: float) -> Step:
    """Tell whether what was seen is news, and what is to be remembered of it."""
    if seen.event is None:
        well = Known(None, "", at_wall if known.event is not None else known.since_wall, told=False)
        if known.event is None or not known.told or not settings.wants(Event.RECOVERED):
            return Step(None, well, well)
        return Step(_message(Event.RECOVERED, seen, profile, after=known.event), well, known)
    same = known.event is seen.event and known.mark == seen.mark
    now = known if same else Known(seen.event, seen.mark, at_wall, told=False)
    if now.told or not settings.wants(seen.event):
        return Step(None, now, now)
    return Step(_message(seen.event, seen, profile, after=None), replace(now, told=True), now)


_TITLES: Final[dict[Event, str]] = {
    Event.REFUSED: "{subject} was refused",
    Event.HELD: "{subject} is held, nothing was sent",
    Event.ATTENTION: "rows of {subject} need attention",
    Event.LEFT: "{subject} is left in the drop folder",
    Event.STOPPED: "stopped early",
    Event.SIGN_IN_LOST: "the sign-in is lost",
    Event.BROKEN: "a run failed",
    Event.RECOVERED: "{subject} is well again",
}


def _message(event: Event, seen: Seen, profile: str, *, after: Event | None) -> Message:
    subject = "the account" if seen.subject == ACCOUNT else seen.subject
    title = f"coursesync {profile}: " + _TITLES[event].format(subject=subject)
    told = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in seen.counts)
    lines = (
        seen.reason,
        f"It was: {after.value.replace('_', ' ')}." if after is not None else "",
        f"{seen.rows:,} rows: {told}." if told else "",
        *(f"  {example}" for example in seen.examples),
        f"Next: {seen.command}" if seen.command else "",
    )
    facts: dict[str, Json] = {
        "reason": seen.reason,
        "was": None if after is None else after.value,
        "run_id": seen.run_id,
        "rows": seen.rows,
        "counts": dict(seen.counts),
        "examples": list(seen.examples),
        "next": seen.command,
    }
    return Message(event, SEVERITY[event], profile, seen.subject, title, tuple(filter(None, lines)), facts)


def of_report(
    report: RunReport, settings: AlertSettings, *, sheet: str, reason: str, command: str, held: Sequence[str] = ()
) -> tuple[Seen, ...]:
    """What a report that a run, or a plan that was held, left says about its sheet and about the account.

    `held` are the rows that a rail names; without any, those that need attention are the examples.
    """
    facts = _facts(report)
    well = Seen(ACCOUNT, None, run_id=report.run_id)
    match report.exit_code:
        case 0:
            return (well, replace(facts, subject=sheet, event=None, examples=()))
        case 3:
            return (replace(facts, subject=sheet, event=Event.REFUSED, mark=report.input.sha256, reason=reason),)
        case 4:
            needing = [outcome for outcome in report.outcomes if outcome.status in NEEDS_ATTENTION]
            if len(needing) <= settings.attention_share * len(report.outcomes):
                return (well, replace(facts, subject=sheet, event=None))
            mark = ",".join(sorted(f"{outcome.label.id}={outcome.status}" for outcome in needing))
            event = Event.ATTENTION
            return (well, replace(facts, subject=sheet, event=event, mark=mark, reason=reason, command=command))
        case 6:
            mark = f"{report.input.sha256} {report.plan_hash or ''}"
            examples = tuple(map(_short, held[:EXAMPLES_SHOWN])) or facts.examples
            facts = replace(facts, subject=sheet, event=Event.HELD, mark=mark, examples=examples)
            return (well, replace(facts, reason=reason, command=command))
        case _:
            return ()


def of_error(error: BaseException, *, sheet: str, sha256: str = "", command: str = "") -> tuple[Seen, ...]:
    """What an error that ended a command says; nothing where it was asked for, or another run is at work."""
    reason = " ".join(str(error).split())
    match error:
        case LockHeld() | Interrupted() | HourHasCome() | KeyboardInterrupt() | SystemExit():
            return ()
        case SignInError() | SignInLost():
            return (Seen(ACCOUNT, Event.SIGN_IN_LOST, "", reason, command),)
        case StoppedEarly():
            return (Seen(ACCOUNT, Event.STOPPED, type(error).__name__, reason, command),)
        case InputError() | PlanRefused():
            return (Seen(sheet, Event.REFUSED, sha256 or reason, reason, command),)
        case HeldRun():
            return (Seen(sheet, Event.HELD, sha256 or reason, reason, command),)
        case CourseSyncError():
            return (Seen(ACCOUNT, Event.BROKEN, type(error).__name__, reason, command),)
        case _:
            words = f"Internal error: {type(error).__name__}."
            return (Seen(ACCOUNT, Event.BROKEN, type(error).__name__, words, command),)


def _facts(report: RunReport) -> Seen:
    told = tuple((status.value, number) for status, number in counts(report.outcomes).items() if number)
    needing = (outcome for outcome in report.outcomes if outcome.status in NEEDS_ATTENTION)
    examples = tuple(_example(outcome) for outcome, _ in zip(needing, range(EXAMPLES_SHOWN), strict=False))
    return Seen("", None, run_id=report.run_id, rows=report.input.rows, counts=told, examples=examples)


def _example(outcome: Outcome) -> str:
    return _short(f"row {outcome.row} · {outcome.label.id} · {outcome.status}: {messages(outcome)}")


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= EXAMPLE_MAX else f"{words[: EXAMPLE_MAX - 1]}…"


class Only(Frozen):
    """An address with the words (events, severities) that it is for; without any, for all."""

    address: str
    words: frozenset[str] = frozenset()

    def takes(self, message: Message) -> bool:
        """Whether this message goes there."""
        return not self.words or bool(self.words & {message.event.value, message.severity})


def addresses(text: str) -> tuple[Only, ...]:
    """Read alert addresses: white space between them, each as `address` or `error,held=address`.

    Raises:
        ValueError: a word before the address is neither an event nor a severity; the text names the word alone.
    """
    return tuple(_address(each) for each in text.split())


def _address(text: str) -> Only:
    before, sign, address = text.partition("=")
    if not sign or "://" in before or "?" in before:
        return Only(text)
    words = frozenset(before.split(","))
    for word in sorted(words):
        if word not in (*Event, *SEVERITIES):
            raise ValueError(word)
    return Only(address, words)


def gravest(codes: Sequence[int]) -> int:
    """The exit code of several files: the gravest of theirs, in the contract's order; 0 where there is none."""
    order = (1, 5, 6, 4, 3)
    return next((code for code in order if code in codes), 0)
