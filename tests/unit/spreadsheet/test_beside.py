"""A large workbook, which calamine reads beside our own pass: what comes of it is what comes of one after the other."""

import random
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from sync.adapters.spreadsheet.beside import Beside
from sync.adapters.spreadsheet.container import read_content
from sync.adapters.spreadsheet.parts import join
from sync.adapters.spreadsheet.workbook_reader import read_workbook
from sync.errors import InputError
from sync.model import Flaw, FlawKind, LoadedFile

MakeWorkbook = Callable[..., Path]

ROWS = 12_000
FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


def large(instead: dict[int, str] | None = None) -> str:
    """More XML than is read one after the other, a number and a text in each row but those that are given."""
    changed = instead or {}
    usual = '<row r="{0}"><c r="A{0}"><v>{0}</v></c><c r="B{0}" t="str"><v>a text of {1} that takes room</v></c></row>'
    noise = random.Random(1)  # else it would pack too well for a genuine sheet
    return "".join(
        changed.get(number) or usual.format(number, noise.randrange(10**12)) for number in range(1, ROWS + 1)
    )


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """No thread outlives a reading, whatever came of it."""
    yield

    assert [each.name for each in threading.enumerate() if each.name == "values"] == []


def read(path: Path) -> tuple[LoadedFile, list[str]]:
    """Read the workbook; with what was asked of a thread: its beginning, and its going on to the sheets."""
    seen: list[str] = []
    content = read_content(path)
    return join(read_workbook(content, partial(Seen, seen)), path), seen


def refused(path: Path) -> tuple[str, list[str]]:
    """The code of the refusal, and the same."""
    seen: list[str] = []
    with pytest.raises(InputError) as caught:
        read_workbook(read_content(path), partial(Seen, seen))
    return caught.value.code, seen


class Seen(Beside):
    """One that says what is asked of it."""

    def __init__(self, seen: list[str], data: bytes, file: str) -> None:
        super().__init__(data, file)
        self._seen = seen

    def begin(self) -> Self:
        self._seen.append("begun")
        return super().begin()

    def go_on(self) -> None:
        self._seen.append("goes on")
        super().go_on()


def test_a_large_sheet_is_read_whole(make_workbook: MakeWorkbook) -> None:
    """Every sheet comes in its order, and the first is not read twice."""
    file, asked = read(make_workbook(large(), '<row r="1"><c r="A1"><v>7</v></c></row>'))

    assert asked == ["begun", "goes on"]
    assert [(table.name, len(table.rows), table.rows[-1].cells[0]) for table in file.tables] == [
        ("S1", ROWS, ROWS),
        ("S2", 1, 7),
    ]


def test_a_small_sheet_needs_no_thread(make_workbook: MakeWorkbook) -> None:
    """It would cost more than it saves."""
    _, asked = read(make_workbook('<row r="1"><c r="A1"><v>7</v></c></row>'))

    assert asked == []


def test_an_error_that_calamine_does_not_know_is_read_from_the_copy(make_workbook: MakeWorkbook) -> None:
    """What was begun with the file as it is counts for nothing then."""
    odd = {9: '<row r="9"><c r="A9"><v>9</v></c><c r="B9" t="e"><v>#SPILL!</v></c></row>'}
    file, asked = read(make_workbook(large(odd)))
    table = file.tables[0]

    assert asked == ["begun", "goes on"]
    assert (len(table.rows), table.rows[8].cells[0]) == (ROWS, 9)
    assert table.rows[8].flaws == {1: Flaw(FlawKind.ERROR_VALUE, "#SPILL!")}


def test_no_sheet_is_read_before_it_is_known_how_far_it_reaches(make_workbook: MakeWorkbook) -> None:
    """Calamine would make room for everything up to a stray value."""
    assert refused(make_workbook(large() + FAR)) == ("file.too_large", ["begun"])


def test_sheets_that_reach_too_far_together_are_not_read(make_workbook: MakeWorkbook) -> None:
    """Each is within bounds, all of them are not."""
    wide = '<row r="1"><c r="A1"><v>1</v></c></row><row r="70000"><c r="Z70000"><v>1</v></c></row>'

    assert refused(make_workbook(large(), wide, wide, wide)) == ("file.too_large", ["begun"])


@pytest.mark.parametrize("end", ["<row>", "</x>", "&none;"], ids=["open", "unopened", "entity"])
def test_what_our_own_pass_refuses_is_refused(make_workbook: MakeWorkbook, end: str) -> None:
    """Calamine is lenient where XML is broken: its reading does not count."""
    assert refused(make_workbook(large(), end))[0] == "file.damaged"


def test_what_calamine_refuses_is_refused(make_workbook: MakeWorkbook) -> None:
    """Its refusal comes out of the thread as the sentence that it is."""
    assert (
        refused(make_workbook(large(), extra={"xl/styles.xml": "<styleSheet><cellXfs><xf></styleSheet>"}))[0]
        == "file.damaged"
    )


def test_a_dtd_is_refused_before_calamine_has_the_file(make_workbook: MakeWorkbook) -> None:
    """Nothing is begun with it, in whichever part it stands."""
    dtd = '<!DOCTYPE a [<!ENTITY b "c">]><a/>'

    assert refused(make_workbook(large(), extra={"docProps/app.xml": dtd})) == ("file.dtd", [])
