"""One operator's place in a test: a profile, a sheet and a state directory, and the sandbox that they are for."""

import csv
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.faults.commands import Commands, Ended, Running
from tests.faults.evidence import Asked, Ending, Evidence, Json
from tests.faults.promises import check
from tests.sandbox_process import SandboxProcess

TOKEN = "canary-token-5d1c0a77"
PASSWORD = "canary-password-9b2e41"
SECRETS = (TOKEN, PASSWORD)
FIRST_ID = 1001
SETTLE_S = 0.2
WAIT_S = 20.0
LOOK_S = 0.02
PLAIN = {"TZ": "UTC", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
FAILPOINT = "COURSESYNC_FAILPOINT"


def seed(sections: int) -> dict[str, Any]:
    """A seed document for the sandbox: whole records, with fields that no documentation names."""
    return {
        "courses": [{"Id": 1, "Title": "Course"}],
        "sections": [_section(FIRST_ID + number) for number in range(sections)],
    }


def put_of(number: int = 0, /, **match: object) -> dict[str, object]:
    """The PUTs of the section with this place in the seed, for a fault rule to match; the first, if nothing else."""
    return {"method": "PUT", "id": FIRST_ID + number, **(match or {"nth": 1})}


def rule(action: str, match: Mapping[str, object], /, **parameters: object) -> dict[str, object]:
    """A line of the sandbox's fault script."""
    return {"match": dict(match), "action": action, **parameters}


def _section(key: int) -> dict[str, Any]:
    return {
        "Id": key,
        "CourseId": 1,
        "Title": f"Section {key}",
        "DisplayOrder": key - FIRST_ID + 1,
        "SectionContents": f"<p>Contents of {key}, with “quotes” and a tab\t</p>",
        "CustomFields": {"Nested": [1, 2.5, None, {"deep": True}]},
        "LocalizationDetails": None,
        "SystemId": f"sys-{key}",
        "Unheard_of": [0, False, "", None, 12345678901234567890, 0.1],
        "TinyFloat": 1e-7,
        "WholeFloat": 2.0,
    }


@dataclass(slots=True)
class Desk:
    """Writes the sheet, runs commands one after the other, and keeps what the checker needs."""

    folder: Path
    sandbox: SandboxProcess
    commands: Commands
    asked: list[Asked] = field(default_factory=list)
    rows: int = 0
    endings: list[Ending] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=lambda: {**PLAIN, "COURSESYNC_TOKEN": TOKEN})
    before: dict[int, Any] = field(default_factory=dict)
    converged_after: int | None = None
    judged: int = 0
    """The last log entry that has been judged: what came before another page was begun."""
    _names: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Begin with a plain profile and the sandbox's records as they are."""
        self.profile()
        self.before = self.sandbox.records()

    @property
    def state_dir(self) -> Path:
        """Where the journal lies."""
        return self.folder / "state"

    @property
    def sheet(self) -> Path:
        """The operator's file."""
        return self.folder / "sheet.csv"

    def profile(self, **keys: object) -> None:
        """Write the profile anew: without limits and quick to settle, unless `keys` say otherwise."""
        plain = {"base_url": self.sandbox.base_url, "account": "desk", "limits": [], "settle_after_s": SETTLE_S}
        values = {**plain, "timeout_s": 2, "wait_max_s": 20, **keys}
        lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
        (self.folder / "desk.toml").write_text("\n".join(lines) + "\n")

    def write(self, edits: Sequence[Mapping[str, Json]]) -> None:
        """Write the sheet: a row for each edit, which names its Id; a field left out is a blank cell."""
        names = list(dict.fromkeys(name for edit in edits for name in edit))
        with self.sheet.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows([{name: _cell(value) for name, value in edit.items()} for edit in edits])
        self.rows = len(edits)
        self.asked = [
            Asked(row, edit["Id"], {name: value for name, value in edit.items() if name != "Id"})
            for row, edit in enumerate(edits, start=2)
            if edit["Id"] in self.before
        ]

    def rename(self, sections: int) -> None:
        """Write a sheet that gives so many sections a new title and order."""
        self.write(
            [
                {"Id": FIRST_ID + number, "Title": f"New “{number}”", "DisplayOrder": 100 + number}
                for number in range(sections)
            ]
        )

    def start(
        self,
        *words: str,
        failpoint: str | None = None,
        closed_stdout: bool = False,
        file_size: int | None = None,
    ) -> Running:
        """Start a command of this profile."""
        common = ["--config", str(self.folder / "desk.toml"), "--state-dir", str(self.state_dir)]
        return self.commands.start(
            [*words, *common],
            folder=self.folder,
            env={**self.env, **({FAILPOINT: failpoint} if failpoint else {})},
            name=f"said-{next(self._names)}",
            closed_stdout=closed_stdout,
            file_size=file_size,
        )

    def note(self, ended: Ended) -> Ended:
        """Keep for the checker how a command ended."""
        if ended.code >= 0:
            self.endings.append(Ending(ended.code, ended.out))
        return ended

    def run(self, *words: str, failpoint: str | None = None, file_size: int | None = None) -> Ended:
        """Run a command to its end."""
        return self.note(self.start(*words, failpoint=failpoint, file_size=file_size).ended())

    def apply(self, *, failpoint: str | None = None) -> Ended:
        """Apply the sheet."""
        return self.run("apply", str(self.sheet), "--yes", failpoint=failpoint)

    def resume(self, *, failpoint: str | None = None) -> Ended:
        """Go on with what was stopped."""
        return self.run("resume", failpoint=failpoint)

    def go_on(self, *, failpoint: str | None = None) -> Ended:
        """Do what an operator does after a death.

        `resume`; where no run had begun, apply. Where the run had ended with its report, there is nothing to do.
        """
        ended = self.resume(failpoint=failpoint)
        if ended.code != 0 or ended.out is not None:
            return ended
        runs = json.loads(self.run("history", "--json").stdout)
        return self.run("report", runs[0]["run_id"], failpoint=failpoint) if runs else self.apply(failpoint=failpoint)

    def turn_the_page(self, asked: Sequence[Asked]) -> None:
        """Judge by other rows from here on: those of the same sheet, with what an undo asks for in them."""
        self.asked, self.before, self.endings = list(asked), self.sandbox.records(), []
        self.judged = self.sandbox.log()[-1]["n"]

    def apply_again_sends_nothing(self) -> None:
        """Apply the same sheet once more, and let the checker see that no PUT comes any more."""
        self.converged_after = self.sandbox.log()[-1]["n"]
        ended = self.apply()

        assert ended.code == 0, ended
        assert set(self.statuses()) <= {"unchanged", "skipped"}, self.statuses()

    def wait_for_puts(self, number: int) -> None:
        """Wait until so many PUTs have reached the server.

        Raises:
            TimeoutError: they do not come.
        """
        self._wait(lambda: len(self.sandbox.puts()) >= number, f"{number} PUTs")

    def wait_for_requests(self, number: int) -> None:
        """Wait until so many requests have been decided by the server."""
        self._wait(lambda: len(self.sandbox.log()) >= number, f"{number} requests")

    def _wait(self, came: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + WAIT_S
        while not came():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come within {WAIT_S} s")
            time.sleep(LOOK_S)

    def puts(self, number: int = 0) -> list[dict[str, Any]]:
        """The PUTs of the section with this place in the seed, from 0."""
        return [entry for entry in self.sandbox.puts() if entry["id"] == FIRST_ID + number]

    def statuses(self) -> list[str]:
        """The status of each row in the last report, in the sheet's order."""
        return [line["status"] for line in self.lines()]

    def lines(self) -> list[dict[str, Any]]:
        """The last report.jsonl."""
        out = next(ending.out for ending in reversed(self.endings) if ending.out)
        return [json.loads(line) for line in (out / "report.jsonl").read_bytes().splitlines()]

    def broken(self) -> list[str]:
        """Every promise that what happened here has broken."""
        return check(self.evidence())

    def evidence(self) -> Evidence:
        """What happened here."""
        return Evidence(
            state_dir=self.state_dir,
            rows=self.rows,
            asked=self.asked,
            log=[entry for entry in self.sandbox.log() if entry["n"] > self.judged],
            before=self.before,
            after=self.sandbox.records(),
            history=self.sandbox.history(),
            endings=self.endings,
            texts=sorted(self.folder.glob("said-*")),
            secrets=SECRETS,
            converged_after=self.converged_after,
        )


def _toml(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{name} = {_toml(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return json.dumps(value)


def _cell(value: Json) -> object:
    return {True: "TRUE", False: "FALSE"}[value] if isinstance(value, bool) else value
