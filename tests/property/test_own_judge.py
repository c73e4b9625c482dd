"""The law of the quick look at texts: whatever it lets pass, a parser takes as well."""

from xml.parsers import expat

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync.adapters.workbook.own_judge import has_usual_texts

pieces = st.one_of(
    st.sampled_from([b"&lt;", b"&gt;", b"&amp;", b"&quot;", b"&apos;", b"&", b"&#1;", b"&#65;", b"&lt", b"&x;", b";"]),
    st.sampled_from([b"]", b">", b"]]>", b"\xef\xbf\xbe", b"\xef\xbf\xbf", b"\xed\xa0\x80", b"\xc3", b"\xa9", b"\x00"]),
    st.binary(max_size=3).map(lambda each: each.replace(b"<", b"")),
    st.text(max_size=5).map(lambda each: each.encode("utf-8", "surrogatepass").replace(b"<", b"")),
)


def is_whole(text: bytes) -> bool:
    """What a parser says."""
    try:
        expat.ParserCreate().Parse(b"<t>" + text + b"</t>", True)
    except expat.ExpatError:
        return False
    return True


@settings(max_examples=500)
@example([b"a &amp; b &lt;c&gt; [d] \xc3\xa9 \t\r\n"])
@given(st.lists(pieces, max_size=6))
def test_nothing_passes_that_a_parser_would_not_take(texts: list[bytes]) -> None:
    """And usual texts pass: they are what makes it worth to ask."""
    text = b"".join(texts)

    assert is_whole(text) or not has_usual_texts(text)
    if text.isascii() and text.decode().isprintable() and b"&" not in text and b"]" not in text:
        assert has_usual_texts(text)
