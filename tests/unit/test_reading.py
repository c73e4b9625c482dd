"""Ids into reads and answers into records: "could not read" is never taken for "nothing there"."""

from collections.abc import Callable, Iterable

import pytest

from sync.errors import ConfigError, CourseSyncError, SignInError, StoppedEarly
from sync.exchange import (
    Absent,
    Accepted,
    Answer,
    Forbidden,
    Misdirected,
    NotDelivered,
    OneRecord,
    ReadBatch,
    ReadOne,
    ReadPage,
    Records,
    Refused,
    Throttled,
    Unauthorised,
    Unheard,
)
from sync.model import SectionId
from sync.reading import PAUSE_FIRST_S, PAUSE_MAX_S, SINGLES_A_BATCH, Found, Missing, Reader, Sight
from sync.section import Json
from tests.sections import section

Request = ReadBatch | ReadOne
NOT_FOUND = Refused((), 404, "api.not_found")


def ids(numbers: Iterable[int]) -> tuple[SectionId, ...]:
    return tuple(SectionId(number) for number in numbers)


def batch(*numbers: int) -> ReadBatch:
    return ReadBatch(ids(numbers))


def one(number: int) -> ReadOne:
    return ReadOne(SectionId(number))


def found(number: int) -> Found:
    return Found(SectionId(number), section(number))


def records(*numbers: int) -> Records:
    return Records(tuple(section(number) for number in numbers))


def wanting(*numbers: int, ids_per_request: int = 150, attempts: int = 3) -> Reader:
    reader = Reader(ids_per_request, attempts)
    reader.want(ids(numbers))
    return reader


def asked(reader: Reader, now: float = 0.0) -> list[Request]:
    """Every request that the reader has for this moment."""
    return list(iter(lambda: reader.next_request(now), None))


def answer(reader: Reader, answered: Answer, now: float = 0.0, *, renewed: bool = False) -> tuple[Sight, ...]:
    """Ask the next request and answer it."""
    request = reader.next_request(now)
    assert request is not None
    return reader.take(request, answered, now, token_renewed=renewed)


def read_all(reader: Reader, server: Callable[[Request], Answer]) -> tuple[list[Request], list[Sight]]:
    """Ask one request after another until nothing is left."""
    requests: list[Request] = []
    sights: list[Sight] = []
    while not reader.idle:
        request = reader.next_request(1e9)
        assert request is not None
        requests.append(request)
        sights += reader.take(request, server(request), 0.0, token_renewed=False)
    return requests, sights


def size(request: Request) -> int:
    return len(request.ids) if isinstance(request, ReadBatch) else 1


# batches -----------------------------------------------------------------------------------------------------------


def test_ids_are_read_in_batches_in_their_order() -> None:
    """As many as one request takes, then the rest."""
    assert asked(wanting(5, 3, 9, 1, 2, ids_per_request=2)) == [batch(5, 3), batch(9, 1), batch(2)]


def test_a_whole_answer_settles_its_ids() -> None:
    """In the order in which they were asked, whatever the server's."""
    reader = wanting(5, 3, 9)

    assert answer(reader, records(9, 5, 3)) == (found(5), found(3), found(9))
    assert reader.idle


def test_a_reader_is_idle_only_when_every_answer_has_come() -> None:
    """Not while an Id waits, nor while a request is in flight."""
    reader = Reader(150)
    seen = [(reader.idle, reader.waiting)]
    reader.want(ids([1, 2]))
    seen.append((reader.idle, reader.waiting))
    request = reader.next_request(0.0)
    seen.append((reader.idle, reader.waiting))
    assert request is not None
    reader.take(request, records(1), 0.0, token_renewed=False)
    seen.append((reader.idle, reader.waiting))

    assert seen == [(True, 0), (False, 2), (False, 0), (False, 1)]


def test_ids_that_a_batch_leaves_out_are_asked_singly() -> None:
    """Only the 404 to this very Id says that it is gone."""
    reader = wanting(1, 2, 3)

    assert answer(reader, records(1, 3)) == (found(1), found(3))
    assert asked(reader) == [one(2)]
    assert reader.take(one(2), Absent(SectionId(2)), 0.0, token_renewed=False) == (Missing(SectionId(2)),)
    assert (reader.idle, reader.ids_per_request) == (True, 150)


def test_at_most_twenty_ids_of_a_batch_are_asked_singly() -> None:
    """The others go into batches again: one odd answer does not cost a request an Id."""
    reader = wanting(*range(1, 101))

    answer(reader, records())

    assert asked(reader) == [*(one(number) for number in range(1, 1 + SINGLES_A_BATCH)), batch(*range(21, 101))]


def test_batches_shrink_to_what_the_server_answers_whole() -> None:
    """An Id that a batch left out and that is there after all means that the server's batches are smaller."""
    reader = wanting(*range(1, 101), ids_per_request=50)
    answer(reader, records(*range(1, 31)))
    answer(reader, OneRecord(section(31)))

    assert reader.ids_per_request == 30
    assert [size(request) for request in asked(reader) if isinstance(request, ReadBatch)] == [30, 30 - 10]


