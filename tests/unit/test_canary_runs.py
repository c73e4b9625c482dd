"""A canary in the simulated world: what a stage showed decides whether the next begins, over deaths and resumes too."""

from pathlib import Path

import pytest

from sync.canary import Canary, parse_canary, stages
from sync.departures import ApplySettings
from sync.errors import StoppedEarly
from sync.frozen import replace
from sync.model import Label, Outcome, RowNumber, Status, Verified
from tests.simulated_server import ids_of
from tests.simulation import Fault, Killed, SimulatedSenders
from tests.world import RUN, World

STEPS = "1,3,50%"


def world(folder: Path, *faults: Fault, rows: int = 10, steps: str = STEPS) -> World:
    """Rows that each ask for a new title, sent in stages."""
    made = World(
        folder / "state",
        {number: {"Title": f"New {number}"} for number in range(1, rows + 1)},
        settings=ApplySettings(settle_after_s=120.0),
        canary=steps,
    )
    made.server.script += faults
    return made


def put_of(made: World) -> set[int]:
    """The sections that a PUT was sent for."""
    return {section_id for put in made.server.puts for section_id in ids_of(put.request)}


def sent_before_read_back(made: World, ends: tuple[int, ...]) -> list[int]:
    """How many sections had been sent when the last row of each stage but the last was read back."""
    counts = []
    for end in ends[:-1]:
        done = max(served.answered_at for served in made.server.puts_of(end))
        read = min(each.sent_at for each in made.server.reads if each.sent_at >= done and end in ids_of(each.request))
        counts.append(sum(served.sent_at < read for served in made.server.puts))
    return counts


def test_each_stage_is_read_back_before_the_next_begins(tmp_path: Path) -> None:
    """1, 3 and 5 of ten rows, then the rest; in the end everything is as without a canary."""
    made = world(tmp_path)

    ending = made.apply()

    assert ending.stopped is None
    assert set(made.statuses().values()) == {Status.UPDATED}
    assert {outcome.verified for outcome in made.outcomes().values()} == {Verified.YES}
    assert sent_before_read_back(made, (1, 3, 5, 10)) == [1, 3, 5]
    assert [event["next_rows"] for event in made.heard.of("canary.passed")] == [3, 5, 10]
    assert made.broken_promises() == []


def test_a_row_that_is_not_read_back_is_no_good_news(tmp_path: Path) -> None:
    """Without a read there is no verdict: the run stops after its first row rather than go on blindly."""
    made = world(tmp_path)
    made.settings = replace(made.settings, verify=False)

    ending = made.apply()

    assert isinstance(ending.stopped, StoppedEarly)
    assert "could not be read back" in str(ending.stopped)
    assert put_of(made) == {1}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("refuse", id=2), id="rejected"),
        pytest.param(Fault("ignore", id=2), id="not stored"),
        pytest.param(Fault("edit", of="read", id=2, skip=1, fields={"Title": "Mine"}), id="conflict"),
    ],
)
def test_a_stage_that_did_not_go_well_stops_the_run(tmp_path: Path, fault: Fault) -> None:
    """Exit 5 with what was applied, and how to undo it; the rest is not attempted, and can be resumed."""
    made = world(tmp_path, fault)

    ending = made.apply()

    assert ending.exit_code == 5
    assert isinstance(ending.stopped, StoppedEarly)
    assert "1 of 2 rows of the canary did not go well" in str(ending.stopped)
    assert "the other 7 rows were not sent" in str(ending.stopped)
    assert f"coursesync undo {RUN}" in ending.stopped.remedy
    assert list(made.statuses().values())[3:] == [Status.NOT_ATTEMPTED] * 7
    assert put_of(made) <= {1, 2, 3}


def test_a_lost_answer_is_settled_before_its_stage_is_judged(tmp_path: Path) -> None:
    """Nobody knows how the first row went until a read says so: the others wait for it."""
    made = world(tmp_path, Fault("lost_applied", id=1))

    ending = made.apply()

    assert ending.stopped is None
    assert made.server.puts_of(2)[0].sent_at > made.server.puts_of(1)[0].sent_at + 120
    assert set(made.statuses().values()) == {Status.UPDATED}


def test_a_resume_judges_the_stage_once_more(tmp_path: Path) -> None:
    """It sends nothing until the operator says that the bad rows were looked at; then it goes on to the end."""
    made = world(tmp_path, Fault("refuse", id=2))
    made.apply()
    sent = len(made.server.puts)

    again = made.resume()
    assert isinstance(again.stopped, StoppedEarly)
    assert len(made.server.puts) == sent

    made.go_past_the_canary()
    ending = made.resume()
    assert ending.stopped is None
    assert list(made.statuses().values()).count(Status.UPDATED) == 9


def test_going_past_one_stage_does_not_go_past_the_next(tmp_path: Path) -> None:
    """What was looked at is forgiven, and nothing else."""
    made = world(tmp_path, Fault("refuse", id=1), Fault("refuse", id=3))
    made.apply()
    made.go_past_the_canary()

    ending = made.resume()

    assert "1 of 2 rows of the canary did not go well: row 4 (3) rejected" in str(ending.stopped)
    assert put_of(made) == {1, 2, 3}


@pytest.mark.parametrize("turn", range(1, 12, 2))
@pytest.mark.parametrize("kind", ["ignore", "refuse"])
def test_a_death_never_lets_a_stage_go_unjudged(tmp_path: Path, kind: str, turn: int) -> None:
    """Wherever the process dies, nothing of the second stage leaves while the first is not as asked."""
    made = world(tmp_path, Fault(kind, id=1, times=9), rows=6, steps="1,3")

    def die(senders: SimulatedSenders) -> None:
        senders.dies_at_turn = turn if made.lives == 1 else None

    made.prepare = die
    made.apply_until_dead()
    for _ in range(3):
        try:
            made.resume()
        except Killed:
            continue

    assert put_of(made) == {1}


@pytest.mark.parametrize("turn", range(1, 16, 2))
def test_a_death_costs_a_canary_that_goes_well_nothing(tmp_path: Path, turn: int) -> None:
    """A row whose success was written down and never read back is read by the resume, and not sent again."""
    made = world(tmp_path, rows=6, steps="2,4")

    def die(senders: SimulatedSenders) -> None:
        senders.dies_at_turn = turn if made.lives == 1 else None

    made.prepare = die
    made.apply_until_dead()
    ending = made.resume_until_finished()

    assert ending.stopped is None
    assert set(made.statuses().values()) == {Status.UPDATED}
    assert {outcome.verified for outcome in list(made.outcomes().values())[:4]} == {Verified.YES}
    assert made.broken_promises() == []


def test_the_stages_of_a_resume_are_those_of_the_run() -> None:
    """Rows that are through count; a stage of nothing but them is judged by what the journal says."""
    order = [RowNumber(row) for row in range(2, 12)]
    earlier = {row: Outcome(row, Label(str(row)), Status.UPDATED, verified=Verified.YES) for row in order[:3]}
    canary = Canary(RUN, order, stages(parse_canary("1,5"), 10), earlier)

    assert [canary.may_go(row) for row in order[:2]] == [True, False]
    assert canary.next_stage({}) is None
    assert (canary.begin, canary.end) == (1, 5)
    bad = {5: Outcome(RowNumber(5), Label("5"), Status.FAILED)}
    assert "1 of 3 rows" in str(canary.next_stage(bad))
