"""The operator's own workbook is opened apart and under limits: it can end that process, and nothing else."""

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from sync.adapters.confined import ROOT, Limits, command
from sync.adapters.workbook.own_process import ENTRY, LIMITS, OwnProcess, annotated_apart
from sync.adapters.workbook.own_task import NotCarried
from sync.adapters.workbook.results import report_workbook
from sync.adapters.workbook.source import SheetSource
from tests.own_orders import is_reaped, order_for, parts_of, workbook_at
from tests.workbooks import checked_at, here, opened, remarks_of, report_on

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364600000000600023081d02f"
    "0000000049454e44ae426082"
)


def test_the_process_writes_what_would_be_written_here(tmp_path: Path) -> None:
    """The same cells, whichever process made them."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))

    apart, same = annotated_apart(order), here(order)

    assert isinstance(apart, bytes)
    assert isinstance(same, bytes)
    cells = [list(opened(content).iter_rows(values_only=True)) for content in (apart, same)]
    assert cells[0] == cells[1]
    assert cells[0][1][:3] == ("200", "a", "failed")


def test_a_process_that_was_begun_writes_the_same(tmp_path: Path) -> None:
    """It is the one that was begun, however late the order comes: the same parts, byte by byte; then it is gone."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))
    with OwnProcess() as process:
        assert process.pid is None
        process.begin()
        begun = process.pid
        process.begin()
        assert process.pid == begun is not None
        ahead = process.annotated(order)
        assert process.pid is None
    apart = annotated_apart(order)

    assert isinstance(ahead, bytes)
    assert isinstance(apart, bytes)
    assert parts_of(ahead) == parts_of(apart)
    assert is_reaped(begun)


def test_a_process_that_is_not_used_leaves_no_zombie() -> None:
    """Whoever closes it has ended it by its own id, and waited for it; to close it once more is nothing."""
    process = OwnProcess()
    process.begin()
    pid = process.pid
    assert pid is not None
    process.close()
    process.close()

    assert process.pid is None
    assert is_reaped(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_that_dies_while_it_waits_is_started_again(tmp_path: Path) -> None:
    """Its death says nothing of the workbook that it was not asked for yet."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))
    with OwnProcess() as process:
        process.begin()
        pid = process.pid
        assert pid is not None
        os.kill(pid, signal.SIGTERM)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

        assert isinstance(process.annotated(order), bytes)


def test_the_process_ends_with_a_caller_that_asks_nothing() -> None:
    """A program that was killed leaves nobody behind who waits for its order; nothing is said, not even of an error."""
    ended = subprocess.run(
        command(ENTRY, LIMITS), stdin=subprocess.DEVNULL, capture_output=True, cwd=ROOT, check=False, timeout=60
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    "limits",
    [pytest.param(Limits(cpu_s=1), id="processor-time"), pytest.param(Limits(wall_s=1.0), id="clock")],
)
def test_a_file_that_stalls_openpyxl_is_given_up(tmp_path: Path, limits: Limits) -> None:
    """5 KB with all cells of the grid merged would take openpyxl hours: the process ends at its limit."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))
    workbook_at(tmp_path / "a.xlsx", merge="A3:XFD1048576")

    assert annotated_apart(order, limits=limits) is NotCarried.HEAVY


def test_a_file_that_needs_too_much_memory_is_given_up(tmp_path: Path) -> None:
    """The limit is the process's own: its death is an answer."""
    order = order_for(workbook_at(tmp_path / "a.xlsx"))
    workbook_at(tmp_path / "a.xlsx", merge="A3:XFD1048576")

    assert annotated_apart(order, limits=Limits(memory_bytes=130_000_000)) is NotCarried.HEAVY


def test_the_values_that_were_read_stand_in(tmp_path: Path) -> None:
    """What the reading process gave is at hand, and the summary says why the formats are gone."""
    checked = checked_at(workbook_at(tmp_path / "a.xlsx"))

    sheet = opened(report_workbook(report_on(checked), SheetSource.of(checked), carry=lambda _: NotCarried.HEAVY))

    assert (sheet["B2"].value, sheet["C2"].value) == ("a", "failed")
    assert NotCarried.HEAVY in remarks_of(sheet)


def test_what_openpyxl_cannot_keep_is_named(tmp_path: Path) -> None:
    """Pictures, text boxes and macros are gone from the copy, charts are drawn anew: the summary says each."""
    path = tmp_path / "a.xlsx"
    (tmp_path / "pixel.png").write_bytes(PIXEL)
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Edits")
        sheet.write_row(0, 0, ["Id", "Title", "DisplayOrder"])
        sheet.write_row(1, 0, ["200", "a", 1])
        sheet.insert_image("F2", str(tmp_path / "pixel.png"))
        sheet.insert_image("F9", str(tmp_path / "pixel.png"))
        sheet.insert_textbox("F5", "Read me")
        chart = workbook.add_chart({"type": "column"})
        assert chart is not None
        chart.add_series({"values": "=Edits!$C$2:$C$2"})
        sheet.insert_chart("H2", chart)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/externalLinks/externalLink1.xml", b"<externalLink/>")

    content = here(order_for(path))

    assert isinstance(content, bytes)
    remarks = [each for each in remarks_of(opened(content)) if each.startswith("Of your workbook")]
    assert remarks == [
        (
            "Of your workbook, this copy does not have: a picture, a shape or text box, a link to another workbook."
            " The file that you sent still has all of it."
        ),
        "Of your workbook, a chart was drawn anew: some of the look may differ.",
    ]


def test_a_report_that_comes_back_has_no_chart_of_the_operators(tmp_path: Path) -> None:
    """The chart of a former summary is ours: nobody is told that it was drawn anew."""
    first = tmp_path / "report.xlsx"
    order = order_for(workbook_at(tmp_path / "a.xlsx"))
    content = here(order)
    assert isinstance(content, bytes)
    first.write_bytes(content)

    again = here(order_for(first))

    assert isinstance(again, bytes)
    sheet = opened(again)
    assert [each for each in remarks_of(sheet) if each.startswith("Of your workbook")] == []
    assert [len(each._charts) for each in sheet.parent.worksheets] == [0, 1]
