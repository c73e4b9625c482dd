"""State directories that cannot be made, belong elsewhere, are in use or are damaged: refused, and left as they are."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sync.adapters.lock import run_lock
from tests.e2e.command_line import SAMPLES, Shell, refused
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

DEMO = str(SAMPLES / "demo.xlsx")
TITLES = str(SAMPLES / "translate_titles.xlsx")
STATEFUL = [
    ("plan", TITLES),
    ("apply", TITLES, "--yes"),
    ("export",),
    ("resume",),
    ("history",),
    ("status",),
    ("report", "x"),
    ("doctor",),
    ("login",),
    ("logout",),
    ("check", TITLES),
]
stateful = pytest.mark.parametrize("words", STATEFUL, ids=[words[0] for words in STATEFUL])


@stateful
@pytest.mark.parametrize("place", ["taken", "taken/below"])
def test_a_state_directory_that_cannot_be_isrefused(
    shell: Shell, sandbox: SandboxProcess, words: tuple[str, ...], place: str
) -> None:
    """A file in its way: exit code 2 from every command, and no request."""
    (shell.folder / "taken").write_text("a file", encoding="utf-8")
    if words == ("login",):
        shell.setenv(COURSESYNC_USERNAME="admin@example.com", COURSESYNC_PASSWORD="sandbox-password")

    ran = shell(*words, "--state-dir", place)

    refused(ran, 2, "taken")
    assert sandbox.log() == []


def test_a_state_directory_that_is_missing_is_made(shell: Shell) -> None:
    """The first command of a profile makes it, closed to others."""
    assert shell("plan", TITLES, "--state-dir", "deep/down/state").code == 0
    assert (shell.folder / "deep/down/state").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("what", ["account", "base_url"])
def test_a_state_directory_of_another_account_isrefused(shell: Shell, sandbox: SandboxProcess, what: str) -> None:
    """What one account made so must not be held against another: exit code 2 before any request."""
    shell("history")
    assert shell("plan", TITLES, "--quiet").code == 0
    seen = len(sandbox.log())
    config = shell.folder / "configs" / "main.toml"
    changed = {"account": ('"quayside"', '"dockside"'), "base_url": ("127.0.0.1", "localhost")}[what]
    config.write_text(config.read_text(encoding="utf-8").replace(*changed), encoding="utf-8")

    ran = shell("apply", TITLES, "--yes")

    refused(ran, 2, f"belongs to {what}", "--state-dir")
    assert len(sandbox.log()) == seen


@pytest.mark.parametrize("words", [("apply", TITLES, "--yes"), ("resume",)], ids=["apply", "resume"])
def test_a_second_run_is_told_who_is_at_work(shell: Shell, sandbox: SandboxProcess, words: tuple[str, ...]) -> None:
    """Exit code 8 names the other process, its start and its sheet; nothing is sent."""
    shell.profile(limits='[{ scope = "write", count = 1, seconds = 86400 }]')
    assert shell.apply(DEMO).code == 5
    sent = len(sandbox.puts())

    with run_lock(shell.state / "run.lock", since="2026-03-02T09:14:07Z", holds="other.xlsx"):
        ran = shell(*words)

    refused(ran, 8, "Another run of this profile is at work", "since 2026-03-02T09:14:07Z, with other.xlsx")
    assert len(sandbox.puts()) == sent


def _broken(path: Path) -> None:
    path.write_bytes(b"this is no store" * 1000)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        pytest.param(_broken, "It is never started anew by itself", id="no store"),
        pytest.param(_cut, "It is never started anew by itself", id="cut off"),
        pytest.param(_newer, "was written by a newer coursesync (version 99)", id="newer"),
    ],
)
def test_a_store_that_cannot_be_trusted_is_never_started_anew(
    shell: Shell, sandbox: SandboxProcess, spoil: Callable[[Path], None], text: str
) -> None:
    """Exit code 2 and the next step; the file stays as it is."""
    shell("history")
    store = shell.state / "store.sqlite3"
    for beside in ("store.sqlite3-wal", "store.sqlite3-shm"):
        (shell.state / beside).unlink(missing_ok=True)
    spoil(store)

    ran = shell("apply", TITLES, "--yes")

    refused(ran, 2, text)
    assert store.exists()
    assert sandbox.log() == []
