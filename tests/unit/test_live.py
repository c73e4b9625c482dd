"""Reading the live state before anything is decided: whole, or not at all; and never waiting for nothing."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from sync.errors import ConfigError, Interrupted, OutOfAllowance, SignInError, StoppedEarly
from sync.exchange import ReadBatch, ReadPage
from sync.listing import read_page
from sync.live import read_live
from sync.model import SectionId
from sync.ports import Pause
from sync.reading import Found, Missing, Sight
from sync.windows import Limit, Scope
from tests.line_desk import Desk, desk
from tests.simulation import Fault

IDS = [SectionId(number) for number in range(1, 9)]


def read(at: Desk, ids: Sequence[SectionId] = IDS, *, size: int = 3, wait_max_s: float = 900.0) -> list[Sight]:
    return list(read_live(ids, at.line, at.clock, ids_per_request=size, wait_max_s=wait_max_s))


def test_every_id_is_seen_once(tmp_path: Path) -> None:
    """In batches, several of them at once where nothing spaces them."""
    with desk(tmp_path) as at:
        sights = read(at)

        assert sorted(sight.id for sight in sights) == IDS
        assert [type(sight) for sight in sights] == [Found] * 8
        assert (len(at.server.reads), at.clock.boot()) == (3, 1000.2)
        assert (at.line.in_flight, at.line.owes) == (0, False)


def test_nothing_is_asked_for_no_id(tmp_path: Path) -> None:
    """A sheet without a valid row costs no request."""
    with desk(tmp_path) as at:
        assert (read(at, []), at.server.seen) == ([], [])


def test_a_section_is_missing_only_when_the_server_says_so_of_it_alone(tmp_path: Path) -> None:
    """A batch that leaves it out proves nothing; a 404 to its own address does."""
    with desk(tmp_path) as at:
        del at.server.records[5]

        assert [sight for sight in read(at) if isinstance(sight, Missing)] == [Missing(SectionId(5))]


def test_a_limit_of_one_request_is_waited_for(tmp_path: Path) -> None:
    """The answer frees the place though nothing else is to be committed: eight reads, a minute apart."""
    with desk(tmp_path, limits=(Limit(Scope.ALL, 1, 60),)) as at:
        assert len(read(at, size=1)) == 8
        assert at.clock.boot() == pytest.approx(1000 + 7 * 60.2 + 0.2)
        assert at.senders.turns < 40


def test_a_place_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    """Its answer wakes nobody here: the store is looked at until it is there, or can no longer come."""
    limits = (Limit(Scope.ALL, 1, 60),)
    with desk(tmp_path, limits=limits) as at:
        with desk(tmp_path, limits=limits, clock=at.clock) as other:
            other.line.depart([other.read()])
        assert len(read(at, [SectionId(1)])) == 1
        assert at.clock.boot() == pytest.approx(1000 + 180 + 60 + 0.2, abs=1.5)


@pytest.mark.parametrize("kind", ["broken", "undelivered", "throttle"])
def test_trouble_that_passes_is_waited_out(tmp_path: Path, kind: str) -> None:
    """A read changes nothing, so it is asked again."""
    with desk(tmp_path, Fault(kind, of="read", times=2, retry_after_s=3.0)) as at:
        assert len(read(at)) == 8


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param(Fault("broken", of="read", times=99), StoppedEarly, id="5xx"),
        pytest.param(Fault("undelivered", of="any", times=99), StoppedEarly, id="not-there"),
        pytest.param(Fault("partial", of="read", times=99), StoppedEarly, id="partial-records"),
        pytest.param(Fault("unauthorised", of="read", times=99), SignInError, id="401"),
        pytest.param(Fault("forbidden", of="read", times=99), SignInError, id="403"),
        pytest.param(Fault("misdirected", of="read"), ConfigError, id="redirect"),
        pytest.param(Fault("throttle", of="read", retry_after_s=1000.0), StoppedEarly, id="throttled-for-long"),
        pytest.param(Fault("throttle", of="read", times=99), StoppedEarly, id="throttled-for-ever"),
    ],
)
def test_a_read_that_cannot_be_completed_decides_nothing(tmp_path: Path, fault: Fault, error: type[Exception]) -> None:
    """An error, never "nothing there"; nothing stays in flight that the next one would stumble over."""
    with desk(tmp_path, fault) as at:
        with pytest.raises(error):
            read(at)

        assert at.line.in_flight == 0
        assert at.senders.turns < 200


def test_an_allowance_that_is_used_up_ends_the_read(tmp_path: Path) -> None:
    """It says when it is renewed, rather than sleep for hours."""
    allowance = pytest.raises(OutOfAllowance, match=r"allowance of requests.*60 min.*Nothing was sent")
    with desk(tmp_path, limits=(Limit(Scope.ALL, 2, 3600),)) as at, allowance:
        read(at, size=1)


def test_a_signal_ends_the_read(tmp_path: Path) -> None:
    """Asked every turn."""
    with desk(tmp_path, limits=(Limit(Scope.ALL, 1, 60),)) as at:
        stop = Interrupted("told to end", signal_number=15)
        sights = read_live(
            IDS,
            at.line,
            at.clock,
            ids_per_request=1,
            wait_max_s=900.0,
            stop_asked=lambda: stop if at.clock.boot() > 1100 else None,
        )
        with pytest.raises(Interrupted):
            list(sights)

        assert at.clock.boot() < 1130


def test_a_reader_that_is_not_read_to_its_end_lets_go(tmp_path: Path) -> None:
    """Whoever breaks off leaves nothing behind that is never answered."""
    with desk(tmp_path) as at:
        sights = read_live(IDS, at.line, at.clock, ids_per_request=1, wait_max_s=900.0)
        next(sights)
        sights.close()  # type: ignore[attr-defined]  # a generator, said to be an iterator

        assert at.line.in_flight == 0


def test_requests_are_as_few_as_the_size_of_a_batch_allows(tmp_path: Path) -> None:
    """One request for all, in the order asked."""
    with desk(tmp_path) as at:
        read(at, size=150)

        assert [served.request for served in at.server.reads] == [ReadBatch(tuple(IDS))]


def test_a_list_does_not_wait_longer_than_a_run_does(tmp_path: Path) -> None:
    """A pause of a day ends the listing as it ends a run."""
    with desk(tmp_path) as at:
        at.ledger.pause(Pause(at.clock.boot() + 86_400.0, 86_400.0), widen=False)
        with pytest.raises(OutOfAllowance):
            read_page(ReadPage("coursesections", 1, 10), at.line, at.clock)
