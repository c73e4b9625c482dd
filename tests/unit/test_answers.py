"""The table of what an HTTP answer means, status by status and body by body."""

import json
from decimal import Decimal
from typing import Any

import pytest

from sync.adapters.answers import answer_to
from sync.exchange import (
    Absent,
    Accepted,
    Answer,
    ApiError,
    Forbidden,
    Misdirected,
    OneRecord,
    Put,
    ReadBatch,
    ReadOne,
    ReadPage,
    Records,
    Refused,
    Request,
    Throttled,
    Unauthorised,
    Unheard,
)
from sync.model import SectionId

JSON = (("Content-Type", "application/json; charset=utf-8"),)
HTML = (("content-type", "text/html"),)
PAGE = b"<!DOCTYPE html><title>Sign in</title>"
NOW = 1_700_000_000.0

PUT = Put(SectionId(7), {"Id": 7})
ONE = ReadOne(SectionId(7))
BATCH = ReadBatch((SectionId(7), SectionId(8)))
LIST = ReadPage("coursesections", 2, 10)
READS = [pytest.param(ONE, id="one"), pytest.param(BATCH, id="batch"), pytest.param(LIST, id="page")]
ALL = [pytest.param(PUT, id="put"), *READS]

SUCCESS = {
    "Status": 200,
    "Message": "CourseSection was successfully updated.",
    "Value": {"Id": 7},
    "UpdatedOn": "2025-01-15T10:30:00Z",
    "UpdatedBy": "admin@example.com",
    "Errors": None,
    "WasSuccessful": True,
}
REJECTION = {
    "Message": "Title: is a required field",
    "Value": None,
    "Errors": [
        {"AttemptedValue": None, "Message": "is a required field", "PropertyName": "Title"},
        {"AttemptedValue": -1, "Message": "is too  small ", "PropertyName": "DisplayOrder"},
        {"AttemptedValue": None, "Message": "is a required field", "PropertyName": "Title"},
    ],
    "WasSuccessful": False,
}
ERRORS = (
    ApiError("Title", "is a required field"),
    ApiError("DisplayOrder", "is too  small ", -1),
    ApiError("Title", "is a required field"),
)


def answer(
    request: Request,
    status: int,
    content: object = b"",
    headers: tuple[tuple[str, str], ...] = JSON,
    *,
    reason: str = "",
    wall_now: float = NOW,
) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return answer_to(
        request, status=status, headers=headers, body=body, wall_now=wall_now, token_generation=3, reason=reason
    )


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in SUCCESS.items() if key != name}


def page(records: object, **facts: object) -> dict[str, object]:
    return {"Records": records, "CurrentPage": 2, "TotalItems": 12, "HasNextPage": False} | facts


def test_the_documented_success_is_accepted() -> None:
    """Status, content type, shape, WasSuccessful and Value.Id as documented: applied."""
    assert answer(PUT, 200, SUCCESS) == Accepted(
        SectionId(7), "2025-01-15T10:30:00Z", "admin@example.com", http_status=200
    )


def test_a_success_without_its_audit_fields_is_accepted() -> None:
    """UpdatedOn and UpdatedBy are no part of the proof."""
    content = {"Value": {"Id": 7}, "WasSuccessful": True}

    assert answer(PUT, 200, content) == Accepted(SectionId(7), None, None, 200)


