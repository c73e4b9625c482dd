"""Sign-ins take places in the windows of the profile like every other write: counted, waited for, throttled for all."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from sync.adapters.secret import Secret
from sync.adapters.store import RequestMeter
from sync.adapters.tokens import PasswordGrant
from sync.breaker import Breaker
from sync.errors import Interrupted, OutOfAllowance, StoppedEarly
from sync.windows import Limit, Scope
from tests.contract.test_quota import TWO_A_MINUTE, process
from tests.simulation import FakeClock

BASE = "https://spaces.example.com/api"
DAY_S = 86_400.0
GRANTED = {"access_token": "a", "token_type": "bearer", "expires_in": 604_799, "refresh_token": "r"}


def grant(
    folder: Path,
    clock: FakeClock,
    answer: Callable[[], httpx.Response] = lambda: httpx.Response(200, json=GRANTED),
    limits: tuple[Limit, ...] = TWO_A_MINUTE,
) -> PasswordGrant:
    """A process that signs in, its requests counted."""
    return PasswordGrant(
        BASE,
        state_dir=folder,
        username="admin@example.com",
        password=Secret("canary"),
        transport=httpx.MockTransport(lambda _: answer()),
        wall=clock.wall,
        place=meter(folder, clock, limits).place,
    )


def meter(folder: Path, clock: FakeClock, limits: tuple[Limit, ...] = TWO_A_MINUTE) -> RequestMeter:
    return RequestMeter(folder, clock, limits, "m", 180.0, Breaker(wait_max_s=900.0), clock.sleep)


def test_a_sign_in_and_a_renewal_count_as_writes_and_as_requests(tmp_path: Path) -> None:
    """Every command of the profile finds them in its windows, a minute from their answers."""
    clock = FakeClock()
    both = (Limit(Scope.WRITE, 3, 60), Limit(Scope.ALL, 5, 60))
    source = grant(tmp_path, clock, limits=both)
    source.current()
    source.renew(1)

    with process(tmp_path, clock, both, "other") as other:
        assert other.ledger.taken(clock.boot()) == {both[0]: 2, both[1]: 2}
        assert [other.exchange(), other.exchange()] == [True, False]
        assert other.wait_s() == 60.0


def test_a_sign_in_waits_for_its_place(tmp_path: Path) -> None:
    """Two writes a minute are taken by another process: the server sees no third."""
    clock = FakeClock()
    asked: list[float] = []

    def answer() -> httpx.Response:
        asked.append(clock.boot())
        return httpx.Response(200, json=GRANTED)

    with process(tmp_path, clock, name="other") as other:
        assert [other.exchange(), other.exchange()] == [True, True]
        grant(tmp_path, clock, answer).current()

    assert asked == [1060.0]


def test_a_sign_in_waits_no_longer_than_a_run_does(tmp_path: Path) -> None:
    """A day's allowance that is used up stops the command, in the words of every other stop; nothing is asked."""
    clock = FakeClock()
    a_day = (Limit(Scope.WRITE, 1, DAY_S),)
    with process(tmp_path, clock, a_day, "other") as other:
        assert other.exchange()
        with pytest.raises(
            OutOfAllowance, match=r"allowance of writes is used up; .* 24 h, at .* Try again then"
        ) as stop:
            grant(tmp_path, clock, pytest.fail, a_day).current()  # type: ignore[arg-type]  # it is never called

    assert stop.value.wait_s == DAY_S


def test_a_sign_in_that_waits_can_be_told_to_stop(tmp_path: Path) -> None:
    """Whoever listens to signals has told the meter."""
    clock = FakeClock()
    told = Interrupted("told to end", signal_number=15)
    with process(tmp_path, clock, name="other") as other:
        assert [other.exchange(), other.exchange()] == [True, True]
        waiting = meter(tmp_path, clock)
        waiting.stop_asked = lambda: told if clock.boot() > 1003.0 else None
        with pytest.raises(Interrupted), waiting.place():
            pytest.fail("nothing may be sent")

    assert clock.boot() < 1005.0


def test_a_throttled_sign_in_holds_the_whole_profile(tmp_path: Path) -> None:
    """What the server asked of the sign-in it asked of all."""
    clock = FakeClock()
    throttled = httpx.Response(409, headers={"Retry-After": "30"})
    with pytest.raises(StoppedEarly, match="wait before signing in"):
        grant(tmp_path, clock, lambda: throttled).current()

    with process(tmp_path, clock, name="other") as other:
        pause = other.ledger.paused(clock.boot())
        assert pause is not None
        assert (pause.asked_s, other.wait_s()) == (30.0, pytest.approx(30.05))


def test_a_sign_in_that_died_under_way_counts(tmp_path: Path) -> None:
    """Until it can no longer be under way, and a window after."""
    clock = FakeClock()
    with pytest.raises(ZeroDivisionError), meter(tmp_path, clock).place():
        raise ZeroDivisionError

    with process(tmp_path, clock, name="other") as other:
        assert [other.exchange(), other.exchange()] == [True, False]
