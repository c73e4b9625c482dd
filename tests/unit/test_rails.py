"""Rails: what looks like an accident holds the plan, an ordinary day's sheet never does."""

from collections.abc import Container, Iterable, Sequence

import pytest

from sync.errors import ConfigError
from sync.frozen import replace
from sync.model import (
    ChangeKind,
    Conflict,
    FieldChange,
    Held,
    Label,
    PlannedRow,
    RowNumber,
    SectionId,
    Severity,
    Status,
    ToUpdate,
    Unchanged,
)
from sync.rails import RAILS, Example, HeldRail, RailSetting, check_names, held_run, judge, lifted_rails, refusal_lines
from sync.section import Json
from tests.sections import edit

LONG = "<p>Breathe in, breathe out.</p>" * 20


def row(number: int, *changes: FieldChange) -> PlannedRow:
    asked = edit({change.field: change.after for change in changes}, number=100 + number, row=number)
    return PlannedRow(RowNumber(number), Label(str(100 + number)), ToUpdate(changes, None), asked)


def rows(count: int, change: FieldChange) -> list[PlannedRow]:
    return [row(number, change) for number in range(2, 2 + count)]


def resting(count: int) -> list[PlannedRow]:
    return [PlannedRow(RowNumber(number), Label(), Unchanged()) for number in range(900, 900 + count)]


def titles(befores: Sequence[str], afters: Sequence[str]) -> list[PlannedRow]:
    pairs = enumerate(zip(befores, afters, strict=True), start=2)
    return [row(number, FieldChange("Title", before, after)) for number, (before, after) in pairs if before != after]


def held(
    plan: Iterable[PlannedRow],
    *,
    settings: dict[str, RailSetting] | None = None,
    allowed: Iterable[str] = (),
    with_image: Container[SectionId] | None = None,
) -> dict[str, tuple[int, int]]:
    """Which rails hold the plan, with numerator and denominator."""
    judged = judge(tuple(plan), settings=settings or {}, allowed=frozenset(allowed), with_image=with_image)
    return {rail.name: (rail.numerator, rail.denominator) for rail in judged.held}


# what each rail counts ---------------------------------------------------------------------------------------------

HIDDEN = FieldChange("Active", before=True, after=False)
MOVED = FieldChange("CourseId", 12, 13)
CLEARED = FieldChange("SectionContents", LONG, "")
RESTORED = FieldChange("DisplayOrder", 4, 5, kind=ChangeKind.RESTORE)
CLEARED_IMAGE = FieldChange("ClearImageFile", before=None, after=True)
NEW_IMAGE = FieldChange("NewImageUrl", None, "https://example.com/a.png")


