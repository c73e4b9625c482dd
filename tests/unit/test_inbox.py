"""Which files of a drop folder are taken, what is done with what lies at work, and what an approval is worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.frozen import replace
from sync.inbox import (
    STARTS_MOST,
    Approval,
    Delivery,
    InboxSettings,
    Leave,
    Move,
    Place,
    Run,
    Sight,
    Take,
    Wait,
    approves,
    left_for_long,
    next_of,
    place_of,
    readable,
    reasons_to_tell,
    same_as,
    sort_out,
)

SETTINGS = InboxSettings()
DELIVERY = Delivery("20260302-091407-abcd", "sections.xlsx", "d1", None)
HELD = replace(DELIVERY, place=Place.APPROVAL, run_id="r1", plan_hash="p1", rails=("sections_moved",))
APPROVAL = Approval("r1", "d1", "p1", "production", ("sections_moved",), expires_wall=100.0)


def sight(name: str, *, at: float = 0.0, size: int = 10, inode: int = 1) -> Sight:
    return Sight(name, True, size, at, (1, inode, size, int(at), int(at)))


def names(verdicts: tuple[object, ...], kind: type[Take | Wait | Leave]) -> list[str]:
    return [verdict.sight.name for verdict in verdicts if isinstance(verdict, kind)]


@pytest.mark.parametrize(
    "name",
    [
        "~$sections.xlsx",
        ".~lock.sections.xlsx#",
        ".sections.xlsx.swp",
        "sections.xlsx~",
        "~WRL0001.tmp",
        "sections.xlsx.part",
        "sections.xlsx.partial",
        "sections.xlsx.crdownload",
        "sections.xlsx.filepart",
        ".syncthing.sections.xlsx.tmp",
        ".DS_Store",
        "desktop.ini",
        "Thumbs.db",
        "sections.TMP",
        "sections (Ada's conflicted copy 2026-03-02).xlsx",
        "sections.sync-conflict-20260302-091407-ABCDEFG.xlsx",
        "sections_conflict-20260302-091407.xlsx",
    ],
)
def test_lock_and_temporary_files_are_left_alone(name: str) -> None:
    """Of Excel, LibreOffice, editors, browsers and sync clients, and what two people changed at once."""
    look = [sight(name)]

    assert names(sort_out(look, look, SETTINGS), Leave) == [name]


@pytest.mark.parametrize(
    "name", ["sections.xlsx", "part.csv", "tmp.ods", "a~b.csv", "Kurse (Kopie).xlsx", "report.CSV"]
)
def test_other_names_are_ours(name: str) -> None:
    """A sheet may be called nearly anything; what is in it decides later."""
    look = [sight(name)]

    assert names(sort_out(look, look, SETTINGS), Take) == [name]


def test_folders_and_links_are_left_alone() -> None:
    """Only regular files are sheets."""
    look = [replace(sight("done"), is_file=False)]

    assert names(sort_out(look, look, SETTINGS), Leave) == ["done"]


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        pytest.param([], [sight("a.csv")], "written", id="new"),
        pytest.param([sight("a.csv")], [sight("a.csv", size=20)], "written", id="grown"),
        pytest.param([sight("a.csv")], [sight("a.csv", inode=2)], "written", id="replaced"),
        pytest.param([sight("a.csv")], [sight("a.csv", at=1)], "written", id="rewritten"),
        pytest.param(
            [sight("a.xlsx"), sight("~$a.xlsx")], [sight("a.xlsx"), sight("~$a.xlsx")], "open in a program", id="excel"
        ),
        pytest.param([sight("a.ods")], [sight("a.ods"), sight(".~lock.a.ods#")], "open in a program", id="libreoffice"),
        pytest.param(
            [replace(sight("a.xlsx"), whole=False)],
            [replace(sight("a.xlsx"), whole=False, unchanged_s=899)],
            "end is not there",
            id="half",
        ),
        pytest.param(
            [replace(sight("a.xlsx"), whole=False)],
            [replace(sight("a.xlsx"), whole=False, unchanged_s=-9e9)],
            "end is not there",
            id="half-and-the-clock-went-back",
        ),
    ],
)
def test_what_is_not_finished_waits(first: list[Sight], second: list[Sight], reason: str) -> None:
    """Whatever says that somebody may still be writing."""
    verdicts = sort_out(first, second, SETTINGS)

    assert names(verdicts, Take) == []
    assert reason in next(iter(reasons_to_tell(verdicts).values()))


def test_a_file_that_never_gets_its_end_is_taken_at_last() -> None:
    """It is refused then, with the reader's reason, instead of lying there for ever."""
    look = [replace(sight("a.xlsx"), whole=False, unchanged_s=901)]

    assert names(sort_out(look, look, SETTINGS), Take) == ["a.xlsx"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)), unique_by=lambda each: each[0], max_size=6))
def test_the_oldest_file_comes_first(files: list[tuple[str, int]]) -> None:
    """By the time of its content, then by name, however the folder lists them."""
    look = [sight(name, at=at) for name, at in files]
    expected = [name for name, _ in sorted(files, key=lambda each: (each[1], each[0]))]

    assert names(sort_out(look, look, SETTINGS), Take) == expected


