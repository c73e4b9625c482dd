"""List answers: filters, order, pages and the envelope around them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sync.sandbox.fields import Record
from sync.sandbox.options import SandboxOptions

DESCENDING: Final = {"normal": frozenset({"1", "desc", "descending"}), "opposite": frozenset({"0", "asc", "ascending"})}


@dataclass(frozen=True, slots=True)
class Distortion:
    """How a fault bends a reading."""

    ignore_filter: bool = False
    page_shift: int = 0
    """Serve the records of this many pages earlier, under the number asked for."""


HONEST: Final = Distortion()


def envelope(
    records: Iterable[Record],
    query: Mapping[str, str],
    entity: str,
    options: SandboxOptions,
    distortion: Distortion = HONEST,
) -> Mapping[str, object]:
    """Answer a search for records of an entity (`CourseSection` or `Course`)."""
    found = [record for record in records if distortion.ignore_filter or _wanted(record, query, entity)]
    order = query.get("orderBy") or "Id"
    descending = query.get("dir", "").lower() in DESCENDING[options.dir_meaning]
    found.sort(key=lambda record: _sort_key(record, order), reverse=descending)
    size = min(_number(query.get("size")) or options.list_size, options.list_size_max)
    page = _number(query.get("page")) or 1
    pages = -(-len(found) // size)
    first = (page - 1) * size
    served = max(0, first - distortion.page_shift * size)
    shown = [_without(record, options.list_missing) for record in found[served : served + size]]
    return {
        "Records": shown,
        "CurrentPage": page,
        "CurrentPageSize": size,
        "CurrentOrderField": order,
        "CurrentSortDirection": 0 if descending else 1,
        "FirstItem": first + 1 if shown else 0,
        "LastItem": first + len(shown) if shown else 0,
        "TotalItems": len(found),
        "TotalPages": pages,
        "HasNextPage": page < pages,
        "HasPreviousPage": page > 1,
        "PageNumber": page,
        "PageSize": size,
    }


def batch(
    records: Mapping[int, Record],
    ids: Sequence[int],
    options: SandboxOptions,
    distortion: Distortion = HONEST,
) -> list[Record] | None:
    """Return the records asked for, ordered by Id; None where an unknown Id makes the whole answer a 404."""
    asked = records.keys() if distortion.ignore_filter else set(ids[: options.batch_max or None])
    if options.batch_unknown == "404" and asked - records.keys():
        return None
    return [
        _without(records[key], options.batch_missing) if key in options.batch_partial else records[key]
        for key in sorted(asked & records.keys())
    ]


def _wanted(record: Record, query: Mapping[str, str], entity: str) -> bool:
    filters: Mapping[str, Callable[[str], bool]] = {
        f"{entity}_Course": lambda asked: str(record.get("CourseId")) == asked,
        f"{entity}_Title": lambda asked: asked.casefold() in str(record.get("Title")).casefold(),
        f"{entity}_Active": lambda asked: str(record.get("Active")).lower() == asked.lower(),
        f"from_{entity}_UpdatedOn": lambda asked: _moment(record.get("UpdatedOn")) >= _moment(asked),
        f"to_{entity}_UpdatedOn": lambda asked: _moment(record.get("UpdatedOn")) <= _moment(asked),
    }
    return all(matches(query[name]) for name, matches in filters.items() if query.get(name))


def _moment(text: object) -> float:
    """Return a moment as seconds; text that is none comes first, so that such a filter excludes nothing."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0


def _sort_key(record: Record, order: str) -> tuple[bool, float, str, int]:
    value, key = record.get(order), record["Id"]
    number = float(value) if isinstance(value, int | float) else 0.0
    return (value is not None, number, str(value), key if isinstance(key, int) else 0)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _without(record: Record, missing: frozenset[str]) -> Record:
    return {name: value for name, value in record.items() if name not in missing}
