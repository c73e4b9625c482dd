"""The canary: the first few rows of a plan go first, and the rest only when nothing went wrong with them. Pure.

A stage is judged when every row of it has its outcome and was read back. What is judged are the outcomes that the
journal keeps, so that a resume judges a stage that nobody came to judge, and one that did not go well once more.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sync.errors import CanaryStopped, ConfigError
from sync.frozen import Frozen
from sync.model import Issue, Outcome, RowNumber, RunId, Severity, Source, Status, Verified

NAME: Final = "canary"
"""What `resume --allow` calls it."""
CODE: Final = "run.canary"
LIFTED: Final = "canary.lifted"
STOPPED: Final = "canary.stopped"
"""Why a run stands, where its canary stopped it."""
BAD: Final = frozenset({Status.REJECTED, Status.FAILED, Status.UNKNOWN, Status.CONFLICT})
ROWS_NAMED: Final = 3
_STEP: Final = re.compile(r"([0-9]{1,9})\s*(%?)")
_ALL: Final = 100
"""Per cent."""
_REMEDY: Final = "Write numbers of rows or shares, each higher than the one before: --canary 1,5,20%."


class Step(Frozen):
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
    bad = [outcome for outcome in outcomes if _is_bad(outcome)]
    if not bad:
        return None
    named = "; ".join(_said(outcome) for outcome in bad[:ROWS_NAMED])
    more = f"; and {len(bad) - ROWS_NAMED} more" if len(bad) > ROWS_NAMED else ""
    return f"{len(bad)} of {len(outcomes)} rows of the canary did not go well: {named}{more}"


def _is_bad(outcome: Outcome) -> bool:
    if outcome.status is Status.UPDATED:
        return outcome.verified is not Verified.YES
    return outcome.status in BAD


def _said(outcome: Outcome) -> str:
    how = outcome.status.value
    if outcome.verified is Verified.DIFFERS:
        how += ", and the server holds something else"
    elif outcome.status is Status.UPDATED:
        how += ", and could not be read back"
    return f"row {outcome.row} ({outcome.label.id}) {how}"


@dataclass(slots=True)
class Canary:
    """The stages of one run: which rows may go, and whether the next ones may."""

    run_id: RunId
    order: Sequence[RowNumber]
    """Every row that was planned to be sent, whichever process sent it."""
    ends: Sequence[int]
    """As `stages` gives them."""
    earlier: Mapping[RowNumber, Outcome] = field(default_factory=dict)
    """What former processes of the run wrote down."""
    forgiven: Collection[RowNumber] = frozenset()
    """Rows that did not go well, and that the operator has looked at (`resume --allow canary`)."""
    _stage: int = 0
    _rank: Mapping[RowNumber, int] = field(init=False)

    def __post_init__(self) -> None:
        """Number the rows."""
        self._rank = {row: rank for rank, row in enumerate(self.order)}

    @property
    def begin(self) -> int:
        """How many rows went before this stage."""
        return self.ends[self._stage - 1] if self._stage else 0

    @property
    def end(self) -> int:
        """How many rows may go by now."""
        return self.ends[self._stage] if self.ends else 0

    def may_go(self, row: RowNumber) -> bool:
        """Whether the row belongs to this stage or to one before it."""
        return self._rank[row] < self.end

    def next_stage(self, outcomes: Mapping[int, Outcome]) -> CanaryStopped | None:
        """Judge the stage, whose rows all have their outcomes; let the next one begin, or say why it must not."""
        rows = [row for row in self.order[self.begin : self.end] if row not in self.forgiven]
        found = [outcomes.get(row) or self.earlier.get(row) for row in rows]
        reason = judge([outcome for outcome in found if outcome is not None])
        if reason is not None:
            left = len(self.order) - self.end
            return CanaryStopped(f"{reason}; the other {left:,} rows were not sent.", remedy=ways_on(self.run_id))
        self._stage += 1
        return None


def ways_on(run_id: str, words: str = "") -> str:
    """The two commands that an operator chooses from; `words` are the options that each of them needs."""
    return (
        f"Take back what was applied: coursesync undo {run_id}{words} – or go on all the same:"  # noqa: RUF001 - a dash
        f" coursesync resume {run_id} --allow {NAME}{words}"
    )


def canary_issue(text: str) -> Issue:
    """The canary of a run, as its facts keep it."""
    message = f"a canary goes first: {text} of the rows, each stage verified before the next"
    return Issue(CODE, message, source=Source.SYNC, severity=Severity.NOTE, attempted_value=text)


def canary_text(issues: Iterable[Issue]) -> str | None:
    """The `--canary` of a run, by the issues of its facts."""
    return next((str(issue.attempted_value) for issue in issues if issue.code == CODE), None)


def lifted_issue(earlier: Iterable[Outcome]) -> Issue:
    """The operator has looked at what did not go well so far, and lets the run go on: kept with its facts."""
    rows = [outcome.row for outcome in earlier if _is_bad(outcome) and not is_unread(outcome)]
    named = f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'}"
    message = f"went on past {named} of the canary that did not go well, with --allow {NAME}"
    return Issue(LIFTED, message, source=Source.SYNC, severity=Severity.NOTE, attempted_value=list(rows))


def forgiven_rows(issues: Iterable[Issue]) -> frozenset[RowNumber]:
    """The rows that were looked at, by the issues of a run's facts."""
    values = (issue.attempted_value for issue in issues if issue.code == LIFTED)
    return frozenset(
        RowNumber(row) for rows in values if isinstance(rows, list) for row in rows if isinstance(row, int)
    )


def is_unread(outcome: Outcome) -> bool:
    """Whether a row was sent with success and never read back: a stage with one of them cannot be judged yet."""
    return outcome.status is Status.UPDATED and outcome.verified in (Verified.NOT_ASKED, Verified.NO)
