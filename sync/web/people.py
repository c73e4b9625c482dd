"""Who may use the page, and who did what."""

import re
from typing import Final

from starlette.responses import Response

from sync.adapters.store.audit import audit_entries
from sync.adapters.store.people import all_people
from sync.section import Json
from sync.web.visits import Visit

_DIGEST: Final = re.compile("[0-9a-f]{64}")


def people(visit: Visit) -> Response:
    """Show the people and the latest entries of the audit log."""
    entries = [
        (
            entry,
            "; ".join(f"{key}: {_said(value)}" for key, value in entry.facts.items() if value not in ("", [], None)),
        )
        for entry in audit_entries(visit.store, at_most=100)
    ]
    return visit.page("people.html", people=all_people(visit.store), entries=entries)


def _said(value: Json) -> str:
    """A fact for people: of a digest its beginning, all of which `history --audit` has."""
    match value:
        case dict():
            return ", ".join(f"{name} {each}" for name, each in value.items())
        case list():
            return ", ".join(map(str, value))
        case str() if _DIGEST.fullmatch(value):
            return f"{value[:12]}…"
        case _:
            return str(value)
