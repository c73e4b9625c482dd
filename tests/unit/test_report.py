"""The values of a report: totals, tables, grouped problems and the text for a terminal."""

from pathlib import PurePosixPath

import pytest

from sync.errors import InternalError
from sync.frozen import replace
from sync.model import (
    FieldChange,
    InputFacts,
    Issue,
    Label,
    Outcome,
    QuotaUse,
    RequestCounts,
    RowNumber,
    RunId,
    RunReport,
    SectionId,
    Severity,
    Source,
    Status,
    Verified,
)
from sync.report import (
    CSV_COLUMNS,
    check_complete,
    counts,
    csv_row,
    exit_code_of,
    group_issues,
    json_object,
    messages,
    row_ranges,
    summary_object,
)
from sync.report_text import next_step, summary_lines
from sync.table_cells import guarded

NOT_A_NUMBER = Issue("cell.not_a_number", "must be a whole number", "DisplayOrder", attempted_value="soon", cell="S!F4")
REQUIRED = Issue("api.rejected", "is a required field", "Title", Source.API)
WARNED = Issue("cell.white_space", "is white space only", "Title", severity=Severity.WARNING)


def outcome(row: int, status: Status = Status.UPDATED, *issues: Issue) -> Outcome:
    return Outcome(RowNumber(row), Label(str(row), "123", f"Section {row}"), status, issues=issues)


def report_of(*outcomes: Outcome, command: str = "apply", exit_code: int = 0) -> RunReport:
    return RunReport(
        RunId("r1"),
        command,
        "sandbox",
        "http://127.0.0.1:8080/api",
        InputFacts("my sheet.xlsx", "ab" * 32, "Sections", len(outcomes)),
        outcomes,
        "2025-01-15T10:30:00Z",
        "2025-01-15T10:31:00Z",
        exit_code,
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param((4, 9, 10, 11, 12), "4, 9–12", id="one-and-a-run"),  # noqa: RUF001 - the en dash is the rule
        pytest.param((3, 1, 1, 2), "1–3", id="unsorted-and-twice"),  # noqa: RUF001 - the same
        pytest.param((), "", id="none"),
        pytest.param((7,), "7", id="one"),
    ],
)
def test_row_numbers_are_written_as_a_person_would(rows: tuple[int, ...], said: str) -> None:
    """Neighbours become a range; each row is named once."""
    assert row_ranges(rows) == said


def test_many_ranges_are_cut_with_the_number_of_rows_left() -> None:
    """A terminal line stays short, and says how much it leaves out."""
    assert row_ranges((1, 3, 5, 6, 7), most=2) == "1, 3 and 3 more"


def test_counts_name_every_status() -> None:
    """Every status of the closed list is counted, zeros included."""
    totals = counts([outcome(2), outcome(3), outcome(4, Status.INVALID)])

    assert list(totals) == list(Status)
    assert {status: n for status, n in totals.items() if n} == {Status.UPDATED: 2, Status.INVALID: 1}


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(report_of(outcome(2), outcome(2)), id="a-row-twice"),
        pytest.param(
            replace(report_of(outcome(2)), input=InputFacts("s.xlsx", "", "Sections", rows=2)), id="a-row-missing"
        ),
        pytest.param(report_of(outcome(2, Status.VALID)), id="a-status-of-check"),
        pytest.param(report_of(outcome(2, Status.TO_UPDATE)), id="a-finished-run-with-work-left"),
        pytest.param(report_of(outcome(2, Status.TO_UPDATE), command="check"), id="a-status-of-plan-in-check"),
    ],
)
def test_a_report_that_breaks_its_promise_is_an_internal_error(report: RunReport) -> None:
    """Every row once, counts that add up to the rows read, and only statuses that the command can give."""
    with pytest.raises(InternalError):
        check_complete(report)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(report_of(outcome(2), outcome(3, Status.FAILED), exit_code=4), id="apply"),
        pytest.param(report_of(outcome(2, Status.TO_UPDATE), exit_code=6), id="apply-held-by-a-rail"),
        pytest.param(report_of(outcome(2, Status.TO_UPDATE), command="plan"), id="plan"),
        pytest.param(report_of(outcome(2, Status.VALID), command="check"), id="check"),
        pytest.param(report_of(), id="no-rows"),
    ],
)
def test_a_whole_report_passes(report: RunReport) -> None:
    """What a command can leave behind is let through."""
    check_complete(report)


