"""`coursesync login`, `logout` and `doctor`: who we are to the server, and whether everything is in place."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, TypeVar

import click

from sync.cli.options import Common, common
from sync.errors import ConfigError, CourseSyncError, StoppedEarly
from sync.frozen import replace

if TYPE_CHECKING:
    from sync.adapters.tokens import PasswordGrant
    from sync.bootstrap import Session
    from sync.config import Settings
    from sync.jobs.setup import Finding

T = TypeVar("T")

PATIENCE_S = 5.0
"""So long `doctor` waits for a pause that the server asked for."""

_MARKS = {"ok": "ok         ", "look": "LOOK       ", "failed": "FAILED     ", "not tried": "not tried  "}


@click.command()
@click.option("--totp", metavar="CODE", help="The one-time code, where the user has a second factor.")
@common
def login(options: Common, totp: str | None) -> int:
    """Sign in with a user name and a password, and keep the sign-in in the state directory."""
    from sync.adapters.secret import Secret  # noqa: PLC0415 - loaded when the command runs
    from sync.cli.console import data, say  # noqa: PLC0415 - the same

    settings = options.settings(needs_network=True)
    grant = _password_grant(settings, ask=sys.stdin.isatty())
    grant.sign_in(totp=None if totp is None else Secret(totp))
    _note(settings, "signed_in")
    data(options, {"signed_in": True, "base_url": settings.base_url})
    say(options, [f"Signed in at {settings.base_url}; the sign-in is kept in {settings.state_dir}."])
    return 0


@click.command()
@common
def logout(options: Common) -> int:
    """Forget the kept sign-in."""
    from sync.cli.console import data, say  # noqa: PLC0415 - loaded when the command runs

    settings = options.settings(needs_network=True)
    was_there = _password_grant(settings, ask=False, needs_password=False).logout()
    if was_there:
        with suppress(CourseSyncError):  # the store may be damaged, or be another account's by now
            _note(settings, "signed_out")
    data(options, {"signed_out": was_there})
    say(options, ["Signed out." if was_there else "There was no kept sign-in."])
    return 0


@click.command()
@click.option("--try-alerts", is_flag=True, help="Send every alert target a message.")
@common
def doctor(options: Common, *, try_alerts: bool) -> int:
    """Check configuration, sign-in, roles, and what unattended runs hang on; nothing is changed."""
    from sync.cli.console import data, say  # noqa: PLC0415 - loaded when the command runs
    from sync.cli.streams import echo  # noqa: PLC0415 - the same

    findings: list[Finding] = []
    for finding in _examine(options, try_alerts=try_alerts):
        findings.append(finding)
        say(options, [f"{_MARKS[finding.state]}{finding.what}: {finding.detail}"])
    code = next((finding.exit_code for finding in findings if finding.state == "failed"), 0)
    findings_for_programs = [[item.what, item.state, item.detail] for item in findings]
    data(replace(options, quiet=options.quiet and not code), {"exit_code": code, "findings": findings_for_programs})
    if code:
        failed = next(finding for finding in findings if finding.state == "failed")
        echo(f"coursesync: {failed.what}: {failed.detail}", err=True)
    return code


def _note(settings: "Settings", action: str) -> None:
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when a command signs in or out
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same
    from sync.jobs.closing import note  # noqa: PLC0415 - the same

    with closing(open_store(settings.state_dir, SystemClock())) as store:
        note(store, action, base_url=settings.base_url, username=settings.username)


def _password_grant(settings: "Settings", *, ask: bool, needs_password: bool = True) -> "PasswordGrant":
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when a command signs in
    from sync.adapters.secret import Secret  # noqa: PLC0415 - the same
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same
    from sync.bootstrap import bind, password_grant, request_meter  # noqa: PLC0415 - the same

    username, password = settings.username, settings.password
    if needs_password and ask:
        username = username or click.prompt("User name (e-mail)", err=True)
        password = password or Secret(click.prompt("Password", hide_input=True, err=True))
    if needs_password and (not username or password is None):
        raise ConfigError(
            "There is no user name or no password to sign in with.",
            remedy="Run `coursesync login` at a terminal, or set COURSESYNC_USERNAME and COURSESYNC_PASSWORD_FILE.",
        )
    clock = SystemClock()
    if needs_password:  # to forget a sign-in takes no store: it may be damaged, or another account's by now
        with closing(open_store(settings.state_dir, clock)) as store:
            bind(store, settings)
    return password_grant(settings, clock, request_meter(settings, clock), username=username, password=password)


def _examine(options: Common, *, try_alerts: bool) -> "Iterator[Finding]":
    """Look at one thing after another; what hangs on a failed one is not tried."""
    from sync.jobs.setup import Finding, look_at_setup  # noqa: PLC0415 - loaded when the command runs

    settings, finding = _try("configuration", lambda: options.settings(needs_network=True))
    yield finding or Finding("configuration", "ok", _described(settings))
    if settings is None:
        return
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.bootstrap import open_session  # noqa: PLC0415 - the same

    with ExitStack() as stack:
        session, finding = _try("state directory and sign-in", lambda: stack.enter_context(open_session(settings)))
        yield finding or Finding("state directory and sign-in", "ok", str(settings.state_dir))
        if session is not None:
            yield from _examine_server(session)
    if settings.state_dir.is_dir():
        yield from look_at_setup(settings, SystemClock(), try_alerts=try_alerts)


def _examine_server(session: "Session") -> "Iterator[Finding]":
    """What the server asked us not to do is not done by the doctor either."""
    from sync.jobs.setup import Finding  # noqa: PLC0415 - loaded when the command runs

    pause = session.ledger.paused(session.clock.boot())
    if pause is not None and pause.until - session.clock.boot() > PATIENCE_S:
        yield Finding("limits", "failed", pause.words(session.clock), StoppedEarly.exit_code)
        return
    yield from _examine_roles(session)


def _examine_roles(session: "Session") -> "Iterator[Finding]":
    from sync.jobs.account import list_a_page, read_whole  # noqa: PLC0415 - loaded when the command runs
    from sync.jobs.setup import Finding  # noqa: PLC0415 - the same

    page, finding = _try("CourseSection-List", lambda: list_a_page(session))
    if page is None:
        yield finding or Finding("CourseSection-List", "failed", "no answer", 5)
        return
    total, first = page
    yield Finding("CourseSection-List", "ok", f"{total:,} sections in this account" if total is not None else "granted")
    if first is None:
        yield Finding("CourseSection-Read", "not tried", "the account has no section to read")
    else:
        read, finding = _try("CourseSection-Read", lambda: read_whole(session, first))
        yield finding or Finding("CourseSection-Read", "ok", f"section {read} read whole")
    yield Finding("CourseSection-Edit", "not tried", "only an update would show it, and doctor changes nothing")


def _try(what: str, act: Callable[[], T]) -> "tuple[T | None, Finding | None]":
    from sync.jobs.setup import Finding  # noqa: PLC0415 - loaded when the command runs

    try:
        return act(), None
    except CourseSyncError as error:
        return None, Finding(what, "failed", str(error), error.exit_code)


def _described(settings: "Settings | None") -> str:
    if settings is None:
        return ""
    return f"profile {settings.profile}, account {settings.account or '(none named)'}, {settings.base_url}"
