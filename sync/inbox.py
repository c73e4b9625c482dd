"""Which files of a drop folder are finished and ours to take, and where each goes afterwards. Pure.

A file is finished when two looks, some seconds apart, show the same file of the same size and time, nothing beside it
says that it is open, and it is whole as far as its kind can tell. Everything else waits, or is left alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from shlex import quote
from typing import Final, TypeAlias, assert_never
from unicodedata import category

from sync.frozen import Frozen


class Place(StrEnum):
    """The folders beside the files that are dropped."""

    WORK = "work"
    """Taken, and not done with: a run that stopped goes on from here."""
    DONE = "done"
    ATTENTION = "attention"
    REFUSED = "refused"
    APPROVAL = "approval"
    """Held by a rail until `approve`."""


class InboxSettings(Frozen):
    """What a profile says about drop folders."""

    settled_s: float = 5.0
    """Between the two looks."""
    incomplete_s: float = 900.0
    """So long a file that is not whole may lie unchanged; then it is taken, and refused with the reason."""
    approval_hours: float = 72.0
    """So long an approval holds."""


OPEN_FOR_LONG_S: Final = 86_400.0
"""A file that a program has had open for so long is told: a crash may have left its lock."""
STARTS_MOST: Final = 3
"""So often in a row the program may die over one file; then the file is put aside."""


class Sight(Frozen):
    """One entry of the folder, as one look shows it."""

    name: str
    is_file: bool
    """A regular file; no folder, link, socket."""
    size: int
    modified_s: float
    fingerprint: tuple[int, ...]
    """Changes when the file is written or replaced: device, inode, size, times of content and of status."""
    whole: bool = True
    """False where its kind has an end that is not there yet, or it is empty."""
    unchanged_s: float = 0.0
    """How long ago it was last written or moved here; below 0 where the clock has gone back."""


class Take(Frozen):
    """A finished file."""

    sight: Sight


class Wait(Frozen):
    """A file that is not finished, as far as can be told."""

    sight: Sight
    reason: str


class Leave(Frozen):
    """An entry that is none of ours."""

    sight: Sight
    reason: str


Verdict: TypeAlias = Take | Wait | Leave

_TEMPORARY: Final = re.compile(
    r"\A(?:\..*|~\$.*|~.*\.tmp|.*~|.*\.(?:tmp|temp|part|partial|filepart|crdownload|download|swp|swx|lock|lck|!sync|icloud)"
    r"|desktop\.ini|thumbs\.db|.*\.goutputstream-.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
"""Lock and temporary files: hidden ones, Excel's, LibreOffice's, editors', browsers' and sync clients'."""
_CONFLICTED: Final = re.compile(
    r"\((?:[^()]*'s )?(?:conflicted copy|case conflict)[^()]*\)|\.sync-conflict-\d{8}-\d{6}|_conflict-\d{8}-\d{6}",
    re.IGNORECASE,
)
"""What sync clients call a file that two people changed at once."""
_ACTS: Final = frozenset({"Cc", "Zl", "Zp"})
"""Kinds of characters that end a line or speak to a terminal."""


def sort_out(first: Sequence[Sight], second: Sequence[Sight], settings: InboxSettings) -> tuple[Verdict, ...]:
    """Judge what two looks at the folder show, the oldest file first."""
    before = {sight.name: sight for sight in first}
    names = {sight.name for sight in second}
    verdicts = (_judge(sight, before.get(sight.name), names, settings) for sight in second)
    return tuple(sorted(verdicts, key=lambda verdict: (verdict.sight.modified_s, verdict.sight.name)))


def is_temporary(name: str) -> bool:
    """Whether a file of this name belongs to a program, and not to a person."""
    return _TEMPORARY.match(name) is not None


