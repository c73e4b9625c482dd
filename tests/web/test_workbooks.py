"""Workbooks from the start page: what is asked for is what they hold."""

import csv
import io
from io import BytesIO

import pytest
from openpyxl import load_workbook

from tests.sandbox_process import SandboxProcess
from tests.web.page_process import Visitor

pytestmark = pytest.mark.e2e


def made(visitor: Visitor, form: dict[str, str]) -> tuple[str, str]:
    """Ask for a workbook and wait for it: its page, and the address of the file."""
    place = visitor.post("/workbooks", form).headers["location"]
    page = visitor.made(place).text
    name = page.split(f'href="{place}/files/')[1].split('"')[0]
    return page, f"{place}/files/{name}"


def ids_in(content: bytes) -> set[int]:
    workbook = load_workbook(BytesIO(content))
    sheet = workbook["Sections"]
    column = [cell.value for cell in sheet[1]].index("Id")
    return {int(str(row[column])) for row in sheet.iter_rows(min_row=2, values_only=True) if row[column] is not None}


def test_an_export_holds_the_courses_and_sections_that_are_asked_for(visitor: Visitor, sandbox: SandboxProcess) -> None:
    """By course, by activity and by date, as the command line has it; the start page says what a file is of."""
    records = sandbox.records()
    courses = sorted({record["CourseId"] for record in records.values()})[:2]
    hidden = next(key for key, record in records.items() if record["CourseId"] == courses[0])
    sandbox.edit(hidden, Active=False)
    of_courses = {key for key, record in sandbox.records().items() if record["CourseId"] in courses}
    active = {key for key in of_courses if sandbox.records()[key]["Active"]}

    _, both = made(visitor, {"kind": "export", "courses": f"{courses[0]}, {courses[1]}"})
    _, seen = made(visitor, {"kind": "export", "courses": f" {courses[0]};{courses[1]} ", "active": "active"})
    _, later = made(visitor, {"kind": "export", "courses": str(courses[0]), "since": "2999-12-31"})
    _, text = made(visitor, {"kind": "export", "courses": str(courses[0]), "active": "inactive", "format": "csv"})

    assert ids_in(visitor.get(both).content) == of_courses
    assert ids_in(visitor.get(seen).content) == active
    assert hidden not in active
    assert ids_in(visitor.get(later).content) == set()
    rows = list(csv.DictReader(io.StringIO(visitor.get(text).content.decode("utf-8-sig"))))
    assert {int(row["Id"]) for row in rows} == of_courses - active - {
        key for key in of_courses if records[key]["CourseId"] == courses[1]
    }
    start = visitor.get("/").text
    assert f"courses {courses[0]}, {courses[1]}, that members see" in start
    assert "changed since 2999-12-31" in start


def test_a_template_offers_the_accounts_courses(visitor: Visitor, sandbox: SandboxProcess) -> None:
    """The list is in the workbook, whoever opens it."""
    _, template = made(visitor, {"kind": "template"})
    workbook = load_workbook(BytesIO(visitor.get(template).content))
    cells = {str(cell.value) for sheet in workbook for row in sheet.iter_rows() for cell in row if cell.value}

    course = next(iter(sandbox.records().values()))["CourseId"]
    assert any(text.startswith(f"{course} ") for text in cells)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        pytest.param({"courses": "12; rm -rf"}, "Courses are named by their numbers", id="no-number"),
        pytest.param({"courses": "--changed-since"}, "Courses are named by their numbers", id="an-option"),
        pytest.param({"courses": "1," * 51}, "at most fifty", id="too-many"),
        pytest.param({"courses": "12345678901"}, "Courses are named by their numbers", id="too-long"),
        pytest.param({"since": "yesterday"}, "That is no date", id="no-date"),
        pytest.param({"since": "2025-02-30"}, "That is no date", id="no-such-day"),
    ],
)
def test_what_cannot_be_asked_for_is_said(visitor: Visitor, form: dict[str, str], said: str) -> None:
    """Nothing is begun, and no word of a form reaches a command line that is not a number or a date."""
    before = visitor.get("/").text.count("is being made")
    answer = visitor.post("/workbooks", {"kind": "export", **form})

    assert answer.status_code == 400
    assert said in answer.text
    assert visitor.get("/").text.count("is being made") == before
