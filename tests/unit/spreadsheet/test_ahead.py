"""A reading that was begun ahead gives what a reading asked for later gives, and nothing of it stays."""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.adapters.spreadsheet import Limits, ReadingAhead, load, load_here
from sync.errors import InputError

MakeWorkbook = Callable[..., Path]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")

ROW = '<row r="1"><c r="A1"><v>1</v></c></row>'


def children() -> set[int]:
    """The processes that this one has started and not yet taken leave of."""
    return {int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


def test_a_workbook_is_read_before_anybody_asks(make_workbook: MakeWorkbook) -> None:
    """Its content is taken when the reading begins: what lies there later is another file."""
    path = make_workbook(ROW)
    expected = load_here(path)

    with ReadingAhead(path).begin() as ahead:
        until = time.monotonic() + 60
        while any(thread.name == "reading" for thread in threading.enumerate()) and time.monotonic() < until:
            time.sleep(0.01)
        path.write_bytes(b"gone")

        assert load(path, ahead=ahead) == expected


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.txt"])
def test_a_text_is_read_as_the_profile_says_whatever_its_name(tmp_path: Path, name: str) -> None:
    """Its encoding is known only when the profile has been read, so it is read then."""
    path = tmp_path / name
    path.write_bytes("Id;Title\n1;Käse\n".encode("cp1252"))

    with ReadingAhead(path).begin() as ahead:
        file = load(path, encoding="cp1252", ahead=ahead)

    assert file.tables[0].rows[1].cells == ("1", "Käse")


def test_a_refusal_waits_for_whoever_asks(tmp_path: Path, make_workbook: MakeWorkbook) -> None:
    """A missing file and a damaged one are said when the result is asked for, in the same words as ever."""
    for path in (tmp_path / "missing.xlsx", make_workbook("<row><c>", name="broken.xlsx")):
        with ReadingAhead(path).begin() as ahead, pytest.raises(InputError) as early:
            load(path, ahead=ahead)
        with pytest.raises(InputError) as late:
            load_here(path)

        assert (early.value.code, str(early.value)) == (late.value.code, str(late.value))


def test_whoever_does_not_ask_leaves_nothing_behind(make_workbook: MakeWorkbook) -> None:
    """A command that ends early, in mid-reading, ends thread and process with it, at once."""
    before = children()
    path = make_workbook("".join(f'<row r="{row}"><c r="A{row}"><v>1</v></c></row>' for row in range(1, 100_000)))

    began = time.monotonic()
    with ReadingAhead(path).begin():
        begun = children() - before
        assert begun

    assert time.monotonic() - began < 30
    assert not any(thread.name == "reading" for thread in threading.enumerate())
    assert not begun & children()
    assert not any(Path(f"/proc/{pid}").exists() for pid in begun)


def test_a_reader_that_dies_ahead_is_a_sentence(make_workbook: MakeWorkbook) -> None:
    """Its limits hold there as well, and the caller lives."""
    row = '<row r="{0}"><c r="A{0}"><v>1.5</v></c><c r="AM{0}"><v>2.5</v></c></row>'
    path = make_workbook("".join(row.format(number) for number in range(1, 100_001)))

    with ReadingAhead(path, Limits(memory_bytes=150_000_000)).begin() as ahead, pytest.raises(Exception) as caught:  # noqa: PT011 - the class depends on how far it came
        ahead.result()

    assert str(os.getpid()) not in str(caught.value)
    assert type(caught.value).__name__ in {"InputError", "InternalError"}
