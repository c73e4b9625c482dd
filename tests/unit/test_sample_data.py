"""The sandbox's seed and the sample sheets hold what they are there to show."""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from sample_data import make
from sample_data.demo import NO_SUCH_ID
from sample_data.files import TEXT_HEADINGS
from sync.sandbox import faults
from sync.section import FULL_RECORD

FOLDER = Path(make.__file__).parent
STATUSES = {
    "updated",
    "unchanged",
    "invalid",
    "rejected",
    "conflict",
    "failed",
    "unknown",
    "skipped",
    "not_attempted",
}
Record = dict[str, Any]


@pytest.fixture(scope="module")
def sections() -> list[Record]:
    return list(_seed()["sections"])


@pytest.fixture(scope="module")
def live(sections: list[Record]) -> dict[int, Record]:
    return {section["Id"]: section for section in sections}


def _seed() -> Record:
    seed: Record = json.loads((FOLDER / "sandbox_seed.json").read_text(encoding="utf-8"))
    return seed


def _workbook(path: Path, *, heading_row: int = 1) -> list[Record]:
    workbook = load_workbook(path)
    heading, *rows = list(workbook["Sections"].iter_rows(min_row=heading_row, values_only=True))
    return [dict(zip(map(str, heading), row, strict=True)) for row in rows]


def _csv(name: str, *, encoding: str = "utf-8", delimiter: str = ",") -> list[Record]:
    text = (FOLDER / name).read_bytes().decode(encoding)
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def _contents(path: Path) -> object:
    """What a file says, whatever its zip container looks like."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    workbook = load_workbook(path)
    return [
        (sheet.title, [[(cell.value, cell.data_type, cell.number_format) for cell in row] for row in sheet.iter_rows()])
        for sheet in workbook.worksheets
    ]


def _demo_rows() -> dict[str, list[Record]]:
    """The demo's rows by the status that they end in."""
    expected = json.loads((FOLDER / "demo_expected.json").read_text(encoding="utf-8"))["rows"]
    by_status: dict[str, list[Record]] = {}
    for row, entry in zip(_workbook(FOLDER / "demo.xlsx"), expected, strict=True):
        by_status.setdefault(entry["status"], []).append(row)
    return by_status


def test_every_section_is_a_full_record(sections: list[Record]) -> None:
    """No field of the table is missing: a partial record could never be sent back."""
    assert 250 <= len(sections) <= 350
    assert [section["Id"] for section in sections if not section.keys() >= FULL_RECORD] == []


def test_both_tables_are_sorted_by_ids_that_are_unique_and_not_contiguous() -> None:
    """Ids look as they do on a server that others use too."""
    seed = _seed()
    assert max(course["Id"] for course in seed["courses"]) < min(section["Id"] for section in seed["sections"])
    for table in seed.values():
        ids = [record["Id"] for record in table]

        assert ids == sorted(set(ids))
        assert ids[-1] - ids[0] > len(ids)
        assert all(len(str(number)) == 10 for number in ids)


def test_every_section_belongs_to_a_course_and_repeats_its_title(sections: list[Record]) -> None:
    """CourseTitle is derived, so it cannot differ."""
    titles = {course["Id"]: course["Title"] for course in _seed()["courses"]}

    assert len(titles) == 25
    assert [s["Id"] for s in sections if titles.get(s["CourseId"]) != s["CourseTitle"]] == []


def test_values_are_those_that_a_server_would_hold(sections: list[Record]) -> None:
    """Numbers in range, times in one form, no image order left over, UniqueIds unique."""
    time = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    for section in sections:
        assert section["DisplayOrder"] >= 0
        assert section["UnlockAfterDays"] >= 0
        assert section["UnlockType"] in {1, 2, 3}
        assert section["NewImageUrl"] is None
        assert section["ClearImageFile"] is None
        assert section["IsNew"] is False
        assert section["ToStringText"] == section["Title"]
        assert time.fullmatch(section["CreatedOn"])
        assert time.fullmatch(section["UpdatedOn"])
        assert section["CreatedOn"] <= section["UpdatedOn"]
    assert len({section["UniqueId"] for section in sections}) == len(sections)


def test_one_course_has_a_display_order_twice_and_some_count_in_tens(sections: list[Record]) -> None:
    """Order is not always 1 to n."""
    by_course: dict[int, list[int]] = {}
    for section in sections:
        by_course.setdefault(section["CourseId"], []).append(section["DisplayOrder"])

    assert sum(len(set(orders)) < len(orders) for orders in by_course.values()) == 1
    assert sum(min(orders) == 10 for orders in by_course.values()) >= 3


