"""A value before and after as lines: what is gone, what is new, and that nothing of either is lost."""

from hypothesis import given
from hypothesis import strategies as st

from sync.preview import visible
from sync.web.differences import Line, difference, is_long


def side(lines: tuple[Line, ...], kind: str) -> list[str]:
    return ["".join(part.text for part in line.parts) for line in lines if line.kind == kind]


def test_only_the_words_that_differ_are_marked() -> None:
    """Within a line that was edited, what stays is not marked."""
    lines = difference("<p>One sharp knife</p>", "<p>One blunt knife</p>")

    assert [[(part.text, part.marked) for part in line.parts if part.marked] for line in lines] == [
        [("sharp", True)],
        [("blunt", True)],
    ]


def test_what_stays_between_is_counted() -> None:
    """A long text shows what differs, a line around it, and how many lines are as before."""
    before = "\n".join(f"line {at}" for at in range(20))

    lines = difference(before, before.replace("line 10", "another"))

    assert [line.kind for line in lines] == ["gap", "same", "old", "new", "same", "gap"]
    assert side(lines, "gap") == ["9 lines as before", "8 lines as before"]


def test_line_ends_are_no_difference() -> None:
    """They are noise, and said to be so."""
    assert [line.kind for line in difference("a\r\nb", "a\nb")] == ["same"]


@given(
    st.lists(st.text("ab<p> ", min_size=1, max_size=8), max_size=6), st.lists(st.text("ab<p> ", min_size=1), max_size=6)
)
def test_every_new_line_is_there(old: list[str], new: list[str]) -> None:
    """What a line says is whole: a line that is only in the new text is shown, word for word."""
    lines = difference("\n".join(old), "\n".join(new))
    shown = side(lines, "new") + side(lines, "same") + side(lines, "gap")

    for line in set(new) - set(old):
        if "<p" not in line:
            assert visible(line) in shown


def test_short_values_need_no_lines() -> None:
    """A title stands on one line; contents do not."""
    assert not is_long("A title")
    assert not is_long(7)
    assert is_long("a\nb")
    assert is_long("x" * 91)
