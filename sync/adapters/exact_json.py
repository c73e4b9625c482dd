"""JSON that comes back as it went: no number is rounded, nothing is dropped, nothing is guessed. Pure.

A PUT echoes the whole record, fields that we do not know included. A price of `0.30000000000000000001` that a Python
float cannot hold must therefore survive, and an object that names a field twice must not lose one of the two.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from json import JSONDecodeError, JSONDecoder, JSONEncoder
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any, NoReturn, Self

from sync.section import Json

DEEPEST = 100
"""Levels of nesting that are read; more is no record."""


class ExactNumber(float):
    """A JSON number that a float cannot hold: the nearest float, and the text as it was written.

    Equal to another number only if both mean exactly the same. `json.dumps` would write the rounded float: use `dumps`.
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Keep `text`, a number as JSON writes it."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]  # float declares tuple[float]; we are rebuilt from text
        """Copies and pickles are made from the text."""
        return (self.text,)

    def __repr__(self) -> str:
        """The text as it was written."""
        return self.text

    def __eq__(self, other: object) -> bool:
        """Whether both mean the same number exactly; a plain float means what its shortest text says."""
        if isinstance(other, ExactNumber):
            return Decimal(self.text) == Decimal(other.text)
        if isinstance(other, int):
            return Decimal(self.text) == other
        return False

    def __ne__(self, other: object) -> bool:
        """The opposite of equality: without this, that of float would hold."""
        return not self == other

    def __hash__(self) -> int:
        """In step with equality."""
        return hash(Decimal(self.text))


def parse(text: bytes) -> Json:
    """Read one JSON text in UTF-8, a byte order mark allowed.

    Raises:
        ValueError: the text is no JSON by the standard (`NaN`, cut off, not UTF-8), names a field of an object twice,
            is nested deeper than `DEEPEST`, or holds a number beyond all bounds. The message quotes nothing of it.
    """
    flaw = "it is nested too deeply"
    try:
        value: Json = _DECODER.decode(text.removeprefix(_BYTE_ORDER_MARK).decode())
    except UnicodeDecodeError:
        flaw = "it is not UTF-8"
    except JSONDecodeError as exc:
        flaw = f"{exc.msg} at character {exc.pos}"
    except RecursionError:
        pass
    else:
        opened = text.count(b"{") + text.count(b"[")
        if opened <= DEEPEST or not _is_deeper(value, DEEPEST):
            return value
    # Raised out here, so that no foreign exception with the whole text in it hangs on ours.
    raise ValueError(flaw)


def dumps(value: Json) -> str:
    """Write `value` in ASCII, without white space, each number exactly as it was read.

    Raises:
        ValueError: a number is infinite or not a number at all.
        TypeError: the value is none that JSON has.
    """
    if _is_plain(value):
        return _PLAIN_ENCODER.encode(value)
    pieces: list[str] = []
    _write(value, pieces)
    return "".join(pieces)


def dump_body(body: Mapping[str, Json]) -> bytes:
    """Write the body of a request.

    Raises:
        ValueError: as `dumps`.
        TypeError: as `dumps`.
    """
    return dumps(body).encode("ascii")


def parse_own(text: str) -> Json:
    """Read what `dumps` wrote: a third of the time of `parse`, since nothing has to be doubted but the numbers.

    Raises:
        ValueError: the text is no JSON.
    """
    value: Json = _OWN_DECODER.decode(text)
    return value


def _is_plain(value: Json) -> bool:
    """Whether Python's own encoder, ten times faster, writes the very same: it would round an `ExactNumber`."""
    kind = type(value)
    inner: Iterable[Any]
    if kind is dict and isinstance(value, dict):
        if not _TEXT.issuperset(map(type, value)):
            return False
        inner = value.values()
    elif (kind is list or kind is tuple) and isinstance(value, (list, tuple)):
        inner = value
    else:
        return kind in _PLAIN
    kinds = set(map(type, inner))
    if kinds <= _PLAIN:
        return True
    return kinds <= _PLAIN_OR_NESTED and all(_is_plain(each) for each in inner if type(each) in _NESTED)


def _write(value: Json, pieces: list[str]) -> None:
    if isinstance(value, Mapping):
        _write_object(value, pieces)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        mark = "["
        for item in value:
            pieces.append(mark)
            _write(item, pieces)
            mark = ","
        pieces.append("]" if value else "[]")
    else:
        pieces.append(_scalar(value))


def _write_object(value: Mapping[str, Json], pieces: list[str]) -> None:
    mark = "{"
    for name, item in value.items():
        pieces.extend((mark, encode_basestring_ascii(name), ":"))
        _write(item, pieces)
        mark = ","
    pieces.append("}" if value else "{}")


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, ExactNumber):
        return value.text
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError("JSON has no such number")
        return float.__repr__(value)
    raise TypeError(f"JSON has no {type(value).__name__}")


def _number(text: str) -> float:
    number = float(text)
    try:
        exact = Decimal(text) == Decimal(repr(number))
    except InvalidOperation:
        raise ValueError("a number is beyond all bounds") from None
    return number if exact else ExactNumber(text)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("an object names a field twice")
    return named


def _is_deeper(value: Json, levels: int) -> bool:
    here: list[Any] = [value] if isinstance(value, (dict, list)) else []
    while here and levels >= 0:
        below: list[Any] = []
        for item in here:
            inner = item.values() if isinstance(item, dict) else item
            if not _NESTED.isdisjoint(map(type, inner)):
                below.extend(child for child in inner if isinstance(child, (dict, list)))
        here = below
        levels -= 1
    return bool(here)


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TEXT = frozenset({str})
_PLAIN = frozenset({str, int, bool, type(None)})
_NESTED = frozenset({dict, list, tuple})
_PLAIN_OR_NESTED = _PLAIN | _NESTED
_PLAIN_ENCODER = JSONEncoder(check_circular=False, allow_nan=False, separators=(",", ":"))
_OWN_DECODER = JSONDecoder(parse_float=_number, parse_constant=_constant)
_DECODER = JSONDecoder(parse_float=_number, parse_constant=_constant, object_pairs_hook=_object)
