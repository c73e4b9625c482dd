"""A report whose plain rows were never opened is, for LibreOffice too, the one of which every cell was written anew."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from sync.adapters.spreadsheet import load_here
from tests.libreoffice import converted
from tests.own_workbooks import assert_alike, both, by_openpyxl, by_us, by_xlsxwriter, task_at, with_a_prefix
from tests.programs import needs

pytestmark = [pytest.mark.e2e, needs("soffice")]

MAKERS = {"xlsxwriter": by_xlsxwriter, "openpyxl": by_openpyxl, "export": by_us, "prefix": with_a_prefix}
WAYS = ("streamed", "whole")


@dataclass(frozen=True, slots=True)
class Made:
    """The reports on workbooks as they were made, and as LibreOffice saved them; and what it makes of these reports."""

    folder: Path
    said: str

    def report(self, name: str, way: str) -> Path:
        return self.folder / f"{name}, {way}.xlsx"

    def saved(self, name: str, way: str) -> Path:
        return self.folder / "xlsx" / f"{name}, {way}.xlsx"


NAMES = (*MAKERS, *(f"{name} by LibreOffice" for name in MAKERS))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Two starts of LibreOffice: to save the workbooks, and to save the reports on them."""
    folder = tmp_path_factory.mktemp("own")
    for name, make in MAKERS.items():
        make(folder / f"{name}.xlsx")
    said = converted(folder, folder / "profile", tuple(MAKERS), "xlsx")
    for name in MAKERS:
        (folder / "xlsx" / f"{name}.xlsx").rename(folder / f"{name} by LibreOffice.xlsx")
    for name in NAMES:
        for way, content in zip(WAYS, both(task_at(folder / f"{name}.xlsx")), strict=True):
            (folder / f"{name}, {way}.xlsx").write_bytes(content)
    reports = [f"{name}, {way}" for name in NAMES for way in WAYS]
    return Made(folder, said + converted(folder, folder / "profile", reports, "xlsx"))


@pytest.mark.parametrize("name", [f"{name} by LibreOffice" for name in MAKERS])
def test_the_report_on_a_workbook_of_libreoffice_is_the_same(made: Made, name: str, tmp_path: Path) -> None:
    """Values, looks, comments, rows, columns, filters, drop-downs, conditional formats."""
    streamed, whole = (made.report(name, way).read_bytes() for way in WAYS)

    assert_alike(streamed, whole, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_libreoffice_opens_both_to_the_same_cells(made: Made, name: str) -> None:
    """Without a complaint; saved by it, the two hold the same."""
    streamed, whole = (load_here(made.saved(name, way)).tables for way in WAYS)

    assert made.said == ""
    assert streamed == whole
    assert len(streamed[0].rows) > 30
