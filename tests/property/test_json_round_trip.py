"""What is read from the API and sent back is equal as JSON, whatever the record holds."""

import copy
import json
import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.adapters.exact_json import ExactNumber, dump_body, dumps, parse
from sync.adapters.http_answer import LONGEST_WAIT_S, HttpAnswer, retry_after_s

NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?\Z")
SCALARS = st.one_of(
    NUMBERS,
    st.sampled_from(["null", "true", "false"]),
    st.text().map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.text(st.characters()).map(json.dumps),
    st.just('"\\ud800"'),
)


def _object(items: dict[str, str]) -> str:
    return "{" + " , ".join(f"{json.dumps(name)} : {item}" for name, item in items.items()) + "}"


TEXTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[ " + ",".join(items) + "\n]"),
        st.dictionaries(st.text(max_size=5), inner, max_size=4).map(_object),
    ),
    max_leaves=15,
)


def meaning(text: str) -> object:
    value: object = json.loads(text, parse_int=Decimal, parse_float=Decimal)
    return value


@given(TEXTS)
def test_what_was_read_is_written_with_the_same_meaning(text: str) -> None:
    """Round trip: equal as JSON with every number taken exactly."""
    value = parse(text.encode())

    assert meaning(dumps(value)) == meaning(text)


@given(TEXTS)
def test_writing_and_reading_again_gives_an_equal_value(text: str) -> None:
    """Round trip of the value: a comparison sees no change where there is none."""
    value = parse(text.encode())

    assert parse(dumps(value).encode()) == value


@given(NUMBERS, NUMBERS)
def test_numbers_are_equal_only_if_they_mean_the_same(one: str, other: str) -> None:
    """Two numbers that round to the same float are still two numbers; equal ones have the same hash."""
    left, right = parse(one.encode()), parse(other.encode())

    assert (left == right) == (Decimal(one) == Decimal(other))
    assert left != right or hash(left) == hash(right)


@given(st.from_regex(r"\A-?[0-9]{1,20}\.[0-9]{20,40}\Z").filter(lambda text: text.lstrip("-")[0] != "0"))
def test_an_exact_number_can_be_copied(text: str) -> None:
    """Copies keep the text, not only the float."""
    number = ExactNumber(text)

    assert [repr(copy.deepcopy(number)), repr(pickle.loads(pickle.dumps(number)))] == [text, text]  # noqa: S301 - our own bytes


def test_a_rounded_number_is_another_number() -> None:
    """The nearest float does not mean the same as the text; an integer can."""
    assert ExactNumber("0.30000000000000000001") != 0.3
    assert ExactNumber("1e400") == 10**400


def test_a_body_is_ascii_without_spaces() -> None:
    """Every proxy can carry it, lone surrogates included."""
    body = {"Id": 7, "Title": "é \ud800\n", "Flags": [True, False, None, 1.5, []], "Fields": {}}

    assert dump_body(body) == (b'{"Id":7,"Title":"\\u00e9 \\ud800\\n","Flags":[true,false,null,1.5,[]],"Fields":{}}')


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"NaN", id="nan"),
        pytest.param(b"[Infinity]", id="infinity"),
        pytest.param(b'{"a":1,"a":1}', id="field-twice"),
        pytest.param(b'[{"a":{"b":1,"b":2}}]', id="field-twice-inside"),
        pytest.param(b"1e9999999999999999999999", id="beyond-all-bounds"),
        pytest.param(b"01", id="leading-zero"),
        pytest.param(b"[1,]", id="comma"),
        pytest.param(b"{} {}", id="two-values"),
        pytest.param(b"\xff\xfe{\x00}\x00", id="utf-16"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[" * 102 + b"]" * 102, id="deep"),
    ],
)
def test_what_cannot_be_kept_is_refused(text: bytes) -> None:
    """Better no record than one that loses something on its way back."""
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


def test_a_refusal_does_not_carry_the_text() -> None:
    """The standard library hangs the whole document on its exception."""
    with pytest.raises(ValueError, match="character") as caught:
        parse(b'{"canary": nope}')

    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("value", "error"),
    [
        pytest.param(float("nan"), ValueError, id="nan"),
        pytest.param(float("-inf"), ValueError, id="infinity"),
        pytest.param({1: 2}, TypeError, id="key-no-text"),
        pytest.param(object(), TypeError, id="no-json"),
    ],
)
def test_what_json_does_not_have_is_not_written(value: object, error: type[Exception]) -> None:
    """A wrong value is our own fault, and is not sent."""
    with pytest.raises(error):
        dumps(value)  # type: ignore[arg-type]  # the fault that is tried


PIECES = st.sampled_from(["Tue, ", "14 ", "Nov ", "2023 ", "22:13:50 ", "GMT", "+9999", "-", "9" * 30, ",", ".", "1e9"])


@given(st.lists(st.one_of(st.text(), st.lists(PIECES).map("".join)), max_size=3), st.booleans())
def test_no_retry_after_is_too_odd(values: list[str], dated: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever the header holds, the wait is a sane number of seconds or none."""
    headers = tuple(("Retry-After", value) for value in values)
    if dated and values:
        headers += (("Date", values[0]),)

    wait_s = retry_after_s(HttpAnswer(429, headers, b""), wall_now=1.7e9)

    assert wait_s is None or 0 < wait_s <= LONGEST_WAIT_S
