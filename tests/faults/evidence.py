"""What a run leaves behind, read from its files alone: journal, reports, the server's log and records."""

import csv
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

Json = Any
Record = Mapping[str, Json]
Entry = Mapping[str, Json]
"""One request, as the sandbox logged it."""
STORE = "store.sqlite3"
ROW, STATUS = "Result: Row", "Result: Status"
PROGRAM_ENDED = "the program ended before the answer came"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one valid row of the sheet asks for, as it is to be sent."""

    row: int
    id: int
    values: Record


@dataclass(frozen=True, slots=True)
class Ending:
    """A command that ended by itself."""

    code: int
    out: Path | None
    """Where its report lies, if it wrote one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that the promises are judged by."""

    state_dir: Path
    rows: int
    """Data rows of the sheet, valid or not."""
    asked: Sequence[Asked]
    log: Sequence[Entry]
    before: Mapping[int, Record]
    """The server's records before the first command."""
    after: Mapping[int, Record]
    history: Sequence[Entry] = ()
    """Every change of a record, ours and other people's, in order."""
    endings: Sequence[Ending] = ()
    texts: Sequence[Path] = ()
    """Whatever else was written: output, logs."""
    secrets: Sequence[str] = ()
    attempts: int = 3
    converged_after: int | None = None
    """The number of the log entry after which no PUT may come."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A line of the journal: what was about to be sent."""

    number: int
    run_id: str
    section_id: int
    values: Record
    """What it sends for each field that it changes."""
    at_wall: float
    answer: str | None
    died: bool
    """Whether its process ended before it heard anything."""


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal as it lies on the disk."""

    intents: Sequence[Intent] = ()
    outcomes: Mapping[str, Mapping[int, Record]] = field(default_factory=dict)
    """By run, then by row."""
    states: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """By run: its state and its exit code."""
    damage: str | None = None
    """What SQLite itself finds wrong."""


@dataclass(frozen=True, slots=True)
class Report:
    """The files of one report."""

    code: int
    out: Path
    summary: Record
    lines: Sequence[Record]
    """Of report.jsonl."""
    table: Sequence[Mapping[str, str]]
    """Of report.csv."""
    marked: Sequence[tuple[int, str]]
    """Of report.xlsx: the number and the status of each row that it has a status for."""
    again: Sequence[str]
    """Of failed.xlsx: the same; empty where there is none."""

    @property
    def run_id(self) -> str:
        """The run that it is of."""
        return str(self.summary["run_id"])


def read_journal(state_dir: Path) -> Journal:
    """Read the store without changing a byte of it: what a killed process left in the write-ahead log stays there."""
    path = state_dir / STORE
    if not path.exists():
        return Journal()
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            store.row_factory = sqlite3.Row
            verdict = store.execute("PRAGMA integrity_check").fetchone()[0]
            if store.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                return Journal(damage=None if verdict == "ok" else str(verdict))
            return Journal(
                _intents(store.execute("SELECT * FROM intents ORDER BY number")),
                _outcomes(store.execute("SELECT run_id, row, outcome_json FROM rows")),
                {row["run_id"]: (row["state"], row["exit_code"]) for row in store.execute("SELECT * FROM runs")},
                None if verdict == "ok" else str(verdict),
            )
    except sqlite3.DatabaseError as error:
        return Journal(damage=str(error))


def _intents(found: Iterable[sqlite3.Row]) -> list[Intent]:
    return [
        Intent(
            row["number"],
            row["run_id"],
            row["section_id"],
            {name: after for name, _before, after, *_rest in json.loads(row["changes_json"])},
            row["at_wall"],
            row["answer"],
            row["heard_wall"] is None or row["unheard"] == PROGRAM_ENDED,
        )
        for row in found
    ]


def _outcomes(found: Iterable[sqlite3.Row]) -> dict[str, dict[int, Record]]:
    outcomes: dict[str, dict[int, Record]] = {}
    for row in found:
        outcomes.setdefault(row["run_id"], {})[row["row"]] = json.loads(row["outcome_json"])
    return outcomes


def read_report(ending: Ending) -> Report | None:
    """The report of a command; `None` if it wrote none."""
    if ending.out is None or not (ending.out / "summary.json").exists():
        return None
    with (ending.out / "report.csv").open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table))
    return Report(
        ending.code,
        ending.out,
        json.loads((ending.out / "summary.json").read_bytes()),
        [json.loads(line) for line in (ending.out / "report.jsonl").read_bytes().splitlines()],
        rows,
        [(int(float(number)), status) for number, status in _results(ending.out / "report.xlsx")],
        [status for _, status in _results(ending.out / "failed.xlsx")],
    )


def _results(workbook: Path) -> list[tuple[str, str]]:
    """The result columns `Row` and `Status` of a workbook of ours; nothing where there is no such file."""
    if not workbook.exists():
        return []
    for name in (book := CalamineWorkbook.from_path(workbook)).sheet_names:
        rows = [[str(cell) for cell in row] for row in book.get_sheet_by_name(name).to_python()]
        for number, row in enumerate(rows):
            if ROW in row and STATUS in row:
                found = ((each[row.index(ROW)], each[row.index(STATUS)]) for each in rows[number + 1 :])
                return [(of_row, status) for of_row, status in found if status]
    return []


def exact(value: Json) -> str:
    """A value as JSON, the order of names aside: 1 is neither 1.0 nor true."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True)
