"""Killed at every step of a drop folder's work: no file is lost, none is run twice, and the next pass ends it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from tests.faults.commands import Ended
from tests.faults.desk import FIRST_ID, Desk

STEPS = (
    "claim.made",
    "claim.taken",
    "delivery.claimed",
    "delivery.ended",
    "delivery.moved",
    "delivery.taken_up",
    "plan.written",
    "input.copied",
    "lock.taken",
    "lock.released",
)
"""The points at which a file's way, or what is known of it, has just taken a step."""
SHEETS = {
    "done": f"Id,Title\n{FIRST_ID},One\n{FIRST_ID + 1},Two\n",
    "attention": f"Id,Title\n{FIRST_ID},One\nx,Two\n",
    "refused": "Title\nOne\n",
    "approval": f"Id,Active\n{FIRST_ID},false\n{FIRST_ID + 1},false\n",
}
"""By where they end: the rail is set so that two sections that become hidden are too many."""


class DropDesk:
    """A desk with a drop folder."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.root, self.number = desk, desk.folder / "inbox", count()
        self.root.mkdir()
        desk.profile(inbox={"settled_s": 0.0}, rails={"sections_deactivated": {"max": 1}})

    def run(self, *words: str, failpoint: str | None = None) -> Ended:
        return self.desk.run(*(words or ("inbox", str(self.root))), failpoint=failpoint)

    def where(self) -> dict[str, str]:
        """By place and name: what every file that was dropped holds."""
        return {str(path.relative_to(self.root).parts[0]): path.read_text() for path in self.root.rglob("sheet-*.csv")}

    def runs(self) -> int:
        store = self.desk.state_dir / "store.sqlite3"
        with closing(sqlite3.connect(store)) as connection:
            ((number,),) = connection.execute("SELECT count(*) FROM runs")
        return int(number)


def deaths(name: str) -> Iterator[str]:
    """Its first time, its second …: until nothing dies of it any more."""
    return (f"{name}:{number}" for number in count(1))


@pytest.mark.parametrize(
    ("end", "steps", "least"),
    [
        pytest.param("done", STEPS, 10, id="done"),
        pytest.param("approval", STEPS, 7, id="approval", marks=pytest.mark.soak),
        pytest.param("attention", STEPS, 10, id="attention", marks=pytest.mark.soak),
        pytest.param("refused", STEPS, 6, id="refused", marks=pytest.mark.soak),
        pytest.param("done", ("*",), 60, id="done-at-any-point", marks=pytest.mark.soak),
    ],
)
def test_a_file_survives_the_death_of_its_pass_at_every_step(
    desk: Desk, end: str, steps: tuple[str, ...], least: int
) -> None:
    """The next pass brings the file to its place, whole, with its report, by one run and one PUT a row."""
    drop = DropDesk(desk)
    died = 0
    for step in steps:
        for failpoint in deaths(step):
            desk.sandbox.reset()
            place = drop.root / f"sheet-{next(drop.number)}.csv"
            place.write_text(SHEETS[end] + f"# {place.stem},\n")  # a comment makes each content another
            content = place.read_text()
            before = drop.runs() if desk.state_dir.exists() else 0

            ended = drop.run(failpoint=failpoint)
            if not ended.was_killed:
                clear(drop.root)
                break
            died += 1
            assert list(drop.where().values()) == [content], failpoint
            again = drop.run()

            assert again.code == {"done": 0, "attention": 4, "refused": 3, "approval": 6}[end] or drop.where() == {
                end: content
            }, (failpoint, again)
            assert drop.where() == {end: content}, failpoint
            assert any((drop.root / end).glob("*/report/*")), failpoint
            changed = [change["id"] for change in desk.sandbox.history()]
            assert len(changed) == len(set(changed)) == {"done": 2, "attention": 1}.get(end, 0), failpoint
            if step != "*":  # elsewhere a request may be under way when its sender dies: it is settled, and sent again
                assert sorted(entry["id"] for entry in desk.sandbox.puts()) == sorted(changed), failpoint
            assert drop.runs() - before == (1 if end in {"done", "attention"} else 0), failpoint
            clear(drop.root)

    assert died >= least, died


def test_an_approved_file_survives_too(desk: Desk) -> None:
    """Killed between the word and the end: it is sent once, and the approval is used once."""
    drop = DropDesk(desk)
    died = 0
    for step in ("delivery.moved", "delivery.taken_up", "plan.written", "delivery.ended"):
        desk.sandbox.reset()
        place = drop.root / f"sheet-{next(drop.number)}.csv"
        place.write_text(SHEETS["approval"] + f"# {place.stem},\n")
        assert drop.run().code == 6
        (report,) = (drop.root / "approval").glob("*/report/summary.json")
        assert drop.run("approve", json.loads(report.read_text())["run_id"]).code == 0

        died += drop.run(failpoint=f"{step}:1").was_killed
        drop.run()

        assert list(drop.where()) == ["done"], step
        assert len(desk.sandbox.puts()) == 2, step
        clear(drop.root)
    assert died == 4


def clear(root: Path) -> None:
    """Let the next file lie alone."""
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_file() and path.name != ".coursesync-profile":
            path.unlink()
        elif path.is_dir() and path.parent != root:
            path.rmdir()
