"""What is decided about the rows of a plan: kept tick by tick for each person, then planned anew with all of it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from sync.jobs.decisions import WORDS, Decisions, decide, decisions_of, pending
from sync.jobs.prepared import Kind, Prepared, Stage
from sync.report import row_ranges
from sync.web.access import Role
from sync.web.rows import QUERY
from sync.web.visits import Visit, is_number, to

LONGEST: Final = 100_000
"""Characters of the words of a plan's process: the system takes no more."""
RANGES_SHOWN: Final = 12
_WORD: Final = "choice-"


def may_decide(visit: Visit, prepared: Prepared) -> bool:
    """Whether this person decides about rows of this plan."""
    return prepared.about.kind is Kind.PLAN and visit.person.role >= Role.OPERATOR


def decision_facts(visit: Visit, prepared: Prepared) -> dict[str, object]:
    """What templates need to know of decisions: this person's, and whose the plan does not have yet."""
    decided = decisions_of(prepared, visit.person.name)
    return {
        "prepared": prepared,
        "decided": decided,
        "left_out": row_ranges(decided.leave, most=RANGES_SHOWN),
        "pending": pending(prepared),
    }


def plan_again(visit: Visit) -> Response:
    """Plan the same sheet again, without the rows that were ticked and with the words for conflicts."""
    prepared = _plan(visit)
    decided = _with_page(visit, decisions_of(prepared, visit.person.name))
    words = {row: word for row, word in decided.choices.items() if row not in decided.leave}
    left_out, choices = row_ranges(decided.leave), [f"{row}={word}" for row, word in sorted(words.items())]
    if len(left_out) + len(",".join(choices)) > LONGEST:
        raise HTTPException(HTTPStatus.BAD_REQUEST, detail="error.decisions")
    again = visit.site.desk.plan_again(
        prepared,
        leave_out=",".join(map(str, sorted(decided.leave))),
        choices=choices,
        person=prepared.about.person,
        at_wall=visit.site.clock.wall(),
    )
    visit.note("decided", plan=again.name, parent=prepared.name, left_out=left_out, choices=list(choices))
    return to(f"/plans/{again.name}")


def keep_row(visit: Visit) -> Response:
    """Keep what was just said of one row; nothing is planned."""
    prepared, row = _plan(visit), visit.number("row")
    left_out = {row} & visit.numbers("leave")
    said = _words(visit)
    choices = {row: said[row]} if row in said else {}
    decide(prepared, visit.person.name, lambda decided: decided.with_rows({row}, left_out=left_out, choices=choices))
    return visit.page("kept.html", decision_facts(visit, prepared))


def keep_page(visit: Visit) -> Response:
    """Keep what the form says of all rows of the page that was shown: for who has no scripts."""
    prepared = _plan(visit)
    decide(prepared, visit.person.name, lambda decided: _with_page(visit, decided))
    words = [(name, value[:200]) for name, value in parse_qsl(visit.field("back")) if name in QUERY]
    return to(f"/plans/{prepared.name}?{urlencode(words)}#rows")


def _plan(visit: Visit) -> Prepared:
    prepared = visit.site.desk.find(visit.path("plan"))
    if not may_decide(visit, prepared) or prepared.stage is not Stage.READY:
        raise HTTPException(HTTPStatus.FORBIDDEN)
    return prepared


def _with_page(visit: Visit, decided: Decisions) -> Decisions:
    return decided.with_rows(visit.numbers("on_page"), left_out=visit.numbers("leave"), choices=_words(visit))


def _words(visit: Visit) -> Mapping[int, str]:
    """By row: the word for its conflict; empty where somebody has taken it back."""
    found = {}
    for name in visit.form:
        row = name.removeprefix(_WORD)
        if name.startswith(_WORD) and is_number(row) and visit.field(name) in (*WORDS, ""):
            found[int(row)] = visit.field(name)
    return found
