"""`make bench`: measure every work, or those that are named, and write one table: ours, a plain peer, the floors."""

import argparse
import os
import platform
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

from tests.bench.graph import draw
from tests.bench.parties import FOLDER
from tests.bench.table import head
from tests.bench.works import GOALS, works

GRAPH = "graph"


def main() -> int:
    measures = works()
    words = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    words.add_argument("works", nargs="*", help="names, or patterns such as 'same-*'; all of them unless given")
    words.add_argument(
        "-o", "--output", type=Path, default=FOLDER / "table.md", help="the table, beside standard output"
    )
    words.add_argument("--list", action="store_true", help="name the works and end")
    words.add_argument("--goals", action="store_true", help="only the works that have a goal")
    given = words.parse_args()
    names = [*measures, GRAPH]
    if given.list:
        print("\n".join(names))
        return 0
    if given.goals:
        given.works += ["help", *GOALS, "memory-100000", "read-*", "page-*"]
    wanted = [name for name in names if not given.works or any(fnmatch(name, pattern) for pattern in given.works)]
    if not wanted:
        words.error(f"no work is called {' or '.join(given.works)}; see --list")
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = [f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {os.cpu_count()} cores.", "", head()]
    print("\n".join(lines), flush=True)
    for name in wanted:
        if name == GRAPH:
            print(f"Drawing {draw()}", file=sys.stderr)
            continue
        lines.append(str(measures[name]()))
        print(lines[-1], flush=True)
        given.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
