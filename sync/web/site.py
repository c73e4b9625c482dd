"""What every page of one server has at hand."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Final, cast

from sync.adapters.finding import Filter
from sync.adapters.report_rows import ReportRows, read_report_rows
from sync.adapters.store import Store, open_store
from sync.adapters.store.audit import write_audit
from sync.adapters.store.run_rows import RunRows
from sync.config import Settings
from sync.frozen import Frozen
from sync.jobs.carrying import Carrier
from sync.jobs.prepared import Desk
from sync.model import RunId
from sync.ports import Clock
from sync.redaction import Redactor
from sync.section import Json
from sync.web.access import Access, Person
from sync.web.rendering import Rendering
from sync.web.security import Limits

REPORTS_KEPT: Final = 4
"""Reports of which the rows' index stays in memory."""
JOURNALS_KEPT: Final = 2
FOLLOWED_EVERY_S: Final = 1.0
"""How often it is looked which rows of a run have moved, however many people ask."""


class FoundRows(Frozen):
    """Rows of a run, by their numbers, and what else there is to look for."""

    numbers: Sequence[int]
    fields: Sequence[str]
    courses: Sequence[str]


@dataclass(slots=True)
class _Reports:
    """The reports that were looked at last."""

    known: dict[tuple[Path, int], ReportRows] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def rows(self, folder: Path) -> ReportRows:
        key = (folder, (folder / "report.jsonl").stat().st_mtime_ns)
        with self.lock:
            found = self.known.pop(key, None) or read_report_rows(folder)
            self.known[key] = found
            while len(self.known) > REPORTS_KEPT:
                del self.known[next(iter(self.known))]
        return found


@dataclass(slots=True)
class _Journals:
    """The rows of runs without a report that were looked at last."""

    known: dict[RunId, tuple[float, RunRows]] = field(default_factory=dict)
    """By run: when it was last followed, on the boot clock."""
    lock: Lock = field(default_factory=Lock)

    def find(self, store: Store, run_id: RunId, wanted: Filter) -> FoundRows:
        """Find rows of a run, as they were a second ago at most."""
        with self.lock:
            at, found = self.known.pop(run_id, (0.0, None))
            now = store.clock.boot()
            if found is None:
                at, found = now, RunRows.of(store, run_id)
            elif now - at > FOLLOWED_EVERY_S:
                at = now
                found.follow(store)
            self.known[run_id] = (at, found)
            while len(self.known) > JOURNALS_KEPT:
                del self.known[next(iter(self.known))]
            return FoundRows(found.find(wanted), found.fields, found.courses)


@dataclass
class Site:
    """The parts of one server."""

    settings: Settings
    clock: Clock
    access: Access
    desk: Desk
    carrier: Carrier
    four_eyes: bool
    """Whether nobody may approve the own upload."""
    secure: bool
    """Whether the browser speaks TLS with us, or with who stands before us."""
    limits: Limits = field(default_factory=Limits)
    reports: _Reports = field(default_factory=_Reports)
    journals: _Journals = field(default_factory=_Journals)

    @cached_property
    def cookie(self) -> str:
        """The session's cookie; cookies know no ports, so two profiles on one host need two names."""
        name = f"coursesync-{hashlib.sha256(str(self.settings.state_dir).encode()).hexdigest()[:8]}"
        return f"__Host-{name}" if self.secure else name

    @cached_property
    def rendering(self) -> Rendering:
        """The templates."""
        settings = self.settings
        always: Mapping[str, object] = {
            "profile": settings.profile,
            "account": settings.account,
            "base_url": settings.base_url,
            "is_sandbox": settings.is_loopback,
            "most_bytes": self.limits.upload_bytes,
        }
        return Rendering(always)

    def note(
        self, person: Person | None, action: str, *, address: str, run_id: str | None = None, **facts: Json
    ) -> None:
        """Add to the audit log what somebody did at the page.

        Raises:
            StoreNotWritten: the disk is full.
        """
        name = "nobody" if person is None else person.name
        clean = cast("Mapping[str, Json]", Redactor(self.settings.secrets).event({"address": address, **facts}))
        with closing(open_store(self.settings.state_dir, self.clock)) as store:
            write_audit(store, f"page.{action}", user=name, run_id=run_id, facts=clean)