@pytest.mark.parametrize(
    ("status", "content", "headers"),
    [
        pytest.param(200, b"", JSON, id="empty"),
        pytest.param(200, PAGE, HTML, id="html"),
        pytest.param(200, PAGE, JSON, id="html-that-calls-itself-json"),
        pytest.param(200, b"\xef\xbb\xbf <p>", JSON, id="html-behind-a-byte-order-mark"),
        pytest.param(200, json.dumps(SUCCESS).encode(), HTML, id="json-that-calls-itself-html"),
        pytest.param(200, json.dumps(SUCCESS).encode(), (("Content-Type", "text/plain"),), id="json-as-text"),
        pytest.param(200, json.dumps(SUCCESS).encode(), (), id="no-content-type"),
        pytest.param(200, json.dumps(SUCCESS).encode()[:-9], JSON, id="half-json"),
        pytest.param(200, b'{"WasSuccessful":true,"WasSuccessful":true,"Value":{"Id":7}}', JSON, id="field-twice"),
        pytest.param(200, [SUCCESS], JSON, id="array"),
        pytest.param(200, {}, JSON, id="empty-object"),
        pytest.param(200, without("WasSuccessful"), JSON, id="no-was-successful"),
        pytest.param(200, SUCCESS | {"WasSuccessful": "true"}, JSON, id="was-successful-as-text"),
        pytest.param(200, SUCCESS | {"WasSuccessful": 1}, JSON, id="was-successful-as-number"),
        pytest.param(200, SUCCESS | {"WasSuccessful": False}, JSON, id="unsuccessful-without-errors"),
        pytest.param(200, SUCCESS | {"Errors": REJECTION["Errors"]}, JSON, id="successful-with-errors"),
        pytest.param(200, without("Value"), JSON, id="no-value"),
        pytest.param(200, SUCCESS | {"Value": {"Id": 8}}, JSON, id="wrong-id"),
        pytest.param(200, SUCCESS | {"Value": {"Id": "7"}}, JSON, id="id-as-text"),
        pytest.param(200, SUCCESS | {"Value": 7}, JSON, id="value-no-object"),
        pytest.param(201, SUCCESS, JSON, id="created"),
        pytest.param(202, SUCCESS, JSON, id="accepted-for-later"),
        pytest.param(204, b"", (), id="no-content"),
        pytest.param(400, b"", (), id="400-empty"),
        pytest.param(400, PAGE, HTML, id="400-html"),
        pytest.param(400, {"Errors": []}, JSON, id="400-without-a-word"),
        pytest.param(400, SUCCESS | {"Errors": REJECTION["Errors"]}, JSON, id="400-that-says-successful"),
        pytest.param(405, b"", (), id="405"),
        pytest.param(408, b"", (), id="408"),
        pytest.param(409, {"Message": "changed meanwhile"}, JSON, id="409-of-another-kind"),
        pytest.param(500, {"Message": "oops"}, JSON, id="500"),
        pytest.param(500, REJECTION, JSON, id="500-with-errors"),
        pytest.param(502, PAGE, HTML, id="502"),
        pytest.param(503, b"", (("Retry-After", "5"),), id="503-with-retry-after"),
        pytest.param(504, b"", (), id="504"),
        pytest.param(521, b"", (), id="unlisted-5xx"),
        pytest.param(101, b"", (), id="1xx"),
        pytest.param(999, b"", (), id="no-status-at-all"),
    ],
)
def test_whatever_is_neither_success_nor_refusal_leaves_a_put_unheard(
    status: int, content: object, headers: tuple[tuple[str, str], ...]
) -> None:
    """Nobody knows whether such a PUT was applied: only a read can tell."""
    heard = answer(PUT, status, content, headers)

    assert isinstance(heard, Unheard)
    assert heard.http_status == status


@pytest.mark.parametrize("status", [pytest.param(400, id="400"), pytest.param(200, id="200-unsuccessful")])
def test_a_rejection_carries_every_error_word_for_word(status: int) -> None:
    """All Errors, in the server's order, repeated ones too."""
    assert answer(PUT, status, REJECTION) == Refused(ERRORS, status, "api.rejected")


