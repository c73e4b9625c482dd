"""The demo's sheet applied once, without its faults and limits: every row, every file of the report, every record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_line import (
    SAMPLES,
    Ran,
    Shell,
    as_json,
    cells_of,
    counts_of,
    expected_statuses,
    rows_of,
    statuses,
    summary_of,
    table_of,
)
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

DEMO = SAMPLES / "demo.xlsx"
WITHOUT_FAULTS = expected_statuses(failed="updated", unknown="updated", not_attempted="updated")
STAMPS = {"UpdatedOn", "UpdatedBy"}
DERIVED = {"Title": {"ToStringText"}, "CourseId": {"CourseTitle"}, "NewImageUrl": {"ImageFileName"}}
"""What the server itself writes where it is told this field."""
ACTIONS = {"NewImageUrl", "ClearImageFile"}
CSV_COLUMNS = (
    "sheet,row,Id,CourseId,Title,status,changed,messages,http_status,attempts,verified,updated_on,updated_by,run_id"
)
JSONL_KEYS = """run_id sheet row id status changes issues http_status attempts verified updated_on updated_by
    started_at finished_at"""
ISSUE_KEYS = "source severity code property message attempted_value cell"
SUMMARY_KEYS = """run_id command profile base_url input plan_hash started_at finished_at exit_code counts requests
    quota issues"""
STATUSES = """updated unchanged invalid rejected conflict failed unknown skipped not_attempted to_update valid"""
RESULTS = [
    f"Result: {name}"
    for name in ("Status", "Messages", "Changed", "Verified", "Attempts", "Updated on", "Updated by", "Row", "Run")
]


@dataclass(frozen=True, slots=True)
class Applied:
    """What the run left, here and on the server."""

    ran: Ran
    out: Path
    before: Mapping[int, Mapping[str, Any]]
    after: Mapping[int, Mapping[str, Any]]
    puts: Sequence[Mapping[str, Any]]
    reads: int


@pytest.fixture(scope="module")
def demo(sandbox_of_module: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """One run for all tests of this file, in a process of its own."""
    folder, sandbox = tmp_path_factory.mktemp("demo"), sandbox_of_module
    with pytest.MonkeyPatch.context() as monkeypatch:
        shell = Shell(folder, sandbox, monkeypatch)
        before = sandbox.records()
        ran = shell.process("apply", DEMO, "--yes", "--out", "out")
        puts = sandbox.puts()
        yield Applied(ran, folder / "out", before, sandbox.records(), puts, len(sandbox.log()) - len(puts))


def test_every_row_ends_as_the_sheet_says(demo: Applied) -> None:
    """Without faults and limits every row that can be updated is; the others say why, and the exit code is 4."""
    assert demo.ran.code == 4
    assert statuses(demo.out) == WITHOUT_FAULTS
    assert demo.ran.why.startswith("some rows need attention")


def test_what_the_sheet_does_not_name_is_left_alone(demo: Applied) -> None:
    """Equal as JSON before and after: other sections, other fields, and fields that nobody has heard of."""
    before, after = demo.before, demo.after
    sheet = cells_of(DEMO)
    touched = {}
    for row in rows_of(demo.out):
        if row["status"] == "updated":
            named = {heading for heading, cell in sheet[row["row"]].items() if cell is not None}
            fields = {change["field"] for change in row["changes"]}
            assert fields <= named
            touched[row["id"]] = fields | STAMPS | {name for field in fields for name in DERIVED.get(field, ())}

    assert before.keys() == after.keys()
    for key, record in before.items():
        assert record.keys() == after[key].keys()
        differs = {name for name, value in record.items() if as_json(value) != as_json(after[key][name])}
        assert differs <= touched.get(key, set()), key
    known_to_few = [record for key, record in before.items() if key in touched and any(n[0] == "X" for n in record)]
    assert known_to_few, "the sheet must touch a record with a field that nobody has heard of"


def test_what_is_sent_is_the_live_record_with_the_changes_laid_over_it(demo: Applied) -> None:
    """A PUT carries the whole record, each value as it was read, and nothing but the changes differs."""
    changes = {
        row["id"]: {change["field"]: change["after"] for change in row["changes"]}
        for row in rows_of(demo.out)
        if row["attempts"]
    }

    assert {put["id"] for put in demo.puts} == changes.keys()
    for put in demo.puts:
        assert as_json(put["body"]) == as_json({**put["before"], **changes[put["id"]]})


def test_the_changes_reach_the_server(demo: Applied) -> None:
    """`updated` and verified `yes` mean that the server holds what the report says."""
    live = demo.after

    updated = [row for row in rows_of(demo.out) if row["status"] == "updated"]

    assert {row["verified"] for row in updated} == {"yes"}
    for row in updated:
        for change in row["changes"]:
            if change["field"] not in ACTIONS:
                held = live[row["id"]][change["field"]]
                assert as_json(held) == as_json(change["after"]), (row["row"], change["field"])
        assert row["updated_on"] == live[row["id"]]["UpdatedOn"]
        assert row["updated_by"] == "admin@example.com"


def test_the_table_of_the_report_has_the_columns_of_the_contract(demo: Applied) -> None:
    """Every row of the sheet once and in order, with Excel's row number; messages are the API's own words."""
    text = (demo.out / "report.csv").read_text(encoding="utf-8-sig")
    rows = table_of(demo.out)
    by_row = {int(row["row"]): row for row in rows}

    assert text.splitlines()[0].replace('"', "") == CSV_COLUMNS
    assert [int(row["row"]) for row in rows] == list(WITHOUT_FAULTS)
    assert (
        "SectionContents: contains markup that is not allowed; NewImageUrl: the image could not be downloaded"
        in by_row[42]["messages"]
    )
    assert by_row[42]["http_status"] == "400"
    assert by_row[41]["messages"] == "Id: is not the Id of any section"
    assert by_row[34]["messages"] == "Title: is a required field"
    assert {row["run_id"] for row in rows} == {summary_of(demo.out)["run_id"]}


def test_the_lines_of_the_report_have_the_keys_of_the_contract(demo: Applied) -> None:
    """One object a row, the same keys in the same order, and closed values where the contract closes them."""
    rows = rows_of(demo.out)
    issues = [issue for row in rows for issue in row["issues"]]

    assert {tuple(row) for row in rows} == {tuple(JSONL_KEYS.split())}
    assert {tuple(issue) for issue in issues} == {tuple(ISSUE_KEYS.split())}
    assert {issue["source"] for issue in issues} == {"sheet", "api", "sync"}
    assert {issue["severity"] for issue in issues} <= {"error", "warning", "note"}
    assert {tuple(change) for row in rows for change in row["changes"]} == {("field", "base", "before", "after")}
    held = {row["row"] for row in rows if any(issue["severity"] == "error" for issue in row["issues"])}
    assert held == {row for row, status in WITHOUT_FAULTS.items() if status in {"invalid", "rejected", "conflict"}}
    (bad_number,) = next(row["issues"] for row in rows if row["row"] == 10)
    assert (bad_number["property"], bad_number["attempted_value"], bad_number["cell"]) == (
        "DisplayOrder",
        "soon",
        "Sections!F10",
    )


def test_the_summary_adds_up(demo: Applied) -> None:
    """The counts are those of the rows, the requests those of the server, and the input is the file that was given."""
    summary = summary_of(demo.out)

    assert list(summary) == SUMMARY_KEYS.split()
    assert list(summary["counts"]) == STATUSES.split()
    assert sum(summary["counts"].values()) == summary["input"]["rows"] == len(WITHOUT_FAULTS)
    assert counts_of(demo.out) == {
        status: list(WITHOUT_FAULTS.values()).count(status) for status in set(WITHOUT_FAULTS.values())
    }
    assert summary["requests"]["writes"] == len(demo.puts)
    assert summary["requests"]["reads"] <= demo.reads
    assert summary["requests"] | {"reads": 0, "writes": 0} == {"reads": 0, "writes": 0, "throttled": 0, "retried": 0}
    assert summary["exit_code"] == 4
    assert summary["input"]["path"] == str(DEMO)
    assert {(issue["code"], tuple(issue["rows"])) for issue in summary["issues"]} >= {
        ("cell.not_a_number", (10,)),
        ("api.rejected", (42,)),
        ("id.duplicate", (25,)),
    }


def test_the_workbook_comes_back_with_a_result_on_each_row(demo: Applied) -> None:
    """The operator's own cells where they were, then the result columns; a formula is its value, or an error."""
    before = cells_of(DEMO)
    after = cells_of(demo.out / "report.xlsx")

    assert before.keys() == after.keys()
    for number, cells in after.items():
        assert list(cells)[-len(RESULTS) :] == RESULTS
        assert cells["Result: Status"] == WITHOUT_FAULTS[number]
        assert cells["Result: Row"] == number
        own = {name: "#VALUE!" if str(cell).startswith("=") else cell for name, cell in before[number].items()}
        assert {name: cells[name] for name in own} == own
