"""An order is served before anybody is certain of it: taken by who asks for the same, and else let go."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.adapters.confined import Limits
from sync.adapters.workbook.own_process import OwnProcess, annotated_apart
from sync.frozen import replace
from sync.model import QuotaUse, RunId
from tests.own_orders import bytes_of, is_reaped, order_for, parts_of, wait_until, workbook_at


def test_what_was_ordered_ahead_is_taken_by_who_asks_for_it(tmp_path: Path) -> None:
    """The process that was begun has served it by then or is at it; a quota, of which it says nothing, is no matter."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))
    with OwnProcess(Limits(wall_s=60.0)) as process:
        process.begin()
        begun = process.pid
        process.order_ahead(order)
        wait_until(lambda: process.pid is None)
        later = replace(order, report=replace(order.report, quota=(QuotaUse("minute", 1, 60),)))
        taken = process.annotated(later)

        assert process.pid is None
    assert isinstance(taken, bytes)
    assert parts_of(taken) == parts_of(bytes_of(annotated_apart(order)))
    assert begun is not None
    assert is_reaped(begun)


@pytest.mark.parametrize("waits", [True, False])
def test_another_order_than_the_one_ahead_is_served_anew(tmp_path: Path, *, waits: bool) -> None:
    """Nobody gets a workbook that he has not asked for, whether the one ahead is done or just begun."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))
    other = replace(order, report=replace(order.report, run_id=RunId("20260302-091407-ffff")))
    with OwnProcess() as process:
        process.begin()
        process.order_ahead(order)
        if waits:
            wait_until(lambda: process.pid is None)
        anew = process.annotated(other)

    assert parts_of(bytes_of(anew)) == parts_of(bytes_of(annotated_apart(other)))
    assert parts_of(bytes_of(anew)) != parts_of(bytes_of(annotated_apart(order)))


def test_who_closes_it_does_not_wait_for_what_was_ordered_ahead(tmp_path: Path) -> None:
    """The process is ended, whatever it is at, and the thread that asked it is over."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))
    workbook_at(tmp_path / "a.xlsx", merge="A3:XFD1048576")
    before = set(threading.enumerate())
    process = OwnProcess()
    process.begin()
    pid = process.pid
    assert pid is not None
    process.order_ahead(order)
    process.close()

    assert process.pid is None
    assert is_reaped(pid)
    wait_until(lambda: not set(threading.enumerate()) - before)


def test_of_two_orders_ahead_the_later_one_counts(tmp_path: Path) -> None:
    """The one before it is let go, whatever its process is at."""
    first = order_for(workbook_at(tmp_path / "a.xlsx"))
    second = replace(first, report=replace(first.report, run_id=RunId("20260302-091407-ffff")))
    with OwnProcess() as process:
        process.begin()
        process.order_ahead(first)
        process.order_ahead(second)
        taken = process.annotated(second)

    assert parts_of(bytes_of(taken)) == parts_of(bytes_of(annotated_apart(second)))


def test_where_there_is_no_thread_nothing_is_served_ahead(tmp_path: Path) -> None:
    """A machine that has no thread left has the workbook made when it is asked for; nobody waits for what never was."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))

    def none_left(_what: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    with OwnProcess(beside=none_left) as process:
        process.begin()
        process.order_ahead(order)
        taken = process.annotated(order)

    assert isinstance(taken, bytes)


def test_what_was_taken_is_not_kept(tmp_path: Path) -> None:
    """A session that goes on with other sheets holds neither the order nor the workbook."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))
    with OwnProcess() as process:
        process.order_ahead(order)
        process.annotated(order)

        assert process.holds_nothing
