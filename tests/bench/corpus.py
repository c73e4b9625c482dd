"""Run the loader over every file of a folder: `make corpus CORPUS=dir`.

Each file is read in a child process under 10 s and 512 MB. The table says what came of it, by kind of file and code;
a traceback, a crash, a time-out or want of memory makes the exit code 1. Where openpyxl reads a workbook as well, all
cells are compared, and what differs is counted by class.
"""

import argparse
import datetime as dt
import io
import sys
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from sync.adapters.spreadsheet import Limits, ReadingProcess
from sync.adapters.spreadsheet.container import read_content
from sync.errors import InputError, InternalError
from sync.model import CellValue, LoadedFile, Table

LIMITS = Limits(memory_bytes=512_000_000, cpu_s=600, wall_s=10.0)
BAD = frozenset({"file.crashed", "file.too_slow", "file.too_much_memory", "traceback"})
FILES_PER_PROCESS = 50
NOT_SHEETS = frozenset({".md", ".txt"})
EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - Excel knows no zones
COMPARED_BYTES = 2_000_000


@dataclass(slots=True)
class Tally:
    """What came of the files."""

    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    largest: list[tuple[int, str]] = field(default_factory=list)
    compared: int = 0
    cells: int = 0
    differences: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("--no-compare", action="store_true")
    options = words.parse_args()
    files = sorted(path for path in options.folder.rglob("*") if path.is_file() and path.suffix not in NOT_SHEETS)
    tally = Tally()
    process = ReadingProcess(LIMITS)
    try:
        for number, path in enumerate(files):
            if number % FILES_PER_PROCESS == 0:
                process.close()
            name = str(path.relative_to(options.folder))
            loaded = run(process, path, name, tally)
            if loaded is not None and not options.no_compare:
                compare(loaded, name, tally)
    finally:
        process.close()
    show(tally, len(files))
    return 1 if tally.bad else 0


def run(process: ReadingProcess, path: Path, name: str, tally: Tally) -> LoadedFile | None:
    """Read one file, and note what came of it, how long it took and how much memory the process has had."""
    loaded, start = None, time.perf_counter()
    forget_peak(process.pid)
    try:
        loaded = process.read(read_content(path))
        result = "a table" if loaded.tables else "no sheet"
    except InputError as exc:
        result = exc.code
    except (InternalError, Exception) as exc:  # noqa: BLE001 - to find those is its purpose
        result = "traceback"
        print(f"{name}: {exc!r}")
    tally.results[path.suffix.lower() or "(none)", result] += 1
    if result in BAD:
        tally.bad.append(f"{name}: {result}")
    tally.slowest = sorted([*tally.slowest, (time.perf_counter() - start, name)], reverse=True)[:5]
    tally.largest = sorted([*tally.largest, (peak_kb(process.pid), name)], reverse=True)[:5]
    return loaded


def forget_peak(pid: int | None) -> None:
    """Begin to measure the memory of a process anew, where the system can."""
    if pid is not None and Path(f"/proc/{pid}/clear_refs").exists():
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def peak_kb(pid: int | None) -> int:
    status = Path(f"/proc/{pid}/status")
    if pid is None or not status.exists():
        return 0
    peaks = [line.split()[1] for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")]
    return int(peaks[0]) if peaks else 0


def compare(loaded: LoadedFile, name: str, tally: Tally) -> None:
    """Count the cells on which openpyxl says something else, by the reason."""
    if loaded.format != "xlsx" or loaded.path.stat().st_size > COMPARED_BYTES:
        return
    if sum(len(table.rows) for table in loaded.tables) > 20_000:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(loaded.path.read_bytes()), data_only=True)
    except (Exception, zipfile.BadZipFile):  # noqa: BLE001 - it raises whatever it likes; those files are ours alone
        tally.differences["(files that openpyxl cannot read)"] += 1
        return
    tally.compared += 1
    theirs = {sheet.title: sheet for sheet in book.worksheets}
    for table in loaded.tables:
        if table.name in theirs:
            for reason, example in differences(table, theirs[table.name], tally):
                tally.differences[reason] += 1
                tally.examples.setdefault(reason, f"{name} {table.name}!{example}")
        elif table.rows:
            tally.differences["(sheets that only one lists: chart and dialog sheets)"] += 1


