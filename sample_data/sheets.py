"""The other sample sheets: one thing shown in each."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sample_data.demo import UNLOCK_NAMES
from sample_data.files import STAMP, Cell, write_csv, write_workbook
from sample_data.seed import Seed

MANY = 130
NOTHING = 20
CELL_LIMIT = 32_767
"""Characters that an Excel cell can hold."""
_IMAGES = "https://images.quayside.example/academy"

_SCREEN_PRINTING = (
    "Welcome to the print shop",
    "Preparing your artwork",
    "Coating the screen",
    "Exposing & rinsing",
    "Mixing inks",
    "Your first pull",
    "Several colours, one registration",
    "Printing on textiles",
    "Reclaiming the screen",
    "Paper & board",
    "Drying & stacking",
    "Notice: opening hours 📌",
)
"""English titles for the German course, place by place."""

_TYPED_WRONG: Sequence[Mapping[str, Cell]] = (
    {"DisplayOrder": "soon"},
    {"DisplayOrder": -3},
    {"DisplayOrder": 2.5},
    {"DisplayOrder": STAMP},
    {"DisplayOrder": "1,234"},
    {"DisplayOrder": "[clear]"},
    {"UnlockType": "Sometimes"},
    {"UnlockType": 7},
    {"UnlockAfterDays": -1},
    {"UnlockAfterDays": "two weeks"},
    {"Active": "perhaps"},
    {"Active": "#REF!"},
    {"CourseId": "the main one"},
    {"Title": "[clear]"},
    {"Title": "#VALUE!"},
    {"SectionContents": "x" * CELL_LIMIT},
    {"NewImageUrl": f"{_IMAGES}/plan.svg"},
    {"NewImageUrl": "http://127.0.0.1/plan.png"},
    {"NewImageUrl": "file:///srv/plan.png"},
    {"NewImageUrl": f"{_IMAGES}/plan.png", "ClearImageFile": True},
    {"Id": None, "Title": "Where does this belong?"},
    {"Id": "abc"},
    {"Id": "#"},
    {"Id": "#N/A"},
    {"Id": 1_414_925_001.5},
    {"Id": "12345678901234567890"},
)


def write_sheets(target: Path, seed: Seed) -> None:
    """Write every sheet but the demo's.

    Raises:
        OSError: A file cannot be written.
    """
    write_csv(target / "reorder_a_course.csv", _reorder(seed))
    write_csv(target / "german_headings_semicolon.csv", _german_headings(seed), delimiter=";", encoding="utf-8-sig")
    write_csv(target / "unknown_heading.csv", _shown(seed, "siebdruck", ("Id", "Titel", "DisplayOrder")))
    write_csv(target / "duplicate_heading.csv", _shown(seed, "rooms", ("Id", "Title", "DisplayOrder", "title")))
    write_csv(target / "no_id_column.csv", _shown(seed, "coffee", ("CourseTitle", "Title", "DisplayOrder")))
    write_workbook(target / "translate_titles.xlsx", _translations(seed))
    write_workbook(target / "nothing_changes.xlsx", _nothing(seed))
    write_workbook(target / "publish_timed_unlocks.xlsx", _timed(seed))
    write_workbook(target / "invalid_rows.xlsx", _invalid(seed))
    write_workbook(target / "title_rows_above_header.xlsx", _titled(seed), heading_row=4)
    write_workbook(target / "many_rows_130.xlsx", _many(seed))
    write_workbook(target / "error_cells_and_uncached_formulas.xlsx", _errors(seed))


def _reorder(seed: Seed) -> Iterator[Sequence[Cell]]:
    """The coffee course, with the cleaning lessons first and everything else behind them."""
    yield ("Id", "DisplayOrder")
    lessons = seed.of_course("coffee")
    for place, lesson in enumerate((*lessons[8:10], *lessons[:8], *lessons[10:]), start=1):
        yield (lesson["Id"], place)


def _german_headings(seed: Seed) -> Iterator[Sequence[Cell]]:
    """Needs the aliases Titel = Title, Reihenfolge = DisplayOrder, Aktiv = Active."""
    yield ("Id", "Titel", "Reihenfolge", "Aktiv")
    for lesson in seed.of_course("ergonomie"):
        yield (lesson["Id"], f"{lesson['DisplayOrder']}. {lesson['Title']}", lesson["DisplayOrder"] * 10, 1)


def _shown(seed: Seed, course: str, headings: Sequence[str]) -> Iterator[Sequence[Cell]]:
    """Live values under headings of which at least one is wrong."""
    fields = {"Titel": "Title", "title": "Title"}
    yield headings
    for lesson in seed.of_course(course):
        yield [lesson[fields.get(heading, heading)] for heading in headings]


def _translations(seed: Seed) -> Sequence[Sequence[Cell]]:
    lessons = seed.of_course("siebdruck")
    return [
        ("Id", "CourseTitle", "Title"),
        *(
            (lesson["Id"], lesson["CourseTitle"], title)
            for lesson, title in zip(lessons, _SCREEN_PRINTING, strict=True)
        ),
    ]


def _nothing(seed: Seed) -> Sequence[Sequence[Cell]]:
    headings = ("Id", "CourseId", "CourseTitle", "Title", "DisplayOrder", "UnlockType", "UnlockAfterDays", "Active")
    contents = "SectionContents"
    lessons = [lesson for lesson in seed.sections if len(lesson[contents] or "") < CELL_LIMIT][3::13][:NOTHING]
    return [
        (*headings, contents),
        *([_exported(lesson, heading) for heading in (*headings, contents)] for lesson in lessons),
    ]


def _exported(lesson: Mapping[str, Any], heading: str) -> Cell:
    """Return a live value as the sheet shows it: an enum by its name, line ends as a cell has them."""
    value: Cell = UNLOCK_NAMES[lesson[heading]] if heading == "UnlockType" else lesson[heading]
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _timed(seed: Seed) -> Sequence[Sequence[Cell]]:
    """A workshop course whose lessons open one a week."""
    return [
        ("Id", "CourseTitle", "Title", "UnlockType", "UnlockAfterDays", "Active"),
        *(
            (lesson["Id"], lesson["CourseTitle"], lesson["Title"], "Timed", 7 * week, "yes")
            for week, lesson in enumerate(seed.of_course("workshop"))
        ),
    ]


def _invalid(seed: Seed) -> Sequence[Sequence[Cell]]:
    """A wrong cell or two in each row; then one Id on two rows that disagree, and one row that is right."""
    headings = (
        "Id",
        "CourseId",
        "Title",
        "DisplayOrder",
        "UnlockType",
        "UnlockAfterDays",
        "Active",
        "SectionContents",
        "NewImageUrl",
        "ClearImageFile",
    )
    lessons = seed.sections[::7]
    twice, right = lessons[len(_TYPED_WRONG)], lessons[len(_TYPED_WRONG) + 1]
    rows: list[Mapping[str, Cell]] = [
        {"Id": lesson["Id"], **typed} for lesson, typed in zip(lessons, _TYPED_WRONG, strict=False)
    ]
    rows += [{"Id": twice["Id"], "Title": title} for title in ("The one", "The other")]
    rows.append({"Id": right["Id"], "Title": f"{right['Title']} ✔"})
    return [headings, *([row.get(heading) for heading in headings] for row in rows)]


def _titled(seed: Seed) -> Sequence[Sequence[Cell]]:
    lessons = seed.of_course("facturation")
    return [
        ("Académie Quayside : titres pour la rentrée",),
        ("Préparé par Inès, relu par Me Dubreuil",),
        (),
        ("Id", "Title", "DisplayOrder"),
        *(
            (lesson["Id"], f"{place}. {lesson['Title']}", lesson["DisplayOrder"])
            for place, lesson in enumerate(lessons, start=1)
        ),
    ]


def _many(seed: Seed) -> Sequence[Sequence[Cell]]:
    """Every second row gets a numbered title, the others a new place; all differ from live."""
    return [
        ("Id", "CourseTitle", "Title", "DisplayOrder"),
        *(
            (lesson["Id"], lesson["CourseTitle"], f"{number:03d} · {lesson['Title']}", lesson["DisplayOrder"])
            if number % 2
            else (lesson["Id"], lesson["CourseTitle"], lesson["Title"], 100 + lesson["DisplayOrder"] * 10)
            for number, lesson in enumerate(seed.sections[20 : 20 + MANY], start=1)
        ),
    ]


def _errors(seed: Seed) -> Sequence[Sequence[Cell]]:
    """Error words in each column, formulas that no program has computed, and two sound rows around them."""
    lessons = seed.of_course("security")
    first, *middle, last = lessons[:9]
    typed: Sequence[tuple[Cell, Cell]] = (
        ("#N/A", 2),
        ("Passwords", "#DIV/0!"),
        ("#REF!", "#VALUE!"),
        ("#NAME?", None),
        ('=CONCATENATE("Calls in ", "public")', 6),
        ("Guests on the network", "=6+1"),
        (None, "=VLOOKUP(A8,Lookup!A:B,2,FALSE)"),
    )
    return [
        ("Id", "Title", "DisplayOrder"),
        (first["Id"], "The threat model of a very long table", first["DisplayOrder"]),
        *((lesson["Id"], *cells) for lesson, cells in zip(middle, typed, strict=True)),
        (last["Id"], "Travelling between our houses", last["DisplayOrder"]),
    ]