@pytest.mark.parametrize(
    ("batch_size", "shrunk"),
    [pytest.param(50, 25, id="halved"), pytest.param(2, 1, id="to one"), pytest.param(1, 1, id="never below one")],
)
def test_a_batch_that_is_answered_with_nothing_shrinks_by_half(batch_size: int, shrunk: int) -> None:
    """The answer does not tell how much the server takes."""
    reader = wanting(*range(1, batch_size + 1), ids_per_request=batch_size)
    answer(reader, records())
    answer(reader, OneRecord(section(1)))

    assert reader.ids_per_request == shrunk


def test_batches_never_grow_again() -> None:
    """The smallest whole answer so far holds, whichever answer comes last."""
    reader = wanting(*range(1, 11), ids_per_request=5)
    first, second = asked(reader)
    reader.take(first, records(1, 2), 0.0, token_renewed=False)
    reader.take(second, records(6, 7, 8, 9), 0.0, token_renewed=False)
    sizes = []
    for request in asked(reader):
        assert isinstance(request, ReadOne)
        reader.take(request, OneRecord(section(request.id)), 0.0, token_renewed=False)
        sizes.append(reader.ids_per_request)

    assert sizes == [2, 2, 2, 2]


def test_a_404_to_a_batch_is_narrowed_down_by_halves() -> None:
    """One unknown Id among many: some servers refuse the whole batch for it."""
    reader = wanting(*range(1, 151))
    requests, sights = read_all(
        reader,
        lambda request: (
            (Absent(request.id) if request.id == 77 else OneRecord(section(request.id)))
            if isinstance(request, ReadOne)
            else NOT_FOUND
            if 77 in request.ids
            else records(*request.ids)
        ),
    )

    assert [sight for sight in sights if isinstance(sight, Missing)] == [Missing(SectionId(77))]
    assert {sight.id for sight in sights} == set(range(1, 151))
    assert len(requests) <= 2 * 3 + 1 + SINGLES_A_BATCH
    assert reader.ids_per_request == 150


def test_a_404_to_a_small_batch_is_asked_singly_at_once() -> None:
    """And says nothing about the size of batches."""
    reader = wanting(1, 2, 3)

    assert answer(reader, NOT_FOUND) == ()
    assert asked(reader) == [one(1), one(2), one(3)]
    reader.take(one(1), OneRecord(section(1)), 0.0, token_renewed=False)
    assert reader.ids_per_request == 150


# records -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["SectionContents", "CustomFields", "UpdatedOn"])
def test_a_partial_record_is_read_singly(lost: str) -> None:
    """It is never the ground of a PUT, and says nothing about the size of batches."""
    reader, partial = wanting(1, 2), section(1)
    del partial[lost]

    assert answer(reader, Records((partial, section(2)))) == (found(2),)
    assert asked(reader) == [one(1)]
    assert reader.take(one(1), OneRecord(section(1)), 0.0, token_renewed=False) == (found(1),)
    assert (reader.idle, reader.ids_per_request) == (True, 150)


def test_a_record_that_is_partial_even_alone_ends_the_run() -> None:
    """Its PUT could reset what was not read: the message names the section and the fields."""
    reader, partial = wanting(1), section(1)
    del partial["SystemId"], partial["Active"]
    answer(reader, Records((partial,)))

    with pytest.raises(StoppedEarly) as caught:
        answer(reader, OneRecord(partial))

    assert "section 1 lacks Active, SystemId" in caught.value.message


@pytest.mark.parametrize(
    ("request_", "wrong"),
    [
        pytest.param(one(1), OneRecord(section(2)), id="another section"),
        pytest.param(one(1), OneRecord(section(1, Id="1")), id="an Id that is no number"),
        pytest.param(one(1), OneRecord(section(1, Id=True)), id="an Id that is a boolean"),
        pytest.param(one(1), OneRecord(section(1, Id=None)), id="no Id"),
        pytest.param(one(1), records(1), id="a list for one"),
        pytest.param(one(1), Absent(SectionId(2)), id="404 to another section"),
        pytest.param(one(1), NOT_FOUND, id="a 404 that is none of the section"),
        pytest.param(batch(1, 2), OneRecord(section(1)), id="one for a list"),
        pytest.param(batch(1, 2), Absent(SectionId(1)), id="404 to one of a batch"),
        pytest.param(batch(1, 2), Accepted(SectionId(1), None, None, 200), id="an update's answer"),
        pytest.param(batch(1, 2), Refused((), 413, "api.too_large"), id="refused batch"),
    ],
)
def test_an_answer_that_does_not_fit_ends_the_read(request_: Request, wrong: Answer) -> None:
    """It is an error, never "nothing there"."""
    reader = wanting(1, 2, ids_per_request=2)
    if isinstance(request_, ReadOne):
        answer(reader, records(2))

    assert reader.next_request(0.0) == request_
    with pytest.raises(StoppedEarly):
        reader.take(request_, wrong, 0.0, token_renewed=False)