def differences(table: Table, sheet: Worksheet, tally: Tally) -> Iterator[tuple[str, str]]:
    ours = {
        (row.number, column): (cell, row.flaws.get(column - 1))
        for row in table.rows
        for column, cell in enumerate(row.cells, start=1)
        if cell is not None or column - 1 in row.flaws
    }
    them = {place: cell.value for place, cell in sheet._cells.items() if cell.value not in {None, ""}}
    for place in ours.keys() | them.keys():
        tally.cells += 1
        value, flaw = ours.get(place, (None, None))
        reason = difference(value, them.get(place), is_flawed=flaw is not None)
        if reason is not None:
            yield reason, f"{openpyxl.utils.get_column_letter(place[1])}{place[0]}: {value!r} | {them.get(place)!r}"


def difference(ours: CellValue, theirs: object, *, is_flawed: bool) -> str | None:
    """Say why two readings of a cell differ; `None` where they do not."""
    if is_flawed:
        return None  # told as a flaw: an error, or a formula without a value
    if ours == theirs and isinstance(ours, bool) == isinstance(theirs, bool):
        return None
    if isinstance(ours, str) and isinstance(theirs, str):
        return texts(ours, theirs)
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        close = abs(ours - theirs) <= 1e-9 * max(1.0, abs(ours), abs(theirs))
        return (
            None if close and isinstance(ours, bool) == isinstance(theirs, bool) else "numbers of more than 15 digits"
        )
    times = (dt.datetime, dt.date, dt.time, dt.timedelta)
    if isinstance(ours, times) or isinstance(theirs, times):
        return moments(ours, theirs)
    if ours is None:
        return "blank here, a value there"
    if theirs is None:
        return "a value here, blank there"
    return "of another kind"


def texts(ours: str, theirs: str) -> str | None:
    plain = theirs.replace("_x000D_", "\r").replace("\r\n", "\n")
    if ours.replace("\r\n", "\n") == plain:
        return None if "_x" not in theirs else "escapes (_x000D_) that openpyxl leaves in"
    if "_x" in theirs:
        return "escapes (_x000D_) that openpyxl leaves in"
    if ours.split() == theirs.split() or "".join(ours.split()) == "".join(theirs.split()):
        return "white space"
    return "other text"


def moments(ours: CellValue, theirs: object) -> str | None:
    left, right = serial(ours), serial(theirs)
    if left is None or right is None:
        return "a date for one of them, something else for the other"
    if abs(left - right) < 2e-5:
        return None
    return (
        "another day: before 1 March 1900, or by the calendar of 1904" if abs(left - right) >= 0.99 else "another time"
    )


def serial(value: object) -> float | None:
    match value:
        case dt.datetime():
            return (value.replace(tzinfo=None) - EPOCH) / dt.timedelta(days=1)
        case dt.date():
            return float((dt.datetime.combine(value, dt.time()) - EPOCH).days)
        case dt.time():
            return (value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6) / 86_400
        case dt.timedelta():
            return value / dt.timedelta(days=1)
        case bool() | None:
            return None
        case int() | float():
            return float(value)
        case _:
            return None


def show(tally: Tally, files: int) -> None:
    kinds = sorted({kind for kind, _ in tally.results})
    codes = sorted({code for _, code in tally.results}, key=lambda code: (code != "a table", code))
    print(f"| {files:,} files | " + " | ".join(kinds) + " | all |")
    print("|---|" + "--:|" * (len(kinds) + 1))
    for code in codes:
        counts = [tally.results[kind, code] for kind in kinds]
        print(f"| {code} | " + " | ".join(str(count or "") for count in counts) + f" | {sum(counts)} |")
    print("\nslowest: " + "; ".join(f"{seconds:.2f} s {name}" for seconds, name in tally.slowest))
    print("most memory: " + "; ".join(f"{kb / 1000:.0f} MB {name}" for kb, name in tally.largest))
    if tally.compared:
        print(f"\n{tally.cells:,} cells of {tally.compared:,} workbooks compared with openpyxl; what differs:")
        for reason, count in tally.differences.most_common():
            print(f"  {count:>7,}  {reason}  {tally.examples.get(reason, '')[:160]}")
    print(f"\ntracebacks, crashes, time-outs, want of memory: {len(tally.bad)}")
    for line in tally.bad:
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
