"""The template explains itself, and holds nothing that could be taken for data."""

from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from sync.adapters.workbook.frame import COLUMNS
from sync.adapters.workbook.template import template_workbook, write_template
from sync.headings import OWN_HEADINGS, heading_key


@pytest.fixture(scope="module")
def template() -> Workbook:
    return load_workbook(BytesIO(template_workbook(courses=[(123, "First steps"), (124, "=A1 & <b>")])))


def test_the_headings_stand_in_the_first_row_and_nothing_below(template: Workbook) -> None:
    """The sheet of edits is empty but for its headings; the example is elsewhere."""
    rows = list(template["Sections"].iter_rows(values_only=True))

    assert rows == [COLUMNS]


def test_every_heading_says_what_it_means(template: Workbook) -> None:
    """Meaning, whether it is needed, what it takes and an example, as a comment."""
    comments = {cell.value: cell.comment.text for cell in template["Sections"][1] if cell.comment}

    assert list(comments) == list(COLUMNS)
    assert comments["DisplayOrder"] == (
        "The place in the course: lower comes first.\n"
        "Optional. A blank cell leaves the field as it is. It cannot be emptied.\n"
        "Allowed: a whole number, 0 or more\n"
        "Example: 2"
    )
    assert "[clear] empties it" in comments["SectionContents"]
    assert "Required in every row." in comments["Id"]


def test_drop_downs_offer_the_closed_lists(template: Workbook) -> None:
    """UnlockType, Active and Command have their values to choose from, courses through a hidden list."""
    choices = {
        str(rule.sqref).split(":")[0]: rule.formula1 for rule in template["Sections"].data_validations.dataValidation
    }

    assert choices["G2"] == '"Immediate,Sequential,Timed"'
    assert choices["I2"] == '"TRUE,FALSE"'
    assert choices["A2"] == '"skip,sheet,live"'
    assert choices["C2"] == "Lists!$A$1:$A$2"
    assert template["Lists"].sheet_state == "hidden"
    assert [cell.value for cell in template["Lists"]["A"]] == ["123 · First steps", "124 · =A1 & <b>"]


def test_read_only_columns_are_grey_and_refuse_typing(template: Workbook) -> None:
    """CourseTitle and UpdatedOn look different, and Excel refuses an entry with a sentence."""
    sheet = template["Sections"]
    refused = {
        str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation if rule.type == "custom"
    }

    assert set(refused) == {"D2", "M2"}
    assert refused["D2"].formula1 == "FALSE"
    assert "read-only" in refused["D2"].error
    assert sheet["D1"].fill.fgColor.rgb != sheet["E1"].fill.fgColor.rgb
    assert sheet.column_dimensions["D"].fill.fgColor.rgb == "FFEDEDED"


def test_ids_are_text_and_the_heading_stays_in_view(template: Workbook) -> None:
    """A long Id is not rounded, and the heading and the Id do not scroll away."""
    sheet = template["Sections"]

    assert (sheet.column_dimensions["B"].number_format, sheet.freeze_panes) == ("@", "C2")


def test_the_help_is_never_taken_for_data(template: Workbook) -> None:
    """No row of the help has two headings of ours beside each other."""
    known = [
        sum(1 for value in row if heading_key(str(value or "")) in OWN_HEADINGS)
        for row in template["Help"].iter_rows(values_only=True)
    ]

    assert max(known) == 1


def test_a_template_without_courses_has_no_list(tmp_path: Path) -> None:
    """Offline, CourseId is a number that one types."""
    placed = write_template(tmp_path / "template.xlsx")

    assert load_workbook(placed.path).sheetnames == ["Sections", "Help"]
