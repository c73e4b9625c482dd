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
from sync.adapters.spreadsheet.container import content_of
from sync.adapters.spreadsheet.frames import frames, receive, send
from sync.adapters.spreadsheet.starting import Kind
from sync.adapters.spreadsheet.tables import read_parts, reader_of
from sync.adapters.spreadsheet.wire import pack
from sync.errors import InputError

FILE_BYTES: Final = 1_000_000
"""It has nothing to write; only a measurement of what its tests reach does."""

YOUNG: Final = 100_000
"""New objects between two looks for cycles: a table is a million objects that all live until it is handed over."""
YOUNG_BEFORE_OLD: Final = 100


_UNMAPPED: Final = "failed to map segment"
"""What the system says of a library for which there is no memory any more."""


def main() -> None:
    """Serve until standard input ends; in the arguments are bytes of memory, processor seconds, and the first kind."""
    confine(memory_bytes=int(sys.argv[1]), cpu_s=int(sys.argv[2]), file_bytes=FILE_BYTES)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # what a library may print is no answer
    # Loaded before the first file, so that a broken installation is not taken for a broken file.
    reader_of(Kind(sys.argv[3]))
    gc.set_threshold(YOUNG, YOUNG_BEFORE_OLD, YOUNG_BEFORE_OLD)
    send(answers, b"ready")
    for words in frames(sys.stdin.buffer):
        data = receive(sys.stdin.buffer)
        if data is None:
            return
        send(answers, marshal.dumps(_answer(words, data)))


def _answer(words: bytes, data: bytes) -> tuple[str | list[bytes], ...]:
    """Read one file."""
    path, encoding = marshal.loads(words)  # noqa: S302 - from the process that started this one
    try:
        return "tables", [pack(part) for part in read_parts(content_of(Path(path), data), encoding=encoding)]
    except InputError as exc:
        return "refused", exc.message, exc.code, exc.remedy
    except ImportError as exc:
        # Some libraries are loaded where they are used: a broken installation is no broken file.
        return ("memory",) if _lacks_memory(exc) else ("broken", str(exc))
    except (MemoryError, SystemError):  # the second is C code that was refused memory and did not say so
        return ("memory",)


def _lacks_memory(error: BaseException | None) -> bool:
    """Whether a library could not be loaded because there was no memory for it, or for one that it needs."""
    while error is not None:
        if isinstance(error, MemoryError) or _UNMAPPED in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


if __name__ == "__main__":
    main()
