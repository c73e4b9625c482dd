"""A state machine over one profile: people edit, apply, resume; everything goes wrong at any time; every promise holds.

The sheet, the lock, the store, the ledger, the journal and the reports are real, and so is all that decides; the
server, the way to it and time are simulated.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sync.section import Json
from sync.windows import Limit, Scope
from tests.simulated_profile import Cells, Fate, Profile, Told
from tests.simulated_promises import Watcher
from tests.simulated_server import Fault, section
from tests.simulation import SimulatedSenders
from tests.world import DOCUMENTED

SECTIONS = (1, 2, 3, 4, 5)
IN_MEMORY = "/dev/shm"  # noqa: S108 - a folder of its own is made in it
PUT_FAULTS = (
    "undelivered", "throttle", "lost", "lost_applied", "late", "broken", "broken_applied", "refuse", "gone",
    "unauthorised", "forbidden", "misdirected", "odd", "ignore", "slow", "edit",
)  # fmt: skip
READ_FAULTS = ("undelivered", "throttle", "broken", "lost", "unauthorised", "partial", "misdirected", "slow", "edit")
FEW_A_DAY = (Limit(Scope.WRITE, 4, 86_400.0), Limit(Scope.ALL, 20, 60.0))
LIMITS = (
    (),
    DOCUMENTED,
    (Limit(Scope.WRITE, 2, 30.0), Limit(Scope.ALL, 1, 0.1)),
    FEW_A_DAY,
)
DAY_S = 86_400.0
ENOUGH = 12
"""So many commands end whatever is unfinished, once nothing goes wrong any more."""

titles = st.sampled_from(["Asked A", "Asked B", "Asked C", "Theirs", "Section 1"])
cells = st.builds(lambda title: {"Title": title}, titles) | st.fixed_dictionaries(
    {},
    optional={
        "Title": titles,
        "DisplayOrder": st.sampled_from(["1", "2", "50", "77"]),
        "Active": st.sampled_from(["TRUE", "FALSE"]),
        "SectionContents": st.sampled_from(["<p>Old</p>", "<p>New</p>"]),
    },
)
sheets = st.dictionaries(st.sampled_from(SECTIONS), cells, min_size=1, max_size=len(SECTIONS))
theirs = st.sampled_from(
    [{"Title": "Theirs"}, {"Title": "Asked A"}, {"DisplayOrder": 77}, {"Active": False}, {"SectionContents": None}]
)
faults = st.builds(
    lambda of_kind, **rest: Fault(of_kind[1], of=of_kind[0], **rest),
    st.sampled_from([*(("put", kind) for kind in PUT_FAULTS), *(("read", kind) for kind in READ_FAULTS)]),
    id=st.none() | st.sampled_from(SECTIONS),
    skip=st.integers(0, 2),
    times=st.sampled_from([1, 1, 2, 4]),
    retry_after_s=st.sampled_from([None, 0.5, 70.0, 2000.0]),
    fields=theirs,
    delay_s=st.sampled_from([1.0, 30.0, 100.0]),
)
happenings = st.sampled_from(["sleep", "jump on", "jump back", "edit", "rival"])
turns = st.integers(1, 12)
fates = st.one_of(
    st.just(()),
    st.tuples(st.sampled_from(["dies_before", "dies_at_turn", "dies_at_event", "stopped_at_turn"]), turns),
)


End = tuple[str, int] | tuple[()]
"""How a command is ended, and where; nothing where it comes to its end."""
Happenings = Sequence[tuple[int, str]]
"""In which wait of a command what happens."""


class Desk(RuleBasedStateMachine):
    """One operator's profile, and everything that may befall it."""

    make_profile: Callable[..., Profile] = Profile
    counted: ClassVar[Counter[str]] = Counter()
    """Over all examples: what a soak tells."""
    example_ended: ClassVar[Callable[["Counter[str]"], None]] = staticmethod(lambda _: None)
    """Told of what was counted so far."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        place = IN_MEMORY if Path(IN_MEMORY).is_dir() else None
        self.folder = Path(self.stack.enter_context(TemporaryDirectory(dir=place)))
        self.written = 0

    @initialize(
        limits=st.sampled_from(LIMITS),
        latency_s=st.sampled_from([0.001, 0.02, 0.2, 3.0]),
        places=st.sampled_from([1, 2, 8]),
        verify=st.booleans(),
        cells=sheets,
    )
    def begin(self, limits: Sequence[Limit], latency_s: float, places: int, cells: Cells, *, verify: bool) -> None:
        """A profile, five sections, a first sheet."""
        records = [section(section_id) for section_id in SECTIONS]
        self.profile = type(self).make_profile(
            self.folder, records, limits=limits, latency_s=latency_s, in_flight=places, verify=verify, stop_after=4
        )
        self.watcher = Watcher(self.profile, {number: dict(self.profile.server.records[number]) for number in SECTIONS})
        self.profile.saw = self.watcher.saw
        self.was_set = False
        self.profile.write(cells)

    # what people do ---------------------------------------------------------------------------------------------

    @rule(cells=sheets, as_new_file=st.booleans())
    def edit_the_sheet(self, cells: Cells, *, as_new_file: bool) -> None:
        """Other edits in the same file, or in another one."""
        self.written += 1
        self.profile.write(cells, name=f"sheet-{self.written}.csv" if as_new_file else "sheet.csv")

    @rule(section_id=st.sampled_from(SECTIONS), fields=theirs)
    def edit_live(self, section_id: int, fields: Mapping[str, Json]) -> None:
        """Somebody else, in the admin panel."""
        self.profile.server.edit(section_id, **fields)

    @rule(section_id=st.sampled_from(SECTIONS), value=st.sampled_from([None, 1, 1.0, "", {"deep": [1, None]}]))
    def add_a_live_field(self, section_id: int, value: Json) -> None:
        """The API grows a field that nobody has heard of."""
        self.profile.server.edit(section_id, NewField=value)

    @rule(fate=fates, happens=st.lists(st.tuples(turns, happenings), max_size=2))
    def apply(self, fate: End, happens: Happenings) -> None:
        """The sheet in hand is applied, whatever is unfinished."""
        self.tell("apply", self.profile.apply(self.fate(fate, happens)))

    @rule(cells=sheets, troubles=st.lists(faults, max_size=3), fate=fates)
    def apply_another_sheet_in_trouble(self, cells: Cells, troubles: Sequence[Fault], fate: End) -> None:
        """A new sheet while the server has its troubles."""
        self.edit_the_sheet(cells, as_new_file=True)
        self.profile.server.script += troubles
        self.tell("apply", self.profile.apply(self.fate(fate, [])))

    @rule(fate=fates, happens=st.lists(st.tuples(turns, happenings), max_size=2))
    def resume(self, fate: End, happens: Happenings) -> None:
        """The last unfinished run is gone on with."""
        told = self.profile.resume(self.fate(fate, happens))
        if told is not None:
            self.tell("resume", told)

    # what goes wrong --------------------------------------------------------------------------------------------

    @rule(fault=faults)
    def something_will_go_wrong(self, fault: Fault) -> None:
        """A throttle, an answer that gets lost, a server in trouble: waits for a request that fits it."""
        self.profile.server.script.append(fault)

    @rule()
    def all_goes_well_again(self) -> None:
        """What has not gone wrong by now will not."""
        self.profile.server.script.clear()

    @rule(seconds=st.sampled_from([1.0, 61.0, 3600.0, DAY_S]))
    def time_passes(self, seconds: float) -> None:
        """Nobody does anything."""
        self.profile.clock.sleep(seconds)

    @rule(seconds=st.sampled_from([-DAY_S, -600.0, 600.0, DAY_S]))
    def the_clock_is_set(self, seconds: float) -> None:
        """By a person, or by a server of time that was away for long."""
        self.profile.clock.jump(seconds)
        self.was_set = True

    @rule(off_s=st.sampled_from([20.0, 300.0, DAY_S]))
    def the_machine_boots(self, off_s: float) -> None:
        """Another boot clock begins."""
        self.profile.clock.reboot(off_s=off_s)
        self.watcher.misled |= self.was_set

    # what holds -------------------------------------------------------------------------------------------------

    @invariant()
    def every_promise_holds(self) -> None:
        """After each step."""
        if hasattr(self, "watcher"):
            self.judge()

    @rule()
    def calm(self) -> None:
        """Once nothing goes wrong any more, the sheet is done, and applying it again sends nothing."""
        self.settle_down()

    def settle_down(self) -> None:
        self.profile.server.script.clear()
        self.profile.clock.sleep(2 * DAY_S)
        for _ in range(ENOUGH):
            told = self.profile.apply()
            if told.code in (0, 4):
                break
            self.profile.clock.sleep(DAY_S)
        assert told.code in (0, 4), (told, told.error)
        self.profile.clock.sleep(2 * DAY_S)
        self.apply_all({"updated", "unchanged", "conflict"})
        sent = len(self.profile.server.puts)
        self.apply_all({"unchanged", "conflict"})

        assert len(self.profile.server.puts) == sent, "I5: a row that is as asked was sent"

    def apply_all(self, statuses: set[str]) -> None:
        """Apply to the end, over as many days as the limits want."""
        for _ in range(ENOUGH):
            told = self.profile.apply()
            if told.code in (0, 4):
                assert told.result is not None
                found = {outcome.status.value for outcome in told.result.report.outcomes}
                assert found <= statuses, f"all is well, and rows are {found}"
                return
            self.profile.clock.sleep(DAY_S)
        raise AssertionError(f"the run does not end: {told}, {told.error}")

    def teardown(self) -> None:
        """Whatever has happened, it can be brought to an end."""
        try:
            if hasattr(self, "watcher") and sys.exc_info()[0] is None:
                self.settle_down()
                self.judge()
                self.counted.update(examples=1, puts=len(self.profile.server.puts), sessions=self.profile.commands)
                self.example_ended(self.counted)
        finally:
            self.stack.close()

    def judge(self) -> None:
        broken = self.watcher.promises()
        assert not broken, "; ".join(broken)

    def tell(self, command: str, told: Told) -> None:
        if currently_in_test_context():
            note(f"{command}: {told.code}")
        self.counted.update({"deaths": told.was_killed, "commands": 1})
        assert told.code != 1, told.error

    def fate(self, fate: End, happens: Happenings) -> Fate:
        ready: dict[str, Callable[[SimulatedSenders], None]] = {
            "sleep": lambda senders: senders.fall_asleep(8 * 3600.0),
            "jump on": lambda _: self.the_clock_is_set(DAY_S),
            "jump back": lambda _: self.the_clock_is_set(-DAY_S),
            "edit": lambda _: self.profile.server.edit(2, Title="Theirs"),
            "rival": lambda _: self.profile.rival(),
        }
        made = Fate(at_turn={turn: partial(ready[what]) for turn, what in happens})
        if fate:
            setattr(made, *fate)
        return made
