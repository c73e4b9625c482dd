"""Retention: what is old enough to go, and what stays however old it is."""

from hypothesis import given
from hypothesis import strategies as st

from sync.frozen import replace
from sync.model import InputFacts, RowNumber, RunFacts, RunId
from sync.retention import DAY_S, Kept, Old, Retention, old_enough

NOW = 1_772_442_847.0
RETENTION = Retention(uploads_days=10, before_images_days=20, reports_days=30)


def run(name: str, *, days: float, state: str = "finished", copy: str = "") -> RunFacts:
    ended = NOW - days * DAY_S
    return RunFacts(
        RunId(name),
        "apply",
        "p",
        "u",
        "a",
        InputFacts("f", "0" * 64, "S", 1),
        copy or f"inputs/{name}.xlsx",
        "xlsx",
        RowNumber(1),
        ended - 60,
        "me",
        state=state,
        finished_wall=None if state == "open" else ended,
    )


def kinds(found: tuple[Old, ...]) -> list[tuple[str, str]]:
    return [(old.run.run_id, old.kind.value) for old in found]


runs = st.lists(
    st.builds(
        lambda number, days, state, copy: (number, days, state, copy),
        st.integers(0, 10**6),
        st.floats(0, 60),
        st.sampled_from(["open", "stopped", "finished"]),
        st.sampled_from(["a", "b", ""]),
    ),
    max_size=8,
    unique_by=lambda each: each[0],
).map(lambda all_: [run(f"r{number}", days=days, state=state, copy=copy) for number, days, state, copy in all_])


def test_each_kind_goes_at_its_own_age() -> None:
    """Uploads, before-images and reports have days of their own, counted from the end of the run."""
    found = old_enough([run("r1", days=15), run("r2", days=35), run("r3", days=5)], RETENTION, now_wall=NOW, gone={})

    assert kinds(found) == [("r2", "upload"), ("r2", "before_images"), ("r2", "report"), ("r1", "upload")]


@given(runs, st.booleans())
def test_nothing_of_a_run_that_can_be_resumed_goes(all_: list[RunFacts], ask: bool) -> None:  # noqa: FBT001 - drawn
    """However old it is, and though it is named; nor the sheet that such a run shares with another."""
    only = all_[0].run_id if ask and all_ else None
    found = old_enough(all_, Retention(0, 0, 0), now_wall=NOW + 1, gone={}, only=only)
    open_copies = {each.input_copy for each in all_ if each.state != "finished"}

    assert all(old.run.state == "finished" for old in found)
    assert not any(old.kind is Kept.UPLOAD and old.run.input_copy in open_copies for old in found)
    if only is not None:
        assert {old.run.run_id for old in found} <= {only}


@given(runs)
def test_what_went_does_not_go_again(all_: list[RunFacts]) -> None:
    """Purging twice finds nothing the second time."""
    first = old_enough(all_, RETENTION, now_wall=NOW, gone={})
    gone: dict[RunId, frozenset[Kept]] = {}
    for old in first:
        gone[old.run.run_id] = gone.get(old.run.run_id, frozenset()) | {old.kind}

    assert old_enough(all_, RETENTION, now_wall=NOW, gone=gone) == ()


def test_a_run_that_is_named_goes_whole_however_young() -> None:
    """`--run` asks for everything of one run, and of no other."""
    young, old = run("r1", days=0.1), run("r2", days=99)

    found = old_enough([young, old], RETENTION, now_wall=NOW, gone={}, only=young.run_id)

    assert kinds(found) == [("r1", kind.value) for kind in Kept]
    assert old_enough([replace(young, state="stopped")], RETENTION, now_wall=NOW, gone={}, only=young.run_id) == ()
