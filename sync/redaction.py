"""What no log, report or message may show, and the one function that takes it out.

By name (a key that says `password`), by form (a bearer header, a query string) and by value (the secrets of this run).
A known limit: a registered secret of fewer than four characters is not searched for, it would blacken every other word.
"""

import json
import re
from collections.abc import Iterable, Mapping
from math import isfinite
from urllib.parse import quote, quote_plus

from sync.adapters.secret import Secret

REDACTED = "***"
NOT_LOGGED = "(not logged)"

_SHORTEST = 4
_DEEPEST = 8

_SECRET_NAMES = re.compile(r"authori[sz]ation|token|passw|secret|cookie|totp|api_?key|credential", re.IGNORECASE)
_HARMLESS_NAMES = frozenset({"token_generation", "token_type", "expires_in"})
_CELL_NAMES = frozenset(
    {"after", "attempted_value", "base", "before", "body", "cells", "live", "record", "target", "value", "values"}
)
"""Keys under which the contents of cells or records travel: they are customers' texts, and no log's business."""

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\b((?:set-)?cookie['\"]?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (
        re.compile(
            r"\b((?:authorization|(?:access_|refresh_|id_)?token|password|passwd|client_secret|totp)['\"]?\s*[:=]\s*)"
            r"(?:b?\"[^\"]*\"|b?'[^']*'|(?!bearer\s|basic\s)[^\s&,;'\"}\])]+)",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/@?#'\"<>]+@", re.IGNORECASE), rf"\1{REDACTED}@"),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s?#'\"<>]+)\?[^\s'\"<>]*", re.IGNORECASE), rf"\1?{REDACTED}"),
    (re.compile(r"(/[^\s?#'\"<>]*)\?[\w%.~+\[\]-]+=[^\s'\"<>]*"), rf"\1?{REDACTED}"),
)


class Redactor:
    """Takes secrets out of texts and of whole log events."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        """Start with the secrets that are known."""
        self._values: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: Secret) -> None:
        """Register further secrets: a token that was fetched meanwhile."""
        self._values |= {
            written for secret in secrets for written in _spellings(secret.reveal()) if len(written) >= _SHORTEST
        }
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """Give `text` without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(REDACTED, text)
        for form, replacement in _FORMS:
            text = form.sub(replacement, text)
        return text

    def event(self, event: Mapping[str, object]) -> dict[str, object]:
        """Give a log event without secrets or cell values, made of what JSON has."""
        return {self.text(str(key)): self._under(str(key), value, 0) for key, value in event.items()}

    def _under(self, key: str, value: object, depth: int) -> object:
        name = key.casefold().replace("-", "_")
        is_figure = value is None or isinstance(value, bool | int | float)
        if name in _CELL_NAMES:
            return NOT_LOGGED
        if not is_figure and name not in _HARMLESS_NAMES and _SECRET_NAMES.search(name):
            return REDACTED
        return self._clean(value, depth)

    def _clean(self, value: object, depth: int) -> object:
        if depth > _DEEPEST:
            return NOT_LOGGED
        match value:
            case float() if not isfinite(value):
                return str(value)
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(str(value))
            case bytes():
                return self.text(value.decode("utf-8", "backslashreplace"))
            case Mapping():
                return {self.text(str(key)): self._under(str(key), each, depth + 1) for key, each in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._clean(each, depth + 1) for each in value]
            case _:
                return self.text(str(value))


def _spellings(secret: str) -> set[str]:
    """A secret as it stands, and as addresses, JSON and tracebacks write it."""
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
