"""The normal form in which two values of a field are compared: one function for both sides, so noise is no change."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from sync.section import BY_NAME, FieldKind, Json, SectionField

EXACT = frozenset({str, int, bool, type(None)})
"""Types of which two values are the same where Python says that they are equal, if both have the same type."""
_TEXTS = frozenset({FieldKind.TEXT, FieldKind.IMAGE_URL})


def as_sent(text: str) -> str:
    r"""Give `text` as it is sent: line ends as `\n`, nothing else touched."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def normal(field: str | SectionField, value: Json) -> Json:
    r"""Give the form in which `value` of `field` is compared; a field outside of the table is compared as JSON.

    Whole numbers become `int` whatever the kind (`5.0` is 5, the text "5" stays a text). In a text field line ends
    become `\n`, letters are composed (NFC), and `None` is `""`. Never send a normal form: it is for comparing only.
    """
    kind = _kind(field)
    if kind in _TEXTS:
        if value is None:
            return ""
        if isinstance(value, str):
            text = as_sent(value)
            return text if text.isascii() else unicodedata.normalize("NFC", text)
    return _as_json(value)


def equal(field: str | SectionField, left: Json, right: Json) -> bool:
    """Whether two values of `field` are the same but for noise. `True` is never 1."""
    if type(left) is type(right) and type(left) in EXACT and left == right:
        return True  # most cells of most sheets: what is the same needs no normal form
    return _same(normal(field, left), normal(field, right))


def _kind(field: str | SectionField) -> FieldKind:
    if isinstance(field, SectionField):
        return field.kind
    known = BY_NAME.get(field)
    return FieldKind.OPAQUE if known is None else known.kind


def _as_json(value: Json) -> Json:
    """Write whole numbers as `int`, at any depth; leave everything else."""
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {name: _as_json(inner) for name, inner in value.items()}
    return [_as_json(inner) for inner in value]


def _same(left: Json, right: Json) -> bool:
    """Compare as JSON: Python alone holds `True == 1`."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(inner, right[name]) for name, inner in left.items())
    if _is_list(left) and _is_list(right):
        return len(left) == len(right) and all(map(_same, left, right))
    return left == right


def _is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    return isinstance(value, Sequence) and not isinstance(value, str)
