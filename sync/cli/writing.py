"""The process that carries the operator's workbook over into a report, begun while its sheet is still being read."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from sync.adapters.workbook.own_process import OwnProcess

_CARRIED: Final = frozenset({".xlsx", ".xlsm"})


def writing_ahead(sheet: Path) -> "OwnProcess":
    """Begin it, if the file's name is that of a workbook; it has ended when the command does."""
    from sync.adapters.workbook.own_process import OwnProcess  # noqa: PLC0415 - loaded when the command runs

    process = click.get_current_context().with_resource(OwnProcess())
    if sheet.suffix.lower() in _CARRIED:
        process.begin()
    return process
