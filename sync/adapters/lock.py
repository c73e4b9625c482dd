"""One run of a profile at a time: a kernel lock on a file of the state directory, and who holds it.

The lock is the kernel's (`flock`): it is gone with the process, however it ended. Children do not inherit it: Python
opens files close-on-exec, and a forked child closes what it got. What the file says is only for people.
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.errors import LockHeld
from sync.failpoints import reach

_held: set[int] = set()
"""Descriptors of locks that this process holds or wants."""


def _let_go_in_a_child() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_a_child)


@contextmanager
def run_lock(path: Path, *, since: str, holds: str) -> Iterator[None]:
    """Hold the lock at `path` while the block runs; `holds` names the sheet or the command.

    Raises:
        LockHeld: another process holds it; the message names who.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    _held.add(descriptor)
    try:
        reach("lock.wanted")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockHeld(
                f"Another run of this profile is at work: {_holder(path)}.",
                remedy="Wait for it, or look at it with `coursesync status`.",
            ) from None
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since, "file": holds})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
        reach("lock.taken")
        yield
        if descriptor in _held:
            os.ftruncate(descriptor, 0)
    finally:
        if descriptor in _held:
            _held.discard(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child that was forked just now may not have closed its copy yet
            os.close(descriptor)
    reach("lock.released")


def who_holds(path: Path) -> str | None:
    """Who holds the lock at `path`; `None` where it is free, or was never taken."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(path)
    else:
        return None
    finally:
        os.close(descriptor)


def _holder(path: Path) -> str:
    try:
        facts = json.loads(path.read_text())
        return f"process {facts['pid']} on {facts['host']}, since {facts['since']}, with {facts['file']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has not said who it is"
