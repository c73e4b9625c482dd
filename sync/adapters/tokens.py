"""Where the bearer token comes from: a ready one, or a sign-in that is stored, renewed ahead of time and shared."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sync.adapters.addresses import parse_base_url
from sync.adapters.secret import Secret
from sync.adapters.token_endpoint import LOGIN, CountedPlace, TokenEndpoint, sendable, uncounted
from sync.adapters.token_file import StoredToken, TokenFile
from sync.errors import ConfigError, SignInError, StoppedEarly
from sync.frozen import Frozen, replace

if TYPE_CHECKING:
    import httpx

_RENEW_AGAIN_S = 60.0
"""Pause after a renewal ahead of time that failed."""
_EARLIEST_RENEWAL_S = 3600.0


class Token(Frozen):
    """A bearer token and its place in the order of those that this process has used."""

    value: Secret
    generation: int


class TokenSource(Protocol):
    """Gives tokens to several threads at once."""

    def current(self) -> Token:
        """The token to send now, fetched or renewed where that is due.

        Raises:
            ConfigError: there is none to be had: `SignInError` where the server refuses, else a wrong address or file.
            StoppedEarly: the server could not be reached, or asks us to wait.
        """
        ...

    def in_hand(self) -> Token:
        """The token to send now, without asking the server where there is one: for threads that only send.

        Raises:
            ConfigError: as `current`.
            StoppedEarly: as `current`.
        """
        ...

    def is_due(self) -> bool:
        """Whether the token is to be renewed ahead of its end."""
        ...

    def renew_ahead(self) -> None:
        """Renew a token that is due; one that is still good is used on where that fails.

        Raises:
            ConfigError: as `current`.
            StoppedEarly: as `current`.
        """
        ...

    def renew(self, generation: int) -> bool:
        """Replace the token of `generation`, which got a 401; nothing to do if that has happened already.

        Returns:
            Whether there is another token now; false where there is nothing to renew with.

        Raises:
            ConfigError: as `current`.
            StoppedEarly: as `current`.
        """
        ...


class ReadyToken:
    """A bearer token that somebody made for us; it cannot be renewed."""

    def __init__(self, value: Secret) -> None:
        """Take the token as it is, white space around it aside.

        Raises:
            ConfigError: no header can carry it.
        """
        self._token = Token(sendable(value.reveal().strip(), "COURSESYNC_TOKEN"), 1)

    def current(self) -> Token:
        """Always the same."""
        return self._token

    def in_hand(self) -> Token:
        """Always the same."""
        return self._token

    def is_due(self) -> bool:
        """Nobody knows when it ends."""
        return False

    def renew_ahead(self) -> None:
        """There is nothing to renew with."""

    def renew(self, generation: int) -> bool:  # noqa: ARG002 - the port has it
        """There is nothing to renew with."""
        return False


class PasswordGrant:
    """Signs in with a user name and a password, and from then on with the refresh tokens that it was given.

    A new sign-in is on the disk before it is used: refresh tokens rotate, and the former one is worth nothing.
    Two processes of one state directory share the file; whoever comes second takes what the first has put there.
    """

    def __init__(
        self,
        base_url: str,
        *,
        state_dir: Path,
        username: str | None,
        password: Secret | None,
        client_id: str | None = None,
        timeout_s: float = 30.0,
        ca_file: Path | None = None,
        transport: "httpx.BaseTransport | None" = None,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        place: Callable[[], AbstractContextManager[CountedPlace]] = uncounted,
    ) -> None:
        """Prepare; nothing is read or sent yet.

        Args:
            base_url: the API's; a stored sign-in of another one is not used.
            state_dir: of one account; `token.json` and `token.lock` are ours.
            username: an e-mail address; a stored sign-in of another user is not used. `None` takes any stored one.
            password: `None` lives on the stored sign-in alone.
            client_id: which client we are; a random one of the state directory's own unless given.
            timeout_s: see `Connection`.
            ca_file: see `Connection`.
            transport: see `Connection`.
            wall: the time of day in seconds since the epoch.
            sleep: how to wait for another process that is renewing.
            place: see `TokenEndpoint`.

        Raises:
            ConfigError: the base URL is wrong.
        """
        self._base_url = parse_base_url(base_url).base_url
        self._username = username
        self._password = password
        self._client_id = client_id
        self._wall = wall
        self._endpoint = TokenEndpoint(
            self._base_url, timeout_s=timeout_s, ca_file=ca_file, transport=transport, wall=wall, place=place
        )
        self._file = TokenFile(state_dir, sleep=sleep)
        self._lock = threading.Lock()
        self._held: StoredToken | None = None
        self._generation = 0
        self._renew_not_before = 0.0

    def current(self) -> Token:
        """See `TokenSource`. A token that is still good is used on where its renewal ahead of time fails."""
        with self._lock:
            held = self._held
            if held is None:
                stored = self._load()
                held = self._replace(None) if stored is None else self._hold(stored)
            if self._is_due(held) and self._wall() >= self._renew_not_before:
                held = self._renew_ahead(held)
            return Token(held.access_token, self._generation)

    def in_hand(self) -> Token:
        """See `TokenSource`."""
        with self._lock:
            if self._held is not None:
                return Token(self._held.access_token, self._generation)
        return self.current()

    def is_due(self) -> bool:
        """See `TokenSource`. Not again soon after a renewal that failed."""
        with self._lock:
            held = self._held
            return held is not None and self._is_due(held) and self._wall() >= self._renew_not_before

    def renew_ahead(self) -> None:
        """See `TokenSource`."""
        self.current()

    def renew(self, generation: int) -> bool:
        """See `TokenSource`."""
        with self._lock:
            if generation != self._generation:
                return True
            held = self._held
            if held is None or (held.refresh_token is None and self._password is None):
                return False
            self._replace(held)
            return True

    def sign_in(self, *, totp: Secret | None = None) -> None:
        """Sign in with the password, whatever is stored, and store the answer.

        Raises:
            ConfigError: as `TokenSource.current`.
            StoppedEarly: as `TokenSource.current`.
        """
        with self._lock, self._file.locked():
            self._keep(self._signed_in(None, totp))

    def logout(self) -> bool:
        """Forget the stored sign-in and say whether there was one.

        Raises:
            ConfigError: the folder cannot be written.
            StoppedEarly: another process is renewing and does not end.
        """
        with self._lock, self._file.locked():
            self._held = None
            return self._file.delete()

    def _hold(self, token: StoredToken) -> StoredToken:
        self._held = token
        self._generation += 1
        return token

    def _keep(self, token: StoredToken) -> StoredToken:
        self._file.save(token)
        return self._hold(token)

    def _load(self) -> StoredToken | None:
        stored = self._file.load()
        if stored is None or stored.base_url != self._base_url:
            return None
        return stored if self._username in (None, stored.username) else None

    def _is_due(self, token: StoredToken) -> bool:
        """Under a tenth of its life is left, or under an hour, whichever comes later."""
        return token.expires_at - self._wall() < min(_EARLIEST_RENEWAL_S, token.lifetime_s / 10)

    def _renew_ahead(self, held: StoredToken) -> StoredToken:
        try:
            return self._replace(held)
        except (ConfigError, StoppedEarly):
            if held.expires_at <= self._wall():
                raise
        self._renew_not_before = self._wall() + _RENEW_AGAIN_S
        return held

    def _replace(self, held: StoredToken | None) -> StoredToken:
        """Take what another process has put into the file since `held`; else refresh; else sign in."""
        with self._file.locked():
            stored = self._load()
            is_new = stored is not None and (held is None or stored.access_token != held.access_token)
            if stored is not None and is_new and not self._is_due(stored):
                return self._hold(stored)
            return self._keep(self._refreshed(stored) or self._signed_in(stored, None))

    def _refreshed(self, stored: StoredToken | None) -> StoredToken | None:
        if stored is None or stored.refresh_token is None:
            return None
        form = {"grant_type": "refresh_token", "refresh_token": stored.refresh_token.reveal()}
        try:
            granted = self._granted(form, stored.client_id, stored.username)
            return granted if granted.refresh_token else replace(granted, refresh_token=stored.refresh_token)
        except SignInError:
            if self._password is not None and self._username is not None:
                return None
        raise SignInError("The stored sign-in has ended.", remedy=LOGIN)

    def _signed_in(self, stored: StoredToken | None, totp: Secret | None) -> StoredToken:
        if self._username is None or self._password is None:
            raise SignInError("There is no sign-in for this account.", remedy=LOGIN)
        form = {"grant_type": "password", "username": self._username, "password": self._password.reveal()}
        if totp is not None:
            form["totp"] = totp.reveal()
        client_id = self._client_id or (stored.client_id if stored else str(uuid.uuid4()))
        return self._granted(form, client_id, self._username)

    def _granted(self, form: Mapping[str, str], client_id: str, username: str | None) -> StoredToken:
        grant = self._endpoint.grant(form, client_id=client_id)
        return StoredToken(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            expires_at=self._wall() + grant.lifetime_s,
            lifetime_s=grant.lifetime_s,
            client_id=client_id,
            base_url=self._base_url,
            username=username,
        )
