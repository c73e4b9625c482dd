"""What leaves next, and when: nothing of the allowance is wasted, nothing is read more often than it must be."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from sync.adapters.store import QuotaLedger, RunJournal, open_store
from sync.departures import ApplySettings
from sync.exchange import Put, ReadBatch, Request
from sync.frozen import replace
from sync.model import Status
from sync.windows import Limit, Scope, least_makespan_s
from tests.simulation import Fault, SimulatedSenders, ids_of
from tests.world import DOCUMENTED, GIVE_UP_S, World

SETTINGS = ApplySettings()


def world(
    folder: Path,
    rows: int,
    *,
    limits: Sequence[Limit] = (),
    latency_s: float = 0.2,
    jitter_s: float = 0.0,
    settings: ApplySettings = SETTINGS,
) -> World:
    chance = Random(f"{rows} {latency_s}")
    return World(
        folder / "state",
        {number: {"Title": f"New {number}"} for number in range(1, rows + 1)},
        limits=limits,
        latency_s=latency_s,
        jitter=lambda: chance.random() * jitter_s,
        settings=settings,
    )


@pytest.mark.parametrize(
    ("rows", "latency_s", "jitter_s"),
    [
        pytest.param(1000, 0.2, 0.0, id="1000-rows"),
        pytest.param(1000, 0.2, 0.3, id="1000-rows-jitter"),
        pytest.param(130, 0.0, 0.0, id="no-latency"),
        pytest.param(130, 0.05, 0.05, id="50-ms"),
        pytest.param(130, 0.2, 0.0, id="200-ms"),
        pytest.param(130, 0.5, 0.0, id="500-ms"),
        pytest.param(130, 0.5, 0.2, id="500-ms-jitter"),
        pytest.param(61, 3.0, 0.0, id="3-s"),
    ],
)
def test_the_documented_limits_are_used_to_the_full_and_never_exceeded(
    tmp_path: Path, rows: int, latency_s: float, jitter_s: float
) -> None:
    """No throttle from a strict server; within 1 % and one latency of the least time in which anybody could do it.

    And of reads no more than one fresh and one verifying a window.
    """
    made = world(tmp_path, rows, limits=DOCUMENTED, latency_s=latency_s, jitter_s=jitter_s)
    made.apply()

    first, last = made.server.puts[0].at, made.server.puts[-1].at
    least_s, windows = least_makespan_s(DOCUMENTED, rows), -(-rows // 60)
    assert set(made.statuses().values()) == {Status.UPDATED}
    assert made.server.throttled == []
    assert last - first <= least_s * 1.01 + latency_s + jitter_s
    assert first - 1000.0 <= 2 * latency_s + jitter_s + 0.2
    assert len(made.server.reads) <= 2 * windows
    assert made.broken_promises() == []


def test_sixty_rows_take_seconds_and_not_a_minute(tmp_path: Path) -> None:
    """Bursts are wanted: the window allows all of them at once, only the spacing holds them apart."""
    made = world(tmp_path, 60, limits=DOCUMENTED)
    made.apply()

    assert made.clock.boot() - 1000.0 < 8.0


@pytest.mark.parametrize("latency_s", [0.0, 0.2], ids=["no-latency", "200-ms"])
def test_without_limits_all_places_are_in_use_all_the_time(tmp_path: Path, latency_s: float) -> None:
    """Eight in flight; records are read ahead; one fresh and one verifying read a batch of Ids."""
    made = world(tmp_path, 450, latency_s=latency_s)
    made.apply()

    least_s = 450 / 8 * latency_s
    assert made.clock.boot() - 1000.0 <= least_s * 1.03 + 4 * latency_s
    assert len(made.server.reads) <= 2 * 5
    assert made.senders.turns <= 450


def test_a_slow_start_of_requests_costs_time_but_no_throttle(tmp_path: Path) -> None:
    """Where a connection is slow to get its bytes out, spacing counts from when they are out."""
    chance = Random(7)
    made = world(tmp_path, 80, limits=DOCUMENTED)

    def dawdle(senders: SimulatedSenders) -> None:
        senders.leaves_after_s = lambda: chance.random() * 0.08

    made.prepare = dawdle
    made.apply()

    assert made.server.throttled == []
    assert set(made.statuses().values()) == {Status.UPDATED}


def test_every_record_is_fresh_when_its_put_leaves(tmp_path: Path) -> None:
    """With a slow window, rows are read in portions as they can leave, not all at the start."""
    made = world(tmp_path, 40, limits=(Limit(Scope.WRITE, 5, 60),))
    made.apply()

    fresh = [served for served in made.server.reads if isinstance(served.request, ReadBatch)]
    assert made.broken_promises() == []
    assert max(len(ids_of(served.request)) for served in fresh) == 5
    assert len(made.server.reads) <= 2 * 8


def test_a_shorter_age_of_records_is_kept_as_well(tmp_path: Path) -> None:
    """Five seconds: more reads, no PUT on anything older."""
    made = world(tmp_path, 130, limits=DOCUMENTED, settings=replace(SETTINGS, fresh_for_s=5.0))
    made.apply()

    assert made.broken_promises() == []
    assert made.server.throttled == []
    assert set(made.statuses().values()) == {Status.UPDATED}


def test_rows_leave_in_the_order_of_the_sheet(tmp_path: Path) -> None:
    """As long as nothing goes wrong, the operator sees the sheet done from the top."""
    made = world(tmp_path, 200, limits=DOCUMENTED)
    made.apply()

    order = [ids_of(put.request)[0] for put in made.server.puts]
    assert all(before < after for before, after in pairwise(order))


def test_a_long_wait_between_windows_is_used_to_verify(tmp_path: Path) -> None:
    """A row is verified within a second of the last PUT of its window, long before the next window opens."""
    made = world(tmp_path, 120, limits=DOCUMENTED)
    made.apply()

    verifying = made.server.reads[1]
    assert made.server.puts[59].answered_at <= verifying.sent_at <= made.server.puts[59].answered_at + 1.0


def test_a_row_that_another_process_outran_comes_next(tmp_path: Path) -> None:
    """Its place was taken between the look and the transaction: it keeps its turn, and loses no attempt."""
    made = world(tmp_path, 30, limits=(Limit(Scope.WRITE, 10, 60), Limit(Scope.ALL, 1, 0.1)))
    other_store = open_store(made.state_dir, made.clock)
    ledger = QuotaLedger(made.limits, made.clock, owner="other", give_up_s=GIVE_UP_S)
    journal = RunJournal(other_store, ledger)
    turns = Random(3)

    def compete(senders: SimulatedSenders) -> None:
        def look(request: Request) -> None:
            if isinstance(request, Put) and turns.random() < 0.4:
                made.timeline.at(made.clock.boot() + 0.1049, take_a_place)

        senders.witness = look

    def take_a_place() -> None:
        with journal.batch() as batch:
            slot = batch.reserve(Scope.WRITE)
        if slot is not None:
            ledger.answered(slot, made.clock.boot())
            with journal.batch() as batch:
                batch.answered(slot, made.clock.boot())

    made.prepare = compete
    made.apply()
    other_store.close()

    assert {(outcome.status, outcome.attempts) for outcome in made.outcomes().values()} == {(Status.UPDATED, 1)}
    assert made.server.throttled == []
    assert [ids_of(put.request)[0] for put in made.server.puts] == list(range(1, 31))


def test_a_stopped_run_reads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    """Verifying reads are of use, fresh ones are not."""
    made = world(tmp_path, 40, settings=replace(SETTINGS, ids_per_request=3))
    made.server.script.append(Fault("misdirected", skip=4))
    made.apply()

    (stop,) = [put for put in made.server.puts if not put.applied][:1]
    late = [served for served in made.server.reads if served.sent_at > stop.answered_at]
    updated = {number for number, status in made.statuses().items() if status is Status.UPDATED}
    assert {number for served in late for number in ids_of(served.request)} <= updated


def test_rows_that_were_handed_over_wait_all_the_same_when_one_of_them_is_throttled(tmp_path: Path) -> None:
    """Where PUTs share a place, those behind a no are taken back: none leaves in the pause, none loses an attempt."""
    made = world(tmp_path, 200, latency_s=0.001)
    made.server.script.append(Fault("throttle", skip=120, retry_after_s=7.0))
    made.apply()

    (throttled,) = made.server.throttled
    later = [put for put in made.server.puts if put.sent_at > throttled.answered_at]
    assert min(put.sent_at for put in later) >= throttled.answered_at + 7.0
    assert {(outcome.status, outcome.attempts) for outcome in made.outcomes().values()} == {(Status.UPDATED, 1)}
    assert len(made.server.puts) == 201
    assert made.broken_promises() == []
