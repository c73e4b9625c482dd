"""Who may use the page, and who did what."""

from starlette.responses import Response

from sync.adapters.store.audit import audit_entries
from sync.adapters.store.people import all_people
from sync.web.visits import Visit


def people(visit: Visit) -> Response:
    """Show the people and the latest entries of the audit log."""
    entries = [
        (entry, "; ".join(f"{key}: {value}" for key, value in entry.facts.items() if value not in ("", [], None)))
        for entry in audit_entries(visit.store, at_most=100)
    ]
    return visit.page("people.html", people=all_people(visit.store), entries=entries)
