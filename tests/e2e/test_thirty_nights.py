"""Thirty nights of a drop folder, one after the other: exactly the alerts that are worth a message, in their order.

The files, the store, the sandbox and the receiver of the alerts are real; the clock is put forward from night to night.
"""

import gc
import json
import resource
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sync.adapters.clock import SystemClock
from sync.adapters.dropfolder import DropFolder
from sync.adapters.signals import StopRequest
from sync.adapters.store import open_store
from sync.cli.inbox import _pass, _session
from sync.cli.options import Common
from sync.errors import CourseSyncError
from sync.jobs.approving import approve_run
from sync.jobs.closing import Ended
from sync.jobs.inbox import Inbox
from tests.e2e.command_line import SAMPLES, Cell, Shell
from tests.receiver import Receiver, receiver
from tests.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("reads_here")]

DAY_S = 86_400.0
SEED = json.loads((SAMPLES / "sandbox_seed.json").read_text(encoding="utf-8"))
SECTIONS = [section for section in SEED["sections"] if section["Title"] and section["SectionContents"]]
IDS = [section["Id"] for section in SECTIONS]
OTHER_COURSE = SECTIONS[-1]["CourseId"]
WRITES_A_DAY = '[{scope = "write", count = 6, seconds = 86400}]'
OUTAGE = [{"match": {}, "action": "lose_request", "mode": "close"}]
NO_SIGN_IN = [{"match": {}, "action": "status", "status": 401, "body": ""}]


@dataclass(slots=True)
class NightClock:
    """The machine's clocks, put forward by whole nights."""

    ahead_s: float = 0.0
    real: SystemClock = field(default_factory=SystemClock)

    @property
    def boot_id(self) -> str:
        return self.real.boot_id

    def wall(self) -> float:
        return self.real.wall() + self.ahead_s

    def boot(self) -> float:
        return self.real.boot() + self.ahead_s

    def sleep(self, seconds: float) -> None:
        self.real.sleep(seconds)


