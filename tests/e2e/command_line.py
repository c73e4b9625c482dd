"""A folder of its own with a profile in it, and the command line run there as a user or a script runs it."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from sync.cli.main import run
from tests.sandbox_process import ROOT, TOKEN, SandboxProcess

SAMPLES = ROOT / "sample_data"
LONGEST_S = 60.0
"""A command that takes longer hangs."""

Cell = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command left: its exit code and its two streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 -- JSON
        """Standard output, which must be one JSON object and nothing else."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    @property
    def why(self) -> str:
        """The one line on standard error that says why the exit code is not 0."""
        lines = [line for line in self.err.splitlines() if line.startswith("coursesync: ")]
        assert len(lines) == 1, self.err
        return lines[0].removeprefix("coursesync: ")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The log lines on standard error, which are JSON where nobody watches."""
        return [json.loads(line) for line in self.err.splitlines() if not line.startswith("coursesync: ")]


class Shell:
    """The command line in `folder`, against `sandbox`; every run is held to what holds for all of them."""

    def __init__(
        self,
        folder: Path,
        sandbox: SandboxProcess,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str] | None = None,
    ) -> None:
        """Go into `folder`, with an environment that names nothing but a token, and write the profile `main`.

        Without `capsys` only `process` says what was printed.
        """
        self.folder = folder
        self.sandbox = sandbox
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        for variable in os.environ:
            if variable.startswith("COURSESYNC_") or variable in {"CREDENTIALS_DIRECTORY", "NO_COLOR"}:
                monkeypatch.delenv(variable)
        for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            monkeypatch.setenv(variable, str(folder / "home"))
        monkeypatch.setenv("COURSESYNC_TOKEN", TOKEN)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.chdir(folder)
        self.profile()

    @property
    def state(self) -> Path:
        """The state directory of the profile `main`."""
        return self.folder / "state"

    def profile(self, more: str = "", *, name: str = "main", base_url: str | None = None, limits: str = "[]") -> None:
        """Write the profile `name`, with the lines of `more` at its end; no limits and quick settling unless said."""
        lines = [
            f'base_url = "{base_url or self.sandbox.base_url}"',
            'account = "quayside"',
            'state_dir = "state"',
            f"limits = {limits}",
            "settle_after_s = 0.2",
            "timeout_s = 5",
            more,
        ]
        (self.folder / "configs").mkdir(exist_ok=True)
        (self.folder / "configs" / f"{name}.toml").write_text("\n".join(lines), encoding="utf-8")

    def setenv(self, **variables: str | None) -> None:
        """Set variables of the environment; `None` takes one away."""
        for variable, value in variables.items():
            if value is None:
                self._monkeypatch.delenv(variable, raising=False)
            else:
                self._monkeypatch.setenv(variable, value)

    def bare(self, *words: str | Path) -> Ran:
        """Run these words and no others, in this process."""
        assert self._capsys is not None
        self._capsys.readouterr()
        code = run([str(word) for word in words])
        said = self._capsys.readouterr()
        ran = Ran(code, said.out, said.err)
        _hold(ran)
        return ran

    def __call__(self, *words: str | Path) -> Ran:
        """Run these words under the profile `main`, in this process."""
        return self.bare(*words, "--profile", "main")

    def process(self, *words: str | Path) -> Ran:
        """Run these words under the profile `main`, in a process of its own, as a script does."""
        ended = subprocess.run(
            self.command(*words), capture_output=True, encoding="utf-8", timeout=LONGEST_S, check=False
        )
        ran = Ran(ended.returncode, ended.stdout, ended.stderr)
        _hold(ran)
        return ran

    def command(self, *words: str | Path) -> list[str]:
        """The words of a process of its own."""
        return [sys.executable, "-m", "sync", *map(str, words), "--profile", "main"]

    def apply(self, sheet: str | Path, *words: str | Path, out: str = "out") -> Ran:
        """Apply `sheet` without asking, with the report in the folder `out`."""
        return self("apply", sheet, "--yes", "--out", out, *words)

    def write(self, name: str, headings: Sequence[str], *rows: Sequence[Cell]) -> Path:
        """Write a sheet of one's own, .xlsx or .csv by its name."""
        path = self.folder / name
        if path.suffix == ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([headings, *rows])
            return path
        workbook = Workbook()
        worksheet = workbook.worksheets[0]
        for row in (headings, *rows):
            worksheet.append(list(row))
        workbook.save(path)
        workbook.close()
        return path


def _hold(ran: Ran) -> None:
    """No command shows a traceback, and none that fails is silent about it."""
    assert "Traceback" not in ran.out + ran.err
    assert ran.code != 1 or "Internal error" not in ran.err, ran.err
    assert ran.code == 0 or "coursesync: " in ran.err


def refused(ran: Ran, code: int, *texts: str) -> None:
    """The exit code is `code`, and the one line that says why holds `texts`."""
    assert ran.code == code, ran.err
    for text in texts:
        assert text in ran.why


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """The objects of `report.jsonl` in `folder`."""
    text = (folder / "report.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def statuses(folder: Path) -> dict[int, str]:
    """Row number to status, by `report.jsonl`."""
    return {row["row"]: row["status"] for row in rows_of(folder)}


def table_of(folder: Path) -> list[dict[str, str]]:
    """The rows of `report.csv` in `folder`, by heading."""
    with (folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def summary_of(folder: Path) -> dict[str, Any]:
    """The object of `summary.json` in `folder`."""
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return summary


def counts_of(folder: Path) -> dict[str, int]:
    """The counts of `summary.json` that are not 0."""
    return {status: count for status, count in summary_of(folder)["counts"].items() if count}


def cells_of(path: Path, sheet: str = "Sections", *, heading_row: int = 1) -> dict[int, dict[str, Any]]:
    """The cells of a workbook by row number and heading."""
    workbook = load_workbook(path)
    values = list(workbook[sheet].iter_rows(values_only=True))
    workbook.close()
    headings = [str(value) for value in values[heading_row - 1]]
    return {
        number: dict(zip(headings, row, strict=True))
        for number, row in enumerate(values[heading_row:], start=heading_row + 1)
        if any(value is not None for value in row)
    }


def as_json(value: object) -> str:
    """A value as JSON, by which 1, 1.0 and true are three different things."""
    return json.dumps(value, sort_keys=True)


def expected_statuses(**instead: str) -> Mapping[int, str]:
    """The statuses of `demo.xlsx` by its script, with statuses that only its faults and limits bring about replaced."""
    script = json.loads((SAMPLES / "demo_expected.json").read_text(encoding="utf-8"))
    return {row["row"]: instead.get(row["status"], row["status"]) for row in script["rows"]}
