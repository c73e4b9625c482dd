"""A plan as lines for people: what changes, what is invisible, what it takes."""

from collections.abc import Sequence

import pytest

from sync.model import (
    ChangeKind,
    Conflict,
    Decision,
    FieldChange,
    Held,
    Label,
    PlannedRow,
    RowNumber,
    Status,
    ToUpdate,
    Unchanged,
)
from sync.plan import Cost
from sync.preview import LINES_SHOWN, ROWS_SHOWN, SHORT, change_lines, cost_line, line_diff, plan_lines, shown, visible
from sync.section import Json

MARCH = 1_772_442_840.0
"""2026-03-02 09:14 UTC."""


def row(number: int, decision: Decision, title: str = "Yoga") -> PlannedRow:
    return PlannedRow(RowNumber(number), Label(str(100 + number), "12", title), decision)


def lines(rows: Sequence[PlannedRow], cost: Cost) -> list[str]:
    return list(plan_lines(rows, cost, finish_wall=MARCH, target="https://a.example/api (Berlin)"))


def test_a_plan_shows_rows_conflicts_place_and_time() -> None:
    """Field by field, old and new; rows that stay as they are take no line."""
    rows = [
        row(2, ToUpdate((FieldChange("Title", "Yoga", "Pilates"), FieldChange("DisplayOrder", 0, 5)), None)),
        row(3, Unchanged()),
        row(4, Conflict((FieldChange("Title", "theirs", "mine", base="seen"),)), title="theirs"),
        row(5, Conflict((FieldChange("Title", "theirs", "mine"),)), title="theirs"),
        row(6, Held(Status.INVALID)),
    ]

    assert lines(rows, Cost(1, 2, 6.4)) == [
        "row 2 · 102 · Yoga",
        "    Title: “Yoga” → “Pilates”",
        "    DisplayOrder: 0 → 5",
        "row 4 · 104 · theirs · conflict, would not be sent",
        "    Title: when exported “seen”, sheet “mine”, live now “theirs”",
        "row 5 · 105 · theirs · conflict, would not be sent",
        "    Title: sheet “mine”, live now “theirs”",
        "",
        "Against https://a.example/api (Berlin)",
        "1 update and 2 reads: about 7 s, done on 2026-03-02 at 09:14 UTC",
    ]


def test_a_plan_with_nothing_to_send_says_so() -> None:
    """And still where it looked."""
    assert lines([row(2, Unchanged())], Cost(0, 0, 0.0)) == [
        "",
        "Against https://a.example/api (Berlin)",
        "Nothing to send.",
    ]


@pytest.mark.parametrize("field", ["NewImageUrl", "ClearImageFile"])
def test_a_plan_says_that_images_cannot_be_undone(field: str) -> None:
    """In the last line, where the approval is asked for."""
    change = FieldChange(field, None, True)

    assert lines([row(2, ToUpdate((change,), None))], Cost(1, 1, 1.0))[-1] == (
        "Images are among the changes: they cannot be undone."
    )
    assert "Images" not in lines([row(2, Conflict((change,)))], Cost(0, 0, 0.0))[-1]


def test_what_is_left_out_is_counted() -> None:
    """Fifty rows of each kind are read by nobody; the report has them all."""
    change = (FieldChange("Title", "A", "B"),)
    many = range(2, 2 + ROWS_SHOWN + 1200)
    got = lines(
        [*(row(at, ToUpdate(change, None)) for at in many), *(row(at, Conflict(change)) for at in many)],
        Cost(1, 1, 1.0),
    )

    assert [line for line in got if line.strip().startswith("…")] == [
        "  … and 1,247 more: rows 5–1251",  # noqa: RUF001 - a range is written with an en dash
        "… and 1,200 more conflicts: all of them are in the report",
    ]
    assert len([line for line in got if line.startswith("row ")]) == ROWS_SHOWN


