"""One profile in the simulated world, through the real jobs: sheet, plan, lock, store, ledger, journal, report."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sync.adapters.spreadsheet import load_here
from sync.adapters.store import open_store
from sync.bootstrap import Session, bind, open_ledger, request_meter
from sync.config import Settings, load_settings
from sync.errors import CourseSyncError, Interrupted, LockHeld
from sync.exchange import Request
from sync.frozen import replace
from sync.jobs.heap import one_of_many
from sync.jobs.reports import Result
from sync.jobs.runs import apply_sheet, resume_run, run_to_resume
from sync.jobs.sheets import preview
from sync.jobs.watch import Watch
from sync.model import CheckedSheet
from sync.ports import Clock
from sync.section import Record
from sync.validate import check_sheet
from sync.windows import Limit, Scope
from tests.simulated_server import SimulatedServer
from tests.simulated_time import FakeClock, MachineClock, Timeline
from tests.simulation import FakeTokens, Killed, SimulatedSenders
from tests.world import server_limits

BASE_URL = "http://127.0.0.1:9/api"
SIGTERM = 15
_LETS_GO = 10
"""After so many commands, nothing of them is kept."""
HEADINGS = ("Title", "DisplayOrder", "Active", "SectionContents")
Cells = Mapping[int, Mapping[str, str]]
"""By Id: what each row has in its cells."""


@dataclass(slots=True)
class Fate:
    """What happens to one command while it is at work."""

    dies_before: int | None = None
    """It is killed as it hands over its n-th request."""
    dies_at_turn: int | None = None
    """It is killed in its n-th wait."""
    dies_at_event: int | None = None
    """It is killed as it says something for the n-th time: everything of that is on the disk."""
    stopped_at_turn: int | None = None
    """A signal comes in its n-th wait."""
    at_turn: Mapping[int, Callable[[SimulatedSenders], None]] = field(default_factory=dict)
    """What else happens in its n-th wait."""


@dataclass(slots=True)
class _Says:
    """Counts what the run says, and dies at one of it (`ports.Events`)."""

    dies_at: int | None
    said: int = 0

    def emit(self, _event: str, /, **_facts: object) -> None:
        self.said += 1
        if self.said == self.dies_at:
            raise Killed


@dataclass(frozen=True, slots=True)
class Told:
    """How a command ended: killed, refused or stopped with an error, or with a report."""

    result: Result | None = None
    error: CourseSyncError | None = None

    @property
    def was_killed(self) -> bool:
        return self.result is None and self.error is None

    @property
    def code(self) -> int | None:
        """The exit code; `None` if it was killed."""
        if self.result is not None:
            return self.result.report.exit_code
        return None if self.error is None else self.error.exit_code


class Profile:
    """A state directory, the machine it lies on, the server, and the operator's sheet."""

    def __init__(
        self,
        folder: Path,
        records: Sequence[Record],
        *,
        limits: Sequence[Limit] = (),
        latency_s: float = 0.2,
        session_type: type[Session] = Session,
        senders_type: type[SimulatedSenders] = SimulatedSenders,
        ledger_clock: Callable[[Clock], Clock] = lambda clock: clock,
        **keys: object,
    ) -> None:
        """`keys` are settings as the profile's TOML has them; the types are there to be broken on purpose."""
        self.folder = folder
        self.timeline = Timeline(FakeClock())
        self.clock = MachineClock(self.timeline)
        self.server = SimulatedServer(self.timeline, records, limits=server_limits(limits), latency_s=latency_s)
        self.tokens = FakeTokens()
        self.settings = _settings(folder, limits, keys)
        self.sheets: dict[str, CheckedSheet] = {}
        """By the content's SHA-256: every sheet that was ever applied."""
        self.sheet: Path = folder / "sheet.csv"
        self.saw: Callable[[Request], None] = lambda _: None
        """Looks at each request as it leaves."""
        self.commands = 0
        self._session_type, self._senders_type, self._ledger_clock = session_type, senders_type, ledger_clock

    @property
    def now(self) -> float:
        """The world's own time, which no machine's clock moves."""
        return self.timeline.clock.now

    def write(self, cells: Cells, *, name: str = "sheet.csv") -> None:
        """Write a sheet and take it in hand."""
        lines = [",".join(("Id", *HEADINGS))]
        for section_id, row in cells.items():
            lines.append(",".join([str(section_id), *(row.get(heading, "") for heading in HEADINGS)]))
        self.sheet = self.folder / name
        self.sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.sheets[hashlib.sha256(self.sheet.read_bytes()).hexdigest()] = check_sheet(
            load_here(self.sheet), aliases={}
        )

    def checked(self) -> CheckedSheet:
        """The sheet in hand, as it was judged."""
        known = self.sheets[hashlib.sha256(self.sheet.read_bytes()).hexdigest()]
        return replace(known, file=replace(known.file, path=self.sheet))

    @contextmanager
    def session(self, fate: Fate | None = None) -> Iterator[Session]:
        """A process of this profile, from its opening of the store to its end, in good order or not."""
        self.commands += 1
        if self.commands % _LETS_GO == 0:
            with one_of_many():  # what was a process each is one here, and would keep a megabyte of each
                pass
        with closing(open_store(self.settings.state_dir, self.clock)) as store:
            # Deaths are simulated here, the machine stays up: waiting for the disk would be most of the test's time.
            store.connection.exec_driver_sql("PRAGMA synchronous = OFF")
            bind(store, self.settings)
            senders = self._senders_type(self.server, self.tokens, places=self.settings.in_flight, clock=self.clock)
            senders.witness = self.saw
            if fate is not None:
                senders.dies_before, senders.dies_at_turn = fate.dies_before, fate.dies_at_turn
                senders.on_turn = lambda turn: fate.at_turn.get(turn, lambda _: None)(senders)
            yield self._session_type(
                settings=self.settings,
                clock=self.clock,
                store=store,
                ledger=open_ledger(store, self.settings, self._ledger_clock(self.clock)),
                tokens=self.tokens,
                api=None,
                senders=senders,
                meter=request_meter(self.settings, self.clock),
                random=lambda: 0.5,
            )

    def apply(self, fate: Fate | None = None) -> Told:
        """Apply the sheet in hand, as `coursesync apply --yes` does."""
        return self._tell(fate, lambda session, watch: apply_sheet(session, self.checked(), out=None, watch=watch))

    def resume(self, fate: Fate | None = None) -> Told | None:
        """Go on with the last run that has not ended, as `coursesync resume` does; `None` if there is none."""
        with self.session() as session:
            if run_to_resume(session, None) is None:
                return None

        def go_on(session: Session, watch: Watch) -> Result:
            facts = run_to_resume(session, None)
            assert facts is not None
            checked = self.sheets[facts.input.sha256]
            return resume_run(session, facts.run_id, out=None, watch=watch, checked=checked)

        return self._tell(fate, go_on)

    def rival(self) -> None:
        """A second command of the profile, while one is at work: it may read, it may not send.

        Raises:
            AssertionError: it was let in.
        """
        with self.session() as session:
            try:
                apply_sheet(session, self.checked(), out=None, watch=Watch(_Says(None), lambda: None))
            except LockHeld:
                pass
            else:
                raise AssertionError("a second run was let in while one was at work")
            try:
                preview(session, self.checked(), lambda: None)
            except CourseSyncError:
                return  # the server's script may well be at its expense

    def _tell(self, fate: Fate | None, command: Callable[[Session, Watch], Result]) -> Told:
        fate = fate or Fate()
        try:
            with self.session(fate) as session:

                def stop_asked() -> CourseSyncError | None:
                    turn = fate.stopped_at_turn
                    if turn is None or session.senders.turns < turn:
                        return None
                    return Interrupted("The run was told to end.", signal_number=SIGTERM)

                return Told(result=command(session, Watch(_Says(fate.dies_at_event), stop_asked)))
        except Killed:
            return Told()
        except CourseSyncError as error:
            return Told(error=error)


def _settings(folder: Path, limits: Sequence[Limit], keys: Mapping[str, object]) -> Settings:
    return load_settings(
        profile=None,
        config_path=None,
        options={
            "base_url": BASE_URL,
            "account": "simulated",
            "state_dir": str(folder / "state"),
            "limits": [
                {
                    "scope": "write" if limit.scope is Scope.WRITE else "all",
                    "count": limit.count,
                    "seconds": limit.seconds,
                }
                for limit in limits
            ],
            **keys,
        },
        environ={},
        cwd=folder,
        user_config_dir=folder,
        needs_network=True,
    )