def test_a_400_without_errors_speaks_through_its_message() -> None:
    """A 400 surely refused; its Message is all that it says."""
    assert answer(PUT, 400, {"Message": "Title: is a required field"}) == Refused(
        (ApiError(None, "Title: is a required field"),), 400, "api.rejected"
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param("too long", ApiError(None, "too long"), id="text"),
        pytest.param({"Message": "m"}, ApiError(None, "m"), id="no-property"),
        pytest.param({"PropertyName": "", "Message": "m"}, ApiError(None, "m"), id="empty-property"),
        pytest.param({"PropertyName": "Title"}, ApiError("Title", '{"PropertyName":"Title"}'), id="no-message"),
        pytest.param(None, ApiError(None, "null"), id="null"),
    ],
)
def test_an_odd_error_is_reported_as_it_is(entry: object, expected: ApiError) -> None:
    """No entry of Errors is lost because its shape is not the documented one."""
    assert answer(PUT, 400, {"Errors": [entry]}) == Refused((expected,), 400, "api.rejected")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(404, "api.not_found", id="404"),
        pytest.param(413, "api.too_large", id="413"),
        pytest.param(414, "api.too_large", id="414"),
        pytest.param(422, "api.unprocessable", id="422"),
    ],
)
@pytest.mark.parametrize(
    ("content", "headers", "errors"),
    [
        pytest.param(REJECTION, JSON, ERRORS, id="errors"),
        pytest.param({"Message": "no"}, JSON, (ApiError(None, "no"),), id="message"),
        pytest.param(b"", (), (), id="empty"),
        pytest.param(PAGE, HTML, (), id="html"),
    ],
)
def test_other_refusals_of_a_put_need_no_words(
    status: int, code: str, content: object, headers: tuple[tuple[str, str], ...], errors: tuple[ApiError, ...]
) -> None:
    """404, 413, 414 and 422 refuse by their status alone; what they say is kept."""
    assert answer(PUT, status, content, headers) == Refused(errors, status, code)


@pytest.mark.parametrize("request_", ALL)
@pytest.mark.parametrize(
    ("status", "expected"),
    [pytest.param(401, Unauthorised(3), id="401"), pytest.param(403, Forbidden(), id="403")],
)
def test_a_missing_right_is_told_apart(request_: Request, status: int, expected: Answer) -> None:
    """401 names the generation of the token that was sent."""
    assert answer(request_, status, {"Message": "no"}) == expected


@pytest.mark.parametrize("request_", ALL)
@pytest.mark.parametrize(
    ("status", "content", "headers", "reason"),
    [
        pytest.param(429, {"Message": "slow down"}, JSON, "", id="429"),
        pytest.param(429, b"", (), "", id="429-empty"),
        pytest.param(409, b"", (), "Conflict", id="409-empty"),
        pytest.param(409, b" \r\n", (), "", id="409-blank"),
        pytest.param(409, {"a": 1}, (*JSON, ("retry-after", "garbage")), "", id="409-retry-after"),
        pytest.param(409, {"a": 1}, JSON, "You must wait before accessing this url again.", id="409-reason"),
        pytest.param(409, b'"YOU must wait before accessing this URL again"', JSON, "", id="409-phrase-in-body"),
    ],
)
def test_a_throttle_is_known_by_its_signs(
    request_: Request, status: int, content: object, headers: tuple[tuple[str, str], ...], reason: str
) -> None:
    """429 always throttles; a 409 does with Retry-After, the old phrase, or nothing in its body."""
    assert answer(request_, status, content, headers, reason=reason) == Throttled(None, status)