def test_a_large_plan_begins_with_its_counts_and_goes_by_kind_of_change() -> None:
    """Nobody reads a thousand rows: how many change what, three of each kind whole, and which rows are like them."""
    title = FieldChange("Title", "A", "B")
    rows = [
        *(row(at, ToUpdate((title,), None)) for at in range(2, 42)),
        *(row(at, ToUpdate((title, FieldChange("Active", True, False)), None)) for at in range(42, 52)),
        row(52, ToUpdate((FieldChange("NewImageUrl", None, "https://a.example/b.jpg"),), None)),
        row(53, ToUpdate((FieldChange("DisplayOrder", 1, 2, kind=ChangeKind.RESTORE),), None)),
        row(54, Unchanged()),
    ]

    got = lines(rows, Cost(52, 4, 60.0))

    assert got[:7] == [
        "52 of 53 rows would be sent. They change:",
        "  Title                 50 rows",
        "  Active                10 rows",
        "  NewImageUrl            1 rows, which cannot be undone",
        "  DisplayOrder           1 rows",
        "  1 of them put back what somebody else changed.",
        "",
    ]
    assert got[7:15] == [
        "Title: 40 rows",
        "  row 2 · 102 · Yoga",
        "      Title: “A” → “B”",
        "  row 3 · 103 · Yoga",
        "      Title: “A” → “B”",
        "  row 4 · 104 · Yoga",
        "      Title: “A” → “B”",
        "  … and 37 more: rows 5–41",  # noqa: RUF001 - a range is written with an en dash
    ]
    assert "Title and Active: 10 rows" in got
    assert "  … and 7 more: rows 45–51" in got  # noqa: RUF001 - a range is written with an en dash


def test_every_row_of_a_large_plan_is_counted_once() -> None:
    """However many kinds of changes there are."""
    fields = [f"Field{number}" for number in range(40)]
    rows = [row(at, ToUpdate((FieldChange(fields[at % 40], 1, 2),), None)) for at in range(2, 202)]

    got = lines(rows, Cost(200, 4, 60.0))

    assert "… and 125 more rows in 25 other kinds: all of them are in the report" in got
    assert sum(int(line.split(": ")[1].split()[0]) for line in got if line.startswith("Field")) == 75


def test_a_text_that_is_written_anew_shows_some_of_the_old_and_some_of_the_new() -> None:
    """Else the new text would stand behind the last line that is shown."""
    before, after = "".join(f"<p>old {n}</p>" for n in range(9)), "".join(f"<p>new {n}</p>" for n in range(9))

    got = list(line_diff(before, after))

    assert [line[:1] for line in got] == ["-"] * 3 + ["+"] * 3 + ["…"]
    assert got[-1] == "… 12 more lines differ"


def test_line_ends_are_no_lines_of_a_difference() -> None:
    """A text from Excel has other line ends than the live one; only what was edited is shown."""
    before = "<h2>Wifi</h2>\r\n<p>Two networks, one rule for everybody who comes in here.</p>\r\n<p>Bye</p>"
    after = "<h2>Wifi</h2>\n<p>Two networks, one rule for everybody who comes in here.</p>\n<p>Good bye</p>"

    assert list(line_diff(before, after)) == ["- <p>Bye</p>", "+ <p>Good bye</p>"]


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        pytest.param(Cost(0, 0, 0.0), "Nothing to send.", id="nothing"),
        pytest.param(
            Cost(1, 1, 0.3), "1 update and 1 read: about 1 s, done on 2026-03-02 at 09:14 UTC", id="one of each"
        ),
        pytest.param(
            Cost(12_000, 240, 180_000.0),
            "12,000 updates and 240 reads: about 3 days, done on 2026-03-02 at 09:14 UTC",
            id="days",
        ),
    ],
)
def test_the_cost_is_said_in_one_line(cost: Cost, text: str) -> None:
    """How many requests, how long, and on which day it ends."""
    assert cost_line(cost, finish_wall=MARCH) == text