@pytest.mark.parametrize(
    ("statuses", "detailed", "code"),
    [
        pytest.param((Status.UPDATED, Status.UNCHANGED, Status.SKIPPED), False, 0, id="done"),
        pytest.param((Status.UPDATED, Status.INVALID), False, 4, id="invalid"),
        pytest.param((Status.REJECTED,), False, 4, id="rejected"),
        pytest.param((Status.CONFLICT,), False, 4, id="conflict"),
        pytest.param((Status.FAILED,), False, 4, id="failed"),
        pytest.param((Status.UNKNOWN,), False, 4, id="unknown"),
        pytest.param((Status.NOT_ATTEMPTED, Status.FAILED), False, 5, id="not-reached"),
        pytest.param((Status.TO_UPDATE,), False, 0, id="pending"),
        pytest.param((Status.TO_UPDATE,), True, 10, id="pending-detailed"),
        pytest.param((Status.TO_UPDATE, Status.INVALID), True, 4, id="attention-before-pending"),
    ],
)
def test_exit_codes(statuses: tuple[Status, ...], detailed: bool, code: int) -> None:  # noqa: FBT001 - a parameter of the table
    """The exit code follows from the statuses."""
    assert exit_code_of([outcome(n, status) for n, status in enumerate(statuses, 2)], detailed=detailed) == code


def test_our_issues_come_before_the_apis_word_for_word() -> None:
    """`messages` keeps each source's own order and wording."""
    second = Issue("api.rejected", " has; odd  text.", "CourseId", Source.API)
    general = Issue("run.stopped", "the run was stopped", source=Source.SYNC)

    assert messages(outcome(2, Status.REJECTED, REQUIRED, second, NOT_A_NUMBER, general)) == (
        "DisplayOrder: must be a whole number; the run was stopped; "
        "Title: is a required field; CourseId:  has; odd  text."
    )


def test_a_row_of_the_csv() -> None:
    """Columns, order and guards are as the contract says; numbers stay numbers."""
    row = replace(
        outcome(9, Status.UPDATED, WARNED),
        label=Label("77", "12", "=1+1"),
        section_id=SectionId(77),
        changes=(FieldChange("Title", "a", "b"), FieldChange("Active", True, False)),
        http_status=200,
        attempts=2,
        verified=Verified.YES,
        updated_on="2025-01-15T10:30:00Z",
        updated_by="@admin",
    )

    cells = csv_row(row, report_of(row))

    assert dict(zip(CSV_COLUMNS, cells, strict=True)) == {
        "sheet": "Sections",
        "row": 9,
        "Id": 77,
        "CourseId": "12",
        "Title": "'=1+1",
        "status": "updated",
        "changed": "Title;Active",
        "messages": "Title: is white space only",
        "http_status": 200,
        "attempts": 2,
        "verified": "yes",
        "updated_on": "2025-01-15T10:30:00Z",
        "updated_by": "'@admin",
        "run_id": "r1",
    }


def test_the_columns_of_the_csv_are_the_contracts() -> None:
    """Other programs read this file: its heading is pinned."""
    assert ",".join(CSV_COLUMNS) == (
        "sheet,row,Id,CourseId,Title,status,changed,messages,http_status,attempts,verified,updated_on,updated_by,run_id"
    )


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))  # noqa: RUF001 - full-width forms are meant
def test_text_that_a_spreadsheet_would_run_is_guarded(start: str) -> None:
    """A leading apostrophe takes the sting out; harmless text stays as it is."""
    assert (guarded(f"{start}x"), guarded(f"x{start}")) == (f"'{start}x", f"x{start}")


def test_an_object_of_the_jsonl() -> None:
    """Keys and values are as the contract says."""
    row = replace(outcome(4, Status.INVALID, NOT_A_NUMBER), changes=(FieldChange("Title", "a", "b", "c"),))

    record = json_object(row, report_of(row))

    assert record == {
        "run_id": "r1",
        "sheet": "Sections",
        "row": 4,
        "id": 4,
        "status": "invalid",
        "changes": [{"field": "Title", "base": "c", "before": "a", "after": "b"}],
        "issues": [
            {
                "source": "sheet",
                "severity": "error",
                "code": "cell.not_a_number",
                "property": "DisplayOrder",
                "message": "must be a whole number",
                "attempted_value": "soon",
                "cell": "S!F4",
            }
        ],
        "http_status": None,
        "attempts": 0,
        "verified": "",
        "updated_on": None,
        "updated_by": None,
        "started_at": None,
        "finished_at": None,
    }


def test_the_summary_object() -> None:
    """Keys are as the contract says; counts name every status; issues are grouped."""
    report = replace(
        report_of(outcome(4, Status.INVALID, NOT_A_NUMBER), outcome(5, Status.INVALID, NOT_A_NUMBER), exit_code=4),
        requests=RequestCounts(3, 2, 1, 0),
        quota=(QuotaUse("60 writes in 60 s", 2, 60),),
        plan_hash="cafe",
    )

    summary = summary_object(report)

    assert summary == {
        "run_id": "r1",
        "command": "apply",
        "profile": "sandbox",
        "base_url": "http://127.0.0.1:8080/api",
        "input": {"path": "my sheet.xlsx", "sha256": "ab" * 32, "sheet": "Sections", "rows": 2},
        "plan_hash": "cafe",
        "started_at": "2025-01-15T10:30:00Z",
        "finished_at": "2025-01-15T10:31:00Z",
        "exit_code": 4,
        "counts": dict.fromkeys((status.value for status in Status), 0) | {"invalid": 2},
        "requests": {"reads": 3, "writes": 2, "throttled": 1, "retried": 0},
        "quota": {"60 writes in 60 s": {"used": 2, "limit": 60}},
        "issues": [
            {
                "code": "cell.not_a_number",
                "field": "DisplayOrder",
                "message": "must be a whole number",
                "rows": [4, 5],
            }
        ],
    }