def test_a_status_that_the_profile_names_throttles() -> None:
    """The statuses that throttle are a setting; 429 is always one."""
    facts: dict[str, Any] = {"headers": (), "body": b"x", "wall_now": NOW, "token_generation": 1}

    assert [
        answer_to(PUT, status=503, throttle_statuses=frozenset({503}), **facts),
        answer_to(PUT, status=429, throttle_statuses=frozenset({503}), **facts),
        answer_to(PUT, status=409, throttle_statuses=frozenset({503}), **facts | {"body": b""}),
    ] == [Throttled(None, 503), Throttled(None, 429), Unheard("status 409", 409)]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param((("Retry-After", "7"),), 7.0, id="seconds"),
        pytest.param((("Retry-After", " 1.5 "),), 1.5, id="float"),
        pytest.param((("RETRY-AFTER", "+3"),), 3.0, id="plus"),
        pytest.param((("Retry-After", "0"),), None, id="zero"),
        pytest.param((("Retry-After", "-5"),), None, id="negative"),
        pytest.param((("Retry-After", ""),), None, id="empty"),
        pytest.param((("Retry-After", "soon"),), None, id="garbage"),
        pytest.param((("Retry-After", "nan"),), None, id="nan"),
        pytest.param((("Retry-After", "inf"),), None, id="inf"),
        pytest.param((("Retry-After", "1e9"),), None, id="exponent"),
        pytest.param((("Retry-After", "١٢"),), None, id="digits-of-another-script"),
        pytest.param((("Retry-After", "9999999999"),), 9999999999.0, id="huge"),
        pytest.param((("Retry-After", "9" * 400),), 1e10, id="beyond-float"),
        pytest.param((("Retry-After", "2"), ("Retry-After", "30")), 30.0, id="two-headers"),
        pytest.param((("Retry-After", "junk"), ("Retry-After", "4")), 4.0, id="two-headers-one-junk"),
        pytest.param((("Retry-After", "2, 30"),), 30.0, id="joined-by-a-proxy"),
        pytest.param((("Retry-After", "Tue, 14 Nov 2023 22:13:50 GMT"),), 30.0, id="date"),
        pytest.param((("Retry-After", "Tuesday, 14-Nov-23 22:13:50 GMT"),), 30.0, id="date-rfc-850"),
        pytest.param((("Retry-After", "Tue Nov 14 22:13:50 2023"),), 30.0, id="date-asctime"),
        pytest.param((("Retry-After", "Tue, 14 Nov 2023 22:13:10 GMT"),), None, id="past-date"),
        pytest.param((("Retry-After", "Fri, 31 Dec 9999 23:59:59 -2359"),), 1e10, id="last-date"),
        pytest.param((("Retry-After", "Fri, 31 Dec 99999 23:59:59 GMT"),), None, id="no-such-year"),
        pytest.param((("Retry-After", "Tue, 14 Nov 2023 22:13:50 +999999999999999999"),), None, id="no-such-zone"),
        pytest.param(
            (("Date", "Tue, 14 Nov 2023 10:00:00 GMT"), ("Retry-After", "Tue, 14 Nov 2023 10:01:00 GMT")),
            60.0,
            id="date-by-the-server's-clock",
        ),
        pytest.param(
            (("Date", "junk"), ("Retry-After", "Tue, 14 Nov 2023 22:13:50 GMT")), 30.0, id="date-beside-a-broken-clock"
        ),
    ],
)
def test_retry_after_in_every_form_is_sane_or_none(headers: tuple[tuple[str, str], ...], expected: float) -> None:
    """Seconds from now, the longest of several; zero, past and garbage leave it to our own back-off."""
    assert answer(PUT, 429, b"", headers) == Throttled(expected, 429)


@pytest.mark.parametrize("request_", ALL)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize(
    ("location", "named"),
    [
        pytest.param("https://login.example.com/x?token=canary#canary", "https://login.example.com:", id="other-host"),
        pytest.param("https://canary:canary@evil.example.com/", "https://evil.example.com:", id="user-info"),
        pytest.param("http://a.example.com:8080/canary", "http://a.example.com:8080:", id="port"),
        pytest.param("//b.example.com/canary", "to b.example.com:", id="no-scheme"),
        pytest.param("/login?canary", "another page of the same server", id="same-server"),
        pytest.param("javascript://canary/%0a", "cannot be read", id="script"),
        pytest.param("https://[canary", "cannot be read", id="broken"),
        pytest.param("", "nowhere", id="nowhere"),
    ],
)
def test_a_redirect_is_misdirected_and_names_no_more_than_a_host(
    request_: Request, status: int, location: str, named: str
) -> None:
    """A redirect is never followed; of its address only scheme and host are repeated."""
    heard = answer(request_, status, b"", (("Location", location),))

    assert isinstance(heard, Misdirected)
    assert named in heard.reason
    assert "canary" not in heard.reason


def test_a_read_of_one_gives_the_record() -> None:
    """The whole record, unknown fields and all."""
    record = {"Id": 7, "Title": "é", "Unheard": {"of": [1, None, 1.5]}}

    assert answer(ONE, 200, record) == OneRecord(record)


def test_numbers_are_not_rounded() -> None:
    """A number that a float cannot hold keeps what it means."""
    heard = answer(ONE, 200, b'{"Id":7,"Big":123456789012345678901234567890,"Fine":0.30000000000000000001}')

    assert isinstance(heard, OneRecord)
    assert heard.record["Big"] == 123456789012345678901234567890
    assert Decimal(repr(heard.record["Fine"])) == Decimal("0.30000000000000000001")


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([{"Id": 8}, {"Id": 7, "Title": "t"}], id="all"),
        pytest.param([{"Id": 7}], id="one-missing"),
        pytest.param([], id="none"),
    ],
)
def test_a_batch_gives_what_the_server_has(records: list[Any]) -> None:
    """The server's order; an Id that is missing is asked singly by others."""
    assert answer(BATCH, 200, records) == Records(tuple(records))


