"""The three parties to a work: our own command line, the plain peer, and the floors; each as a process of its own."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.windows import Limit
from tests.bench.canned import CannedServer
from tests.bench.processes import Command
from tests.bench.sections import workbook

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench"
_QUIET = ("-W", "ignore")


@dataclass(frozen=True, slots=True)
class Parties:
    """Makes the commands of one work against one server; each begins with nothing left of an earlier run."""

    server: CannedServer
    rows: int
    changed: bool
    limits: Sequence[Limit] = ()
    folder: Path = FOLDER
    """For sheets, which are kept, and for what runs leave."""

    @property
    def sheet(self) -> Path:
        return workbook(
            self.folder / f"{'changed' if self.changed else 'same'}-{self.rows}.xlsx", self.rows, changed=self.changed
        )

    def ours(self, *, after: Callable[[], object] = lambda: None) -> Command:
        """`coursesync apply` with a new state directory: journal, report and all."""
        state = self.folder / "state"
        tables = [
            f'[[limits]]\nscope = "{one.scope}"\ncount = {one.count}\nseconds = {one.seconds:g}\n'
            for one in self.limits
        ]
        profile = self.folder / "bench.toml"
        profile.write_text(
            f'base_url = "{self.server.base_url}"\naccount = "bench"\n'
            + ("" if tables else "limits = []\n")
            + "[rails.rows_changed]\nmax = 1000000\n"
            + "".join(tables)
        )
        env = dict(os.environ) | {"COURSESYNC_TOKEN": "bench", "COURSESYNC_STATE_DIR": str(state)}
        words = ("-m", "sync", "apply", str(self.sheet), "--yes", "--quiet", "--config", str(profile))

        def before() -> None:
            self.server.reset()
            shutil.rmtree(state, ignore_errors=True)

        return Command((sys.executable, *words), env, before=before, after=after)

    def peer(self, *, engine: str | None = None) -> Command:
        """The plain peer; `engine` is that of `pandas.read_excel`, its default unless named."""
        report = self.folder / "peer.xlsx"
        words = [*_QUIET, "-m", "tests.bench.peer", str(self.sheet), self.server.base_url, str(report)]
        words += ["--throttled"] if self.limits else []
        words += ["--engine", engine] if engine else []
        return Command((sys.executable, *words), os.environ, before=self.server.reset)

    def floor(self, name: str) -> Command:
        """One of `floors.py`: `read`, `batches` or `puts`."""
        of = str(self.sheet) if name == "read" else self.server.base_url
        words = ("-m", "tests.bench.floors", name, of, str(self.rows))
        return Command((sys.executable, *words), os.environ, before=self.server.reset)
