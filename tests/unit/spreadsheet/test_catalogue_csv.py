"""The catalogue of bad input, C39 to C45: what is special about texts."""

from pathlib import Path

import pytest

from sync.adapters.spreadsheet import load_here
from sync.errors import InputError
from sync.model import CheckedSheet, Edit, InvalidRow
from sync.validate import check_sheet


def check(tmp_path: Path, data: bytes | str, encoding: str | None = None) -> CheckedSheet:
    path = tmp_path / "a.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return check_sheet(load_here(path, encoding=encoding), aliases={})


def refused(tmp_path: Path, data: bytes | str, encoding: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        check(tmp_path, data, encoding)
    return caught.value


def titles(sheet: CheckedSheet) -> list[object]:
    return [row.values.get("Title") if isinstance(row, Edit) else None for row in sheet.rows]


def codes(sheet: CheckedSheet) -> list[list[str]]:
    return [[issue.code for issue in row.issues] for row in sheet.rows]


TEXT = "Id,Title\n1,Käse\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="UTF-8 with mark"),
        pytest.param(("\ufeff" + TEXT.replace(",", "\t")).encode("utf-16-le"), id="Excel's Unicode text"),
        pytest.param(("\ufeff" + TEXT).encode("utf-16-be"), id="UTF-16 BE"),
    ],
)
def test_c39_marks_and_utf_8_need_no_word(tmp_path: Path, data: bytes) -> None:
    """C39: what can be told is told, whatever was declared."""
    assert titles(check(tmp_path, data)) == ["Käse"]
    assert titles(check(tmp_path, data, "cp1252")) == ["Käse"]


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "iso8859-15", "utf-16-le"])
def test_c39_other_encodings_are_read_only_as_declared_and_shown(tmp_path: Path, encoding: str) -> None:
    """C39: a wrong guess would write wrong letters; the declared reading is shown with the cells it matters for."""
    data = TEXT.encode(encoding)
    sheet = check(tmp_path, data, encoding)
    notes = [issue.message for issue in sheet.issues if issue.code == "file.note"]

    assert refused(tmp_path, data).code in {"file.encoding", "file.binary"}
    assert titles(sheet) == ["Käse"]
    assert ["row 2 'Käse'" in note for note in notes] == [True]


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        pytest.param(TEXT.encode("utf-32"), None, id="UTF-32"),
        pytest.param(TEXT.encode("utf-32"), "utf-32", id="UTF-32, declared"),
        pytest.param(b"Id,Title\n1,\x81\n", "cp1252", id="a byte that cp1252 does not have"),
        pytest.param(b"Id,Title\n1,\xe4\n", "klingon", id="an encoding that nobody knows"),
        pytest.param(b"Id,Title\n1,\xe4\n", "base64", id="a codec that is no encoding"),
        pytest.param("Id,Title\n1,Käse\n".encode() + b"2,K\xe4se\n", None, id="two encodings in one file"),
    ],
)
def test_c39_what_cannot_be_read_is_refused(tmp_path: Path, data: bytes, declared: str | None) -> None:
    """C39: nothing is replaced and nothing passed over."""
    assert refused(tmp_path, data, declared).code == "file.encoding"


def test_c39_a_replacement_character_holds_its_row(tmp_path: Path) -> None:
    """C39: another program has lost a letter here before."""
    assert codes(check(tmp_path, "Id,Title\n1,K\ufffdse\n2,B\n")) == [["cell.replacement_character"], []]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("Id;Title;DisplayOrder\n1;A, b;3\n", id="semicolons"),
        pytest.param("Id\tTitle\tDisplayOrder\n1\tA, b\t3\n", id="tabs"),
        pytest.param("Id|Title|DisplayOrder\n1|A, b|3\n", id="bars"),
        pytest.param("sep=;\r\nId;Title;DisplayOrder\r\n1;A, b;3\r\n", id="sep line"),
    ],
)
def test_c40_the_delimiter_that_yields_our_headings_is_taken(tmp_path: Path, data: str) -> None:
    """C40: and said, since it is an assumption."""
    sheet = check(tmp_path, data)

    assert titles(sheet) == ["A, b"]
    assert [issue.code for issue in sheet.issues] == ["file.note"]


def test_c40_a_decimal_comma_is_no_integer(tmp_path: Path) -> None:
    """C40: `1,5` and `1,000` are not guessed at."""
    assert codes(check(tmp_path, "Id;DisplayOrder\n1;1,5\n2;1,000\n")) == [["cell.not_a_number"]] * 2


