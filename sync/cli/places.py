"""Where a command may write: looked at before anything else happens, so that nothing is sent without its report."""

import os
from itertools import count
from pathlib import Path

from sync.errors import ConfigError


def check_folder(folder: Path | None) -> None:
    """Make sure that the report's folder is there or can be made; nothing is made yet.

    Raises:
        ConfigError: a file is in its way, or it cannot be written.
    """
    if folder is None:
        return
    above = folder
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise ConfigError(
            f"No report can be written to {folder}: {above} is no folder.", remedy="Choose another --out."
        )
    if not os.access(above, os.W_OK | os.X_OK):
        raise ConfigError(
            f"No report can be written to {folder}: {above} is closed to you.", remedy="Choose another --out."
        )


def check_file(path: Path, *endings: str) -> None:
    """Make sure that `path` names a file of one of these kinds, in a folder that is there.

    Raises:
        ConfigError: it does not.
    """
    if path.is_dir() or not path.name:
        raise ConfigError(f"{path} is a folder.", remedy="Name the file that is to be written.")
    if path.suffix.lower() not in endings:
        raise ConfigError(
            f"{path.name} would be no {' or '.join(endings)} file.",
            remedy=f"Name a file that ends in {' or '.join(endings)}.",
        )
    if not path.parent.is_dir():
        raise ConfigError(f"There is no folder {path.parent}.", remedy="Make it, or choose another.")


def kept_apart(usual: str) -> tuple[Path, str | None]:
    """Give the file of a command that was told no name: `usual`, or beside a file of that name the first free one.

    What lies there may hold hours of edits. The second part is a sentence that says so, where it is so.
    """
    path = Path(usual)
    if not os.path.lexists(path):
        return path, None
    free = next(
        other
        for number in count(2)
        if not os.path.lexists(other := path.with_name(f"{path.stem} ({number}){path.suffix}"))
    )
    return free, f"{path.name} was there already and may hold edits, so it was left alone; -o {path.name} replaces it."