# values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "(empty)", id="null"),
        pytest.param("", "(empty)", id="empty"),
        pytest.param(0, "0", id="zero"),
        pytest.param(False, "False", id="false"),
        pytest.param("A", "“A”", id="text"),
        pytest.param("0", "“0”", id="digits are text"),
        pytest.param("x" * SHORT, f"“{'x' * SHORT}”", id="as long as is shown whole"),
        pytest.param("x" * SHORT + "y", f"“{'x' * SHORT}…”", id="longer"),
        pytest.param("\x1b" + "x" * SHORT, f"“⟨U+001B⟩{'x' * (SHORT - 1)}…”", id="longer, with an escape"),
    ],
)
def test_a_value_is_shown_so_that_types_and_emptiness_can_be_told(value: Json, text: str) -> None:
    """Text in quotes, numbers plain, nothing said in words."""
    assert shown(value) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        pytest.param("a\nb", "a⏎b", id="line-end"),
        pytest.param("a\tb", "a⇥b", id="tab"),
        pytest.param("a\u00a0b", "a⍽b", id="no-break-space"),
        pytest.param("a\u200bb", "a⟨U+200B⟩b", id="zero-width"),
        pytest.param("\u202eevil", "⟨U+202E⟩evil", id="right-to-left-override"),
        pytest.param("\x1b[2Jgone", "⟨U+001B⟩[2Jgone", id="terminal-escape"),
        pytest.param("a\r\nb", "a⟨U+000D⟩⏎b", id="carriage-return"),
        pytest.param("\ud800", "⟨U+D800⟩", id="lone-surrogate"),
        pytest.param("café 日本 👍", "café 日本 👍", id="what can be seen"),
    ],
)
def test_what_the_eye_would_miss_is_made_visible(text: str, seen: str) -> None:
    """No cell steers the terminal, or hides what it would change."""
    assert visible(text) == seen


def test_titles_cannot_steer_the_terminal_either() -> None:
    """A row's heading comes from the sheet or from live."""
    got = lines([row(2, ToUpdate((FieldChange("Active", True, False),), None), title="\x1b[31mred\n")], Cost(1, 1, 1.0))

    assert got[0] == "row 2 · 102 · ⟨U+001B⟩[31mred⏎"


# changes -----------------------------------------------------------------------------------------------------------


def test_drift_is_marked() -> None:
    """The operator sees that somebody else changed it, and that it is put back."""
    change = FieldChange("Title", "theirs", "ours", base="ours", kind=ChangeKind.RESTORE)

    assert list(change_lines(change)) == ["Title (restored): “theirs” → “ours”"]


def test_an_image_order_has_no_former_value() -> None:
    """Nothing reads it back."""
    assert list(change_lines(FieldChange("NewImageUrl", None, "https://example.com/a.png"))) == [
        "NewImageUrl: “https://example.com/a.png”"
    ]


def test_a_long_text_is_shown_by_its_lines_that_differ() -> None:
    """HTML breaks before its blocks, so that one changed paragraph is one line."""
    before = "<p>One</p><p>Two</p><p>" + "x" * SHORT + "</p>"

    assert list(change_lines(FieldChange("SectionContents", before, before.replace("Two", "2")))) == [
        "SectionContents: 87 → 85 characters",
        "  - <p>Two</p>",
        "  + <p>2</p>",
    ]


def test_a_long_text_that_is_cleared_is_shown_as_gone() -> None:
    """From its length to nothing."""
    before = "x" * (SHORT + 1)

    gone, *_ = change_lines(FieldChange("SectionContents", before, None))
    come, *_ = change_lines(FieldChange("SectionContents", None, before))

    assert (gone, come) == ("SectionContents: 61 → 0 characters", "SectionContents: 0 → 61 characters")


def test_a_difference_is_cut_to_what_a_person_reads() -> None:
    """So many lines, then how many more."""
    before, after = "\n".join(f"a{at}" for at in range(9)), "\n".join(f"b{at}" for at in range(9))

    got = list(line_diff(before, after))

    assert got[:2] == ["- a0", "- a1"]
    assert got[LINES_SHOWN:] == [f"… {18 - LINES_SHOWN} more lines differ"]


def test_a_long_line_is_shown_from_where_it_begins_to_differ() -> None:
    """With a little before it, to find the place."""
    same, tail = "s" * 200, "t" * 20

    assert list(line_diff(f"{same}old{tail}", f"{same}new{tail}")) == [
        f"- …{'s' * 30}old{tail}",
        f"+ …{'s' * 30}new{tail}",
    ]


def test_equal_texts_have_no_difference() -> None:
    """Nothing is shown where nothing differs."""
    assert list(line_diff("<p>a</p><p>b</p>", "<p>a</p><p>b</p>")) == []