@pytest.mark.parametrize(
    ("facts", "total", "has_next"),
    [
        pytest.param({}, 12, False, id="last"),
        pytest.param({"HasNextPage": True, "TotalItems": 30}, 30, True, id="more"),
        pytest.param({"TotalItems": None}, None, False, id="no-total"),
        pytest.param({"HasNextPage": None, "TotalItems": 30}, 30, True, id="more-by-total"),
        pytest.param({"HasNextPage": None, "TotalItems": 20}, 20, False, id="last-by-total"),
        pytest.param({"HasNextPage": None, "TotalItems": 20, "TotalPages": 3}, 20, True, id="more-by-pages"),
    ],
)
def test_a_page_says_whether_there_is_more(facts: dict[str, Any], total: int | None, has_next: bool) -> None:  # noqa: FBT001 - a column of the table
    """HasNextPage counts; where it is missing, the number of pages or of items."""
    records = [{"Id": 1}, {"Id": 2}]

    assert answer(LIST, 200, page(records, **facts)) == Records(tuple(records), total, has_next)


def test_an_empty_last_page_is_an_answer() -> None:
    """A list without items is documented; nobody builds a PUT from it."""
    assert answer(LIST, 200, page([], TotalItems=0)) == Records((), 0, has_next=False)


@pytest.mark.parametrize(
    ("request_", "content"),
    [
        pytest.param(ONE, [{"Id": 7}], id="one-array"),
        pytest.param(ONE, {"Id": 8}, id="one-other-id"),
        pytest.param(ONE, {"Id": "7"}, id="one-id-as-text"),
        pytest.param(ONE, {"Id": 7.0}, id="one-id-as-float"),
        pytest.param(ONE, {}, id="one-empty-object"),
        pytest.param(ONE, None, id="one-null"),
        pytest.param(BATCH, {"Records": [{"Id": 7}]}, id="batch-object"),
        pytest.param(BATCH, None, id="batch-null"),
        pytest.param(BATCH, [{"Id": 7}, {"Id": 9}], id="batch-filter-ignored"),
        pytest.param(BATCH, [{"Id": 7}, {"Id": 7}], id="batch-twice"),
        pytest.param(BATCH, [{"Id": 7}, 8], id="batch-no-record"),
        pytest.param(BATCH, [{"Id": 7}, None], id="batch-null-record"),
        pytest.param(BATCH, [{"Title": "t"}], id="batch-no-id"),
        pytest.param(BATCH, [{"Id": True}], id="batch-id-as-boolean"),
        pytest.param(LIST, [], id="page-array"),
        pytest.param(LIST, {}, id="page-empty-object"),
        pytest.param(LIST, page(None), id="page-null"),
        pytest.param(LIST, page([{"Id": 1}, {"Id": 1}]), id="page-twice"),
        pytest.param(LIST, page([{"Id": 1}], CurrentPage=1), id="page-another"),
        pytest.param(LIST, page([], HasNextPage=True), id="page-empty-with-more"),
        pytest.param(LIST, page([{"Id": 1}, {"Id": 2}], TotalItems=1), id="page-more-than-all"),
        pytest.param(LIST, {"Records": [{"Id": 1}]}, id="page-without-an-end"),
        *(
            pytest.param(request, content, id=f"{type(request).__name__}-{name}")
            for request in (ONE, BATCH, LIST)
            for name, content in [
                ("empty", b""),
                ("half", b'[{"Id":7},{"I'),
                ("nan", b'{"Id":7,"x":NaN}'),
                ("infinity", b'[{"Id":7,"x":-Infinity}]'),
                ("field-twice", b'{"Id":7,"a":1,"a":2}'),
                ("not-utf-8", b'{"Id":7,"a":"\xff"}'),
                ("deep", b'{"Id":7,"a":' + b"[" * 200 + b"]" * 200 + b"}"),
                ("deeper", b"[" * 200_000 + b"]" * 200_000),
                ("endless-number", b'{"Id":7,"a":' + b"9" * 5000 + b"}"),
            ]
        ),
    ],
)
def test_a_read_that_is_not_whole_is_unheard(request_: Request, content: object) -> None:
    """What is not exactly as documented is an incomplete read, never "nothing there"."""
    heard = answer(request_, 200, content)

    assert isinstance(heard, Unheard)
    assert heard.http_status == 200


