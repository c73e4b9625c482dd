"""What each cell means in each column, as tables."""

import datetime as dt

import pytest

from sync.cells import Clear, Meaning, Remark, Silent, Value, Wrong, is_error_word, read_cell, reader_for, shown
from sync.model import CellValue, Flaw, FlawKind
from sync.section import BY_NAME, EDITABLE, Json


def read(field: str, value: CellValue, flaw: Flaw | None = None) -> Meaning:
    return read_cell(BY_NAME[field], value, flaw)


def code(meaning: Meaning) -> str | None:
    return meaning.code if isinstance(meaning, Wrong) else None


@pytest.mark.parametrize("field", [field.name for field in EDITABLE])
def test_blank_cells_ask_for_nothing_in_any_column(field: str) -> None:
    """Blank leaves the field alone; white space alone counts as blank and is told apart for its warning."""
    assert [read(field, value) for value in (None, "", " ", "\t\r\n", "\u00a0", "\u200b\ufeff")] == [
        Silent(),
        Silent(),
        *[Silent(whitespace_only=True)] * 4,
    ]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("SectionContents", Clear()),
        ("Title", Wrong("cell.required", "is a required field", " [CLEAR] ")),
        ("CourseId", Wrong("cell.required", "is a required field", " [CLEAR] ")),
        ("UnlockType", Wrong("cell.required", "is a required field", " [CLEAR] ")),
        ("Active", Wrong("cell.not_clearable", "cannot be cleared", " [CLEAR] ")),
        ("NewImageUrl", Wrong("cell.not_clearable", "cannot be cleared", " [CLEAR] ")),
    ],
)
def test_clear_empties_optional_text_alone(field: str, expected: Meaning) -> None:
    """`[clear]`, in any case, where a field can be empty."""
    assert read(field, " [CLEAR] ") == expected


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        pytest.param("DisplayOrder", 5, 5, id="number"),
        pytest.param("DisplayOrder", 5.0, 5, id="whole float"),
        pytest.param("DisplayOrder", 0, 0, id="nought"),
        pytest.param("DisplayOrder", " 7\u00a0", 7, id="text with spaces around"),
        pytest.param("Id", "00123", 123, id="leading noughts"),
        pytest.param("Id", 999_999_999_999_999, 999_999_999_999_999, id="fifteen digits"),
        pytest.param("Id", "9007199254740992", 2**53, id="sixteen digits as text"),
        pytest.param("CourseId", "123 · Yoga · 2", 123, id="course with its title"),
        pytest.param("CourseId", "123·Yoga\nfor all", 123, id="course with its title, tight"),
    ],
)
def test_whole_numbers_are_read(field: str, value: CellValue, expected: int) -> None:
    """Integers in every shape that can mean one number only."""
    meaning = read(field, value)

    assert meaning == Value(expected)
    assert isinstance(meaning, Value)
    assert type(meaning.value) is int


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        pytest.param("DisplayOrder", 5.5, "cell.not_a_number", id="fraction"),
        pytest.param("DisplayOrder", float("inf"), "cell.not_a_number", id="infinite"),
        pytest.param("DisplayOrder", float("nan"), "cell.not_a_number", id="not a number"),
        pytest.param("DisplayOrder", True, "cell.not_a_number", id="boolean"),
        pytest.param("DisplayOrder", "5.0", "cell.not_a_number", id="decimals in text"),
        pytest.param("DisplayOrder", "1,234", "cell.not_a_number", id="comma"),
        pytest.param("DisplayOrder", "1 234", "cell.not_a_number", id="space inside"),
        pytest.param("DisplayOrder", "1E3", "cell.not_a_number", id="exponent"),
        pytest.param("DisplayOrder", "٣", "cell.not_a_number", id="other digits"),
        pytest.param("DisplayOrder", "five", "cell.not_a_number", id="word"),
        pytest.param("DisplayOrder", "9" * 5_000, "cell.not_a_number", id="very long"),
        pytest.param("DisplayOrder", "123 · Yoga", "cell.not_a_number", id="title where no course is"),
        pytest.param("DisplayOrder", -1, "cell.too_small", id="negative"),
        pytest.param("DisplayOrder", "-1", "cell.too_small", id="negative text"),
        pytest.param("Id", 0, "cell.too_small", id="Id nought"),
        pytest.param("CourseId", "0 · Yoga", "cell.too_small", id="course nought"),
        pytest.param("Id", 10**15, "cell.rounded", id="sixteen digits"),
        pytest.param("Id", 1.5e19, "cell.rounded", id="large float"),
        pytest.param("Id", "9007199254740993", "cell.rounded", id="text above 2**53"),
        pytest.param("Id", dt.datetime(2024, 2, 1, tzinfo=None), "cell.date", id="date"),  # noqa: DTZ001 - as a cell
        pytest.param("Title", dt.time(1, 2), "cell.date", id="time in a text column"),
        pytest.param("NewImageUrl", dt.timedelta(days=1), "cell.date", id="duration"),
        pytest.param("Active", dt.date(2024, 2, 1), "cell.date", id="date in a boolean column"),
        pytest.param("UnlockType", 4, "cell.unknown_choice", id="no such choice"),
        pytest.param("UnlockType", "Later", "cell.unknown_choice", id="no such name"),
        pytest.param("UnlockType", True, "cell.unknown_choice", id="boolean for a choice"),
        pytest.param("UnlockType", 1.5, "cell.unknown_choice", id="fraction for a choice"),
        pytest.param("Active", "ja", "cell.not_a_boolean", id="other language"),
        pytest.param("Active", 2, "cell.not_a_boolean", id="other number"),
        pytest.param("Active", "x", "cell.not_a_boolean", id="cross"),
        pytest.param("Title", True, "cell.not_text", id="boolean as text"),
        pytest.param("Title", 0.5, "cell.not_text", id="fraction as text"),
        pytest.param("Title", 10**15, "cell.rounded", id="long number as text"),
        pytest.param("Title", "a\x00", "cell.control_character", id="NUL"),
        pytest.param("Title", "a\x1b[0m and much longer", "cell.control_character", id="escape"),
        pytest.param("Title", "a\x93quoted\x94 in another encoding", "cell.control_character", id="C1"),
        pytest.param("Title", "a\ud800", "cell.control_character", id="lone surrogate"),
        pytest.param("Title", "a long enough text \ud800", "cell.control_character", id="lone surrogate, long"),
        pytest.param("Title", "a\ufffe", "cell.control_character", id="no character"),
        pytest.param("Title", "K\ufffdse", "cell.replacement_character", id="lost letter"),
        pytest.param("SectionContents", "x" * 32_767, "cell.cut", id="as long as Excel allows"),
        pytest.param("SectionContents", "\U0001f600" * 16_383 + "x", "cell.cut", id="as long, in Excel's count"),
        pytest.param("NewImageUrl", "https://10.0.0.1/a.png", "cell.not_a_url", id="address"),
        pytest.param("NewImageUrl", 5, "cell.not_a_url", id="number as address"),
    ],
)
def test_what_could_mean_two_things_is_refused(field: str, value: CellValue, expected: str) -> None:
    """Nothing is guessed; the same rules hold through a column's own reader."""
    assert code(read(field, value)) == expected
    assert code(reader_for(BY_NAME[field])(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1), (2.0, 2), ("3", 3), (" immediate", 1), ("SEQUENTIAL", 2), ("Timed", 3)],
)
def test_unlock_types_are_read_by_number_or_name(value: CellValue, expected: int) -> None:
    """1/2/3 or Immediate/Sequential/Timed, in any case."""
    assert read("UnlockType", value) == Value(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((True, 1, 1.0, "1", "TRUE", "true ", "Yes", "YES"), True),
        ((False, 0, 0.0, "0", "FALSE", "false", "No", " no"), False),
    ],
)
def test_booleans_are_read(values: tuple[CellValue, ...], *, expected: bool) -> None:
    """TRUE/FALSE, yes/no, 1/0, in any case; the value is a JSON boolean."""
    for value in values:
        meaning = read("Active", value)

        assert isinstance(meaning, Value)
        assert meaning.value is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(" A  b ", " A  b ", id="as written"),
        pytest.param("a\r\nb\rc\nd\te", "a\nb\nc\nd\te", id="line ends"),
        pytest.param("<p>A long text\r\nof two lines</p>", "<p>A long text\nof two lines</p>", id="line ends, long"),
        pytest.param("=1+1", "=1+1", id="looks like a formula"),
        pytest.param(2024, "2024", id="number"),
        pytest.param(5.0, "5", id="whole float"),
        pytest.param("x" * 32_766, "x" * 32_766, id="one less than the limit"),
        pytest.param("x" * 40_000, "x" * 40_000, id="longer than Excel allows: not from Excel"),
        pytest.param("Cafe\u0301", "Cafe\u0301", id="accents as written"),
    ],
)
def test_text_is_sent_as_written(value: CellValue, expected: str) -> None:
    """Only line ends change; a whole number in a text column is its digits."""
    assert read("Title", value) == Value(expected)