@pytest.mark.parametrize(
    "number", [pytest.param("1", id="text"), pytest.param(1.0, id="float"), pytest.param(None, id="null")]
)
def test_a_record_in_a_batch_without_a_proper_id_is_nobodys(number: Json) -> None:
    """The Id that it may have meant is asked singly."""
    reader = wanting(1)

    assert answer(reader, Records((section(1, Id=number),))) == ()
    assert asked(reader) == [one(1)]


def test_a_list_page_is_not_read_here() -> None:
    """Its records can be partial."""
    with pytest.raises(TypeError):
        Reader(1).take(ReadPage("coursesections", 1, 25), records(), 0.0, token_renewed=False)


# troubles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", [pytest.param(Unheard("status 502", 502), id="unheard"), pytest.param(NotDelivered("dns"), id="lost")]
)
def test_a_read_that_fails_is_asked_again_after_a_pause_and_then_ends_the_run(trouble: Unheard | NotDelivered) -> None:
    """Three times in all, with a pause that doubles; the reason stands in the message."""
    reader, now, due = wanting(1, 2), 100.0, []
    for _ in range(2):
        assert answer(reader, trouble, now) == ()
        ready = reader.ready_at(now)
        assert ready is not None
        assert reader.next_request(ready - 0.001) is None
        due.append(ready - now)
        now = ready

    assert due == [PAUSE_FIRST_S, 2 * PAUSE_FIRST_S]
    with pytest.raises(StoppedEarly) as caught:
        answer(reader, trouble, now)
    assert trouble.reason in caught.value.message
    assert "Nothing was decided" in caught.value.remedy


def test_a_pause_has_its_longest() -> None:
    """However many attempts the profile allows."""
    reader, now = wanting(1, attempts=20), 0.0
    pauses = []
    for _ in range(19):
        answer(reader, Unheard("lost"), now)
        ready = reader.ready_at(now)
        assert ready is not None
        pauses.append(ready - now)
        now = ready

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0] + [PAUSE_MAX_S] * 13


def test_each_request_has_its_own_attempts() -> None:
    """Two failures of one batch and two of another are no third."""
    reader = wanting(1, 2, ids_per_request=1)
    first, second = reader.next_request(0.0), reader.next_request(0.0)
    assert first is not None
    assert second is not None
    for _ in range(2):
        for request in (first, second):
            reader.take(request, Unheard("lost"), 0.0, token_renewed=False)
        assert set(asked(reader, 99.0)) == {first, second}

    assert reader.take(first, records(1), 0.0, token_renewed=False) == (found(1),)
    assert reader.take(second, records(2), 0.0, token_renewed=False) == (found(2),)


def test_a_paused_read_does_not_hold_up_the_others() -> None:
    """What is due goes first, what pauses later."""
    reader = wanting(1, 2, ids_per_request=1)
    answer(reader, Unheard("lost"), 10.0)

    assert reader.ready_at(10.0) == 10.0
    assert asked(reader, 10.0) == [batch(2)]
    assert reader.ready_at(10.0) == 10.0 + PAUSE_FIRST_S
    assert asked(reader, 11.0) == [batch(1)]
    assert reader.ready_at(11.0) is None


@pytest.mark.parametrize(
    ("answered", "renewed"),
    [
        pytest.param(Throttled(5.0, 409), False, id="throttled"),
        pytest.param(Unauthorised(1), True, id="token renewed"),
    ],
)
def test_what_costs_no_attempt_is_asked_again_first_and_at_once(answered: Answer, *, renewed: bool) -> None:
    """As often as it takes: the waiting is the whole profile's, the end of it too."""
    reader = wanting(1, 2, ids_per_request=1)
    for _ in range(10):
        assert answer(reader, answered, renewed=renewed) == ()

    assert asked(reader) == [batch(1), batch(2)]


@pytest.mark.parametrize(
    ("answered", "error", "words"),
    [
        pytest.param(Unauthorised(1), SignInError, "401", id="401 without a new token"),
        pytest.param(Forbidden(), SignInError, "403", id="403"),
        pytest.param(Misdirected("it redirects"), ConfigError, "it redirects", id="wrong address"),
        pytest.param(Refused((), 422, "api.unprocessable"), StoppedEarly, "422", id="refused"),
    ],
)
def test_what_cannot_be_mended_by_asking_again_ends_the_read(
    answered: Answer, error: type[CourseSyncError], words: str
) -> None:
    """At once, with the reason and what to do."""
    with pytest.raises(error) as caught:
        answer(wanting(1), answered)

    assert type(caught.value) is error
    assert words in caught.value.message
    assert caught.value.remedy


def test_a_request_that_did_not_leave_comes_next_and_costs_nothing() -> None:
    """Another process was faster."""
    reader = wanting(1, 2, 3, ids_per_request=1, attempts=1)
    first = reader.next_request(0.0)
    assert first is not None
    answer(reader, Throttled(None, 429))
    reader.put_back(first)

    assert reader.waiting == 3
    assert asked(reader) == [batch(1), batch(2), batch(3)]
