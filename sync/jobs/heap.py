"""The garbage collector, kept from looking at what a sheet is made of: millions of objects, none of them in a cycle."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_alone() -> Iterator[None]:
    """While the block runs, nothing looks for cycles; what it has made is not looked at afterwards, either.

    For blocks that make many values that live on: Python would look through all of them again and again. What such a
    block leaves in cycles stays until the process ends, or until `one_of_many` lets it go.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextmanager
def one_of_many() -> Iterator[None]:
    """A sheet in a process that goes on with others: what the block has left in cycles is gone when it ends.

    That is a megabyte of statements a run, and all cells of a workbook that openpyxl has made.
    """
    try:
        yield
    finally:
        gc.unfreeze()
        gc.collect()
