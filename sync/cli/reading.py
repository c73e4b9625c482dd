"""The process that reads the sheet of a command, begun before the command has loaded what it needs itself."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sync.adapters.spreadsheet import ReadingProcess


def reading_ahead(sheet: Path) -> "ReadingProcess":
    """Begin it; it has ended when the command does."""
    from sync.adapters.spreadsheet import begun  # noqa: PLC0415 - loaded when the command runs

    return click.get_current_context().with_resource(begun(sheet))
