"""What was prepared at the page, and when it may go."""

import os
from pathlib import Path

from sync.jobs.prepared import PLANS, old_folders


def test_a_folder_is_as_old_as_the_latest_of_its_files(tmp_path: Path) -> None:
    """A plan that is still being made, or was approved just now, is not old; nor is there anything without a page."""
    assert old_folders(tmp_path, before_wall=1e12) == ()
    for name, latest in (("old", 50), ("fresh", 200)):
        folder = tmp_path / PLANS / name
        folder.mkdir(parents=True)
        for file, at in (("sheet.bin", 50), ("about.json", latest)):
            (folder / file).touch()
            os.utime(folder / file, (at, at))
        os.utime(folder, (50, 50))

    assert [folder.name for folder in old_folders(tmp_path, before_wall=100)] == ["old"]