@pytest.mark.parametrize("request_", READS)
@pytest.mark.parametrize("status", [201, 202, 204, 206, 405, 500, 502, 503, 504, 101])
def test_other_statuses_leave_a_read_unheard(request_: Request, status: int) -> None:
    """A server's trouble is no fact about the records."""
    assert answer(request_, status, {"Id": 7}) == Unheard(f"status {status}", status)


@pytest.mark.parametrize("request_", READS)
def test_json_of_another_name_is_not_believed(request_: Request) -> None:
    """A read, too, has to call itself JSON."""
    assert isinstance(answer(request_, 200, b"[]", (("Content-Type", "text/plain"),)), Unheard)


@pytest.mark.parametrize("request_", READS)
@pytest.mark.parametrize("status", [200, 203, 404])
@pytest.mark.parametrize(
    ("content", "headers"), [pytest.param(PAGE, HTML, id="html"), pytest.param(b"\n<p>", JSON, id="html-as-json")]
)
def test_a_page_for_people_says_that_the_address_is_wrong(
    request_: Request, status: int, content: bytes, headers: tuple[tuple[str, str], ...]
) -> None:
    """HTML where records should be: a sign-in page, or another site."""
    assert isinstance(answer(request_, status, content, headers), Misdirected)


@pytest.mark.parametrize(
    ("request_", "content", "headers", "expected"),
    [
        pytest.param(ONE, {"Message": "gone"}, JSON, Absent(SectionId(7)), id="one-json"),
        pytest.param(ONE, b"", (), Absent(SectionId(7)), id="one-empty"),
        pytest.param(BATCH, b"", (), Refused((), 404, "api.not_found"), id="batch-empty"),
        pytest.param(
            BATCH, {"Message": "m"}, JSON, Refused((ApiError(None, "m"),), 404, "api.not_found"), id="batch-json"
        ),
    ],
)
def test_a_404_of_the_api_means_absent_only_for_one(
    request_: Request, content: object, headers: tuple[tuple[str, str], ...], expected: Answer
) -> None:
    """For `/{id}` it is the one proof of absence; a batch has to be asked singly."""
    assert answer(request_, 404, content, headers) == expected


@pytest.mark.parametrize(
    ("request_", "content", "headers", "expected"),
    [
        pytest.param(ONE, b"404 page not found", (("Content-Type", "text/plain"),), Misdirected, id="one-text"),
        pytest.param(BATCH, b"404 page not found", (("Content-Type", "text/plain"),), Misdirected, id="batch-text"),
        pytest.param(ONE, b'{"Message":', JSON, Unheard, id="one-half-json"),
        pytest.param(LIST, {"Message": "m"}, JSON, Misdirected, id="page-json"),
        pytest.param(LIST, b"", (), Misdirected, id="page-empty"),
    ],
)
def test_any_other_404_is_no_proof_of_absence(
    request_: Request, content: object, headers: tuple[tuple[str, str], ...], expected: type[Answer]
) -> None:
    """A 404 of something else than the API is about the address, not about the section."""
    assert type(answer(request_, 404, content, headers)) is expected


@pytest.mark.parametrize("request_", READS)
def test_a_read_that_is_refused_says_so(request_: Request) -> None:
    """Asking the same again would get the same; a shorter batch might pass."""
    assert [answer(request_, 400, REJECTION), answer(request_, 414, b"", ())] == [
        Refused(ERRORS, 400, "api.rejected"),
        Refused((), 414, "api.too_large"),
    ]


def test_the_content_of_an_answer_is_never_repeated_in_a_reason() -> None:
    """An answer can hold what customers wrote."""
    heard = [
        answer(request, 200, content)
        for request in (PUT, ONE, BATCH, LIST)
        for content in (b'{"canary":1,"canary":2}', b'["canary",', b'{"Id":"canary"}', b'{"x":1,"canary":nope}')
    ]

    assert "canary" not in repr(heard)