@pytest.mark.parametrize(
    ("name", "change", "most"),
    [
        pytest.param("rows_changed", FieldChange("DisplayOrder", 1, 2), 2_000, id="rows"),
        pytest.param("cells_cleared", CLEARED, 25, id="cleared"),
        pytest.param("sections_deactivated", HIDDEN, 50, id="hidden"),
        pytest.param("sections_moved", MOVED, 0, id="moved"),
        pytest.param("drift_restored", RESTORED, 50, id="drift"),
        pytest.param("images_removed", CLEARED_IMAGE, 20, id="cleared image"),
        pytest.param("images_removed", NEW_IMAGE, 20, id="new image"),
    ],
)
def test_each_rail_holds_one_more_than_its_number(name: str, change: FieldChange, most: int) -> None:
    """As many as the default says pass, among so many other rows that no share has a say; one more is held."""
    others = rows(most + 60, FieldChange("UnlockAfterDays", 1, 2)) if name != "rows_changed" else []

    assert held([*rows(most, change), *others]) == {}
    assert held([*rows(most + 1, change), *others]) == {name: (most + 1, len(others) + most + 1)}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(FieldChange("SectionContents", LONG, LONG + "<p>More</p>"), id="longer"),
        pytest.param(FieldChange("SectionContents", LONG, "<p>New</p>" + LONG[: len(LONG) // 2]), id="a bit shorter"),
        pytest.param(FieldChange("SectionContents", "<p>A short text</p>", "<p>Hi</p>"), id="short ones may halve"),
        pytest.param(FieldChange("SectionContents", LONG + " \n", LONG), id="white space at the end"),
        pytest.param(FieldChange("SectionContents", "", LONG), id="new"),
        pytest.param(FieldChange("SectionContents", None, "A"), id="new after null"),
        pytest.param(FieldChange("Active", before=False, after=True), id="shown"),
        pytest.param(FieldChange("ClearImageFile", before=None, after=False), id="image not cleared"),
        pytest.param(FieldChange("Title", "Introducton", "Introduction"), id="find and replace"),
        pytest.param(FieldChange("SectionContents", "", "Coming soon"), id="placeholder"),
    ],
)
def test_ordinary_changes_are_counted_by_no_rail(change: FieldChange) -> None:
    """A whole sheet of them passes, even if nothing else is in it."""
    assert held(rows(400, change)) == {}


@pytest.mark.parametrize(
    "after",
    [
        pytest.param("<p>Nothing is left.</p>", id="less than half"),
        pytest.param(LONG[: len(LONG) - 5], id="cut off at the end"),
        pytest.param(LONG[:255], id="cut off by an old program"),
    ],
)
def test_contents_that_shrink_are_held(after: str) -> None:
    """Most rows of a sheet whose contents shrink to less than half, or to a beginning of what was there."""
    change = FieldChange("SectionContents", LONG, after)

    assert held(rows(5, change)) == {}
    assert held([*rows(6, change), *titles("abcd", "efgh")]) == {"contents_shrunk": (6, 10)}


def test_the_same_text_in_place_of_many_is_held() -> None:
    """A fill-down: different titles of most rows become one."""
    befores = [f"Lesson {number}" for number in range(10)]

    assert held(titles(befores[:9], ["Yoga"] * 9)) == {}
    assert held(titles(befores, ["Yoga"] * 10)) == {"same_value": (10, 10)}


def test_a_fill_down_counts_its_largest_group_of_one_field() -> None:
    """Groups of the same text in two fields, or of two texts, do not add up."""
    group = titles([f"Lesson {number}" for number in range(8)], ["A"] * 4 + ["B"] * 4)
    filled = [
        replace(each, decision=ToUpdate((FieldChange("SectionContents", each.label.id, "A"),), None))
        for each in rows(3, MOVED)
    ]
    settings = {"same_value": RailSetting(max=0, share=None)}

    assert held([*group, *filled], settings=settings) == {"same_value": (4, 11)}


def test_titles_sorted_without_their_ids_are_held() -> None:
    """Most rows take over a Title that another row of the sheet gives up; one is in its place by chance."""
    befores = ["Welcome", "Posture", "Balance", "Rest", "Flow", "Yoga", "Anatomy", "Sleep", "Food", "Zen", "Lunge"]

    (rail,) = judge(titles(befores, sorted(befores)), settings={}, allowed=frozenset()).held

    assert (rail.name, rail.numerator, rail.denominator) == ("titles_mismatched", 10, 10)
    assert str(rail.examples[0]) == "row 2 · 102 · Title: “Welcome” → “Anatomy”, the Title of 108 until now"


def test_a_title_that_its_owner_keeps_may_be_used_again() -> None:
    """Many courses have an `Introduction`: to name another one so is no accident."""
    keeping = [
        PlannedRow(RowNumber(900), Label("900", "12", "Introduction"), Unchanged(), edit({"Title": "Introduction"}))
    ]

    assert held([*titles(["Intro"] * 30, ["Introduction"] * 30), *keeping]) == {}


@pytest.mark.parametrize(
    ("with_image", "counted"),
    [
        pytest.param(None, 30, id="not known: each may replace one"),
        pytest.param(frozenset[SectionId](), 0, id="no section has an image"),
        pytest.param(frozenset(SectionId(100 + number) for number in range(2, 27)), 25, id="some have"),
    ],
)
def test_a_first_image_replaces_nothing(with_image: frozenset[SectionId] | None, counted: int) -> None:
    """A new image counts only where there is one already."""
    plan = rows(30, NEW_IMAGE)

    assert held(plan, with_image=with_image) == ({"images_removed": (counted, 30)} if counted else {})


def test_only_what_would_be_sent_counts() -> None:
    """Conflicts and rows that are held anyway change nothing."""
    quiet: list[PlannedRow] = [
        replace(each, decision=Conflict((MOVED,)) if each.row % 2 else Held(Status.INVALID)) for each in rows(9, MOVED)
    ]

    assert held(quiet) == {}


# limits ------------------------------------------------------------------------------------------------------------


def test_a_share_counts_only_above_the_least_population() -> None:
    """Nineteen cleared cells out of nineteen may be meant; of twenty rows, more than half is held."""
    others = rows(9, FieldChange("UnlockAfterDays", 1, 2))

    assert held(rows(19, CLEARED)) == {}
    assert held([*rows(10, CLEARED), *others, *rows(1, HIDDEN)]) == {}
    assert held([*rows(11, CLEARED), *others]) == {"cells_cleared": (11, 20)}


@pytest.mark.parametrize(
    ("setting", "limit"),
    [
        pytest.param(RailSetting(max=2, share=None), "at most 2", id="number"),
        pytest.param(RailSetting(max=None, share=0.29), None, id="just its share"),
        pytest.param(RailSetting(max=None, share=0.285), "at most 28.5 % from 10 rows on", id="share"),
        pytest.param(RailSetting(max=29, share=1.0), None, id="wide"),
    ],
)
def test_a_profile_sets_number_and_share(setting: RailSetting, limit: str | None) -> None:
    """29 of 100 rows; what the profile leaves out stays as it was, and a share is exact."""
    plan = [*rows(29, HIDDEN), *rows(71, FieldChange("UnlockAfterDays", 1, 2))]

    judged = judge(plan, settings={"sections_deactivated": setting}, allowed=frozenset()).held

    assert [rail.limit for rail in judged] == ([] if limit is None else [limit])


def test_rows_of_the_sheet_that_rest_are_part_of_the_sheet() -> None:
    """The share of changed rows is seen over the whole sheet."""
    settings = {"rows_changed": RailSetting(max=None, share=0.5)}
    plan = rows(10, FieldChange("UnlockAfterDays", 1, 2))

    assert held([*plan, *resting(10)], settings=settings) == {}
    assert held([*plan, *resting(9)], settings=settings) == {"rows_changed": (10, 19)}


def test_an_allowed_rail_holds_nothing_and_no_other_is_lifted_with_it() -> None:
    """`--allow NAME` is about one accident, never about all."""
    plan = rows(60, HIDDEN)
    plan += [row(70, MOVED)]

    assert held(plan) == {"sections_deactivated": (60, 61), "sections_moved": (1, 61)}
    assert held(plan, allowed=["sections_deactivated"]) == {"sections_moved": (1, 61)}
    assert held(plan, allowed=["sections_deactivated", "sections_moved"]) == {}


def test_an_empty_plan_is_held_by_nothing() -> None:
    """Nor is one that sends nothing, whatever the profile says."""
    strict = {rail.name: RailSetting(max=0, share=0.0) for rail in RAILS}

    assert held([], settings=strict) == held(resting(50), settings=strict) == {}


# words -------------------------------------------------------------------------------------------------------------


def test_a_refusal_prints_numbers_limit_examples_and_the_way_on() -> None:
    """Three examples, the rest counted; one rail after the other."""
    plan = [*rows(3, HIDDEN), *rows(4, MOVED), *resting(3)]
    settings = {"sections_deactivated": RailSetting(max=2, share=None)}

    judged = judge(plan, settings=settings, allowed=frozenset()).held

    assert list(refusal_lines(judged)) == [
        "sections_deactivated: 3 of 7 rows to be sent would be hidden from members; the limit is at most 2.",
        "    row 2 · 102 · Active: True → False",
        "    row 3 · 103 · Active: True → False",
        "    row 4 · 104 · Active: True → False",
        "    If that is meant, say so with --allow sections_deactivated",
        "sections_moved: 4 of 7 rows to be sent would move to another course; the limit is at most 0.",
        "    row 2 · 102 · CourseId: 12 → 13",
        "    row 3 · 103 · CourseId: 12 → 13",
        "    row 4 · 104 · CourseId: 12 → 13",
        "    … and 1 more",
        "    If that is meant, say so with --allow sections_moved",
    ]


def test_the_population_from_which_a_share_counts_is_a_setting() -> None:
    """A share of a handful of rows means nothing, and how many are no handful is for the profile to say."""
    plan = [*rows(3, CLEARED), *rows(3, FieldChange("DisplayOrder", 1, 2))]
    setting = RailSetting(max=None, share=0.4, share_from=6)

    assert held(plan, settings={"cells_cleared": setting}) == {"cells_cleared": (3, 6)}
    assert held(plan, settings={"cells_cleared": replace(setting, share_from=7)}) == {}


def test_a_lifted_rail_is_still_told() -> None:
    """What was lifted goes into the report and the facts of the run, by name; what holds goes there as an error."""
    plan = rows(2, MOVED)

    lifted = judge(plan, settings={}, allowed={"sections_moved", "rows_changed"})
    held_now = judge(plan, settings={}, allowed=frozenset())

    assert (lifted.held, [rail.name for rail in lifted.lifted]) == ((), ["sections_moved"])
    assert lifted_rails(lifted.issues) == ("sections_moved",)
    assert [issue.severity for issue in lifted.issues] == [Severity.NOTE]
    assert [(issue.code, issue.severity) for issue in held_now.issues] == [("rail.held", Severity.ERROR)]
    assert lifted_rails(held_now.issues) == ()


def test_a_held_run_says_why_in_one_line() -> None:
    """Exit 6, each rail with its numbers, and the next step."""
    rail = HeldRail("a", "would go", 2, 1_000, "rows of the sheet", "at most 1", (Example(RowNumber(2), "7", "x"),))

    error = held_run([rail, replace(rail, name="b")])

    assert error.exit_code == 6
    assert str(error) == (
        "Nothing was sent: held by a: 2 of 1,000 rows of the sheet would go; the limit is at most 1;"
        " b: 2 of 1,000 rows of the sheet would go; the limit is at most 1."
        " Mend the sheet or, if that is meant, add --allow a --allow b."
    )
    assert held_run([rail], of_sheet=False).remedy == "If that is meant, add --allow a."


def test_a_long_text_is_shown_by_its_length() -> None:
    """Nobody reads a whole text in a refusal."""
    (rail,) = judge(rows(26, CLEARED), settings={}, allowed=frozenset()).held

    assert str(rail.examples[0]) == f"row 2 · 102 · SectionContents: {len(LONG)} → 0 characters"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        pytest.param("row_changed", 'Did you mean "rows_changed"?', id="near"),
        pytest.param("Sections_Moved", 'Did you mean "sections_moved"?', id="case"),
        pytest.param("force", f"Rails: {', '.join(rail.name for rail in RAILS)}.", id="far"),
    ],
)
def test_an_unknown_rail_is_refused_with_the_nearest_name(name: str, remedy: str) -> None:
    """In a profile and on the command line alike."""
    with pytest.raises(ConfigError) as caught:
        check_names(["rows_changed", name], place="--allow")

    assert str(caught.value) == f'"{name}" in --allow is no rail. {remedy}'


def test_every_rail_can_be_named() -> None:
    """And their names are told apart."""
    names = [rail.name for rail in RAILS]

    check_names(names, place="--allow")
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("value", [0, 3.5, True, None, ["A"], {"a": 1}])
def test_odd_values_of_the_server_break_no_rail(value: Json) -> None:
    """A rail judges what is there, whatever its type."""
    fields = ("Title", "SectionContents", "Active", "CourseId")

    assert isinstance(held(row(at, FieldChange(name, value, "A")) for at, name in enumerate(fields, 2)), dict)
