"""Who may use the page, and who is signed in. Passwords are kept as hashes, session tokens as digests."""

import hashlib

from sqlalchemy import delete, insert, select, update

from sync.adapters.store.attended import people, sessions
from sync.adapters.store.opening import Store
from sync.frozen import Frozen


class KnownPerson(Frozen):
    """A person as the store knows one."""

    name: str
    role: str
    password: str
    """The hash."""
    added_wall: float


class KnownSession(Frozen):
    """A session as the store knows one."""

    name: str
    began_wall: float
    seen_wall: float


def all_people(store: Store) -> tuple[KnownPerson, ...]:
    """Everybody, by name."""
    query = select(people).order_by(people.c.name)
    return tuple(
        KnownPerson(row.name, row.role, row.password, row.added_wall) for row in store.connection.execute(query)
    )


def any_person(store: Store) -> bool:
    """Whether there is anybody."""
    return store.connection.execute(select(people.c.name).limit(1)).first() is not None


def find_person(store: Store, name: str) -> KnownPerson | None:
    """The person of this name."""
    row = store.connection.execute(select(people).where(people.c.name == name)).one_or_none()
    return None if row is None else KnownPerson(row.name, row.role, row.password, row.added_wall)


def keep_person(store: Store, name: str, *, role: str, password: str) -> None:
    """Add a person, or change one; whoever is signed in under this name has to sign in anew.

    So has whoever is nobody of these people: the one-time link is for as long as there are none.
    """
    with store.transaction() as connection:
        connection.execute(delete(people).where(people.c.name == name))
        connection.execute(delete(sessions).where(sessions.c.name == name))
        connection.execute(
            insert(people).values(name=name, role=role, password=password, added_wall=store.clock.wall())
        )
        connection.execute(delete(sessions).where(sessions.c.name.not_in(select(people.c.name))))


def forget_person(store: Store, name: str) -> bool:
    """Remove a person, whose sessions end at once; False if there is none of this name."""
    with store.transaction() as connection:
        connection.execute(delete(sessions).where(sessions.c.name == name))
        return connection.execute(delete(people).where(people.c.name == name)).rowcount > 0


def begin_session(store: Store, token: str, name: str) -> None:
    """Write down that somebody is signed in from now on."""
    now = store.clock.wall()
    with store.transaction() as connection:
        connection.execute(
            insert(sessions).values(token_sha256=_digest(token), name=name, began_wall=now, seen_wall=now)
        )


def find_session(store: Store, token: str) -> KnownSession | None:
    """The session of this token, whether it is still good or not."""
    row = store.connection.execute(select(sessions).where(sessions.c.token_sha256 == _digest(token))).one_or_none()
    return None if row is None else KnownSession(row.name, row.began_wall, row.seen_wall)


def see_session(store: Store, token: str) -> None:
    """Write down that the session was used now."""
    with store.transaction() as connection:
        connection.execute(
            update(sessions).where(sessions.c.token_sha256 == _digest(token)).values(seen_wall=store.clock.wall())
        )


def end_session(store: Store, token: str) -> None:
    """Sign out."""
    with store.transaction() as connection:
        connection.execute(delete(sessions).where(sessions.c.token_sha256 == _digest(token)))


def end_old_sessions(store: Store, *, began_before: float, seen_before: float) -> None:
    """Forget sessions that are over."""
    with store.transaction() as connection:
        connection.execute(
            delete(sessions).where((sessions.c.began_wall < began_before) | (sessions.c.seen_wall < seen_before))
        )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
