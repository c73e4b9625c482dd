"""Hold a plan that looks like an accident: named limits on what one run may do, each lifted by its name. Pure.

A rail counts what a plan would do, and holds it above a number (`max`) or above a share of a population that is large
enough for a share to mean something. There is no word that lifts them all: `--allow NAME` says what was looked at.
"""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import Final

from sync.errors import ConfigError, HeldRun
from sync.frozen import Frozen
from sync.model import (
    ChangeKind,
    FieldChange,
    Issue,
    PlannedRow,
    RowNumber,
    SectionId,
    Severity,
    Source,
    ToUpdate,
)
from sync.normalize import normal
from sync.section import Json

HELD: Final = "rail.held"
LIFTED: Final = "rail.lifted"
EXAMPLES_SHOWN: Final = 3
HALVED_FROM: Final = 200
"""Contents shorter than this may halve: a sentence that is said better is no loss."""
FILLED_FROM: Final = 3
"""So many different texts that become one are a fill-down; fewer are a find-and-replace."""


class RailSetting(Frozen):
    """How far a rail lets a plan go; what is `None` stays as the rail has it."""

    max: int | None
    """Rows."""
    share: float | None
    """Of the rail's population, from 0 to 1."""
    share_from: int | None = None
    """The population from which on the share counts."""


class Judged(Frozen):
    """What the rails say of one plan: those that hold it, and those that would, but for the operator's word."""

    held: tuple["HeldRail", ...] = ()
    lifted: tuple["HeldRail", ...] = ()

    @property
    def issues(self) -> tuple[Issue, ...]:
        """As problems of the run as a whole, for its report and its facts."""
        return (*map(_held_issue, self.held), *map(_lifted_issue, self.lifted))


NOTHING_HELD: Final = Judged()


class _Hit(Frozen):
    row: PlannedRow
    change: FieldChange
    remark: str = ""


class _Doing(Frozen):
    """A plan as the rails see it: only what would be sent."""

    rows_of_sheet: int
    updates: Sequence[tuple[PlannedRow, Sequence[FieldChange]]]
    with_image: Container[SectionId] | None

    def changes_of(self, field: str) -> Iterator[_Hit]:
        """Every change of one field, in the sheet's order."""
        return (_Hit(row, change) for row, changes in self.updates for change in changes if change.field == field)


class Rail(Frozen):
    """One named limit."""

    name: str
    counts: str
    """What is counted, as the refusal says it."""
    find: Callable[[_Doing], Sequence[_Hit]]
    max: int
    share: float | None = None
    minimum: int = 10
    """The population from which on the share counts."""
    of_sheet: bool = False
    """The population is all rows of the sheet; else the rows that would be sent."""


class Example(Frozen):
    """One row that a rail counted."""

    row: RowNumber
    id: str
    what: str

    def __str__(self) -> str:
        """As a plan names a row: number, Id, change."""
        return f"row {self.row} · {self.id} · {self.what}"


class HeldRail(Frozen):
    """A rail that holds the plan."""

    name: str
    counts: str
    numerator: int
    denominator: int
    population: str
    """What the denominator counts: `rows of the sheet`."""
    limit: str
    """In words: `at most 2,000`."""
    examples: tuple[Example, ...]

    @property
    def option(self) -> str:
        """What lifts this rail, for this run."""
        return f"--allow {self.name}"

    def __str__(self) -> str:
        """`sections_moved: 3 of 40 rows to be sent move to another course; the limit is at most 0`."""
        return (
            f"{self.name}: {self.numerator:,} of {self.denominator:,} {self.population} {self.counts};"
            f" the limit is {self.limit}"
        )


def judge(
    rows: Sequence[PlannedRow],
    *,
    settings: Mapping[str, RailSetting],
    allowed: Collection[str],
    with_image: Container[SectionId] | None = None,
) -> Judged:
    """Hold this plan against every rail; those that the operator allowed lift what they would hold.

    `with_image` has the sections that have an image now; without it, every new image counts as a replaced one.
    """
    updates = [(row, row.decision.changes) for row in rows if isinstance(row.decision, ToUpdate)]
    doing = _Doing(len(rows), updates, with_image)
    found = [held for rail in RAILS if (held := _judge(rail, settings.get(rail.name), doing)) is not None]
    return Judged(
        held=tuple(rail for rail in found if rail.name not in allowed),
        lifted=tuple(rail for rail in found if rail.name in allowed),
    )


