"""What was told while the store could not be written: a file of one fixed size, overwritten in its place.

A full disk takes no new block, but it lets those be overwritten that a file has. So one message goes out when the disk
is full, not one with each pass, and one when there is room again. On file systems that copy on writing it may not help;
then the message is told again, which is better than never.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync.alerts import Event, Known

NAME: Final = "alerts.told"
SIZE: Final = 4096


def make_ready(state_dir: Path) -> None:
    """Make the file, while there is room for it."""
    path = state_dir / NAME
    with suppress(OSError):
        if not path.exists() or path.stat().st_size != SIZE:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.write(descriptor, b" " * SIZE)
            finally:
                os.close(descriptor)


def keep_told(state_dir: Path, states: Mapping[str, Known]) -> bool:
    """Keep these states, and say whether that could be done."""
    written = json.dumps({subject: _plain(known) for subject, known in states.items()}).encode().ljust(SIZE)
    if len(written) > SIZE:
        return False
    try:
        descriptor = os.open(state_dir / NAME, os.O_WRONLY)
        try:
            os.pwrite(descriptor, written, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return True


def told(state_dir: Path) -> Mapping[str, Known]:
    """The states that were kept; none where the file is not there, or says nothing that we know."""
    try:
        found = json.loads((state_dir / NAME).read_bytes() or b"{}")
        return {str(subject): _known(kept) for subject, kept in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _plain(known: Known) -> dict[str, object]:
    event = None if known.event is None else known.event.value
    return {"event": event, "mark": known.mark[:200], "since": known.since_wall, "told": known.told}


def _known(kept: Mapping[str, object]) -> Known:
    event = None if kept["event"] is None else Event(str(kept["event"]))
    return Known(event, str(kept["mark"]), float(str(kept["since"])), told=bool(kept["told"]))
