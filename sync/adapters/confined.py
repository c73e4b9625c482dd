"""A process of our own for the work that a hostile file could kill or stall: what it keeps, and what it may use.

It is started afresh (never forked), knows no setting and no secret of ours, and holds itself to its limits before it
loads a library. On Windows, which has no such limits, the clock of the caller alone limits.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync.frozen import Frozen

ROOT: Final = Path(__file__).resolve().parents[2]
"""Where such a process starts: from here it finds this package."""
DESCRIPTORS: Final = 64
_NEW_USER: Final = 0x10000000
"""Linux's flags of `unshare`; a user of its own needs no rights, and so may have a network of its own."""
_NEW_NETWORK: Final = 0x40000000
_SET_DUMPABLE: Final = 4

_KEPT: Final = ("PATH", "LANG", "LC_", "TMP", "TEMP", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHON", "COVERAGE_", "COV_")
"""The starts of what the process keeps of our environment: no setting and no secret is among them."""
_THREADS: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""Each thread of a library would take address space from the limit."""


class Limits(Frozen):
    """What the process may use."""

    memory_bytes: int = 2_000_000_000
    """Address space, of which Python and its libraries take 0.2 GB themselves."""
    cpu_s: int = 60
    """Processor time of the process's whole life."""
    wall_s: float = 90.0
    """Time by the clock for one file."""


def command(module: str, limits: Limits) -> list[str]:
    """The words that start `module`, which then calls `confine` with the last two of them."""
    return [sys.executable, "-m", module, str(limits.memory_bytes), str(limits.cpu_s)]


def environment() -> dict[str, str]:
    """What the process knows of ours."""
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(_KEPT)}
    return kept | _THREADS


def confine(*, memory_bytes: int, cpu_s: int, file_bytes: int | None = None) -> None:
    """Hold this very process to its limits where the system knows such limits (not on Windows).

    It has no network from then on where Linux allows that to this user; elsewhere nothing here opens one either.

    Args:
        memory_bytes: address space.
        cpu_s: processor time.
        file_bytes: the largest file that it may write; no limit unless given.
    """
    if sys.platform == "win32":
        return
    _leave_network()
    import resource  # noqa: PLC0415 - not everywhere

    wanted = (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS),
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        *(() if file_bytes is None else ((resource.RLIMIT_FSIZE, file_bytes, file_bytes),)),
    )
    for kind, soft, hard in wanted:
        _, allowed = resource.getrlimit(kind)
        most = hard if allowed == resource.RLIM_INFINITY else min(hard, allowed)
        resource.setrlimit(kind, (min(soft, most), most))


def give_back_memory() -> None:
    """Hand the memory that was freed back to the system, where the C library keeps it and can be told to (glibc)."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - where it is used

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _leave_network() -> None:
    """Move into a network of its own, in which there is nothing, not even this machine."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - for this alone; `os.unshare` is there from Python 3.12 on

    with suppress(OSError, AttributeError):
        system = ctypes.CDLL(None)
        system.unshare(_NEW_USER | _NEW_NETWORK)
        # A user of its own hides a process from the one that started it, which measures it and ends it.
        system.prctl(_SET_DUMPABLE, 1, 0, 0, 0)
