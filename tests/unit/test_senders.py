"""Threads that send: jobs that share a place leave one after the other, and only a yes lets the next one go."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event

import pytest

from sync.adapters.clock import SystemClock
from sync.adapters.senders import KEPT_S, ThreadedSenders
from sync.exchange import Accepted, Answer, OneRecord, Put, ReadOne, Recalled, Refused, Request, Throttled
from sync.model import SectionId
from sync.ports import Arrival, Clock
from tests.simulation import FakeClock, section

NO = [
    pytest.param(Throttled(1.0, 409), id="throttled"),
    pytest.param(Refused((), 400, "api.rejected"), id="refused"),
]


def put(number: int) -> tuple[int, Request]:
    return number, Put(SectionId(number), {"Id": number})


def yes(number: int) -> Answer:
    return Accepted(SectionId(number), None, None, 200)


class FakeApi:
    """Says what it is told to, by section, else yes; keeps the order in which requests came (`ports.Api`)."""

    def __init__(self, answers: Mapping[int, Answer] | None = None) -> None:
        self.asked: list[int] = []
        self.answers = answers or {}
        self.before: Callable[[int], object] = lambda _: None

    def exchange(self, request: Request, _on_sent: Callable[[], None] | None = None) -> Answer:
        assert isinstance(request, Put | ReadOne)
        self.asked.append(request.id)
        self.before(request.id)
        if isinstance(request, ReadOne):
            return OneRecord(section(request.id))
        return self.answers.get(request.id, yes(request.id))


@contextmanager
def senders(api: FakeApi, *, places: int = 8, clock: Clock | None = None) -> Iterator[ThreadedSenders]:
    made = ThreadedSenders(api, places=places, clock=clock or SystemClock())
    yield made
    made.close()


def all_of(made: ThreadedSenders, number: int) -> list[Arrival]:
    """The next `number` arrivals, in as many waits as they take."""
    came: list[Arrival] = []
    while len(came) < number:
        heard = made.arrivals(5.0)
        assert heard, "nothing comes any more"
        came += heard
    return came


def by_ticket(came: list[Arrival]) -> dict[int, Answer]:
    return {arrival.ticket: arrival.answer for arrival in came}


def test_puts_that_share_a_place_leave_in_their_order_and_are_heard_together() -> None:
    """One after the other, and whoever waits for them is woken once."""
    api = FakeApi()
    with senders(api) as made:
        made.submit([put(number) for number in range(1, 9)], chain=8)
        came = made.arrivals(5.0)

    assert api.asked == list(range(1, 9))
    assert [(arrival.ticket, arrival.answer) for arrival in came] == [(number, yes(number)) for number in range(1, 9)]


def test_each_has_a_place_of_its_own_unless_asked_otherwise() -> None:
    """Eight PUTs that wait for each other all leave."""
    api, seen = FakeApi(), Event()
    api.before = lambda _: seen.set() if len(api.asked) == 8 else seen.wait(5.0)
    with senders(api) as made:
        made.submit([put(number) for number in range(1, 9)])

        assert set(by_ticket(all_of(made, 8))) == set(range(1, 9))


@pytest.mark.parametrize("no", NO)
def test_after_any_other_answer_the_rest_comes_back_unsent(no: Answer) -> None:
    """Of all chains, the last one first: put back in that order, they are in their order again."""
    api, other_chain_is_out, over = FakeApi({2: no}), Event(), Event()

    def before(number: int) -> None:
        if number == 2:
            other_chain_is_out.wait(5.0)
        elif number == 5:
            other_chain_is_out.set()
            over.wait(5.0)

    api.before = before
    with senders(api, places=2) as made:
        made.submit([put(number) for number in range(1, 9)], chain=4)
        first = all_of(made, 7)
        over.set()
        last = all_of(made, 1)

    recalled = [arrival.ticket for arrival in first if arrival.answer == Recalled()]
    assert recalled == [8, 7, 6, 4, 3]
    assert by_ticket([*first, *last]) == {1: yes(1), 2: no, 5: yes(5), **dict.fromkeys(recalled, Recalled())}
    assert sorted(api.asked) == [1, 2, 5]


def test_what_waits_behind_a_stalled_put_comes_back_soon() -> None:
    """A server that lets one connection hang holds up one row, not those behind it."""
    api, over = FakeApi(), Event()
    api.before = lambda _: over.wait(5.0)
    with senders(api) as made:
        made.submit([put(1), put(2), put(3)], chain=3)
        came = made.arrivals(5.0)
        over.set()

        assert by_ticket(list(came)) == {2: Recalled(), 3: Recalled()}
        assert by_ticket(all_of(made, 1)) == {1: yes(1)}
    assert api.asked == [1]


def test_what_could_not_leave_soon_does_not_leave_at_all() -> None:
    """Its record was fresh when it was handed over: nobody knows how long the machine slept since."""
    clock, api = FakeClock(), FakeApi()
    api.before = lambda number: clock.sleep(KEPT_S + 0.1) if number == 2 else None
    with senders(api, clock=clock) as made:
        made.submit([put(1), put(2), put(3)], chain=3)

        assert by_ticket(all_of(made, 3)) == {1: yes(1), 2: yes(2), 3: Recalled()}
    assert api.asked == [1, 2]


def test_what_nobody_waits_behind_is_never_taken_back() -> None:
    """Neither a read, whatever it is handed over with, nor a PUT with a place of its own."""
    api = FakeApi()
    with senders(api, places=1) as made:
        made.submit([put(1), put(2), (3, ReadOne(SectionId(3)))])
        made.recall()

        assert by_ticket(all_of(made, 3)) == {1: yes(1), 2: yes(2), 3: OneRecord(section(3))}


def test_a_fault_of_the_program_in_a_thread_is_raised_where_it_is_waited_for() -> None:
    """A thread does not die unheard."""
    api = FakeApi()

    def fail(_: int) -> None:
        raise ZeroDivisionError

    api.before = fail
    with senders(api) as made:
        made.submit([put(1), put(2)], chain=2)

        with pytest.raises(ZeroDivisionError):
            made.arrivals(5.0)
