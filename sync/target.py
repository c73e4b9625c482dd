"""Lay an edit over a live record: what a PUT sends. Pure.

The API has no PATCH: what a body leaves out may be reset. So a body is the whole record as it was read, unknown fields
included, with the changed fields laid over it, less what the profile's `body_omit` names.
"""

from collections.abc import Sequence

from sync.model import FieldChange
from sync.section import Json, Record


def target(record: Record, changes: Sequence[FieldChange], *, omit: frozenset[str] = frozenset()) -> dict[str, Json]:
    """Give the body of the PUT that makes `changes` on `record`."""
    body: dict[str, Json] = dict(record)
    for change in changes:
        body[change.field] = change.after
    for name in omit:
        body.pop(name, None)
    return body
