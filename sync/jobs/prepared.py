"""What a process of its own prepares for a person at the page: a plan, the plan of an undo, an export, a template.

Each has a folder of its own below `plans` in the state directory, with a name that nobody has chosen; what a person
calls the file is a text in `about.json`, and never a part of a path.
"""

import json
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal

from sync.adapters.background import answer_of, begin, is_at_work
from sync.adapters.whole_file import place
from sync.errors import ConfigError
from sync.frozen import Frozen, field, replace
from sync.report import row_ranges

PLANS: Final = "plans"
SHEET: Final = "sheet.bin"
_ABOUT: Final = "about.json"
_OUT: Final = "answer.json"
_NAME: Final = 32
"""Hex digits."""


class Kind(StrEnum):
    """What is prepared."""

    PLAN = "plan"
    UNDO = "undo"
    EXPORT = "export"
    TEMPLATE = "template"


class Stage(StrEnum):
    """How far it has come."""

    MAKING = "making"
    READY = "ready"
    REFUSED = "refused"


class Export(Frozen):
    """What of the live sections is asked for; what is empty takes all."""

    courses: tuple[int, ...] = ()
    active: Literal["", "active", "inactive"] = ""
    since: str = ""
    """A date: changed on it, or later."""
    suffix: Literal[".xlsx", ".csv"] = ".xlsx"

    @property
    def words(self) -> tuple[str, ...]:
        """The options of the command line that say the same."""
        courses = [word for course in self.courses for word in ("--course", str(course))]
        activity = [f"--{self.active}"] if self.active else []
        return (*courses, *activity, *(["--changed-since", self.since] if self.since else []))


class About(Frozen):
    """What is known of it from the start."""

    kind: Kind
    called: str
    """The name of the uploaded file, or what it is."""
    person: str
    """Who asked for it."""
    at_wall: float
    process: str = ""
    run_id: str | None = None
    """The run that is to be undone."""
    parent: str | None = None
    """The plan that this one was made from."""
    leave_out: str = ""
    choices: tuple[str, ...] = ()
    sha256: str = ""
    words: tuple[str, ...] = ()
    """The options of an export."""


class Prepared(Frozen):
    """One folder, as it stands."""

    name: str
    folder: Path
    about: About
    stage: Stage
    answer: Mapping[str, Any] = field(default_factory=dict)
    """What its process said: the summary of the plan."""

    @property
    def sheet(self) -> Path:
        """The uploaded file."""
        return self.folder / SHEET

    @property
    def refusal(self) -> str:
        """Why it was not made, by the name that its person knows it under."""
        return str(self.answer.get("error", "")).replace(SHEET, self.about.called)

    @property
    def sends(self) -> int:
        """Rows that would be sent."""
        return int(self.answer.get("counts", {}).get("to_update", 0))

    @property
    def accepts(self) -> int:
        """Rows whose live values would be taken for what is wanted."""
        return int(self.answer.get("plan", {}).get("accepted", 0))

    @property
    def does(self) -> bool:
        """Whether there is anything to approve."""
        return self.sends + self.accepts > 0

    @property
    def held(self) -> tuple[str, ...]:
        """The rails that hold it."""
        return tuple(rail["name"] for rail in self.answer.get("rails", ()) if rail["held"])

    @property
    def checksum(self) -> str:
        """Of the sealed plan."""
        return str(self.answer.get("plan", {}).get("checksum", ""))


