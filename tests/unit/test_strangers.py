"""A sheet with some wrong Ids is planned; a sheet of another account is refused after twenty single reads."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import InputError
from sync.exchange import ReadOne
from sync.live import read_live
from sync.model import SectionId
from sync.reading import Found, Missing
from sync.section import Record
from sync.strangers import Strangers, spread
from tests.line_desk import Desk, desk

UNKNOWN = range(100_001, 100_501)


@given(st.lists(st.integers(1, 10**9).map(SectionId), unique=True), st.integers(1, 200))
def test_every_batch_is_a_sample_of_the_whole_sheet(ids: list[SectionId], size: int) -> None:
    """Each Id once; neighbours of the sheet are as far apart as there are batches."""
    batches = max(1, -(-len(ids) // size))
    ordered = spread(ids, size)

    assert sorted(ordered) == sorted(ids)
    assert ordered[: -(-len(ids) // batches)] == ids[::batches]


def read(at: Desk, ids: list[int], strangers: Strangers) -> None:
    order = spread([SectionId(number) for number in ids], 150)
    for sight in read_live(order, at.line, at.clock, ids_per_request=150, wait_max_s=900.0):
        strangers.saw(sight)


def singles(at: Desk) -> int:
    return sum(isinstance(served.request, ReadOne) for served in at.server.reads)


def test_a_sheet_of_another_account_is_refused_after_twenty_single_reads(tmp_path: Path) -> None:
    """Five hundred wrong Ids cost no five hundred requests, and are not "could not be read" for ever."""
    with (
        desk(tmp_path) as at,
        pytest.raises(InputError, match=r"None of the sheet's 500 Ids .* right profile") as refusal,
    ):
        read(at, [*UNKNOWN], Strangers(500))

    assert (refusal.value.exit_code, refusal.value.code) == (3, "sheet.foreign_ids")
    assert 20 <= singles(at) <= 28


@pytest.mark.parametrize("where", ["first", "last"])
def test_where_some_are_known_each_row_gets_its_own_404(tmp_path: Path, where: str) -> None:
    """Wherever the known ones stand in the sheet; and whoever watches is told as it goes."""
    told: list[tuple[int, int]] = []
    known = [1, 2, 3, 4, 5, 6, 7, 8]
    ids = [*known, *UNKNOWN] if where == "first" else [*UNKNOWN, *known]
    strangers = Strangers(len(ids), lambda missing, asked: told.append((missing, asked)))
    with desk(tmp_path) as at:
        read(at, ids, strangers)

    assert (strangers.found, strangers.missing, singles(at)) == (8, 500, 500)
    assert told == [(number, 508) for number in range(20, 501, 20)]


def test_a_short_sheet_of_wrong_ids_is_a_sheet_of_rows_to_mend() -> None:
    """Up to twenty rows: each is rejected by itself, as the operator sees best."""
    strangers = Strangers(20)
    for number in range(20):
        strangers.saw(Missing(SectionId(number)))

    assert (strangers.found, strangers.missing) == (0, 20)


def test_one_known_section_is_enough() -> None:
    """Then the account is the right one, whatever is wrong with the other rows."""
    record: Record = {}
    strangers = Strangers(1000)
    strangers.saw(Found(SectionId(1), record))
    for number in range(500):
        strangers.saw(Missing(SectionId(number)))

    assert strangers.missing == 500
