"""The lines of `report.csv` and `report.jsonl`, some thousand at a time, so that nobody holds all of them.

Rows of which there is nothing to say but where they stand are most rows of most runs: their lines are made as text at
once. What such a line is, `csv.writer` and `json` say for all others; a test holds the two against each other.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import islice
from json.encoder import encode_basestring
from typing import Final

from sync.model import Outcome, RunReport
from sync.report import CSV_COLUMNS, csv_row, json_object, ordered
from sync.table_cells import guarded

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(", ", ": ")).encode
_ROWS_A_PIECE: Final = 1_000
_LINE_BREAKS: Final = {"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""JSON allows them in text, but readers that split lines do not."""
_NOTHING_MORE: Final = (None, 0, "", None, None, None, None)


def csv_pieces(report: RunReport) -> Iterator[bytes]:
    """Make `report.csv` piece by piece: every field quoted, UTF-8 with the mark by which Excel knows it."""
    head = _csv_lines([CSV_COLUMNS]).encode("utf-8-sig")
    sheet, run = _quoted(report.input.sheet), _quoted(report.run_id)
    for piece in _pieces(report):
        lines = [
            f'{sheet},"{outcome.row}","{outcome.section_id}",{_quoted(outcome.label.course_id)},'
            f'{_quoted(outcome.label.title)},"{outcome.status.value}","","","","0","","","",{run}\r\n'
            if _is_plain(outcome)
            else _csv_lines([csv_row(outcome, report)])
            for outcome in piece
        ]
        yield head + "".join(lines).encode("utf-8", "backslashreplace")
        head = b""
    yield head


def jsonl_pieces(report: RunReport) -> Iterator[bytes]:
    """Make `report.jsonl` piece by piece: one object a line, and no other line break than the one after it."""
    run_id, sheet = encode_basestring(report.run_id), encode_basestring(report.input.sheet)
    run = _on_one_line(f'"run_id": {run_id}, "sheet": {sheet}')
    rest = (
        '"changes": [], "issues": [], "http_status": null, "attempts": 0, "verified": "", "updated_on": null, '
        '"updated_by": null, "started_at": null, "finished_at": null'
    )
    for piece in _pieces(report):
        lines = [
            f'{{{run}, "row": {outcome.row}, "id": {outcome.section_id}, "status": "{outcome.status.value}", {rest}}}\n'
            if _is_plain(outcome)
            else f"{_on_one_line(_encode(json_object(outcome, report)))}\n"
            for outcome in piece
        ]
        yield "".join(lines).encode("utf-8", "backslashreplace")


def _pieces(report: RunReport) -> Iterator[list[Outcome]]:
    outcomes = iter(ordered(report.outcomes))
    while piece := list(islice(outcomes, _ROWS_A_PIECE)):
        yield piece


def _is_plain(outcome: Outcome) -> bool:
    """Whether a row has its Id, and nothing was done, changed or said."""
    return (
        outcome.section_id is not None
        and not outcome.changes
        and not outcome.issues
        and (
            outcome.http_status,
            outcome.attempts,
            outcome.verified,
            outcome.updated_on,
            outcome.updated_by,
            outcome.started_at,
            outcome.finished_at,
        )
        == _NOTHING_MORE
    )


def _csv_lines(rows: Iterable[tuple[str | int | None, ...]]) -> str:
    text = StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()


def _quoted(text: str) -> str:
    doubled = guarded(text).replace('"', '""')
    return f'"{doubled}"'


def _on_one_line(text: str) -> str:
    for character, escaped in _LINE_BREAKS.items():
        if character in text:
            text = text.replace(character, escaped)
    return text