def _judge(rail: Rail, setting: RailSetting | None, doing: _Doing) -> HeldRail | None:
    hits = rail.find(doing)
    population = doing.rows_of_sheet if rail.of_sheet else len(doing.updates)
    most = rail.max if setting is None or setting.max is None else setting.max
    share = rail.share if setting is None or setting.share is None else setting.share
    minimum = rail.minimum if setting is None or setting.share_from is None else setting.share_from
    if len(hits) > most:
        limit = f"at most {most:,}"
    elif share is not None and population >= minimum and len(hits) > Fraction(str(share)) * population:
        limit = f"at most {share * 100:g} % from {minimum} rows on"
    else:
        return None
    return HeldRail(
        name=rail.name,
        counts=rail.counts,
        numerator=len(hits),
        denominator=population,
        population="rows of the sheet" if rail.of_sheet else "rows to be sent",
        limit=limit,
        examples=tuple(_example(hit) for hit in hits[:EXAMPLES_SHOWN]),
    )


def _example(hit: _Hit) -> Example:
    from sync.preview import change_lines  # noqa: PLC0415 - the settings name rails in every command; few are held

    return Example(hit.row.row, hit.row.label.id, next(change_lines(hit.change)) + hit.remark)


def refusal_lines(held: Iterable[HeldRail]) -> Iterator[str]:
    """The refusal for people: each rail with its numbers, its limit, three examples and the way on."""
    for rail in held:
        yield f"{rail}."
        yield from (f"    {example}" for example in rail.examples)
        if rail.numerator > len(rail.examples):
            yield f"    … and {rail.numerator - len(rail.examples):,} more"
        yield f"    If that is meant, say so with {rail.option}"


def held_run(held: Sequence[HeldRail], *, of_sheet: bool = True) -> HeldRun:
    """The refusal as the one line that ends a command; `held` is not empty.

    `of_sheet` says whether there is a sheet to be mended: an undo and a drift have none.
    """
    way_on = "Mend the sheet or, if" if of_sheet else "If"
    return HeldRun(
        f"Nothing was sent: held by {'; '.join(str(rail) for rail in held)}.",
        remedy=f"{way_on} that is meant, add {' '.join(rail.option for rail in held)}.",
    )


def lifted_rails(issues: Iterable[Issue]) -> tuple[str, ...]:
    """The rails that were lifted for a run, by the issues of its facts."""
    return tuple(str(issue.attempted_value) for issue in issues if issue.code == LIFTED)


def rails_object(judged: Judged) -> list[Json]:
    """The rails that hold or were lifted, for a program."""
    return [
        {
            "name": rail.name,
            "held": held,
            "numerator": rail.numerator,
            "denominator": rail.denominator,
            "population": rail.population,
            "limit": rail.limit,
            "examples": [str(example) for example in rail.examples],
        }
        for held, rails in ((True, judged.held), (False, judged.lifted))
        for rail in rails
    ]


def _held_issue(rail: HeldRail) -> Issue:
    return Issue(HELD, f"{rail}; if that is meant: {rail.option}", source=Source.SYNC, attempted_value=rail.name)


def _lifted_issue(rail: HeldRail) -> Issue:
    message = f"{rail}; lifted with {rail.option}"
    return Issue(LIFTED, message, source=Source.SYNC, severity=Severity.NOTE, attempted_value=rail.name)


def check_names(names: Iterable[str], *, place: str) -> None:
    """Refuse a name that is no rail's; `place` says where it stands: `--allow`, or a profile.

    Raises:
        ConfigError: A name is unknown; with the nearest one, or all of them.
    """
    known = [rail.name for rail in RAILS]
    for name in names:
        if name not in known:
            near = get_close_matches(name.casefold(), known, n=1, cutoff=0.5)
            raise ConfigError(
                f'"{name}" in {place} is no rail.',
                remedy=f'Did you mean "{near[0]}"?' if near else f"Rails: {', '.join(known)}.",
            )


def _rows(doing: _Doing) -> Sequence[_Hit]:
    return [_Hit(row, changes[0]) for row, changes in doing.updates if changes]


