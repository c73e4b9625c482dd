"""How HTML is normalised on its way in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.sandbox import markup

FRAGMENTS = st.lists(
    st.sampled_from(
        [
            " ",
            "\n",
            "<br>",
            "<BR/>",
            "<p class='b' ID=\"a\">",
            "</P>",
            "x < y",
            "<a t='\"'>",
            "<img src='x' hidden>",
            "&amp;",
            ">",
            "<",
        ]
    )
).map("".join)


@pytest.mark.parametrize(
    ("how", "stored"),
    [
        ("off", " <P>a<br></P>\n"),
        ("trim", "<P>a<br></P>"),
        ("rewrite", "<p>a<br /></P>"),
    ],
)
def test_each_way_of_normalising(how: markup.Rewriting, stored: str) -> None:
    """Nothing, white space at the ends, or the tags themselves."""
    assert markup.rewrite(" <P>a<br></P>\n", how) == stored


def test_attributes_are_sorted_and_quoted_alike() -> None:
    """Rewriting changes the text and keeps its meaning."""
    assert markup.rewrite("<a title='t' Href=\"h\" hidden>x</a>", "rewrite") == '<a hidden href="h" title="t">x</a>'


@given(FRAGMENTS, st.sampled_from(["off", "trim", "rewrite"]))
def test_normalising_twice_is_normalising_once(html: str, how: markup.Rewriting) -> None:
    """What the server gave out comes back to it unchanged."""
    once = markup.rewrite(html, how)

    assert markup.rewrite(once, how) == once
