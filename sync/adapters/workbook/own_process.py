"""The operator's own workbook is opened in a process of its own, under limits: what it does to openpyxl ends there.

Its rows were read before, in another such process: whatever happens here, they are at hand for a report of values.
"""

import pickle
import signal
import subprocess
import sys
from typing import Final

from sync.adapters.confined import ROOT, Limits, command, environment
from sync.adapters.workbook.own_order import NotCarried, Order

ENTRY: Final = "sync.adapters.workbook.own_entry"
LIMITS: Final = Limits(memory_bytes=2_000_000_000, cpu_s=60, wall_s=120.0)
OUT_OF_MEMORY: Final = 9
"""How the process ends when it has no memory left."""


def annotated_apart(order: Order, *, limits: Limits = LIMITS) -> bytes | NotCarried:
    """Write the results onto a copy of the original; or say why that did not come about."""
    try:
        ended = subprocess.run(  # noqa: S603 - this very Python, and words of our own
            command(ENTRY, limits),
            input=pickle.dumps(order.slim(), pickle.HIGHEST_PROTOCOL),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limits.wall_s,
            check=False,
            cwd=ROOT,
            env=environment(),
            start_new_session=True,  # Ctrl-C is for us: the process ends when we end it
        )
    except subprocess.TimeoutExpired:
        return NotCarried.HEAVY
    except OSError:
        return NotCarried.ODD
    if ended.returncode == 0 and ended.stdout:
        return ended.stdout
    return NotCarried.HEAVY if _is_out_of_bounds(ended.returncode) else NotCarried.ODD


def _is_out_of_bounds(code: int) -> bool:
    if code == OUT_OF_MEMORY:
        return True
    return sys.platform != "win32" and code in {-signal.SIGXCPU, -signal.SIGKILL}
