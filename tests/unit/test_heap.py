"""The garbage collector is kept from what lives on, and who goes on keeps nothing of a sheet that is done."""

import gc
import weakref

from sync.jobs.heap import left_alone, one_of_many


class Ring:
    """Refers to itself: only the garbage collector lets it go."""

    def __init__(self) -> None:
        self.self = self


def ring_made_in(*, one_sheet: bool) -> "weakref.ref[Ring]":
    """Make garbage where nothing is looked at."""

    @left_alone()
    def work() -> "weakref.ref[Ring]":
        return weakref.ref(Ring())

    return one_of_many()(work)() if one_sheet else work()


def test_what_a_sheet_leaves_in_cycles_goes_with_it() -> None:
    """A drop folder is watched for months: without this, each of its sheets would cost a megabyte, or a workbook."""
    kept, gone = ring_made_in(one_sheet=False), ring_made_in(one_sheet=True)

    assert gone() is None
    assert kept() is None, "the sheet after it lets go of it, too"
    assert gc.isenabled()


def test_what_is_left_alone_is_not_looked_at() -> None:
    """What a block has made is not gone through again by later collections of the same command."""
    kept = ring_made_in(one_sheet=False)
    gc.collect()

    assert kept() is not None
    gc.unfreeze()
    gc.collect()
    assert kept() is None
