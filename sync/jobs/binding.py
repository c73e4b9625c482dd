"""Hold a state directory to its account: before each run its witnesses are read, after it they are filled up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.bootstrap import Session
from sync.line import Line
from sync.live import read_live
from sync.model import SectionId
from sync.ports import StopAsked
from sync.reading import Found
from sync.witness import WITNESSES, choose, judge

META_KEY = "witnesses"


@dataclass(slots=True)
class AccountCheck:
    """The witnesses of one session: those that stand, and sections that could become some."""

    session: Session
    known: Mapping[SectionId, str]
    standing: frozenset[SectionId]
    _seen: list[Found] = field(default_factory=list)

    def saw(self, found: Found) -> None:
        """A section of this account was read: remember the first few."""
        if len(self._seen) < WITNESSES:
            self._seen.append(found)

    def keep(self) -> None:
        """Write down who bears witness from now on."""
        kept = choose(self.known, self.standing, self._seen)
        if kept != self.known:
            self.session.store.set_meta(META_KEY, json.dumps({str(key): value for key, value in kept.items()}))


def check_account(session: Session, line: Line, stop_asked: StopAsked) -> AccountCheck:
    """Read the witnesses, in one request, and hold them against what is known.

    Raises:
        ConfigError: another account answers.
        CourseSyncError: as `live.read_live`.
    """
    written = session.store.get_meta(META_KEY)
    known = {SectionId(int(key)): str(value) for key, value in json.loads(written or "{}").items()}
    sights = read_live(
        known,
        line,
        session.clock,
        ids_per_request=session.ids_per_request,
        wait_max_s=session.settings.wait_max_s,
        stop_asked=stop_asked,
    )
    return AccountCheck(session, known, judge(known, sights))