def test_c40_another_delimiter_is_refused_with_what_was_found(tmp_path: Path) -> None:
    """C40: the text shows the line as it was read."""
    assert refused(tmp_path, "Id^Title\n1^A\n").code == "file.no_header"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param('Id,Title\n1,A\n2,"B\n3,C\n', id="never closed"),
        pytest.param('Id,Title,SectionContents\n1,"A,x\n2,B,y\n3,C",z\n', id="closed three rows later"),
        pytest.param('Id,Title\n1,"A"B\n', id="text after the quote"),
    ],
)
def test_c41_a_stray_quote_is_refused(tmp_path: Path, data: str) -> None:
    """C41: it makes one cell of several rows, and a later quote hides that; the line is named."""
    error = refused(tmp_path, data)

    assert (error.code, "line" in error.message) == ("file.stray_quote", True)


def test_c42_rows_that_are_too_short_or_too_long_are_held(tmp_path: Path) -> None:
    """C42: a delimiter too many or too few has moved values into other columns; the other rows go on."""
    sheet = check(tmp_path, "Id,Title,DisplayOrder\n1,A,1\n2,B\n3,C, and D,3\n4,E,4\n")

    assert [type(row) for row in sheet.rows] == [Edit, InvalidRow, InvalidRow, Edit]
    assert codes(sheet)[1:3] == [["row.missing_cells"], ["row.extra_cells", "cell.not_a_number"]]
    assert "2 of 3" in sheet.rows[1].issues[0].message


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("Id,Title\r1,A\r2,B\r", id="CR alone"),
        pytest.param("Id,Title\r\n1,A\r\n2,B", id="no final line end"),
        pytest.param("\n\nId,Title\n\n1,A\n\n2,B\n\n", id="blank lines"),
        pytest.param('Id,Title,SectionContents\n1,A,"<p>\n</p>"\n2,B,x\n', id="line ends within a cell"),
        pytest.param("Id,Title,SectionContents\n1,A," + "x" * 300_000 + "\n2,B,y\n", id="a long cell"),
    ],
)
def test_c43_line_ends_and_lengths_that_programs_write_are_read(tmp_path: Path, data: str) -> None:
    """C43: no limit of a library, no line end of an old system."""
    assert titles(check(tmp_path, data)) == ["A", "B"]


def test_c43_nul_is_no_text(tmp_path: Path) -> None:
    """C43: the line is named."""
    error = refused(tmp_path, "Id,Title\n1,A\x00\n")

    assert (error.code, "line 2" in error.message) == ("file.binary", True)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param('"=""00123"""', "cell.formula_text", id="formula trick"),
        pytest.param("'=1+1", "cell.guarded", id="guarded formula"),
        pytest.param("'+49 30", "cell.guarded", id="guarded plus"),
        pytest.param("'@home", "cell.guarded", id="guarded at"),
    ],
)
def test_c44_guards_and_tricks_are_not_sent_as_text(tmp_path: Path, text: str, code: str) -> None:
    """C44: whether the sign before the value belongs to it cannot be told."""
    assert codes(check(tmp_path, f"Id,Title\n1,{text}\n")) == [[code]]


@pytest.mark.parametrize("text", ["'tis", "'@home' yoga", "= equal =", "+49 30", "- first"])
def test_c44_plain_texts_with_such_signs_are_texts(tmp_path: Path, text: str) -> None:
    """C44: an apostrophe of the language, and signs without a guard."""
    assert titles(check(tmp_path, f"Id,Title\n1,{text}\n")) == [text]


def test_c45_our_own_report_csv_and_plan_are_recognised(tmp_path: Path) -> None:
    """C45: the text of one is guarded, and the other is no sheet; both say what to use instead."""
    header = (
        "sheet,row,Id,CourseId,Title,status,changed,messages,http_status,attempts,verified,updated_on,updated_by,run_id"
    )
    assert refused(tmp_path, f"{header}\nS,2,1,,A,updated,,,,,,,,r\n").code == "file.report_csv"
    assert refused(tmp_path, '{"version": 1, "rows": []}\n').code == "file.json"


def test_c45_result_columns_of_a_report_are_passed_over(tmp_path: Path) -> None:
    """C45: the diff decides what is to be done, never a former result."""
    sheet = check(tmp_path, "Id,Title,Result: Status,Result: Messages\n1,A,failed,x\n")

    assert (titles(sheet), sheet.issues) == (["A"], ())
