"""The process that opens the operator's own workbook: an order on standard input, the report on standard output.

Started by `own_process.py` with `python -m`, often before the order is there: its libraries are loaded first. Where the
file cannot be carried over, its exit code says why; what nobody foresaw ends it with a traceback on standard error, and
the caller takes that for an odd file. Without an order it ends when its caller does.
"""

import gc
import pickle
import sys
from typing import Any

from sync.adapters.confined import confine


def main() -> None:
    """Serve one order; the limits are in the arguments: address space in bytes, processor seconds."""
    confine(memory_bytes=int(sys.argv[1]), cpu_s=int(sys.argv[2]))
    gc.disable()  # it makes millions of objects, keeps all of them, and ends
    answer = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library may print is no answer
    modules: dict[str, Any] = sys.modules
    modules["numpy"] = None  # openpyxl takes it when it is there, for nothing that is needed here: half of its start
    from sync.adapters.workbook.own_sheet import annotated  # noqa: PLC0415 - under the limits
    from sync.adapters.workbook.own_task import CODES, NotCarried  # noqa: PLC0415 - the same

    try:
        task = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    except EOFError:
        return  # nobody wants a report any more
    except MemoryError:
        sys.exit(CODES[NotCarried.HEAVY])
    try:
        content = annotated(task)
    except MemoryError:
        sys.exit(CODES[NotCarried.HEAVY])
    gc.freeze()  # to look for garbage at the end would take as long as a fifth of the start
    if isinstance(content, bytes):
        answer.write(content)
    else:
        sys.exit(CODES[content])


if __name__ == "__main__":
    main()
