"""The way out: what is committed before it leaves, what an answer means for all that follows, who pauses whom."""

from collections.abc import Sequence
from math import inf
from pathlib import Path

import pytest

from sync.breaker import DISBELIEF_S, Breaker
from sync.errors import ConfigError, OutOfAllowance, SignInError, StoppedEarly
from sync.exchange import Accepted, Put, ReadOne, Recalled, Records, Refused, Throttled
from sync.line import SLEEP_MAX_S, Departure, Line, out_of_allowance
from sync.model import SectionId
from sync.ports import Intent, Pause
from sync.windows import SPACING_MARGIN_S, Limit, Scope
from tests.line_desk import Desk, desk
from tests.simulation import Fault, section

SPACED = (Limit(Scope.ALL, 1, 0.1),)
COUNTED = (Limit(Scope.WRITE, 2, 60),)


def test_intents_and_effects_are_on_disk_before_anything_leaves(tmp_path: Path) -> None:
    """At the moment at which a request is handed over, its intent and what was owed are committed."""
    with desk(tmp_path) as at:
        committed: list[int] = []
        at.senders.witness = lambda _: committed.append(len(at.journal.open_intents()))

        at.line.depart([at.put(1), at.put(2)])

        assert committed == [2, 2]
        assert at.line.counts.writes == 2


def test_a_transaction_that_fails_lets_nothing_leave(tmp_path: Path) -> None:
    """A full disk stops the run before the server sees a byte."""
    with desk(tmp_path) as at:
        at.journal.store.connection.exec_driver_sql("PRAGMA max_page_count = 1")
        record = section(1, SectionContents="x" * 100_000)
        big = Departure(Put(SectionId(1), record), Intent(SectionId(1), 1, (), record))

        with pytest.raises(StoppedEarly, match="full"):
            at.line.depart([at.put(2), big])

        assert (at.senders.submitted, dict(at.journal.open_intents())) == (0, {})


def test_what_finds_no_place_is_given_back(tmp_path: Path) -> None:
    """Another process was faster: the departure comes back, without an intent."""
    with desk(tmp_path, limits=COUNTED) as at, desk(tmp_path, limits=COUNTED, clock=at.clock) as other:
        assert other.line.depart([other.put(1)]) == ()
        second, third = at.put(2), at.put(3)

        assert at.line.depart([second, third]) == (third,)
        assert set(at.journal.open_intents()) == {1, 2}
        assert at.line.in_flight == 1


def test_a_place_is_free_again_the_moment_its_answer_is_heard(tmp_path: Path) -> None:
    """The windows count it at once; the store learns of it with the next transaction."""
    with desk(tmp_path, limits=(Limit(Scope.WRITE, 1, 60),)) as at:
        at.line.depart([at.put()])
        assert (at.wait_s(Scope.WRITE), at.line.owes) == (inf, False)
        at.answers()

        assert at.wait_s(Scope.WRITE) == pytest.approx(60.0)
        assert at.line.owes
        at.line.settle_debts()
        assert not at.line.owes
        assert at.journal.store.connection.exec_driver_sql("SELECT answered_boot FROM slots").scalar_one() == 1000.2


def test_the_next_spaced_request_waits_until_the_last_one_has_really_left(tmp_path: Path) -> None:
    """A slow connection delays what follows, so that the server never sees two too close together."""
    with desk(tmp_path, limits=SPACED) as at:
        at.senders.leaves_after_s = lambda: 0.07
        at.line.depart([at.read()])
        assert at.wait_s() == inf

        assert at.line.arrivals(inf) == ()
        assert at.clock.boot() == pytest.approx(1000.07)
        assert at.wait_s() == pytest.approx(0.1 + SPACING_MARGIN_S)


@pytest.mark.parametrize(
    ("retry_after_s", "pause_s"),
    [pytest.param(7.0, 7.05, id="told"), pytest.param(None, 1.125, id="not-told"), pytest.param(0.0, 0.05, id="zero")],
)
def test_a_throttle_pauses_every_process(tmp_path: Path, retry_after_s: float | None, pause_s: float) -> None:
    """At once in this one, and in the others as soon as it is committed."""
    with desk(tmp_path, Fault("throttle", of="read", retry_after_s=retry_after_s)) as at:
        at.line.depart([at.read()])
        assert isinstance(at.answers()[0], Throttled)
        assert at.wait_s() == pytest.approx(pause_s)
        at.line.settle_debts()

        with desk(tmp_path, clock=at.clock) as other:
            assert other.wait_s() == pytest.approx(pause_s)
        assert at.line.counts.throttled == 1


