"""What people are about to decide about the rows of a plan: kept beside it, for each of them, until they plan again.

A tick is kept as it is made. It changes nothing of the plan, which is what it is: only a plan that is made anew has it.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sync.adapters.whole_file import place
from sync.frozen import Frozen, field
from sync.jobs.prepared import Prepared

WORDS: Final = ("sheet", "live")
_lock: Final = Lock()
"""A tick is read, changed and written by one request at a time."""


class Decisions(Frozen):
    """The rows that are left out, and the words for conflicts."""

    leave: frozenset[int] = frozenset()
    choices: Mapping[int, str] = field(default_factory=dict)
    """By row: `sheet` or `live`."""

    def with_rows(self, rows: Collection[int], *, left_out: Collection[int], choices: Mapping[int, str]) -> "Decisions":
        """The same, with what was said of these rows in place of what was kept of them; no word takes one back."""
        leave = (self.leave - set(rows)) | set(left_out)
        said = {**self.choices, **choices}
        return Decisions(leave, {row: word for row, word in said.items() if word in WORDS})

    def differing(self, other: "Decisions") -> int:
        """Of how many rows the two say different things."""
        words = {row for row in {*self.choices, *other.choices} if self.choices.get(row) != other.choices.get(row)}
        return len((self.leave ^ other.leave) | words)


class Pending(Frozen):
    """What somebody has decided since the plan was made."""

    person: str
    rows: int
    """Of so many rows."""


def decisions_in(prepared: Prepared) -> Decisions:
    """The decisions that the plan was made with."""
    about = prepared.about
    leave = frozenset(int(part) for part in about.leave_out.split(",") if part)
    words = (choice.partition("=") for choice in about.choices)
    return Decisions(leave, {int(row): word for row, _, word in words})


def decisions_of(prepared: Prepared, person: str) -> Decisions:
    """What this person has decided so far; the plan's own, to begin with."""
    return _read(_path(prepared, person)) or decisions_in(prepared)


def decide(prepared: Prepared, person: str, change: Callable[[Decisions], Decisions]) -> Decisions:
    """Keep what this person decides; give all of it.

    Raises:
        FileNotWritten: the disk is full.
    """
    with _lock:
        decided = change(decisions_of(prepared, person))
        facts = {
            "person": person,
            "leave": sorted(decided.leave),
            "choices": {str(row): word for row, word in sorted(decided.choices.items())},
        }
        place(_path(prepared, person), json.dumps(facts).encode())
    return decided


def pending(prepared: Prepared) -> tuple[Pending, ...]:
    """Who has decided what of the plan does not have yet; nobody, most of the time."""
    made_with = decisions_in(prepared)
    found = []
    for path in sorted(prepared.folder.glob("decisions-*.json")):
        decided = _read(path)
        if decided is not None and (rows := decided.differing(made_with)):
            found.append(Pending(str(_facts(path)["person"]), rows))
    return tuple(found)


def _path(prepared: Prepared, person: str) -> Path:
    """A name that nobody has chosen: a person's may hold anything."""
    return prepared.folder / f"decisions-{hashlib.sha256(person.encode()).hexdigest()[:16]}.json"


def _read(path: Path) -> Decisions | None:
    if not path.is_file():
        return None
    facts = _facts(path)
    return Decisions(frozenset(facts["leave"]), {int(row): word for row, word in facts["choices"].items()})


def _facts(path: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts
