"""An export that could not be read again says so while nobody has worked on it yet."""

from pathlib import Path

import pytest

from sync.adapters.spreadsheet.container import MAX_FILE_BYTES
from sync.adapters.workbook.export import write_export
from sync.cli.sheets import cannot_come_back
from tests.sections import ORIGIN, section

WAY_OUT = "export some courses at a time, with --course"


def test_a_file_beyond_the_limit_names_the_way_out(tmp_path: Path) -> None:
    """The figure and the option, in one line."""
    path = tmp_path / "sections.csv"
    path.write_bytes(b"a" * (MAX_FILE_BYTES + 1))

    (said,) = cannot_come_back(path)

    assert "larger than 20 MB" in said
    assert WAY_OUT in said


def test_a_workbook_that_unpacks_to_more_than_is_read_names_it_too(tmp_path: Path) -> None:
    """Packed it is small: what counts is what a reader would have to hold."""
    path = tmp_path / "sections.xlsx"
    contents = "x" * 30_000
    records = [section(key) | {"SectionContents": contents} for key in range(1, 801)]
    write_export(path, records, origin=ORIGIN)

    (said,) = cannot_come_back(path)

    assert WAY_OUT in said


@pytest.mark.parametrize("name", ["sections.xlsx", "sections.csv"])
def test_an_ordinary_export_says_nothing(tmp_path: Path, name: str) -> None:
    """It is ready to be edited."""
    write_export(tmp_path / name, [section(7)], origin=ORIGIN)

    assert cannot_come_back(tmp_path / name) == ()