def test_what_the_server_asked_for_is_told_however_late(tmp_path: Path) -> None:
    """Time passes between the look at the clock and the words: a pause is no allowance that is used up for that."""
    with desk(tmp_path, limits=COUNTED) as at:
        at.ledger.pause(Pause(at.clock.boot() + 3600.0, 3600.0), widen=False)
        wait_s = at.wait_s(Scope.WRITE)
        at.clock.sleep(0.3)

        stop = out_of_allowance(at.ledger, Scope.WRITE, at.clock, wait_s=wait_s, remedy="")

        assert "asked to wait 60 min" in stop.message


def test_no_server_can_order_a_pause_without_end(tmp_path: Path) -> None:
    """The run stops, and the next one may try in a quarter of an hour: no limit explains such a wait."""
    with desk(tmp_path, Fault("throttle", of="read", retry_after_s=10.0**12)) as at:
        at.line.depart([at.read()])
        at.answers()

        assert at.wait_s() == pytest.approx(DISBELIEF_S)
        reason = at.line.why_not(Scope.ALL, wait_max_s=900.0, remedy="Later.")
        assert isinstance(reason, StoppedEarly)
        assert "which no limit explains; the next request is tried in 15 min" in reason.message


@pytest.mark.parametrize("hours", [1, 24])
def test_a_long_wait_that_a_limit_explains_is_kept_to_and_said(tmp_path: Path, hours: int) -> None:
    """Nothing is tried before its time; what is said is what the server asked for, and of no allowance."""
    with desk(tmp_path, Fault("throttle", of="read", retry_after_s=hours * 3600.0)) as at:
        at.line.depart([at.read()])
        at.answers()
        at.line.settle_debts()

        with desk(tmp_path, clock=at.clock) as other:
            reason = other.line.why_not(Scope.ALL, wait_max_s=900.0, remedy="Later.")
        assert isinstance(reason, OutOfAllowance)
        assert reason.wait_s == pytest.approx(hours * 3600.0, abs=1.0)
        assert reason.message.startswith(f"The server throttled, and asked to wait {hours * 60 if hours == 1 else 24} ")
        assert "allowance" not in reason.message


def test_a_spacing_that_was_too_narrow_is_widened(tmp_path: Path) -> None:
    """After a throttle that asks for a second, requests keep more distance than the limit says."""
    with desk(tmp_path, Fault("throttle", of="read", retry_after_s=1.0), limits=SPACED) as at:
        for _ in range(2):
            at.line.depart([at.read()])
            while at.line.in_flight:
                at.answers()
            at.clock.sleep(at.wait_s())
        at.line.depart([at.read()])
        assert at.line.arrivals(inf) == ()

        assert at.wait_s() == pytest.approx(0.1 + 2 * SPACING_MARGIN_S)


def test_a_token_is_renewed_once_however_many_requests_it_failed(tmp_path: Path) -> None:
    """Each of them is told that another try is worth it; the second failure of a renewed one is not."""
    with desk(tmp_path) as at:
        at.server.token_generation = 2
        at.line.depart([at.read(number) for number in (1, 2, 3)])
        heard = at.hear()
        assert ([item.token_renewed for item in heard], at.tokens.generation) == ([True] * 3, 2)

        at.server.token_generation = 3
        at.line.depart([at.read()])
        (item,) = at.hear()
        assert (item.token_renewed, at.tokens.generation) == (False, 2)


def test_a_renewal_waits_for_what_is_under_way_and_nothing_leaves_before_it(tmp_path: Path) -> None:
    """It takes a place in the windows: an answer that nobody hears meanwhile would hold that place."""
    with desk(tmp_path, Fault("unauthorised", of="read"), Fault("slow", of="read", delay_s=5.0)) as at:
        at.line.depart([at.read(1), at.read(2)])
        assert at.hear(wait_s=1.0) == []
        assert (at.line.places, at.line.in_flight, at.tokens.generation) == (0, 2, 1)

        heard = at.hear()
        assert sorted(item.token_renewed for item in heard) == [False, True]
        assert (at.line.places, at.line.in_flight, at.tokens.generation) == (4, 0, 2)


