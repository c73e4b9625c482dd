"""The operator's own workbook is opened in a process of its own, under limits: what it does to openpyxl ends there.

Its rows were read before, in another such process: whatever happens here, they are at hand for a report of values.
"""

import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from sync.adapters.confined import ROOT, Limits, command, environment
from sync.adapters.workbook.own_order import NotCarried, Order

ENTRY: Final = "sync.adapters.workbook.own_entry"
LIMITS: Final = Limits(memory_bytes=2_000_000_000, cpu_s=60, wall_s=120.0)
CODES: Final[Mapping[NotCarried, int]] = {NotCarried.HEAVY: 9, NotCarried.ODD: 10, NotCarried.LARGE: 11}
"""How the process ends that could not carry the file over."""


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
    if sys.platform != "win32" and ended.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        return NotCarried.HEAVY
    return {code: reason for reason, code in CODES.items()}.get(ended.returncode, NotCarried.ODD)