class Desk(Frozen):
    """Where things are prepared, and with which options of the command line."""

    state_dir: Path
    words: tuple[str, ...]
    """`--profile NAME` and its like, as the server was started with them."""

    @property
    def root(self) -> Path:
        """The folder of all of them."""
        return self.state_dir / PLANS

    def new(self, about: About) -> Prepared:
        """Make a folder; nothing is begun yet."""
        name = uuid.uuid4().hex
        folder = self.root / name
        self.root.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700)
        return Prepared(name, folder, about, Stage.MAKING)

    def begin(self, prepared: Prepared, words: Sequence[str]) -> Prepared:
        """Start the process that prepares it, and write down what is known.

        Raises:
            OSError: it cannot be started.
        """
        process = begin((*words, "--json", "--log-format", "json", *self.words), prepared.folder / _OUT)
        about = replace(prepared.about, process=process)
        place(prepared.folder / _ABOUT, json.dumps(_about_json(about)).encode())
        return replace(prepared, about=about)

    def plan(self, prepared: Prepared) -> Prepared:
        """Plan the sheet that lies in its folder."""
        about = prepared.about
        words = ["plan", str(prepared.sheet), "--called", about.called, "--out", str(prepared.folder)]
        words += ["--leave-out", row_ranges(map(int, about.leave_out.split(",")))] if about.leave_out else []
        words += [word for choice in about.choices for word in ("--choose", choice)]
        return self.begin(prepared, words)

    def plan_again(
        self, former: Prepared, *, leave_out: str, choices: Sequence[str], person: str, at_wall: float
    ) -> Prepared:
        """Plan the same sheet with other decisions about its rows; the former plan stays as it is."""
        about = replace(
            former.about,
            parent=former.name,
            leave_out=leave_out,
            choices=tuple(choices),
            person=person,
            at_wall=at_wall,
        )
        again = self.new(about)
        shutil.copyfile(former.sheet, again.sheet)
        again.sheet.chmod(0o600)
        return self.plan(again)

    def undo(self, run_id: str, *, person: str, at_wall: float) -> Prepared:
        """Plan the undo of a run."""
        prepared = self.new(About(Kind.UNDO, f"undo of {run_id}", person, at_wall, run_id=run_id))
        return self.begin(prepared, ["undo", run_id, "--out", str(prepared.folder)])

    def export(self, export: Export, *, person: str, at_wall: float) -> Prepared:
        """Write the live sections that are asked for."""
        called = f"{Kind.EXPORT}{export.suffix}"
        prepared = self.new(About(Kind.EXPORT, called, person, at_wall, words=export.words))
        return self.begin(prepared, ["export", *export.words, "-o", str(prepared.folder / called)])

    def template(self, *, person: str, at_wall: float) -> Prepared:
        """Write an empty workbook, with the account's courses to choose from."""
        called = f"{Kind.TEMPLATE}.xlsx"
        prepared = self.new(About(Kind.TEMPLATE, called, person, at_wall))
        return self.begin(prepared, ["template", "-o", str(prepared.folder / called)])

    def find(self, name: str) -> Prepared:
        """The folder of this name, as it stands.

        Raises:
            ConfigError: there is none.
        """
        folder = self.root / name
        if len(name) != _NAME or not set(name) <= set("0123456789abcdef") or not (folder / _ABOUT).is_file():
            raise ConfigError("There is no such plan.", remedy="It may have been purged: upload the sheet again.")
        about = _about_of(json.loads((folder / _ABOUT).read_text(encoding="utf-8")))
        if is_at_work(about.process):
            return Prepared(name, folder, about, Stage.MAKING)
        answer = answer_of(folder / _OUT)
        if answer is None:
            answer = {"error": "It was ended before it was done.", "remedy": "Try it again.", "exit_code": 1}
        stage = Stage.REFUSED if "error" in answer else Stage.READY
        return Prepared(name, folder, about, stage, answer)

    def folder_for(self, run_id: str) -> str:
        """The folder in which the words of a run's next process are kept; made if it is not there."""
        (self.root / run_id).mkdir(mode=0o700, parents=True, exist_ok=True)
        return run_id

    def recent(self, *, at_most: int = 20) -> Iterable[Prepared]:
        """The latest ones, newest first."""
        found = sorted(self.root.glob(f"*/{_ABOUT}"), key=lambda path: path.stat().st_mtime, reverse=True)
        return [self.find(path.parent.name) for path in found[:at_most]]


def old_folders(state_dir: Path, *, before_wall: float) -> tuple[Path, ...]:
    """What nothing was written to since then; a plan is good for a day or so, and its run needs it no more."""
    folders = sorted((state_dir / PLANS).glob("*"))
    return tuple(folder for folder in folders if folder.is_dir() and max(_times(folder)) < before_wall)


def _times(folder: Path) -> list[float]:
    return [path.stat().st_mtime for path in (folder, *folder.iterdir())]


def _about_json(about: About) -> dict[str, object]:
    return {
        "kind": about.kind.value,
        "called": about.called,
        "person": about.person,
        "at_wall": about.at_wall,
        "process": about.process,
        "run_id": about.run_id,
        "parent": about.parent,
        "leave_out": about.leave_out,
        "choices": list(about.choices),
        "sha256": about.sha256,
        "words": list(about.words),
    }


def _about_of(facts: dict[str, Any]) -> About:
    lists = {name: tuple(facts.get(name, ())) for name in ("choices", "words")}
    return About(**{**facts, **lists, "kind": Kind(facts["kind"])})
