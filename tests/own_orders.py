"""Small workbooks, orders for the process that carries them over, and what is left of it."""

import os
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from sync.adapters.workbook.layout import Layout
from sync.adapters.workbook.own_order import Order
from sync.adapters.workbook.source import SheetSource
from sync.headings import RESULT_HEADINGS
from tests.workbooks import checked_at, report_on


def workbook_at(path: Path, *, merge: str | None = None) -> Path:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(["Id", "Title"])
    sheet.append(["200", "a"])
    workbook.save(path)
    if merge:
        _put_into_sheet(
            path, "</sheetData>", f'</sheetData><mergeCells count="1"><mergeCell ref="{merge}"/></mergeCells>'
        )
    return path


def _put_into_sheet(path: Path, old: str, new: str) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    assert old.encode() in parts[name]
    parts[name] = parts[name].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, content in parts.items():
            archive.writestr(each, content)


def order_for(path: Path) -> Order:
    checked = checked_at(path)
    source = SheetSource.of(checked)
    return Order(report_on(checked), source, Layout.of(source, RESULT_HEADINGS), {}, ("said",))


def parts_of(content: bytes) -> dict[str, bytes]:
    """The parts of a workbook, but for the one that says when it was made."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "docProps/core.xml"}


def bytes_of(content: object) -> bytes:
    assert isinstance(content, bytes)
    return content


def wait_until(is_so: Callable[[], bool]) -> None:
    """Give it a minute, as on a machine that is busy."""
    for _ in range(6000):
        if is_so():
            return
        time.sleep(0.01)
    pytest.fail("it did not come about")


def is_reaped(pid: int) -> bool:
    """Whether nothing of a child of ours is left, not even what it ended with."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return False
