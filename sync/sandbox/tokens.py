"""Sign-in: password and refresh grants, rotating refresh tokens, and whose request a bearer token makes it."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from sync.sandbox.answers import Answer, json_answer
from sync.sandbox.options import SandboxOptions

FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is behind a request."""

    user: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was handed out; `expires` is a monotonic second."""

    identity: Identity
    expires: float


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """A request for a token, as far as it matters."""

    content_type: str
    form: Mapping[str, str]
    client_id: str | None
    """The header of that name."""


class TokenDesk:
    """Hands out tokens and knows which are good."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Start with no token handed out."""
        self._monotonic = monotonic
        self._access: dict[str, Issued] = {}
        self._refresh: dict[str, Issued] = {}
        self._used_codes: set[str] = set()

    def grant(self, request: GrantRequest, options: SandboxOptions) -> Answer:
        """Answer `POST /token`."""
        status = options.token_error_status
        if request.content_type.partition(";")[0].strip().lower() != FORM_TYPE:
            return _denied("unsupported_grant_type", status)
        match request.form.get("grant_type"):
            case "password":
                return self._password(request, options)
            case "refresh_token":
                return self._exchange(request, options)
            case _:
                return _denied("unsupported_grant_type", status)

    def identify(self, authorization: str | None, options: SandboxOptions) -> Identity | None:
        """Return whose token the Authorization header carries; None for no, a wrong or an expired one."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or options.tokens_refused:
            return None
        if token == options.token:
            return Identity(options.user, options.user)
        issued = self._access.get(token)
        return issued.identity if issued and self._monotonic() < issued.expires else None

    def expire_access(self) -> None:
        """Let every access token handed out so far expire now; refresh tokens stay good."""
        self._access.clear()

    def _password(self, request: GrantRequest, options: SandboxOptions) -> Answer:
        form = request.form
        if (form.get("username"), form.get("password")) != (options.user, options.password):
            return _denied("invalid_grant", options.token_error_status)
        if options.must_reset:
            return _denied("must_reset_password", options.token_error_status)
        if options.totp:
            code = form.get("totp", "")
            if code not in options.totp or code in self._used_codes:
                return _denied("two_factor_auth_check", options.token_error_status)
            self._used_codes.add(code)
        return self._issue(Identity(options.user, request.client_id or options.user), options)

    def _exchange(self, request: GrantRequest, options: SandboxOptions) -> Answer:
        token = request.form.get("refresh_token", "")
        issued = self._refresh.get(token)
        good = (
            issued is not None
            and issued.identity.client_id == request.client_id
            and self._monotonic() < issued.expires
            and not options.refresh_refused
        )
        if issued is None or not good:
            return _denied("invalid_grant", options.token_error_status)
        return self._issue(issued.identity, options)

    def _issue(self, identity: Identity, options: SandboxOptions) -> Answer:
        now = self._monotonic()
        self._refresh = {
            token: issued for token, issued in self._refresh.items() if issued.identity.client_id != identity.client_id
        }
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._access[access] = Issued(identity, now + options.token_ttl_s)
        self._refresh[refresh] = Issued(identity, now + options.refresh_ttl_s)
        return json_answer(
            {
                "access_token": access,
                "token_type": "bearer",
                "expires_in": int(options.token_ttl_s),
                "refresh_token": refresh,
            },
            HTTPStatus.OK,
        )


def _denied(error: str, status: int) -> Answer:
    return json_answer({"error": error}, status)
