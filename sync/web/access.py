"""Who may do what at the page, and whom a request comes from: roles, sessions, the one-time link."""

import hashlib
import hmac
import secrets
from contextlib import closing
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from sync.adapters.passwords import is_password
from sync.adapters.store import Store, open_store
from sync.adapters.store.opening import open_for_reading
from sync.adapters.store.people import (
    any_person,
    begin_session,
    end_old_sessions,
    end_session,
    find_person,
    find_session,
    see_session,
)
from sync.bootstrap import who
from sync.config import Settings
from sync.frozen import Frozen
from sync.ports import Clock

IDLE_S: Final = 30 * 60.0
LONGEST_S: Final = 12 * 3600.0
SEEN_EVERY_S: Final = 60.0
"""How often it is written down that a session is used."""
TRIES: Final = 8
"""Wrong passwords for one name, or from one address, within `TRIES_S`."""
TRIES_S: Final = 15 * 60.0


class Role(IntEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = 1
    """Look."""
    OPERATOR = 2
    """Upload, plan, pause and resume."""
    APPROVER = 3
    """Approve, undo, see who did what."""

    @property
    def word(self) -> str:
        """As it is written and said."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Role":
        """The role of this word; one that is not known may only look."""
        return next((role for role in cls if role.word == word), cls.VIEWER)


class Person(Frozen):
    """Who is signed in."""

    name: str
    role: Role
    csrf: str
    """Goes with each form of this session."""


@dataclass(slots=True)
class Access:
    """Signs people in and out, and knows them again."""

    settings: Settings
    clock: Clock
    link: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _link_used: bool = False
    _failures: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> "Access":
        """Begin with the sessions that are still good."""
        with closing(open_store(settings.state_dir, clock)) as store:
            now = clock.wall()
            end_old_sessions(store, began_before=now - LONGEST_S, seen_before=now - IDLE_S)
        return cls(settings, clock)

    @staticmethod
    def has_people(store: Store) -> bool:
        """Whether people were added, by now; without any, the one-time link signs in whoever runs the server."""
        return any_person(store)

    def person(self, store: Store, token: str | None) -> Person | None:
        """Whom this token stands for; `None` where the session is over, or never was."""
        if not token:
            return None
        session, now = find_session(store, token), self.clock.wall()
        if session is None or now - session.began_wall > LONGEST_S or now - session.seen_wall > IDLE_S:
            return None
        known = find_person(store, session.name)
        role = Role.of(known.role) if known is not None else None
        if known is None and session.name == who() and not self.has_people(store):
            role = Role.APPROVER
        if role is None:
            return None
        if now - session.seen_wall > SEEN_EVERY_S:
            with closing(open_store(self.settings.state_dir, self.clock)) as writing:
                see_session(writing, token)
        return Person(session.name, role, csrf_of(token))

    def by_link(self, store: Store, given: str) -> str | None:
        """Sign in with the one-time link; give the session's token."""
        if self.has_people(store) or self._link_used or not hmac.compare_digest(given.encode(), self.link.encode()):
            return None
        self._link_used = True
        return self._begin(store, who())

    def by_password(self, store: Store, name: str, password: str, *, address: str) -> str | None:
        """Sign in with a name and a password; give the session's token."""
        known = find_person(store, name)
        right = is_password(password, None if known is None else known.password)
        if not right or known is None:
            for key in (f"name {name}", f"address {address}"):
                self._failures.setdefault(key, []).append(self.clock.boot())
            return None
        return self._begin(store, known.name)

    def is_barred(self, name: str, *, address: str) -> bool:
        """Whether there were too many wrong passwords lately."""
        since = self.clock.boot() - TRIES_S
        for key in (f"name {name}", f"address {address}"):
            recent = [at for at in self._failures.pop(key, []) if at > since]
            if recent:
                self._failures[key] = recent
            if len(recent) >= TRIES:
                return True
        return False

    def sign_out(self, store: Store, token: str) -> None:
        """End this session."""
        end_session(store, token)

    def _begin(self, store: Store, name: str) -> str:
        token = secrets.token_urlsafe(32)
        begin_session(store, token, name)
        return token

    def reading(self) -> Store:
        """A store to look at."""
        return open_for_reading(self.settings.state_dir, self.clock)


def csrf_of(token: str) -> str:
    """What the forms of a session carry: known to who has the session, and worth nothing without it."""
    return hashlib.sha256(f"form of {token}".encode()).hexdigest()