def test_a_run_that_ends_before_the_renewal_has_heard_of_its_puts(tmp_path: Path) -> None:
    """Their intents stay open, and nobody takes them for those of a process that died."""
    with desk(tmp_path, Fault("unauthorised"), Fault("slow", of="read", delay_s=50.0)) as at:
        at.line.depart([at.put(1), at.read(2)])
        assert at.hear(wait_s=1.0) == []
        at.line.let_go()
        at.line.settle_debts()

        ((opened,),) = at.journal.open_intents().values()
        assert (opened.heard, opened.deaths) == (True, 0)


def test_a_token_is_renewed_ahead_between_two_requests(tmp_path: Path) -> None:
    """Nothing new leaves once it is due, and the renewal comes when the last answer is there."""
    with desk(tmp_path, Fault("slow", of="read", skip=1, delay_s=5.0)) as at:
        at.line.depart([at.read(1), at.read(2)])
        at.tokens.due = True
        assert len(at.hear()) == 1
        assert (at.line.places, at.tokens.renewed_ahead) == (0, 0)

        assert len(at.hear()) == 1
        assert (at.line.places, at.tokens.renewed_ahead) == (4, 1)


def test_a_good_answer_in_between_makes_a_new_renewal_worthwhile(tmp_path: Path) -> None:
    """Tokens that expire one after the other, over days, are each renewed."""
    with desk(tmp_path) as at:
        renewed = []
        for generation in (2, 3, 4):
            at.server.token_generation = generation
            for _ in range(2):
                at.line.depart([at.read()])
                renewed += [item.token_renewed for item in at.hear()]

        assert renewed == [True, False] * 3


def test_a_sign_in_that_is_lost_stops_the_line(tmp_path: Path) -> None:
    """Whether the renewal is refused, or there was nothing to send with."""
    lost = SignInError("The password was refused.", remedy="Sign in.")
    with desk(tmp_path, Fault("unauthorised", of="read")) as at:
        at.tokens.fails_with = lost
        at.line.depart([at.read()])
        at.answers()
        assert at.line.why_not(Scope.ALL, wait_max_s=900.0, remedy="") is lost
    with desk(tmp_path) as at:
        at.senders.no_sign_in = StoppedEarly("No sign-in.")
        at.line.depart([at.read()])
        at.answers()
        assert at.line.stop is at.senders.no_sign_in


def test_an_allowance_that_is_used_up_is_told_from_a_short_wait(tmp_path: Path) -> None:
    """Only a wait that is longer than the run waits is a reason to stop; one that hangs on an answer never is."""
    with desk(tmp_path, limits=(Limit(Scope.WRITE, 1, 3600),)) as at:
        assert at.line.why_not(Scope.WRITE, wait_max_s=900.0, remedy="Later.") is None
        at.line.depart([at.put()])
        assert at.line.why_not(Scope.WRITE, wait_max_s=900.0, remedy="Later.") is None
        at.answers()

        assert at.line.why_not(Scope.ALL, wait_max_s=900.0, remedy="Later.") is None
        reason = at.line.why_not(Scope.WRITE, wait_max_s=900.0, remedy="Later.")
        assert isinstance(reason, OutOfAllowance)
        assert str(reason) == (
            "The allowance of writes is used up; the next one is free in 60 min, at 2026-03-02 10:15 UTC. Later."
        )
        assert reason.wait_s == pytest.approx(3600.0)


def test_an_open_breaker_leaves_one_place_for_a_probe(tmp_path: Path) -> None:
    """And none while something is still in flight."""
    with desk(tmp_path, Fault("undelivered", of="read", times=4), Fault("slow", of="read", delay_s=50.0)) as at:
        at.line.depart([at.read()])
        at.line.breaker.trouble_in_a_row = 4
        at.answers()
        assert (at.line.breaker.probing, at.line.places) == (True, 1)
        assert at.wait_s() == pytest.approx(15.0)
        at.line.depart([at.read(2)])
        assert at.line.places == 0


def test_a_wait_is_never_longer_than_a_minute_at_a_stretch(tmp_path: Path) -> None:
    """A machine that slept looks at its clock, and the hour to stop at is not overslept."""
    with desk(tmp_path) as at:
        at.line.arrivals(inf)

        assert at.clock.boot() == 1000.0 + SLEEP_MAX_S


