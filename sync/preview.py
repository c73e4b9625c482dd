"""Say a plan as lines for people: what would change, field by field, and what it takes. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from difflib import SequenceMatcher

from sync.model import ChangeKind, Conflict, FieldChange, PlannedRow, ToUpdate
from sync.plan import Cost, to_send
from sync.report import row_ranges
from sync.section import ACTIONS, Json
from sync.times import duration

SHORT = 60
"""A value up to this length is shown whole."""
ROWS_SHOWN = 50
"""Beyond so many rows, a plan is shown by the kinds of its changes."""
KINDS_SHOWN = 15
EXAMPLES_SHOWN = 3
"""Rows of each kind that are shown whole."""
RANGES_SHOWN = 8
LINES_SHOWN = 6
"""Lines of a long text's difference that are shown."""
_BREAKS = re.compile(r"(?<=>)(?=<(?:p|h\d|ul|ol|li|div|table|tr|section)\b)|\n", re.IGNORECASE)


def plan_lines(rows: Sequence[PlannedRow], cost: Cost, *, finish_wall: float, target: str) -> Iterator[str]:
    """The whole text: rows that would be sent, conflicts, then totals, time and place.

    Up to `ROWS_SHOWN` rows are shown one by one, in the sheet's order; more of them by the kind of their change: how
    many there are of each, a few whole, and which rows are like them.
    """
    sending = to_send(rows)
    if len(sending) > ROWS_SHOWN:
        yield from _overview(sending, of=len(rows))
        yield from _by_kind(sending)
    else:
        yield from _row_lines(sending)
    conflicts = [row for row in rows if isinstance(row.decision, Conflict)]
    for row in conflicts[:ROWS_SHOWN]:
        yield from _conflict_lines(row)
    if len(conflicts) > ROWS_SHOWN:
        yield f"… and {len(conflicts) - ROWS_SHOWN:,} more conflicts: all of them are in the report"
    yield ""
    yield f"Against {target}"
    yield cost_line(cost, finish_wall=finish_wall)
    if any(change.field in ACTIONS for row in sending for change in _changes(row)):
        yield "Images are among the changes: they cannot be undone."


def rows_by_field(rows: Iterable[PlannedRow]) -> dict[str, int]:
    """How many of the rows that would be sent change each field, the most frequent first."""
    counts = Counter(change.field for row in to_send(rows) for change in _changes(row))
    return dict(counts.most_common())


def _overview(sending: Sequence[PlannedRow], *, of: int) -> Iterator[str]:
    yield f"{len(sending):,} of {of:,} rows would be sent. They change:"
    restored = sum(any(change.kind is ChangeKind.RESTORE for change in _changes(row)) for row in sending)
    for name, count in rows_by_field(sending).items():
        lost = ", which cannot be undone" if name in ACTIONS else ""
        yield f"  {name:<16} {count:>7,} rows{lost}"
    if restored:
        yield f"  {restored:,} of them put back what somebody else changed."


def _by_kind(sending: Sequence[PlannedRow]) -> Iterator[str]:
    kinds: dict[tuple[str, ...], list[PlannedRow]] = {}
    for row in sending:
        kinds.setdefault(tuple(change.field for change in _changes(row)), []).append(row)
    largest = sorted(kinds.items(), key=lambda kind: -len(kind[1]))
    for fields, rows in largest[:KINDS_SHOWN]:
        yield ""
        yield f"{' and '.join(fields)}: {len(rows):,} {'row' if len(rows) == 1 else 'rows'}"
        yield from (f"  {line}" for line in _row_lines(rows[:EXAMPLES_SHOWN]))
        if left := rows[EXAMPLES_SHOWN:]:
            named = row_ranges((row.row for row in left), most=RANGES_SHOWN)
            yield f"  … and {len(left):,} more: {'row' if len(left) == 1 else 'rows'} {named}"
    if others := largest[KINDS_SHOWN:]:
        yield ""
        count = sum(len(rows) for _, rows in others)
        yield f"… and {count:,} more rows in {len(others):,} other kinds: all of them are in the report"


def cost_line(cost: Cost, *, finish_wall: float) -> str:
    """`60 updates and 2 reads: about 7 s, done at 2026-03-02 09:14 UTC`."""
    if not cost.writes:
        return "Nothing to send."
    finish = datetime.fromtimestamp(finish_wall, UTC)
    updates = f"{cost.writes:,} update{'' if cost.writes == 1 else 's'}"
    reads = f"{cost.reads:,} read{'' if cost.reads == 1 else 's'}"
    return f"{updates} and {reads}: about {duration(cost.seconds)}, done on {finish:%Y-%m-%d at %H:%M} UTC"


def _row_lines(rows: Iterable[PlannedRow]) -> Iterator[str]:
    for row in rows:
        yield f"row {row.row} · {row.label.id} · {_shorten(row.label.title)}"
        for change in _changes(row):
            yield from (f"    {line}" for line in change_lines(change))


