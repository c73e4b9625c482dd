"""`coursesync users`: who may use the page."""

import sys

import click

from sync.cli.options import Common, common
from sync.errors import ConfigError

ROLES = ("viewer", "operator", "approver")


@click.group()
def users() -> None:
    """Say who may use the page: add, list, remove."""


@users.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), required=True, help="An approver may do all, an operator not approve."
)
@common
def add(options: Common, name: str, role: str) -> int:
    """Add NAME, or give NAME another password or role; the password is asked for, or read from standard input."""
    from sync.cli.extras import need_web  # noqa: PLC0415 - loaded when the command runs

    need_web()
    from sync.adapters.passwords import SHORTEST, hash_of  # noqa: PLC0415 - the same
    from sync.adapters.store.people import keep_person  # noqa: PLC0415 - the same
    from sync.cli.console import data, say  # noqa: PLC0415 - the same

    if not name.isprintable() or not name.strip() or len(name) > 60:  # noqa: PLR2004 - a line of a table
        raise ConfigError("This is no name.", remedy="Use letters and digits, at most 60.")
    password = _password()
    if len(password) < SHORTEST:
        raise ConfigError(f"A password has at least {SHORTEST} characters.", remedy="Choose a longer one.")
    with _store(options) as store:
        keep_person(store, name, role=role, password=hash_of(password))
        _note(store, "person_added", name=name, role=role)
    data(options, {"name": name, "role": role})
    say(options, [f"{name} may use the page as {role}."])
    return 0


@users.command("list")
@common
def list_(options: Common) -> int:
    """List who may use the page."""
    from sync.adapters.store.people import all_people  # noqa: PLC0415 - loaded when the command runs
    from sync.cli.console import data, say  # noqa: PLC0415 - the same
    from sync.times import utc  # noqa: PLC0415 - the same

    with _store(options) as store:
        people = all_people(store)
    data(options, [{"name": each.name, "role": each.role, "since": utc(each.added_wall)} for each in people])
    say(options, [f"{each.name} · {each.role} · since {utc(each.added_wall)}" for each in people] or ["Nobody yet."])
    return 0


@users.command()
@click.argument("name")
@common
def remove(options: Common, name: str) -> int:
    """Remove NAME, who is signed out at once."""
    from sync.adapters.store.people import forget_person  # noqa: PLC0415 - loaded when the command runs
    from sync.cli.console import data, say  # noqa: PLC0415 - the same

    with _store(options) as store:
        if not forget_person(store, name):
            raise ConfigError(f"Nobody is called {name!r} here.", remedy="See `coursesync users list`.")
        _note(store, "person_removed", name=name)
    data(options, {"name": name})
    say(options, [f"{name} may use the page no more."])
    return 0


def _store(options: Common):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a closing store
    from contextlib import closing  # noqa: PLC0415 - loaded when a command runs

    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - the same
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same

    return closing(open_store(options.settings(needs_network=False).state_dir, SystemClock()))


def _note(store, action: str, **facts: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a store
    from sync.jobs.closing import note  # noqa: PLC0415 - loaded when a command runs

    note(store, action, **facts)


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")
