"""Laws of sending: whatever goes wrong on the way, resuming ends with every row in a status that is true."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, note, settings
from hypothesis import strategies as st

from sync.departures import ApplySettings
from sync.model import Status
from sync.windows import Limit, Scope
from tests.simulation import Fault, SimulatedSenders
from tests.world import DOCUMENTED, World

ROWS_AT_MOST = 6
LIVES_AT_MOST = 40
PUT_FAULTS = (
    "undelivered", "throttle", "lost", "lost_applied", "late", "broken", "broken_applied", "refuse", "gone",
    "unauthorised", "forbidden", "misdirected", "odd", "ignore", "slow", "edit",
)  # fmt: skip
READ_FAULTS = ("undelivered", "throttle", "broken", "lost", "unauthorised", "partial", "misdirected", "slow", "edit")
LIMITS = ((), DOCUMENTED, (Limit(Scope.WRITE, 2, 30),), (Limit(Scope.ALL, 1, 5),))


@dataclass(frozen=True)
class Story:
    """What happens to a run."""

    rows: int
    faults: Sequence[Fault]
    edits: Sequence[tuple[float, int, str]]
    deaths: Sequence[tuple[int | None, int | None]]
    """Of each life: before which request, or at which turn it ends."""
    limits: Sequence[Limit]
    latency_s: float
    places: int
    ids_per_request: int
    verify: bool


def faults(kinds: Sequence[str], of: str) -> st.SearchStrategy[Fault]:
    return st.builds(
        Fault,
        st.sampled_from(kinds),
        of=st.just(of),
        id=st.none() | st.integers(1, ROWS_AT_MOST),
        skip=st.integers(0, 3),
        times=st.sampled_from([1, 1, 2, 4]),
        retry_after_s=st.sampled_from([None, 0.5, 70.0, 2000.0]),
        fields=st.sampled_from([{"Title": "Theirs"}, {"DisplayOrder": 77}]),
        delay_s=st.sampled_from([1.0, 30.0, 150.0]),
    )


stories = st.builds(
    Story,
    rows=st.integers(1, ROWS_AT_MOST),
    faults=st.lists(faults(PUT_FAULTS, "put") | faults(READ_FAULTS, "read"), max_size=5),
    edits=st.lists(
        st.tuples(st.floats(0, 300), st.integers(1, ROWS_AT_MOST), st.sampled_from(["Title", "DisplayOrder"])),
        max_size=2,
    ),
    deaths=st.lists(st.tuples(st.none() | st.integers(1, 9), st.none() | st.integers(1, 12)), max_size=3),
    limits=st.sampled_from(LIMITS),
    latency_s=st.sampled_from([0.0, 0.004, 0.2, 3.0]),
    places=st.sampled_from([1, 2, 8]),
    ids_per_request=st.sampled_from([1, 3, 150]),
    verify=st.booleans(),
)


def tell(story: Story, folder: Path) -> World:
    """Set the story up."""
    world = World(
        folder / "state",
        {number: {"Title": f"New {number}"} for number in range(1, story.rows + 1)},
        limits=story.limits,
        latency_s=story.latency_s,
        places=story.places,
        settings=ApplySettings(ids_per_request=story.ids_per_request, verify=story.verify, stop_after=4),
    )
    world.server.script += [fault for fault in story.faults if fault.id is None or fault.id <= story.rows]
    for after_s, number, name in story.edits:
        if number <= story.rows:
            world.server.edit_at(1000.0 + after_s, number, **{name: "Theirs" if name == "Title" else 78})

    def die(senders: SimulatedSenders) -> None:
        if world.lives <= len(story.deaths):
            senders.dies_before, senders.dies_at_turn = story.deaths[world.lives - 1]

    world.prepare = die
    return world


@settings(max_examples=80)
@given(stories)
def test_every_run_ends_with_true_statuses_however_often_it_was_broken_off(story: Story) -> None:
    """Intents before PUTs, true statuses, whole bodies, reads between PUTs, few PUTs; and no intent stays open."""
    with TemporaryDirectory() as folder:
        world = tell(story, Path(folder))
        ending = world.apply_until_dead()
        if ending is None or ending.stopped is not None:
            ending = world.resume_until_finished(lives=LIVES_AT_MOST)
        note(str({number: status.value for number, status in world.statuses().items()}))

        most = max(sum(not put.surely_not_applied for put in world.server.puts_of(number)) for number in world.edits)
        assert world.broken_promises() == []
        assert Status.NOT_ATTEMPTED not in world.statuses().values()
        assert world.ask("SELECT count(*) FROM intents WHERE answer IS NULL") == [(0,)]
        assert most <= 3 + len(story.deaths)
        assert ending.exit_code in (0, 4)


@settings(max_examples=20)
@given(stories)
def test_once_all_is_well_another_run_makes_the_rest_so_and_a_third_sends_nothing(story: Story) -> None:
    """Convergence: rows that failed are sent again by a new run of the same sheet; then there is nothing left to do."""
    with TemporaryDirectory() as folder:
        world = tell(story, Path(folder))
        ending = world.apply_until_dead()
        if ending is None or ending.stopped is not None:
            world.resume_until_finished(lives=LIVES_AT_MOST)
        world.timeline.run_until(world.clock.boot() + 1000.0)
        world.server.script.clear()
        world.prepare = lambda _: None

        world.forget_the_run()
        assert world.apply().exit_code in (0, 4)
        left = {number for number, status in world.statuses().items() if status is Status.CONFLICT}
        for number, edit in world.edits.items():
            assert number in left or world.server.records[number]["Title"] == edit.values["Title"]
        sent = len(world.server.puts)
        world.forget_the_run()
        world.apply()
        assert len(world.server.puts) == sent