def _conflict_lines(row: PlannedRow) -> Iterator[str]:
    yield f"row {row.row} · {row.label.id} · {_shorten(row.label.title)} · conflict, would not be sent"
    for change in _changes(row):
        was = "" if change.base is None else f"when exported {shown(change.base)}, "
        yield f"    {change.field}: {was}sheet {shown(change.after)}, live now {shown(change.before)}"


def _changes(row: PlannedRow) -> Sequence[FieldChange]:
    match row.decision:
        case ToUpdate(changes=changes) | Conflict(changes=changes):
            return changes
        case _:
            return ()


def change_lines(change: FieldChange) -> Iterator[str]:
    """Old → new on one line, or a short line diff where a value is long."""
    mark = " (restored)" if change.kind is ChangeKind.RESTORE else ""
    if change.field in ACTIONS:
        yield f"{change.field}{mark}: {shown(change.after)}"
    elif _is_long(change.before) or _is_long(change.after):
        before, after = str(change.before or ""), str(change.after or "")
        yield f"{change.field}{mark}: {len(before):,} → {len(after):,} characters"
        yield from (f"  {line}" for line in line_diff(before, after))
    else:
        yield f"{change.field}{mark}: {shown(change.before)} → {shown(change.after)}"


def sides(change: FieldChange) -> tuple[str, str]:
    """Before and after as two cells show them: whole where they are short, else the lines that differ."""
    if change.field in ACTIONS:
        return "", str(change.after)
    if not (_is_long(change.before) or _is_long(change.after)):
        return shown(change.before), shown(change.after)
    before, after = str(change.before or ""), str(change.after or "")
    lines = list(line_diff(before, after))
    old = [line[2:] for line in lines if line.startswith("- ")]
    new = [line[2:] for line in lines if line.startswith("+ ")]
    left = [line for line in lines if line.startswith("…")]
    return "\n".join([f"{len(before):,} characters", *old]), "\n".join([f"{len(after):,} characters", *new, *left])


def line_diff(before: str, after: str) -> Iterator[str]:
    """The lines that differ, `-` before and `+` after, cut to what a person reads; HTML breaks before blocks."""
    old, new = _lines(before), _lines(after)
    lines: list[str] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            lines += [f"- {_excerpt(old[at], new[j1 + at - i1 : j2] or new[j1:j2])}" for at in range(i1, i2)]
            lines += [f"+ {_excerpt(new[at], old[i1 + at - j1 : i2] or old[i1:i2])}" for at in range(j1, j2)]
    shown_lines = _chosen(lines)
    yield from shown_lines
    if left := len(lines) - len(shown_lines):
        yield f"… {left} more line{' differs' if left == 1 else 's differ'}"


def _chosen(lines: Sequence[str]) -> list[str]:
    """The lines that are shown, in their order: of a text that is written anew, some of the old and some of the new."""
    first = [[at for at, line in enumerate(lines) if line.startswith(sign)][: LINES_SHOWN // 2] for sign in "-+"]
    chosen = sorted(at for side in first for at in side)
    rest = [at for at in range(len(lines)) if at not in chosen]
    return [lines[at] for at in sorted([*chosen, *rest[: LINES_SHOWN - len(chosen)]])]


def shown(value: Json) -> str:
    """A value as a plan shows it: quoted text with what is invisible made visible, or the plain number."""
    if value is None or value == "":
        return "(empty)"
    return f"“{_shorten(value)}”" if isinstance(value, str) else str(value)


def visible(text: str) -> str:
    """Show what the eye would miss: line ends, tabs, no-break spaces, zero-width and other invisible characters."""
    named = text.replace("\n", "⏎").replace("\t", "⇥").replace("\u00a0", "⍽")
    return "".join(char if char.isprintable() else f"⟨U+{ord(char):04X}⟩" for char in named)


def _shorten(text: str, limit: int = SHORT) -> str:
    return visible(text) if len(text) <= limit else f"{visible(text[:limit])}…"


def _is_long(value: Json) -> bool:
    return isinstance(value, str) and len(value) > SHORT


def _lines(text: str) -> list[str]:
    # Line ends are noise, and never a change: a text that comes back from Excel has others than the live one.
    return [line for line in _BREAKS.split(text.replace("\r\n", "\n")) if line]


def _excerpt(line: str, others: Sequence[str], limit: int = 90) -> str:
    """The line, from shortly before where it begins to differ from its counterpart."""
    if len(line) <= limit or not others:
        return _shorten(line, limit)
    same = 0
    for mine, theirs in zip(line, others[0], strict=False):
        if mine != theirs:
            break
        same += 1
    start = max(0, same - limit // 3)
    return ("…" if start else "") + _shorten(line[start:], limit)
