"""The reading of a command's sheet, begun before the command has loaded what it needs itself."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sync.adapters.spreadsheet import ReadingAhead


def reading_ahead(sheet: Path) -> "ReadingAhead":
    """Begin it; it has ended when the command does."""
    from sync.adapters.spreadsheet import ReadingAhead  # noqa: PLC0415 - loaded when the command runs

    return click.get_current_context().with_resource(ReadingAhead(sheet)).begin()