def test_contents_come_in_every_length(sections: list[Record]) -> None:
    """Null, empty, plain text, long, and one that no Excel cell can hold."""
    contents = [section["SectionContents"] for section in sections]
    lengths = [len(text or "") for text in contents]

    assert None in contents
    assert "" in contents
    assert sum(8_000 <= length <= 20_000 for length in lengths) == 3
    assert [length > 39_000 for length in lengths if length > 20_000] == [True]
    assert any(text and "<" not in text for text in contents)
    assert any(text and "MsoNormal" in text for text in contents)
    assert any(text and "\r\n" in text for text in contents)
    for tag in ("<table>", "<ul>", "<ol>", "<blockquote>", "<a href=", "<img src=", "&mdash;", "&amp;", "👉"):
        assert any(text and tag in text for text in contents), tag


def test_texts_are_written_in_many_languages_and_seldom_twice(sections: list[Record]) -> None:
    """Titles in Latin, Japanese and Arabic letters; hardly a paragraph is a copy."""
    titles = [section["Title"] for section in sections]
    scripts = {unicodedata.name(letter).split()[0] for title in titles for letter in title if letter.isalpha()}

    assert {"LATIN", "ARABIC", "CJK", "HIRAGANA", "KATAKANA"} <= scripts
    assert any(title != unicodedata.normalize("NFC", title) for title in titles)
    assert {course["Language"] for course in _seed()["courses"]} >= {"en", "de", "fr", "es", "pt", "ja", "ar", "pl"}
    assert len({section["SectionContents"] for section in sections}) > 0.98 * len(sections)
    assert not any("lorem" in (section["SectionContents"] or "").lower() for section in sections)


def test_a_few_records_carry_fields_that_nobody_has_heard_of(sections: list[Record]) -> None:
    """Among them what a careless program breaks: huge and tiny numbers, nesting, empty and decomposed text."""
    unknown = {name: value for section in sections for name, value in section.items() if name not in FULL_RECORD}

    assert {"XEstimatedMinutes", "XBadges", "XNested", "XEmpty", "XGain", "XNote"} <= unknown.keys()
    assert unknown["XBadges"][0]["n"] == 12345678901234567890
    assert unknown["XGain"] == 1e-7
    assert unknown["XNote"] != unicodedata.normalize("NFC", unknown["XNote"])
    assert 5 <= sum(bool(section.keys() - FULL_RECORD) for section in sections) <= 20


def test_optional_fields_are_now_empty_and_now_filled(sections: list[Record]) -> None:
    """What must be echoed back comes in each of its kinds."""
    for name in ("SystemId", "LocalizationDetails", "CustomFields", "ImageFileName"):
        assert {section[name] is None for section in sections} == {True, False}, name
    assert {section["Active"] for section in sections} == {True, False}