def readable(name: str) -> str:
    """The name with a mark in place of each byte that is no text, and of each character that acts (a line's end)."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join("\N{REPLACEMENT CHARACTER}" if category(char) in _ACTS else char for char in text)


def could_be_ours(sight: Sight) -> bool:
    """Whether it is worth a second look."""
    return _not_ours(sight) is None


def _judge(sight: Sight, before: Sight | None, names: Iterable[str], settings: InboxSettings) -> Verdict:
    if (reason := _not_ours(sight)) is not None:
        return Leave(sight, reason)
    if before is None or before.fingerprint != sight.fingerprint:
        return Wait(sight, "it is still being written")
    if lock := next((name for name in _locks(sight.name) if name in names), None):
        return Wait(sight, f"it is open in a program, by {lock}")
    if not sight.whole and not sight.unchanged_s > settings.incomplete_s:
        return Wait(sight, "its end is not there yet")
    return Take(sight)


def _not_ours(sight: Sight) -> str | None:
    if not sight.is_file:
        return "it is no regular file"
    if is_temporary(sight.name):
        return "it is a lock or temporary file"
    if _CONFLICTED.search(sight.name):
        return "a sync client says that two people changed it at once: choose one, and rename it"
    return None


def _locks(name: str) -> tuple[str, ...]:
    """The files that say that this one is open: Excel's (older ones cut two letters) and LibreOffice's."""
    return (f"~${name}", f"~${name[2:]}", f".~lock.{name}#")


def place_of(exit_code: int) -> Place:
    """Where a file goes whose run ended with this code; what can go on stays at work."""
    match exit_code:
        case 0:
            return Place.DONE
        case 3 | 7:
            return Place.REFUSED
        case 4:
            return Place.ATTENTION
        case 6:
            return Place.APPROVAL
        case _:
            return Place.WORK


class Delivery(Frozen):
    """One file that was taken from a drop folder, as the store knows it."""

    delivery: str
    """The name of the folder that it has got."""
    name: str
    sha256: str
    place: Place | None
    """Where it is to lie; `None` while it is at work."""
    run_id: str | None = None
    exit_code: int | None = None
    plan_hash: str | None = None
    rails: tuple[str, ...] = ()
    reason: str = ""
    starts: int = 0
    """Starts in a row that came to no end."""


class Run(Frozen):
    """Run the file."""


class Move(Frozen):
    """Only put the file where it belongs: its run has ended."""

    place: Place
    exit_code: int
    reason: str = ""
    run_id: str | None = None


Next: TypeAlias = Run | Move


def same_as(known: Iterable[Delivery], sha256: str, *, but: str) -> Delivery | None:
    """An earlier delivery of the same content that needs no second run: done, or waiting for approval."""
    return next(
        (
            each
            for each in known
            if each.sha256 == sha256 and each.delivery != but and each.place in {Place.DONE, Place.APPROVAL}
        ),
        None,
    )


def next_of(delivery: Delivery, *, ended: tuple[str, int] | None, twin: Delivery | None, done: str, words: str) -> Next:
    """What is to be done with a file at work; `done` is where it will lie, `words` the options of a next command.

    `ended` is the run of this very delivery that has ended for good (its id and exit code), where there is one: its
    process died before the file was moved. `twin` is what `same_as` found.
    """
    if delivery.place is not None:
        return Move(delivery.place, delivery.exit_code or 0, delivery.reason, delivery.run_id)
    if ended is not None:
        return Move(place_of(ended[1]), ended[1], run_id=ended[0])
    if delivery.starts >= STARTS_MOST:
        reason = (
            f"The program died {delivery.starts} times in a row over this file. Look at the log, then drop it again."
        )
        return Move(Place.ATTENTION, 1, reason, delivery.run_id)
    if twin is not None and twin.place is Place.DONE:
        run = f" (run {twin.run_id})" if twin.run_id else ""
        reason = f"The same content was applied before{run}; it was not run again. If that is meant: coursesync apply"
        return Move(Place.DONE, 0, f"{reason} {quote(done)} {words}".rstrip(), twin.run_id)
    if twin is not None:
        reason = f"The same content waits for approval: coursesync approve {twin.run_id} {words}".rstrip()
        return Move(Place.REFUSED, 3, reason, twin.run_id)
    return Run()


class Approval(Frozen):
    """Somebody's word that one held run may go on."""

    run_id: str
    sha256: str
    plan_hash: str
    profile: str
    rails: tuple[str, ...]
    expires_wall: float


def approves(
    approval: Approval, delivery: Delivery, *, profile: str, now_wall: float, plan_hash: str | None = None
) -> bool:
    """Whether the approval holds for this delivery now; for the plan made anew only where `plan_hash` is the same."""
    return (
        approval.run_id == delivery.run_id
        and approval.sha256 == delivery.sha256
        and approval.profile == profile
        and now_wall <= approval.expires_wall
        and approval.plan_hash == (plan_hash if plan_hash is not None else delivery.plan_hash)
    )


def reasons_to_tell(verdicts: Iterable[Verdict]) -> Mapping[str, str]:
    """By name: why a file that somebody may wait for was not taken."""
    reasons: dict[str, str] = {}
    for verdict in verdicts:
        match verdict:
            case Take():
                continue
            case Leave(sight=sight) if not _CONFLICTED.search(sight.name):
                continue
            case Wait(sight=sight, reason=reason) | Leave(sight=sight, reason=reason):
                reasons[sight.name] = reason
            case _:
                assert_never(verdict)
    return reasons


def left_for_long(verdicts: Iterable[Verdict], settings: InboxSettings) -> Mapping[str, str]:
    """By name: why a file is not taken that will not be by itself: a stale lock beside it, or two versions of it."""
    return {
        verdict.sight.name: verdict.reason
        for verdict in verdicts
        if (isinstance(verdict, Wait) and verdict.sight.unchanged_s > OPEN_FOR_LONG_S)
        or (
            isinstance(verdict, Leave)
            and _CONFLICTED.search(verdict.sight.name)
            and verdict.sight.unchanged_s > settings.incomplete_s
        )
    }
