"""Named points at which a test lets this process die as `kill -9` would; left alone, they cost next to nothing."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

VARIABLE = "COURSESYNC_FAILPOINT"
"""`name:k` dies when the point `name` is reached for the k-th time, from 1; `*:k` when any point is, all counted."""
ANY = "*"
LINGER_S = 0.02
"""A death waits so long at its point, for the other threads: what was let go too early gets to the server."""


@dataclass(slots=True)
class _Deadly:
    """The one point at which this process is to die."""

    name: str
    left: int
    lock: Lock = field(default_factory=Lock)

    def passed(self, name: str) -> None:
        if self.name not in (ANY, name):
            return
        with self.lock:
            self.left -= 1
            is_here = self.left == 0
        if is_here:
            time.sleep(LINGER_S)
            os.write(2, f"failpoint: dies at {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


_deadly: _Deadly | None = None


def reach(name: str) -> None:
    """Go on, unless the environment wants this process to die here."""
    if _deadly is not None:
        _deadly.passed(name)


def arm(environ: Mapping[str, str]) -> None:
    """Read anew at which point to die; done once when this module is imported.

    Raises:
        ValueError: the variable is there and is not of the form `name:k`.
    """
    global _deadly  # noqa: PLW0603 - one process, one death
    wanted = environ.get(VARIABLE)
    if not wanted:
        _deadly = None
        return
    name, _, number = wanted.rpartition(":")
    if not name or not number.isdecimal() or int(number) < 1:
        raise ValueError(f"{VARIABLE} is {wanted!r}, and not of the form name:k with k from 1")
    _deadly = _Deadly(name, int(number))


arm(os.environ)
