"""The hand-written texts of the academy, read from `academy/*.toml`: courses, section titles, paragraphs."""

import tomllib
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "academy"
LANGUAGES = ("en", "de", "fr", "es", "pt", "ja", "ar", "pl")
_COLUMN = " | "


@dataclass(frozen=True, slots=True)
class SectionText:
    """One section as its author wrote it."""

    title: str
    lead: str
    layout: str
    """How the contents are dressed (`contents.py`); empty where the place in the course decides."""


@dataclass(frozen=True, slots=True)
class CourseText:
    """One course as its author wrote it."""

    key: str
    language: str
    title: str
    summary: str
    order: str
    """`ones`, `tens`, or `duplicate` (ones, with one number twice)."""
    tips_heading: str
    read_more: str
    caption: str
    tips: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]
    quote: tuple[str, str]
    """What was said, and by whom."""
    link: tuple[str, str]
    """The words, and the address."""
    sections: tuple[SectionText, ...]


def load_courses() -> tuple[CourseText, ...]:
    """Read every course, in the order of `LANGUAGES` and of the files.

    Raises:
        OSError: A file of texts is missing.
        tomllib.TOMLDecodeError: A file of texts is no TOML.
    """
    courses: list[CourseText] = []
    for language in LANGUAGES:
        page = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
        courses.extend(_course(page, entry) for entry in page["course"])
    return tuple(courses)


def _course(page: dict[str, Any], entry: dict[str, Any]) -> CourseText:
    said, by = entry["quote"].split(_COLUMN)
    words, address = entry["link"].split(_COLUMN)
    glue = "" if page["language"] == "ja" else " "
    return CourseText(
        key=entry["key"],
        language=page["language"],
        title=entry["title"],
        summary=entry["summary"],
        order=entry["order"],
        tips_heading=page["tips_heading"],
        read_more=page["read_more"],
        caption=page["caption"],
        tips=tuple(entry["tips"].strip().splitlines()),
        table=tuple(tuple(line.split(_COLUMN)) for line in entry["table"].strip().splitlines()),
        quote=(said, by),
        link=(words, address),
        sections=tuple(_section(block, glue) for block in entry["sections"].strip().split("\n\n")),
    )


def _section(block: str, glue: str) -> SectionText:
    heading, *lines = block.splitlines()
    title, _, layout = heading.partition(" @")
    if layout == "nfd":  # as some keyboards write it: letter and accent as two characters
        title, layout = unicodedata.normalize("NFD", title), ""
    return SectionText(title, glue.join(lines), layout)