def _cleared(doing: _Doing) -> Sequence[_Hit]:
    return [
        _Hit(row, change)
        for row, changes in doing.updates
        for change in changes
        if isinstance(change.before, str) and change.before and change.after in ("", None)
    ]


def _shrunk(doing: _Doing) -> Sequence[_Hit]:
    return [hit for hit in doing.changes_of("SectionContents") if _shrinks(hit.change)]


def _shrinks(change: FieldChange) -> bool:
    before, after = normal(change.field, change.before), normal(change.field, change.after)
    if not isinstance(before, str) or not isinstance(after, str) or not after:
        return False
    if len(before) >= HALVED_FROM and 2 * len(after) < len(before):
        return True
    return before.startswith(after) and before.rstrip() != after.rstrip()


def _deactivated(doing: _Doing) -> Sequence[_Hit]:
    return [hit for hit in doing.changes_of("Active") if hit.change.after is False]


def _moved(doing: _Doing) -> Sequence[_Hit]:
    return tuple(doing.changes_of("CourseId"))


def _filled(doing: _Doing) -> Sequence[_Hit]:
    """The rows of the largest fill-down: many different texts of one field that all become the same one."""
    groups: dict[tuple[str, str], list[_Hit]] = {}
    for field in ("Title", "SectionContents"):
        for hit in doing.changes_of(field):
            if text := normal(field, hit.change.after):
                groups.setdefault((field, str(text)), []).append(hit)
    filled = (group for group in groups.values() if _different(group) >= FILLED_FROM)
    return max(filled, key=len, default=[])


def _different(hits: Iterable[_Hit]) -> int:
    return len({str(normal(hit.change.field, hit.change.before)) for hit in hits})


def _mismatched(doing: _Doing) -> Sequence[_Hit]:
    """Rows that take over the Title which another row of the sheet gives up: titles sorted without their Ids."""
    renamed = list(doing.changes_of("Title"))
    given_up: dict[str, str] = {}
    for hit in renamed:
        given_up.setdefault(str(normal("Title", hit.change.before)), hit.row.label.id)
    hits = []
    for hit in renamed:
        # A row is in the plan because its Title changes, so whoever gives up the new one is another row.
        giver = given_up.get(str(normal("Title", hit.change.after)))
        if giver is not None:
            hits.append(_Hit(hit.row, hit.change, f", the Title of {giver} until now"))
    return hits


def _restored(doing: _Doing) -> Sequence[_Hit]:
    hits = []
    for row, changes in doing.updates:
        restored = next((change for change in changes if change.kind is ChangeKind.RESTORE), None)
        if restored is not None:
            hits.append(_Hit(row, restored))
    return hits


def _images(doing: _Doing) -> Sequence[_Hit]:
    cleared = [hit for hit in doing.changes_of("ClearImageFile") if hit.change.after is True]
    replaced = [hit for hit in doing.changes_of("NewImageUrl") if _has_image(hit.row, doing.with_image)]
    return sorted((*cleared, *replaced), key=lambda hit: hit.row.row)


def _has_image(row: PlannedRow, with_image: Container[SectionId] | None) -> bool:
    return with_image is None or (row.edit is not None and row.edit.id in with_image)


RAILS: Final[tuple[Rail, ...]] = (
    Rail("rows_changed", "would be changed", _rows, max=2_000, of_sheet=True),
    Rail("cells_cleared", "would lose a text", _cleared, max=25, share=0.5, minimum=20),
    Rail("contents_shrunk", "would lose a large part or the end of their contents", _shrunk, max=25, share=0.5),
    Rail("sections_deactivated", "would be hidden from members", _deactivated, max=50),
    Rail("sections_moved", "would move to another course", _moved, max=0),
    Rail("same_value", "would get the same text in place of different ones", _filled, max=20, share=0.5),
    Rail("titles_mismatched", "would take over the Title of another row", _mismatched, max=20, share=0.5),
    Rail("drift_restored", "would undo what somebody else changed", _restored, max=50, of_sheet=True),
    Rail("images_removed", "would lose the image that they have, for good", _images, max=20),
)
"""Every rail, with defaults that an ordinary day's sheet does not reach."""
