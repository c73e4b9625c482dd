"""The garbage collector, kept from looking at what a sheet is made of: millions of objects, none of them in a cycle."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_alone() -> Iterator[None]:
    """While the block runs, nothing looks for cycles; what it has made is not looked at afterwards, either.

    For blocks that make many values that live on: Python would look through all of them again and again. What such a
    block leaves in cycles stays until the process ends: it is none that leaves much, however long it may wait.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
