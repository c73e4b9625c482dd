"""A drop folder on a real disk: claims that only one gets, moves with everything beside, and who may read what."""

import os
import stat
import threading
from pathlib import Path

import pytest

from sync.adapters.dropfolder import DropFolder
from sync.errors import ConfigError
from sync.inbox import Place


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    tmp_path.chmod(0o2770)
    found = DropFolder(tmp_path)
    mask = os.umask(0o077)
    try:
        found.prepare(owner="quayside")
    finally:
        os.umask(mask)
    return found


def test_of_many_only_one_gets_a_file(folder: DropFolder) -> None:
    """A claim is one rename: the others find nothing, and leave nothing behind."""
    (folder.root / "a.csv").write_text("Id\n1\n")
    (sight,) = (each for each in folder.look(wall=0.0) if each.is_file)
    got: list[str | None] = []
    threads = [
        threading.Thread(target=lambda number=number: got.append(folder.claim(sight, f"d{number}")))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got, key=str) == [None] * 7 + ["a.csv"]
    assert len(folder.at_work()) == 1


def test_what_nothing_got_into_is_removed(folder: DropFolder) -> None:
    """A process that died between making the folder and the rename leaves an empty one."""
    (folder.root / "work" / "empty").mkdir()

    assert folder.at_work() == ()
    assert not (folder.root / "work" / "empty").exists()


@pytest.mark.parametrize(
    ("sheet", "folders", "report"),
    [
        pytest.param(0o664, 0o2770, 0o660, id="a-group"),
        pytest.param(0o640, 0o2770, 0o640, id="readers"),
        pytest.param(0o600, 0o2700, 0o600, id="its-owner-alone"),
    ],
)
def test_who_may_read_the_sheet_may_read_its_report(folder: DropFolder, sheet: int, folders: int, report: int) -> None:
    """Whatever the mask of the process was; the sheet stays as it was, and nobody reads more than before."""
    (folder.root / "a.csv").write_text("Id\n1\n")
    (folder.root / "a.csv").chmod(sheet)
    (sight,) = (each for each in folder.look(wall=0.0) if each.is_file)
    folder.claim(sight, "d1")
    folder.report_folder("d1").mkdir(mode=0o700)
    (folder.report_folder("d1") / "report.csv").write_text("x")
    (folder.report_folder("d1") / "report.csv").chmod(0o600)

    goal = folder.move("d1", Place.DONE)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (goal, *goal.rglob("*"))}
    assert modes == {"d1": folders, "a.csv": sheet, "report": folders, "report.csv": report}
    assert stat.S_IMODE((folder.root / "done").stat().st_mode) == 0o2770


def test_a_link_is_no_sheet(folder: DropFolder, tmp_path: Path) -> None:
    """Not in the folder, and not put into the place of a file that was taken."""
    secret = tmp_path / "secret.csv"
    secret.write_text("x")
    (folder.root / "link.csv").symlink_to(secret)
    (folder.root / "work" / "d1").mkdir()
    (folder.root / "work" / "d1" / "link.csv").symlink_to(secret)

    assert [each.is_file for each in folder.look(wall=0.0) if each.name == "link.csv"] == [False]
    assert folder.sheet_of("d1") is None


def test_what_a_file_manager_leaves_beside_a_sheet_is_not_taken_for_it(folder: DropFolder) -> None:
    """The name that was taken counts, once it is known; before that, the only file that is a person's."""
    home = folder.root / "work" / "d1"
    home.mkdir()
    for name in ("a.csv", ".DS_Store", "desktop.ini"):
        (home / name).write_text("x")
    assert folder.sheet_of("d1") == home / "a.csv"
    (home / "b.csv").write_text("x")

    assert folder.sheet_of("d1") is None
    assert folder.sheet_of("d1", named="b.csv") == home / "b.csv"
    assert folder.sheet_of("d1", named="c.csv") is None


def test_a_folder_that_is_not_there_or_is_anothers_is_refused(folder: DropFolder, tmp_path: Path) -> None:
    """What another account left at work is never taken for ours."""
    folder.prepare(owner="quayside")

    with pytest.raises(ConfigError, match="used for quayside, not for harbour"):
        folder.prepare(owner="harbour")
    with pytest.raises(ConfigError, match="There is no folder"):
        DropFolder(tmp_path / "nowhere").prepare(owner="quayside")
