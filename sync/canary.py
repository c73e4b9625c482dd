"""The canary: the first few rows of a plan go first, and the rest only when nothing went wrong with them. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sync.errors import ConfigError
from sync.model import Outcome, Status, Verified

BAD: Final = frozenset({Status.REJECTED, Status.FAILED, Status.UNKNOWN, Status.CONFLICT})
ROWS_NAMED: Final = 3
_STEP: Final = re.compile(r"([0-9]{1,9})\s*(%?)")
_ALL: Final = 100
"""Per cent."""
_REMEDY: Final = "Write numbers of rows or shares, each higher than the one before: --canary 1,5,20%."


@dataclass(frozen=True, slots=True)
class Step:
    """How many rows are sent, all together, before the next look."""

    amount: int
    is_share: bool
    """The amount is per cent of the rows, rounded up."""

    def rows_of(self, rows: int) -> int:
        """The rows of this step, of `rows` in all; at least one."""
        return max(1, -(-rows * self.amount // _ALL)) if self.is_share else self.amount


def parse_canary(text: str) -> tuple[Step, ...]:
    """Read `1,5,20%`.

    Raises:
        ConfigError: a step is no number, is nothing or more than all, or does not rise.
    """
    steps: list[Step] = []
    highest = {False: 0, True: 0}
    for part in text.split(","):
        match = _STEP.fullmatch(part.strip())
        if match is None:
            raise ConfigError(f'"{part.strip()}" in --canary is neither a number of rows nor a share.', remedy=_REMEDY)
        step = Step(int(match.group(1)), is_share=bool(match.group(2)))
        if step.amount == 0 or (step.is_share and step.amount > _ALL):
            raise ConfigError(f'"{part.strip()}" in --canary is no part of the rows.', remedy=_REMEDY)
        if step.amount <= highest[step.is_share]:
            raise ConfigError(f'"{part.strip()}" in --canary is not more than the step before.', remedy=_REMEDY)
        highest[step.is_share] = step.amount
        steps.append(step)
    return tuple(steps)


def stages(steps: Sequence[Step], rows: int) -> tuple[int, ...]:
    """How many of `rows` are sent by the end of each stage: rising, never zero, all of them in the end."""
    ends: list[int] = []
    for step in steps:
        end = min(rows, step.rows_of(rows))
        if end > (ends[-1] if ends else 0):
            ends.append(end)
    if rows and (not ends or ends[-1] < rows):
        ends.append(rows)
    return tuple(ends)


def judge(outcomes: Sequence[Outcome]) -> str | None:
    """Say why the run must not go on after this stage; `None` if every row of it went well."""
    bad = [outcome for outcome in outcomes if outcome.status in BAD or outcome.verified is Verified.DIFFERS]
    if not bad:
        return None
    named = "; ".join(_said(outcome) for outcome in bad[:ROWS_NAMED])
    more = f"; and {len(bad) - ROWS_NAMED} more" if len(bad) > ROWS_NAMED else ""
    return f"{len(bad)} of {len(outcomes)} rows of the canary did not go well: {named}{more}"


def _said(outcome: Outcome) -> str:
    how = outcome.status.value
    if outcome.verified is Verified.DIFFERS:
        how += ", and the server holds something else"
    return f"row {outcome.row} ({outcome.label.id}) {how}"
