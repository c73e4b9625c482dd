"""100,000 rows read: `load`, with its checks and its process, beside `pandas.read_excel` with openpyxl."""

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import xlsxwriter

from sync.adapters.spreadsheet.container import read_content
from sync.adapters.spreadsheet.dtds import refuse_dtds
from sync.adapters.spreadsheet.facts import read_facts
from sync.adapters.spreadsheet.marking import Marking
from sync.adapters.spreadsheet.values import open_book, pieces, sheets
from tests.bench.parties import FOLDER
from tests.bench.processes import Command, peak_bytes, seconds
from tests.bench.table import Row, shown_mb, shown_s, smaller, times_faster

ROUNDS = 5
FORMULA_EVERY = 10
HEADINGS = ("Id", "CourseId", "Title", "DisplayOrder", "UnlockType", "UnlockAfterDays", "Active", "SectionContents")
OURS = (
    "import sys; from pathlib import Path; from sync.adapters.spreadsheet import load;"
    " assert len(load(Path(sys.argv[1])).tables[0].rows) == int(sys.argv[2]) + 1"
)
PEER = "import sys, pandas; assert len(pandas.read_excel(sys.argv[1], engine='openpyxl')) == int(sys.argv[2])"


def sheet(rows: int, *, formulas: bool) -> Path:
    """A workbook as Excel writes it: shared texts, numbers, truth values; a formula on each tenth row if told so."""
    path = FOLDER / f"read-{rows}{'-formulas' if formulas else ''}.xlsx"
    if path.exists():
        return path
    FOLDER.mkdir(parents=True, exist_ok=True)
    book = xlsxwriter.Workbook(path)
    page = book.add_worksheet("Sections")
    page.write_row(0, 0, HEADINGS)
    for n in range(1, rows + 1):
        html = f"<p>Contents of section {n}, <b>bold</b> and plain, for everybody who is here.</p>"
        page.write_row(n, 0, (n, n % 500, f"Section {n}: an introduction", n % 40, 3, n % 30, bool(n % 2), html))
        if formulas and n % FORMULA_EVERY == 0:
            page.write_formula(n, 3, f"=A{n + 1}+1", None, n + 1)
    book.close()
    return path


def commands(rows: int, *, formulas: bool) -> dict[str, Command]:
    words = (str(sheet(rows, formulas=formulas)), str(rows))
    return {
        "ours": Command((sys.executable, "-c", OURS, *words), os.environ),
        "peer": Command((sys.executable, "-c", PEER, *words), os.environ),
    }


def reading(rows: int, *, formulas: bool, goal: str = "") -> Row:
    """Whole processes in turn, ours with the reading process that it starts, by the clock and by the processor."""
    both = commands(rows, formulas=formulas)
    clock: dict[str, list[float]] = {name: [] for name in both}
    processor: dict[str, list[float]] = {name: [] for name in both}
    for _ in range(ROUNDS):
        for name, command in both.items():
            before = _children_s()
            clock[name].append(seconds(command))
            processor[name].append(_children_s() - before)
    wall = {name: statistics.median(found) for name, found in clock.items()}
    cpu = {name: statistics.median(found) for name, found in processor.items()}
    hazards_s, read_s = shares(sheet(rows, formulas=formulas))
    return Row(
        f"{rows:,} rows read{', a formula on each tenth' if formulas else ''}: checks and reading process included",
        f"{shown_s(wall['ours'])}; processor {shown_s(cpu['ours'])}",
        f"{shown_s(wall['peer'])}; processor {shown_s(cpu['peer'])} (`pandas.read_excel` with openpyxl)",
        f"{times_faster(wall['ours'], wall['peer'])}; processor {cpu['peer'] / cpu['ours']:.2f}",
        goal,
        f"of the processor: hazards {shown_s(hazards_s)}, reading {shown_s(read_s)}",
    )


def _children_s() -> float:
    """Processor time of all processes that were started from here and have ended, with those that they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def shares(path: Path) -> tuple[float, float]:
    """Processor time of the pass for hazards, and of reading the values into rows; medians."""
    hazards, reads = [], []
    for _ in range(ROUNDS):
        content = read_content(path)
        package = content.package
        assert package is not None
        start = time.process_time()
        refuse_dtds(package)
        facts = read_facts(package)
        between = time.process_time()
        for name, values in sheets(open_book(content.data, path.name)):
            for _rows in Marking(facts[name], path.name).rows(pieces(values, path.name)):
                pass
        hazards.append(between - start)
        reads.append(time.process_time() - between)
    return statistics.median(hazards), statistics.median(reads)


def reading_memory(rows: int) -> Row:
    """The most memory of all processes together while a sheet is read."""
    both = commands(rows, formulas=False)
    ours, peer = (statistics.median(peak_bytes(both[name]) for _ in range(ROUNDS)) for name in ("ours", "peer"))
    return Row(
        f"{rows:,} rows read: peak memory of all processes",
        shown_mb(ours),
        f"{shown_mb(peer)} (`pandas.read_excel` with openpyxl)",
        smaller(ours, peer),
        "no more than the peer's",
    )


def works() -> dict[str, Callable[[], Row]]:
    return {
        "read-100000": partial(reading, 100_000, formulas=False, goal="2.5 times faster"),
        "read-formulas-100000": partial(reading, 100_000, formulas=True, goal="2.5 times faster"),
        "read-memory-100000": partial(reading_memory, 100_000),
    }