@pytest.mark.parametrize("word", ["#N/A", "#REF!", "NULL", "none", " N/A ", "-"])
def test_words_of_programs_are_sent_with_a_warning(word: str) -> None:
    """They may be meant; more often a formula or a program left them there."""
    meaning = read("Title", word)

    assert isinstance(meaning, Value)
    assert isinstance(meaning.remark, Remark)
    assert (meaning.value, meaning.remark.code) == (word, "cell.suspicious_word")


def test_an_unencrypted_image_address_is_remarked_on() -> None:
    """It works and is a warning; spaces around an address are no part of it."""
    meaning = read("NewImageUrl", " http://example.com/a.png\n")

    assert isinstance(meaning, Value)
    assert isinstance(meaning.remark, Remark)
    assert (meaning.value, meaning.remark.code) == ("http://example.com/a.png", "cell.http")


@pytest.mark.parametrize(
    ("flaw", "expected", "attempted"),
    [
        (Flaw(FlawKind.ERROR_VALUE, "#N/A"), "cell.error_value", "#N/A"),
        (Flaw(FlawKind.UNCACHED_FORMULA, "=A1"), "cell.uncached_formula", "=A1"),
    ],
)
def test_a_flaw_outweighs_the_value(flaw: Flaw, expected: str, attempted: Json) -> None:
    """A reader shows blank, or an old value, where the cell holds something else."""
    for value in (None, "text"):
        meaning = read("Title", value, flaw)

        assert isinstance(meaning, Wrong)
        assert (meaning.code, meaning.attempted) == (expected, attempted)