@pytest.mark.parametrize(
    ("delivery", "ended", "twin", "what"),
    [
        pytest.param(DELIVERY, None, None, Run(), id="new"),
        pytest.param(replace(DELIVERY, starts=2), None, None, Run(), id="died-twice"),
        pytest.param(DELIVERY, ("r1", 0), None, Move(Place.DONE, 0, run_id="r1"), id="died-before-the-move"),
        pytest.param(DELIVERY, ("r1", 4), None, Move(Place.ATTENTION, 4, run_id="r1"), id="the-same-with-attention"),
        pytest.param(HELD, None, None, Move(Place.APPROVAL, 0, run_id="r1"), id="died-on-the-way-to-approval"),
    ],
)
def test_what_was_run_is_only_moved(
    delivery: Delivery, ended: tuple[str, int] | None, twin: Delivery | None, what: Run | Move
) -> None:
    """A process that dies after the run has ended costs a move and no second run."""
    assert next_of(delivery, ended=ended, twin=twin, done="/in/done/a/sections.xlsx", words="") == what


@pytest.mark.parametrize(
    ("unchanged_s", "left"), [(901.0, ["a (conflicted copy).csv"]), (86_401.0, ["a (conflicted copy).csv", "b.xlsx"])]
)
def test_what_nobody_will_take_is_named(unchanged_s: float, left: list[str]) -> None:
    """Two versions of a file, and a file whose lock has lain there for a day; what is being written is not."""
    names = ["a (conflicted copy).csv", "b.xlsx", "~$b.xlsx", "c.csv", ".hidden"]
    sights = [Sight(name, True, 9, 1.0, (1,), unchanged_s=unchanged_s) for name in names]

    assert sorted(left_for_long(sort_out(sights, sights, SETTINGS), SETTINGS)) == left


def test_a_file_over_which_the_program_dies_is_put_aside() -> None:
    """After some starts in a row without an end, so that it does not keep the files behind it from being run."""
    move = next_of(replace(DELIVERY, starts=STARTS_MOST), ended=None, twin=None, done="", words="")

    assert isinstance(move, Move)
    assert (move.place, move.exit_code) == (Place.ATTENTION, 1)


def test_what_is_known_already_says_the_command_that_works_as_it_stands() -> None:
    """With the options of this profile, and with the path where the file lies afterwards."""
    waiting = replace(HELD, delivery="earlier")
    done = replace(DELIVERY, delivery="earlier", place=Place.DONE, run_id="r0")
    words = "--profile main"
    held, again = (
        next_of(DELIVERY, ended=None, twin=twin, done="/in/done/a b.csv", words=words) for twin in (waiting, done)
    )

    assert isinstance(held, Move)
    assert held.reason.endswith(": coursesync approve r1 --profile main")
    assert isinstance(again, Move)
    assert again.reason.endswith(": coursesync apply '/in/done/a b.csv' --profile main")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("ü\u00a0é.csv", "ü\u00a0é.csv"), ("a\udcff.csv", "a\ufffd.csv"), ("a\n\x1b[2J.csv", "a\ufffd\ufffd[2J.csv")],
    ids=["text", "no-utf-8", "acts-on-a-terminal"],
)
def test_a_name_that_cannot_be_written_down_gets_one_that_can(name: str, shown: str) -> None:
    """What is text stays; nothing in a name acts on whoever reads it."""
    assert readable(name) == shown


@pytest.mark.parametrize(
    ("place", "known"),
    [(Place.DONE, True), (Place.APPROVAL, True), (Place.ATTENTION, False), (Place.REFUSED, False), (None, False)],
)
def test_the_same_content_again_is_known_where_it_needs_no_run(place: Place | None, known: bool) -> None:  # noqa: FBT001 - of the table
    """Done, or waiting; what failed or was refused may be tried again."""
    earlier = replace(DELIVERY, delivery="earlier", place=place, run_id="r0")
    twin = same_as([earlier, DELIVERY], "d1", but=DELIVERY.delivery)

    assert (twin is not None) is known
    assert isinstance(next_of(DELIVERY, ended=None, twin=twin, done="", words=""), Move if known else Run)
    assert same_as([earlier], "d2", but=DELIVERY.delivery) is None


@pytest.mark.parametrize(
    ("approval", "holds"),
    [
        pytest.param(APPROVAL, True, id="as-given"),
        pytest.param(replace(APPROVAL, run_id="r2"), False, id="another-run"),
        pytest.param(replace(APPROVAL, sha256="d2"), False, id="another-file"),
        pytest.param(replace(APPROVAL, plan_hash="p2"), False, id="another-plan"),
        pytest.param(replace(APPROVAL, profile="sandbox"), False, id="another-profile"),
        pytest.param(replace(APPROVAL, expires_wall=49.9), False, id="expired"),
    ],
)
def test_an_approval_is_for_file_plan_and_profile_and_ends(approval: Approval, holds: bool) -> None:  # noqa: FBT001 - of the table
    """Each of them alone makes it void."""
    assert approves(approval, HELD, profile="production", now_wall=50.0) is holds
    assert not approves(approval, HELD, profile="production", now_wall=50.0, plan_hash="p9")


def test_every_exit_code_has_its_place() -> None:
    """What can go on, or failed for reasons that are not the file's, stays at work."""
    places = {code: place_of(code) for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 129, 130, 143)}

    assert {code for code, place in places.items() if place is Place.WORK} == {1, 2, 5, 8, 129, 130, 143}
    assert (places[0], places[3], places[4], places[6], places[7]) == (
        Place.DONE,
        Place.REFUSED,
        Place.ATTENTION,
        Place.APPROVAL,
        Place.REFUSED,
    )
