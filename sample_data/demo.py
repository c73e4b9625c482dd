"""The demo's sheet, the faults that meet it, and the status that each of its rows ends in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from sample_data.files import STAMP, Cell
from sample_data.seed import Seed

HEADINGS = (
    "Command",
    "Id",
    "CourseId",
    "CourseTitle",
    "Title",
    "DisplayOrder",
    "UnlockType",
    "UnlockAfterDays",
    "Active",
    "SectionContents",
    "NewImageUrl",
    "UpdatedOn",
)
ABOUT = (
    "This workbook belongs to `coursesync demo`: a made-up academy, a local sandbox, nothing leaves this machine.",
    "Most rows are edits as people make them: new titles, new texts, another order, timed lessons.",
    "Some rows are wrong on purpose, some are refused by the server, and some meet a server that fails.",
    "When the demo ends, every status that a row can have is in the report.",
)
UNLOCK_NAMES: Mapping[int, str] = {1: "Immediate", 2: "Sequential", 3: "Timed"}
NO_SUCH_ID = 1_414_999_999
_SHOWN = ("Id", "CourseId", "CourseTitle", "Title", "DisplayOrder", "UnlockAfterDays", "Active")


class Live(Enum):
    """Stands for what is known only when the seed is: a cell made from the live record."""

    VALUE = auto()
    """The live value of a field that the sheet otherwise leaves blank, with a cell's line ends."""
    CREATED_ON = auto()
    """A time before the live UpdatedOn."""
    MARKED_ID = auto()
    """The Id with `#` before it."""


@dataclass(frozen=True, slots=True)
class DemoRow:
    """One row: where it points, what was typed over the exported values, and how it ends."""

    course: str
    position: int
    expected: str
    typed: Mapping[str, Cell | Live] = field(default_factory=dict)


def _updated(course: str, position: int, **typed: Cell | Live) -> DemoRow:
    return DemoRow(course, position, "updated", typed)


def _unchanged(course: str, position: int, **typed: Cell | Live) -> DemoRow:
    return DemoRow(course, position, "unchanged", typed)


def _invalid(course: str, position: int, **typed: Cell | Live) -> DemoRow:
    return DemoRow(course, position, "invalid", typed)


_NEW_WIFI = """<h2>Wifi that just works</h2>
<p>Two networks, one rule:
<strong>Quayside-Members</strong> for you, <strong>Quayside-Guests</strong> for visitors.</p>
<ol><li>Open the member app</li><li>Tap &ldquo;Wifi&rdquo;</li>
<li>Scan the code with your laptop&rsquo;s camera</li></ol>
<p>Stuck? <a href="https://quayside.example/help/wifi">Ask for help</a> 📶</p>"""
_NEW_FIRE_QUIZ = """<h2>Quiz: twelve questions</h2>
<p>Two new questions about e-bike batteries. You need <em>ten</em> right answers.</p>
<table>
<tr><th>Right answers</th><th>What happens</th></tr>
<tr><td>10&ndash;12</td><td>Badge for a year</td></tr>
<tr><td>0&ndash;9</td><td>Try again tomorrow</td></tr>
</table>"""
_ARCHIVE = "<p>Die Fassung von 2019 ist jetzt online: <a href='https://quayside.example/de/archiv'>Archiv</a>.</p>"
_LOST_IMAGE = "https://unreachable.example/academy/photo/studio.jpg"
_SCRIPT = '<h2>Welcome</h2><script src="https://widgets.example/chat.js"></script><p>Chat with us.</p>'

