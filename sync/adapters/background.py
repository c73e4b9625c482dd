"""Processes of our own that outlive whoever started them: begun without a shell, and found again by what they write.

Each has a session of its own, so that the end of a server is not its end; its words, its standard output and its
standard error lie in files. Whether it is still at work is told by its id and the moment at which it began.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_begun: Final[dict[int, subprocess.Popen[bytes]]] = {}
"""Children of this process that were not reaped yet."""
_FIELDS_BEFORE_START: Final = 19
"""Of /proc/PID/stat, between the state and the moment of its start."""


def begin(words: Sequence[str], out: Path) -> str:
    """Start `coursesync` with these words; its output lies in `out`, its talk beside it. Give what it is known by.

    Raises:
        OSError: the system cannot start it.
    """
    with (
        open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stdout,  # noqa: PTH123 - with its mode
        open(os.open(talk_of(out), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stderr,  # noqa: PTH123 - the same
    ):
        child = subprocess.Popen(  # noqa: S603 - our own program, and no word of it is taken from a name or a cell
            [sys.executable, "-m", "sync", *words],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            close_fds=True,
        )
    _begun[child.pid] = child
    return f"{child.pid}:{_began_at(child.pid) or ''}"


def talk_of(out: Path) -> Path:
    """Where the talk of a process lies."""
    return out.with_suffix(".err")


def is_at_work(process: str) -> bool:
    """Whether the process of this mark still runs; a child that has ended is reaped."""
    pid_text, _, began = process.partition(":")
    pid = int(pid_text)
    child = _begun.get(pid)
    if child is not None:
        if child.poll() is None:
            return True
        _begun.pop(pid, None)  # two looks at once may both see its end
        return False
    if began:
        return _began_at(pid) == began
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def answer_of(out: Path) -> dict[str, Any] | None:
    """The object that a process that has ended said on its standard output."""
    with suppress(OSError, ValueError):
        found = json.loads(out.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return None


def _began_at(pid: int) -> str | None:
    """The tick at which a process began, which no other of the same id shares; `None` where the system does not say."""
    with suppress(OSError):
        state, *rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return None if state == "Z" else rest[_FIELDS_BEFORE_START - 1]
    return None
