"""Read the rows of a report that was written: found by status, field, course and words, a page at a time.

What rows are found by is kept in memory; the rest of a row is read from `report.jsonl` when it is shown.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sync.adapters.finding import Filter, courses_of, fields_of, places_of, searched
from sync.frozen import Frozen
from sync.section import ACTIONS
from sync.table_cells import FORMULA_STARTS


class _Line(Frozen):
    row: int
    status: str
    course: str
    title: str
    fields: frozenset[str]
    codes: frozenset[str]
    words: str
    emptied: int
    """Texts that the row would empty."""
    images: bool
    """Whether it changes an image."""
    offset: int
    length: int


class ReportRow(Frozen):
    """One row as it is shown: the object of `report.jsonl`, with course and title."""

    course: str
    title: str
    facts: Mapping[str, Any]


class ReportRows(Frozen):
    """The rows of one report, in the sheet's order."""

    path: Path
    lines: Sequence[_Line]
    fields: tuple[str, ...]
    """That any row changes."""
    courses: tuple[str, ...]

    def find(self, wanted: Filter) -> list[int]:
        """The places of the rows that are wanted, from 0."""
        return places_of(self.lines, wanted)

    def losses(self, places: Iterable[int]) -> tuple[int, bool]:
        """What the changes of these rows would lose: how many texts, and whether any image is among them."""
        lines = [self.lines[at] for at in places]
        return sum(line.emptied for line in lines), any(line.images for line in lines)

    def read(self, places: Sequence[int]) -> Iterator[ReportRow]:
        """The rows at these places, whole."""
        with self.path.open("rb") as file:
            for at in places:
                line = self.lines[at]
                file.seek(line.offset)
                yield ReportRow(line.course, line.title, json.loads(file.read(line.length)))


def read_report_rows(folder: Path) -> ReportRows:
    """Read what the rows of the report in `folder` are found by.

    Raises:
        OSError: there is no report.
    """
    path = folder / "report.jsonl"
    lines = tuple(_lines(path, folder / "report.csv"))
    return ReportRows(path, lines, fields_of(lines), courses_of(lines))


def _lines(path: Path, table: Path) -> Iterator[_Line]:
    offset = 0
    with path.open("rb") as objects, table.open(encoding="utf-8-sig", newline="") as file:
        labels = csv.DictReader(file)
        for text in objects:
            facts, label = json.loads(text), next(labels, {})
            course, title = _plain(label.get("CourseId", "")), _plain(label.get("Title", ""))
            changes, issues = facts["changes"], facts["issues"]
            said = [str(facts["id"] or ""), title, *(str(issue["message"]) for issue in issues)]
            said += [str(change["after"]) for change in changes]
            yield _Line(
                row=facts["row"],
                status=facts["status"],
                course=course,
                title=title,
                fields=frozenset(change["field"] for change in changes),
                codes=frozenset(issue["code"] for issue in issues),
                words=searched(said),
                emptied=sum(map(_empties, changes)),
                images=any(change["field"] in ACTIONS for change in changes),
                offset=offset,
                length=len(text),
            )
            offset += len(text)


def _empties(change: Mapping[str, Any]) -> bool:
    return isinstance(change["before"], str) and bool(change["before"]) and change["after"] in ("", None)


def _plain(text: str) -> str:
    """A label without the guard that keeps a spreadsheet from running it."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text