def test_issues_are_grouped_by_gravity_then_first_row() -> None:
    """Errors lead, what holds for the sheet as a whole comes before rows, and a row is named once."""
    general = Issue("heading.unknown", "is no heading that we know", "Titel", severity=Severity.WARNING)
    outcomes = [
        outcome(9, Status.REJECTED, REQUIRED),
        outcome(2, Status.UPDATED, WARNED),
        outcome(4, Status.INVALID, NOT_A_NUMBER, NOT_A_NUMBER),
    ]

    groups = group_issues(outcomes, general=[general])

    assert [(group.code, group.rows) for group in groups] == [
        ("cell.not_a_number", (4,)),
        ("api.rejected", (9,)),
        ("heading.unknown", ()),
        ("cell.white_space", (2,)),
    ]


def test_what_an_operator_reads_on_a_terminal() -> None:
    """Counts in words, then grouped problems, then the files that matter, then the next step."""
    report = report_of(
        outcome(2),
        outcome(4, Status.INVALID, NOT_A_NUMBER),
        *(outcome(row, Status.INVALID, NOT_A_NUMBER) for row in (9, 10, 11, 12)),
        outcome(13, Status.UNCHANGED, WARNED),
        exit_code=4,
    )
    files = (PurePosixPath("out/report.xlsx"), PurePosixPath("out/report.csv"), PurePosixPath("out/failed.xlsx"))

    assert summary_lines(report, files, ("A sentence.",), words="--profile sandbox") == (
        "7 rows read: 1 updated, 1 unchanged, 5 invalid.",
        "  DisplayOrder must be a whole number: rows 4, 9–12",  # noqa: RUF001 - the en dash is the rule
        "  warning: Title is white space only: row 13",
        "out/report.xlsx: your sheet with the result on each row",
        "out/failed.xlsx: only the rows that need attention; upload it again once they are mended",
        "A sentence.",
        "Next: Mend the marked cells, then send that file: coursesync apply out/failed.xlsx --profile sandbox",
    )


def test_very_many_problems_are_cut_on_a_terminal() -> None:
    """The text stays readable, and says that there is more."""
    issues = [Issue("cell.not_a_number", f"is wrong in way {n}", "Title") for n in range(25)]

    lines = summary_lines(report_of(outcome(2, Status.INVALID, *issues), exit_code=4))

    assert lines[-1] == "  and 5 other problems: all of them are in the report"


@pytest.mark.parametrize(
    ("report", "step"),
    [
        pytest.param(report_of(outcome(2)), "", id="done"),
        pytest.param(
            report_of(outcome(2, Status.NOT_ATTEMPTED), exit_code=5),
            "Go on where this run stopped: coursesync resume r1 --profile sandbox",
            id="stopped",
        ),
        pytest.param(
            replace(
                report_of(outcome(2, Status.NOT_ATTEMPTED), exit_code=5),
                issues=(Issue("canary.stopped", "went wrong"),),
            ),
            "Take back what was applied: coursesync undo r1 --profile sandbox – or go on all the same:"  # noqa: RUF001
            " coursesync resume r1 --allow canary --profile sandbox",
            id="stopped by the canary",
        ),
        pytest.param(
            report_of(outcome(2, Status.UNKNOWN), exit_code=129),
            "Go on where this run stopped: coursesync resume r1 --profile sandbox",
            id="hung-up-with-one-row-open",
        ),
        pytest.param(
            report_of(outcome(2, Status.TO_UPDATE), command="plan"),
            "Nothing was sent. To send it: coursesync apply 'my sheet.xlsx' --profile sandbox",
            id="plan",
        ),
        pytest.param(
            replace(
                report_of(outcome(2, Status.TO_UPDATE), command="plan"),
                issues=(
                    Issue("run.policy", "somehow", attempted_value=["on_conflict", "sheet"]),
                    Issue("run.policy", "somehow", attempted_value=["on_drift", "keep"]),
                ),
            ),
            "Nothing was sent. To send it: coursesync apply 'my sheet.xlsx' --on-conflict sheet --on-drift keep"
            " --profile sandbox",
            id="plan decided beforehand",
        ),
        pytest.param(
            report_of(outcome(2, Status.VALID), command="check"),
            "See what would change: coursesync plan 'my sheet.xlsx' --profile sandbox",
            id="check",
        ),
        pytest.param(report_of(outcome(2, Status.FAILED), exit_code=4), "", id="attention-without-a-file"),
    ],
)
def test_the_next_step(report: RunReport, step: str) -> None:
    """Each way a run can end names the command that goes on from there."""
    assert next_step(report, words="--profile sandbox") == step