@dataclass(slots=True)
class Nights:
    """A drop folder that is emptied every night, and everything that was told."""

    shell: Shell
    alerts: Receiver
    clock: NightClock = field(default_factory=NightClock)
    night: int = 0
    codes: dict[int, list[int]] = field(default_factory=dict)
    told: list[tuple[int, str, str]] = field(default_factory=list)
    """Night, event and subject of each message that was taken."""
    texts: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.shell.folder / "inbox"

    def drop(self, name: str, headings: Sequence[str], *rows: Sequence[Cell]) -> None:
        self.shell.write(f"inbox/{name}", headings, *rows)

    def one_pass(self) -> int:
        """What cron does, with `--quiet`; its exit code."""
        options = Common(profile="main", quiet=True)
        settings = options.settings(needs_network=True)
        ended = Ended(settings, self.clock, words=options.words)
        inbox = Inbox(
            DropFolder(self.root),
            settings,
            self.clock,
            lambda: _session(options, settings, self.clock, StopRequest()),
            ended,
        )
        try:
            return _pass(options, inbox)
        except CourseSyncError as error:
            return error.exit_code

    def pass_night(self, *, starts: int = 1) -> None:
        """One night: the hour comes, `starts` passes begin at once, and what was told is noted."""
        self.night += 1
        self.clock.ahead_s += DAY_S
        codes: list[int] = []
        threads = [threading.Thread(target=lambda: codes.append(self.one_pass())) for _ in range(starts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.codes[self.night] = sorted(codes)
        self._note()

    def quiet(self, nights: int) -> None:
        """Nights without a file."""
        for _ in range(nights):
            self.pass_night()

    def _note(self) -> None:
        if self.alerts.status == 200:
            bodies = [json.loads(body) for _path, _headers, body in self.alerts.got]
            self.told += [(self.night, body["event"], body["subject"]) for body in bodies]
            self.texts += [f"{body['title']}\n{body['text']}" for body in bodies]
        self.alerts.got.clear()


@contextmanager
def full_disk(bytes_: int = 4096) -> Iterator[None]:
    """No file may grow beyond so many bytes: what is written further comes back as an error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def nights(shell: Shell) -> Iterator[Nights]:
    with receiver() as alerts:
        shell.setenv(COURSESYNC_WEBHOOK_SECRET="secret-canary")
        (shell.folder / "inbox").mkdir()
        shell.profile(
            "wait_max_s = 1\n[inbox]\nsettled_s = 0.1\n"
            f'[alerts]\nwebhook = "http://{alerts.authority}/"\ntimeout_s = 5',
            limits=WRITES_A_DAY,
        )
        yield Nights(shell, alerts)


def test_thirty_nights(nights: Nights, sandbox: SandboxProcess, capsys: pytest.CaptureFixture[str]) -> None:
    """Quiet nights say nothing; each trouble is told once when it begins, and once when it is over."""
    nights.quiet(2)  # 1, 2
    nights.drop("a.csv", ["Id", "Title"], [IDS[0], "One"], [IDS[1], "One"])
    nights.quiet(3)  # 3 runs it, 4, 5

    assert capsys.readouterr() == ("", "")
    assert nights.told == []

    trouble_with_sheets(nights)
    trouble_with_the_account(nights, sandbox)

    assert nights.told == [
        (6, "refused", "bad.csv"),
        (9, "recovered", "bad.csv"),
        (10, "held", "moved.csv"),
        (12, "recovered", "moved.csv"),
        (14, "attention", "rows.csv"),
        (15, "recovered", "rows.csv"),
        (16, "stopped", "account"),
        (18, "recovered", "account"),
        (19, "stopped", "account"),
        (20, "recovered", "account"),
        (22, "stopped", "account"),
        (24, "recovered", "account"),
        (25, "sign_in_lost", "account"),
        (27, "recovered", "account"),
    ]
    assert {night: codes for night, codes in nights.codes.items() if codes != [0]} == {
        6: [3],
        8: [3],
        10: [6],
        13: [4],
        14: [4],
        16: [5],
        17: [5],
        19: [5],
        21: [0, 8],
        22: [5],
        23: [5],
        25: [2],
        26: [2],
    }
    assert nights.night == 30
    assert gc.get_freeze_count() == 0, "nothing of a sheet outlives its night"
    (next_step,) = {text.rsplit("Next: ", 1)[1] for text in nights.texts if "need attention" in text}
    assert Path(next_step.split("cells of ")[1].split(",")[0]).is_file()
    assert sandbox.records()[IDS[0]]["Title"] == "Late"
    left = sorted(path.name for path in nights.root.glob("*/*/*.csv"))
    dropped = ["a", "bad", "bad", "bad", "full", "late", "many", "moved", "out", "rows", "rows", "rows", "twice"]
    assert left == [f"{name}.csv" for name in dropped]


def trouble_with_sheets(nights: Nights) -> None:
    """Nights 6 to 15: a bad file, a held run, rows that need attention while nobody takes the message."""
    nights.drop("bad.csv", ["Title"], ["No Id"])
    nights.quiet(2)  # 6 refuses it, 7
    nights.drop("bad.csv", ["Title"], ["No Id"])
    nights.pass_night()  # 8: the very same again
    nights.drop("bad.csv", ["Id", "Title"], [IDS[2], "Mended"])
    nights.pass_night()  # 9

    nights.drop("moved.csv", ["Id", "CourseId"], *((key, OTHER_COURSE) for key in IDS[:3]))
    nights.quiet(2)  # 10 is held, 11 still waits
    (summary,) = (nights.root / "approval").glob("*/report/summary.json")
    approve(nights, json.loads(summary.read_text())["run_id"])
    nights.pass_night()  # 12 sends it

    nights.alerts.status = 500
    nights.drop("rows.csv", ["Id", "Title"], [IDS[0], "Two"], [10**9, "Nowhere"])
    nights.pass_night()  # 13: nobody takes the message
    nights.alerts.status = 200
    nights.drop("rows.csv", ["Id", "Title"], [IDS[0], "Two"], [10**9, "Nowhere"])
    nights.pass_night()  # 14: the same trouble, told now
    nights.drop("rows.csv", ["Id", "Title"], [IDS[0], "Three"])
    nights.pass_night()  # 15


def trouble_with_the_account(nights: Nights, sandbox: SandboxProcess) -> None:
    """Nights 16 to 30: an outage, a daily limit, two starts at once, a full disk, a sign-in that is lost."""
    nights.drop("out.csv", ["Id", "Title"], [IDS[3], "Out"], [IDS[4], "Out"])
    sandbox.faults(OUTAGE)
    nights.quiet(2)  # 16, 17: over midnight
    sandbox.faults([])
    nights.pass_night()  # 18 goes on

    nights.drop("many.csv", ["Id", "Title"], *((key, f"Many {key}") for key in IDS[:10]))
    nights.quiet(2)  # 19 sends six, 20 the rest

    nights.drop("twice.csv", ["Id", "Title"], [IDS[0], "Twice"])
    puts = len(sandbox.puts())
    nights.pass_night(starts=2)  # 21
    assert len(sandbox.puts()) == puts + 1

    nights.drop("full.csv", ["Id", "Title"], [IDS[0], "Full"])
    with full_disk():
        nights.quiet(2)  # 22, 23
    nights.pass_night()  # 24

    sandbox.faults(NO_SIGN_IN)
    nights.drop("late.csv", ["Id", "Title"], [IDS[0], "Late"])
    nights.quiet(2)  # 25, 26
    sandbox.faults([])
    nights.quiet(4)  # 27 goes on, 28 to 30


def approve(nights: Nights, run_id: str) -> None:
    """Somebody's word, by day."""
    settings = Common(profile="main").settings(needs_network=False)
    with closing(open_store(settings.state_dir, nights.clock)) as store:
        approve_run(store, settings, run_id)
