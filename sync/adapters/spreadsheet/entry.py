"""The reading process: takes files on standard input and gives back tables or refusals, under limits of its own.

Started by `child.py` with `python -m`; never imported by the rest of the program. An error that nobody foresaw ends
it with a traceback on standard error, and the parent makes one sentence of that.
"""

import gc
import marshal
import os
import sys
from pathlib import Path
from typing import Final

from sync.adapters.confined import confine
from sync.adapters.spreadsheet.frames import frames, send

FILE_BYTES: Final = 1_000_000
"""It has nothing to write; only a measurement of what its tests reach does."""

YOUNG: Final = 100_000
"""New objects between two looks for cycles: a table is a million objects that all live until it is handed over."""
YOUNG_BEFORE_OLD: Final = 100


def main() -> None:
    """Serve until standard input ends; the limits are in the arguments: address space in bytes, processor seconds."""
    confine(memory_bytes=int(sys.argv[1]), cpu_s=int(sys.argv[2]), file_bytes=FILE_BYTES)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # what a library may print is no answer
    # Loaded before the first file, so that a broken installation is not taken for a broken file.
    from sync.adapters.spreadsheet import csv_reader, workbook_reader  # noqa: F401, PLC0415 - under the limits

    gc.set_threshold(YOUNG, YOUNG_BEFORE_OLD, YOUNG_BEFORE_OLD)
    send(answers, b"ready")
    for order in frames(sys.stdin.buffer):
        send(answers, marshal.dumps(_answer(order)))


def _answer(order: bytes) -> tuple[str | bytes, ...]:
    """Read one file."""
    from sync.adapters.spreadsheet.container import content_of  # noqa: PLC0415 - loaded under the limits
    from sync.adapters.spreadsheet.tables import read_tables  # noqa: PLC0415 - the same
    from sync.adapters.spreadsheet.wire import pack  # noqa: PLC0415 - the same
    from sync.errors import InputError  # noqa: PLC0415 - the same

    path, encoding, data = marshal.loads(order)  # noqa: S302 - from the process that started this one
    try:
        return "tables", pack(read_tables(content_of(Path(path), data), encoding=encoding))
    except InputError as exc:
        return "refused", exc.message, exc.code, exc.remedy
    except MemoryError:
        return ("memory",)


if __name__ == "__main__":
    main()
