"""Is this still the account that the state directory knows? A few sections bear witness by their UniqueId. Pure."""

from collections.abc import Iterable, Mapping

from sync.errors import ConfigError
from sync.model import SectionId
from sync.reading import Found, Sight

WITNESSES = 5
"""So many sections are remembered: one of them may well be deleted, all of them hardly."""


def judge(known: Mapping[SectionId, str], sights: Iterable[Sight]) -> frozenset[SectionId]:
    """Give the witnesses that still stand.

    Raises:
        ConfigError: a section of this Id is another one here, or not one of the known sections is here.
    """
    standing: set[SectionId] = set()
    for sight in sights:
        if not isinstance(sight, Found) or sight.id not in known:
            continue
        if sight.record.get("UniqueId") != known[sight.id]:
            raise _foreign(f"section {sight.id} is another one in the account that answers now")
        standing.add(sight.id)
    if known and not standing:
        raise _foreign("none of the sections that it knows is in the account that answers now")
    return frozenset(standing)


def choose(
    known: Mapping[SectionId, str], standing: frozenset[SectionId], seen: Iterable[Found]
) -> Mapping[SectionId, str]:
    """Keep the witnesses that stand, and fill up with sections that were seen now."""
    kept = {section_id: known[section_id] for section_id in sorted(standing)}
    for found in seen:
        unique_id = found.record.get("UniqueId")
        if len(kept) < WITNESSES and isinstance(unique_id, str) and unique_id:
            kept.setdefault(found.id, unique_id)
    return kept


def _foreign(why: str) -> ConfigError:
    return ConfigError(
        f"This state directory belongs to another account: {why}.",
        remedy="Nothing was sent. Check the profile and the sign-in, or use another --state-dir.",
    )
