"""The quota ledger on a real store: shared by processes, kept over restarts, and deaf to a wall clock that jumps."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sync.adapters.store import QuotaLedger, RunJournal, Store, open_store
from sync.adapters.store.quota import FOREIGN_LEAVES_S, LOOK_AGAIN_S
from sync.model import QuotaUse
from sync.ports import Pause
from sync.sandbox.windows import Limit as ServersLimit
from sync.sandbox.windows import SlidingWindows
from sync.windows import SPACING_MARGIN_S, Limit, Scope
from tests.simulation import FakeClock

ROOT = Path(__file__).parents[2]
DAY = 86_400.0
GIVE_UP_S = 180.0
TWO_A_MINUTE = (Limit(Scope.WRITE, 2, 60),)
FIVE_A_DAY = (Limit(Scope.WRITE, 5, DAY),)


class Process:
    """One process of the profile: its own connection and its own ledger."""

    def __init__(self, folder: Path, clock: FakeClock, limits: Sequence[Limit], name: str) -> None:
        self.clock = clock
        self.store: Store = open_store(folder, clock)
        self.ledger = QuotaLedger(limits, clock, owner=name, give_up_s=GIVE_UP_S)
        self.journal = RunJournal(self.store, self.ledger)
        with self.store.transaction() as connection:
            self.ledger.forget_old(connection)
            self.ledger.catch_up(connection)

    def take(self, scope: Scope = Scope.WRITE) -> int | None:
        with self.journal.batch() as batch:
            return batch.reserve(scope)

    def hear(self, slot: int) -> None:
        self.ledger.answered(slot, self.clock.boot())
        with self.journal.batch() as batch:
            batch.answered(slot, self.clock.boot())

    def exchange(self) -> bool:
        """One request, answered at once; False if there was no place for it."""
        slot = self.take()
        if slot is not None:
            self.hear(slot)
        return slot is not None

    def wait_s(self, scope: Scope = Scope.WRITE) -> float:
        self.journal.refresh()
        return self.ledger.earliest(scope, self.clock.boot()) - self.clock.boot()


@contextmanager
def process(
    folder: Path, clock: FakeClock, limits: Sequence[Limit] = TWO_A_MINUTE, name: str = "a"
) -> Iterator[Process]:
    one = Process(folder, clock, limits, name)
    with closing(one.store):
        yield one


def test_what_one_process_takes_another_lacks(tmp_path: Path) -> None:
    """The windows are the profile's: two processes together never get more than one alone."""
    clock = FakeClock()
    with process(tmp_path, clock, name="a") as one, process(tmp_path, clock, name="b") as other:
        taken = [one.exchange(), other.exchange(), one.exchange(), other.exchange()]

        assert taken == [True, True, False, False]
        assert one.wait_s() == other.wait_s() == 60.0
        clock.sleep(60.0)
        assert [other.exchange(), other.exchange(), other.exchange()] == [True, True, False]


def test_an_answer_that_another_process_waits_for_is_looked_for_again_and_again(tmp_path: Path) -> None:
    """No answer of our own will wake us: the store is asked until theirs is there, and the minute counts from it."""
    clock = FakeClock()
    with process(tmp_path, clock, name="a") as one, process(tmp_path, clock, name="b") as other:
        slots = [one.take(), one.take()]
        clock.sleep(5.0)
        assert other.wait_s() == LOOK_AGAIN_S
        clock.sleep(5.0)
        for slot in slots:
            assert slot is not None
            one.hear(slot)

        assert other.wait_s() == 60.0


def test_spacing_counts_from_when_a_request_of_another_process_has_surely_left(tmp_path: Path) -> None:
    """It may still be connecting long after it took its place; its answer says that it left before."""
    clock = FakeClock()
    spaced = (Limit(Scope.ALL, 1, 0.1),)
    with process(tmp_path, clock, spaced, name="a") as one, process(tmp_path, clock, spaced, name="b") as other:
        slot = one.take()
        apart_s = 0.1 + SPACING_MARGIN_S
        assert slot is not None
        assert other.wait_s() == pytest.approx(FOREIGN_LEAVES_S + apart_s)
        clock.sleep(0.05)
        one.hear(slot)

        assert other.wait_s() == pytest.approx(apart_s)
        clock.sleep(apart_s)
        assert other.exchange()
    with process(tmp_path, clock, spaced, name="c") as third:
        assert third.wait_s() == pytest.approx(apart_s)