def test_a_date_is_shown_in_the_message() -> None:
    """The operator sees what Excel made of the cell."""
    meaning = read("Title", dt.datetime(2024, 2, 1, tzinfo=None))  # noqa: DTZ001 - Excel knows no zones

    assert isinstance(meaning, Wrong)
    assert "2024-02-01" in meaning.message


def test_attempted_values_can_be_written_to_any_report() -> None:
    """A lone surrogate cannot be encoded, a control character cannot stand in a workbook: both are escaped."""
    meaning = read("Title", "a\ud800\x00")

    assert isinstance(meaning, Wrong)
    assert meaning.attempted == "a\\ud800\\u0000"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#N/A", True),
        ("#REF!", True),
        ("#DIV/0!", True),
        ("#NAME?", True),
        ("#SPILL!", True),
        ("#GETTING_DATA", True),
        ("#NV", True),
        ("#BEZUG!", True),
        ("#¡VALOR!", True),
        (" #NULL! ", True),
        ("#", False),
        ("#12", False),
        ("#12!", False),
        ("# a note", False),
        ("N/A", False),
    ],
)
def test_error_words_are_known(text: str, *, expected: bool) -> None:
    """Excel's own, and their translations; a commented-out Id is none."""
    assert is_error_word(text) is expected


def test_cells_are_shown_as_excel_shows_them() -> None:
    """For labels and messages."""
    cells: list[CellValue] = [None, True, 5, 5.0, 2.5, "a", dt.date(2024, 2, 1), dt.timedelta(hours=1)]

    assert [shown(cell) for cell in cells] == ["", "TRUE", "5", "5", "2.5", "a", "2024-02-01", "1:00:00"]