def test_an_answer_that_an_earlier_run_let_go_of_is_nobodys(tmp_path: Path) -> None:
    """A run that stopped leaves requests under way; the next one in the same process is not told of them."""
    with desk(tmp_path, Fault("lost", delay_s=100.0), limits=COUNTED) as at:
        at.line.depart([at.put()])
        at.line.let_go()
        at.line.settle_debts()
        ((intent,),) = at.journal.open_intents().values()
        assert (intent.heard, intent.deaths, at.line.in_flight) == (True, 0, 0)

        later = Line(at.senders, at.journal, at.ledger, at.tokens, at.clock, lambda: 0.5, Breaker(wait_max_s=900.0))
        later.depart([at.read(2)])
        answers = [heard.arrival.answer for _ in range(4) for heard in later.arrivals(at.clock.boot() + 60)]
        assert [type(answer).__name__ for answer in answers] == ["OneRecord"]
        assert later.earliest(Scope.WRITE, at.clock.boot()) <= at.clock.boot()


def test_retries_have_a_budget(tmp_path: Path) -> None:
    """Ten always, then one in ten requests."""
    with desk(tmp_path) as at:
        assert [at.line.take_retry(after_death=False) for _ in range(11)] == [True] * 10 + [False]
        for _ in range(30):
            at.line.depart([at.read(number) for number in (1, 2, 3, 4)])
            at.answers()
        assert [at.line.take_retry(after_death=False) for _ in range(3)] == [True, True, False]
        assert at.line.counts.reads == 120


def test_a_foreign_error_of_the_tokens_is_not_swallowed(tmp_path: Path) -> None:
    """Only errors of ours are reasons to stop in good order."""
    with desk(tmp_path, Fault("unauthorised", of="read")) as at:
        at.tokens.fails_with = ConfigError("The certificate is wrong.")
        at.line.depart([at.read()])
        at.answers()

        assert isinstance(at.line.stop, ConfigError)


def test_records_come_back_under_the_request_that_asked_for_them(tmp_path: Path) -> None:
    """Answers in any order: the ticket tells whose they are."""
    with desk(tmp_path, Fault("slow", of="read", id=1, delay_s=5.0)) as at:
        at.line.depart([at.read(1), at.read(2)])
        heard = [item for _ in range(2) for item in at.hear()]

        assert [item.arrival.request for item in heard] == [ReadOne(SectionId(2)), ReadOne(SectionId(1))]
        assert not any(isinstance(item.arrival.answer, Records) for item in heard)


def places_as_it_goes(at: Desk, turns: int) -> list[int]:
    """How many may leave at once, turn by turn, each of them a PUT that is heard."""
    found = []
    for _ in range(turns):
        found.append(at.line.places)
        at.line.depart([at.put(number) for number in range(1, at.line.places + 1)])
        while at.line.in_flight:
            at.hear()
    return found


@pytest.mark.parametrize(
    ("latency_s", "limits", "places"),
    [
        pytest.param(0.0, (), [4, 8, 16, 32, 64, 64], id="next-door"),
        pytest.param(0.004, (), [4, 8, 16, 20, 20, 20], id="near"),
        pytest.param(0.05, (), [4, 4, 4, 4, 4, 4], id="far"),
        pytest.param(0.0, SPACED, [4, 4], id="spaced"),
    ],
)
def test_puts_share_a_place_where_the_server_is_near(
    tmp_path: Path, latency_s: float, limits: Sequence[Limit], places: Sequence[int]
) -> None:
    """Twice as many each time all goes well, and no more than are done in the time that a person notices."""
    with desk(tmp_path, limits=limits, latency_s=latency_s, sections=64) as at:
        assert places_as_it_goes(at, len(places)) == list(places)


def test_after_a_no_every_put_has_its_place_again(tmp_path: Path) -> None:
    """What waited behind it comes back, and is counted as if it had never been handed over."""
    with desk(tmp_path, Fault("refuse", skip=15), latency_s=0.0, sections=64) as at:
        assert places_as_it_goes(at, 2) == [4, 8]
        at.line.depart([at.put(number) for number in range(1, 17)])
        heard = at.hear()

        kinds = [type(one.arrival.answer) for one in heard]
        assert (kinds.count(Accepted), kinds.count(Refused), kinds.count(Recalled)) == (6, 1, 9)
        assert (at.line.places, at.line.in_flight, at.line.counts.writes) == (4, 0, 4 + 8 + 7)


def test_what_is_recalled_comes_back(tmp_path: Path) -> None:
    """A run that stops sends nothing that has not left."""
    with desk(tmp_path, latency_s=0.004, sections=64) as at:
        places_as_it_goes(at, 2)
        at.line.depart([at.put(number) for number in range(1, 17)])
        at.line.recall()

        assert [type(one.arrival.answer) for one in at.hear()].count(Recalled) == 12