def test_a_request_of_a_dead_process_counts_until_it_can_no_longer_be_under_way(tmp_path: Path) -> None:
    """Nobody will say that it was answered: it is taken for answered when its time has passed, and not before."""
    clock = FakeClock()
    with process(tmp_path, clock, name="dead") as dead:
        assert [dead.take(), dead.take()] != [None, None]
    with process(tmp_path, clock, name="next") as one:
        clock.sleep(GIVE_UP_S - 1.0)
        assert (one.take(), one.wait_s()) == (None, LOOK_AGAIN_S)
        clock.sleep(1.0)
        assert (one.take(), one.wait_s()) == (None, 60.0)
        clock.sleep(60.0)
        assert one.exchange()


def test_a_request_that_nobody_listens_for_counts_until_it_can_no_longer_be_under_way(tmp_path: Path) -> None:
    """The same within one process, after a run that stopped without an answer; a late answer still counts."""
    clock = FakeClock()
    with process(tmp_path, clock) as one:
        slots = [one.take(), one.take()]
        for slot in slots:
            assert slot is not None
            one.ledger.lost(slot)
        assert one.wait_s() == LOOK_AGAIN_S
        clock.sleep(10.0)
        assert slots[0] is not None
        one.hear(slots[0])
        assert one.wait_s() == 60.0
        clock.sleep(GIVE_UP_S)
        assert one.take() is not None
        assert slots[1] is not None
        one.hear(slots[1])


def test_the_allowance_of_a_day_is_kept_over_restarts(tmp_path: Path) -> None:
    """A new process finds what earlier ones have used up, and when it is renewed."""
    clock = FakeClock()
    for name in ("monday", "noon"):
        with process(tmp_path, clock, FIVE_A_DAY, name) as one:
            assert [one.exchange(), one.exchange()] == [True, True]
            clock.sleep(3600.0)
    with process(tmp_path, clock, FIVE_A_DAY, "evening") as one:
        assert one.ledger.use(clock.boot()) == (QuotaUse("5 writes in 86400 s", 4, 5),)
        assert [one.exchange(), one.exchange()] == [True, False]
        assert one.wait_s() == DAY - 7200.0


@pytest.mark.parametrize("jump_s", [DAY, -DAY, 40 * DAY, -40 * DAY], ids=["day", "day-back", "weeks", "weeks-back"])
@pytest.mark.parametrize("restarts", [False, True], ids=["same-process", "new-process"])
def test_a_wall_clock_that_jumps_frees_nothing_within_a_boot(tmp_path: Path, jump_s: float, *, restarts: bool) -> None:
    """Neither a correction by the hour nor a wrong year: only time that has really passed frees a place."""
    clock = FakeClock()
    with process(tmp_path, clock, FIVE_A_DAY) as one:
        assert all(one.exchange() for _ in range(5))
        clock.jump(jump_s)
        if not restarts:
            assert not one.exchange()
    with process(tmp_path, clock, FIVE_A_DAY, "b") as other:
        assert not other.exchange()
        assert other.wait_s() == DAY
        clock.sleep(DAY)
        assert other.exchange()


def test_what_an_earlier_boot_left_is_aged_by_the_wall_clock(tmp_path: Path) -> None:
    """Eight hours switched off are eight hours; of unanswered requests as well."""
    clock = FakeClock()
    with process(tmp_path, clock, FIVE_A_DAY) as one:
        assert all(one.exchange() for _ in range(4))
        assert one.take() is not None
    clock.reboot(off_s=8 * 3600.0)
    with process(tmp_path, clock, FIVE_A_DAY, "b") as other:
        assert not other.exchange()
        assert other.wait_s() == pytest.approx(DAY - 8 * 3600.0)


def test_an_earlier_boot_is_never_in_the_future(tmp_path: Path) -> None:
    """A clock that was set back over a restart makes requests younger than they are, never not yet sent."""
    clock = FakeClock()
    with process(tmp_path, clock, FIVE_A_DAY) as one:
        assert all(one.exchange() for _ in range(5))
    clock.reboot(off_s=-30 * DAY)
    with process(tmp_path, clock, FIVE_A_DAY, "b") as other:
        assert other.wait_s() == DAY


