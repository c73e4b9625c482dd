"""People, their passwords and their sessions: what signs in, for how long, and what ends it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.adapters.passwords import hash_of, is_password
from sync.adapters.store import Store, open_store
from sync.adapters.store.people import forget_person, keep_person
from sync.config import load_settings
from sync.web.access import IDLE_S, LONGEST_S, TRIES, Access, Role, csrf_of
from sync.web.texts import ENGLISH
from tests.simulated_time import FakeClock

ADA = "correct horse battery"
HASH = hash_of(ADA)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    opened = open_store(tmp_path / "state", clock)
    keep_person(opened, "ada", role="approver", password=HASH)
    yield opened
    opened.close()


@pytest.fixture
def access(tmp_path: Path, clock: FakeClock, store: Store) -> Access:  # noqa: ARG001 - the store is there first
    settings = load_settings(
        profile=None,
        config_path=None,
        options={"state_dir": tmp_path / "state"},
        environ={},
        cwd=tmp_path,
        user_config_dir=tmp_path,
        needs_network=False,
    )
    return Access.of(settings, clock)


def test_a_password_is_kept_as_a_hash() -> None:
    """argon2id, salted anew each time; a wrong word, and nobody, are no."""
    assert HASH.startswith("$argon2id$")
    assert hash_of(ADA) != HASH
    assert is_password(ADA, HASH)
    assert not is_password("correct horse batterie", HASH)
    assert not is_password(ADA, None)
    assert not is_password(ADA, "no hash at all")


def test_a_session_ends_by_itself(access: Access, store: Store, clock: FakeClock) -> None:
    """After half an hour without use, and after twelve hours in any case."""
    token = access.by_password(store, "ada", ADA, address="here")
    person = access.person(store, token)
    assert person is not None
    assert (person.name, person.role, person.csrf) == ("ada", Role.APPROVER, csrf_of(token or ""))

    for _ in range(int(LONGEST_S / (IDLE_S - 10))):
        clock.sleep(IDLE_S - 10)
        assert access.person(store, token) is not None
    clock.sleep(IDLE_S - 10)
    assert access.person(store, token) is None

    again = access.by_password(store, "ada", ADA, address="here")
    clock.sleep(IDLE_S + 1)
    assert access.person(store, again) is None


def test_who_is_removed_is_signed_out(access: Access, store: Store) -> None:
    """At once; and so is who gets another role."""
    token = access.by_password(store, "ada", ADA, address="here")
    keep_person(store, "ada", role="viewer", password=HASH)
    assert access.person(store, token) is None

    token = access.by_password(store, "ada", ADA, address="here")
    assert forget_person(store, "ada")
    assert access.person(store, token) is None
    assert access.by_password(store, "ada", ADA, address="here") is None


def test_people_who_are_added_end_the_link_and_its_sessions(access: Access, store: Store) -> None:
    """At any time: from then on only who has a password signs in, also if nobody is left later."""
    forget_person(store, "ada")
    token = access.by_link(store, access.link)
    person = access.person(store, token)
    assert person is not None
    assert person.role is Role.APPROVER

    keep_person(store, "bob", role="viewer", password=HASH)
    assert access.person(store, token) is None
    forget_person(store, "bob")
    assert access.person(store, token) is None


def test_guessing_is_barred(access: Access, store: Store, clock: FakeClock) -> None:
    """By name and by address, for a quarter of an hour."""
    for at in range(TRIES):
        assert not access.is_barred("ada", address=f"{at}")
        assert access.by_password(store, "ada", "wrong", address=f"{at}") is None

    assert access.is_barred("ada", address="elsewhere")
    assert not access.is_barred("bob", address="elsewhere")
    clock.sleep(15 * 60 + 1)
    assert not access.is_barred("ada", address="elsewhere")


def test_the_link_is_worth_nothing_where_there_are_people(access: Access, store: Store) -> None:
    """It signs in whoever runs the server, and only while nobody has a password."""
    assert access.by_link(store, access.link) is None


def test_every_text_is_used_as_it_is_written() -> None:
    """The templates and pages name no text that is not there, and the catalogue holds none that nobody names."""
    folder = Path(__file__).parents[3] / "sync" / "web"
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.suffix in {".py", ".html"} and path.name != "texts.py"
    )
    built = ("status.", "state.", "run.", "error.", "rail.", "file.")

    unused = [name for name in ENGLISH if f'"{name}"' not in code and not name.startswith(built)]

    assert unused == []
