"""One call of `POST /token`: a grant, or the reason in words that help. Nothing of an answer is quoted."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from sync.adapters import exact_json
from sync.adapters.connection import Connection
from sync.adapters.http_answer import HttpAnswer, pointed_at, retry_after_s
from sync.adapters.secret import Secret
from sync.errors import ConfigError, SignInError, StoppedEarly
from sync.exchange import Misdirected
from sync.frozen import Frozen
from sync.section import Json

if TYPE_CHECKING:
    import httpx

LOGIN = "Run `coursesync login`, or set COURSESYNC_TOKEN."
_WRONG_BASE = "Set base_url to the address of the API, as in https://spaces.nexudus.com/api."
_LATER = "Try again later."
_THROTTLES = frozenset({HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})
_TOKEN_BYTES = 1024 * 1024
_UNSTATED_LIFETIME_S = 3600.0
_LONGEST_LIFETIME_S = 1e9
_SENDABLE = re.compile(r"[\x21-\x7e]+")
_REFUSALS: dict[str, tuple[str, str]] = {
    "invalid_grant": (
        "The server refuses the user name or the password.",
        "Check COURSESYNC_USERNAME and COURSESYNC_PASSWORD, or run `coursesync login`.",
    ),
    "two_factor_auth_check": (
        "This user needs a one-time code, a fresh one each time.",
        "Use `coursesync login --totp`, or an administrator without two-factor sign-in.",
    ),
    "must_reset_password": (
        "This user has to set a new password first.",
        "Sign in to the web page once, set it, then try again.",
    ),
    "unsupported_grant_type": ("The server offers no sign-in of this kind.", "Set COURSESYNC_TOKEN instead."),
}


class Grant(Frozen):
    """What the server gave."""

    access_token: Secret
    refresh_token: Secret | None
    lifetime_s: float


class CountedPlace(Protocol):
    """A place in the profile's windows, taken for one request."""

    def throttle(self, retry_after_s: float | None) -> None:
        """The server throttled the request, and asked to wait so long, if it said."""
        ...


class _Uncounted:
    def throttle(self, retry_after_s: float | None) -> None:
        pass


@contextmanager
def uncounted() -> Iterator[CountedPlace]:
    """For a server that counts nothing."""
    yield _Uncounted()


class TokenEndpoint:
    """Where an account signs in and renews; always beside the API itself, on the same host."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float,
        ca_file: Path | None = None,
        transport: "httpx.BaseTransport | None" = None,
        wall: Callable[[], float] = time.time,
        place: Callable[[], AbstractContextManager[CountedPlace]] = uncounted,
    ) -> None:
        """Prepare; the arguments are those of `Connection`.

        Args:
            base_url: see `Connection`.
            timeout_s: see `Connection`.
            ca_file: see `Connection`.
            transport: see `Connection`.
            wall: the time of day in seconds since the epoch.
            place: takes a place in the windows for each call: the server counts it like any other write.
        """
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._ca_file = ca_file
        self._transport = transport
        self._wall = wall
        self._place = place

    def grant(self, form: Mapping[str, str], *, client_id: str) -> Grant:
        """Ask once, with `form` as the API documents it.

        Raises:
            SignInError: the server refuses.
            ConfigError: this is no place to sign in, or its certificate is not to be trusted.
            StoppedEarly: the server could not be reached, or asks us to wait.
        """
        # A connection for each call: there are days between two of them.
        with (
            self._place() as place,
            Connection(
                self._base_url, timeout_s=self._timeout_s, ca_file=self._ca_file, transport=self._transport
            ) as connection,
        ):
            answer = connection.send(
                "POST",
                "/token",
                headers={"Content-Type": "application/x-www-form-urlencoded", "client_id": client_id},
                content=urlencode(form).encode("ascii"),
                max_bytes=_TOKEN_BYTES,
            )
            if isinstance(answer, HttpAnswer) and answer.status in _THROTTLES:
                place.throttle(retry_after_s(answer, wall_now=self._wall()))
        if isinstance(answer, Misdirected):
            raise ConfigError(answer.reason)
        if not isinstance(answer, HttpAnswer):
            raise StoppedEarly(f"The server could not be reached to sign in: {answer.reason}.", remedy=_LATER)
        self._raise_unless_heard(answer)
        return _grant_in(answer)

    def _raise_unless_heard(self, answer: HttpAnswer) -> None:
        """Sort out the answers that say nothing about the sign-in itself."""
        status, place = answer.status, f"{self._base_url}/token"
        if status in _THROTTLES:
            wait_s = retry_after_s(answer, wall_now=self._wall())
            remedy = f"Try again in {wait_s:.0f} s." if wait_s else _LATER
            raise StoppedEarly(f"The server asks us to wait before signing in ({status}).", remedy=remedy)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise StoppedEarly(f"The server cannot sign us in now ({status}).", remedy=_LATER)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise ConfigError(f"{place} redirects ({status}) to {pointed_at(answer)}.", remedy=_WRONG_BASE)
        if status == HTTPStatus.NOT_FOUND or answer.is_html:
            raise ConfigError(f"{place} is no place to sign in ({status}).", remedy=_WRONG_BASE)


def sendable(token: Json, origin: str) -> Secret:
    """A token that fits into a header; `origin` names where it comes from.

    Raises:
        SignInError: it is empty, or holds white space or a letter beyond ASCII.
    """
    if not isinstance(token, str) or not _SENDABLE.fullmatch(token):
        raise SignInError(f"{origin} holds no token that a request can carry.", remedy=LOGIN)
    return Secret(token)


def _grant_in(answer: HttpAnswer) -> Grant:
    try:
        content = exact_json.parse(answer.body)
    except ValueError:
        content = None
    grant = content if isinstance(content, dict) else {}
    if answer.status != HTTPStatus.OK:
        error = grant.get("error")
        message, remedy = _REFUSALS.get(
            error if isinstance(error, str) else "", (f"The server refuses the sign-in ({answer.status}).", LOGIN)
        )
        raise SignInError(message, remedy=remedy)
    refresh_token = grant.get("refresh_token")
    return Grant(
        sendable(grant.get("access_token"), "The server's answer to the sign-in"),
        Secret(refresh_token) if isinstance(refresh_token, str) and refresh_token else None,
        _lifetime_s(grant.get("expires_in")),
    )


def _lifetime_s(expires_in: Json) -> float:
    """The seconds that the server states, as a number or in digits; an hour where it states none."""
    if isinstance(expires_in, str) and expires_in.isdecimal():
        expires_in = float(expires_in)
    if isinstance(expires_in, (int, float)) and 0 < expires_in <= _LONGEST_LIFETIME_S:
        return float(expires_in)
    return _UNSTATED_LIFETIME_S
