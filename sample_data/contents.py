"""Dress a section's paragraph as people do: tidy HTML, a paste from Word, plain text, nothing at all."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from sample_data.texts import CourseText, SectionText

LONG = 9_000
"""Characters that a `long` text has at least, and 400 more for each place before it."""
HUGE = 40_000
"""Characters that the handbook has at least: more than the 32,767 of an Excel cell."""

_CYCLE = ("full", "list", "quoted", "steps", "picture", "table", "short")
_WORD = (
    '<p class="MsoNormal" style="margin-bottom:0cm;line-height:normal"><span lang="{lang}" '
    'style="font-size:11.0pt;font-family:&quot;Calibri&quot;,sans-serif;mso-fareast-language:EN-US">'
    "{text}<o:p></o:p></span></p>"
)
_WORD_ITEM = (
    '<p class="MsoListParagraph" style="text-indent:-18.0pt;mso-list:l0 level1 lfo1"><!--[if !supportLists]-->'
    '<span style="font-family:Symbol">&middot;<span style="font:7.0pt &quot;Times New Roman&quot;">&nbsp;&nbsp;'
    "</span></span><!--[endif]-->{text}</p>"
)


def contents(course: CourseText, section: SectionText, position: int, library: Sequence[CourseText]) -> str | None:
    """Return the SectionContents of one section; `library` is what the long texts are gathered from."""
    match section.layout or _CYCLE[(position + len(course.key)) % len(_CYCLE)]:
        case "null":
            return None
        case "empty":
            return ""
        case "plain":
            return f"{section.lead}\n\n- {course.tips[0]}\n- {course.tips[1]}\n"
        case "short":
            return f"<p>{_text(section.lead)}</p>"
        case "crlf":
            return "\r\n".join([_heading(section), f"<p>{_text(section.lead)}</p>", _list("ul", course.tips[:2])])
        case "word":
            return _word(course, section)
        case "long":
            return _until(
                LONG + 400 * position, section, (other for other in library if other.language == course.language)
            )
        case "transcript":
            return _transcript(section, library)
        case "huge":
            return _until(HUGE, section, library)
        case layout:
            return "\n".join(_parts(layout, course, section, position))


def _parts(layout: str, course: CourseText, section: SectionText, position: int) -> Iterator[str]:
    yield _heading(section)
    yield f"<p>{_text(section.lead)}</p>"
    tip = course.tips[position % len(course.tips)]
    if layout in {"full", "list"}:
        yield f"<h3>{_text(course.tips_heading)}</h3>"
        yield _list("ul", course.tips[position % 3 : position % 3 + 3])
    if layout in {"full", "quoted"}:
        said, by = course.quote
        yield f"<blockquote>&bdquo;{_text(said)}&ldquo;<br>&mdash;&nbsp;<em>{_text(by)}</em></blockquote>"
    if layout == "steps":
        yield _list("ol", course.tips)
    if layout in {"full", "picture"}:
        address = f"https://images.quayside.example/academy/{course.key}/{position:02d}.jpg"
        yield f'<p><img src="{address}" alt="{escape(course.caption)}" width="640"></p>'
    if layout == "table":
        yield _table(course.table)
    if layout in {"quoted", "picture"}:
        yield f"<p><strong>{_text(tip)}</strong></p>"
    if layout in {"full", "table", "steps"}:
        words, address = course.link
        yield f'<p>{_text(course.read_more)}: <a href="{address}">{_text(words)}</a> 👉</p>'


def _word(course: CourseText, section: SectionText) -> str:
    paragraphs = [_WORD.format(lang=course.language.upper(), text=_text(section.lead))]
    paragraphs += [_WORD_ITEM.format(text=_text(tip)) for tip in course.tips]
    return "\n".join(paragraphs)


def _until(length: int, section: SectionText, library: Iterable[CourseText]) -> str:
    """Add chapters until the text is long enough or the library ends."""
    parts = [_heading(section), f"<p>{_text(section.lead)}</p>"]
    for course in library:
        parts += [f"<h2>{_text(course.title)}</h2>", f"<p><em>{_text(course.summary)}</em></p>"]
        for chapter in course.sections:
            parts += [f"<h3>{_text(chapter.title)}</h3>", f"<p>{_text(chapter.lead)}</p>"]
            if sum(map(len, parts)) + len(parts) >= length:
                return "\n".join(parts)
        parts += [_list("ul", course.tips), _table(course.table)]
    return "\n".join(parts)


def _transcript(section: SectionText, library: Iterable[CourseText]) -> str:
    speakers = ("Jonah", "Ife", "Maud", "Tom")
    said = [
        text
        for course in library
        if course.language == "en"
        for text in (course.quote[0], course.summary, *(chapter.lead for chapter in course.sections))
    ]
    lines = [
        f"<p><strong>[{number // 4:02d}:{number % 4 * 15:02d}] {speakers[number * 7 % 4]}:</strong> {_text(text)}</p>"
        for number, text in enumerate(said[:60])
    ]
    return "\n".join([_heading(section), f"<p>{_text(section.lead)}</p>", "<hr>", *lines])


def _heading(section: SectionText) -> str:
    return f"<h2>{_text(section.title)}</h2>"


def _list(tag: str, items: Iterable[str]) -> str:
    return f"<{tag}>" + "".join(f"<li>{_text(item)}</li>" for item in items) + f"</{tag}>"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = ["<tr>" + "".join(f"<th>{_text(cell)}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in body]
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _text(plain: str) -> str:
    return escape(plain, quote=False)