def test_a_pause_holds_every_process_of_the_profile(tmp_path: Path) -> None:
    """One is told to wait, all wait: those at work, those that start, those after a restart of the machine."""
    clock = FakeClock()
    with process(tmp_path, clock, name="a") as one, process(tmp_path, clock, name="b") as other:
        until = clock.boot() + 300.0
        one.ledger.pause(Pause(until, 7.0), widen=False)
        with one.journal.batch() as batch:
            batch.pause(Pause(until, 7.0))

        assert (other.wait_s(Scope.ALL), other.take(Scope.ALL)) == (300.0, None)
    with process(tmp_path, clock, name="c") as third:
        assert third.wait_s(Scope.ALL) == 300.0
    clock.reboot(off_s=100.0)
    with process(tmp_path, clock, name="d") as fourth:
        assert fourth.wait_s(Scope.ALL) == pytest.approx(200.0)


def test_without_limits_nothing_is_counted_but_a_pause_holds(tmp_path: Path) -> None:
    """`limits = []` is for servers of one's own; what the server asks for is heeded there too."""
    clock = FakeClock()
    with process(tmp_path, clock, ()) as one:
        slots = [one.take() for _ in range(100)]
        for slot in slots:
            assert slot is not None
            one.hear(slot)
        one.ledger.pause(Pause(clock.boot() + 10.0, None), widen=False)
        assert one.take() is None
        clock.sleep(10.0)
        assert one.take() is not None
        assert one.store.connection.exec_driver_sql("SELECT count(*) FROM slots").scalar_one() == 0


def test_a_number_that_was_forgotten_never_comes_again(tmp_path: Path) -> None:
    """Other processes read on from the last number that they saw: a recycled one would go unseen."""
    clock = FakeClock()
    with process(tmp_path, clock, name="old") as old:
        assert old.exchange()
        clock.sleep(10 * DAY)
        with process(tmp_path, clock, name="new") as new:
            assert new.store.connection.exec_driver_sql("SELECT count(*) FROM slots").scalar_one() == 0
            assert [new.exchange(), new.exchange()] == [True, True]
        assert not old.exchange()


WORKER = """
    import sys, time
    from pathlib import Path
    from sync.adapters.clock import SystemClock
    from sync.adapters.store import QuotaLedger, RunJournal, open_store
    from sync.windows import Limit, Scope

    folder, name, wanted = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    clock = SystemClock()
    limits = (Limit(Scope.WRITE, 10, 1.5), Limit(Scope.ALL, 1, 0.02))
    store = open_store(folder, clock)
    ledger = QuotaLedger(limits, clock, owner=name, give_up_s=30.0)
    journal = RunJournal(store, ledger)
    sys.stdin.read()
    while wanted:
        with journal.batch() as batch:
            slot = batch.reserve(Scope.WRITE)
        if slot is None:
            journal.refresh()
            now = clock.boot()
            time.sleep(min(0.5, max(0.001, ledger.earliest(Scope.WRITE, now) - now)))
            continue
        sent = clock.boot()
        ledger.departed(slot, sent)
        time.sleep(0.01)
        answered = clock.boot()
        ledger.answered(slot, answered)
        with journal.batch() as batch:
            batch.answered(slot, answered)
        print(sent, flush=True)
        wanted -= 1
    store.close()
"""


def test_two_real_processes_never_exceed_a_limit_together(tmp_path: Path) -> None:
    """Each as fast as it may, on one store: a strict server counts no window too full, and none is left unused."""
    words = [sys.executable, "-c", textwrap.dedent(WORKER), str(tmp_path / "state")]
    processes = [
        subprocess.Popen([*words, name, "15"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    for one in processes:
        assert one.stdin is not None
        one.stdin.close()
        one.stdin = None
    outputs = [one.communicate(timeout=60)[0] for one in processes]

    sent = sorted(float(line) for output in outputs for line in output.split())
    server = SlidingWindows([ServersLimit("write", 10, 1.5)])
    assert [one.returncode for one in processes] == [0, 0]
    assert len(sent) == 30
    assert [at for at in sent if server.judge("me", "PUT", at) is not None] == []
    assert sent[-1] - sent[0] < 15.0
