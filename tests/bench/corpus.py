"""Run the loader over every file of a folder: `make corpus CORPUS=dir`.

Each file is read in a child process under 10 s and 512 MB. The table says what came of it, by kind of file and code.
Where openpyxl reads a workbook as well, all cells are compared (see `second_reader.py`), and what differs is counted by
its explanation. A traceback, a crash, a time-out, want of memory, or a difference without an explanation makes the exit
code 1.
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sync.adapters.spreadsheet import Limits
from sync.adapters.spreadsheet.child import ReadingProcess
from sync.adapters.spreadsheet.container import read_content
from sync.errors import InputError, InternalError
from sync.model import LoadedFile
from tests.bench.second_reader import UNEXPLAINED, Comparison

LIMITS = Limits(memory_bytes=512_000_000, cpu_s=600, wall_s=10.0)
BAD = frozenset({"file.crashed", "file.too_slow", "file.too_much_memory", "traceback"})
FILES_PER_PROCESS = 50
NOT_SHEETS = frozenset({".md", ".txt"})
INDEX = "index.tsv"
"""What stands at the top of a folder and says what is in it."""
REFUSALS_SHOWN = 30


@dataclass(slots=True)
class Tally:
    """What came of the files."""

    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    largest: list[tuple[int, str]] = field(default_factory=list)
    sentences: dict[str, list[str]] = field(default_factory=dict)
    """What refused files were told, by code."""
    comparison: Comparison = field(default_factory=Comparison)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("--no-compare", action="store_true")
    words.add_argument("--sentences", action="store_true", help="show what refused files are told")
    options = words.parse_args()
    found = (path for path in options.folder.rglob("*") if path.is_file() and path.suffix not in NOT_SHEETS)
    files = sorted(path for path in found if path != options.folder / INDEX)
    tally = Tally()
    process = ReadingProcess(LIMITS)
    try:
        for number, path in enumerate(files):
            if number % FILES_PER_PROCESS == 0:
                process.close()
            name = str(path.relative_to(options.folder))
            loaded = run(process, path, name, tally)
            if loaded is not None and not options.no_compare:
                tally.comparison.add(loaded, name)
    finally:
        process.close()
    show(tally, len(files))
    if options.sentences:
        show_sentences(tally)
    return 1 if tally.bad or tally.comparison.differences[UNEXPLAINED] else 0


def run(process: ReadingProcess, path: Path, name: str, tally: Tally) -> LoadedFile | None:
    """Read one file, and note what came of it, how long it took and how much memory the process has had."""
    loaded, start = None, time.perf_counter()
    forget_peak(process.pid)
    try:
        loaded = process.read(read_content(path))
        result = "a table" if loaded.tables else "no sheet"
    except InputError as exc:
        result = exc.code
        tally.sentences.setdefault(exc.code, []).append(str(exc))
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
    tally.comparison.show()
    print(f"\ntracebacks, crashes, time-outs, want of memory: {len(tally.bad)}")
    for line in tally.bad:
        print(f"  {line}")


def show_sentences(tally: Tally) -> None:
    """Some of each code, as an operator reads them."""
    each = max(1, REFUSALS_SHOWN // max(1, len(tally.sentences)))
    for code, sentences in sorted(tally.sentences.items()):
        for sentence in sentences[:each]:
            print(f"  {code}: {sentence}")


if __name__ == "__main__":
    sys.exit(main())