def test_the_readme_lists_each_file_and_no_other() -> None:
    """A sheet without a line, or a line without a sheet, is a mistake."""
    listed = set(re.findall(r"^\| `([^`]+)` \|", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    present = {path.name for path in FOLDER.iterdir() if path.suffix in {".xlsx", ".csv", ".json"}}

    assert listed == present


def test_make_rebuilds_the_same_contents(tmp_path: Path) -> None:
    """The files in the folder are those that the script writes, no older and none by hand."""
    make.main(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for path in FOLDER.iterdir() if path.suffix in {".xlsx", ".csv", ".json"}
    }
    for path in sorted(tmp_path.iterdir()):
        assert _contents(path) == _contents(FOLDER / path.name), path.name


def test_text_columns_have_the_text_format() -> None:
    """Otherwise Excel turns what is typed there into dates and numbers."""
    for path in FOLDER.glob("*.xlsx"):
        sheet = load_workbook(path)["Sections"]
        heading_row = 4 if path.name.startswith("title_rows") else 1
        for column in sheet.iter_cols(min_row=heading_row):
            heading, *cells = column
            if heading.value in TEXT_HEADINGS:
                formats = {cell.number_format for cell in cells if cell.data_type == "s"}
                assert formats <= {"@"}, (path.name, heading.value)


def test_the_demo_ends_in_every_status() -> None:
    """Its rows are about forty, its counts add up, and no status is missing."""
    expected = json.loads((FOLDER / "demo_expected.json").read_text(encoding="utf-8"))

    assert expected["counts"].keys() == STATUSES
    assert Counter(entry["status"] for entry in expected["rows"]) == expected["counts"]
    assert [entry["row"] for entry in expected["rows"]] == list(range(2, len(expected["rows"]) + 2))
    assert 38 <= len(expected["rows"]) <= 48


def test_the_demos_updated_rows_name_a_real_change(live: dict[int, Record]) -> None:
    """A row that equals the live state would end as unchanged."""
    for status in ("updated", "failed", "unknown", "conflict", "not_attempted"):
        for row in _demo_rows()[status]:
            assert _changed(row, live[row["Id"]]), (status, row["Title"])


def test_the_demos_unchanged_rows_differ_by_noise_alone(live: dict[int, Record]) -> None:
    """Whole floats and line ends are no change."""
    rows = _demo_rows()["unchanged"]

    assert [_changed(row, live[row["Id"]]) for row in rows] == [set()] * len(rows)
    assert any(isinstance(row["DisplayOrder"], float) for row in rows)
    assert any(row["SectionContents"] not in {None, live[row["Id"]]["SectionContents"]} for row in rows)


def test_the_demo_holds_each_kind_of_invalid_row() -> None:
    """Words for numbers, negatives, an enum, a duplicate, an error, a formula, a cleared title, a date, an svg."""
    rows = _demo_rows()["invalid"]
    values = [str(value) for row in rows for value in row.values()]
    twice = [number for number, count in Counter(row["Id"] for row in rows).items() if count == 2]

    for wanted in ("soon", "-7", "Sometimes", "#N/A", "[clear]", "2026-03-02 09:14:07"):
        assert wanted in values, wanted
    assert any(value.startswith("=") for value in values)
    assert any(value.endswith(".svg") for value in values)
    assert len(twice) == 1


def test_the_demos_formula_has_no_cached_value() -> None:
    """Nobody has computed it, so nobody can say what would be sent."""
    computed = load_workbook(FOLDER / "demo.xlsx", data_only=True)["Sections"]
    written = load_workbook(FOLDER / "demo.xlsx")["Sections"]
    formulas = [cell.coordinate for row in written.iter_rows() for cell in row if cell.data_type == "f"]

    assert [computed[place].value for place in formulas] == [None]


def test_the_demos_other_rows_are_as_promised(live: dict[int, Record]) -> None:
    """Two ways to skip, two refusals, and an UpdatedOn that is older than the live one."""
    rows = _demo_rows()
    by_command, by_mark = rows["skipped"]
    gone, refused = rows["rejected"]
    (conflict,) = rows["conflict"]

    assert by_command["Command"] == "skip"
    assert str(by_mark["Id"]).startswith("#")
    assert gone["Id"] == NO_SUCH_ID
    assert NO_SUCH_ID not in live
    assert "unreachable.example" in refused["NewImageUrl"]
    assert "<script" in refused["SectionContents"]
    assert conflict["UpdatedOn"] < live[conflict["Id"]]["UpdatedOn"]
    filled = [row for status in rows for row in rows[status] if row["UpdatedOn"] and status != "conflict"]
    assert 2 <= len(filled) <= 3
    assert [row["UpdatedOn"] for row in filled] == [live[row["Id"]]["UpdatedOn"] for row in filled]


def test_the_demos_updated_rows_cover_the_edits_that_people_make() -> None:
    """Titles, contents, order, timed lessons, Active by word, a cleared text, an image."""
    rows = _demo_rows()["updated"]

    assert any(row["UnlockType"] == "Timed" for row in rows)
    assert any(row["SectionContents"] == "[clear]" for row in rows)
    assert any(row["NewImageUrl"] for row in rows)
    assert {"yes", "no"} <= {row["Active"] for row in rows}
    assert any("👋" in row["Title"] for row in rows)
    assert any('"' in row["Title"] for row in rows)


def test_the_fault_script_is_one_that_the_sandbox_reads() -> None:
    """Each rule is for a PUT of a row that is to fail; the last two rows are beyond the allowance."""
    rules = faults.load(FOLDER / "demo_faults.json")
    rows = _demo_rows()
    (failed,), (unknown,) = rows["failed"], rows["unknown"]
    last = [row["Id"] for row in _workbook(FOLDER / "demo.xlsx")[-2:]]

    assert [row["Id"] for row in rows["not_attempted"]] == last
    assert [(rule.match.method, rule.match.id, rule.action.action) for rule in rules] == [
        ("PUT", failed["Id"], "status"),
        ("PUT", unknown["Id"], "lose_answer"),
        ("PUT", unknown["Id"], "edit_record"),
    ]


def test_every_row_of_the_many_is_a_change(live: dict[int, Record]) -> None:
    """130 PUTs, more than one minute allows."""
    rows = _workbook(FOLDER / "many_rows_130.xlsx")

    assert len({row["Id"] for row in rows}) == 130
    assert [row["Id"] for row in rows if len(_changed(row, live[row["Id"]])) != 1] == []


def test_no_row_of_nothing_changes_is_a_change(live: dict[int, Record]) -> None:
    """20 rows, no PUT."""
    rows = _workbook(FOLDER / "nothing_changes.xlsx")

    assert len(rows) == 20
    assert [row["Id"] for row in rows if _changed(row, live[row["Id"]])] == []


@pytest.mark.parametrize(
    ("name", "heading_row", "field"),
    [
        pytest.param("translate_titles.xlsx", 1, "Title", id="translated"),
        pytest.param("publish_timed_unlocks.xlsx", 1, "UnlockType", id="timed"),
        pytest.param("title_rows_above_header.xlsx", 4, "Title", id="titled"),
    ],
)
def test_the_sound_workbooks_change_the_field_they_are_about(
    name: str, heading_row: int, field: str, live: dict[int, Record]
) -> None:
    """Every row is a change of that field, and read-only cells say what the server says."""
    for row in _workbook(FOLDER / name, heading_row=heading_row):
        section = live[row["Id"]]

        assert field in _changed(row, section)
        assert row.get("CourseTitle", section["CourseTitle"]) == section["CourseTitle"]


def test_the_reordered_course_keeps_its_sections(live: dict[int, Record]) -> None:
    """Each section of one course once, with a new place for most."""
    rows = _csv("reorder_a_course.csv")
    courses = {live[int(row["Id"])]["CourseId"] for row in rows}

    assert len(courses) == 1
    assert len(rows) == sum(section["CourseId"] in courses for section in live.values())
    assert sorted(int(row["DisplayOrder"]) for row in rows) == list(range(1, len(rows) + 1))


def test_the_german_sheet_has_a_byte_order_mark_and_german_headings() -> None:
    """It needs the aliases that the README shows."""
    assert (FOLDER / "german_headings_semicolon.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    rows = _csv("german_headings_semicolon.csv", encoding="utf-8-sig", delimiter=";")

    assert list(rows[0]) == ["Id", "Titel", "Reihenfolge", "Aktiv"]


@pytest.mark.parametrize(
    ("name", "headings"),
    [
        pytest.param("unknown_heading.csv", "Id,Titel,DisplayOrder", id="unknown"),
        pytest.param("duplicate_heading.csv", "Id,Title,DisplayOrder,title", id="duplicate"),
        pytest.param("no_id_column.csv", "CourseTitle,Title,DisplayOrder", id="no-id"),
    ],
)
def test_each_refused_sheet_has_its_wrong_heading(name: str, headings: str) -> None:
    """Only the headings are wrong; the rows below are real."""
    first, *rows = (FOLDER / name).read_text(encoding="utf-8").splitlines()

    assert first == headings
    assert len(rows) > 8


def test_error_words_are_error_cells_and_formulas_have_no_value() -> None:
    """As Excel stores them, not as text that looks like them."""
    path = FOLDER / "error_cells_and_uncached_formulas.xlsx"
    kinds = Counter(cell.data_type for row in load_workbook(path)["Sections"].iter_rows() for cell in row)

    assert kinds["e"] == 5
    assert kinds["f"] == 3


def test_invalid_rows_has_one_row_that_is_right() -> None:
    """The right row shows that its neighbours do not hold it."""
    rows = _workbook(FOLDER / "invalid_rows.xlsx")

    assert len(rows) > 25
    assert str(rows[-1]["Title"]).endswith("✔")


def _changed(row: Record, section: Record) -> set[str]:
    """The fields that a row names with another value than the live one, by this test's own simple reading."""
    words = {"yes": True, "no": False, "TRUE": True, "FALSE": False, "[clear]": None}
    unlock = {"Immediate": 1, "Sequential": 2, "Timed": 3}
    editable = (
        "CourseId",
        "Title",
        "DisplayOrder",
        "UnlockType",
        "UnlockAfterDays",
        "Active",
        "SectionContents",
        "NewImageUrl",
    )
    changed = set()
    for name in editable:
        cell = row.get(name)
        if cell is None:
            continue
        meant = unlock.get(cell, cell) if name == "UnlockType" else words.get(cell, cell)
        if (meant or "") != (_one_line_end(section[name]) or ""):
            changed.add(name)
    return changed


def _one_line_end(value: object) -> object:
    return value.replace("\r\n", "\n") if isinstance(value, str) else value
