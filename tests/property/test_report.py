"""Laws of the report: nothing is lost, nothing is doubled, and no text becomes a formula or breaks a file."""

import csv
import io
import json
import tempfile
from io import BytesIO
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from python_calamine import CalamineWorkbook

from sync.adapters.report_files import summary_bytes
from sync.adapters.report_lines import csv_pieces, jsonl_pieces
from sync.adapters.workbook.source import SheetSource
from sync.model import (
    InputFacts,
    Issue,
    Label,
    Outcome,
    RowNumber,
    RunId,
    RunReport,
    SectionId,
    Severity,
    Source,
    Status,
    TableRow,
)
from sync.report import counts, csv_row, group_issues, json_object, ordered, row_ranges
from sync.table_cells import FORMULA_STARTS, guarded
from tests.built import built
from tests.workbooks import report_workbook

nasty = st.one_of(
    st.text(alphabet=st.characters(), max_size=40),
    st.text(alphabet=st.sampled_from("=+-@\t\r\n'\"＝,;_x0041F<&\x00\x01\u2028\ud800\ufffe aé#N/A!"), max_size=20),  # noqa: RUF001 - a full-width form is meant
)
issues = built(
    Issue,
    code=st.sampled_from(["cell.missing", "api.rejected"]),
    message=nasty,
    field=st.none() | st.sampled_from(["Title", "CourseId"]),
    source=st.sampled_from(Source),
    severity=st.sampled_from(Severity),
    attempted_value=nasty,
)


@st.composite
def reports(draw: st.DrawFn) -> RunReport:
    rows = draw(st.lists(st.integers(2, 60), unique=True, max_size=8))
    outcomes = tuple(
        Outcome(
            RowNumber(row),
            Label(draw(nasty), draw(nasty), draw(nasty)),
            draw(st.sampled_from(Status)),
            section_id=draw(st.none() | st.integers(1, 10**12).map(SectionId)),
            issues=tuple(draw(st.lists(issues, max_size=2))),
            updated_by=draw(st.none() | nasty),
        )
        for row in rows
    )
    facts = InputFacts(draw(nasty), "", draw(nasty), len(rows))
    return RunReport(RunId("r1"), "plan", draw(nasty), "http://127.0.0.1/api", facts, outcomes, "t0", "t1", 4)


@given(st.sets(st.integers(1, 200)))
def test_ranges_name_exactly_the_rows(rows: set[int]) -> None:
    """Read back, the ranges give the same rows, and no two ranges touch."""
    ranges = [
        tuple(int(end) for end in part.split("–"))  # noqa: RUF001 - the en dash is the rule
        for part in row_ranges(rows).split(", ")
        if part
    ]

    assert {row for ends in ranges for row in range(ends[0], ends[-1] + 1)} == rows
    assert all(after[0] > before[-1] + 1 for before, after in pairwise(ranges))


@given(reports())
def test_counts_add_up_to_the_rows(report: RunReport) -> None:
    """Each row is counted once, and each issue's rows are found again in its group."""
    groups = group_issues(report.outcomes)

    assert sum(counts(report.outcomes).values()) == len(report.outcomes)
    assert {(group.code, group.field, group.message, row) for group in groups for row in group.rows} == {
        (issue.code, issue.field, issue.message, outcome.row) for outcome in report.outcomes for issue in outcome.issues
    }


@given(nasty)
def test_guarded_text_is_the_text_behind_an_apostrophe(text: str) -> None:
    """The guard is there when it is needed, and only then."""
    shown = guarded(text)

    assert not shown.startswith(FORMULA_STARTS)
    assert shown == (f"'{text}" if text.startswith(FORMULA_STARTS) else text)


@given(reports())
def test_the_csv_reads_back_and_no_field_can_run(report: RunReport) -> None:
    """Every row is one record of the CSV, in order, and no field of it starts a formula."""
    text = b"".join(csv_pieces(report)).decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert [int(row[1]) for row in rows[1:]] == sorted(outcome.row for outcome in report.outcomes)
    assert {len(row) for row in rows} == {14}
    assert not [field for row in rows for field in row if field.startswith(FORMULA_STARTS)]


@given(reports())
def test_the_json_files_can_always_be_read(report: RunReport) -> None:
    """One line a row for every reader of lines, and the text comes back as it was."""
    lines = b"".join(jsonl_pieces(report)).decode().splitlines()
    titles = {outcome.row: outcome.updated_by for outcome in report.outcomes}

    records = [json.loads(line) for line in lines]

    assert {record["row"]: record["updated_by"] for record in records} == titles
    assert json.loads(summary_bytes(report))["input"]["path"] == report.input.path


@given(reports())
def test_a_line_is_what_json_and_csv_write_of_its_row(report: RunReport) -> None:
    """Rows of which nothing is said are written as text at once: byte for byte what the libraries make of them."""
    objects = [json.dumps(json_object(each, report), ensure_ascii=False) for each in ordered(report.outcomes)]
    table = io.StringIO(newline="")
    csv.writer(table, quoting=csv.QUOTE_ALL).writerows(csv_row(each, report) for each in ordered(report.outcomes))

    lines = b"".join(jsonl_pieces(report)).decode()
    _, _, rows = b"".join(csv_pieces(report)).decode("utf-8-sig").partition("\r\n")

    for mark in "\u0085\u2028\u2029":
        objects = [text.replace(mark, f"\\u{ord(mark):04x}") for text in objects]
    assert lines == _encodable("".join(f"{text}\n" for text in objects))
    assert rows == _encodable(table.getvalue())


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@settings(deadline=None, max_examples=60)
@given(reports(), nasty, st.booleans())
def test_a_report_workbook_holds_no_formula_and_every_text(
    report: RunReport,
    heading: str,
    keep: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever the data, the workbook opens, has no formula in it, and shows each text as it was."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edits.xlsx"
        workbook = Workbook()
        workbook.worksheets[0].append(["Id", "Title"])
        workbook.save(path)
        rows = (TableRow(RowNumber(1), ("Id", "Title", heading)),)
        rows += tuple(
            TableRow(o.row, (o.label.id, o.label.title)) for o in sorted(report.outcomes, key=lambda o: o.row)
        )
        content = report_workbook(report, SheetSource(path, "xlsx" if keep else "csv", "Sheet", 1, rows))

    opened = load_workbook(BytesIO(content))
    table = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)

    cells = [cell for sheet in opened.worksheets for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    place = table[0].index("Result: Updated by")
    assert {o.row: _lines(o.updated_by) for o in report.outcomes} == {
        o.row: _lines(str(table[o.row - 1][place])) for o in report.outcomes
    }


def _lines(text: str | None) -> str:
    r"""As a cell holds it: line ends as `\n`; what no reader can give back stands as its escape."""
    shown = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    for character in ("\ud800", "\ufffe", "\uffff"):
        shown = shown.replace(character, f"_x{ord(character):04X}_")
    return shown