ROWS: Sequence[DemoRow] = (
    _updated("onboarding", 1, Title="Hello 👋 & how this course works", UpdatedOn=Live.VALUE),
    DemoRow("fire", 4, "failed", {"Title": "Two ways out of every room, café included"}),
    DemoRow("podcast", 3, "unknown", {"Title": "Switching on in the right order (2026)"}),
    _updated("onboarding", 3, SectionContents=_NEW_WIFI),
    _updated("onboarding", 9, Title="Bringing guests, dogs and “plus ones”"),
    _unchanged("onboarding", 5),
    _unchanged("onboarding", 6, DisplayOrder=6.0, UnlockAfterDays=0.0),
    _unchanged("onboarding", 4, SectionContents=Live.VALUE, UpdatedOn=Live.VALUE),
    _invalid("onboarding", 8, DisplayOrder="soon"),
    _updated("coffee", 3, DisplayOrder=5),
    _updated("coffee", 4, DisplayOrder=3),
    _updated("coffee", 5, DisplayOrder=4),
    _updated("coffee", 12, Title="Tasting: Äthiopien & Colombia, côte à côte ☕"),
    _invalid("coffee", 13, UnlockAfterDays=-7),
    _updated("workshop", 2, UnlockType="Timed", UnlockAfterDays=7),
    _updated("workshop", 3, UnlockType="Timed", UnlockAfterDays=14),
    _invalid("workshop", 4, UnlockType="Sometimes"),
    _updated("fire", 14, Title='Quiz: "twelve" questions', SectionContents=_NEW_FIRE_QUIZ),
    _updated("fire", 8, NewImageUrl="https://images.quayside.example/academy/fire/battery-cabinet.jpg", Active="yes"),
    _invalid("fire", 9, NewImageUrl="https://images.quayside.example/academy/fire/assembly-point.svg"),
    DemoRow("rooms", 10, "conflict", {"Title": "After the event: photos and scarves", "UpdatedOn": Live.CREATED_ON}),
    DemoRow("rooms", 2, "skipped", {"Command": "skip", "Title": "Booking rules (draft, ask Tom first)"}),
    DemoRow("rooms", 3, "skipped", {"Id": Live.MARKED_ID, "Title": "Cancelling: new rules from May"}),
    _invalid("rooms", 4, Title="Hybrid meetings that work"),
    _invalid("rooms", 4, Title="Hybrid meetings, revised"),
    _updated("steuern", 1, Active="yes"),
    _updated("steuern", 4, Title="Rechnungen, die wirklich bezahlt werden €", UpdatedOn=Live.VALUE),
    _updated("steuern", 2, Active="no"),
    _updated("steuern", 13, SectionContents="[clear]"),
    _updated("datenschutz", 12, SectionContents=_ARCHIVE, Active="TRUE"),
    _invalid("steuern", 6, DisplayOrder="#N/A"),
    _invalid("steuern", 8, Title='=UPPER("Vorauszahlungen")'),
    _invalid("steuern", 9, Title="[clear]"),
    _invalid("steuern", 10, DisplayOrder=STAMP),
    _updated("accueil", 4, Title="Réserver une salle… et la rendre"),
    _updated("nyukai", 4, Title="席の選び方と譲り方"),
    _updated("diyafa", 8, Title="عندما يتعطّل شيء، وكيف نصلحه"),
    _unchanged("accueil", 7),
    _unchanged("onboarding", 2),
    DemoRow("photo", 1, "rejected", {"Id": NO_SUCH_ID, "Title": "Visite du studio, en vidéo"}),
    DemoRow("photo", 2, "rejected", {"SectionContents": _SCRIPT, "NewImageUrl": _LOST_IMAGE}),
    DemoRow("druk3d", 1, "not_attempted", {"Title": "Cześć! Zaczynamy"}),
    DemoRow("druk3d", 4, "not_attempted", {"Title": "Poziomowanie stołu krok po kroku", "UnlockAfterDays": 10}),
)


_PUTS = {"updated": 1, "unknown": 1, "failed": 3}
"""What a row costs of the demo's allowance; of the rejected rows only one is sent, the other one's Id is unknown."""


def demo_table(seed: Seed) -> Sequence[Sequence[Cell]]:
    """Return heading and rows of the demo's sheet."""
    return [HEADINGS, *(_cells(row, seed) for row in ROWS)]


def demo_faults(seed: Seed) -> Sequence[Mapping[str, object]]:
    """Return the fault script: one row fails for good, and one answer is lost."""
    (failed,) = _ids(seed, "failed")
    (unknown,) = _ids(seed, "unknown")
    return [
        {"match": _puts(failed), "action": "status", "status": 503, "applied": False},
        {"match": _puts(unknown, nth=1), "action": "lose_answer", "mode": "close"},
        {
            "match": _puts(unknown, nth=1),
            "action": "edit_record",
            "when": "after",
            "id": unknown,
            "fields": {"Title": "Switching on, and off again"},
            "by": "someone@else.example",
        },
    ]


def demo_expected(seed: Seed) -> Mapping[str, object]:
    """Return how the demo ends: each row by the number that Excel shows, and the counts."""
    counts: dict[str, int] = {}
    for row in ROWS:
        counts[row.expected] = counts.get(row.expected, 0) + 1
    rows = [
        {"row": number, "Id": seed.section(row.course, row.position)["Id"], "status": row.expected}
        if row.typed.get("Id") != NO_SUCH_ID
        else {"row": number, "Id": NO_SUCH_ID, "status": row.expected}
        for number, row in enumerate(ROWS, start=2)
    ]
    writes = sum(_PUTS.get(row.expected, 0) for row in ROWS) + 1
    return {"counts": dict(sorted(counts.items())), "writes": writes, "rows": rows}


def _ids(seed: Seed, status: str) -> Iterator[int]:
    return (seed.section(row.course, row.position)["Id"] for row in ROWS if row.expected == status)


def _puts(section_id: int, **more: int) -> Mapping[str, object]:
    return {"method": "PUT", "id": section_id, **more}


def _cells(row: DemoRow, seed: Seed) -> Sequence[Cell]:
    """Lay what was typed over the live values, as an export shows them."""
    live = seed.section(row.course, row.position)
    cells: dict[str, Cell] = {name: live[name] for name in _SHOWN}
    cells["UnlockType"] = UNLOCK_NAMES[live["UnlockType"]]
    for heading, value in row.typed.items():
        cells[heading] = _typed(heading, value, live)
    return [cells.get(heading) for heading in HEADINGS]


def _typed(heading: str, value: Cell | Live, live: Mapping[str, Any]) -> Cell:
    match value:
        case Live.VALUE if heading == "SectionContents":
            return str(live[heading]).replace("\r\n", "\n")
        case Live.VALUE:
            return str(live[heading])
        case Live.CREATED_ON:
            return str(live["CreatedOn"])
        case Live.MARKED_ID:
            return f"#{live['Id']}"
        case _:
            return value
